"""Codes in a browser, at the simulator's gateway: the till's own, and the customer's."""

from odoo.tests import tagged

from .common import TourCase
from .openapi_shop import OpenApiShop

# The account that the simulator knows when it is told of none.
APP_CODE = 'ABCDEF0123456789ABCDEF0123456789'


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestToursCodes(OpenApiShop, TourCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.write({'app_code': APP_CODE, 'custom_url': cls.simulator.gateway_url})
        cls._lend('lent_customer', lambda do: cls._could(cls.simulator.act, do))
        cls._lend('lent_code', cls.simulator.phone_code)

    def setUp(self):
        super().setUp()
        self.simulator.reset_gateway()

    def assertPaid(self, payment, row, wallet):
        """The payment, the ledger and QFPay's book agree, and the order is validated."""
        self.assertEqual(row.state, 'done')
        self.assertEqual(row.pos_payment_id, payment)
        self.assertEqual(payment.amount, 45.5)
        self.assertEqual(row.amount, payment.amount)
        self.assertEqual(payment.payment_status, 'done')
        self.assertEqual(payment.qfpay_confirmation, 'confirmed')
        self.assertEqual(payment.transaction_id, row.syssn)
        self.assertEqual(payment.card_type, wallet)
        self.assertEqual(payment.pos_order_id.state, 'paid')

    def test_code_shown(self):
        self._run_tour('qfpay_code_shown')
        self.assertPaid(self._payments(self.shown), self._rows(), 'WeChat Pay')

    def test_code_runs_out(self):
        self._run_tour('qfpay_code_runs_out')
        lapsed, paid = self._rows()
        self.assertEqual(lapsed.state, 'failed')
        self.assertPaid(self._payments(self.shown), paid, 'WeChat Pay')

    def test_code_called_off(self):
        self._run_tour('qfpay_code_called_off')
        self.assertEqual(self._rows().state, 'cancelled')
        self.assertFalse(self._payments(self.shown))

    def test_code_paid_while_called_off(self):
        self._run_tour('qfpay_code_paid_while_called_off')
        self.assertPaid(self._payments(self.shown), self._rows(), 'WeChat Pay')

    def test_code_reload(self):
        self._run_tour('qfpay_code_reload')
        self.assertPaid(self._payments(self.shown), self._rows(), 'WeChat Pay')

    def test_code_without_call_off(self):
        self._run_tour('qfpay_code_without_call_off')
        self.assertPaid(self._payments(self.fps_code), self._rows(), 'FPS')

    def test_scan_under_gs1(self):
        """The scanner's digits are neither a GS1 error nor an amount."""
        self.company.nomenclature_id = self.env.ref(
            'barcodes_gs1_nomenclature.default_gs1_nomenclature'
        )
        self._run_tour('qfpay_scan')
        self.assertPaid(self._payments(self.scanned), self._rows(), 'Alipay')

    def test_scan_used_code(self):
        self._run_tour('qfpay_scan_used_code')
        used, paid = self._rows()
        self.assertEqual(used.state, 'failed')
        self.assertPaid(self._payments(self.scanned), paid, 'WeChat Pay')

    def test_scan_given_up(self):
        self._run_tour('qfpay_scan_given_up')
        self.assertFalse(self._rows())
        self.assertFalse(self.simulator.orders())

    def test_refund_in_parts(self):
        self._run_tour('qfpay_code_refund')
        paid, first, second = self._rows()
        self.assertEqual(paid.amount, 91)
        for refund in (first, second):
            self.assertEqual((refund.kind, refund.state), ('refund', 'done'))
            self.assertEqual(refund.original_id, paid)
            self.assertEqual(refund.amount, -45.5)
        self.assertEqual(
            self._payments(self.shown).mapped('transaction_id'),
            [paid.syssn, first.syssn, second.syssn],
        )

    def test_the_customer_display_is_translated(self):
        self.env['res.lang']._activate_lang('zh_HK')
        answer = self.url_open('/website/translations?lang=zh_HK').json()
        terms = answer['modules']['pos_payment_qfpay']['messages']
        self.assertIn('This code has run out.', [term['id'] for term in terms])
