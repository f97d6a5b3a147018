import re
from collections import Counter
from datetime import datetime, timezone
from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from pos_payment_qfpay.qfpay.errors import InvalidRequest
from pos_payment_qfpay.qfpay.openapi import catalogue
from pos_payment_qfpay.qfpay.openapi.catalogue import (
    CLOSE,
    CURRENCIES,
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
from pos_payment_qfpay.qfpay.outcome import Verdict

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
1250 other failed     ref   failed
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
1297 check unknown    ref   unknown
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


class TestOpenapiCatalogue(TestCase):
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

    def test_ways_to_cancel(self):
        ways = {code: kind.cancel for code, kind in PAY_TYPES.items() if kind.cancel}
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
