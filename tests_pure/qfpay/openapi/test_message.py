from datetime import datetime, timedelta, timezone
from unittest import TestCase

from pos_payment_qfpay.qfpay.errors import InvalidRequest
from pos_payment_qfpay.qfpay.openapi.catalogue import CLOSE, REVERSAL
from pos_payment_qfpay.qfpay.openapi.message import Cancel, CpmPayment, MpmPayment, Refund

NOON = datetime(2026, 1, 15, 6, 3, 22, tzinfo=timezone.utc)
WECHAT_CODE = '134857901234588557'
ALIPAY_CODE = '281234567890123456'


class TestOpenapiMessage(TestCase):
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

    def test_refunds_and_cancels_that_cannot_be_right(self):
        refund = {'syssn': '2026', 'reference': 'R', 'amount_minor': 1, 'requested_at': NOON}
        order = {
            'path': CLOSE,
            'pay_type': '800201',
            'amount_minor': 1,
            'requested_at': NOON,
            'reference': 'R',
        }
        for kind, good, field, changes in (
            (Refund, refund, 'syssn', {'syssn': ''}),
            (Refund, refund, 'syssn', {'syssn': 'a b'}),
            (Refund, refund, 'reference', {'reference': ''}),
            (Refund, refund, 'amount', {'amount_minor': 0}),
            (Refund, refund, 'time', {'requested_at': NOON.replace(tzinfo=None)}),
            (Cancel, order, '', {'path': '/trade/v1/refund'}),
            (Cancel, order, '', {'path': ''}),
            (Cancel, order, 'pay_type', {'pay_type': '1'}),
            (Cancel, order, 'syssn', {'syssn': ''}),
            (Cancel, order, 'reference', {'reference': ''}),
            (Cancel, order, 'amount', {'amount_minor': 0}),
            (Cancel, order, 'time', {'requested_at': NOON.replace(tzinfo=None)}),
        ):
            kind(**good)
            with self.subTest(kind, changes=changes), self.assertRaises(InvalidRequest) as caught:
                kind(**{**good, **changes})
            self.assertEqual(caught.exception.field, field)

    def test_a_cancel_names_one_number(self):
        """QFPay's own where it is known: it cannot be mistaken."""
        order = {
            'pay_type': '800201',
            'amount_minor': 1010,
            'requested_at': NOON,
            'reference': 'POS-1-0001',
            'till': 'REG-01',
        }
        common = {'txamt': 1010, 'txdtm': '2026-01-15 14:03:22', 'udid': 'REG-01'}
        for path in (CLOSE, REVERSAL):
            self.assertEqual(
                Cancel(path=path, **order).fields(),
                {**common, 'syssn': None, 'out_trade_no': 'POS-1-0001'},
            )
            self.assertEqual(
                Cancel(path=path, syssn='2026', **order).fields(),
                {**common, 'syssn': '2026', 'out_trade_no': None},
            )
