import uuid

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import ShopCase

FORGED = {
    'transaction_id': 'forged',
    'payment_ref_no': 'forged',
    'card_brand': 'VISA',
    'card_no': '1111',
    'card_type': 'CREDIT',
    'qfpay_confirmation': 'confirmed',
}


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestPosPayment(ShopCase):
    """What stands on a payment of a QFPay method is the ledger's word, never the browser's."""

    def assert_forged_nothing(self, payment):
        facts = payment.read(list(FORGED))[0]
        facts.pop('id')
        self.assertNotIn('forged', facts.values())
        self.assertFalse(facts['card_no'])
        self.assertNotEqual(facts['qfpay_confirmation'], 'confirmed')

    def update(self, payment, user=None, **values):
        """The browser sends an order again, with one line changed."""
        order = payment.pos_order_id
        sent = self.order(self.line(order.amount_total), uuid=order.uuid)
        sent.update(lines=[], payment_ids=[Command.update(payment.id, values)])
        return self.sync(sent, user=user)

    # ------------------------------------------------------------------
    # What a browser claims
    # ------------------------------------------------------------------

    def test_line_that_waits_is_not_doubted(self):
        """A line that nobody calls done carries no remark."""
        self.assertFalse(self.payment().qfpay_confirmation)

    def test_forged_facts_do_not_arrive_with_a_new_order(self):
        """A till that sends QFPay's facts with a new line is not believed."""
        payment = self.payment(payment_status='done', **FORGED)
        self.assert_forged_nothing(payment)
        self.assertEqual(payment.qfpay_confirmation, 'unconfirmed')

    def test_forged_facts_do_not_arrive_with_an_update(self):
        """A till that sends QFPay's facts with a changed line is not believed."""
        payment = self.payment()
        self.update(payment, payment_status='done', **FORGED)
        self.assert_forged_nothing(payment)
        self.assertEqual(payment.qfpay_confirmation, 'unconfirmed')

    def test_forged_facts_do_not_arrive_over_rpc(self):
        """A cashier who writes on the record itself is not believed."""
        payment = self.payment()
        payment.with_user(self.cashier).write({'payment_status': 'done', **FORGED})
        self.assert_forged_nothing(payment)
        self.assertEqual(payment.qfpay_confirmation, 'unconfirmed')

    def test_forged_facts_do_not_arrive_as_defaults(self):
        """Defaults in the context of a call are no way round."""
        order = self.payment().pos_order_id
        context = {f'default_{name}': value for name, value in FORGED.items()}
        context['default_payment_status'] = 'done'
        payments = self.env['pos.payment'].with_user(self.cashier).with_context(**context)
        payment = payments.create(
            {'pos_order_id': order.id, 'amount': 5, 'payment_method_id': self.card.id}
        )
        self.assert_forged_nothing(payment)
        self.assertEqual(payment.qfpay_confirmation, 'unconfirmed')

    def test_forged_facts_do_not_arrive_by_way_of_cash(self):
        """A cash payment with invented facts does not keep them when it becomes a card payment."""
        payment = self.payment(method=self.cash, payment_status='done', **FORGED)
        payment.with_user(self.cashier).write(FORGED)
        self.assertFalse(payment.qfpay_confirmation)
        payment.with_user(self.cashier).payment_method_id = self.card
        self.assert_forged_nothing(payment)
        self.assertEqual(payment.qfpay_confirmation, 'unconfirmed')

    def test_copy_of_a_paid_line_is_not_paid(self):
        """Who copies a confirmed payment gets one that QFPay knows nothing of."""
        row = self.paid()
        order = self.payment().pos_order_id
        copy = row.pos_payment_id.with_user(self.cashier).copy({'pos_order_id': order.id})
        self.assertFalse(copy.transaction_id)
        self.assertEqual(copy.qfpay_confirmation, 'unconfirmed')

    def test_line_without_a_status_counts_as_paid(self):
        """The POS takes a line without a status for paid, so it is marked."""
        self.assertEqual(self.payment(payment_status=False).qfpay_confirmation, 'unconfirmed')
        self.assertEqual(self.payment(payment_status='reversed').qfpay_confirmation, 'unconfirmed')

    def test_line_called_off_again_is_not_doubted_any_more(self):
        """Done by mistake and taken back before the order is paid: no remark stays."""
        payment = self.payment(payment_status='done')
        self.update(payment, payment_status='retry')
        self.assertFalse(payment.qfpay_confirmation)

    def test_order_paid_with_a_line_that_still_waits(self):
        """An order that a till closes while the card was never taken shows as unconfirmed."""
        for status in ('pending', 'waitingCard', 'retry', 'force_done'):
            with self.subTest(status):
                line = self.line(payment_status=status)
                order = self.sync(self.order(line, state='paid'))
                self.assertEqual(order.state, 'paid')
                self.assertEqual(order.payment_ids.qfpay_confirmation, 'unconfirmed')

    def test_order_that_is_closed_around_a_line_that_still_waits(self):
        """Whoever closes it, and by whichever way."""
        order = self.payment().pos_order_id
        self.assertFalse(order.payment_ids.qfpay_confirmation)
        order.with_user(self.cashier).write({'state': 'paid'})
        self.assertEqual(order.payment_ids.qfpay_confirmation, 'unconfirmed')

    def test_doubt_stays_after_the_order_is_paid(self):
        """A cashier cannot wipe the doubt away by taking the word back."""
        order = self.sync(self.order(self.line(payment_status='done'), state='paid'))
        order.payment_ids.with_user(self.cashier).write({'payment_status': 'retry'})
        self.assertEqual(order.payment_ids.qfpay_confirmation, 'unconfirmed')

    def test_line_added_to_a_paid_order(self):
        """A QFPay line that is added when the order is paid already is unconfirmed."""
        order = self.sync(self.order(self.line(method=self.cash), state='paid'))
        payment = (
            self.env['pos.payment']
            .with_user(self.cashier)
            .create(
                {
                    'pos_order_id': order.id,
                    'amount': 5,
                    'payment_method_id': self.card.id,
                    'payment_status': 'pending',
                }
            )
        )
        self.assertEqual(payment.qfpay_confirmation, 'unconfirmed')

    def paid_in_cash(self):
        """An order that is closed, and owes nothing."""
        return self.sync(self.order(self.line(method=self.cash), state='paid'))

    def test_waiting_line_that_is_moved_to_a_paid_order(self):
        """Whichever way a line comes to stand on a paid order, it counts there as paid."""
        paid = self.paid_in_cash()
        for move in (
            lambda line: line.write({'pos_order_id': paid.id}),
            lambda line: paid.with_user(self.cashier).write(
                {'payment_ids': [Command.link(line.id)]}
            ),
        ):
            payment = self.payment(5)
            self.assertFalse(payment.qfpay_confirmation)
            move(payment.with_user(self.cashier))
            self.assertEqual(payment.pos_order_id, paid)
            self.assertEqual(payment.qfpay_confirmation, 'unconfirmed')

    def test_line_of_a_paid_order_by_a_default(self):
        """The order may come from the context of the call, too."""
        paid = self.paid_in_cash()
        payments = self.env['pos.payment'].with_user(self.cashier)
        payment = payments.with_context(default_pos_order_id=paid.id).create(
            {'amount': 5, 'payment_method_id': self.card.id, 'payment_status': 'pending'}
        )
        self.assertEqual(payment.pos_order_id, paid)
        self.assertEqual(payment.qfpay_confirmation, 'unconfirmed')

    def test_other_methods_are_left_alone(self):
        """Cash, and other providers' terminals, keep what their own modules write."""
        payment = self.payment(method=self.cash, payment_status='done', transaction_id='theirs')
        self.assertEqual(payment.transaction_id, 'theirs')
        self.assertFalse(payment.qfpay_confirmation)
        self.sync(self.order(self.line(method=self.cash), state='paid'))
        self.assertFalse(payment.qfpay_confirmation)

    # ------------------------------------------------------------------
    # Doubt that somebody would like to be rid of
    # ------------------------------------------------------------------

    def doubtful(self):
        """A payment of a paid order that QFPay never confirmed."""
        order = self.sync(self.order(self.line(10, payment_status='done'), state='paid'))
        payment = order.payment_ids
        self.assertEqual(payment.qfpay_confirmation, 'unconfirmed')
        return payment.with_user(self.cashier)

    def assert_traced(self, order, *words):
        """The order tells whoever looks what became of its payment, and who did it."""
        message = order.sudo().message_ids.filtered(lambda it: 'never confirmed' in it.body)
        self.assertEqual(len(message), 1)
        self.assertEqual(message.author_id, self.cashier.partner_id)
        for word in ('10.00', *words):
            self.assertIn(word, message.body)

    def test_doubtful_payment_that_is_removed(self):
        """By its own button, or out of the order: a message stays on the order."""
        payment = self.doubtful()
        order = payment.pos_order_id
        payment.unlink()
        self.assert_traced(order, 'removed')
        payment = self.doubtful()
        order = payment.pos_order_id
        cash = Command.create(self.line(10, self.cash, payment_status=False))
        order.write({'payment_ids': [Command.delete(payment.id), cash]})
        self.assertFalse(payment.exists())
        self.assert_traced(order, 'removed')

    def test_doubtful_payment_that_is_turned(self):
        """It becomes cash: a message stays on the order."""
        payment = self.doubtful()
        payment.payment_method_id = self.cash
        self.assertFalse(payment.qfpay_confirmation)
        self.assert_traced(payment.pos_order_id, 'card_payment', self.cash.name)

    def test_doubtful_payment_of_another_qfpay_method(self):
        """Turned into a wallet's, it is as doubtful as before."""
        payment = self.doubtful()
        payment.payment_method_id = self.wallet
        self.assertEqual(payment.qfpay_confirmation, 'unconfirmed')

    def test_doubtful_payment_that_is_moved_away(self):
        """To an order that is still open, where it would only wait: a message stays."""
        payment = self.doubtful()
        order = payment.pos_order_id
        payment.write({'pos_order_id': self.payment().pos_order_id.id, 'payment_status': 'pending'})
        self.assert_traced(order)

    def test_doubtful_payment_that_becomes_nothing(self):
        """Of no amount it counts as no payment: a message stays."""
        payment = self.doubtful()
        payment.amount = 0
        self.assert_traced(payment.pos_order_id)

    def test_certain_payments_leave_no_trace(self):
        """What was never in doubt needs no message."""
        for payment in (self.paid_in_cash().payment_ids, self.payment()):
            order = payment.pos_order_id
            payment.with_user(self.cashier).unlink()
            self.assertFalse(order.sudo().message_ids)

    # ------------------------------------------------------------------
    # What the ledger knows stays
    # ------------------------------------------------------------------

    def confirmed(self, amount=10.1):
        row = self.sent(amount)
        self.learn(row, self.outcome(row, 'done', syssn='77', card_scheme='VISA'), 'answer')
        return row.pos_payment_id

    def test_done_reaches_the_payment(self):
        """QFPay's word arrives on the payment, with its number and the card."""
        payment = self.confirmed()
        self.assertEqual(payment.payment_status, 'done')
        self.assertEqual(payment.transaction_id, '77')
        self.assertEqual(payment.card_brand, 'VISA')
        self.assertEqual(payment.qfpay_confirmation, 'confirmed')

    def test_late_sync_does_not_undo_what_qfpay_said(self):
        """A copy of the order that left the browser before the result changes nothing."""
        payment = self.confirmed()
        stale = self.line(999, payment_status='waitingCard', uuid=payment.uuid, card_brand='')
        self.update(payment, **stale)
        self.assertEqual(payment.payment_status, 'done')
        self.assertEqual(payment.transaction_id, '77')
        self.assertEqual(payment.amount, 10.1)
        self.assertEqual(payment.qfpay_confirmation, 'confirmed')

    def test_late_sync_with_nothing_new_writes_nothing(self):
        """Of two who write one record Odoo makes the till wait; the courier may be the other."""
        payment = self.confirmed()
        sent = dict(self.line(uuid=payment.uuid, payment_status='done'), write_date=False)
        sent.update(name=payment.name, payment_date=fields.Datetime.to_string(payment.payment_date))
        before = self.place(payment)
        self.update(payment, **sent)
        self.assertEqual(self.place(payment), before)
        self.update(payment, **dict(sent, ticket='Thank you'))
        self.assertNotEqual(self.place(payment), before)

    def place(self, record):
        """Where the record's row lies in its table: elsewhere after every write."""
        self.env.flush_all()
        self.env.cr.execute(f'SELECT ctid FROM {record._table} WHERE id = %s', [record.id])
        return self.env.cr.fetchone()[0]

    def test_amount_method_and_order_are_fixed_while_under_way(self):
        """What the terminal asks for cannot be exchanged behind its back."""
        payment = self.payment()
        other = self.payment().pos_order_id
        self.begin(payment)
        changes = {
            'amount': 1,
            'payment_method_id': self.cash.id,
            'uuid': str(uuid.uuid4()),
            'pos_order_id': other.id,
        }
        before = payment.read(list(changes))
        payment.with_user(self.cashier).write(changes)
        self.assertEqual(payment.read(list(changes)), before)

    def test_paid_line_cannot_be_moved_to_another_order(self):
        """Money that paid one order does not pay a second one."""
        payment = self.confirmed()
        order = self.payment().pos_order_id
        order.with_user(self.cashier).write({'payment_ids': [Command.link(payment.id)]})
        self.assertNotEqual(payment.pos_order_id, order)

    def test_amount_may_change_after_a_failure(self):
        """A line that failed may be tried again with another amount."""
        payment = self.row_in('failed').pos_payment_id
        self.assertEqual(payment.payment_status, 'retry')
        self.update(payment, amount=5)
        self.assertEqual(payment.amount, 5)

    def test_name_of_a_line_is_fixed_with_its_first_attempt(self):
        """A late word about an earlier attempt finds its line, and no second charge begins."""
        payment = self.payment()
        row = self.begin(payment)
        self.close(row)
        payment.with_user(self.cashier).uuid = str(uuid.uuid4())
        self.assertEqual(payment.uuid, row.payment_uuid)

    def test_forced_line_is_confirmed_when_qfpay_says_so_later(self):
        """Forced by the cashier, the line is unconfirmed until QFPay's word comes."""
        row = self.sent()
        payment = row.pos_payment_id
        self.update(payment, payment_status='done')
        self.assertEqual(payment.qfpay_confirmation, 'unconfirmed')
        payment.pos_order_id.action_pos_order_paid()
        self.learn(row, self.outcome(row, 'done', syssn='78'), 'inquiry')
        self.assertEqual(payment.qfpay_confirmation, 'confirmed')
        self.assertEqual(payment.transaction_id, '78')

    def test_forced_line_stays_unconfirmed_when_qfpay_says_no(self):
        """A forced line whose payment failed is done for the till, unconfirmed for the manager."""
        row = self.sent()
        payment = row.pos_payment_id
        self.update(payment, payment_status='done')
        self.learn(row, self.outcome(row, 'failed'), 'answer')
        self.assertEqual(payment.payment_status, 'done')
        self.assertEqual(payment.qfpay_confirmation, 'unconfirmed')

    def test_draft_line_is_worth_what_qfpay_took(self):
        """When an earlier attempt turns out to be paid, the line takes over its amount."""
        first = self.row_in('failed', amount=100)
        payment = first.pos_payment_id
        self.update(payment, amount=60)
        self.learn(first, self.outcome(first, 'done', syssn='79'), 'notification')
        self.assertEqual(payment.amount, 100)
        self.assertEqual(payment.qfpay_confirmation, 'confirmed')

    def test_booked_line_of_another_amount_is_not_confirmed(self):
        """A payment that is booked with another amount than QFPay took is for the manager."""
        row = self.row_in('failed', amount=100)
        payment = row.pos_payment_id
        order = payment.pos_order_id
        self.update(payment, amount=60)
        order.lines.price_subtotal_incl = order.lines.price_unit = 60
        order._compute_prices()
        order.action_pos_order_paid()
        self.learn(row, self.outcome(row, 'done', syssn='80'), 'notification')
        self.assertEqual(payment.amount, 60)
        self.assertEqual(payment.qfpay_confirmation, 'unconfirmed')
        self.assertIn('booked_otherwise', self.alarms(row))

    # ------------------------------------------------------------------
    # What cannot be removed
    # ------------------------------------------------------------------

    def assert_refused(self, payment, action, *args):
        """The action raises, and payment and order stay as they were."""
        with self.subTest(f'{action.__name__} {args}'):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                action(*args)
            self.assertTrue(payment.exists())
            self.assertNotEqual(payment.pos_order_id.state, 'cancel')

    def assert_line_stays(self, payment):
        payment = payment.with_user(self.cashier)
        order = payment.pos_order_id
        self.assert_refused(payment, payment.unlink)
        self.assert_refused(payment, order._clean_payment_lines)
        for command in (
            Command.delete(payment.id),
            Command.unlink(payment.id),
            Command.clear(),
            Command.set([]),
        ):
            self.assert_refused(payment, order.write, {'payment_ids': [command]})

    def test_line_under_way_cannot_be_removed(self):
        """A line whose payment is under way survives every attempt to remove it."""
        payment = self.payment()
        self.begin(payment)
        self.assert_line_stays(payment)

    def test_line_of_a_closed_order_cannot_be_removed(self):
        """What QFPay has taken for a closed order is given back, and not forgotten."""
        row = self.paid()
        self.assert_line_stays(row.pos_payment_id)
        self.assertFalse(row.needs_attention)

    def test_paid_line_of_an_open_order_does_not_vanish_quietly(self):
        """A till that does not know yet may remove it: the money stays, and a manager is called."""
        payment = self.confirmed()
        row = payment.qfpay_transaction_ids
        payment.with_user(self.cashier).unlink()
        self.env.invalidate_all()
        self.assertEqual(row.state, 'done')
        self.assertEqual(self.alarms(row), ['line_gone'])

    def test_order_at_qfpay_cannot_be_cancelled_or_removed(self):
        """An order whose money is under way or taken cannot vanish."""
        payment = self.payment()
        row = self.begin(payment)
        order = payment.pos_order_id.with_user(self.cashier)
        another = self.payment(till=self.till_2).pos_order_id
        for state in ('draft', 'sent', 'unknown', 'done'):
            if state == 'sent':
                self.send_out(row)
            elif state != 'draft':
                self.learn(row, self.outcome(row, state), 'answer')
            self.assertEqual(row.state, state)
            self.assert_refused(payment, order.action_pos_order_cancel)
            self.assert_refused(payment, (order | another).action_pos_order_cancel)
            self.assert_refused(payment, order.write, {'state': 'cancel'})
            self.assert_refused(payment, order.remove_from_ui, order.ids)
            self.assert_refused(payment, order.unlink)

    def test_order_without_money_can_be_cancelled(self):
        """Failed and called-off payments hold nobody up."""
        for state in ('failed', 'cancelled'):
            payment = self.row_in(state).pos_payment_id
            payment.pos_order_id.with_user(self.cashier).action_pos_order_cancel()
            self.assertEqual(payment.pos_order_id.state, 'cancel')

    def test_order_without_money_can_be_removed(self):
        """An order whose payment failed can be removed; what was tried stays in the ledger."""
        row = self.row_in('failed')
        payment = row.pos_payment_id
        payment.pos_order_id.with_user(self.cashier).unlink()
        self.env.invalidate_all()
        self.assertFalse(payment.exists())
        self.assertEqual(row.state, 'failed')
        self.assertFalse(row.pos_payment_id)

    def test_money_for_a_line_that_is_gone(self):
        """Money that arrives after its line was removed is kept in the ledger, for a manager."""
        row = self.row_in('failed')
        payment = row.pos_payment_id
        payment.unlink()
        self.learn(row, self.outcome(row, 'done', syssn='81'), 'notification')
        self.assertEqual(row.state, 'done')
        self.assertEqual(self.alarms(row), ['done_after_all', 'line_gone'])

    def test_money_for_a_line_that_the_till_removes(self):
        """The line failed, the cashier took cash, then QFPay says done: the order can be closed."""
        row = self.row_in('failed')
        payment = row.pos_payment_id
        order = payment.pos_order_id
        # QFPay's word comes before the till's, which knows nothing of it
        self.learn(row, self.outcome(row, 'done', syssn='81'), 'notification')
        self.assertEqual(payment.payment_status, 'done')
        self.env.cr.precommit.run()
        self.env['bus.bus'].search([]).unlink()
        sent = self.order(self.line(10.1, self.cash), state='paid', uuid=order.uuid)
        sent.update(lines=[])
        sent['payment_ids'].insert(0, Command.delete(payment.id))
        self.sync(sent)
        self.assertEqual(order.state, 'paid')
        self.assertEqual(order.payment_ids.payment_method_id, self.cash)
        self.assertFalse(payment.exists())
        self.env.invalidate_all()
        self.assertEqual(row.state, 'done')
        self.assertIn('line_gone', self.alarms(row))
        self.assertIn('payment line is gone', row.attention)
        self.env.cr.precommit.run()
        told = [it for it in self.env['bus.bus'].search([]).mapped('message') if 'QFPAY' in it]
        self.assertTrue(any(row.reference in it for it in told), 'the till is told')

    def test_money_for_an_order_that_was_cancelled(self):
        """Money that arrives after its order was cancelled is on the payment, for a manager."""
        row = self.row_in('cancelled')
        payment = row.pos_payment_id
        payment.pos_order_id.action_pos_order_cancel()
        self.learn(row, self.outcome(row, 'done', syssn='82'), 'notification')
        self.assertEqual(payment.payment_status, 'done')
        self.assertEqual(payment.transaction_id, '82')
        self.assertIn('order_cancelled', self.alarms(row))

    def test_order_cancelled_in_the_moment_of_the_start(self):
        """Two tills, one cancels the order while the other asks for money: a manager is told."""
        row = self.sent()
        payment = row.pos_payment_id
        self.env.flush_all()
        # The other till's transaction could not see the row.
        order_id = payment.pos_order_id.id
        self.env.cr.execute("UPDATE pos_order SET state = 'cancel' WHERE id = %s", [order_id])
        self.env.invalidate_all()
        self.learn(row, self.outcome(row, 'done', syssn='83'), 'answer')
        self.assertEqual(payment.transaction_id, '83')
        self.assertIn('order_cancelled', self.alarms(row))
