"""What the ledger believes, from what it is told, and what everybody else sees of it."""

from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

import psycopg2

from odoo.addons.point_of_sale.models.pos_payment import PosPayment as PointOfSalePayment
from odoo.addons.pos_payment_qfpay.cashier.messages import alarm_sentence
from odoo.addons.pos_payment_qfpay.cashier.status import left_to_refund, look_up, status
from odoo.addons.pos_payment_qfpay.courier import Word
from odoo.addons.pos_payment_qfpay.ledger.states import OPEN
from odoo.addons.pos_payment_qfpay.ledger.testimony import About, Fact, Witness
from odoo.addons.pos_payment_qfpay.models.qfpay_terminal import GRACE
from odoo.addons.pos_payment_qfpay.qfpay.outcome import Outcome, Verdict
from odoo.addons.pos_payment_qfpay.qfpay.times import HONG_KONG
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ShopCase
from .ledger_talk import SOURCES

STATES = (*OPEN, 'done', 'failed', 'cancelled', 'reversed')

# Written from the design, not from the code: what a terminal's payment becomes when a witness says
# something. What is not listed changes nothing; the answer to the request itself weighs more.
WHAT_FOLLOWS = {
    # QFPay knows what the database had lost
    'draft': {'pending': 'pending', 'done': 'done', 'failed': 'failed', 'cancelled': 'cancelled'},
    # the terminal still waits for its customer, who may try again
    'sent': {'pending': 'pending', 'done': 'done'},
    'pending': {'done': 'done', 'failed': 'failed', 'cancelled': 'cancelled'},
    'unknown': {
        'pending': 'pending',
        'done': 'done',
        'failed': 'failed',
        'cancelled': 'cancelled',
    },
    'failed': {'done': 'done'},
    'cancelled': {'done': 'done'},
    'done': {'cancelled': 'reversed'},
    'reversed': {},
}
# "cancelled" may cross with an approval: one question settles it
ANSWERED = {
    'draft': {**WHAT_FOLLOWS['draft'], 'unknown': 'unknown', 'cancelled': 'unknown'},
    'sent': {**WHAT_FOLLOWS['sent'], 'unknown': 'unknown', 'failed': 'failed'}
    | {'cancelled': 'unknown'},
    'pending': {**WHAT_FOLLOWS['pending'], 'cancelled': 'unknown'},
    'unknown': {**WHAT_FOLLOWS['unknown'], 'cancelled': 'unknown'},
}


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestLedgerStates(ShopCase):
    """What may follow on what, and who may say so."""

    def test_every_witness_in_every_state(self):
        """Whatever QFPay says, in whatever order, a row only takes the ways of the design."""
        for state in STATES:
            row = self.row_in(state)
            for verdict in Verdict:
                for source in ('answer', 'notification', 'inquiry'):
                    with self.subTest(f'{state}, {verdict.value} by {source}'), self.rewound():
                        follows = WHAT_FOLLOWS[state]
                        if source == 'answer':
                            follows = ANSWERED.get(state, follows)
                        self.learn(row, self.outcome(row, verdict.value), source)
                        expected = follows.get(verdict.value, state)
                        self.assertEqual(row.state, expected)
                        if expected != state:
                            self.assertEqual(row.state_source, source)
            if state in OPEN:
                self.close(row)

    def test_when_to_ask_again(self):
        """The courier is told when to ask on, for as long as money can still move."""
        row = self.begin(self.payment(method=self.wallet))
        errand = self.send_out(row)
        self.assertIsNotNone(self.report(errand, self.outcome(row, 'unknown')))
        self.assertEqual(row.state, 'unknown')
        self.age(row, 2)
        errand = self.claim(row)
        self.assertIs(errand.about, About.NUMBER)
        self.assertIsNotNone(self.report(errand, self.outcome(row, 'pending')))
        self.age(row, 5)
        self.assertIsNone(self.report(self.claim(row), self.outcome(row, 'done')))
        self.assertFalse(row.next_step_at)

    def test_same_word_twice_changes_nothing(self):
        """Three witnesses may say the same: the first one counts, no alarm is raised."""
        row = self.sent()
        done = self.outcome(row, 'done', syssn='7')
        self.learn(row, done, 'notification')
        decided_at = row.decided_at
        self.learn(row, done, 'answer')
        self.learn(row, done, 'inquiry')
        self.assertEqual(row.state_source, 'notification')
        self.assertEqual(row.decided_at, decided_at)
        self.assertFalse(row.needs_attention)

    def test_unknown_after_done(self):
        """Somebody who does not know contradicts nobody."""
        row = self.row_in('done')
        for verdict in ('unknown', 'pending', 'not_found'):
            self.learn(row, self.outcome(row, verdict), 'inquiry')
        self.note(row, Fact.UNANSWERED, About.NUMBER, reason='timeout')
        self.assertEqual(row.state, 'done')
        self.assertFalse(row.needs_attention)

    def test_money_after_all(self):
        """QFPay's word that money moved outweighs its earlier no, and a manager is called."""
        for state in ('failed', 'cancelled'):
            row = self.row_in(state)
            self.learn(row, self.outcome(row, 'done'), 'notification')
            self.assertEqual(row.state, 'done')
            self.assertEqual(self.alarms(row), ['done_after_all'])
            self.assertIn('after it had said that it did not', row.attention)
            self.assertEqual(row.pos_payment_id.payment_status, 'done')

    def test_what_was_cancelled_stays_cancelled(self):
        """A code that was cancelled and is seen waiting once more does not come back."""
        row = self.row_in('cancelled')
        for source in SOURCES:
            self.learn(row, self.outcome(row, 'pending', qrcode='https://qr.example'), source)
            self.assertEqual(row.state, 'cancelled')
            self.assertEqual(status(row)['state'], 'cancelled')
            self.assertNotIn('https', str(status(row)))

    def test_money_after_all_calls_off_the_next_attempt(self):
        """A line that is paid is not paid once more because another attempt is under way."""
        first = self.row_in('failed')
        second = self.begin(first.pos_payment_id)
        self.send_out(second)
        self.learn(first, self.outcome(first, 'done'), 'notification')
        self.assertTrue(second.cancel_requested_at)
        self.env.cr.postcommit.run()
        self.assertTrue(self.woken)
        self.assertIs(self.claim(second).about, About.CANCEL)
        self.assertNotIn('paid_twice', self.alarms(first))
        self.learn(second, self.outcome(second, 'done'), 'answer')
        self.assertIn('paid_twice', self.alarms(second))
        self.assertIn(first.reference, second.attention)

    def test_money_after_all_before_the_next_attempt_was_sent(self):
        """Then nothing of the next attempt leaves."""
        first = self.row_in('failed')
        second = self.begin(first.pos_payment_id)
        self.learn(first, self.outcome(first, 'done'), 'notification')
        self.assertEqual(second.state, 'cancelled')
        self.assertIsNone(self.claim(second, 'send'))

    def test_late_first_attempt_after_the_second_is_paid(self):
        """The line keeps the payment that it was closed with, and a manager is called."""
        first = self.row_in('failed')
        payment = first.pos_payment_id
        second = self.begin(payment)
        self.send_out(second)
        self.learn(second, self.outcome(second, 'done', syssn='22'), 'answer')
        payment.pos_order_id.with_user(self.cashier).action_pos_order_paid()
        self.learn(first, self.outcome(first, 'done', syssn='11'), 'notification')
        self.assertEqual(payment.transaction_id, '22')
        self.assertEqual(payment.qfpay_confirmation, 'confirmed')
        self.assertIn('paid_twice', self.alarms(first))
        self.assertIn(second.reference, first.attention)

    def test_given_back_by_ourselves_is_no_alarm(self):
        """QFPay calls a payment cancelled once its refund is done."""
        paid = self.paid(method=self.wallet)
        refund = self.sent_refund(paid)
        self.learn(refund, self.outcome(refund, 'done'), 'answer')
        self.learn(paid, self.outcome(paid, 'cancelled', cancel=3), 'inquiry')
        self.assertEqual(paid.state, 'done')
        self.assertFalse(paid.needs_attention)

    def test_no_after_the_cashier_said_yes(self):
        """The books hold money that never came: a manager is called."""
        for verdict in ('failed', 'cancelled'):
            row = self.row_in('unknown')
            row.pos_payment_id.write({'payment_status': 'done'})
            self.learn(row, self.outcome(row, verdict), 'inquiry')
            self.assertEqual(self.alarms(row), ['recorded_unpaid'])
        row = self.row_in('unknown')
        self.learn(row, self.outcome(row, 'failed'), 'inquiry')
        self.assertFalse(row.needs_attention)

    def test_no_after_yes(self):
        """When QFPay takes back that money moved, the row stays and a manager is called."""
        row = self.row_in('done')
        self.learn(row, self.outcome(row, 'failed'), 'inquiry')
        self.assertEqual(row.state, 'done')
        self.assertEqual(self.alarms(row), ['denied_after_done'])

    def test_details_that_come_later(self):
        """An inquiry after the answer fills what was empty and leaves the rest."""
        row = self.sent()
        self.learn(row, self.outcome(row, 'done', syssn='7', card_scheme='VISA'), 'answer')
        later = {'card_scheme': 'AMEX', 'card_last4': '1096', 'card_type': 'CREDIT'}
        self.learn(row, self.outcome(row, 'done', syssn='7', **later), 'inquiry')
        self.assertEqual(row.pos_payment_id.card_brand, 'VISA')
        self.assertEqual(row.pos_payment_id.card_no, '1096')
        self.assertEqual(row.pos_payment_id.card_type, 'CREDIT')
        self.assertEqual(row.state_source, 'answer')
        self.assertFalse(row.needs_attention)

    def test_facts_of_the_channel_are_kept(self):
        """QFPay's own time, batch, reference and trace number help the shop's bookkeeper."""
        row = self.sent()
        facts = {
            'paid_at': '2026-11-21 12:00:00',
            'batch': '000017',
            'channel_reference': '619812345678',
            'trace': '000321',
        }
        self.learn(row, self.outcome(row, 'done', **facts), 'answer')
        self.assertEqual({name: row[name] for name in facts}, facts)

    def test_wallet_on_the_payment(self):
        """A wallet payment shows which wallet the customer used."""
        row = self.sent(method=self.wallet)
        self.learn(row, self.outcome(row, 'done', wallet='Alipay', pay_type='800108'), 'answer')
        self.assertEqual(row.pos_payment_id.card_type, 'Alipay')

    def test_failed_line_can_be_tried_again(self):
        """A payment that failed or was called off lets the cashier try again."""
        for state in ('failed', 'cancelled'):
            self.assertEqual(self.row_in(state).pos_payment_id.payment_status, 'retry')

    def test_open_line_cannot_be_tried_again(self):
        """A lost answer never shows the cashier a way to charge again."""
        row = self.row_in('unknown')
        payment_status = row.pos_payment_id.payment_status
        for verdict in ('unknown', 'pending', 'unknown', 'not_found'):
            self.learn(row, self.outcome(row, verdict), 'inquiry')
            self.assertEqual(row.pos_payment_id.payment_status, payment_status)
            self.assertIn(status(row)['state'], OPEN)

    def test_reversed(self):
        """Money that QFPay took back is a state of its own, on the line and for a manager."""
        row = self.row_in('done')
        payment = row.pos_payment_id
        self.assertEqual(payment.qfpay_confirmation, 'confirmed')
        self.learn(row, self.outcome(row, 'cancelled', cancel=1), 'inquiry')
        self.assertEqual(row.state, 'reversed')
        self.assertEqual(self.alarms(row), ['reversed'])
        told = status(row)
        self.assertEqual(told['state'], 'reversed')
        self.assertIn('does not have the money', told['message'])
        self.assertIsNone(left_to_refund(row))
        # the order is not closed: it can be paid anew
        self.assertEqual((payment.payment_status, payment.qfpay_confirmation), ('retry', False))
        again = self.begin(payment)
        self.assertNotEqual(again, row)

    def test_reversed_after_the_order_was_closed(self):
        """The books hold money that went away again: the payment is not confirmed any more."""
        row = self.paid()
        self.learn(row, self.outcome(row, 'cancelled', cancel=1), 'inquiry')
        self.assertEqual(row.pos_payment_id.payment_status, 'done')
        self.assertEqual(row.pos_payment_id.qfpay_confirmation, 'unconfirmed')
        self.assertEqual(self.alarms(row), ['reversed', 'recorded_unpaid'])
        self.assert_refused('refund', self.refund_line(row))


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestLedgerProofs(ShopCase):
    """What a "done" must name before it is believed."""

    def assert_not_believed(self, row, outcome, source):
        with self.rewound():
            before = row.state
            self.learn(row, outcome, source)
            self.assertIn(row.state, (before, 'unknown'))
            self.assertNotEqual(row.pos_payment_id.payment_status, 'done')
            self.assertIn(status(row)['state'], OPEN)

    def test_answer_that_leaves_facts_out(self):
        """Carried out, says the terminal, and not what: QFPay has to be asked."""
        row = self.sent()
        for missing in ('reference', 'amount_minor', 'syssn'):
            with self.subTest(missing):
                outcome = self.outcome(row, 'done', **{missing: None})
                self.assert_not_believed(row, outcome, 'answer')
        self.assert_not_believed(row, self.outcome(row, 'done', strict=False), 'answer')
        self.learn(row, self.outcome(row, 'done', currency=None, traded_at=None), 'answer')
        self.assertEqual(row.state, 'done')

    def test_inquiry_that_leaves_facts_out(self):
        """A bare 6000/0000 to an inquiry makes no line green."""
        row = self.row_in('unknown')
        bare = Outcome(verdict=Verdict.DONE, code='6000', inner_code='0000', strict=True)
        self.assert_not_believed(row, bare, 'inquiry')
        for missing in ('amount_minor', 'syssn', 'trade_type'):
            with self.subTest(missing):
                outcome = self.outcome(row, 'done', **{missing: None})
                self.assert_not_believed(row, outcome, 'inquiry')
        self.assert_not_believed(row, self.outcome(row, 'done', strict=False), 'inquiry')

    def test_inquiry_about_something_older(self):
        """A recorded answer about last week's sale of the same amount pays nothing."""
        row = self.row_in('unknown')
        last_week = datetime.now(HONG_KONG) - timedelta(days=7)
        old = self.outcome(row, 'done', reference=None, syssn='1', traded_at=last_week)
        self.assert_not_believed(row, old, 'inquiry')
        undated = self.outcome(row, 'done', reference=None, syssn='1', traded_at=None)
        self.assert_not_believed(row, undated, 'inquiry')
        numbered = f'{datetime.now(HONG_KONG):%Y%m%d}000001'
        self.learn(row, self.outcome(row, 'done', syssn=numbered, traded_at=None), 'inquiry')
        self.assertEqual(row.state, 'done')

    def test_notification_that_leaves_facts_out(self):
        """Signed, and without an amount, a currency or a kind: nothing is known from it."""
        row = self.row_in('unknown')
        for missing in ('reference', 'amount_minor', 'currency', 'trade_type', 'syssn'):
            with self.subTest(missing):
                outcome = self.outcome(row, 'done', **{missing: None})
                self.assert_not_believed(row, outcome, 'notification')

    def test_number_of_another_payment(self):
        """QFPay's number belongs to one row: the second to name it is not believed."""
        first = self.paid(syssn='20261121000000000000000077')
        row = self.sent(till=self.till_2)
        self.learn(row, self.outcome(row, 'done', syssn=first.syssn), 'answer')
        self.assertEqual(row.state, 'unknown')
        self.assertEqual(self.alarms(row), ['same_number'])
        self.assertIn(first.syssn, row.attention)
        self.assertFalse(first.needs_attention)

    def test_two_payments_under_one_number(self):
        """The customer paid twice under one reference: the first stays, and a manager is called."""
        row = self.row_in('done')
        number = row.syssn
        self.learn(row, self.outcome(row, 'done', syssn='8'), 'inquiry')
        self.assertEqual((row.state, row.syssn), ('done', number))
        self.assertEqual(self.alarms(row), ['paid_twice_under_one_number'])
        other = self.sent(till=self.till_2)
        self.learn(other, self.outcome(other, 'done', also_paid=('9',)), 'answer')
        self.assertEqual(other.state, 'done')
        self.assertIn('9', other.attention)

    def test_answer_in_the_clear(self):
        """A terminal that encrypts would not say so in the clear: its payment is asked about."""
        for verdict in ('done', 'failed', 'cancelled'):
            row = self.sent()
            word = Word(
                witness=Witness.ANSWER,
                about=About.REQUEST,
                outcome=self.outcome(row, verdict),
                seals=True,
            )
            row._hear(word)
            row._tell()
            self.assertEqual(row.state, 'unknown')
            self.assertIn('Test Connection', status(row)['message'])
            self.learn(row, self.outcome(row, 'failed', signed=True), 'answer')
            self.assertEqual(row.state, 'failed')


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestLedgerDoubts(ShopCase):
    """Outcomes that cannot be about this payment, and "no such payment"."""

    CONTRADICTIONS = (
        {'amount_minor': 2020},
        {'amount_minor': -1010},
        {'amount_minor': 0},
        {'currency': 'USD'},
        {'reference': 'another-sale-1'},
        {'reference': ''},
        {'trade_type': 'refund'},
    )

    def test_outcome_of_something_else_moves_nothing(self):
        """Another amount, currency, kind or reference is no word about this payment."""
        for state in ('pending', 'unknown', 'failed', 'cancelled'):
            row = self.row_in(state)
            for contradiction in self.CONTRADICTIONS:
                for verdict in ('done', 'failed', 'cancelled', 'pending'):
                    with self.subTest(f'{state}, {verdict}, {contradiction}'), self.rewound():
                        outcome = self.outcome(row, verdict, syssn='8', **contradiction)
                        self.learn(row, outcome, 'inquiry')
                        self.assertEqual(row.state, state)
                        self.assertEqual(self.alarms(row), ['contradiction'])
                        self.assertFalse(row.syssn)
                        self.assertFalse(row.pos_payment_id.transaction_id)
            if state in OPEN:
                self.close(row)

    def test_answer_about_something_else_is_a_lost_answer(self):
        """The request is out, and its answer says nothing: only an inquiry can tell."""
        row = self.begin(self.payment())
        errand = self.send_out(row)
        after = self.report(errand, self.outcome(row, 'failed', amount_minor=2020))
        self.assertIsNotNone(after)
        self.assertEqual(row.state, 'unknown')
        self.assertIn('20.20', row.attention)

    def test_truth_after_a_contradiction(self):
        """A later true word still ends the payment; the manager's question stays open."""
        row = self.sent()
        self.learn(row, self.outcome(row, 'done', currency='USD'), 'answer')
        self.learn(row, self.outcome(row, 'done'), 'inquiry')
        self.assertEqual(row.state, 'done')
        self.assertEqual(self.alarms(row), ['contradiction'])

    def test_contradiction_after_done(self):
        """A row that is done and hears of another amount calls a manager."""
        row = self.row_in('done')
        self.learn(row, self.outcome(row, 'done', amount_minor=1), 'inquiry')
        self.assertEqual(row.state, 'done')
        self.assertEqual(self.alarms(row), ['contradiction'])

    def test_not_found_while_the_terminal_may_wait_for_the_card(self):
        """Before the card is there, no list has the payment: "not found" proves nothing."""
        row = self.sent()
        self.assertEqual(self.not_found(row), 'sent')
        self.lose_answer(row)
        self.age(row, 100)
        for _question in range(4):
            self.assertEqual(self.not_found(row), 'unknown')
            self.age(row, 10)

    def test_not_found_after_the_deadline(self):
        """When the customer's time is long over, three of them mean that nothing was paid."""
        row = self.row_in('unknown')
        self.age(row, 185)
        self.assertEqual(self.not_found(row), 'unknown')
        self.age(row, 6)
        self.assertEqual(self.not_found(row), 'unknown')
        self.assertEqual(self.not_found(row), 'unknown', 'asked again in the same moment')
        self.age(row, 6)
        self.assertEqual(self.not_found(row), 'failed')

    def test_not_found_after_an_answer(self):
        """The terminal ended the request, so it does not wait: two of them, in their time."""
        for code in ('4005', '6002'):
            row = self.sent()
            ended = self.outcome(row, 'unknown', code=code, message='declined')
            self.learn(row, ended, 'answer')
            self.assertEqual(self.not_found(row), 'unknown')
            self.age(row, 6)
            self.assertEqual(self.not_found(row), 'unknown')
            self.age(row, 6)
            self.assertEqual(self.not_found(row), 'failed')
            self.assertEqual(row.message, 'declined')

    def test_not_found_among_many(self):
        """A list that does not name a number condemns nobody."""
        row = self.row_in('unknown')
        self.age(row, 185)
        for _question in range(5):
            self.age(row, 10)
            self.learn(row, self.outcome(row, 'not_found'), 'list')
        self.assertEqual(row.state, 'unknown')

    def test_not_found_after_it_was_known(self):
        """One empty answer fails nothing that QFPay has known and the customer can still pay."""
        row = self.row_in('unknown')
        self.learn(row, self.outcome(row, 'unknown', syssn='7'), 'inquiry')
        self.age(row, 185)
        for _question in range(5):
            self.age(row, 10)
            self.assertEqual(self.not_found(row), 'unknown')

    def test_question_that_nobody_answered(self):
        """No answer is not "not found"."""
        row = self.row_in('unknown')
        self.age(row, 185)
        for _question in range(5):
            self.age(row, 10)
            self.note(row, Fact.UNANSWERED, About.NUMBER, reason='timeout')
        self.assertEqual(row.state, 'unknown')

    def test_not_found_after_a_call_off(self):
        """Called off on the terminal, and nothing in QFPay's book: cancelled."""
        row = self.sent()
        self.learn(row, self.outcome(row, 'cancelled', code='6001'), 'answer')
        self.assertEqual(row.state, 'unknown')
        self.note(row, Fact.UNANSWERED, About.NUMBER, reason='timeout')
        self.learn(row, self.outcome(row, 'unknown'), 'inquiry')
        self.assertEqual(row.state, 'unknown')
        self.assertEqual(self.not_found(row), 'cancelled')

    def test_approval_that_crosses_a_call_off(self):
        """Called off on the terminal, and paid in QFPay's book: done, and no alarm."""
        row = self.sent()
        self.learn(row, self.outcome(row, 'cancelled', code='6001'), 'answer')
        self.learn(row, self.outcome(row, 'done'), 'inquiry')
        self.assertEqual(row.state, 'done')
        self.assertFalse(row.needs_attention)

    def test_not_found_after_a_word_of_success(self):
        """ "Carried out", or "in work", and nothing to be found: that may come yet."""
        for outcome in (
            Outcome(verdict=Verdict.UNKNOWN, code='6000'),
            Outcome(verdict=Verdict.PENDING, code='6002', inner_code='1145'),
        ):
            row = self.sent()
            self.learn(row, outcome, 'answer')
            for _question in range(5):
                self.age(row, 10)
                self.assertIn(self.not_found(row), OPEN)
            self.close(row)

    def test_inquiry_ends_no_request(self):
        """Only the terminal's answer to the request itself says that it does not wait any more."""
        row = self.sent()
        self.learn(row, self.outcome(row, 'unknown', code='4005'), 'inquiry')
        self.assertFalse(row.answered_at)
        self.age(row, 60)
        self.assertEqual(self.not_found(row), 'sent')

    def test_deadline_of_a_refund(self):
        """A terminal waits for a refund as long as it likes, not as long as for a payment."""
        self.terminal.timeout = 30
        row = self.sent_refund(self.paid(method=self.wallet))
        waits = row.deadline - row.sent_at
        self.assertGreaterEqual(waits, timedelta(seconds=120 + GRACE))


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestLedgerLosses(ShopCase):
    """A crash of the database takes its last commits back; the money has moved all the same."""

    def lose(self, row):
        """The database comes back without the row."""
        self.env.flush_all()
        self.env.cr.execute('DELETE FROM qfpay_testimony WHERE transaction_id = %s', [row.id])
        self.env.cr.execute('DELETE FROM qfpay_transaction WHERE id = %s', [row.id])
        self.env.invalidate_all()

    def report_about_lost(self, errand, outcome):
        """Whoever carried it comes back with an answer; the row that the answer is about."""
        with mute_logger('odoo.addons.pos_payment_qfpay.models.qfpay_transaction_hearing'):
            self.report(errand, outcome)
        reference = errand.row['reference']
        return self.env['qfpay.transaction'].search([('reference', '=', reference)])

    def test_row_that_was_lost(self):
        """It is written anew with what it was about, and a manager is called."""
        row = self.begin(self.payment())
        payment = row.pos_payment_id
        identity = row.read(['reference', 'amount_minor', 'channel', 'terminal_id', 'config_id'])
        errand, done = self.send_out(row), self.outcome(row, 'done')
        self.lose(row)
        anew = self.report_about_lost(errand, done)
        self.assertEqual(anew.state, 'done')
        self.assertEqual(self.alarms(anew), ['row_lost'])
        self.assertEqual(anew.pos_payment_id, payment)
        found = anew.read(list(identity[0]))
        self.assertEqual(dict(found[0], id=0), dict(identity[0], id=0))
        anew._tell()
        self.assertEqual(payment.payment_status, 'done')

    def test_row_that_was_lost_with_its_order(self):
        """Then there is no line that it could be on."""
        row = self.begin(self.payment())
        order = row.pos_order_id
        errand, done = self.send_out(row), self.outcome(row, 'done')
        self.lose(row)
        order.unlink()
        anew = self.report_about_lost(errand, done)
        anew._tell()
        self.assertEqual(anew.state, 'done')
        self.assertEqual(self.alarms(anew), ['row_lost', 'line_gone'])

    def test_row_that_was_lost_and_begun_again(self):
        """The till asked anew under the same reference: it is one payment."""
        row = self.begin(self.payment())
        payment = row.pos_payment_id
        errand, done = self.send_out(row), self.outcome(row, 'done')
        self.lose(row)
        again = self.begin(payment)
        self.assertEqual(again.reference, errand.row['reference'])
        self.assertEqual(self.report_about_lost(errand, done), again)
        self.assertEqual(again.state, 'done')
        self.assertIsNone(self.claim(again, 'send'))

    def test_what_money_depends_on_is_written_through(self):
        """Whatever the server's default is; a stricter one stays."""
        row = self.begin(self.payment())
        for default, expected in (('off', 'on'), ('on', 'on'), ('remote_apply', 'remote_apply')):
            with self.subTest(default), self.rewound():
                self.env.cr.execute(f'SET LOCAL synchronous_commit TO {default}')
                row._lock()
                self.env.cr.execute('SHOW synchronous_commit')
                self.assertEqual(self.env.cr.fetchone()[0], expected)


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestLedgerLooks(ShopCase):
    """What has ended is looked at again: QFPay may have thought otherwise since."""

    def assert_next_look(self, row, about, seconds):
        """QFPay is asked so long after the end, and not before."""
        self.assertEqual(row.next_step, about)
        self.assertAlmostEqual(
            (row.next_step_at - row.decided_at).total_seconds(), seconds, delta=2
        )
        self.assertIsNone(self.claim(row))

    def test_every_end_is_looked_at_twice(self):
        """A refusal in QFPay's own words, and "not found": minutes later QFPay is asked again."""
        explicit = self.row_in('failed')
        quiet = self.row_in('unknown', till=self.till_2)
        for _question in range(3):
            self.age(quiet, 185)
            self.not_found(quiet)
        for row in (explicit, quiet):
            self.assertEqual(row.state, 'failed')
            self.assert_next_look(row, 'number', 180)
            self.age(row, 181)
            self.report(self.claim(row), self.outcome(row, 'not_found'))
            self.assert_next_look(row, 'number', 900)
            self.age(row, 721)
            errand = self.claim(row)
            # it is off: it did not answer, so this was no look
            self.report(errand, fact=Fact.UNANSWERED, reason='unreachable')
            self.assertTrue(row.next_step_at)
            self.age(row, 3600)
            self.report(self.claim(row), self.outcome(row, 'failed'))
            self.assertFalse(row.next_step_at)
            self.assertEqual(row.state, 'failed')
            self.assertFalse(row.needs_attention)

    def test_look_that_finds_money(self):
        """Declined, paid seconds later all the same, and no notice: the look finds it."""
        row = self.row_in('failed')
        self.age(row, 181)
        self.report(self.claim(row), self.outcome(row, 'done'))
        self.assertEqual(row.state, 'done')
        self.assertEqual(self.alarms(row), ['done_after_all'])
        self.assertEqual(row.pos_payment_id.payment_status, 'done')

    def test_what_never_left_is_not_looked_at(self):
        """Of what was never sent QFPay knows nothing."""
        row = self.begin(self.payment())
        self.cancel_line(row)
        self.assertEqual(row.state, 'cancelled')
        self.assertFalse(row.next_step_at)

    def test_payment_that_was_called_off_in_vain(self):
        """A reversal may give back what has just been paid: it is looked at again, once."""
        row = self.sent(method=self.wallet)
        self.cancel_line(row)
        self.learn(row, self.outcome(row, 'done'), 'answer')
        self.assert_next_look(row, 'number', 180)
        self.age(row, 181)
        self.report(self.claim(row), self.outcome(row, 'cancelled', cancel=1))
        self.assertEqual(row.state, 'reversed')
        self.assertEqual(self.alarms(row), ['reversed'])

    def test_details_of_a_card(self):
        """A card's digits are fetched a moment later, when the till is green already."""
        row = self.row_in('done')
        self.assertEqual(row.next_step, 'number')
        self.assertLess((row.next_step_at - row.decided_at).total_seconds(), 1)
        self.age(row, 1)
        self.assertIsNone(
            self.report(self.claim(row), self.outcome(row, 'done', card_last4='1096'))
        )
        self.assertEqual(row.pos_payment_id.card_no, '1096')

    def test_asked_for_a_day_in_vain(self):
        """QFPay repeats its notifications for a day; who hears nothing for longer has to look."""
        row = self.row_in('unknown')
        self.age(row, 24.6 * 3600)
        self.assertIsNone(self.claim(row))
        self.assertEqual(row.state, 'unknown')
        self.assertEqual(self.alarms(row), ['undecided'])
        self.assertFalse(row.next_step_at)
        self.assertIsNone(self.claim(row))


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestLedgerIndexes(ShopCase):
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
        """A copy that meets no other index than this one cannot be written."""
        error = psycopg2.errors.CheckViolation if 'amount' in index else None
        error = error or psycopg2.errors.UniqueViolation
        with (
            self.assertRaises(error) as caught,
            mute_logger('odoo.sql_db'),
            self.env.cr.savepoint(),
        ):
            self.insert_copy(row, **self.elsewhere(**changes))
        self.assertEqual(caught.exception.diag.constraint_name, f'qfpay_transaction_{index}')

    def assert_possible(self, row, **changes):
        with self.rewound():
            self.insert_copy(row, **self.elsewhere(**changes))

    def elsewhere(self, **changes):
        """A copy that meets no index."""
        columns = ('terminal_id', 'original_id', 'order_uuid', 'syssn', 'tap')
        free = dict.fromkeys(columns, 'NULL')
        return {'reference': "'free'", 'payment_uuid': "'free'", **free, **changes}

    def test_one_row_per_reference(self):
        """A reference is used once, for ever."""
        row = self.row_in('done')
        self.assert_impossible('reference_unique', row, reference='"reference"')
        self.assert_possible(row)

    def test_one_open_attempt_per_line(self):
        """A payment line is tried once at a time."""
        self.assert_one_open('one_open_per_payment', self.row_in('draft'), 'payment_uuid')

    def test_one_job_per_terminal(self):
        """A terminal has one job at a time."""
        self.assert_one_open('one_job_per_terminal', self.row_in('draft'), 'terminal_id')

    def test_one_open_refund_per_payment(self):
        """A payment is given back once at a time."""
        refund = self.begin(self.refund_line(self.paid()))
        self.assert_one_open('one_open_refund', refund, 'original_id', refund_number='77')

    def assert_one_open(self, index, row, column, **more):
        for state in STATES:
            changes = {column: f'"{column}"', 'state': f"'{state}'", **more}
            if state in OPEN:
                self.assert_impossible(index, row, **changes)
            else:
                self.assert_possible(row, **changes)

    def test_one_owner_per_number(self):
        """A number of QFPay's belongs to one row whose money moved."""
        row = self.row_in('done')
        for state in STATES:
            changes = {'syssn': '"syssn"', 'state': f"'{state}'"}
            if state in ('done', 'reversed'):
                self.assert_impossible('one_owner_per_number', row, **changes)
            else:
                self.assert_possible(row, **changes)

    def test_attempts_of_an_order_are_counted(self):
        """Two tills that knew the same attempts cannot both begin the next one."""
        row = self.row_in('failed')
        own = {'order_uuid': '"order_uuid"'}
        self.assert_impossible('attempts_in_order', row, **own)
        self.assert_possible(row, **own, order_attempt='order_attempt + 1')

    def test_refunds_of_a_payment_are_counted(self):
        """Nor can they both begin the next refund."""
        refund = self.sent_refund(self.paid(method=self.wallet))
        self.learn(refund, self.outcome(refund, 'done'), 'answer')
        own = {'original_id': '"original_id"'}
        self.assert_impossible('refunds_in_order', refund, **own)
        self.assert_possible(refund, **own, refund_number='refund_number + 1')

    def test_one_row_per_tap(self):
        """One tap begins one attempt."""
        row = self.begin(self.payment(), tap='tap-0123456789')
        self.close(row)
        self.assert_impossible('tap_unique', row, tap='"tap"')

    def test_amount_above_zero(self):
        """Nothing and less than nothing cannot be taken."""
        row = self.row_in('done')
        for amount in ('0', '-1'):
            self.assert_impossible('amount_positive', row, amount_minor=amount)


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestLedgerWords(ShopCase):
    """What the till is told, and what everybody in the shop may overhear."""

    def test_status_of_a_line_without_any_attempt(self):
        """A till that asks about a line that was never started learns that."""
        told = look_up(self.env_of(), 'never-started')
        self.assertEqual(told, {'payment_uuid': 'never-started', 'state': 'none'})

    def test_unknown_warns_of_charging_again(self):
        """A lost answer tells the cashier not to charge again."""
        self.assertIn('Do not charge again', status(self.row_in('unknown'))['message'])

    def test_end_with_words(self):
        """Every end but done says what to do next."""
        for code in ('4003', '4006', '4007', '5001', '1205', ''):
            row = self.sent()
            outcome = self.outcome(row, 'failed', code=code, message='said by QFPay')
            self.learn(row, outcome, 'answer')
            self.assertGreater(len(status(row)['message']), 20)

    def test_ends_that_qfpay_knows_nothing_of(self):
        """What never left is explained in our own words, each with what to do next."""
        seen = set()
        for reason in ('unreachable', 'tls', 'stale', 'invalid', 'rate_limited', 'nothing_known'):
            row = self.sent()
            self.note(row, Fact.NEVER_LEFT, reason=reason, claim=row.claim)
            self.assertEqual((row.state, row.reason), ('failed', reason))
            message = status(row)['message']
            self.assertGreater(len(message), 20)
            self.assertNotIn('QFPay says', message)
            seen.add(message)
        self.assertGreaterEqual(len(seen), 5)

    def test_every_alarm_has_a_sentence(self):
        """A manager reads why, in a sentence, for whatever the rules may raise."""
        row = self.row_in('done')
        for what in (
            'contradiction',
            'same_number',
            'paid_twice_under_one_number',
            'done_after_all',
            'manager_contradicted',
            'denied_after_done',
            'reversed',
            'row_lost',
            'undecided',
            'paid_twice',
            'refunded_twice',
            'line_gone',
            'order_cancelled',
            'booked_otherwise',
            'recorded_unpaid',
            'neutralized',
        ):
            sentence = alarm_sentence(row, what, 'HEARD', 'EXPECTED')
            self.assertNotEqual(sentence, what)
            self.assertTrue(sentence.endswith('.'), sentence)

    def test_what_goes_over_the_bus(self):
        """Customer displays hear the till's channel: no amount, name or number is on it."""
        row = self.sent()
        self.env.cr.precommit.run()
        self.env['bus.bus'].search([]).unlink()
        self.learn(row, self.outcome(row, 'done', syssn='77777', card_last4='1096'), 'answer')
        self.env.cr.precommit.run()
        messages = self.env['bus.bus'].search([]).mapped('message')
        ours = [message for message in messages if 'QFPAY_PAYMENT' in message]
        self.assertEqual(len(ours), 1)
        self.assertIn(row.reference, ours[0])
        for secret in ('77777', '1096', '10.1', '1010'):
            self.assertNotIn(
                secret, ours[0].replace(row.reference, '').replace(row.payment_uuid, '')
            )


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestLedgerTelling(ShopCase):
    """Payment line and tills follow the ledger, and cannot hold it up."""

    @contextmanager
    def broken_payments(self):
        """Another module's code on `pos.payment` is broken."""

        def write(_payments, _vals):
            raise ZeroDivisionError('another module')

        with patch.object(PointOfSalePayment, 'write', write, create=True):
            yield

    def test_another_modules_error_keeps_nothing_from_the_ledger(self):
        """What QFPay said stands, and is told when the other module works again."""
        runner = self.courier_here()
        row = self.sent(method=self.wallet)
        word = Word(witness=Witness.ANSWER, about=About.REQUEST, outcome=self.outcome(row, 'done'))
        with self.broken_payments(), mute_logger('odoo.addons.pos_payment_qfpay.courier.runner'):
            row._hear(word)
            runner._tell(row.id)
        self.assertEqual(row.state, 'done')
        self.assertNotEqual(row.pos_payment_id.payment_status, 'done')
        self.assertGreater(row.tell_at, row.decided_at + timedelta(seconds=10))
        self.assertFalse(self.due('tell'))
        self.age(row, 16)
        self.assertEqual([due.row_id for due in self.due('tell')], row.ids)
        runner._tell(row.id)
        self.assertEqual(row.pos_payment_id.payment_status, 'done')
        self.assertEqual(row.pos_payment_id.qfpay_confirmation, 'confirmed')
        self.assertFalse(self.due('tell'))

    def test_telling_twice_tells_once(self):
        """The step can be repeated as often as one likes."""
        row = self.row_in('done')
        self.env.cr.precommit.run()
        before = self.env['bus.bus'].search_count([])
        row._tell()
        self.env.cr.precommit.run()
        self.assertEqual(self.env['bus.bus'].search_count([]), before)

    def test_whoever_learned_it_dies_before_he_could_tell(self):
        """The news waits on the row, and the next look of any process finds it."""
        row = self.sent()
        row._hear(
            Word(witness=Witness.ANSWER, about=About.REQUEST, outcome=self.outcome(row, 'failed'))
        )
        self.assertFalse(self.due('tell'), 'it is given a moment')
        self.age(row, 4)
        self.assertEqual([due.row_id for due in self.due('tell')], row.ids)
