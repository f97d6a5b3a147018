import base64
import json
from dataclasses import replace
from datetime import datetime
from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from pos_payment_qfpay.qfpay.ecr.answer import (
    read_command,
    read_inquiry,
    read_payment,
    read_refund,
)
from pos_payment_qfpay.qfpay.ecr.cipher import PosKey
from pos_payment_qfpay.qfpay.ecr.codes import HOST_CODES, RESPONSE_CODES
from pos_payment_qfpay.qfpay.errors import AnswerLost
from pos_payment_qfpay.qfpay.outcome import Outcome, Verdict
from pos_payment_qfpay.qfpay.times import HONG_KONG
from pos_payment_qfpay.tests_pure.qfpay.ecr.vectors import (
    ANSWER_PLAIN,
    ANSWER_SEALED,
    KEY16,
    KEY32,
    SYSSN,
)

KEY = PosKey(KEY32)
READERS = (read_payment, read_refund, read_inquiry, read_command)
PAID = {
    'respcd': '0000',
    'resmsg': 'paid',
    'syssn': SYSSN,
    'out_trade_no': 'POS-1-0001',
    'txamt': '1010',
    'txcurrcd': 'HKD',
    'busicd': '802808',
}
ROW = dict(PAID, tradetp='payment', cancel=0, allow_refund_amt=1010)


def answer(respcd='6000', data=None, **fields):
    """The bytes of a plain answer."""
    fields = {'respcd': respcd, 'respmsg': '', 'resperr': '', **fields}
    if data is not None:
        fields['data'] = data
    return json.dumps(fields).encode()


def in_lines(text):
    return ''.join(text[i : i + 76] + '\n' for i in range(0, len(text), 76))


#: the state of a transaction by the host's code (B15)
HOST_VERDICTS = {
    'done': '0000',
    'pending': '1143 1145 1161 1261 2999',
    'cancelled': '1142 1263 1264',
    'not_found': '1136 1268',
    # trouble on the way, or a word about another request than this one
    'unknown': """
        1100 1101 1102 1111 1112 1131 1146 1147 1170 1252 1254 1260 1262
        1295 1296 1297 1298 2009 2010 2011
    """,
    # refused, by whomever
    'failed': """
        1103 1104 1105 1106 1107 1108 1109 1113 1114 1115 1116 1117 1118 1119
        1120 1121 1122 1123 1124 1125 1126 1130 1144 1150 1155 1181
        1201 1202 1203 1204 1205 1212 1241 1242 1243 1250 1251 1265 1266 1267 1269
        1270 1271 1272 1294 2003 2004 2005 2006 2007 2008 2012
    """,
}


class TestEcrAnswer(TestCase):
    # ------------------------------------------------------------------
    # Shapes
    # ------------------------------------------------------------------

    def test_every_shape_says_the_same(self):
        as_object = json.dumps(dict(json.loads(ANSWER_PLAIN), data=PAID))
        relaxed = (
            "{respcd='6000', respmsg:'success', resperr='';data={respcd=0000,resmsg=paid,"
            f'syssn={SYSSN},out_trade_no:\'POS-1-0001\',txamt=1010,txcurrcd="HKD",busicd=802808}}}}'
        )
        shapes = {
            'object, data as object': as_object,
            'object, data as text': json.dumps({'respcd': '6000', 'data': json.dumps(PAID)}),
            'object, data as text twice': json.dumps(
                {'respcd': '6000', 'data': json.dumps(json.dumps(PAID))}
            ),
            'object, data encrypted': json.dumps(
                {'respcd': '6000', 'data': KEY.encrypt(json.dumps(PAID))}
            ),
            'text that holds an object': json.dumps(as_object),
            'text that holds Base64': json.dumps(KEY.encrypt(as_object)),
            'text that holds Base64 in lines': json.dumps(in_lines(KEY.encrypt(as_object))),
            'bare Base64': KEY.encrypt(as_object),
            'bare Base64 in lines': in_lines(KEY.encrypt(as_object)),
            'bare Base64, lines end as on Windows': in_lines(KEY.encrypt(as_object)).replace(
                '\n', '\r\n'
            ),
            'encrypted text that holds an object': KEY.encrypt(json.dumps(as_object)),
            'relaxed': relaxed,
            'relaxed and encrypted': KEY.encrypt(relaxed),
            'numbers as numbers': json.dumps(
                {'respcd': 6000, 'data': dict(PAID, respcd=0, txamt=1010, busicd=802808)}
            ),
            'byte order mark and blanks': f'\ufeff \r\n{as_object}\r\n ',
        }
        for shape, text in shapes.items():
            with self.subTest(shape):
                outcome = read_payment(text.encode(), KEY)
                self.assertEqual(outcome.verdict, Verdict.DONE)
                self.assertEqual(outcome.code, '6000')
                self.assertEqual(outcome.inner_code, '0000')
                self.assertEqual(outcome.syssn, SYSSN)
                self.assertEqual(outcome.reference, 'POS-1-0001')
                self.assertEqual(outcome.amount_minor, 1010)
                self.assertEqual(outcome.currency, 'HKD')
                self.assertEqual(outcome.pay_type, '802808')
                self.assertEqual(outcome.strict, not shape.startswith('relaxed'))

    def test_the_published_form(self):
        expected = Outcome(
            verdict=Verdict.DONE,
            code='6000',
            inner_code='0000',
            message='success',
            reference='POS-1-0001',
            syssn=SYSSN,
            pay_type='800208',
            wallet='WeChat Pay',
            amount_minor=1010,
            currency='HKD',
            trade_type='payment',
            signed=True,
            strict=True,
        )
        self.assertEqual(read_payment(ANSWER_SEALED.encode(), KEY), expected)
        clear = read_payment(ANSWER_PLAIN.encode(), KEY)
        self.assertEqual(clear, replace(expected, signed=False))

    def test_what_is_no_answer(self):
        garbage = {
            'nothing': b'',
            'blanks': b' \r\n ',
            'page': b'<html><body>404 Not Found</body></html>',
            'bytes': bytes(range(256)),
            'number': b'6000',
            'list': b'[{"respcd":"6000"}]',
            'null': b'null',
            'cut off': ANSWER_PLAIN.encode()[:-5],
            'cut off Base64': ANSWER_SEALED.encode()[:-5],
            'cut off at a block': base64.b64encode(base64.b64decode(ANSWER_SEALED)[:-16]),
            'other key': PosKey(KEY16).encrypt(ANSWER_PLAIN).encode(),
            'no code': b'{"respmsg":"hello"}',
            'empty code': b'{"respcd":""}',
            'null code': b'{"respcd":null}',
            'code of another type': b'{"respcd":["6000"]}',
            'empty object': b'{}',
            'text in text in text': json.dumps(json.dumps(json.dumps(json.dumps('{}')))).encode(),
            'deep': b'{"respcd":' + b'[' * 500_000,
            'deep and closed': b'{"a":' * 5000 + b'1' + b'}' * 5000,
            'open text': b'{"respcd":"6000',
            'relaxed, not closed': b"{respcd='6000',",
            'relaxed and deep': b'{respcd=' + b'[' * 50_000,
            'relaxed and long': b"{respcd='6000'" + b',a=b' * 20_000 + b'}',
        }
        for what, raw in garbage.items():
            for reader in READERS:
                with self.subTest(what, reader=reader.__name__):
                    with self.assertRaises(AnswerLost) as caught:
                        reader(raw, KEY)
                    self.assertEqual(caught.exception.reason, 'unreadable')

    def test_errors_quote_neither_key_nor_answer(self):
        for raw in (ANSWER_SEALED[:-5].encode(), b'{"secret": 4111}'):
            with self.assertRaises(AnswerLost) as caught:
                read_payment(raw, KEY)
            self.assertNotIn('4111', caught.exception.message)
            self.assertNotIn(ANSWER_SEALED[:20], caught.exception.message)

    def test_a_broken_letter_does_not_hide_the_numbers(self):
        raw = answer('6002', respmsg='QUIET').replace(b'QUIET', b'\xb8\xb6\xbf\xee')
        self.assertEqual(read_payment(raw, KEY).code, '6002')

    # ------------------------------------------------------------------
    # What the codes say about the money
    # ------------------------------------------------------------------

    def test_a_payment_is_done_only_with_both_codes(self):
        self.assertEqual(read_payment(answer(data=PAID), KEY).verdict, Verdict.DONE)
        for data in (
            None,
            '',
            {},
            [],
            [PAID],
            'no data',
            'null',
            '{}',
            {'syssn': SYSSN},
            dict(PAID, respcd=''),
            dict(PAID, respcd=None),
            dict(PAID, respcd=True),
            dict(PAID, respcd='1143'),
            dict(PAID, respcd='1145'),
            dict(PAID, respcd='1201'),
            dict(PAID, respcd='00'),
            dict(PAID, respcd='0000 '),
        ):
            for reader in (read_payment, read_refund):
                with self.subTest(str(data), reader=reader.__name__):
                    verdict = reader(answer(data=data), KEY).verdict
                    inner = data.get('respcd') if isinstance(data, dict) else None
                    expected = {
                        # 0000 in another coat
                        '00': Verdict.DONE,
                        '0000 ': Verdict.DONE,
                        '1143': Verdict.PENDING,
                        '1145': Verdict.PENDING,
                    }
                    self.assertEqual(verdict, expected.get(inner, Verdict.UNKNOWN))

    def test_terminal_codes(self):
        done, failed, cancelled = Verdict.DONE, Verdict.FAILED, Verdict.CANCELLED
        unknown = Verdict.UNKNOWN
        table = {
            '6000': (unknown, unknown, done),
            '6001': (cancelled, unknown, cancelled),
            '6002': (unknown, unknown, failed),
            '4003': (failed, unknown, failed),
            '4004': (failed, unknown, failed),
            '4005': (unknown, unknown, unknown),
            '4006': (failed, unknown, failed),
            '4007': (failed, unknown, failed),
            '5001': (failed, unknown, failed),
            '9999': (unknown, unknown, unknown),
            '0000': (unknown, unknown, unknown),
            'what': (unknown, unknown, unknown),
        }
        self.assertEqual(set(RESPONSE_CODES), set(table) - {'9999', '0000', 'what'})
        for code, (charge, inquiry, command) in table.items():
            with self.subTest(code):
                raw = answer(code, resperr='why')
                self.assertEqual(read_payment(raw, KEY).verdict, charge)
                self.assertEqual(read_refund(raw, KEY).verdict, charge)
                self.assertEqual(read_inquiry(raw, KEY).verdict, inquiry)
                self.assertEqual(read_command(raw, KEY).verdict, command)
                self.assertEqual(read_payment(raw, KEY).code, code)
                self.assertEqual(read_payment(raw, KEY).message, 'why')

    def test_codes_against_each_other(self):
        """Cancelled or refused on the outside, paid on the inside: only an inquiry can tell."""
        for code in RESPONSE_CODES:
            if code != '6000':
                with self.subTest(code):
                    raw = answer(code, data=PAID)
                    self.assertEqual(read_payment(raw, KEY).verdict, Verdict.UNKNOWN)
                    self.assertEqual(read_refund(raw, KEY).verdict, Verdict.UNKNOWN)
                    self.assertEqual(read_inquiry(raw, KEY).verdict, Verdict.UNKNOWN)

    def test_cancelled_with_an_open_row(self):
        raw = answer('6001', data=dict(PAID, respcd='1143'))
        self.assertEqual(read_payment(raw, KEY).verdict, Verdict.CANCELLED)

    def test_inquiries(self):
        done, failed, cancelled = Verdict.DONE, Verdict.FAILED, Verdict.CANCELLED
        pending, unknown, not_found = Verdict.PENDING, Verdict.UNKNOWN, Verdict.NOT_FOUND
        rows = [
            (done, {}),
            (done, {'cancel': '0'}),
            (done, {'cancel': None}),
            (cancelled, {'cancel': 3, 'allow_refund_amt': 0}),
            (cancelled, {'cancel': 1, 'allow_refund_amt': 0}),
            (done, {'cancel': 5, 'allow_refund_amt': '505'}),
            (cancelled, {'cancel': 2}),
            (cancelled, {'cancel': '2', 'respcd': '1143'}),
            (unknown, {'cancel': 9}),
            (unknown, {'cancel': 'yes'}),
            (unknown, {'respcd': ''}),
            (pending, {'respcd': '1143'}),
            (pending, {'respcd': '1145'}),
            (pending, {'respcd': 1145}),
            (cancelled, {'respcd': '1142'}),
            (cancelled, {'respcd': '1263'}),
            (cancelled, {'respcd': '1264'}),
            (failed, {'respcd': '1181'}),
            (failed, {'respcd': '1205'}),
            (failed, {'respcd': '1201'}),
            (unknown, {'respcd': '51'}),
            (not_found, {'respcd': '1136'}),
            (unknown, {'respcd': '1254'}),
            (unknown, {'respcd': '1297'}),
        ]
        for verdict, change in rows:
            with self.subTest(change):
                self.assertEqual(
                    read_inquiry(answer(data=dict(ROW, **change)), KEY).verdict, verdict
                )

    def test_what_the_host_says_of_a_recorded_transaction(self):
        for verdict, codes in HOST_VERDICTS.items():
            for code in codes.split():
                with self.subTest(code):
                    outcome = read_inquiry(answer(data=dict(ROW, respcd=code)), KEY)
                    self.assertEqual(outcome.verdict, verdict)
        listed = ' '.join(HOST_VERDICTS.values()).split()
        self.assertEqual(set(listed), set(HOST_CODES))
        self.assertEqual(len(listed), len(HOST_CODES))

    def test_a_code_that_nobody_listed_ends_nothing(self):
        """The network may have swallowed the end of the story, and the customer has paid."""
        for code in ('0001', '1099', '1273', '2002', '2013', '3000', '51', '9999', '12345', 'E1'):
            with self.subTest(code):
                self.assertNotIn(code, HOST_CODES)
                outcome = read_inquiry(answer(data=dict(ROW, respcd=code)), KEY)
                said = code.zfill(4) if code.isdigit() else code
                self.assertEqual((outcome.verdict, outcome.inner_code), ('unknown', said))

    def test_what_became_of_a_payment(self):
        outcome = read_inquiry(answer(data=dict(ROW, cancel='5', allow_refund_amt='505')), KEY)
        self.assertEqual((outcome.cancel, outcome.refundable_minor), (5, 505))
        self.assertEqual(outcome.trade_type, 'payment')
        row = dict(ROW, tradetp='refund', origssn='1', allow_refund_amt='')
        outcome = read_inquiry(answer(data=row), KEY)
        self.assertEqual((outcome.trade_type, outcome.orig_syssn), ('refund', '1'))
        self.assertIsNone(outcome.refundable_minor)

    def test_not_found_only_where_the_terminal_says_so(self):
        """Whatever else it says, it may not have reached its host, where the charge is."""
        for words in (
            '',
            'Network error',
            'Request timed out',
            'Unable to resolve host "openapi-hk.qfapi.com": No address associated with hostname',
            'Host not found',
            'HTTP 502 Bad Gateway',
            'HTTP 404 Not Found',
            'unexpected end of stream',
            'Transaction failed',
            '網絡異常',
            '系统繁忙',
        ):
            for name in ('resperr', 'respmsg'):
                with self.subTest(words):
                    outcome = read_inquiry(answer('6002', **{name: words}), KEY)
                    self.assertEqual(outcome.verdict, Verdict.UNKNOWN)
        for words in (
            "order doesn't exist",
            'Order does not exist!',
            'The transaction was not found',
            'No such transaction',
            '订单不存在',
            '交易記錄不存在',
            '找不到該筆交易',
        ):
            with self.subTest(words):
                outcome = read_inquiry(answer('6002', resperr=words), KEY)
                self.assertEqual(outcome.verdict, Verdict.NOT_FOUND)
        said = answer('6002', resperr="order doesn't exist", data=dict(ROW, respcd='1254'))
        self.assertEqual(read_inquiry(said, KEY).verdict, Verdict.UNKNOWN)

    def test_still_at_work_behind_an_error(self):
        """The customer or the bank has to act yet: nobody may call that the end."""
        for code in ('6000', '6002', '4005', '9999'):
            for inner in ('1143', '1145'):
                raw = answer(code, data=dict(PAID, respcd=inner))
                self.assertEqual(read_payment(raw, KEY).verdict, Verdict.PENDING)
                self.assertEqual(read_refund(raw, KEY).verdict, Verdict.PENDING)

    def test_whether_it_was_encrypted(self):
        clear = json.dumps({'respcd': '6000', 'data': PAID})
        inside = json.dumps({'respcd': '6000', 'data': KEY.encrypt(json.dumps(PAID))})
        for raw, sealed in (
            (clear, False),
            (json.dumps(clear), False),
            (KEY.encrypt(clear), True),
            (json.dumps(KEY.encrypt(clear)), True),
            (inside, True),
        ):
            outcome = read_payment(raw.encode(), KEY)
            self.assertEqual((outcome.verdict, outcome.signed), (Verdict.DONE, sealed))

    def test_whether_all_of_it_is_strict_json(self):
        """What was read generously is kept as that: it may have been cut and pasted."""
        data = json.dumps(PAID)
        strict = json.dumps({'respcd': '6000', 'data': data})
        for loose in (
            strict.replace('"respcd"', 'respcd'),
            json.dumps({'respcd': '6000', 'data': data.replace('"txamt"', "'txamt'")}),
            json.dumps({'respcd': '6000', 'data': data.replace('{', '{"txamt": "1", ', 1)}),
            strict.replace('{', '{"respcd": "6002", ', 1),
            json.dumps({'respcd': '6000', 'data': KEY.encrypt(data.replace(':', '=', 1))}),
            strict.replace('paid', 'pa\ufffdd'),
            strict.replace('"6000"', 'NaN, "respcd": "6000"'),
        ):
            for raw in (loose.encode(), KEY.encrypt(loose).encode()):
                with self.subTest(raw):
                    outcome = read_payment(raw, KEY)
                    self.assertEqual((outcome.verdict, outcome.strict), ('done', False))
        for raw in (
            strict.encode(),
            json.dumps(strict).encode(),
            KEY.encrypt(strict).encode(),
            json.dumps({'respcd': '6000', 'data': KEY.encrypt(data)}).encode(),
        ):
            self.assertTrue(read_payment(raw, KEY).strict)
        # nothing but the terminal's code, and data that are none
        self.assertTrue(read_payment(answer('6002'), KEY).strict)
        self.assertFalse(read_payment(answer('6002', 'no data'), KEY).strict)
        # bytes that are no letters cannot be told from a wrong paste
        broken = strict.encode().replace(b'paid', b'pa\xffd')
        self.assertFalse(read_payment(broken, KEY).strict)

    def test_final(self):
        self.assertEqual(
            {verdict for verdict in Verdict if Outcome(verdict=verdict).final},
            {Verdict.DONE, Verdict.FAILED, Verdict.CANCELLED},
        )

    # ------------------------------------------------------------------
    # Facts
    # ------------------------------------------------------------------

    def test_amounts(self):
        for said, minor in [
            ('1010', 1010),
            (1010, 1010),
            ('0', 0),
            ('10.10', 1010),
            (10.1, 1010),
            ('10.0', 1000),
            ('10.100', 1010),
            ('-505', -505),
            ('10.105', None),
            ('10,10', None),
            ('1e3', None),
            ('HKD 10', None),
            ('', None),
            (None, None),
            (True, None),
            ([1010], None),
            ('9' * 5000, None),
            ('١٠', None),
        ]:
            with self.subTest(said):
                outcome = read_payment(answer(data=dict(PAID, txamt=said)), KEY)
                self.assertEqual(outcome.amount_minor, minor)

    def test_numbers_too_long_for_python(self):
        raw = b'{"respcd":"6000","data":{"respcd":"0000","txamt":' + b'9' * 6000 + b'}}'
        self.assertIsNone(read_payment(raw, KEY).amount_minor)

    def test_currencies(self):
        for said, code in [
            ('HKD', 'HKD'),
            ('344', 'HKD'),
            (344, 'HKD'),
            ('hkd', 'HKD'),
            ('', None),
        ]:
            with self.subTest(said):
                outcome = read_payment(answer(data=dict(PAID, txcurrcd=said)), KEY)
                self.assertEqual(outcome.currency, code)

    def test_cards(self):
        row = dict(ROW, cardscheme='ECMC', cardno='520000******1096', cardtype='credit')
        outcome = read_inquiry(answer(data=row), KEY)
        self.assertEqual(outcome.card_scheme, 'MASTERCARD')
        self.assertEqual(outcome.card_last4, '1096')
        self.assertEqual(outcome.card_type, 'CREDIT')
        self.assertEqual(outcome.wallet, '')
        for said in ('', None, '12', '1096 HK', '520000******'):
            outcome = read_inquiry(answer(data=dict(row, cardno=said)), KEY)
            self.assertEqual(outcome.card_last4, '')

    def test_wallets(self):
        for pay_type, wallet in [
            ('800101', 'Alipay'),
            ('800108', 'Alipay'),
            ('800201', 'WeChat Pay'),
            ('800208', 'WeChat Pay'),
            ('805801', 'PayMe'),
            ('805808', 'PayMe'),
            ('800701', 'UnionPay QuickPass'),
            ('800708', 'UnionPay QuickPass'),
            ('802001', 'FPS'),
            ('803708', 'Octopus'),
            ('802808', ''),
            ('999999', ''),
        ]:
            with self.subTest(pay_type):
                row = dict(ROW, busicd=pay_type, cardno='2088802362210279', cardtype='DEBIT')
                outcome = read_inquiry(answer(data=row), KEY)
                self.assertEqual(outcome.wallet, wallet)
                # the account of a wallet is no card
                self.assertEqual(bool(outcome.card_last4), not wallet)
                self.assertEqual(bool(outcome.card_type), not wallet)

    def test_times(self):
        data = dict(PAID, sysdtm='2026-01-15 14:03:23')
        self.assertEqual(read_payment(answer(data=data), KEY).paid_at, '2026-01-15 14:03:23')
        data['paydtm'] = '2026-01-15 14:03:40'
        self.assertEqual(read_payment(answer(data=data), KEY).paid_at, '2026-01-15 14:03:40')

    def test_when_the_trade_was_made_and_when_it_was_said(self):
        made = datetime(2026, 1, 15, 14, 3, 23, tzinfo=HONG_KONG)
        for data, expected in (
            ({'sysdtm': '2026-01-15 14:03:23'}, made),
            ({'sysdtm': '20260115140323', 'txdtm': '2026-01-15 09:00:00'}, made),
            ({'txdtm': '2026-01-15T14:03:23', 'paydtm': '2026-01-15 09:00:00'}, made),
            ({'sysdtm': '', 'paydtm': '2026-01-15 14:03:23'}, made),
            ({'sysdtm': 'today', 'txdtm': '2026-01-15 14:03:23'}, None),
            ({}, None),
        ):
            with self.subTest(data):
                self.assertEqual(
                    read_payment(answer(data=dict(PAID, **data)), KEY).traded_at, expected
                )
        outcome = read_inquiry(answer(data=dict(ROW, server_time='2026-01-15 14:03:23')), KEY)
        self.assertEqual((outcome.stated_at, outcome.traded_at), (made, None))

    def test_the_same_said_later_is_the_same(self):
        """So that nobody reads it twice; when it was said is no part of what was said."""
        first, second = (
            read_inquiry(answer(data=dict(ROW, server_time=f'2026-01-15 14:03:{second}')), KEY)
            for second in (23, 28)
        )
        self.assertEqual(first, second)
        self.assertNotEqual(first.stated_at, second.stated_at)
        self.assertNotEqual(first.heard, second.heard)

    def test_what_the_channel_prints_on_its_paper(self):
        outcome = read_inquiry(
            answer(data=dict(ROW, batchno='000012', refno='603511', traceno='000771')), KEY
        )
        self.assertEqual(outcome.batch, '000012')
        self.assertEqual(outcome.channel_reference, '603511')
        self.assertEqual(outcome.trace, '000771')
        outcome = read_payment(answer(data=dict(PAID, trace_no='000772')), KEY)
        self.assertEqual((outcome.batch, outcome.channel_reference), ('', ''))
        self.assertEqual(outcome.trace, '000772')

    def test_what_was_heard_is_kept_for_support(self):
        for raw in (
            answer(data=PAID),
            answer(data=json.dumps(PAID)),
            KEY.encrypt(answer(data=PAID).decode()).encode(),
            answer(data=KEY.encrypt(json.dumps(PAID))),
        ):
            with self.subTest(raw):
                heard = json.loads(read_payment(raw, KEY).heard)
                self.assertEqual(
                    heard, {'respcd': '6000', 'respmsg': '', 'resperr': '', 'data': PAID}
                )
        outcome = read_payment(answer('6002', resperr='交易失敗', nickname='陳大文'), KEY)
        self.assertIn('交易失敗', outcome.heard)
        # kept for support, and for nobody who only prints an outcome
        self.assertIn('陳大文', outcome.heard)
        self.assertNotIn('陳大文', repr(outcome))

    def test_what_cannot_be_read_is_kept_for_support(self):
        for raw, heard in ((b'<html>' + b'x' * 5000, '<html>'), (b'{"respmsg":"hello"}', 'hello')):
            with self.assertRaises(AnswerLost) as caught:
                read_payment(raw, KEY)
            self.assertIn(heard, caught.exception.heard)
            self.assertLessEqual(len(caught.exception.heard), 1000)

    def test_words(self):
        self.assertEqual(read_payment(answer(respmsg='success'), KEY).message, 'success')
        self.assertEqual(read_payment(answer('6002', resperr='no', respmsg='m'), KEY).message, 'no')
        refused = answer(respmsg='success', data={'respcd': '1201', 'reserr': 'too poor'})
        self.assertEqual(read_inquiry(refused, KEY).message, 'too poor')
        refused = answer(respmsg='success', data={'respcd': '1201', 'respmsg': 'too poor'})
        self.assertEqual(read_inquiry(refused, KEY).message, 'too poor')

    def test_texts_are_fit_for_a_database(self):
        nasty = 'a\0b\ud800c\u202ed\n\te'
        outcome = read_payment(answer('6002', resperr=nasty, data={'syssn': nasty}), KEY)
        self.assertEqual(outcome.message, 'a b c d e')
        self.assertEqual(outcome.syssn, 'a b c d e')
        outcome = read_payment(answer('6002', resperr='x' * 10**6), KEY)
        self.assertEqual(len(outcome.message), 500)

    def test_chinese_words_survive(self):
        raw = json.dumps({'respcd': '6002', 'resperr': '交易失敗'}, ensure_ascii=False).encode()
        self.assertEqual(read_payment(raw, KEY).message, '交易失敗')
        sealed = KEY.encrypt(raw.decode()).encode()
        self.assertEqual(read_payment(sealed, KEY).message, '交易失敗')

    # ------------------------------------------------------------------
    # Whatever comes
    # ------------------------------------------------------------------

    def read_or_lose(self, raw):
        """Reads with every reader; what they promise holds for anything."""
        for reader in READERS:
            try:
                outcome = reader(raw, KEY)
            except AnswerLost as lost:
                self.assertEqual(lost.reason, 'unreadable')
                continue
            self.assertTrue(outcome.code)
            if outcome.verdict is Verdict.DONE and reader is not read_command:
                self.assertEqual((outcome.code, outcome.inner_code), ('6000', '0000'))
            if reader in (read_payment, read_refund):
                self.assertIsNot(outcome.verdict, Verdict.NOT_FOUND)
                if outcome.verdict is Verdict.PENDING:
                    self.assertIs(HOST_CODES[outcome.inner_code], Verdict.PENDING)
            for text in (outcome.message, outcome.syssn, outcome.reference, outcome.code):
                (text or '').encode('utf-8')
                self.assertNotIn('\0', text or '')

    @settings(max_examples=300, deadline=None, database=None, derandomize=True)
    @given(raw=st.binary(max_size=300))
    def test_any_bytes(self, raw):
        self.read_or_lose(raw)

    @settings(max_examples=300, deadline=None, database=None, derandomize=True)
    @given(text=st.text(st.sampled_from('{}[]"\'\\:=,; \n0a6u\0é'), max_size=80))
    def test_anything_like_json(self, text):
        self.read_or_lose(text.encode())
        self.read_or_lose(('{' + text + '}').encode())
        self.read_or_lose(KEY.encrypt(text).encode())

    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    @given(at=st.integers(0, len(ANSWER_SEALED) - 1), by=st.integers(1, 255))
    def test_any_flipped_bit(self, at, by):
        sealed = bytearray(ANSWER_SEALED.encode())
        sealed[at] ^= by
        self.read_or_lose(bytes(sealed))
        plain = bytearray(ANSWER_PLAIN.encode())
        plain[at % len(plain)] ^= by
        self.read_or_lose(bytes(plain))

    values = st.recursive(
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(),
            st.text(max_size=20),
            st.sampled_from(['6000', '0000', '6001', '6002', '1143', '1010', '10.10', '2', 2]),
        ),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=6,
    )
    names = st.sampled_from(
        [*ROW, 'cardno', 'cardtype', 'cardscheme', 'origssn', 'resperr', 'paydtm']
    )

    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    @given(
        outer=st.dictionaries(st.sampled_from(['respcd', 'respmsg', 'resperr', 'data']), values),
        data=st.dictionaries(names, values),
        shape=st.sampled_from(['none', 'object', 'text']),
    )
    def test_any_object(self, outer, data, shape):
        if shape != 'none':
            outer['data'] = data if shape == 'object' else json.dumps(data)
        text = json.dumps(outer)
        self.read_or_lose(text.encode())
        self.read_or_lose(KEY.encrypt(text).encode())

    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    @given(data=st.dictionaries(names, st.text(max_size=20)))
    def test_no_wrapping_changes_the_words(self, data):
        plain = answer(data=data)
        expected = replace(read_inquiry(plain, KEY), signed=False)
        for wrapped in (
            KEY.encrypt(plain.decode()),
            in_lines(KEY.encrypt(plain.decode())),
            json.dumps(plain.decode()),
            json.dumps(KEY.encrypt(plain.decode())),
            answer(data=json.dumps(data)).decode(),
        ):
            outcome = read_inquiry(wrapped.encode(), KEY)
            self.assertEqual(replace(outcome, signed=False), expected)
