from odoo.addons.pos_payment_qfpay.hooks import uninstall_hook
from odoo.addons.pos_payment_qfpay.ledger.states import OPEN
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import ShopCase


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestUninstall(ShopCase):
    """What the addon leaves behind when it goes."""

    def test_methods_stay_usable(self):
        """The methods that used a terminal become plain ones, also in an open session."""
        methods = self.card | self.wallet | self.fps
        self.assertTrue(self.till.current_session_id)
        uninstall_hook(self.env)
        self.assertEqual(set(methods.mapped('payment_method_type')), {'none'})
        self.assertEqual(set(methods.mapped('use_payment_terminal')), {False})
        order = self.sync(self.order(self.line(payment_status=False), state='paid'))
        self.assertEqual(order.state, 'paid')

    def test_every_provider_goes(self):
        """No method keeps a terminal that Odoo does not know any more."""
        uninstall_hook(self.env)
        self.env.cr.execute(
            "SELECT count(*) FROM pos_payment_method WHERE use_payment_terminal LIKE 'qfpay\\_%'"
        )
        self.assertEqual(self.env.cr.fetchone(), (0,))

    def test_other_methods_are_left_alone(self):
        """Cash stays cash, and methods of Odoo's own pos_qfpay stay its own."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE pos_payment_method SET use_payment_terminal = 'qfpay' WHERE id = %s",
            [self.octopus.id],
        )
        uninstall_hook(self.env)
        self.env.cr.execute(
            'SELECT use_payment_terminal, payment_method_type FROM pos_payment_method '
            'WHERE id = %s',
            [self.octopus.id],
        )
        self.assertEqual(self.env.cr.fetchone(), ('qfpay', 'terminal'))
        self.assertTrue(self.cash.is_cash_count)

    def test_payments_keep_their_facts(self):
        """The books stay as they are."""
        payment = self.paid(syssn='42').pos_payment_id
        uninstall_hook(self.env)
        self.assertEqual(payment.transaction_id, '42')
        self.assertEqual(payment.payment_status, 'done')

    def test_refused_while_a_payment_is_under_way(self):
        """What becomes of it would never be known: neither by the button, nor past it."""
        module = self.env.ref('base.module_pos_payment_qfpay')
        for state in OPEN:
            row = self.row_in(state)
            with self.subTest(state):
                with self.assertRaisesRegex(UserError, row.reference):
                    module.button_uninstall()
                with self.assertRaisesRegex(UserError, row.reference):
                    uninstall_hook(self.env)
                self.assertEqual(self.card.use_payment_terminal, 'qfpay_ecr')
                self.assertNotEqual(module.state, 'to remove')
            self.close(row)
        module.button_uninstall()
        self.assertEqual(module.state, 'to remove')

    def test_other_modules_go(self):
        """A payment under way holds up nobody else's uninstallation."""
        self.row_in('unknown')
        other = self.env.ref('base.module_pos_qfpay')
        other.button_uninstall()
        self.assertEqual(other.state, 'to remove')
