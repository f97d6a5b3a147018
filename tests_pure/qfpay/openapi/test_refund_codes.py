"""What QFPay's codes and words mean where money is to go back (the protocol, part E).

The words are those that shops have met in production.
"""

from dataclasses import replace
from datetime import datetime, timezone
from unittest import TestCase

from pos_payment_qfpay.qfpay.ecr.message import CHANNELS
from pos_payment_qfpay.qfpay.fields import Fields
from pos_payment_qfpay.qfpay.openapi.answer import read_payment, read_refund, read_row
from pos_payment_qfpay.qfpay.openapi.catalogue import (
    PAY_TYPES,
    Action,
    RefundRefusal,
    meant_code,
    refund_refusal,
    return_code,
)
from pos_payment_qfpay.qfpay.openapi.message import CpmPayment, MpmPayment, Refund
from pos_payment_qfpay.qfpay.outcome import Verdict

NOON = datetime(2026, 11, 21, 4, tzinfo=timezone.utc)
REFUND = Refund(
    syssn='20261101000000000000000001',
    reference='POS-2-1',
    amount_minor=500,
    requested_at=NOON,
)
SHOWN = MpmPayment(
    reference='POS-1-1',
    amount_minor=500,
    currency='HKD',
    pay_type='800201',
    requested_at=NOON,
)
SCANNED = CpmPayment(
    reference='POS-1-1',
    amount_minor=500,
    currency='HKD',
    pay_type='800008',
    requested_at=NOON,
    auth_code='281234567890123456',
)

STANDING = (
    'The transaction cannot be refunded. Refunds for transactions between 11:30pm to 0:30am and '
    'special promotions cannot be processed. (1265)'
)
STANDING_ZH = '該筆訂單被禁止退款，23:30-00:30 的交易以及部分特殊交易會被禁止（1265）'
TOO_LATE_ZH = '該筆訂單被禁止退款，已經超出可退款時限，FPS 只能退 29 天以內的交易。'
ANOTHER = (
    'You still have prosessing requests, please do not repeat the initiation. '
    '該筆訂單仍有正在處理中的退款請求，請勿重複提交申請。'
)


class TestHowLong(TestCase):
    """For how many days a payment can be given back (E1)."""

    def test_days_of_pay_types(self):
        self.assertEqual(
            {code: kind.refund_days for code, kind in PAY_TYPES.items() if kind.refund_days},
            {
                '800101': 365,
                '801501': 365,
                '800108': 365,
                '800201': 365,
                '800208': 365,
                '801008': 365,
                '805801': 90,
                '805808': 90,
                '802001': 29,
            },
        )

    def test_what_nobody_has_told_is_not_guessed(self):
        for code in ('800008', '800701', '800708', '803701', '802808', '806708', '806808'):
            with self.subTest(code):
                self.assertIsNone(PAY_TYPES[code].refund_days)

    def test_days_of_channels(self):
        """A terminal's wallets are the same wallets."""
        for name, channel in CHANNELS.items():
            for pay_type in channel.pay_types:
                with self.subTest(name, pay_type=pay_type):
                    self.assertEqual(channel.refund_days, PAY_TYPES[pay_type].refund_days)


class TestWords(TestCase):
    """What only the words tell."""

    def assert_means(self, refusal, *words, code='1265'):
        for said in words:
            with self.subTest(said):
                self.assertIs(refund_refusal(code, said), refusal)

    def test_its_time_is_over(self):
        self.assert_means(
            RefundRefusal.OVER,
            TOO_LATE_ZH,
            '该笔订单被禁止退款，已经超出可退款时限',
            '退款接口只能申请 29 天的订单',
            '退款已逾期',
            '訂單已過期',
            'The refund period is over.',
            'This order is too old to be refunded',
            'Refunds are possible within 90 days only',
            'The refund deadline has passed',
            'REFUND TIME LIMIT EXCEEDED',
            'The transaction exceeds the time in which it can be refunded',
            'refund expired',
        )

    def test_it_is_night(self):
        self.assert_means(
            RefundRefusal.NIGHT,
            'No refunds from 23:30 to 00:30',
            'No refunds between 11:30 PM and 12:30 AM',
            'Please try again after 0:30',
            '帳期無法退款',
            '抱歉，當前時段無法處理此交易的退款請求',
        )

    def test_the_standing_words_tell_nothing(self):
        """They are said of refunds that come too late, too."""
        self.assert_means(
            RefundRefusal.UNCLEAR,
            STANDING,
            STANDING_ZH,
            '',
            'refund not allowed now',
            'No refunds from 23:30 to 00:30, nor after 90 days',
        )
        self.assert_means(RefundRefusal.OVER, f'{TOO_LATE_ZH} {STANDING}')

    def test_another_refund_is_under_way(self):
        """Whatever the code, which nobody has told."""
        for code in ('1265', '1251', '1136', '1155', '9999'):
            self.assert_means(
                RefundRefusal.ANOTHER,
                ANOTHER,
                'You still have processing requests, please do not repeat the initiation',
                '该笔订单仍有正在处理中的退款请求',
                code=code,
            )

    def test_other_codes_say_all_there_is(self):
        self.assert_means(RefundRefusal.NONE, '', STANDING, TOO_LATE_ZH, code='1269')

    def test_a_number_that_is_used(self):
        for said in (
            'out_trade_no is used',
            'Do not use duplicate out_trade_no for request(1251)',
            'This out_trade_no has been used.',
            'ALREADY USED',
            '商戶訂單號已使用',
            '请勿重复提交',
            '請勿重複提交',
        ):
            with self.subTest(said):
                self.assertEqual(meant_code('1251', said), '2011')
                self.assertEqual(meant_code('1205', said), '1205')
        for said in ('', 'The store has not been configured correctly', 'this is useful'):
            with self.subTest(said):
                self.assertEqual(meant_code('1251', said), '1251')


class TestAnswers(TestCase):
    """What the answer to a refund proves, and its row."""

    def answered(self, code, refund=REFUND, **said):
        return read_refund(Fields({'respcd': code, **said}), refund, signed=True)

    def row(self, code, **said):
        fields = {
            'respcd': code,
            'order_type': 'refund',
            'out_trade_no': REFUND.reference,
            'syssn': '20261121000000000000000002',
            'origssn': REFUND.syssn,
            'txamt': '500',
            'txcurrcd': 'HKD',
            **said,
        }
        return read_row(Fields(fields), signed=True)

    def test_payme_is_over(self):
        """1250: no merchant's trouble, and final."""
        self.assertIs(self.answered('1250').verdict, Verdict.FAILED)
        self.assertIs(self.row('1250').verdict, Verdict.FAILED)
        self.assertIs(return_code('1250').refund.action, Action.REF)

    def test_alipay_is_over_or_the_bank_is_busy(self):
        """1297: the answer proves nothing; a refund that stands at it was not made."""
        self.assertIs(self.answered('1297').verdict, Verdict.UNKNOWN)
        self.assertIs(self.row('1297').verdict, Verdict.FAILED)
        payment = {'out_trade_no': SHOWN.reference, 'order_type': 'payment', 'respcd': '1297'}
        self.assertIs(read_row(Fields(payment), signed=True).verdict, Verdict.UNKNOWN)

    def test_final_refusals(self):
        for code in ('1124', '1264', '1265', '1269'):
            with self.subTest(code):
                self.assertIs(self.answered(code).verdict, Verdict.FAILED)
                self.assertIs(self.row(code).verdict, Verdict.FAILED)
                self.assertIs(return_code(code).refund.action, Action.REF)

    def test_a_refund_that_takes_its_time(self):
        for code in ('1143', '1145'):
            with self.subTest(code):
                self.assertIs(self.answered(code).verdict, Verdict.PENDING)
                self.assertIs(self.row(code, cancel='0').verdict, Verdict.PENDING)

    def test_a_payment_given_back_in_parts_is_still_paid(self):
        row = self.row('0000', order_type='payment', cancel='5', pay_type='805801', origssn=None)
        self.assertEqual((row.verdict, row.cancel), (Verdict.DONE, 5))

    def test_all_words_where_only_they_tell(self):
        """The explanation may stand in the second field."""
        said = {'resperr': 'refund refused', 'respmsg': TOO_LATE_ZH}
        self.assertEqual(self.answered('1265', **said).message, f'refund refused {TOO_LATE_ZH}')
        self.assertEqual(self.answered('1269', **said).message, 'refund refused')
        twice = {'resperr': 'once', 'respmsg': 'once'}
        self.assertEqual(self.answered('1265', **twice).message, 'once')
        long = {'resperr': 'x' * 400, 'respmsg': 'y' * 400}
        self.assertEqual(len(self.answered('1265', **long).message), 500)

    def test_words_of_a_row(self):
        outcome = self.row('1265', errmsg=STANDING_ZH)
        self.assertEqual((outcome.inner_code, outcome.message), ('1265', STANDING_ZH))

    def test_a_number_that_qfpay_has_proves_nothing(self):
        """The first request that had it may have moved the money, so QFPay is asked."""
        used = (
            ('1102', {}),
            ('2011', {}),
            ('1251', {'resperr': 'Do not use duplicate out_trade_no for request(1251)'}),
            ('1251', {'respmsg': 'out_trade_no is used'}),
            ('1251', {'data': {'respmsg': 'out_trade_no is used'}}),
        )
        for code, said in used:
            with self.subTest(code, said=said):
                fields = Fields({'respcd': code, **said})
                self.assertIs(read_refund(fields, REFUND, True).verdict, Verdict.UNKNOWN)
                for payment in (SHOWN, SCANNED, replace(SHOWN, pay_type='805801')):
                    self.assertIs(read_payment(fields, payment, True).verdict, Verdict.UNKNOWN)
        for read in (
            read_refund(Fields({'respcd': '1251'}), REFUND, True),
            read_payment(Fields({'respcd': '1251'}), SHOWN, True),
        ):
            self.assertIs(read.verdict, Verdict.FAILED)
