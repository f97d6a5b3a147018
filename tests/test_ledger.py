from datetime import timedelta
from unittest.mock import patch

import psycopg2

from odoo import fields
from odoo.addons.pos_payment_qfpay import courier
from odoo.addons.pos_payment_qfpay.models.qfpay_start import Start, StartRefused
from odoo.addons.pos_payment_qfpay.models.qfpay_states import OPEN_STATES
from odoo.addons.pos_payment_qfpay.models.qfpay_terminal import GRACE
from odoo.addons.pos_payment_qfpay.qfpay.outcome import Outcome, Verdict
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ShopCase

STATES = (*OPEN_STATES, 'done', 'failed', 'cancelled')

# Written from the design, not from the code: what a row becomes when a witness says something.
# A verdict that is not listed changes nothing.
WHAT_FOLLOWS = {
    'draft': {'failed': 'failed', 'cancelled': 'cancelled'},
    'sent': {
        'pending': 'pending',
        'unknown': 'unknown',
        'done': 'done',
        'failed': 'failed',
        'cancelled': 'cancelled',
    },
    'pending': {
        'unknown': 'unknown',
        'done': 'done',
        'failed': 'failed',
        'cancelled': 'cancelled',
    },
    'unknown': {
        'pending': 'pending',
        'done': 'done',
        'failed': 'failed',
        'cancelled': 'cancelled',
    },
    'failed': {'done': 'done'},
    'cancelled': {'done': 'done'},
    'done': {},
}
ALLOWED_MOVES = {
    **{state: set(follows.values()) for state, follows in WHAT_FOLLOWS.items()},
    'draft': {'sent', 'failed', 'cancelled'},
}


class LedgerCase(ShopCase):
    def sent(self, amount=10.1, **values):
        """A payment whose request is on its way, and nothing is known."""
        row = self.begin(self.payment(amount, **values))
        row._claim()
        return row

    def row_in(self, state, **values):
        """A payment that is in some state, however it came there."""
        row = self.sent(**values)
        row.state = state
        return row

    def close(self, row):
        """Make way on its terminal for the next one."""
        row.state = 'failed'

    def assert_refused(self, code, payment, user=None):
        """The line is not started, for this reason.

        :return: what the cashier reads
        """
        before = self.env['qfpay.transaction'].search_count([])
        with self.assertRaises(StartRefused) as refusal:
            self.begin(payment, user)
        self.assertEqual(refusal.exception.code, code)
        self.assertEqual(self.env['qfpay.transaction'].search_count([]), before)
        return refusal.exception.message


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestLedgerStates(LedgerCase):
    """What may follow on what, and who may say so."""

    def test_every_witness_in_every_state(self):
        """Whatever QFPay says, in whatever order, a row only takes the ways of the design."""
        for state in STATES:
            row = self.row_in(state)
            for verdict in Verdict:
                for source in ('answer', 'notification', 'inquiry'):
                    with self.subTest(f'{state}, {verdict.value} by {source}'):
                        row.state = state
                        row.answered_at = row.attention = False
                        row._learn(self.outcome(row, verdict), source)
                        expected = WHAT_FOLLOWS[state].get(verdict.value, state)
                        self.assertEqual(row.state, expected)
                        if expected != state:
                            self.assertEqual(row.state_source, source)
            self.close(row)

    def test_no_other_way_between_states(self):
        """Whoever tries another way gets an error, and the row stays."""
        row = self.row_in('draft')
        for state in STATES:
            for target in STATES:
                with self.subTest(f'{state} to {target}'):
                    row.state = state
                    if target in ALLOWED_MOVES[state]:
                        row._move(target, 'answer', {})
                        self.assertEqual(row.state, target)
                    else:
                        with self.assertRaises(ValueError):
                            row._move(target, 'answer', {})
                        self.assertEqual(row.state, state)

    def test_whether_a_row_is_open_still(self):
        """The courier is told to ask on for as long as money can still move."""
        row = self.sent()
        self.assertTrue(row._learn(self.outcome(row, 'pending'), 'answer'))
        self.assertTrue(row._learn(self.outcome(row, 'unknown'), 'inquiry'))
        self.assertFalse(row._learn(self.outcome(row, 'done'), 'inquiry'))

    def test_same_word_twice_changes_nothing(self):
        """Three witnesses may say the same: the first one counts, no alarm is raised."""
        row = self.sent()
        row._learn(self.outcome(row, 'done', syssn='7'), 'notification')
        decided_at = row.decided_at
        row._learn(self.outcome(row, 'done', syssn='7'), 'answer')
        row._learn(self.outcome(row, 'done', syssn='7'), 'inquiry')
        self.assertEqual(row.state_source, 'notification')
        self.assertEqual(row.decided_at, decided_at)
        self.assertFalse(row.attention)

    def test_money_after_all(self):
        """QFPay's word that money moved outweighs its earlier no, and a manager is called."""
        for state in ('failed', 'cancelled'):
            row = self.row_in(state)
            row._learn(self.outcome(row, 'done', syssn='7'), 'notification')
            self.assertEqual(row.state, 'done')
            self.assertTrue(row.attention)
            self.assertEqual(row.pos_payment_id.payment_status, 'done')

    def test_money_after_all_calls_off_the_next_attempt(self):
        """A line that is paid is not paid once more because another attempt is under way."""
        first = self.row_in('failed')
        second = self.begin(first.pos_payment_id)
        second._claim()
        first._learn(self.outcome(first, 'done'), 'notification')
        self.assertTrue(second.cancel_requested_at)
        self.env.cr.postcommit.run()
        self.assertEqual(self.told_to_call_off, [second.id])
        self.assertNotIn('twice: ', first.attention)
        second._learn(self.outcome(second, 'done'), 'answer')
        self.assertIn(first.reference, second.attention)

    def test_money_after_all_before_the_next_attempt_was_sent(self):
        first = self.row_in('failed')
        second = self.begin(first.pos_payment_id)
        first._learn(self.outcome(first, 'done'), 'notification')
        self.assertEqual(second.state, 'cancelled')

    def test_money_back_after_all(self):
        """What was given back twice is not called paid twice."""
        paid = self.paid(method=self.wallet)
        line = self.refund_line(paid)
        first = self.begin(line)
        first._move('failed', 'answer', {})
        second = self.begin(line)
        second._claim()
        second._learn(self.outcome(second, 'done'), 'answer')
        first._learn(self.outcome(first, 'done'), 'notification')
        self.assertIn('given back twice', first.attention)
        self.assertIn(second.reference, first.attention)

    def test_given_back_by_ourselves_is_no_alarm(self):
        """QFPay calls a payment cancelled once its refund is done."""
        paid = self.paid(method=self.wallet)
        refund = self.begin(self.refund_line(paid))
        refund._claim()
        refund._learn(self.outcome(refund, 'done'), 'answer')
        paid._learn(self.outcome(paid, 'cancelled'), 'inquiry')
        self.assertEqual(paid.state, 'done')
        self.assertFalse(paid.attention)

    def test_no_after_the_cashier_said_yes(self):
        """The books hold money that never came: a manager is called."""
        for verdict in ('failed', 'cancelled'):
            row = self.row_in('unknown')
            row.pos_payment_id.write({'payment_status': 'done'})
            row._learn(self.outcome(row, verdict), 'inquiry')
            self.assertTrue(row.attention)
        row = self.row_in('unknown')
        row._learn(self.outcome(row, 'failed'), 'inquiry')
        self.assertFalse(row.attention)

    def test_no_after_yes(self):
        """When QFPay takes back that money moved, the row stays and a manager is called."""
        for verdict in ('failed', 'cancelled'):
            row = self.row_in('done')
            row._learn(self.outcome(row, verdict), 'inquiry')
            self.assertEqual(row.state, 'done')
            self.assertTrue(row.attention)

    def test_details_that_come_later(self):
        """An inquiry after the answer fills what was empty and leaves the rest."""
        row = self.sent()
        row._learn(self.outcome(row, 'done', syssn='7', card_scheme='VISA'), 'answer')
        later = self.outcome(row, 'done', syssn='8', card_last4='1096', card_type='CREDIT')
        row._learn(later, 'inquiry')
        self.assertEqual(row.syssn, '7')
        self.assertEqual(row.pos_payment_id.card_no, '1096')
        self.assertEqual(row.pos_payment_id.card_type, 'CREDIT')
        self.assertEqual(row.state_source, 'answer')

    def test_wallet_on_the_payment(self):
        """A wallet payment shows which wallet the customer used."""
        row = self.sent(method=self.wallet)
        row._learn(self.outcome(row, 'done', wallet='Alipay', pay_type='800108'), 'answer')
        self.assertEqual(row.pos_payment_id.card_type, 'Alipay')

    def test_failed_line_can_be_tried_again(self):
        """A payment that failed or was called off lets the cashier try again."""
        for state in ('failed', 'cancelled'):
            row = self.sent()
            row._learn(self.outcome(row, state), 'answer')
            self.assertEqual(row.pos_payment_id.payment_status, 'retry')

    def test_open_line_cannot_be_tried_again(self):
        """A lost answer never shows the cashier a way to charge again."""
        row = self.sent()
        status = row.pos_payment_id.payment_status
        for verdict in ('unknown', 'pending', 'unknown', 'not_found'):
            row._learn(self.outcome(row, verdict), 'inquiry')
            self.assertEqual(row.pos_payment_id.payment_status, status)
            self.assertIn(row._status()['state'], OPEN_STATES)


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestLedgerDoubts(LedgerCase):
    """Outcomes that cannot be about this payment, and "no such payment"."""

    CONTRADICTIONS = (
        {'amount_minor': 2020},
        {'amount_minor': -1010},
        {'amount_minor': 0},
        {'currency': 'USD'},
        {'reference': 'another-sale-1'},
        {'reference': ''},
    )

    def test_outcome_of_something_else_moves_nothing(self):
        """Another amount, currency or reference is no word about this payment."""
        row = self.row_in('sent')
        for state in ('pending', 'unknown', 'failed', 'cancelled'):
            for contradiction in self.CONTRADICTIONS:
                for verdict in ('done', 'failed', 'cancelled', 'pending'):
                    with self.subTest(f'{state}, {verdict}, {contradiction}'):
                        row.state = state
                        row.attention = False
                        outcome = self.outcome(row, verdict, syssn='8', **contradiction)
                        row._learn(outcome, 'inquiry')
                        self.assertEqual(row.state, state)
                        self.assertTrue(row.attention)
                        self.assertFalse(row.syssn)
                        self.assertFalse(row.pos_payment_id.transaction_id)

    def test_answer_about_something_else_is_a_lost_answer(self):
        """The request is out, and its answer says nothing: only an inquiry can tell."""
        row = self.sent()
        still_open = row._learn(self.outcome(row, 'failed', amount_minor=2020), 'answer')
        self.assertTrue(still_open)
        self.assertEqual(row.state, 'unknown')
        self.assertTrue(row.attention)

    def test_truth_after_a_contradiction(self):
        """A later true word still ends the payment; the manager's question stays open."""
        row = self.sent()
        row._learn(self.outcome(row, 'done', currency='USD'), 'answer')
        row._learn(self.outcome(row, 'done'), 'inquiry')
        self.assertEqual(row.state, 'done')
        self.assertTrue(row.attention)

    def test_contradiction_after_done(self):
        """A row that is done and hears of another amount calls a manager."""
        row = self.row_in('done')
        row._learn(self.outcome(row, 'done', amount_minor=1), 'inquiry')
        self.assertEqual(row.state, 'done')
        self.assertTrue(row.attention)

    def test_outcome_that_leaves_facts_out(self):
        """Terminals leave fields out; an absent fact contradicts nothing."""
        row = self.sent()
        row._learn(Outcome(verdict=Verdict.DONE), 'answer')
        self.assertEqual(row.state, 'done')
        self.assertFalse(row.attention)

    def not_found(self, row):
        row._learn(Outcome(verdict=Verdict.NOT_FOUND, code='6002', message='no such'), 'inquiry')
        return row.state

    def test_not_found_while_the_terminal_may_wait_for_the_card(self):
        """Before the card is there, no list has the payment: "not found" proves nothing."""
        row = self.sent()
        self.assertEqual(self.not_found(row), 'sent')
        row._learn(Outcome(verdict=Verdict.UNKNOWN), 'answer')
        self.assertEqual(self.not_found(row), 'unknown')
        row.deadline = fields.Datetime.now() + timedelta(seconds=5)
        self.assertEqual(self.not_found(row), 'unknown')

    def test_not_found_after_the_deadline(self):
        """When the customer's time is long over, "not found" means that nothing was paid."""
        row = self.sent()
        row._learn(Outcome(verdict=Verdict.UNKNOWN), 'answer')
        row.deadline = fields.Datetime.now() - timedelta(seconds=5)
        self.assertEqual(self.not_found(row), 'failed')

    def test_not_found_after_an_answer(self):
        """The terminal ended the request, so it does not wait: "not found" is a no, in a moment."""
        for code in ('4005', '6002'):
            row = self.sent()
            row._learn(Outcome(verdict=Verdict.UNKNOWN, code=code, message='declined'), 'answer')
            self.assertEqual(self.not_found(row), 'unknown')
            row.answered_at -= timedelta(seconds=3)
            self.assertEqual(self.not_found(row), 'failed')
            self.assertEqual(row.message, 'declined')

    def test_not_found_after_a_call_off(self):
        """Called off on the terminal, and nothing in QFPay's book: cancelled."""
        row = self.sent()
        row._learn(Outcome(verdict=Verdict.UNKNOWN, code='6001', message='cancelled'), 'answer')
        self.assertEqual(self.not_found(row), 'unknown')
        row.answered_at -= timedelta(seconds=3)
        self.assertEqual(self.not_found(row), 'cancelled')

    def test_not_found_after_a_word_of_success(self):
        """ "Carried out", or "in work", and nothing to be found: that may come yet."""
        for outcome in (
            Outcome(verdict=Verdict.UNKNOWN, code='6000'),
            Outcome(verdict=Verdict.PENDING, code='6002', inner_code='1145'),
        ):
            row = self.sent()
            row._learn(outcome, 'answer')
            row.answered_at -= timedelta(minutes=1)
            self.assertIn(self.not_found(row), OPEN_STATES)
            row.deadline = fields.Datetime.now() - timedelta(seconds=5)
            self.assertEqual(self.not_found(row), 'failed')

    def test_what_was_not_found_is_asked_about_once_more(self):
        """The end without QFPay's positive word is looked at again, minutes later."""
        asked = []
        self.patch(courier, 'ask_once', lambda db_name, row_id: asked.append(row_id))
        row = self.sent()
        row.deadline = fields.Datetime.now() - timedelta(seconds=5)
        self.assertEqual(self.not_found(row), 'failed')
        refused = self.sent()
        refused._learn(self.outcome(refused, 'failed'), 'answer')
        self.assertFalse(refused.ask_again_at)
        for expected in ([], [row.id], [row.id]):
            self.env['qfpay.transaction']._cron_take_up()
            self.env.cr.postcommit.run()
            self.assertEqual(asked, expected)
            if row.ask_again_at:
                row.ask_again_at -= timedelta(minutes=4)
        self.assertEqual(self.not_found(row), 'failed')
        self.assertFalse(row.attention)

    def test_a_payment_that_was_called_off_is_asked_about_once_more(self):
        """A reversal may give back what has just been paid."""
        row = self.sent()
        row._ask_call_off()
        row._learn(self.outcome(row, 'done'), 'answer')
        self.assertTrue(row.ask_again_at)
        row._learn(self.outcome(row, 'cancelled'), 'inquiry')
        self.assertEqual(row.state, 'done')
        self.assertTrue(row.attention)

    def test_inquiry_ends_no_request(self):
        """Only the terminal's answer to the request itself says that it does not wait any more."""
        row = self.sent()
        row._learn(Outcome(verdict=Verdict.UNKNOWN, code='4005'), 'inquiry')
        self.assertFalse(row.answered_at)
        self.assertEqual(self.not_found(row), 'unknown')

    def test_deadline_of_a_refund(self):
        """A terminal waits for a refund as long as it likes, not as long as for a payment."""
        self.terminal.timeout = 30
        row = self.begin(self.refund_line(self.paid(method=self.wallet)))
        row._claim()
        self.assertGreaterEqual(row.deadline - row.sent_at, timedelta(seconds=120) + GRACE)


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestLedgerIndexes(LedgerCase):
    """What the database holds, whatever the code does."""

    def insert_copy(self, row, **changes):
        """Write a copy of a row past all code."""
        self.env.flush_all()
        columns = [name for name, field in row._fields.items() if field.store and field.column_type]
        columns.remove('id')
        values = [changes.get(name, f'"{name}"') for name in columns]
        names = ', '.join(f'"{name}"' for name in columns)
        self.env.cr.execute(
            f'INSERT INTO qfpay_transaction ({names}) SELECT {", ".join(values)} '
            f'FROM qfpay_transaction WHERE id = {row.id}'
        )

    def assert_impossible(self, index, row, **changes):
        error = psycopg2.errors.CheckViolation if 'amount' in index else None
        error = error or psycopg2.errors.UniqueViolation
        with (
            self.assertRaises(error) as caught,
            mute_logger('odoo.sql_db'),
            self.env.cr.savepoint(),
        ):
            self.insert_copy(row, **changes)
        self.assertEqual(caught.exception.diag.constraint_name, index)

    def elsewhere(self, **changes):
        """A copy that meets no other index than the one that is tried."""
        free = {'reference': "'free'", 'payment_uuid': "'free'", 'terminal_id': 'NULL'}
        return {**free, 'original_id': 'NULL', **changes}

    def test_one_row_per_reference(self):
        """A reference is used once, for ever."""
        row = self.row_in('done')
        own = {'reference': '"reference"'}
        self.assert_impossible('qfpay_transaction_reference_unique', row, **self.elsewhere(**own))
        self.insert_copy(row, **self.elsewhere())

    def test_one_open_attempt_per_line(self):
        """A payment line is tried once at a time."""
        name = 'qfpay_transaction_one_open_per_payment'
        row = self.row_in('draft')
        own = {'payment_uuid': '"payment_uuid"'}
        for state in OPEN_STATES:
            row.state = state
            self.assert_impossible(name, row, **self.elsewhere(**own))
        row.state = 'failed'
        self.insert_copy(row, **self.elsewhere(**own, state="'draft'"))

    def test_one_job_per_terminal(self):
        """A terminal has one job at a time."""
        name = 'qfpay_transaction_one_job_per_terminal'
        row = self.row_in('draft')
        own = {'terminal_id': '"terminal_id"'}
        for state in OPEN_STATES:
            row.state = state
            self.assert_impossible(name, row, **self.elsewhere(**own))
        row.state = 'cancelled'
        self.insert_copy(row, **self.elsewhere(**own, state="'draft'"))

    def test_one_open_refund_per_payment(self):
        """A payment is given back once at a time."""
        name = 'qfpay_transaction_one_open_refund'
        row = self.begin(self.refund_line(self.paid()))
        own = {'original_id': '"original_id"'}
        for state in OPEN_STATES:
            row.state = state
            self.assert_impossible(name, row, **self.elsewhere(**own))
        row.state = 'done'
        self.insert_copy(row, **self.elsewhere(**own, state="'draft'"))

    def test_amount_above_zero(self):
        """Nothing and less than nothing cannot be taken."""
        row = self.row_in('done')
        for amount in ('0', '-1'):
            name = 'qfpay_transaction_amount_positive'
            self.assert_impossible(name, row, **self.elsewhere(amount_minor=amount))


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestLedgerStart(LedgerCase):
    """How a payment begins, and why it may not."""

    def test_start(self):
        """The row holds what the server itself knows about the line."""
        payment = self.payment(10.1)
        row = self.begin(payment)
        self.assertEqual(row.state, 'draft')
        self.assertEqual(row.reference, f'{payment.uuid}-1')
        self.assertEqual(row.amount_minor, 1010)
        self.assertEqual(row.currency_id, self.hkd)
        self.assertEqual(row.channel, 'card_payment')
        self.assertEqual(row.terminal_id, self.terminal)
        self.assertEqual(row.config_id, self.till)
        self.assertEqual(row.session_id, self.till.current_session_id)
        self.assertEqual(row.company_id, self.company)
        self.assertEqual(row.pos_payment_id, payment)
        self.assertFalse(self.sent_out, 'nobody sets out before the row is committed')

    def test_start_twice(self):
        """A line that is under way is found again, never sent again."""
        payment = self.payment()
        row = self.begin(payment)
        self.assertEqual(self.begin(payment), row)
        self.assertEqual(self.sent_out, [row.id])
        row._claim()
        self.assertEqual(self.begin(payment), row)
        row._learn(self.outcome(row, 'done'), 'answer')
        self.assertEqual(self.begin(payment), row)
        self.assertEqual(self.ledger()._start(payment.uuid)['state'], 'done')

    def test_each_try_has_its_own_reference(self):
        """A second try after a failure cannot be mistaken for the first."""
        payment = self.payment()
        references = []
        for _number in range(3):
            row = self.begin(payment)
            references.append(row.reference)
            row._claim()
            row._learn(self.outcome(row, 'failed'), 'answer')
        self.assertEqual(references, [f'{payment.uuid}-{number}' for number in (1, 2, 3)])

    def test_earlier_try_that_was_paid_after_all(self):
        """When the first try turns out to be paid, the line is done and not tried again."""
        payment = self.payment()
        first = self.begin(payment)
        first._move('failed', 'answer', {})
        second = self.begin(payment)
        second._move('failed', 'answer', {})
        first._move('done', 'notification', {'syssn': '9'})
        self.assertEqual(self.begin(payment), first)
        self.assertEqual(self.ledger()._look_up(payment.uuid)['transaction_id'], '9')

    def test_line_that_the_server_does_not_have(self):
        """A line that was not synchronised is not started."""
        for uuid in ('no-such-line', '', "'; DROP TABLE pos_payment; --"):
            with self.assertRaises(StartRefused) as refusal:
                self.ledger()._start(uuid)
            self.assertEqual(refusal.exception.code, 'not_found')

    def test_order_that_is_closed(self):
        """No money is asked for an order that is paid or cancelled."""
        paid = self.sync(self.order(self.line(payment_status='done'), state='paid')).payment_ids
        self.assert_refused('denied', paid)
        cancelled = self.payment()
        cancelled.pos_order_id.action_pos_order_cancel()
        self.assert_refused('denied', cancelled)

    def test_method_of_somebody_else(self):
        """Cash is not asked for on a terminal."""
        self.assert_refused('config', self.payment(method=self.cash))

    def test_till_without_a_terminal(self):
        """The cashier is told which till has no terminal."""
        self.till.qfpay_terminal_id = False
        self.assertIn('Till 1', self.assert_refused('config', self.payment()))

    def test_terminal_without_address_or_key(self):
        """The cashier is told which terminal is not set up."""
        for name in ('host', 'pos_key'):
            before = self.terminal[name]
            self.terminal[name] = False
            self.assertIn('Counter 1', self.assert_refused('config', self.payment()))
            self.terminal[name] = before

    def test_terminal_that_was_archived(self):
        """An archived terminal takes no payments: another one may stand at its address."""
        self.terminal.active = False
        self.assertIn('Counter 1', self.assert_refused('config', self.payment()))

    def test_amounts_that_cannot_be_asked_for(self):
        """Zero and more than QFPay can count are refused with the reason."""
        for amount in (0, 30_000_000):
            self.assert_refused('amount', self.payment(amount))

    def test_amount_with_three_decimals(self):
        """The terminal asks for what the payment says, to the cent."""
        payment = self.payment(10.125)
        row = self.begin(payment)
        self.assertEqual(row.amount_minor, round(payment.amount * 100))
        self.assertIn(row.amount_minor, (1012, 1013))

    def test_amounts_to_the_cent(self):
        """No amount loses a cent on its way."""
        for minor in (1, 7, 29, 57, 115, 1010, 1999, 113_99, 999_999_99):
            row = self.begin(self.payment(minor / 100))
            self.assertEqual(row.amount_minor, minor)
            self.assertEqual(row._status()['amount'], minor / 100)
            self.close(row)

    def test_till_that_changed_its_currency(self):
        """A till that sells in another currency than the terminal's is stopped at the payment."""
        payment = self.payment()
        self.till.journal_id.currency_id = self.usd
        self.assertIn('USD', self.assert_refused('amount', payment))

    def test_busy_terminal_names_the_till_that_has_it(self):
        """Two tills share a terminal: the second is told which till has it."""
        self.till_2.qfpay_terminal_id = self.terminal
        row = self.begin(self.payment())
        for state in OPEN_STATES:
            row.state = state
            message = self.assert_refused('busy', self.payment(till=self.till_2))
            self.assertIn('Till 1', message)
        self.close(row)
        self.begin(self.payment(till=self.till_2))

    def test_two_methods_share_the_terminal(self):
        """A card and a wallet payment cannot run on one terminal at the same time."""
        self.begin(self.payment(method=self.card))
        self.assert_refused('busy', self.payment(method=self.wallet))

    def test_terminals_do_not_wait_for_each_other(self):
        """Each till has its own terminal: both can be paid at."""
        self.begin(self.payment())
        self.begin(self.payment(till=self.till_2))

    def test_another_till_is_faster(self):
        """Two requests in the same moment: Odoo runs the second again, to tell who was first."""
        self.till_2.qfpay_terminal_id = self.terminal
        payment = self.payment()
        rival = self.payment(till=self.till_2)
        values = Start(self.ledger().sudo(), rival).values(1)
        check = Start._check_is_free

        def overtaken(start, terminal):
            check(start, terminal)
            self.env['qfpay.transaction'].create(values)

        with (
            patch.object(Start, '_check_is_free', overtaken),
            self.assertRaises(ConcurrencyError),
            mute_logger('odoo.sql_db'),
            self.env.cr.savepoint(),
        ):
            self.begin(payment)

    def test_stranger_starts_nothing(self):
        """A cashier of another company finds no such line."""
        self.assert_refused('not_found', self.payment(), user=self.stranger)


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestLedgerClaim(LedgerCase):
    """Who carries a row, and that nothing is sent twice."""

    def test_lease_and_deadline_are_of_the_database(self):
        """A server whose clock is ahead neither takes another's row, nor ends it."""
        row = self.begin(self.payment())
        row._claim()
        ahead = fields.Datetime.now() + timedelta(hours=1)
        with patch.object(fields.Datetime, 'now', lambda *_args: ahead):
            self.assertIsNone(row._claim())
            row._learn(Outcome(verdict=Verdict.NOT_FOUND), 'inquiry')
        self.assertEqual(row.state, 'sent')

    def test_refund_whose_courier_died_before_it_left(self):
        """What is left is noted before a refund leaves; without it, nothing did."""
        row = self.begin(self.refund_line(self.paid(method=self.wallet)))
        row._claim()
        row.lease_until = False
        self.assertIsNone(row._claim())
        self.assertEqual((row.state, row.respcd), ('failed', 'not_sent'))
        # That courier was only slow: its refund does not leave any more.
        self.assertFalse(row._note_left(1010))
        row = self.begin(row.pos_payment_id)
        row._claim()
        self.assertTrue(row._note_left(1010))
        row.lease_until = False
        _errand, is_new = row._claim()
        self.assertFalse(is_new)

    def test_claim_of_a_draft(self):
        """The first courier sends; the row says so before a byte leaves."""
        row = self.begin(self.payment())
        errand, is_new = row._claim()
        self.assertTrue(is_new)
        self.assertTrue(callable(errand.send))
        self.assertEqual(row.state, 'sent')
        self.assertEqual(row.deadline - row.sent_at, timedelta(seconds=120) + GRACE)
        self.assertEqual(row.lease_until - row.sent_at, timedelta(seconds=courier.LEASE))

    def test_second_courier(self):
        """While one courier has the row, nobody else touches it."""
        row = self.begin(self.payment())
        row._claim()
        self.assertIsNone(row._claim())

    def test_row_of_a_courier_that_died(self):
        """When the lease has run out the row is asked about, never sent again."""
        for state in ('sent', 'pending', 'unknown'):
            row = self.row_in(state)
            row.lease_until = fields.Datetime.now() - timedelta(seconds=1)
            _errand, is_new = row._claim()
            self.assertFalse(is_new)
            self.assertEqual(row.state, state)
            self.assertGreater(row.lease_until, fields.Datetime.now())
            self.close(row)

    def test_lease_is_renewed(self):
        """The heartbeat keeps rows of living couriers, and wakes no decided one."""
        row = self.sent()
        decided = self.row_in('unknown', till=self.till_2)
        decided._learn(self.outcome(decided, 'done'), 'answer')
        row.lease_until = fields.Datetime.now() - timedelta(seconds=1)
        self.env.flush_all()
        self.env['qfpay.transaction']._renew_lease([row.id, decided.id])
        self.env.invalidate_all()
        self.assertGreater(row.lease_until, fields.Datetime.now() + timedelta(seconds=10))
        self.assertFalse(decided.lease_until)

    def test_decided_row(self):
        """Nothing is carried that is decided."""
        for state in ('done', 'failed', 'cancelled'):
            row = self.row_in(state)
            row.lease_until = False
            self.assertIsNone(row._claim())

    def test_old_draft_is_never_sent(self):
        """A server that comes back hours later does not wake a terminal: the customer is gone."""
        row = self.begin(self.payment())
        self.env.cr.execute(
            "UPDATE qfpay_transaction SET create_date = create_date - interval '61 seconds' "
            'WHERE id = %s',
            [row.id],
        )
        self.assertIsNone(row._claim())
        self.assertEqual(row.state, 'failed')
        self.assertFalse(row.sent_at)
        self.assertEqual(row.pos_payment_id.payment_status, 'retry')
        self.assertTrue(row._status()['message'])

    def test_terminal_that_lost_its_key(self):
        """A draft that cannot be sent fails at once; what is out already stays open."""
        draft = self.begin(self.payment())
        out = self.row_in('unknown', till=self.till_2)
        out.lease_until = False
        (self.terminal | self.terminal_2).write({'pos_key': False})
        with mute_logger('odoo.addons.pos_payment_qfpay.models.qfpay_transaction'):
            self.assertIsNone(draft._claim())
            self.assertIsNone(out._claim())
        self.assertEqual(draft.state, 'failed')
        self.assertEqual(out.state, 'unknown')

    def test_reference_that_cannot_be_sent(self):
        """A line whose uuid holds a quote fails before anything leaves."""
        for uuid in ("it's", 'a,b}', 'x' * 130, '支付'):
            row = self.begin(self.payment(uuid=uuid))
            with mute_logger('odoo.addons.pos_payment_qfpay.models.qfpay_transaction'):
                self.assertIsNone(row._claim())
            self.assertEqual(row.state, 'failed')
            self.assertFalse(row.sent_at)

    def test_cron_takes_up_what_nobody_carries(self):
        """After a restart every open row is asked about, without any till."""
        left = self.begin(self.payment())
        carried = self.sent(till=self.till_2)
        self.env['qfpay.transaction']._cron_take_up()
        self.assertEqual(self.sent_out, [left.id])
        carried.lease_until = fields.Datetime.now() - timedelta(seconds=1)
        self.env['qfpay.transaction']._cron_take_up()
        self.assertIn(carried.id, self.sent_out)

    def test_till_that_asks_takes_up(self):
        """A till that looks at a line sends a courier for it, if nobody has it."""
        row = self.begin(self.payment())
        self.ledger()._look_up(row.payment_uuid)
        self.assertEqual(self.sent_out, [row.id])
        row._claim()
        self.ledger()._look_up(row.payment_uuid)
        self.assertEqual(self.sent_out, [row.id])


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestLedgerCallOff(LedgerCase):
    """Calling off ends only when QFPay says so."""

    def test_nothing_has_left(self):
        """A draft is called off at once: the terminal never hears of it."""
        row = self.begin(self.payment())
        self.assertFalse(row._ask_call_off())
        self.assertEqual(row.state, 'cancelled')
        self.assertIsNone(row._claim())

    def test_terminal_is_asked(self):
        """An open payment stays open until its own end is known."""
        for state in ('sent', 'pending', 'unknown'):
            row = self.row_in(state)
            self.assertTrue(row._ask_call_off())
            self.assertEqual(row.state, state)
            self.assertTrue(row._status()['cancelling'])
            row._note_call_off(True)
            self.assertEqual(row.state, state)
            self.assertTrue(row._status()['cancelling'])
            self.close(row)

    def test_terminal_refuses(self):
        """The cashier is told that it was not called off, and may ask again."""
        for accepted in (False, None):
            row = self.sent()
            row._ask_call_off()
            row._note_call_off(accepted)
            self.assertFalse(row._status()['cancelling'])
            self.assertEqual(row.state, 'sent')
            self.assertTrue(row._ask_call_off())
            self.assertTrue(row._status()['cancelling'])
            self.close(row)

    def test_paid_in_that_moment(self):
        """A payment approved while it is called off is done."""
        row = self.sent()
        row._ask_call_off()
        row._note_call_off(True)
        row._learn(self.outcome(row, 'done'), 'answer')
        self.assertEqual(row.state, 'done')
        self.assertFalse(row._status()['cancelling'])
        self.assertEqual(row.pos_payment_id.payment_status, 'done')
        row._note_call_off(False)
        self.assertFalse(row.cancel_refused)

    def test_decided_rows_and_refunds(self):
        """What is decided cannot be called off, and giving money back neither."""
        for state in ('done', 'failed', 'cancelled'):
            self.assertFalse(self.row_in(state)._ask_call_off())
        refund = self.begin(self.refund_line(self.paid()))
        refund._claim()
        self.assertFalse(refund._ask_call_off())
        self.assertFalse(refund.cancel_requested_at)

    def test_terminal_is_not_disturbed_later(self):
        """A cancel names no payment: sent too late, it would hit somebody else's."""
        row = self.sent()
        self.assertIsNotNone(row._errand_to_call_off())
        row.deadline = fields.Datetime.now() - timedelta(seconds=1)
        self.assertIsNone(row._errand_to_call_off())
        row.deadline = fields.Datetime.now() + timedelta(seconds=100)
        row._learn(Outcome(verdict=Verdict.UNKNOWN, code='6002'), 'answer')
        self.assertIsNone(row._errand_to_call_off())
        row.answered_at = False
        row.state = 'done'
        self.assertIsNone(row._errand_to_call_off())


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestLedgerRefunds(LedgerCase):
    """Giving money back: of the right payment, and never more than was taken."""

    def give_back(self, row, amount=None, **values):
        """A refund that the terminal carries out."""
        refund = self.begin(self.refund_line(row, amount, **values))
        refund._claim()
        refund._learn(self.outcome(refund, 'done', syssn='r'), 'answer')
        self.assertEqual(refund.state, 'done')
        return refund

    def test_whole_card_payment(self):
        """A card payment is given back as a whole, and the line carries the refund."""
        row = self.paid(10.1)
        refund = self.give_back(row)
        self.assertEqual(refund.original_id, row)
        self.assertEqual(refund.kind, 'refund')
        self.assertEqual(refund.amount_minor, 1010)
        self.assertEqual(refund.amount, -10.1)
        self.assertEqual(refund._status()['amount'], -10.1)
        self.assertEqual(refund.pos_payment_id.transaction_id, 'r')
        self.assertEqual(refund.pos_payment_id.qfpay_confirmation, 'confirmed')
        self.assertEqual(row.state, 'done')

    def test_part_of_a_card_payment(self):
        """The terminal voids cards as a whole; for a part the cashier is sent to the portal."""
        row = self.paid(100)
        message = self.assert_refused('refund', self.refund_line(row, 40))
        self.assertIn('portal', message)

    def test_parts_of_a_wallet_payment(self):
        """A wallet payment can be given back in parts, together not more than was paid."""
        row = self.paid(100, method=self.wallet)
        self.give_back(row, 30)
        self.assertIn('70', self.assert_refused('refund', self.refund_line(row, 70.01)))
        self.give_back(row, 50)
        self.give_back(row, 20)
        self.assert_refused('refund', self.refund_line(row, 0.01))

    def test_refund_that_failed_takes_nothing_away(self):
        """What was not given back can still be given back."""
        row = self.paid(100, method=self.wallet)
        refund = self.begin(self.refund_line(row, 100))
        refund._claim()
        refund._learn(self.outcome(refund, 'failed'), 'answer')
        self.give_back(row, 100)

    def test_refund_under_way_elsewhere(self):
        """While one till gives a payment back, another cannot, and is told why."""
        row = self.paid(100, method=self.wallet)
        self.begin(self.refund_line(row, 30))
        message = self.assert_refused('busy', self.refund_line(row, 30, till=self.till_2))
        self.assertIn('Till 1', message)

    def test_more_than_was_paid(self):
        """More than was paid is never asked for."""
        row = self.paid(100, method=self.wallet)
        self.assert_refused('refund', self.refund_line(row, 100.01))

    def test_channels_that_give_nothing_back(self):
        """FPS and Octopus cannot be given back through QFPay; the cashier is told to take cash."""
        for method in (self.fps, self.octopus):
            row = self.paid(10, method=method)
            message = self.assert_refused('refund', self.refund_line(row))
            self.assertIn('cash', message)

    def test_order_that_was_not_paid_through_qfpay(self):
        """Cash is not given back through QFPay, nor a forced payment that QFPay never saw."""
        cash = self.sync(self.order(self.line(10, self.cash), state='paid'))
        forced = self.sync(self.order(self.line(10, payment_status='done'), state='paid'))
        for order in (cash, forced):
            line = self.line(-10, self.card)
            payment = self.sync(self.order(line, refund_of=order))[-1].payment_ids
            self.assert_refused('refund', payment)

    def test_negative_amount_without_a_refund(self):
        """A negative line in an order that gives nothing back finds no payment to refund."""
        self.paid(10)
        self.assert_refused('refund', self.payment(-10))

    def test_another_method_of_the_house(self):
        """A refund booked on another QFPay method still goes back the way the money came."""
        row = self.paid(10, method=self.wallet)
        refund = self.begin(self.refund_line(row, method=self.card))
        self.assertEqual(refund.original_id, row)
        self.assertEqual(refund.channel, 'alipay')

    def test_payment_at_another_till(self):
        """What was paid at one till is given back at another, on that till's terminal."""
        row = self.paid(10, till=self.till)
        refund = self.begin(self.refund_line(row, till=self.till_2))
        self.assertEqual(refund.original_id, row)
        self.assertEqual(refund.terminal_id, self.terminal_2)
        self.assertEqual(refund.config_id, self.till_2)

    def test_split_order(self):
        """With two payments of an order, the one that fits the amount is given back."""
        order = self.sync(
            self.order(
                self.line(60, self.card), self.line(40, self.wallet), self.line(5, self.cash)
            )
        )
        for payment in order.payment_ids.filtered(lambda payment: payment.amount != 5):
            row = self.begin(payment)
            row._claim()
            row._learn(self.outcome(row, 'done', syssn=str(payment.amount)), 'answer')
        order.action_pos_order_paid()
        for amount in (60, 40):
            line = self.line(-amount, self.card)
            payment = self.sync(self.order(line, refund_of=order))[-1].payment_ids
            refund = self.begin(payment)
            self.assertEqual(refund.original_id.amount, amount)
            self.close(refund)

    def test_answer_about_another_refund(self):
        """A refund of another payment, or of another amount, is not this one."""
        row = self.paid(10, method=self.wallet)
        refund = self.begin(self.refund_line(row, 4))
        refund._claim()
        for values in ({'orig_syssn': 'another'}, {'amount_minor': 1000}, {'currency': 'USD'}):
            refund._learn(self.outcome(refund, 'done', **values), 'inquiry')
            self.assertIn(refund.state, OPEN_STATES)
            self.assertTrue(refund.attention)
        refund._learn(self.outcome(refund, 'done', reference='any'), 'inquiry')
        self.assertEqual(refund.state, 'done')

    def test_payment_of_another_company(self):
        """A cashier gives back payments of the own company only."""
        row = self.paid(10)
        row.company_id = self.other_company
        self.env.flush_all()
        self.assert_refused('refund', self.refund_line(row, 10))


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestLedgerManager(LedgerCase):
    """What a manager decides after a look into QFPay's portal, and what nobody else may."""

    def test_decision_carries_the_name(self):
        """A manager ends an open payment either way, and the record says who did."""
        for state, action in (('done', 'action_set_done'), ('failed', 'action_set_failed')):
            for before in ('sent', 'pending', 'unknown'):
                row = self.row_in(before)
                getattr(row.with_user(self.manager), action)()
                self.assertEqual(row.state, state)
                self.assertEqual(row.state_source, 'manager')
                self.assertEqual(row.decided_by_id, self.manager)
                self.assertTrue(row.decided_at)
                expected = {'done': 'done', 'failed': 'retry'}[state]
                self.assertEqual(row.pos_payment_id.payment_status, expected)

    def test_decided_without_a_number(self):
        """QFPay gives back by its own number: without it, nothing is left to give back."""
        row = self.row_in('unknown')
        row.with_user(self.manager).action_set_done()
        self.assertEqual(row._status()['refundable'], 0)
        row._learn(self.outcome(row, 'done', syssn='7'), 'inquiry')
        self.assertEqual(row._status()['refundable'], row.amount)

    def test_decided_payments_stay(self):
        """What is decided, and what never left, is not for a manager to change."""
        for state in ('draft', 'done', 'failed', 'cancelled'):
            row = self.row_in(state)
            for action in ('action_set_done', 'action_set_failed'):
                with self.assertRaises(UserError):
                    getattr(row.with_user(self.manager), action)()
                self.assertEqual(row.state, state)
            self.close(row)

    def test_qfpay_contradicts_the_manager(self):
        """QFPay's own word after a manager's decision calls the manager again."""
        row = self.row_in('unknown')
        row.with_user(self.manager).action_set_failed()
        row._learn(self.outcome(row, 'done'), 'inquiry')
        self.assertEqual(row.state, 'done')
        self.assertTrue(row.attention)
        row = self.row_in('unknown')
        row.with_user(self.manager).action_set_done()
        row._learn(self.outcome(row, 'failed'), 'inquiry')
        self.assertEqual(row.state, 'done')
        self.assertTrue(row.attention)

    def test_looked_at(self):
        """A manager who has looked takes the alarm away, under his name, until the next one."""
        row = self.row_in('failed')
        row._learn(self.outcome(row, 'done'), 'notification')
        row.with_user(self.manager).action_clear_attention()
        self.assertFalse(row.attention)
        self.assertEqual(row.attention_cleared_by_id, self.manager)
        row._learn(self.outcome(row, 'done', amount_minor=1), 'inquiry')
        self.assertTrue(row.attention)
        self.assertFalse(row.attention_cleared_by_id)

    def test_cashiers_decide_nothing(self):
        """A cashier cannot call a payment done, nor wipe away an alarm."""
        row = self.row_in('unknown')
        row.attention = 'look'
        for user in (self.cashier, self.stranger, self.clerk):
            for action in ('action_set_done', 'action_set_failed', 'action_clear_attention'):
                with self.subTest(f'{user.login}, {action}'), self.assertRaises(AccessError):
                    getattr(row.with_user(user), action)()
        self.assertEqual(row.state, 'unknown')
        self.assertEqual(row.attention, 'look')

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


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestLedgerWords(LedgerCase):
    """What the till is told, and what everybody in the shop may overhear."""

    def test_status_of_a_line_without_any_attempt(self):
        """A till that asks about a line that was never started learns that."""
        status = self.ledger()._look_up('never-started')
        self.assertEqual(status, {'payment_uuid': 'never-started', 'state': 'none'})

    def test_unknown_warns_of_charging_again(self):
        """A lost answer tells the cashier not to charge again."""
        self.assertIn('Do not charge again', self.row_in('unknown')._status()['message'])

    def test_end_with_words(self):
        """Every end but done says what to do next."""
        for code in ('unreachable', 'not_sent', '4003', '4006', '4007', '5001', '1205', ''):
            row = self.sent()
            outcome = self.outcome(row, 'failed', code=code, message='said by QFPay')
            row._learn(outcome, 'answer')
            self.assertGreater(len(row._status()['message']), 20)

    def test_what_goes_over_the_bus(self):
        """Customer displays hear the till's channel: no amount, name or number is on it."""
        row = self.sent()
        self.env.cr.precommit.run()
        self.env['bus.bus'].search([]).unlink()
        row._learn(self.outcome(row, 'done', syssn='77777', card_last4='1096'), 'answer')
        self.env.cr.precommit.run()
        messages = self.env['bus.bus'].search([]).mapped('message')
        ours = [message for message in messages if 'QFPAY_PAYMENT' in message]
        self.assertEqual(len(ours), 1)
        self.assertIn(row.reference, ours[0])
        for secret in ('77777', '1096', '10.1', '1010'):
            self.assertNotIn(
                secret, ours[0].replace(row.reference, '').replace(row.payment_uuid, '')
            )
