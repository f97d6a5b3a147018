"""What was said about a payment is kept as it was said, and nobody changes it."""

from dataclasses import replace
from datetime import datetime, timezone

from odoo.addons.pos_payment_qfpay.cashier.status import status
from odoo.addons.pos_payment_qfpay.courier import Word
from odoo.addons.pos_payment_qfpay.ledger.rules import judge
from odoo.addons.pos_payment_qfpay.ledger.testimony import About, Fact, Witness
from odoo.addons.pos_payment_qfpay.models.qfpay_testimony import outcome_from_json, outcome_to_json
from odoo.addons.pos_payment_qfpay.qfpay.masking import masked
from odoo.addons.pos_payment_qfpay.qfpay.outcome import Outcome, Verdict
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import ShopCase


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestTestimony(ShopCase):
    def test_nothing_is_changed_or_removed(self):
        """Neither by a manager, nor by an administrator, nor by the server itself."""
        row = self.row_in('unknown')
        words = row.testimony_ids
        self.assertTrue(words)
        admin = self.env.ref('base.user_admin')
        admin.group_ids += self.env.ref('point_of_sale.group_pos_manager')
        admin.company_ids += self.company
        for mine in (words.with_user(self.manager), words.with_user(admin), words.sudo()):
            with self.assertRaises(UserError):
                mine.write({'reason': 'forged'})
            with self.assertRaises(UserError):
                mine.unlink()
        for user in (self.cashier, self.manager, admin):
            with self.assertRaises(AccessError):
                words.with_user(user).create(
                    {
                        'transaction_id': row.id,
                        'at': datetime.now(),
                        'witness': 'inquiry',
                        'about': 'number',
                        'outcome': {'verdict': 'done'},
                    }
                )
        self.assertEqual(row.testimony_ids.mapped('fact'), ['sent', 'answer_lost'])

    def test_who_reads_it(self):
        """The shop's managers; neither its cashiers nor other companies, whatever their rights."""
        row = self.row_in('unknown')
        self.assertEqual(
            row.with_user(self.manager).testimony_ids.mapped('fact'), ['sent', 'answer_lost']
        )
        their_manager = self._user(
            'qfpay_their_manager', 'point_of_sale.group_pos_manager', self.other_company
        )
        self.assertFalse(self.env_of(their_manager)['qfpay.testimony'].search([]))
        for user in (self.cashier, self.clerk, self.stranger, their_manager):
            mine = self.env_of(user)['qfpay.testimony'].browse(row.testimony_ids.ids)
            with self.subTest(user.login), self.assertRaises(AccessError):
                mine.read(['heard'])

    def test_repetitions_are_counted(self):
        """A hundred times the same to the same question is one word, with its times."""
        row = self.row_in('unknown')
        before = len(row.testimony_ids)
        for _question in range(3):
            self.learn(row, self.outcome(row, 'unknown'), 'inquiry')
            self.age(row, 5)
        (word,) = row.testimony_ids[before:]
        self.assertEqual(word.times, 3)
        self.assertGreater(word.again_at, word.at)
        self.assertEqual(row.asked, 3)

    def test_not_found_is_kept_each_time(self):
        """Each is weighed by its own time."""
        row = self.row_in('unknown')
        before = len(row.testimony_ids)
        for _question in range(3):
            self.not_found(row)
        self.assertEqual(len(row.testimony_ids), before + 3)

    def test_the_state_can_be_judged_again(self):
        """What the row says is what the rules make of what was kept, and of nothing else."""
        for state in ('sent', 'pending', 'unknown', 'failed', 'cancelled', 'done', 'reversed'):
            row = self.row_in(state)
            read = row._lock()
            belief = judge(row._attempt(read), read.testimonies)
            self.assertEqual(belief.state, state)
            self.assertEqual(row._columns(belief)['asked'], row.asked)
            if state in ('sent', 'pending', 'unknown'):
                self.close(row)

    def test_what_qfpay_said_is_kept_whole(self):
        """Every fact comes back from the database as it was."""
        said = Outcome(
            verdict=Verdict.DONE,
            code='6000',
            inner_code='0000',
            message='好',
            reference='r',
            syssn='s',
            orig_syssn='o',
            amount_minor=0,
            cancel=0,
            refundable_minor=0,
            trade_type='payment',
            signed=True,
            strict=True,
            traded_at=datetime(2026, 11, 21, 12, tzinfo=timezone.utc),
            stated_at=datetime(2026, 11, 21, 13, tzinfo=timezone.utc),
            also_paid=('a', 'b'),
            heard='not here',
        )
        kept = outcome_from_json(outcome_to_json(said))
        self.assertEqual(kept, said)
        self.assertEqual(kept.stated_at, said.stated_at)
        self.assertEqual(kept.heard, '')
        self.assertIsNone(outcome_from_json(outcome_to_json(None)))
        row = self.sent()
        self.learn(row, self.outcome(row, 'done', also_paid=('9',), message='好'), 'answer')
        read = row._lock()
        self.assertEqual(read.testimonies[-1].outcome.also_paid, ('9',))

    def test_secrets_are_masked(self):
        """A card's number and the customer's code stand nowhere in what is kept."""
        row = self.begin(self.payment())
        errand = self.send_out(row)
        heard = 'cardcd=4111111111111111 auth_code=281234567890123456'
        self.report(errand, self.outcome(row, 'done', heard=heard), heard=masked(heard))
        kept = ' '.join(f'{word.asked} {word.heard}' for word in row.testimony_ids)
        self.assertIn(row.reference, kept)
        for secret in ('4111111111111111', '281234567890123456'):
            self.assertNotIn(secret, kept)


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestAudit(ShopCase):
    """Nothing is ever told as QFPay's word that QFPay did not say."""

    def sources(self):
        field = self.env['qfpay.transaction']._fields['state_source']
        return dict(field._description_selection(self.env))

    def assert_not_by_qfpay(self, row, reason):
        self.assertEqual(row.reason, reason)
        self.assertFalse(row.respcd, "QFPay's own column")
        self.assertFalse(row.message, "QFPay's own words")
        self.assertEqual(row.state_source, 'server')
        self.assertNotIn('QFPay', self.sources()[row.state_source])
        self.assertNotIn('QFPay says', status(row)['message'])
        for word in row.testimony_ids:
            self.assertNotIn(word.witness, ('answer', 'inquiry', 'notification'))
            self.assertFalse(word.outcome)

    def test_what_nobody_answered(self):
        """Nobody was reached, the answer was lost, the process died: this server says so."""
        for fact, reason, state in (
            (Fact.NEVER_LEFT, 'unreachable', 'failed'),
            (Fact.NEVER_LEFT, 'tls', 'failed'),
            (Fact.NEVER_LEFT, 'stale', 'failed'),
            (Fact.NEVER_LEFT, 'invalid', 'failed'),
            (Fact.NEVER_LEFT, 'rate_limited', 'failed'),
            (Fact.ANSWER_LOST, 'timeout', 'unknown'),
            (Fact.ANSWER_LOST, 'connection', 'unknown'),
            (Fact.TAKEN_OVER, '', 'unknown'),
        ):
            with self.subTest(f'{fact.value} {reason}'):
                row = self.sent()
                self.note(row, fact, reason=reason, claim=row.claim)
                self.assertEqual(row.state, state)
                self.assert_not_by_qfpay(row, reason or False)
                if state == 'unknown':
                    self.close(row)

    def test_what_was_cancelled_before_it_left(self):
        """Nobody at QFPay has called it off."""
        row = self.begin(self.payment())
        self.cancel_line(row)
        self.assertEqual(row.state, 'cancelled')
        self.assert_not_by_qfpay(row, 'cancelled')

    def test_what_came_too_late_to_be_sent(self):
        """Nor has QFPay refused what it never got."""
        row = self.begin(self.payment())
        self.age(row, 61)
        self.claim(row, 'send')
        self.assert_not_by_qfpay(row, 'too_late')

    def test_what_qfpay_refused(self):
        """QFPay's code stands in QFPay's column, and no reason of ours beside it."""
        row = self.sent()
        said = self.outcome(row, 'failed', code='6002', inner_code='1205', message='declined')
        self.learn(row, said, 'answer')
        self.assertEqual((row.respcd, row.message), ('1205', 'declined'))
        self.assertFalse(row.reason)
        self.assertEqual(self.sources()[row.state_source], "QFPay's answer")

    def test_end_that_silence_decided(self):
        """Three times "not found" is QFPay's word, asked; the lost answer stays this server's."""
        row = self.row_in('unknown')
        for _question in range(3):
            self.age(row, 185)
            self.not_found(row)
        self.assertEqual((row.state, row.state_source), ('failed', 'inquiry'))
        self.assertFalse(row.respcd)

    def test_who_heard_it_and_under_which_claim(self):
        """The chain of times and processes tells support where the seconds went."""
        row = self.begin(self.payment())
        errand = self.send_out(row)
        self.report(errand, self.outcome(row, 'done'))
        sent, answered = row.testimony_ids
        self.assertEqual((sent.fact, sent.claim), ('sent', errand.claim))
        self.assertEqual((answered.witness, answered.claim), ('answer', errand.claim))
        self.assertIn(row.reference, sent.asked)
        self.assertTrue(sent.carrier)
        self.assertGreaterEqual(answered.tick, sent.tick)

    def test_word_that_had_to_wait_for_the_database(self):
        """It is noted for when it was heard, not for when the database came back."""
        row = self.sent()
        self.age(row, 300)
        word = Word(
            witness=Witness.ANSWER, about=About.REQUEST, outcome=self.outcome(row, 'failed')
        )
        late = replace(word, tick=word.tick - 120)
        row._hear(late)
        self.assertAlmostEqual((row.decided_at - row.sent_at).total_seconds(), 300 - 120, delta=5)
