import json
import string
from dataclasses import FrozenInstanceError
from decimal import Decimal
from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from pos_payment_qfpay.qfpay.ecr.cipher import PosKey
from pos_payment_qfpay.qfpay.ecr.lenient import read
from pos_payment_qfpay.qfpay.ecr.message import (
    CHANNELS,
    CancelRequest,
    Inquiry,
    Payment,
    PrintReceipt,
    PrintSummary,
    Refund,
    body,
    canonical,
    envelope,
)
from pos_payment_qfpay.qfpay.errors import InvalidRequest
from pos_payment_qfpay.tests_pure.qfpay.ecr.vectors import KEY16, KEY32, SEALED, SYSSN

SAFE = string.ascii_letters + string.digits + '_.-'
#: values that would end a text, a pair or the whole message on the terminal
HARMFUL = [
    "o'brien",
    'a"b',
    'a\\b',
    'a{b',
    'a}b',
    'a,b',
    'a=b',
    'a b',
    'a\n',
    'a\0',
    '編號',
    'é',
    '１',
]


def sealed(command, key=KEY32):
    return json.loads(body(command.content(), PosKey(key)))


class TestEcrMessage(TestCase):
    def assertInvalid(self, field, make, *args, **kwargs):
        with self.assertRaises(InvalidRequest) as caught:
            make(*args, **kwargs)
        self.assertEqual(caught.exception.field, field)
        self.assertTrue(caught.exception.message)

    # ------------------------------------------------------------------
    # The published vectors, from the typed commands to the bytes
    # ------------------------------------------------------------------

    def test_inquiry(self):
        inquiry = Inquiry(syssn='12345678')
        self.assertEqual(canonical(inquiry.content()), "{func_type=4001,orderId='12345678'}")
        self.assertEqual(
            envelope(inquiry.content(), PosKey(KEY32)),
            "{content:{func_type=4001,orderId='12345678'}, "
            "digest:'99CE8BF9C7304AC964522D10F51660B4'}",
        )
        for key in (KEY16, KEY32):
            self.assertEqual(sealed(inquiry, key), SEALED['E1', key])

    def test_payment(self):
        payment = Payment(10000, 'card_payment', '456799999999', move_to_back=False)
        for key in (KEY16, KEY32):
            self.assertEqual(sealed(payment, key), SEALED['E2', key])

    def test_refund_by_the_vectors(self):
        content = Refund(SYSSN, 5).content()
        self.assertEqual(content.pop('moveToBack'), 1)
        self.assertEqual(json.loads(body(content, PosKey(KEY32))), SEALED['E4', KEY32])
        nothing = {'func_type': 1002, 'orderId': SYSSN, 'refund_amount': None}
        self.assertEqual(json.loads(body(nothing, PosKey(KEY32))), SEALED['E5', KEY32])

    def test_receipt(self):
        self.assertEqual(
            canonical(PrintReceipt('12345678').content()), "{func_type=3001,orderId='12345678'}"
        )

    def test_summary_and_cancel(self):
        self.assertEqual(sealed(PrintSummary()), SEALED['E7', KEY32])
        self.assertEqual(sealed(CancelRequest()), SEALED['E9', KEY32])
        self.assertEqual(sealed(CancelRequest(), KEY16), SEALED['E9', KEY16])

    def test_body_is_a_json_string(self):
        sent = body(PrintSummary().content(), PosKey(KEY32))
        self.assertEqual(sent, f'"{SEALED["E7", KEY32]}"'.encode())

    def test_paths(self):
        paths = {
            command.FUNC_TYPE: command.PATH
            for command in (Payment, Refund, PrintReceipt, PrintSummary, Inquiry, CancelRequest)
        }
        self.assertEqual(
            paths,
            {
                1001: '/api/pos/trade',
                1002: '/api/pos/cancel',
                3001: '/api/pos/print_receipt',
                3002: '/api/pos/transaction_info',
                4001: '/api/pos/query_transaction',
                5001: '/api/pos/cancel_request',
            },
        )

    # ------------------------------------------------------------------
    # What the commands say
    # ------------------------------------------------------------------

    def test_amounts_in_their_shortest_form(self):
        for minor, text in [
            (1, '0.01'),
            (10, '0.1'),
            (100, '1'),
            (1000, '10'),
            (1010, '10.1'),
            (12350, '123.5'),
            (10000, '100'),
            (123456, '1234.56'),
            (2**31 - 1, '21474836.47'),
        ]:
            with self.subTest(minor):
                rendered = canonical(Payment(minor, 'wx', 'A').content())
                self.assertIn(f'{{amt={text},', rendered)

    def test_refund_amounts_with_two_decimals(self):
        for minor, text in [
            (1, '0.01'),
            (1000, '10.00'),
            (1010, '10.10'),
            (2**31 - 1, '21474836.47'),
        ]:
            with self.subTest(minor):
                self.assertEqual(Refund(SYSSN, minor).content()['refund_amount'], text)

    def test_refund_of_everything(self):
        self.assertNotIn('refund_amount', Refund(SYSSN).content())
        self.assertEqual(Refund(SYSSN).content()['allow_modify_flag'], 0)

    def test_options_left_out_are_not_sent(self):
        content = Payment(100, 'wx', 'A', move_to_back=False).content()
        self.assertEqual(set(content), {'amt', 'channel', 'func_type', 'out_trade_no'})
        self.assertNotIn(None, content.values())

    def test_every_option(self):
        content = Payment(
            1010, 'alipay', 'POS-1-0001', timeout=90, camera_id=1, scan_type='SCAN_PAY'
        ).content()
        self.assertEqual(
            canonical(content),
            "{amt=10.1,camera_id=1,channel='alipay',func_type=1001,moveToBack=1,"
            "out_trade_no='POS-1-0001',payment_timeout=90,scan_type='SCAN_PAY'}",
        )

    def test_cards_get_the_same_time_twice(self):
        for name, channel in CHANNELS.items():
            content = Payment(100, name, 'A', timeout=90).content()
            self.assertEqual(content['payment_timeout'], 90)
            self.assertEqual(content.get('wait_card_timeout'), 90 if channel.card else None)

    def test_payme_is_held_to_its_own_time(self):
        for given_time, sent in [(1, 1), (120, 120), (121, 120), (600, 120)]:
            payment = Payment(100, 'payme', 'A', timeout=given_time)
            self.assertEqual(payment.content()['payment_timeout'], sent)
            self.assertEqual(payment.patience, 150)
        self.assertNotIn('payment_timeout', Payment(100, 'payme', 'A').content())
        self.assertEqual(Payment(100, 'wx', 'A', timeout=600).content()['payment_timeout'], 600)

    def test_patience_outlasts_the_customer(self):
        self.assertEqual(Payment(100, 'wx', 'A').patience, 150)
        self.assertEqual(Payment(100, 'wx', 'A', timeout=30).patience, 150)
        self.assertEqual(Payment(100, 'wx', 'A', timeout=600).patience, 630)
        self.assertEqual(Refund(SYSSN).patience, 150)
        self.assertEqual(Inquiry(reference='A').patience, 15)

    def test_inquiry_by_either_number(self):
        self.assertEqual(
            canonical(Inquiry(reference='A-1').content()), "{func_type=4001,out_trade_no='A-1'}"
        )
        self.assertEqual(
            canonical(Inquiry(syssn=SYSSN, reference='A-1').content()),
            f"{{func_type=4001,orderId='{SYSSN}',out_trade_no='A-1'}}",
        )

    def test_channels(self):
        self.assertEqual(len(CHANNELS), 9)
        self.assertEqual(
            {name for name, it in CHANNELS.items() if not it.refundable}, {'fps', 'octopus'}
        )
        self.assertEqual(
            {name for name, it in CHANNELS.items() if it.card},
            {'card_payment', 'unionpay_card', 'amex_card'},
        )

    # ------------------------------------------------------------------
    # What cannot be said
    # ------------------------------------------------------------------

    def test_amounts_that_are_none(self):
        for amount in (0, -1, 2**31, 10**30, True, 10.1, 1.0, '100', Decimal('1'), None):
            with self.subTest(amount):
                self.assertInvalid('amount', Payment, amount, 'wx', 'A')
                if amount is not None:
                    self.assertInvalid('amount', Refund, SYSSN, amount)

    def test_references_that_would_break_the_message(self):
        for text in [*HARMFUL, '', 'x' * 129, None, 5, b'A']:
            with self.subTest(text):
                self.assertInvalid('reference', Payment, 100, 'wx', text)
                self.assertInvalid('syssn', PrintReceipt, text)
                self.assertInvalid('syssn', Refund, text)
                if text is not None:
                    self.assertInvalid('reference', Inquiry, reference=text)
                    self.assertInvalid('syssn', Inquiry, syssn=text)

    def test_longest_reference(self):
        Payment(100, 'wx', 'x' * 128)

    def test_channels_that_are_none(self):
        for channel in ('', 'visa', 'WX', None, True, ['wx'], "wx'"):
            with self.subTest(channel):
                self.assertInvalid('channel', Payment, 100, channel, 'A')

    def test_timeouts_that_are_none(self):
        for timeout in (0, -1, 3601, True, 1.5, '60'):
            with self.subTest(timeout):
                self.assertInvalid('timeout', Payment, 100, 'wx', 'A', timeout=timeout)

    def test_cameras_that_are_none(self):
        for camera in (-1, 2, True, False, '0', 0.0):
            with self.subTest(camera):
                self.assertInvalid('camera_id', Payment, 100, 'wx', 'A', camera_id=camera)

    def test_ways_of_scanning_that_are_none(self):
        for channel, scan_type in [
            ('wx', 'SCAN'),
            ('wx', ''),
            ('wx', ['SCAN_PAY']),
            ('card_payment', 'SCAN_PAY'),
            ('octopus', 'QRCODE_PAY'),
            ('fps', 'SCAN_PAY'),
        ]:
            with self.subTest(channel, scan_type=scan_type):
                self.assertInvalid('scan_type', Payment, 100, channel, 'A', scan_type=scan_type)
        Payment(100, 'fps', 'A', scan_type='QRCODE_PAY')

    def test_inquiry_about_nothing(self):
        self.assertInvalid('', Inquiry)

    def test_commands_do_not_change(self):
        with self.assertRaises(FrozenInstanceError):
            Payment(100, 'wx', 'A').amount_minor = 200

    def test_contents_that_the_form_cannot_carry(self):
        for text in HARMFUL:
            with self.subTest(text):
                self.assertInvalid('', canonical, {'name': text})
                self.assertInvalid('', canonical, {text: 'value'})
        for value in (True, 1.5, Decimal('NaN'), Decimal('Infinity'), [], {}, b'A'):
            with self.subTest(value):
                self.assertInvalid('', canonical, {'name': value})
        self.assertInvalid('', canonical, {'': 'A'})

    def test_canonical_sorts_by_code_point(self):
        content = {'out_trade_no': 'A', 'orderId': 'B', 'moveToBack': 1, 'Z': None, 'a': 2}
        self.assertEqual(canonical(content), "{Z='',a=2,moveToBack=1,orderId='B',out_trade_no='A'}")

    # ------------------------------------------------------------------
    # Whatever it is
    # ------------------------------------------------------------------

    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    @given(
        content=st.dictionaries(
            st.text(SAFE, min_size=1, max_size=12),
            st.one_of(
                st.none(),
                st.integers(-(10**12), 10**12),
                st.decimals(allow_nan=False, allow_infinity=False, places=2, max_value=10**9),
                st.text(SAFE, max_size=20),
            ),
            max_size=8,
        )
    )
    def test_a_terminal_can_read_what_is_sent(self, content):
        """The relaxed reader stands for the terminal's: it gets back every pair, and the digest."""
        key = PosKey(KEY32)
        received = read(key.decrypt(json.loads(body(content, key))))
        expected = {}
        for name, value in content.items():
            text = '' if value is None else value
            expected[name] = (
                format(text.normalize(), 'f') if isinstance(text, Decimal) else str(text)
            )
        self.assertEqual(received['content'], expected)
        self.assertEqual(received['digest'], key.digest(canonical(content)))

    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    @given(minor=st.integers(1, 2**31 - 1))
    def test_no_cent_is_lost(self, minor):
        payment, refund = Payment(minor, 'wx', 'A').content(), Refund(SYSSN, minor).content()
        sent = read(canonical(payment))['amt']
        self.assertEqual(Decimal(sent) * 100, minor)
        self.assertNotIn('E', sent)
        self.assertEqual(Decimal(refund['refund_amount']) * 100, minor)

    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    @given(reference=st.text(max_size=140))
    def test_any_reference_is_carried_whole_or_refused(self, reference):
        try:
            payment = Payment(100, 'wx', reference)
        except InvalidRequest:
            return
        self.assertEqual(read(canonical(payment.content()))['out_trade_no'], reference)
