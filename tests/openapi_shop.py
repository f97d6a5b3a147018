"""The shop of `common` with an OpenAPI account, and methods that show and scan codes."""

import uuid

from odoo.addons.pos_payment_qfpay import courier
from odoo.addons.pos_payment_qfpay.models.qfpay_start import StartRefused
from odoo.addons.pos_payment_qfpay.qfpay.outcome import Outcome, Verdict

from .common import ShopCase

# Invented, as long as QFPay's.
CLIENT_KEY = '0123456789ABCDEF0123456789ABCDEF'


class OpenApiShop:
    """Mixed into a case that stands on common.Shop."""

    @classmethod
    def _terminals(cls):
        # The account comes with the terminals, before there is a till.
        cls.account = cls.env['qfpay.account'].create(
            {
                'name': 'Harbour Goods',
                'app_code': 'APPCODE1',
                'client_key': CLIENT_KEY,
                'environment': 'custom',
                # Nobody listens there; tests with a simulator write its address here.
                'custom_url': 'http://127.0.0.1:1',
            }
        )
        return super()._terminals()

    @classmethod
    def _method(cls, channel, **values):
        if not hasattr(cls, 'shown'):
            cls.shown = cls._code_method('WeChat code', '800201')
            cls.scanned = cls._code_method('Scan wallet', '800008')
            cls.fps_code = cls._code_method('FPS code', '802001')
        return super()._method(channel, **values)

    @classmethod
    def _till(cls, name, terminal, **values):
        till = super()._till(name, terminal, **values)
        till.payment_method_ids |= cls.shown | cls.scanned | cls.fps_code
        return till

    @classmethod
    def _code_method(cls, name, pay_type):
        return cls.env['pos.payment.method'].create(
            {
                'name': name,
                'journal_id': cls.bank.id,
                'receivable_account_id': cls._receivable().id,
                'payment_method_type': 'terminal',
                'use_payment_terminal': 'qfpay_openapi',
                'qfpay_account_id': cls.account.id,
                'qfpay_pay_type': pay_type,
            }
        )

    def begin_with(self, payment, auth_code=''):
        """Start a payment line as the cashier; answer its row."""
        self.env.flush_all()
        ledger = self.env['qfpay.transaction'].with_user(self.cashier)
        status = ledger._start(payment.uuid, auth_code)
        return self.env['qfpay.transaction'].search([('reference', '=', status['reference'])])

    def sent(self, method, amount=10.1, auth_code=''):
        """A payment whose request is on its way, and nothing is known."""
        row = self.begin_with(self.payment(amount, method), auth_code)
        row._claim()
        return row

    def paid_by_code(self, method, amount=10.1):
        """A validated order that was paid by a code; its row."""
        row = self.sent(method, amount)
        row._learn(
            Outcome(verdict=Verdict.DONE, code='0000', syssn=uuid.uuid4().hex), 'notification'
        )
        row.pos_order_id.with_user(self.cashier).action_pos_order_paid()
        return row

    def sent_refund(self, paid, amount=None):
        """A refund whose request is on its way."""
        row = self.begin_with(self.refund_line(paid, amount))
        row._claim()
        return row

    def assert_refused(self, code, payment, auth_code=''):
        """The line is not started, for this reason; answer what the cashier reads."""
        with self.assertRaises(StartRefused) as refusal:
            self.begin_with(payment, auth_code)
        self.assertEqual(refusal.exception.code, code)
        return refusal.exception.message


class OpenApiCase(OpenApiShop, ShopCase):
    """Without HTTP; nobody goes the account's round."""

    def setUp(self):
        super().setUp()
        self.patch(courier, 'go_round', lambda *_args: None)
