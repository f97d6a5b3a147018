"""Codes in a browser, at the simulator's gateway: the till's own, and the customer's."""

from urllib.error import HTTPError

from odoo import api
from odoo.tests import tagged

from .common import SimulatorCase
from .openapi_shop import OpenApiShop

# The account that the simulator knows when it is told of none.
APP_CODE = 'ABCDEF0123456789ABCDEF0123456789'


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestToursCodes(OpenApiShop, SimulatorCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.write({'app_code': APP_CODE, 'custom_url': cls.simulator.gateway_url})
        cls.product.name = 'Porcelain Cup'
        cls.product.list_price = 45.5
        # A page may not reach for the customer's phone by itself, so the tours do it through these.
        config_class = cls.registry['pos.config']
        config_class.qfpay_test_customer = api.model(lambda config, do: cls._customer(do))
        config_class.qfpay_test_code = api.model(
            lambda config, wallet, script: cls.simulator.phone_code(wallet, script)
        )
        cls.addClassCleanup(delattr, config_class, 'qfpay_test_customer')
        cls.addClassCleanup(delattr, config_class, 'qfpay_test_code')

    def setUp(self):
        super().setUp()
        self.simulator.reset_gateway()

    @classmethod
    def _customer(cls, do):
        """What the customer does with the newest order.

        :return: whether that could be done; it cannot before there is an order
        """
        try:
            cls.simulator.act(do)
        except HTTPError:
            return False
        return True

    def _run_tour(self, name):
        self.start_tour(f'/pos/ui/{self.till.id}', name, login=self.cashier.login)
        self.env.invalidate_all()

    def _payments(self, method):
        return self.env['pos.payment'].search([('payment_method_id', '=', method.id)], order='id')

    def _rows(self):
        domain = [('config_id', '=', self.till.id)]
        return self.env['qfpay.transaction'].search(domain, order='id')

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
