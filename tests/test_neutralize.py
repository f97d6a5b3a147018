from odoo.addons.pos_payment_qfpay.models.qfpay_start import StartRefused
from odoo.addons.pos_payment_qfpay.models.qfpay_states import OPEN_STATES
from odoo.exceptions import UserError
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import tagged

from .common import POS_KEY, ShopCase


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestNeutralize(ShopCase):
    """A copy of the database for testing reaches no real terminal, and can be worked with."""

    def neutralize(self):
        self.env.flush_all()
        for query in get_neutralization_queries(['pos_payment_qfpay']):
            self.env.cr.execute(query)
        self.env.invalidate_all()

    def test_no_key_and_no_address_is_left(self):
        """The copy knows neither key nor address of a terminal."""
        archived = self.env['qfpay.terminal'].create(
            {'name': 'Old', 'host': '10.0.0.9', 'pos_key': POS_KEY, 'active': False}
        )
        self.neutralize()
        for terminal in self.terminal | self.terminal_2 | archived:
            self.assertFalse(terminal.host)
            self.assertFalse(terminal.pos_key)

    def test_copy_asks_nobody(self):
        """What the original waits for is over in the copy: no courier sets out."""
        rows = self.env['qfpay.transaction']
        for state in OPEN_STATES:
            row = self.begin(self.payment())
            row.state = state
            rows |= row
            self.env.flush_all()
            # The terminal has one job at a time; the next one needs it.
            row.terminal_id = False
        self.neutralize()
        self.assertEqual(set(rows.mapped('state')), {'failed'})
        self.assertTrue(all(rows.mapped('attention')))
        self.env['qfpay.transaction']._cron_take_up()
        self.assertFalse(self.sent_out)

    def test_history_stays(self):
        """What was paid is paid in the copy too."""
        row = self.paid()
        self.neutralize()
        self.assertEqual(row.state, 'done')
        self.assertFalse(row.attention)
        self.assertEqual(row.pos_payment_id.qfpay_confirmation, 'confirmed')

    def test_copy_says_what_is_missing(self):
        """A cashier who tries to pay in the copy reads that the terminal is not set up."""
        payment = self.payment()
        self.neutralize()
        with self.assertRaises(StartRefused) as refusal:
            self.begin(payment)
        self.assertEqual(refusal.exception.code, 'config')
        with self.assertRaises(UserError):
            self.terminal.with_user(self.manager).action_test()

    def test_copy_can_be_given_a_simulator(self):
        """With another address and key the copy takes payments again."""
        payment = self.payment()
        row = self.begin(payment)
        row._claim()
        self.neutralize()
        self.terminal.write({'host': '127.0.0.1', 'port': 9001, 'pos_key': POS_KEY})
        again = self.begin(payment)
        self.assertNotEqual(again, row)
        _errand, is_new = again._claim()
        self.assertTrue(is_new)

    def test_other_payments_go_on(self):
        """The tills of the copy sell for cash."""
        self.neutralize()
        order = self.sync(self.order(self.line(method=self.cash), state='paid'))
        self.assertEqual(order.state, 'paid')
