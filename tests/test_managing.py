"""What a manager decides after a look into QFPay's portal, and what nobody else may."""

import json

from odoo.addons.pos_payment_qfpay.cashier.status import left_to_refund
from odoo.addons.pos_payment_qfpay.ledger.testimony import About, Fact
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import ShopCase


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestManaging(ShopCase):
    def as_manager(self, row):
        return row.with_user(self.manager)

    def said_by(self, row, fact):
        """Who said such a thing."""
        return row.testimony_ids.filtered(lambda word: word.fact == fact).user_id

    def test_decision_carries_the_name(self):
        """A manager ends an open payment either way, and the record says who did."""
        for state, action in (('done', 'action_set_done'), ('failed', 'action_set_failed')):
            for before in ('sent', 'pending', 'unknown'):
                row = self.row_in(before)
                getattr(self.as_manager(row), action)()
                self.assertEqual(row.state, state)
                self.assertEqual(row.state_source, 'manager')
                self.assertTrue(row.by_manager)
                self.assertEqual(self.said_by(row, state), self.manager)
                self.assertTrue(row.decided_at)
                expected = {'done': 'done', 'failed': 'retry'}[state]
                self.assertEqual(row.pos_payment_id.payment_status, expected)

    def test_money_moved_by_a_managers_word(self):
        """It reads as the manager's on the payment, and never as QFPay's."""
        row = self.row_in('unknown')
        self.as_manager(row).action_set_done()
        payment = row.pos_payment_id
        self.assertEqual(payment.qfpay_confirmation, 'manager')
        labels = dict(payment._fields['qfpay_confirmation']._description_selection(self.env))
        self.assertNotIn('QFPay', labels['manager'])
        # the order is paid with it, and nothing of it is in doubt
        payment.pos_order_id.with_user(self.cashier).action_pos_order_paid()
        self.assertEqual(payment.qfpay_confirmation, 'manager')
        self.assertFalse(row.needs_attention)

    def test_qfpay_confirms_the_manager(self):
        """Asked on, QFPay says the same: then it is QFPay's word."""
        row = self.row_in('unknown')
        self.as_manager(row).action_set_done()
        self.age(row, 61)
        errand = self.claim(row)
        self.assertIs(errand.about, About.NUMBER)
        self.report(errand, self.outcome(row, 'done', syssn='7', card_last4='1096'))
        self.assertEqual((row.by_manager, row.state_source, row.syssn), (False, 'inquiry', '7'))
        self.assertEqual(row.pos_payment_id.qfpay_confirmation, 'confirmed')
        self.assertEqual(row.pos_payment_id.transaction_id, '7')
        self.assertFalse(row.needs_attention)

    def test_qfpay_confirms_that_no_money_moved(self):
        """The same for a payment that a manager called failed."""
        row = self.row_in('unknown')
        self.as_manager(row).action_set_failed()
        self.age(row, 61)
        self.report(self.claim(row), self.outcome(row, 'failed'))
        self.assertEqual(
            (row.state, row.by_manager, row.state_source), ('failed', False, 'inquiry')
        )
        self.assertFalse(row.needs_attention)

    def test_qfpay_contradicts_the_manager(self):
        """QFPay's own word after a manager's decision calls the manager again."""
        row = self.row_in('unknown')
        self.as_manager(row).action_set_failed()
        self.learn(row, self.outcome(row, 'done'), 'inquiry')
        self.assertEqual((row.state, row.by_manager), ('done', False))
        self.assertEqual(self.alarms(row), ['manager_contradicted'])
        row = self.row_in('unknown')
        self.as_manager(row).action_set_done()
        self.learn(row, self.outcome(row, 'failed'), 'inquiry')
        self.assertEqual((row.state, row.by_manager), ('done', True))
        self.assertEqual(self.alarms(row), ['manager_contradicted'])
        self.assertEqual(row.pos_payment_id.qfpay_confirmation, 'manager')

    def test_decided_without_a_number(self):
        """QFPay gives back by its own number: without it, nothing is left to give back."""
        row = self.row_in('unknown')
        self.as_manager(row).action_set_done()
        self.assertEqual(left_to_refund(row), 0)
        row.pos_order_id.with_user(self.cashier).action_pos_order_paid()
        self.assert_refused('refund', self.refund_line(row))
        self.learn(row, self.outcome(row, 'done', syssn='7'), 'inquiry')
        self.assertEqual(left_to_refund(row), row.amount)

    def test_decided_payments_stay(self):
        """What is decided, and what never left, is not for a manager to change."""
        for state in ('draft', 'done', 'failed', 'cancelled', 'reversed'):
            row = self.row_in(state)
            for action in ('action_set_done', 'action_set_failed'):
                with self.assertRaises(UserError):
                    getattr(self.as_manager(row), action)()
                self.assertEqual(row.state, state)
            if state == 'draft':
                self.close(row)

    def test_looked_at(self):
        """A manager who has looked takes the alarm away, under his name, until the next one."""
        row = self.row_in('failed')
        self.learn(row, self.outcome(row, 'done'), 'notification')
        self.assertTrue(row.attention)
        self.as_manager(row).action_clear_attention()
        self.assertFalse(row.attention)
        self.assertFalse(row.needs_attention)
        self.assertEqual(self.said_by(row, 'looked_at'), self.manager)
        self.learn(row, self.outcome(row, 'done', amount_minor=1), 'inquiry')
        self.assertEqual(self.alarms(row), ['contradiction'])

    def test_looked_at_line_that_is_gone(self):
        """What stands on Odoo's side is told once, not with every word again."""
        row = self.row_in('failed')
        row.pos_payment_id.unlink()
        self.learn(row, self.outcome(row, 'done', syssn='7'), 'notification')
        self.assertIn('line_gone', self.alarms(row))
        self.as_manager(row).action_clear_attention()
        self.learn(row, self.outcome(row, 'done', syssn='7', card_last4='1096'), 'inquiry')
        self.assertFalse(self.alarms(row))

    def test_ask_again(self):
        """The button has QFPay asked now, whoever has the link; also before a decision."""
        row = self.row_in('unknown')
        self.age(row, 3)
        self.report(self.claim(row), self.outcome(row, 'unknown'))
        self.assertIsNone(self.claim(row))
        notice = self.as_manager(row).action_inquire()
        self.assertEqual(notice['params']['type'], 'info')
        self.assertIs(self.claim(row).about, About.NUMBER)

    def test_cashiers_decide_nothing(self):
        """A cashier cannot call a payment done, nor wipe away an alarm."""
        row = self.row_in('unknown')
        self.learn(row, self.outcome(row, 'done', amount_minor=1), 'inquiry')
        for user in (self.cashier, self.stranger, self.clerk):
            for action in (
                'action_set_done',
                'action_set_failed',
                'action_clear_attention',
                'action_download_conversation',
                '_conversation',
            ):
                with self.subTest(f'{user.login}, {action}'), self.assertRaises(AccessError):
                    getattr(row.with_user(user), action)()
        self.assertEqual(row.state, 'unknown')
        self.assertEqual(self.alarms(row), ['contradiction'])

    def test_nobody_writes_the_ledger(self):
        """Neither cashier nor manager can create, change or delete a row."""
        row = self.row_in('unknown')
        for user in (self.cashier, self.manager, self.stranger, self.clerk):
            mine = row.with_user(user)
            with self.subTest(user.login):
                with self.assertRaises(AccessError):
                    mine.write({'state': 'done'})
                with self.assertRaises(AccessError):
                    mine.unlink()
                with self.assertRaises(AccessError):
                    mine.create({'reference': 'forged'})
                with self.assertRaises(AccessError):
                    mine.copy({'reference': 'forged'})
        self.assertEqual(row.state, 'unknown')

    def test_lists_have_sums(self):
        """The amount is stored, so that a manager's list adds up; a refund is negative."""
        paid = self.paid(100, method=self.wallet)
        refund = self.sent_refund(paid, 30)
        ((total,),) = self.env['qfpay.transaction']._read_group(
            [('id', 'in', (paid | refund).ids)], [], ['amount:sum']
        )
        self.assertEqual(total, 70)

    def test_conversation(self):
        """Support reads all that was said, in order, with the times."""
        row = self.row_in('unknown')
        self.note(row, Fact.UNANSWERED, About.NUMBER, reason='timeout')
        self.learn(row, self.outcome(row, 'done', syssn='7'), 'inquiry')
        action = self.as_manager(row).action_download_conversation()
        self.assertTrue(action['url'].endswith(f'/conversation/{row.id}'))
        told = json.loads(self.as_manager(row)._conversation())
        self.assertEqual(told['transaction']['state'], 'done')
        self.assertEqual(
            [(word['witness'], word['fact']) for word in told['heard']],
            [
                ('server', 'sent'),
                ('server', 'answer_lost'),
                ('server', 'unanswered'),
                ('inquiry', False),
            ],
        )
        self.assertEqual(told['heard'][-1]['outcome']['syssn'], '7')
