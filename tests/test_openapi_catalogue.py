import re
from collections import Counter
from datetime import datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.addons.pos_payment_qfpay.qfpay.errors import InvalidRequest
from odoo.addons.pos_payment_qfpay.qfpay.openapi import catalogue
from odoo.addons.pos_payment_qfpay.qfpay.openapi.account import Account, checked_base_url
from odoo.addons.pos_payment_qfpay.qfpay.openapi.catalogue import (
    CLOSE,
    CURRENCIES,
    ENVIRONMENTS,
    PAY_TYPES,
    RETURN_CODES,
    REVERSAL,
    Action,
    Mode,
    code_forms,
    pay_type_for,
    pay_types,
    recognise,
    return_code,
    wallet_of,
)
from odoo.addons.pos_payment_qfpay.qfpay.openapi.message import (
    CallOff,
    CpmPayment,
    MpmPayment,
    Refund,
)
from odoo.addons.pos_payment_qfpay.qfpay.openapi.signature import ClientKey
from odoo.addons.pos_payment_qfpay.qfpay.openapi.times import from_text, months, to_text
from odoo.addons.pos_payment_qfpay.qfpay.outcome import Verdict
from odoo.tests import BaseCase, tagged

ANY = settings(max_examples=150, deadline=None, database=None, derandomize=True)
NOON = datetime(2026, 1, 15, 6, 3, 22, tzinfo=timezone.utc)

WECHAT_CODE = '134857901234588557'
ALIPAY_CODE = '281234567890123456'
UNIONPAY_CODE = '6212345678901234567'
EMV_CODE = 'hQVDUFYwMWETTwegAAADMwEBUAhVbmlvblBheQ=='
PAYME_CODE = '98765432109876543210'
NO_CODES = (
    '',
    '4891234567894',  # a product's EAN-13
    '96385074',
    '0012345678905',
    '01048912345678943103000123',  # GS1-128
    '13485790123458855',
    '1348579012345885577',
    '164857901234588557',
    '24812345678901234',
    '2812345678901',
    '281234567890123456789012345',
    '621234567890123456',
    '１３４８５７９０１２３４５８８５５７',
    f'{WECHAT_CODE}\n',
    f' {WECHAT_CODE}',
    'https://qr.alipay.com/bax01234567890123456',
    'x' * 15,
)
SCAN_ALL = ('800008',)

# code, action and verdict of a payment's answer, the same of a refund's
RULINGS = """
0000 ok    done       ok    done
1100 check unknown    check unknown
1101 check unknown    check unknown
1102 check unknown    check unknown
1103 bug   failed     bug   failed
1104 bug   failed     bug   failed
1105 stop  failed     stop  failed
1106 stop  failed     stop  failed
1107 stop  failed     stop  failed
1108 stop  failed     stop  failed
1125 check unknown    ref   unknown
1136 check unknown    ref   unknown
1142 new   cancelled  ref   failed
1143 poll  pending    poll  pending
1145 poll  pending    poll  pending
1147 check unknown    check unknown
1150 check unknown    ref   failed
1155 check unknown    ref   failed
1181 new   failed     ref   failed
1201 other failed     check unknown
1202 new   failed     check unknown
1203 stop  failed     stop  failed
1204 other failed     new   failed
1205 new   failed     new   failed
1212 new   failed     check unknown
1241 stop  failed     stop  failed
1242 stop  failed     stop  failed
1243 stop  failed     stop  failed
1250 other failed     stop  failed
1251 stop  failed     stop  failed
1252 check unknown    check unknown
1254 check unknown    check unknown
1260 check unknown    ref   unknown
1261 poll  pending    ref   failed
1262 new   failed     ref   unknown
1263 new   cancelled  ref   failed
1264 new   cancelled  ref   failed
1265 check unknown    ref   failed
1266 bug   unknown    bug   failed
1267 bug   unknown    bug   failed
1268 check unknown    ref   failed
1269 check unknown    ref   failed
1270 check unknown    ref   failed
1271 check unknown    ref   failed
1272 check unknown    ref   failed
1294 other failed     stop  failed
1295 check unknown    check unknown
1296 check unknown    check unknown
1297 check unknown    check unknown
1298 check unknown    check unknown
2005 new   failed     check unknown
2011 check unknown    check unknown
9999 check unknown    check unknown
1161 poll  pending    poll  pending
2999 poll  pending    poll  pending
1111 check unknown    check unknown
1112 check unknown    check unknown
1131 check unknown    check unknown
1146 check unknown    check unknown
1170 check unknown    check unknown
2009 check unknown    check unknown
2010 check unknown    check unknown
2003 stop  failed     stop  failed
2004 other failed     ref   failed
2006 new   failed     ref   failed
2007 new   failed     ref   failed
"""


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestOpenapiCatalogue(BaseCase):
    # ------------------------------------------------------------------
    # Return codes
    # ------------------------------------------------------------------

    def test_rulings(self):
        for line in RULINGS.strip().splitlines():
            code, pay_action, pay_verdict, refund_action, refund_verdict = line.split()
            with self.subTest(code):
                payment = return_code(code).ruling('payment')
                refund = return_code(code).ruling('refund')
                self.assertEqual((payment.action, payment.answer), (pay_action, pay_verdict))
                self.assertEqual((refund.action, refund.answer), (refund_action, refund_verdict))

    def test_the_other_legacy_codes_are_final(self):
        legacy = [1109, *range(1113, 1125), 1126, 1130, 1144, 2008, 2012]
        for code in map(str, legacy):
            with self.subTest(code):
                self.assertIn(code, RETURN_CODES)
                self.assertIs(return_code(code).payment.answer, Verdict.FAILED)
                self.assertIs(return_code(code).refund.answer, Verdict.FAILED)

    def test_only_success_means_that_money_moved(self):
        for code, meaning in RETURN_CODES.items():
            for trade in ('payment', 'refund'):
                ruling = meaning.ruling(trade)
                with self.subTest(code, trade=trade):
                    for verdict in (ruling.answer, ruling.row):
                        self.assertIs(verdict is Verdict.DONE, code == '0000')
                        self.assertIsNot(verdict, Verdict.NOT_FOUND)
                    if ruling.answer is not Verdict.UNKNOWN:
                        self.assertIs(ruling.row, ruling.answer)

    def test_what_an_action_says(self):
        for code, meaning in RETURN_CODES.items():
            for trade in ('payment', 'refund'):
                ruling = meaning.ruling(trade)
                with self.subTest(code, trade=trade):
                    if ruling.action is Action.CHECK:
                        self.assertIs(ruling.answer, Verdict.UNKNOWN)
                    if ruling.action is Action.POLL:
                        self.assertIs(ruling.answer, Verdict.PENDING)
                    if ruling.action in (Action.NEW, Action.OTHER, Action.STOP):
                        self.assertIn(ruling.answer, (Verdict.FAILED, Verdict.CANCELLED))

    def test_every_code_is_in_words(self):
        for code, meaning in RETURN_CODES.items():
            with self.subTest(code):
                self.assertRegex(code, r'^[0-9]{4}$')
                self.assertTrue(meaning.says)

    # ------------------------------------------------------------------
    # Pay types and currencies
    # ------------------------------------------------------------------

    def test_pay_types(self):
        self.assertEqual(
            set(pay_types(Mode.MPM)),
            {'800101', '801501', '800201', '805801', '800701', '802001', '803701'},
        )
        self.assertEqual(
            set(pay_types(Mode.CPM)), {'800008', '800108', '800208', '801008', '800708', '805808'}
        )
        not_refundable = {code for code, kind in PAY_TYPES.items() if not kind.refundable}
        self.assertEqual(not_refundable, {'802001', '803701', '803708'})
        expiring = {code for code, kind in PAY_TYPES.items() if kind.expires}
        self.assertEqual(expiring, {'800101', '801501', '800201'})

    def test_ways_of_calling_off(self):
        ways = {code: kind.call_off for code, kind in PAY_TYPES.items() if kind.call_off}
        reversal_first = ['800108', '800208', '800708', '801008', '800008', '800101', '801501']
        self.assertEqual(
            ways,
            {
                **dict.fromkeys(reversal_first, (REVERSAL, CLOSE)),
                **dict.fromkeys(('800201', '800701'), (CLOSE, REVERSAL)),
            },
        )

    def test_wallets(self):
        self.assertEqual(wallet_of('800208'), 'WeChat Pay')
        self.assertEqual(wallet_of('802808'), '')
        self.assertEqual(wallet_of('999999'), '')

    def test_currencies(self):
        self.assertEqual(len(CURRENCIES), 13)
        self.assertEqual(CURRENCIES['JPY'], 0)
        self.assertEqual(Counter(CURRENCIES.values()), {2: 12, 0: 1})

    # ------------------------------------------------------------------
    # Customers' codes
    # ------------------------------------------------------------------

    def test_recognised_codes(self):
        for code, wallet, own in (
            (WECHAT_CODE, 'WeChat Pay', '800208'),
            ('10' + '0' * 16, 'WeChat Pay', '800208'),
            ('15' + '9' * 16, 'WeChat Pay', '800208'),
            (ALIPAY_CODE, 'Alipay', '800108'),
            ('25' + '0' * 14, 'Alipay', '800108'),
            ('30' + '0' * 22, 'Alipay', '800108'),
            (UNIONPAY_CODE, 'UnionPay QuickPass', '800708'),
            (EMV_CODE, 'UnionPay QuickPass', '800708'),
        ):
            with self.subTest(code):
                self.assertEqual(recognise(code).wallet, wallet)
                self.assertEqual(pay_type_for(code, SCAN_ALL), '800008')
                self.assertEqual(pay_type_for(code, ('800008', '805808', own)), own)
                with self.assertRaises(InvalidRequest):
                    pay_type_for(code, ())

    def test_direct_settlement(self):
        self.assertEqual(pay_type_for(WECHAT_CODE, ('801008', '800008')), '801008')

    def test_payme(self):
        self.assertIsNone(recognise(PAYME_CODE))
        self.assertEqual(pay_type_for(PAYME_CODE, ('800008', '805808')), '805808')
        with self.assertRaises(InvalidRequest):
            pay_type_for(PAYME_CODE, SCAN_ALL)
        # its form is not published, so what looks like another wallet's may be PayMe's too
        self.assertEqual(pay_type_for(WECHAT_CODE, ('805808',)), '805808')

    def test_no_wallets_code(self):
        for code in NO_CODES:
            with self.subTest(code), self.assertRaises(InvalidRequest) as caught:
                pay_type_for(code, SCAN_ALL)
            self.assertEqual(caught.exception.field, 'auth_code')

    def test_a_wallet_that_is_not_offered(self):
        with self.assertRaises(InvalidRequest) as caught:
            pay_type_for(ALIPAY_CODE, ('800208',))
        self.assertIn('Alipay', caught.exception.message)

    def test_what_a_till_checks_codes_with(self):
        for pay_type in pay_types(Mode.CPM):
            forms = code_forms(pay_type)
            for code in (WECHAT_CODE, ALIPAY_CODE, UNIONPAY_CODE, EMV_CODE, PAYME_CODE, *NO_CODES):
                with self.subTest(pay_type=pay_type, code=code):
                    fits = any(re.fullmatch(form, code) for wallet, form in forms)
                    try:
                        is_charged = pay_type_for(code, (pay_type,)) == pay_type
                    except InvalidRequest:
                        is_charged = False
                    self.assertEqual(fits, is_charged)
        self.assertEqual({wallet for wallet, form in code_forms('805808')}, {'PayMe'})
        self.assertEqual(code_forms('800201'), [])

    @ANY
    @given(code=st.text(max_size=40), allowed=st.sets(st.sampled_from(sorted(PAY_TYPES))))
    def test_any_text_gets_an_offered_pay_type_or_none(self, code, allowed):
        try:
            found = pay_type_for(code, allowed)
        except InvalidRequest:
            return
        self.assertIn(found, allowed)
        self.assertIs(PAY_TYPES[found].mode, Mode.CPM)

    # ------------------------------------------------------------------
    # Requests
    # ------------------------------------------------------------------

    def mpm(self, **changes):
        return MpmPayment(
            **{
                'reference': 'POS-1-0001',
                'amount_minor': 1010,
                'currency': 'HKD',
                'pay_type': '800201',
                'requested_at': NOON,
                **changes,
            }
        )

    def test_a_code_to_show(self):
        payment = self.mpm(till='REG-01')
        self.assertEqual(
            {name: value for name, value in payment.fields().items() if value},
            {
                'txamt': 1010,
                'txcurrcd': 'HKD',
                'pay_type': '800201',
                'out_trade_no': 'POS-1-0001',
                'txdtm': '2026-01-15 14:03:22',
                'udid': 'REG-01',
                'expired_time': 5,
            },
        )
        self.assertEqual(payment.shown_until, NOON + timedelta(minutes=5))
        self.assertEqual(payment.lapses_at, NOON + timedelta(minutes=5))

    def test_a_pay_type_that_does_not_obey_our_expiry(self):
        payment = self.mpm(pay_type='805801', expires_minutes=10)
        self.assertNotIn('expired_time', payment.fields())
        self.assertEqual(payment.shown_until, NOON + timedelta(minutes=10))
        self.assertEqual(payment.lapses_at, NOON + timedelta(minutes=30))

    def test_texts_are_shortened(self):
        fields = self.mpm(goods_name='咖啡' * 15 + '!', till='收銀機#1 ' * 20).fields()
        self.assertEqual(fields['goods_name'], ('咖啡' * 15)[:20])
        self.assertLessEqual(len(fields['udid'].encode()), 40)
        self.assertTrue(fields['udid'].startswith('收銀機 1 收銀機 1'))
        self.assertEqual(self.mpm(goods_name='<&=>').fields()['goods_name'], '')

    def test_yen_have_no_cents(self):
        self.assertEqual(self.mpm(currency='JPY', amount_minor=1234).fields()['txamt'], 1234)

    def test_payments_that_cannot_be_right(self):
        for field, changes in (
            ('amount', {'amount_minor': 0}),
            ('amount', {'amount_minor': -1}),
            ('amount', {'amount_minor': 10.1}),
            ('amount', {'amount_minor': True}),
            ('amount', {'amount_minor': 2**31}),
            ('currency', {'currency': 'XXX'}),
            ('currency', {'currency': 'hkd'}),
            ('currency', {'currency': 'CNY', 'pay_type': '802001'}),
            ('pay_type', {'pay_type': '800208'}),
            ('pay_type', {'pay_type': '802808'}),
            ('pay_type', {'pay_type': ''}),
            ('pay_type', {'pay_tag': 'ALIPAYHK'}),
            ('pay_type', {'pay_tag': 'WECHAT', 'pay_type': '801501'}),
            ('reference', {'reference': ''}),
            ('reference', {'reference': 'a,b'}),
            ('reference', {'reference': "a'b"}),
            ('reference', {'reference': 'x' * 65}),
            ('reference', {'reference': None}),
            ('time', {'requested_at': NOON.replace(tzinfo=None)}),
            ('time', {'requested_at': '2026-01-15 14:03:22'}),
            ('expiry', {'expires_minutes': 4}),
            ('expiry', {'expires_minutes': 121}),
            ('expiry', {'expires_minutes': 5.5}),
            ('notify_url', {'notify_url': 'ftp://shop.example/'}),
            ('notify_url', {'notify_url': 'https://shop.example:8069/qfpay'}),
            ('notify_url', {'notify_url': 'https://shop.example/' + 'x' * 256}),
        ):
            with self.subTest(changes), self.assertRaises(InvalidRequest) as caught:
                self.mpm(**changes)
            self.assertEqual(caught.exception.field, field)
        self.mpm(notify_url='https://shop.example:443/pay?a=1')
        self.mpm(pay_type='801501', pay_tag='ALIPAYCN')

    def test_a_code_to_charge(self):
        common = {
            'reference': 'POS-1-0001',
            'amount_minor': 1010,
            'currency': 'HKD',
            'requested_at': NOON,
        }
        payment = CpmPayment(**common, pay_type='800208', auth_code=WECHAT_CODE)
        self.assertEqual(payment.fields()['auth_code'], WECHAT_CODE)
        self.assertNotIn('expired_time', payment.fields())
        for pay_type, code in (('800208', ALIPAY_CODE), ('800008', '4891234567894')):
            with self.subTest(code), self.assertRaises(InvalidRequest) as caught:
                CpmPayment(**common, pay_type=pay_type, auth_code=code)
            self.assertEqual(caught.exception.field, 'auth_code')

    def test_refunds_and_calling_off_that_cannot_be_right(self):
        refund = {'syssn': '2026', 'reference': 'R', 'amount_minor': 1, 'requested_at': NOON}
        order = {'pay_type': '800201', 'amount_minor': 1, 'requested_at': NOON, 'reference': 'R'}
        for kind, good, changes in (
            (Refund, refund, {'syssn': ''}),
            (Refund, refund, {'syssn': 'a b'}),
            (Refund, refund, {'amount_minor': 0}),
            (CallOff, order, {'pay_type': '1'}),
            (CallOff, order, {'syssn': ''}),
            (CallOff, order, {'reference': ''}),
        ):
            kind(**good)
            with self.subTest(changes), self.assertRaises(InvalidRequest):
                kind(**{**good, **changes})

    # ------------------------------------------------------------------
    # Accounts
    # ------------------------------------------------------------------

    def test_addresses(self):
        for base in (
            *ENVIRONMENTS.values(),
            'http://127.0.0.1:9003',
            'http://[::1]:9003',
            'https://gateway',
        ):
            with self.subTest(base):
                self.assertEqual(checked_base_url(base), base)
        self.assertEqual(checked_base_url('https://a.example/'), 'https://a.example')
        for base in (
            '',
            None,
            'a.example',
            'ftp://a.example',
            'https://',
            'https://a.example/trade',
            'https://a.example?x=1',
            'https://a.example#x',
            'https://user@a.example',
            'https://user:secret@a.example',
            'https://a.example:0',
            'https://a.example:99999',
            'https://a.example:x',
            'https://a b.example',
            'https://a.example ',
            'https://a.example\n',
            'https://[::1',
            'https://[x]',
            'https://é.example',
        ):
            with self.subTest(base), self.assertRaises(InvalidRequest) as caught:
                checked_base_url(base)
            self.assertEqual(caught.exception.field, 'base_url')

    def test_accounts(self):
        good = {
            'base_url': ENVIRONMENTS['production'],
            'app_code': 'APP',
            'client_key': ClientKey('SECRET'),
            'merchant_id': 'M1',
        }
        self.assertNotIn('SECRET', repr(Account(**good)))
        for field, value in (
            ('base_url', 'x'),
            ('app_code', ''),
            ('app_code', 'a\r\nb'),
            ('merchant_id', ''),
            ('merchant_id', 'x' * 17),
        ):
            with self.subTest(field), self.assertRaises(InvalidRequest) as caught:
                Account(**{**good, field: value})
            self.assertEqual(caught.exception.field, field)

    # ------------------------------------------------------------------
    # Times
    # ------------------------------------------------------------------

    def test_times(self):
        self.assertEqual(to_text(NOON), '2026-01-15 14:03:22')
        self.assertEqual(from_text('2026-01-15 14:03:22'), NOON)
        for text in ('', None, '2026-01-15', '2026-02-30 00:00:00', '2026-1-15 14:03:22', 'x'):
            with self.subTest(text):
                self.assertIsNone(from_text(text))

    def test_months(self):
        def texts(since, until):
            return [(to_text(begin), to_text(end)) for begin, end in months(since, until)]

        self.assertEqual(texts(NOON, NOON), [('2026-01-15 14:03:22', '2026-01-15 14:03:22')])
        # 16:00 in London is midnight in Hong Kong
        turn = datetime(2026, 2, 28, 16, tzinfo=timezone.utc)
        self.assertEqual(
            texts(turn - timedelta(days=30), turn + timedelta(hours=1)),
            [
                ('2026-03-01 00:00:00', '2026-03-01 01:00:00'),
                ('2026-02-01 00:00:00', '2026-02-28 23:59:59'),
                ('2026-01-30 00:00:00', '2026-01-31 23:59:59'),
            ],
        )
        self.assertEqual(months(NOON, NOON - timedelta(seconds=1)), [])

    def test_the_tables_know_each_other(self):
        for codes in (
            catalogue.IDENTITY_CODES,
            catalogue.NOT_FOUND_CODES,
            catalogue.OTHER_WAY_CODES,
            catalogue.CLOSED_CODES,
        ):
            self.assertLessEqual(codes, set(RETURN_CODES))
        for known in catalogue.WALLET_CODES:
            for pay_type in known.pay_types:
                self.assertIs(PAY_TYPES[pay_type].mode, Mode.CPM)
