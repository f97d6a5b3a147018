"""The next step of a row: who carries it, that nothing is sent twice, and how it is cancelled."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.addons.pos_payment_qfpay.cashier.status import look_up, status
from odoo.addons.pos_payment_qfpay.courier.carrying import Query, carry
from odoo.addons.pos_payment_qfpay.courier.runner import LOOK
from odoo.addons.pos_payment_qfpay.ledger.belief import CANCEL_PATIENCE
from odoo.addons.pos_payment_qfpay.ledger.testimony import About, Fact
from odoo.addons.pos_payment_qfpay.models.qfpay_link import LEASE, RENEWED_AT
from odoo.addons.pos_payment_qfpay.models.qfpay_terminal import GRACE
from odoo.addons.pos_payment_qfpay.qfpay.ecr.message import CancelRequest, Inquiry, Payment
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ShopCase
from .ledger_talk import CARRIER, OTHER_CARRIER
from .openapi_shop import OpenApiCase

STEPS_LOG = 'odoo.addons.pos_payment_qfpay.models.qfpay_transaction_steps'


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestClaim(ShopCase):
    """Who carries a row, and that nothing is sent twice."""

    def test_claim_of_a_draft(self):
        """The first courier sends; the row says so before a byte leaves."""
        row = self.begin(self.payment())
        errand = self.send_out(row)
        self.assertIsInstance(errand.request.command, Payment)
        self.assertEqual(errand.claim, row.claim)
        self.assertEqual(row.deadline - row.sent_at, timedelta(seconds=120 + GRACE))
        link = row.link_id
        self.assertEqual((link.owner, link.fence), (CARRIER, errand.claim))
        self.assertAlmostEqual((link.lease_until - row.sent_at).total_seconds(), LEASE, delta=1)

    def test_second_courier(self):
        """While one courier has the row, nobody else touches it, nor the same one again."""
        row = self.sent()
        for lane in ('send', 'talk'):
            for carrier in (CARRIER, OTHER_CARRIER):
                self.assertIsNone(self.claim(row, lane, carrier))
        self.assertEqual(row.state, 'sent')

    def test_row_of_a_courier_that_died(self):
        """When the lease has run out the row is asked about, never sent again."""
        for state in ('sent', 'pending', 'unknown'):
            row = self.row_in(state)
            fence = row.link_id.fence
            self.age(row, 20)
            self.assertIsNone(self.claim(row, carrier=OTHER_CARRIER))
            self.end_lease(row)
            errand = self.claim(row, carrier=OTHER_CARRIER)
            if state == 'sent':
                # nobody waits for its answer any more; QFPay is asked in a moment
                self.assertEqual((row.state, row.state_source), ('unknown', 'server'))
                self.age(row, 2)
                errand = errand or self.claim(row, carrier=OTHER_CARRIER)
            self.assertIs(errand.about, About.NUMBER)
            self.assertIsInstance(errand.request.command, Inquiry)
            self.assertEqual(row.link_id.fence, fence + 1)
            self.assertEqual(row.link_id.owner, OTHER_CARRIER)
            self.close(row)
            self.end_lease(row)

    def test_answer_of_a_courier_that_was_thought_dead(self):
        """It comes under an old claim, and is QFPay's word all the same."""
        row = self.begin(self.payment())
        errand = self.send_out(row)
        self.end_lease(row)
        self.claim(row, carrier=OTHER_CARRIER)
        self.assertEqual(row.state, 'unknown')
        self.report(errand, self.outcome(row, 'done'))
        self.assertEqual(row.state, 'done')

    def test_one_that_was_thought_dead_says_that_nothing_left(self):
        """Only the one who has the claim can say so; a later one may have sent it."""
        row = self.begin(self.payment())
        errand = self.send_out(row)
        self.note(row, Fact.NEVER_LEFT, reason='stale', claim=errand.claim - 1)
        self.assertEqual(row.state, 'sent')
        self.report(errand, fact=Fact.NEVER_LEFT, reason='stale')
        self.assertEqual((row.state, row.reason), ('failed', 'stale'))

    def test_courier_that_slept_between_claim_and_send(self):
        """It does not send any more: the cashier may have given up, another may have the link."""
        row = self.begin(self.payment())
        errand = self.send_out(row)
        with patch('odoo.addons.pos_payment_qfpay.courier.clock.tick') as tick:
            tick.return_value = errand.claimed + 60
            word = carry(errand)
        self.assertEqual((word.fact, word.reason), (Fact.NEVER_LEFT, 'unreachable'))

    def test_decided_row(self):
        """Nothing is carried that is decided."""
        for state in ('done', 'failed', 'cancelled', 'reversed'):
            row = self.row_in(state, method=self.wallet)
            for lane in ('send', 'talk'):
                self.assertIsNone(self.claim(row, lane))

    def test_old_draft_is_never_sent(self):
        """A server that comes back hours later does not wake a terminal: the customer is gone."""
        row = self.begin(self.payment())
        self.age(row, 61)
        self.assertIsNone(self.claim(row, 'send'))
        self.assertEqual((row.state, row.reason), ('failed', 'too_late'))
        self.assertFalse(row.sent_at)
        self.assertEqual(row.pos_payment_id.payment_status, 'retry')
        self.assertIn('never sent', status(row)['message'])

    def test_terminal_that_lost_its_key(self):
        """A draft that cannot be sent fails at once; what is out already stays open."""
        draft = self.begin(self.payment())
        out = self.row_in('unknown', till=self.till_2)
        self.age(out, 10)
        (self.terminal | self.terminal_2).write({'pos_key': False})
        with mute_logger(STEPS_LOG):
            self.assertIsNone(self.claim(draft, 'send'))
            self.assertIsNone(self.claim(out))
        self.assertEqual((draft.state, draft.reason), ('failed', 'invalid'))
        self.assertEqual(draft.pos_payment_id.payment_status, 'retry')
        self.assertEqual(out.state, 'unknown')
        self.assertEqual(out.testimony_ids[-1:].fact, 'unanswered')
        self.terminal_2.pos_key = '0123456789abcdef'
        self.age(out, 60)
        self.assertIs(self.claim(out).about, About.NUMBER)

    def test_settings_are_read_for_each_step(self):
        """A key that is entered while a payment is under way serves its next question."""
        row = self.row_in('unknown')
        self.age(row, 10)
        before = self.claim(row).request.key
        self.terminal.pos_key = '0123456789abcdef'
        self.age(row, 60)
        self.assertNotEqual(self.claim(row).request.key, before)

    def test_reference_that_cannot_be_sent(self):
        """A line whose uuid holds a quote fails before anything leaves."""
        for uuid in ("it's", 'a,b}', 'x' * 130, '支付'):
            row = self.begin(self.payment(uuid=uuid))
            with mute_logger(STEPS_LOG):
                self.assertIsNone(self.claim(row, 'send'))
            self.assertEqual((row.state, row.reason), ('failed', 'invalid'))
            self.assertFalse(row.sent_at)

    def test_clocks_of_servers_do_not_matter(self):
        """A server whose clock is ahead neither takes another's row, nor ends it."""
        row = self.sent()
        ahead = fields.Datetime.now() + timedelta(hours=1)
        with patch.object(fields.Datetime, 'now', lambda *_args: ahead):
            self.assertIsNone(self.claim(row, carrier=OTHER_CARRIER))
            self.not_found(row)
        self.assertEqual(row.state, 'sent')

    def test_database_clock_that_is_set_back(self):
        """What was due is due, and not in the hour that comes once more."""
        for hours in (1, 5):
            row = self.row_in('unknown')
            self.age(row, 10)
            self.set_clock(row, -hours * 3600)
            with self.subTest(hours):
                self.assertEqual([due.row_id for due in self.due('talk')], row.ids)
                self.assertIs(self.claim(row).about, About.NUMBER)
            self.close(row)

    def test_database_clock_that_is_set_forward(self):
        """The customer has not had more time for that: nothing fails, nothing is dropped."""
        waiting = self.sent()
        self.set_clock(waiting, 3600)
        for _question in range(4):
            self.assertEqual(self.not_found(waiting), 'sent')
        draft = self.begin(self.payment(till=self.till_2))
        self.set_clock(draft, 3600)
        self.assertIs(self.claim(draft, 'send').about, About.REQUEST)


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestLink(ShopCase):
    """One process has a link, for as long as it lives."""

    def lease_left(self, link):
        self.env.cr.execute(
            """
            SELECT EXTRACT(EPOCH FROM lease_until - clock_timestamp() AT TIME ZONE 'UTC')
              FROM qfpay_link WHERE id = %s
            """,
            [link.id],
        )
        return float(self.env.cr.fetchone()[0])

    def set_lease(self, link, seconds):
        self.env.cr.execute(
            """
            UPDATE qfpay_link
               SET lease_until = clock_timestamp() AT TIME ZONE 'UTC' + %s * interval '1 second'
             WHERE id = %s
            """,
            [seconds, link.id],
        )
        self.env.invalidate_all()

    def test_lease_is_renewed(self):
        """By whoever has it, while it lives; nobody else's look touches it."""
        link = self.row_in('unknown').link_id
        self.set_lease(link, RENEWED_AT - 1)
        self.due('talk', OTHER_CARRIER)
        self.assertLess(self.lease_left(link), RENEWED_AT)
        self.due('talk')
        self.assertGreater(self.lease_left(link), RENEWED_AT)
        self.assertEqual(link.owner, CARRIER)

    def test_lease_outlives_two_looks(self):
        """A look may be late, or fail once, without another process taking over."""
        self.assertGreater(RENEWED_AT, 2 * LOOK)
        row = self.row_in('unknown')
        self.set_lease(row.link_id, RENEWED_AT)
        self.age(row, 60)
        self.assertFalse(self.due('talk', OTHER_CARRIER))

    def test_link_without_payments_is_given_back(self):
        """The next process has it at once."""
        row = self.row_in('unknown')
        self.close(row)
        self.due('talk')
        self.assertFalse(row.link_id.owner)
        again = self.begin(row.pos_payment_id)
        self.assertTrue(self.claim(again, 'send', OTHER_CARRIER))

    def test_lease_of_a_process_that_died(self):
        """Within its few seconds the rows are another process's, whatever its state."""
        self.assertLessEqual(LEASE, 10)
        row = self.sent()
        self.assertFalse(self.due('talk', OTHER_CARRIER))
        self.set_lease(row.link_id, -0.1)
        self.assertEqual([due.row_id for due in self.due('talk', OTHER_CARRIER)], row.ids)

    def test_lease_from_before_the_clock_was_set_back(self):
        """A lease that lies further ahead than one can is over."""
        row = self.sent()
        self.set_lease(row.link_id, 3600)
        self.assertEqual([due.row_id for due in self.due('talk', OTHER_CARRIER)], row.ids)
        self.claim(row, carrier=OTHER_CARRIER)
        self.assertEqual(row.link_id.owner, OTHER_CARRIER)
        self.assertLessEqual(self.lease_left(row.link_id), LEASE)

    def test_look_finds_what_nobody_carries(self):
        """After a restart every open row is carried on, without any till."""
        left = self.begin(self.payment())
        carried = self.sent(till=self.till_2)
        due = self.due('send', OTHER_CARRIER)
        self.assertEqual([(it.row_id, it.till_id) for it in due], [(left.id, self.till.id)])
        self.assertFalse(self.due('talk', OTHER_CARRIER))
        self.end_lease(carried)
        self.assertEqual([it.row_id for it in self.due('talk', OTHER_CARRIER)], carried.ids)

    def test_cron_wakes_the_courier(self):
        """Where no till is open, the courier looks all the same."""
        self.env['qfpay.transaction']._cron_look()
        self.assertFalse(self.woken)
        self.env.cr.postcommit.run()
        self.assertEqual(self.woken, 1)

    def test_till_that_asks_now(self):
        """Whichever process has the link, its next look asks about this number alone."""
        row = self.row_in('unknown')
        self.age(row, 3)
        self.report(self.claim(row), self.outcome(row, 'unknown'))
        self.assertFalse(self.due('talk'))
        told = look_up(self.env_of(), row.payment_uuid, inquire=True)
        self.env.cr.postcommit.run()
        self.assertEqual(self.woken, 1)
        self.assertEqual([due.row_id for due in self.due('talk')], row.ids)
        self.assertIs(self.claim(row).about, About.NUMBER)
        self.assertFalse(row.urgent)
        self.assertEqual(told['asked'], 1)

    def test_till_that_asks_about_what_never_left(self):
        """QFPay knows nothing of it: it is not asked."""
        row = self.begin(self.payment())
        self.cancel_line(row)
        look_up(self.env_of(), row.payment_uuid, inquire=True)
        self.assertFalse(self.due('talk'))


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestCancel(ShopCase):
    """A payment is cancelled when QFPay says so, and not before."""

    def test_nothing_has_left(self):
        """A draft is cancelled at once: the terminal never hears of it."""
        row = self.begin(self.payment())
        told = self.cancel_line(row)
        self.assertEqual((told['state'], told['cancelling']), ('cancelled', False))
        self.assertIsNone(self.claim(row, 'send'))
        self.env.cr.postcommit.run()
        self.assertEqual(self.told, row.ids)
        row._tell()
        self.assertEqual(row.pos_payment_id.payment_status, 'retry')

    def test_terminal_is_told(self):
        """An open payment stays open until its own end is known."""
        row = self.sent()
        told = self.cancel_line(row)
        self.assertEqual((told['state'], told['cancelling']), ('sent', True))
        self.env.cr.postcommit.run()
        self.assertEqual(self.woken, 1)
        errand = self.claim(row)
        self.assertIsInstance(errand.request.command, CancelRequest)
        self.report(errand, self.outcome(row, 'done', amount_minor=None, reference=None))
        self.assertEqual(row.state, 'sent')
        self.assertTrue(status(row)['cancelling'])
        # nobody is told twice
        self.cancel_line(row)
        self.assertIsNone(self.claim(row))

    def test_cancelling_does_not_last_for_ever(self):
        """A terminal that says nothing more leaves the cashier no button for half a minute."""
        row = self.sent()
        self.cancel_line(row)
        self.report(self.claim(row), self.outcome(row, 'done'))
        self.age(row, CANCEL_PATIENCE + 1)
        self.assertFalse(status(row)['cancelling'])
        self.assertTrue(self.cancel_line(row)['cancelling'])

    def test_terminal_refuses(self):
        """The cashier is told that it was not cancelled, and may ask again."""
        row = self.sent()
        self.cancel_line(row)
        self.report(self.claim(row), self.outcome(row, 'failed', code='6002'))
        told = status(row)
        self.assertFalse(told['cancelling'])
        self.assertIn('did not cancel', told['message'])
        self.assertEqual(row.state, 'sent')
        self.assertTrue(self.cancel_line(row)['cancelling'])
        self.assertIs(self.claim(row).about, About.CANCEL)

    def test_lost_cancel_is_not_an_accepted_one(self):
        """Nobody knows whether it arrived: the payment's own end tells."""
        row = self.sent()
        self.cancel_line(row)
        self.report(self.claim(row), fact=Fact.UNANSWERED, reason='timeout')
        self.assertFalse(status(row)['cancelling'])
        self.assertEqual(row.state, 'sent')

    def test_paid_in_that_moment(self):
        """A payment approved while it is cancelled is done."""
        row = self.begin(self.payment())
        sent = self.send_out(row)
        self.cancel_line(row)
        cancel = self.claim(row)
        self.report(cancel, self.outcome(row, 'done'))
        self.report(sent, self.outcome(row, 'done'))
        self.assertEqual(row.state, 'done')
        self.assertFalse(status(row)['cancelling'])
        self.assertEqual(row.pos_payment_id.payment_status, 'done')
        self.report(cancel, self.outcome(row, 'failed'))
        self.assertEqual(row.state, 'done')
        self.assertFalse(row.needs_attention)

    def test_decided_rows_and_refunds(self):
        """What is decided cannot be cancelled, and giving money back neither."""
        for state in ('done', 'failed', 'cancelled', 'reversed'):
            row = self.row_in(state)
            self.assertEqual(self.cancel_line(row)['state'], state)
            self.assertFalse(row.cancel_requested_at)
        refund = self.sent_refund(self.paid())
        self.cancel_line(refund)
        self.assertFalse(refund.cancel_requested_at)

    def test_terminal_is_not_disturbed_later(self):
        """A cancel names no payment: sent too late, it would hit somebody else's."""
        row = self.sent()
        self.cancel_line(row)
        with self.rewound():
            self.assertIs(self.claim(row).about, About.CANCEL)
        with self.rewound():
            # the deadline is over
            self.age(row, 120 + GRACE + 1)
            self.assertIs(self.claim(row).about, About.NUMBER)
        with self.rewound():
            # the terminal has ended the request
            self.learn(row, self.outcome(row, 'unknown', code='4005'), 'answer')
            self.age(row, 2)
            self.assertIs(self.claim(row).about, About.NUMBER)
        self.learn(row, self.outcome(row, 'done'), 'answer')
        self.assertNotEqual(row.next_step, 'cancel')

    def test_what_cannot_be_cancelled_is_said_at_once(self):
        """The answer is lost: nothing can be cancelled, and the cashier is not kept waiting."""
        row = self.row_in('unknown')
        told = self.cancel_line(row)
        self.assertFalse(told['cancelling'])
        self.assertIn('Do not charge again', told['message'])
        self.assertEqual(self.claim(row), None)


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestCodeSteps(OpenApiCase):
    """Codes: many are asked about at once, and what has run out is cancelled."""

    def shown_code(self, **values):
        row = self.sent(method=self.shown, **values)
        shown = self.outcome(row, 'pending', qrcode='https://qr.example/abc', syssn='77')
        self.learn(row, shown, 'answer')
        return row

    def test_open_codes_are_asked_about_together(self):
        """One question names them all; who has the link asks it."""
        rows = self.shown_code() | self.shown_code(till=self.till_2)
        self.assertEqual(set(rows.mapped('next_step')), {'list'})
        self.age(rows, 2)
        self.assertEqual({due.link_id for due in self.due('list')}, {self.account.link_id.id})
        found = self.account.link_id._claim_round(CARRIER)
        self.assertEqual(found.rows, {row.reference: row.id for row in rows})
        self.assertIsNone(self.account.link_id._claim_round(OTHER_CARRIER))

    def test_a_round_of_one_that_died(self):
        """Within seconds another process goes it."""
        row = self.shown_code()
        self.age(row, 2)
        self.end_lease(row)
        found = self.account.link_id._claim_round(OTHER_CARRIER)
        self.assertEqual(list(found.rows), [row.reference])

    def test_a_round_after_the_clock_was_set_back(self):
        """The open codes are asked about all the same."""
        row = self.shown_code()
        for hours in (1, 5):
            with self.subTest(hours), self.rewound():
                self.age(row, 2)
                self.set_clock(row, -hours * 3600)
                self.assertTrue(self.due('list'))
                self.assertTrue(self.account.link_id._claim_round(CARRIER))

    def test_a_round_that_ended_is_nobodys(self):
        """Another process may begin the next one at once."""
        row = self.shown_code()
        self.age(row, 2)
        self.assertTrue(self.account.link_id._claim_round(CARRIER))
        self.close(row)
        self.assertIsNone(self.account.link_id._claim_round(CARRIER))
        self.due('list')
        self.assertFalse(self.account.link_id.owner)
        another = self.begin(self.payment(10, self.shown))
        self.assertTrue(self.claim(another, 'send', OTHER_CARRIER))

    def test_no_in_a_list_is_asked_about_alone(self):
        """The paid row of the same number may stand on another page."""
        row = self.shown_code()
        self.learn(row, self.outcome(row, 'failed', code='1205'), 'list')
        self.assertEqual(row.state, 'pending')
        errand = self.claim(row)
        self.assertIsInstance(errand.request.request, Query)
        self.report(errand, self.outcome(row, 'failed', code='1205'))
        self.assertEqual(row.state, 'failed')

    def test_cancelled_by_its_number(self):
        """A shown code, and a scanned one, which needs no customer's code for that."""
        for method, code in ((self.shown, ''), (self.scanned, '281234567890123456')):
            row = self.sent(method=method, auth_code=code)
            self.learn(row, self.outcome(row, 'pending'), 'inquiry')
            self.cancel_line(row)
            request = self.claim(row).request.request
            self.assertEqual(request.reference, row.reference)
            self.assertFalse(hasattr(request, 'auth_code'))
            self.close(row)

    def test_cancelled_is_asked_about(self):
        """QFPay accepts, and only a question tells what came of it."""
        row = self.shown_code()
        self.cancel_line(row)
        self.report(self.claim(row), self.outcome(row, 'done'))
        self.assertEqual(row.state, 'pending')
        self.assertTrue(status(row)['cancelling'])
        errand = self.claim(row)
        self.assertIs(errand.about, About.NUMBER)
        self.report(errand, self.outcome(row, 'cancelled', code='1264'))
        self.assertEqual(row.state, 'cancelled')

    def test_paid_before_the_cancel_could_leave(self):
        """What is done is not reversed: the step is judged anew when it is claimed."""
        row = self.shown_code()
        self.cancel_line(row)
        self.assertEqual(row.next_step, 'cancel')
        self.learn(row, self.outcome(row, 'done'), 'notification')
        errand = self.claim(row)
        self.assertIsNone(errand)
        self.assertEqual(row.state, 'done')

    def test_expired_code_is_cancelled_once(self):
        """So that nobody pays it late; then only asked about."""
        row = self.shown_code()
        self.age(row, 5 * 60 + 31)
        errand = self.claim(row)
        self.assertIs(errand.about, About.CANCEL)
        self.report(errand, self.outcome(row, 'failed', code='1261'))
        for _question in range(3):
            errand = self.claim(row)
            self.assertIs(errand.about, About.NUMBER)
            self.report(errand, self.outcome(row, 'unknown'))
            self.age(row, 20)

    def test_code_of_a_wallet_that_cannot_be_cancelled(self):
        """The cashier reads so, and waits."""
        row = self.sent(method=self.fps_code)
        self.learn(row, self.outcome(row, 'pending', qrcode='x'), 'answer')
        told = self.cancel_line(row)
        self.assertFalse(told['cancelling'])
        self.assertIn('cannot be cancelled', told['message'])
