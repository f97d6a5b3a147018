"""A terminal's refund. It has no number of ours: only what is left of its payment tells."""

from dataclasses import replace

from pos_payment_qfpay.ledger.steps import Do
from pos_payment_qfpay.ledger.testimony import About, Fact
from pos_payment_qfpay.qfpay.outcome import Verdict
from pos_payment_qfpay.tests_pure.ledger.story import (
    CANCELLED_THERE,
    ERROR,
    NOON,
    NOT_FOUND,
    NUMBER,
    ORIGINAL,
    OTHER_NUMBER,
    REFUND,
    UNKNOWN,
    LedgerCase,
    Story,
    at,
    done,
    left,
    says,
)

WHOLE = replace(REFUND, amount_minor=1010)


class TestBefore(LedgerCase):
    """What is left must be known before the request may leave."""

    def test_it_is_asked_first(self):
        story = Story(REFUND)
        self.assertStep(story, Do.ASK, 0, About.ORIGINAL)
        story.asked(left(1010))
        self.assertEqual(story.belief.left_before, 1010)
        self.assertBelieved(story, 'draft')
        self.assertStep(story, Do.SEND)

    def test_without_it_nothing_leaves(self):
        self.assertStep(Story(REFUND).unanswered(), Do.DROP, reason='unreachable')
        for outcome in (
            UNKNOWN,
            NOT_FOUND,
            left(1010, strict=False),
            left(1010, syssn=NUMBER),
            left(1010, trade_type='refund'),
            left(None, verdict=Verdict.DONE),
            left(1010, verdict=Verdict.PENDING),
            left(1011),
            left(-1),
            left(10**15),
            left(1010, stated_at=at(NOON, -601)),
        ):
            with self.subTest(outcome):
                story = Story(REFUND).asked(outcome)
                self.assertIsNone(story.belief.left_before)
                self.assertStep(story, Do.DROP, reason='nothing_known')

    def test_what_may_be_said_of_it(self):
        for outcome, amount in (
            (left(1010), 1010),
            (left(505), 505),
            (left(0), 0),
            # given back as a whole: no amount is needed
            (left(None, verdict=Verdict.CANCELLED), 0),
            (left(505, verdict=Verdict.CANCELLED), 505),
            (left(1010, syssn=None, trade_type=None), 1010),
            (left(1010, stated_at=at(NOON, -600)), 1010),
            (left(1010, stated_at=at(NOON, 60)), 1010),
        ):
            with self.subTest(outcome):
                self.assertEqual(Story(REFUND).asked(outcome).belief.left_before, amount)

    def test_it_is_never_more_than_our_own_refunds_left_of_it(self):
        """Somebody plays what was true before another refund."""
        for given, said, believed in ((0, 1010, 1010), (505, 505, 505), (505, 506, None)):
            story = Story(REFUND).asked(left(said), returned_minor=given)
            self.assertEqual(story.belief.left_before, believed)

    def test_where_less_is_left_than_it_gives_back_a_manager_looks(self):
        """It could begin because the ledger thought that more was left: something else took it."""
        for amount in (505, 506, 1010):
            self.assertBelieved(Story(REFUND).asked(left(amount)), 'draft')
        for amount in (504, 0):
            story = Story(REFUND).asked(left(amount))
            self.assertBelieved(story, 'draft', 'contradiction')
            self.assertAlarm(story, 'contradiction', str(amount), '505')

    def test_the_newest_look_counts(self):
        story = Story(REFUND).asked(left(1010)).after(1).asked(left(505))
        self.assertEqual(story.belief.left_before, 505)

    def test_a_look_that_tells_nothing_takes_none_away(self):
        story = Story(REFUND).asked(left(1010)).asked(left(None, verdict=Verdict.DONE))
        self.assertEqual(story.belief.left_before, 1010)

    def test_in_the_clear_from_a_terminal_that_seals_it_is_not_known(self):
        story = Story(REFUND, seals=True).asked(left(1010, signed=False))
        self.assertIsNone(story.belief.left_before)

    def test_the_gateways_refund_has_a_number_and_needs_no_look(self):
        self.assertStep(Story(replace(REFUND, provider='openapi', channel='800201')), Do.SEND)


class TestAfter(LedgerCase):
    """When its answer is lost, it is held against what was left before, and nothing else."""

    def lost(self, attempt=REFUND, before=1010, **changes):
        story = Story(replace(attempt, **changes)).asked(left(before)).after(1)
        return story.sent().after(20).lost()

    def test_it_happened(self):
        for attempt, before, now in ((REFUND, 1010, 505), (REFUND, 505, 0), (WHOLE, 1010, 0)):
            with self.subTest(before):
                story = self.lost(attempt, before).after(10).asked(left(now))
                self.assertBelieved(story, 'done')

    def test_it_did_not_happen(self):
        """Three after the deadline, as with everything whose answer was lost."""
        story = self.lost().after(100).asked(left(1010)).after(31)
        self.assertBelieved(story.asked(left(1010)), 'unknown')
        self.assertBelieved(story.after(5).asked(left(1010)), 'unknown')
        self.assertBelieved(story.after(5).asked(left(1010)), 'failed')

    def test_the_terminal_said_no_clear_word_and_nothing_was_given_back(self):
        story = Story(REFUND).asked(left(1010)).sent().after(20).answer(ERROR)
        self.assertBelieved(story.after(5).asked(left(1010)), 'unknown')
        self.assertBelieved(story.after(5).asked(left(1010)), 'failed')

    def test_cancelled_at_the_terminal(self):
        story = Story(REFUND).asked(left(1010)).sent().after(20).answer(CANCELLED_THERE)
        self.assertBelieved(story, 'unknown')
        self.assertBelieved(story.asked(left(1010)), 'cancelled')
        story = Story(REFUND).asked(left(1010)).sent().after(20).answer(CANCELLED_THERE)
        self.assertBelieved(story.asked(left(505)), 'done')

    def test_any_other_rest_proves_nothing(self):
        for now in (0, 504, 506, 1009):
            story = self.lost()
            for _time in range(30):
                story.after(10).asked(left(now))
            self.assertBelieved(story, 'unknown')

    def test_a_rest_that_cannot_be_proves_nothing(self):
        for outcome in (
            left(505, strict=False),
            left(505, syssn=OTHER_NUMBER),
            left(505, trade_type='refund'),
            left(505, verdict=Verdict.UNKNOWN),
            left(505, stated_at=at(NOON, -601)),
            left(505, signed=False),
            left(-505),
            left(None, verdict=Verdict.DONE),
        ):
            with self.subTest(outcome):
                story = self.lost()
                story.seals = True
                self.assertBelieved(story.after(10).asked(outcome), 'unknown')

    def test_after_a_later_refund_of_the_same_payment_nothing_proves_it(self):
        for said in (505, 0, 1010):
            story = self.lost().after(200)
            for _time in range(5):
                story.after(10).asked(left(said), superseded=True)
            self.assertBelieved(story, 'unknown')

    def test_what_was_heard_before_the_later_one_stays_heard(self):
        story = self.lost().after(10).asked(left(505)).after(10).asked(left(0), superseded=True)
        self.assertBelieved(story, 'done')

    def test_without_a_look_before_nothing_proves_it(self):
        story = Story(REFUND).sent().after(20).lost()
        for said in (505, 1010, 0):
            for _time in range(5):
                story.after(100).asked(left(said))
            self.assertBelieved(story, 'unknown')

    def test_its_own_answer_needs_no_look(self):
        self.assertBelieved(Story(REFUND).sent().answer(done(REFUND)), 'done')

    def test_what_is_left_later_takes_nothing_back(self):
        story = Story(REFUND).asked(left(1010)).sent().answer(done(REFUND))
        for said in (1010, 505, 0):
            self.assertBelieved(story.after(100).asked(left(said)), 'done')
        self.assertEqual(story.belief.facts['syssn'], OTHER_NUMBER)

    def test_it_happened_after_all(self):
        story = Story(REFUND).asked(left(1010)).sent().answer(says(Verdict.FAILED, '4003'))
        self.assertBelieved(story.after(180).asked(left(505)), 'done', 'done_after_all')
        story = self.lost().manager(Fact.FAILED).after(180).asked(left(505))
        self.assertBelieved(story, 'done', 'manager_contradicted')

    def test_looks_after_the_end(self):
        story = Story(REFUND).asked(left(1010)).sent().answer(says(Verdict.FAILED, '4003'))
        self.assertEqual(story.after(60).asked(left(1010)).belief.looks, 1)
        self.assertEqual(story.after(60).asked(left(700)).belief.looks, 1)
        self.assertEqual(story.after(60).asked(left(1010)).belief.looks, 2)
        self.assertBelieved(story, 'failed')

    def test_where_nothing_tells_any_more_a_look_is_a_look(self):
        """Asking on would not help."""
        refused = says(Verdict.FAILED, '4003')
        story = Story(REFUND).asked(left(1010)).sent().answer(refused).after(60)
        self.assertEqual(story.asked(left(505), superseded=True).belief.looks, 1)
        self.assertBelieved(story, 'failed')
        story = Story(REFUND).sent().answer(refused).after(60).asked(left(505))
        self.assertEqual(story.belief.looks, 1)
        story = self.lost().after(60).asked(left(505), superseded=True)
        self.assertEqual(story.belief.looks, 0)
        # what a manager decided is not confirmed by what tells nothing
        story = self.lost().manager(Fact.FAILED).after(60).asked(left(505), superseded=True)
        self.assertEqual(story.belief.looks, 0)
        # what does not tell what is left may tell it the next time
        story = Story(REFUND).asked(left(1010)).sent().answer(refused).after(60)
        self.assertEqual(story.asked(UNKNOWN, superseded=True).belief.looks, 0)

    def test_the_payments_own_recorded_answers_are_no_refund(self):
        """Its answer of then, and what an inquiry said of it then."""
        paid = replace(REFUND, kind='payment', amount_minor=505)
        for outcome in (
            done(paid, syssn=ORIGINAL, orig_syssn=None, trade_type='refund'),
            done(paid, syssn=ORIGINAL, orig_syssn=ORIGINAL, trade_type='refund'),
        ):
            story = Story(REFUND).asked(left(1010)).sent().answer(outcome)
            self.assertBelieved(story, 'unknown')

    def test_an_end_counts_as_qfpays_word(self):
        story = self.lost().after(10).asked(left(505))
        self.assertEqual(story.belief.source, story.said[-1].witness)
        self.assertEqual(story.said[-1].about, About.ORIGINAL)
        self.assertFalse(story.belief.by_manager)
