"""What holds in every story, in whatever order things are heard."""

import math
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pos_payment_qfpay.ledger.rules import weigh
from pos_payment_qfpay.ledger.states import AT_QFPAY, OPEN
from pos_payment_qfpay.ledger.steps import Do, next_step
from pos_payment_qfpay.ledger.testimony import About, Fact
from pos_payment_qfpay.qfpay.outcome import Verdict
from pos_payment_qfpay.tests_pure.ledger.story import (
    ACCEPTED,
    CANCELLED_THERE,
    CLOSED,
    CODE,
    ERROR,
    EVERYTHING,
    FAILED,
    NOT_FOUND,
    OTHER_NUMBER,
    PENDING,
    REFUSED,
    SALE,
    SCAN,
    STRANGE_REFUSAL,
    UNKNOWN,
    LedgerCase,
    Story,
    done,
    left,
    says,
)

ANY = settings(max_examples=300, deadline=None, database=None, derandomize=True)
DAY = 24.5 * 3600


def proofless(attempt):
    """Words of success that prove nothing."""
    return (
        done(attempt, strict=False),
        done(attempt, syssn=None),
        done(attempt, amount_minor=(attempt.amount_minor + 1)),
        done(attempt, currency='CNY'),
        replace(done(attempt), syssn=attempt.original_syssn, reference=None),
        says(Verdict.DONE, '6000', inner_code='0000'),
    )


OTHER_WORDS = (
    PENDING,
    UNKNOWN,
    ERROR,
    FAILED,
    CLOSED,
    CANCELLED_THERE,
    NOT_FOUND,
    STRANGE_REFUSAL,
    left(1010),
    left(300),
)
#: what may happen: the words for it, and how it is told
EVENTS = st.one_of(
    st.tuples(
        st.sampled_from(('answer', 'asked', 'asked_in_a_list', 'notified', 'page', 'control')),
        st.sampled_from([*OTHER_WORDS, *range(len(proofless(SALE)))]),
    ),
    st.tuples(st.just('told_to_cancel'), st.sampled_from((ACCEPTED, REFUSED, Fact.UNANSWERED))),
    st.tuples(st.just('told_to_cancel'), st.just(Fact.WRONG_WAY)),
    st.tuples(st.just('control'), st.sampled_from((Fact.NO_CONTROL, Fact.UNANSWERED))),
    st.tuples(
        st.sampled_from(('sent', 'lost', 'taken_over', 'never_left', 'unanswered', 'cancel')),
        st.none(),
    ),
    st.tuples(st.just('server'), st.sampled_from((Fact.GIVEN_UP, Fact.REWRITTEN))),
    st.tuples(st.just('manager'), st.sampled_from((Fact.FAILED, Fact.LOOKED_AT))),
    st.tuples(st.just('set_clock'), st.sampled_from((-7200, 7200))),
    st.tuples(st.just('elsewhere'), st.sampled_from(('till-server', 'other'))),
)
STORIES = st.lists(st.tuples(st.sampled_from((0, 1, 5, 60, 200, 1000)), EVENTS), max_size=12)


class TestWhateverHappens(LedgerCase):
    def tell(self, story, events):
        """Everything in its order; gives the story after each thing."""
        for seconds, (how, what) in events:
            story.after(seconds)
            is_word = isinstance(what, int) and how != 'set_clock'
            said = proofless(story.attempt)[what] if is_word else what
            getattr(story, how)(*(() if said is None else (said,)))
            yield story

    @ANY
    @given(attempt=st.sampled_from(EVERYTHING), seals=st.booleans(), events=STORIES)
    def test_without_proof_nothing_is_paid(self, attempt, seals, events):
        for story in self.tell(Story(attempt, seals), events):
            self.assertNotIn(story.belief.state, ('done', 'reversed'))

    @ANY
    @given(
        attempt=st.sampled_from(EVERYTHING),
        before=STORIES,
        after=STORIES,
        how=st.sampled_from(('answer', 'notified')),
    )
    def test_what_was_proved_once_is_paid_for_ever(self, attempt, before, after, how):
        """Or QFPay took it back; and a manager hears of everything that does not fit to it."""
        if attempt.looks_before:
            how = 'answer'
        story = Story(attempt)
        for _told in self.tell(story, before):
            pass
        getattr(story.after(1), how)(done(attempt))
        self.assertEqual(story.belief.state, 'done')
        for told in self.tell(story, after):
            self.assertIn(told.belief.state, ('done', 'reversed'))
        second = story.belief
        story.notified(done(attempt, syssn=OTHER_NUMBER + '1'))
        if second.state == 'done' and not attempt.looks_before:
            self.assertAlarm(
                story, 'paid_twice_under_one_number', OTHER_NUMBER + '1', second.facts['syssn']
            )

    @ANY
    @given(attempt=st.sampled_from(EVERYTHING), events=STORIES, urgent=st.booleans())
    def test_nothing_is_ever_sent_twice(self, attempt, events, urgent):
        """Whatever becomes of a request that may have left: no step sends it again."""
        has_left = False
        for story in self.tell(Story(attempt), events):
            has_left = has_left or story.belief.state != 'draft'
            if has_left:
                self.assertNotIn(story.step(urgent).do, (Do.SEND, Do.DROP))

    @ANY
    @given(attempt=st.sampled_from(EVERYTHING), events=STORIES, urgent=st.booleans())
    def test_each_step_makes_sense(self, attempt, events, urgent):
        for story in self.tell(Story(attempt), events):
            belief, step = story.belief, story.step(urgent)
            self.assertTrue(0 <= step.after <= DAY and math.isfinite(step.after))
            if step.do is Do.CANCEL:
                self.assertIn(belief.state, AT_QFPAY)
                self.assertTrue(attempt.ways_to_cancel)
            if step.do is Do.ASK:
                self.assertFalse(belief.never_left)
                self.assertNotEqual(step.about, About.NOTHING)
                if attempt.looks_before:
                    self.assertIn(step.about, (About.ORIGINAL, About.CONTROL))
                if urgent:
                    self.assertNotEqual(step.about, About.LIST)
                    self.assertEqual(step.after, 0)
            else:
                self.assertEqual(step.after, 0)
            if step.do is Do.REST and belief.is_open:
                self.assertTrue(belief.gave_up)

    @ANY
    @given(attempt=st.sampled_from((SALE, CODE, SCAN)), events=STORIES)
    def test_whoever_is_not_told_otherwise_is_asked_about_to_the_end(self, attempt, events):
        """Each open attempt ends, or a manager is called: nothing is forgotten."""
        story = Story(attempt)
        for _told in self.tell(story.sent(), events):
            pass
        story.elsewhere('till-server', 50_000.0)
        belief = story.belief
        for _time in range(3000):
            step = next_step(attempt, belief, story.now)
            if step.do in (Do.GIVE_UP, Do.REST):
                break
            story.after(max(step.after, 1))
            if step.do is Do.CANCEL:
                story.told_to_cancel(REFUSED)
            elif step.about is About.CONTROL:
                story.control(Fact.UNANSWERED)
            else:
                story.unanswered()
            weigh(attempt, belief, story.said[-1])
        self.assertEqual(belief, story.belief)
        if story.belief.state in OPEN:
            self.assertTrue(step.do is Do.GIVE_UP or story.belief.gave_up)
