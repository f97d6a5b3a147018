import json
from unittest import TestCase

from pos_payment_qfpay.qfpay.ecr.cipher import PosKey
from pos_payment_qfpay.qfpay.ecr.exchange import MARGIN, in_words, outcome, request
from pos_payment_qfpay.qfpay.ecr.lenient import read
from pos_payment_qfpay.qfpay.ecr.link_http import HttpLink
from pos_payment_qfpay.qfpay.ecr.message import (
    CancelRequest,
    Inquiry,
    Payment,
    PrintReceipt,
    PrintSummary,
    Refund,
    body,
)
from pos_payment_qfpay.qfpay.errors import AnswerLost
from pos_payment_qfpay.qfpay.outcome import Verdict
from pos_payment_qfpay.tests_pure.qfpay.bad_server import serving
from pos_payment_qfpay.tests_pure.qfpay.ecr.vectors import KEY16, KEY32, SYSSN

KEY = PosKey(KEY32)
REFERENCE = '5f0e4b5e-0001-1'
PAYMENT = Payment(1010, 'card_payment', REFERENCE, timeout=60)
REFUND = Refund(SYSSN, 505)
COMMANDS = (
    PAYMENT,
    REFUND,
    PrintReceipt(SYSSN),
    PrintSummary(),
    Inquiry(reference=REFERENCE),
    CancelRequest(),
)
PAID = {
    'respcd': '0000',
    'syssn': SYSSN,
    'out_trade_no': REFERENCE,
    'txamt': '1010',
    'txcurrcd': '344',
}
REFUNDED = {'respcd': '0000', 'syssn': '2', 'orig_syssn': SYSSN, 'txamt': '505'}
ROW = {'respcd': '0000', 'syssn': SYSSN, 'tradetp': 'payment', 'cancel': '0', 'txamt': '1010'}
NOT_THERE = "order doesn't exist"


def answer(respcd='6000', data=None, says=''):
    return json.dumps({'respcd': respcd, 'resperr': says, 'data': data}).encode()


def sealed(raw, key=KEY):
    return key.encrypt(raw.decode()).encode()


class TestEcrExchange(TestCase):
    # ------------------------------------------------------------------
    # What is sent
    # ------------------------------------------------------------------

    def test_every_command_reaches_its_door(self):
        doors = []
        for command in COMMANDS:
            sent = request(command, KEY)
            self.assertEqual(sent.body, body(command.content(), KEY))
            doors.append((sent.path, read(KEY.decrypt(json.loads(sent.body)))['content']))
        self.assertEqual(
            [(path, content['func_type']) for path, content in doors],
            [
                ('/api/pos/trade', '1001'),
                ('/api/pos/cancel', '1002'),
                ('/api/pos/print_receipt', '3001'),
                ('/api/pos/transaction_info', '3002'),
                ('/api/pos/query_transaction', '4001'),
                ('/api/pos/cancel_request', '5001'),
            ],
        )

    def test_it_is_sealed_under_the_key_of_this_terminal(self):
        for key in (PosKey(KEY16), PosKey(KEY32)):
            self.assertEqual(request(PAYMENT, key).body, body(PAYMENT.content(), key))
        self.assertNotEqual(request(PAYMENT, PosKey(KEY16)).body, request(PAYMENT, KEY).body)

    def test_waiting_is_as_long_as_the_customer_may_take(self):
        for command, seconds in (
            (PAYMENT, 150),
            (Payment(1010, 'wx', REFERENCE, timeout=300), 330),
            (REFUND, 150),
            (Inquiry(reference=REFERENCE), 15),
            (CancelRequest(), 15),
        ):
            with self.subTest(command):
                self.assertEqual(request(command, KEY).patience, seconds)

    def test_to_connect_and_to_receive_takes_ten_seconds_more(self):
        self.assertEqual(MARGIN, 10.0)

    def test_a_command_in_words_tells_support_what_was_asked(self):
        self.assertEqual(in_words(Inquiry(syssn='12345678')), "{func_type=4001,orderId='12345678'}")
        for command in COMMANDS:
            with self.subTest(command):
                self.assertIn(f'func_type={command.FUNC_TYPE}', in_words(command))
                self.assertNotIn(KEY32, in_words(command))

    # ------------------------------------------------------------------
    # Payments
    # ------------------------------------------------------------------

    def test_paid(self):
        found = outcome(PAYMENT, answer(data=PAID), KEY)
        self.assertEqual(found.verdict, Verdict.DONE)
        self.assertEqual((found.syssn, found.reference), (SYSSN, REFERENCE))
        self.assertEqual((found.amount_minor, found.currency), (1010, 'HKD'))
        self.assertEqual(found.trade_type, 'payment')

    def test_what_is_not_named_stays_absent(self):
        """Whether "done" that does not say what was done proves anything, the ledger decides."""
        for name, fact in (
            ('syssn', 'syssn'),
            ('out_trade_no', 'reference'),
            ('txamt', 'amount_minor'),
        ):
            with self.subTest(name):
                data = {key: value for key, value in PAID.items() if key != name}
                found = outcome(PAYMENT, answer(data=data), KEY)
                self.assertEqual(found.verdict, Verdict.DONE)
                self.assertIsNone(getattr(found, fact))

    def test_whether_it_was_sealed_and_strict_is_told(self):
        row = dict(ROW, out_trade_no=REFERENCE)
        for command, data in (
            (PAYMENT, PAID),
            (REFUND, REFUNDED),
            (Inquiry(reference=REFERENCE), row),
            (PrintSummary(), None),
        ):
            clear = answer(data=data)
            relaxed = clear.replace(b'"respcd": "6000"', b"respcd='6000'")
            self.assertNotEqual(clear, relaxed)
            for raw, expected in (
                (clear, (False, True)),
                (sealed(clear), (True, True)),
                (relaxed, (False, False)),
                (sealed(relaxed), (True, False)),
            ):
                with self.subTest(command, raw=raw):
                    found = outcome(command, raw, KEY)
                    self.assertEqual((found.signed, found.strict), expected)
                    self.assertEqual(found.verdict, Verdict.DONE)

    def test_paid_but_for_something_else(self):
        for change in (
            {'out_trade_no': 'another-1'},
            {'out_trade_no': REFERENCE + '1'},
            {'txamt': '1011'},
            {'txamt': 10},
            {'txamt': '101'},
            {'txamt': 0},
            {'txamt': '-1010'},
        ):
            with self.subTest(change):
                found = outcome(PAYMENT, answer(data=dict(PAID, **change)), KEY)
                self.assertEqual(found.verdict, Verdict.UNKNOWN)
                self.assertEqual(found.syssn, SYSSN)
                self.assertEqual((found.code, found.inner_code), ('6000', '0000'))
                said = {'out_trade_no': found.reference, 'txamt': found.amount_minor}
                for name, value in change.items():
                    self.assertEqual(str(said[name]), str(value))

    def test_not_paid(self):
        for code, verdict in [
            ('6000', Verdict.UNKNOWN),
            ('6001', Verdict.CANCELLED),
            ('6002', Verdict.UNKNOWN),
            ('4003', Verdict.FAILED),
            ('4005', Verdict.UNKNOWN),
            ('4006', Verdict.FAILED),
            ('4007', Verdict.FAILED),
            ('5001', Verdict.FAILED),
            ('7777', Verdict.UNKNOWN),
        ]:
            with self.subTest(code):
                self.assertEqual(outcome(PAYMENT, answer(code), KEY).verdict, verdict)

    def test_refused_about_something_else(self):
        """A refusal that names another payment says nothing about this one."""
        for data in ({'out_trade_no': 'another-1'}, {'txamt': '1011'}):
            raw = answer('6001', data)
            self.assertEqual(outcome(PAYMENT, raw, KEY).verdict, Verdict.UNKNOWN)

    def test_what_cannot_be_read_is_a_lost_answer(self):
        for command in COMMANDS:
            for raw in (b'<html>', b'', sealed(answer(), PosKey(KEY16))):
                with self.subTest(command, raw=raw), self.assertRaises(AnswerLost) as caught:
                    outcome(command, raw, KEY)
                self.assertEqual(caught.exception.reason, 'unreadable')

    # ------------------------------------------------------------------
    # Refunds
    # ------------------------------------------------------------------

    def test_refunded(self):
        found = outcome(REFUND, answer(data=REFUNDED), KEY)
        self.assertEqual(found.verdict, Verdict.DONE)
        self.assertEqual((found.syssn, found.orig_syssn), ('2', SYSSN))
        self.assertEqual(found.trade_type, 'refund')
        found = outcome(Refund(SYSSN), answer(data=REFUNDED), KEY)
        self.assertEqual((found.verdict, found.amount_minor), (Verdict.DONE, 505))
        for name in ('orig_syssn', 'txamt'):
            data = {key: value for key, value in REFUNDED.items() if key != name}
            self.assertEqual(outcome(REFUND, answer(data=data), KEY).verdict, Verdict.DONE)

    def test_refunded_but_something_else(self):
        for change in ({'orig_syssn': '1'}, {'txamt': '504'}, {'txamt': '5.06'}):
            with self.subTest(change):
                found = outcome(REFUND, answer(data=dict(REFUNDED, **change)), KEY)
                self.assertEqual(found.verdict, Verdict.UNKNOWN)
                self.assertEqual(found.syssn, '2')

    def test_not_refunded(self):
        for code, verdict in [
            ('6000', Verdict.UNKNOWN),
            ('6001', Verdict.CANCELLED),
            ('6002', Verdict.UNKNOWN),
            ('4003', Verdict.FAILED),
        ]:
            with self.subTest(code):
                self.assertEqual(outcome(REFUND, answer(code), KEY).verdict, verdict)

    # ------------------------------------------------------------------
    # Inquiries
    # ------------------------------------------------------------------

    def test_inquiries(self):
        by_reference, by_number = Inquiry(reference=REFERENCE), Inquiry(syssn=SYSSN)
        for inquiry in (by_reference, by_number, Inquiry(SYSSN, REFERENCE)):
            for raw, verdict in [
                (answer(data=ROW), Verdict.DONE),
                (answer(data=dict(ROW, out_trade_no=REFERENCE)), Verdict.DONE),
                (answer(data=dict(ROW, cancel=5)), Verdict.DONE),
                (answer(data=dict(ROW, cancel=3)), Verdict.CANCELLED),
                (answer(data=dict(ROW, respcd='1145')), Verdict.PENDING),
                (answer(data=dict(ROW, respcd='1263')), Verdict.CANCELLED),
                (answer(data=dict(ROW, respcd='1205')), Verdict.FAILED),
                (answer('6002', says=NOT_THERE), Verdict.NOT_FOUND),
                (answer('6002'), Verdict.UNKNOWN),
                (answer('6001'), Verdict.UNKNOWN),
                (answer('4007'), Verdict.UNKNOWN),
                (answer(), Verdict.UNKNOWN),
            ]:
                with self.subTest(inquiry, raw=raw):
                    self.assertEqual(outcome(inquiry, raw, KEY).verdict, verdict)

    def test_inquiries_answered_with_something_else(self):
        both = Inquiry(SYSSN, REFERENCE)
        for inquiry, change in [
            (Inquiry(reference=REFERENCE), {'out_trade_no': 'another-1'}),
            (Inquiry(reference=REFERENCE), {'tradetp': 'refund'}),
            (Inquiry(syssn=SYSSN), {'syssn': '1'}),
            (both, {'syssn': '1', 'out_trade_no': REFERENCE}),
            (both, {'out_trade_no': 'another-1'}),
            (both, {'tradetp': 'refund'}),
        ]:
            for respcd in ('0000', '1145', '1205', '1263'):
                with self.subTest(inquiry, change=change, respcd=respcd):
                    raw = answer(data=dict(ROW, respcd=respcd, **change))
                    found = outcome(inquiry, raw, KEY)
                    self.assertEqual(found.verdict, Verdict.UNKNOWN)
                    self.assertEqual(found.inner_code, respcd)

    def test_an_inquiry_by_one_number_asks_for_no_other(self):
        """A block that names what nobody asked about is for the ledger to hold against its row."""
        raw = answer(data=dict(ROW, syssn='1'))
        self.assertEqual(outcome(Inquiry(reference=REFERENCE), raw, KEY).verdict, Verdict.DONE)
        raw = answer(data=dict(ROW, out_trade_no='another-1'))
        self.assertEqual(outcome(Inquiry(syssn=SYSSN), raw, KEY).verdict, Verdict.DONE)

    def test_a_refund_by_its_number(self):
        raw = answer(data=dict(ROW, syssn='2', tradetp='refund', origssn=SYSSN))
        found = outcome(Inquiry(syssn='2'), raw, KEY)
        self.assertEqual((found.verdict, found.trade_type), (Verdict.DONE, 'refund'))

    # ------------------------------------------------------------------
    # Commands that move no money
    # ------------------------------------------------------------------

    def test_the_reply_to_a_wish_is_about_the_wish(self):
        """Also with a paid block in it, which would be somebody's payment."""
        for command in (CancelRequest(), PrintSummary(), PrintReceipt(SYSSN)):
            for code, verdict in (
                ('6000', Verdict.DONE),
                ('6001', Verdict.CANCELLED),
                ('6002', Verdict.FAILED),
                ('4005', Verdict.UNKNOWN),
            ):
                for data in (None, PAID):
                    with self.subTest(command, code=code, data=data):
                        found = outcome(command, answer(code, data), KEY)
                        self.assertEqual(found.verdict, verdict)
                        self.assertIsNone(found.trade_type)

    # ------------------------------------------------------------------
    # Over the wire
    # ------------------------------------------------------------------

    def over_http(self, command, key, server):
        sent = request(command, key)
        link = HttpLink('127.0.0.1', server.port)
        raw = link.exchange(sent.path, sent.body, sent.patience, sent.patience)
        return outcome(command, raw, key)

    def test_over_http(self):
        for key_text in (KEY16, KEY32):
            key = PosKey(key_text)

            def behaviour(it, key=key):
                _head, _, sent = it.read_request().partition(b'\r\n\r\n')
                content = read(key.decrypt(json.loads(sent)))['content']
                data = dict(PAID, out_trade_no=content['out_trade_no'], txamt=content['amt'] + '0')
                said = key.encrypt(json.dumps({'respcd': '6000', 'data': json.dumps(data)}))
                it.answer(json.dumps(said).encode())

            with serving(behaviour) as server:
                found = self.over_http(PAYMENT, key, server)
            self.assertEqual(found.verdict, Verdict.DONE)
            self.assertEqual((found.reference, found.amount_minor), (REFERENCE, 1010))
            self.assertTrue(found.signed and found.strict)

    def test_silent_after_the_charge(self):
        with serving(lambda it: it.read_request()) as server:
            with self.assertRaises(AnswerLost):
                self.over_http(PAYMENT, KEY, server)
            self.assertEqual(len(server.conversations), 1)
