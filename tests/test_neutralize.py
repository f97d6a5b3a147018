from odoo.addons.pos_payment_qfpay.courier import Word
from odoo.addons.pos_payment_qfpay.ledger.states import OPEN
from odoo.addons.pos_payment_qfpay.ledger.testimony import About, Witness
from odoo.exceptions import UserError
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import tagged

from .common import POS_KEY
from .openapi_shop import CLIENT_KEY, OpenApiCase


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestNeutralize(OpenApiCase):
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

    def test_no_account_is_left(self):
        """The copy cannot sign for the shop, and QFPay's notifications do not find it."""
        archived = self.env['qfpay.account'].create(
            {
                'name': 'Old',
                'app_code': 'APPCODE9',
                'client_key': CLIENT_KEY,
                'mchid': 'M1',
                'active': False,
            }
        )
        tokens = {account: account.notify_token for account in self.account | archived}
        self.neutralize()
        for account, token in tokens.items():
            self.assertFalse(account.app_code)
            self.assertFalse(account.client_key)
            self.assertFalse(account.custom_url)
            self.assertEqual(account.environment, 'sandbox')
            self.assertTrue(account.notify_token)
            self.assertNotEqual(account.notify_token, token)
        self.assertNotEqual(self.account.notify_token, archived.notify_token)

    def test_no_customers_code_is_left(self):
        """Neither of what was just sent, nor of what was about to be."""
        row = self.begin(self.payment(10, self.scanned), '281234567890123456')
        self.assertTrue(row.auth_code)
        self.neutralize()
        self.assertFalse(row.auth_code)

    def in_every_open_state(self):
        """A payment in each of them, and one that has failed and is to be looked at again."""
        rows = self.env['qfpay.transaction']
        for state in OPEN:
            row = self.begin(self.payment(10, self.shown))
            if state != 'draft':
                self.send_out(row)
            if state == 'unknown':
                self.lose_answer(row)
            elif state == 'pending':
                self.learn(row, self.outcome(row, 'pending'), 'answer')
            self.assertEqual(row.state, state)
            rows |= row
        return rows

    def test_copy_asks_nobody(self):
        """What the original waits for is over in the copy: no courier finds anything to do."""
        rows = self.in_every_open_state()
        failed = self.row_in('failed')
        untold = self.sent(till=self.till_2)
        untold._hear(
            Word(
                witness=Witness.ANSWER,
                about=About.REQUEST,
                outcome=self.outcome(untold, 'failed'),
            )
        )
        everything = rows | failed | untold
        self.assertTrue(all(everything.mapped('next_step_at')))
        self.assertTrue(untold.tell_at)
        owners = everything.link_id.filtered('owner')
        self.assertTrue(owners)
        self.neutralize()
        self.assertEqual(set(rows.mapped('state')), {'failed'})
        self.assertTrue(all(rows.mapped('needs_attention')))
        for row in rows:
            self.assertIn('this copy', row.attention)
        self.assertFalse(any(everything.mapped('next_step_at')))
        self.assertFalse(any(everything.mapped('tell_at')))
        self.assertFalse(any(owners.mapped('owner')))
        self.assertFalse(any(owners.mapped('lease_until')))
        self.age(everything, 7200)
        looked = self.env['qfpay.link']._look('anybody', set(), {})
        self.assertFalse(looked.due)
        for row in everything:
            for lane in ('send', 'talk'):
                self.assertIsNone(self.claim(row, lane))

    def test_what_was_open_stays_failed(self):
        """A later word judges from what was said: the copy's end is among it."""
        rows = self.in_every_open_state()
        self.neutralize()
        for row in rows:
            self.learn(row, self.outcome(row, 'unknown'), 'inquiry')
            self.assertEqual(row.state, 'failed')

    def test_history_stays(self):
        """What was paid is paid in the copy too."""
        row = self.paid()
        self.neutralize()
        self.assertEqual(row.state, 'done')
        self.assertFalse(row.needs_attention)
        self.assertEqual(row.pos_payment_id.qfpay_confirmation, 'confirmed')

    def test_copy_says_what_is_missing(self):
        """A cashier who tries to pay in the copy reads that the terminal is not set up."""
        payment = self.payment()
        self.neutralize()
        self.assert_refused('config', payment)
        with self.assertRaises(UserError):
            self.terminal.with_user(self.manager).action_test()

    def test_copy_can_be_given_a_simulator(self):
        """With another address and key the copy takes payments again."""
        payment = self.payment()
        row = self.begin(payment)
        self.send_out(row)
        self.neutralize()
        self.terminal.write({'host': '127.0.0.1', 'port': 9001, 'pos_key': POS_KEY})
        again = self.begin(payment)
        self.assertNotEqual(again, row)
        self.assertTrue(self.send_out(again))

    def test_other_payments_go_on(self):
        """The tills of the copy sell for cash."""
        self.neutralize()
        order = self.sync(self.order(self.line(method=self.cash), state='paid'))
        self.assertEqual(order.state, 'paid')
