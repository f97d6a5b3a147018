"""A cashier, or time, wants an attempt to end. Only QFPay's next word tells what came of it."""

from pos_payment_qfpay.ledger.rules import can_be_cancelled
from pos_payment_qfpay.ledger.steps import Do
from pos_payment_qfpay.ledger.testimony import About, Fact
from pos_payment_qfpay.qfpay.outcome import Verdict
from pos_payment_qfpay.tests_pure.ledger.story import (
    ACCEPTED,
    CANCELLED_THERE,
    CLOSED,
    CODE,
    ERROR,
    FAILED,
    GATEWAY_REFUND,
    NOT_FOUND,
    PAYME,
    PENDING,
    REFUND,
    REFUSED,
    SALE,
    SCAN,
    UNKNOWN,
    LedgerCase,
    Story,
    done,
    says,
)

WRONG_WAYS = ('0000', '1101', '1104', '1136', '1297')


class TestWhatCanBeCancelled(LedgerCase):
    def assertCanBeCancelled(self, story, expected):
        self.assertEqual(can_be_cancelled(story.attempt, story.belief, story.now), expected)

    def test_a_terminal_only_while_its_job_certainly_runs(self):
        """Its cancel names no payment: later it would hit the next customer's."""
        self.assertCanBeCancelled(Story(SALE), False)
        self.assertCanBeCancelled(Story(SALE).sent(), True)
        self.assertCanBeCancelled(Story(SALE).sent().after(150), True)
        self.assertCanBeCancelled(Story(SALE).sent().after(150.1), False)
        self.assertCanBeCancelled(Story(SALE).sent().lost(), False)
        self.assertCanBeCancelled(Story(SALE).sent().taken_over(), False)
        self.assertCanBeCancelled(Story(SALE).sent().after(5).asked(PENDING), True)
        self.assertCanBeCancelled(
            Story(SALE).sent().answer(says(Verdict.PENDING, '6000', inner_code='1143')), False
        )
        self.assertCanBeCancelled(Story(SALE).sent().answer(CANCELLED_THERE), False)

    def test_an_order_at_the_gateway_as_long_as_it_is_open(self):
        """It is named by its number, and hits nobody else."""
        for attempt in (CODE, SCAN):
            self.assertCanBeCancelled(Story(attempt), False)
            self.assertCanBeCancelled(Story(attempt).sent(), True)
            self.assertCanBeCancelled(Story(attempt).sent().answer(PENDING), True)
            self.assertCanBeCancelled(Story(attempt).sent().lost().after(10**5), True)
            self.assertCanBeCancelled(Story(attempt).sent().answer(FAILED), False)

    def test_what_is_paid_is_never_cancelled(self):
        for attempt in (SALE, CODE, SCAN):
            self.assertCanBeCancelled(Story(attempt).sent().answer(done(attempt)), False)

    def test_what_has_no_way_to_be_cancelled(self):
        for attempt in (PAYME, REFUND, GATEWAY_REFUND):
            self.assertCanBeCancelled(Story(attempt).sent(), False)


class TestWishes(LedgerCase):
    def test_a_till_waits_for_what_comes_of_it(self):
        story = Story(SALE).sent().after(5).cancel()
        for seconds, waits in ((0, True), (29.9, True), (0.1, False), (60, False)):
            self.assertEqual(story.after(seconds).belief.is_cancelling(story.now), waits)
        self.assertEqual(story.belief.cancel_wanted, story.attempt.created.plus(5))

    def test_a_till_waits_no_longer_than_for_the_end(self):
        for outcome in (done(SALE), FAILED):
            story = Story(SALE).sent().cancel().answer(outcome)
            self.assertFalse(story.belief.is_cancelling(story.now))
            self.assertFalse(story.belief.is_open)
        self.assertFalse(Story(SALE).sent().belief.is_cancelling(SALE.created))

    def test_a_till_is_told_at_once_that_it_cannot_be_cancelled(self):
        for story in (
            Story(SALE),
            Story(SALE).sent().lost(),
            Story(PAYME).sent().answer(PENDING),
            Story(REFUND).sent(),
        ):
            story.cancel()
            self.assertTrue(story.belief.cancel_refused)
            self.assertFalse(story.belief.is_cancelling(story.now))
            self.assertNotEqual(story.step().do, Do.CANCEL)

    def test_after_the_end_nobody_can_wish_for_it(self):
        for story in (Story(SALE).sent().answer(FAILED), Story(SALE).sent().answer(done(SALE))):
            self.assertIsNone(story.cancel().belief.cancel_wanted)

    def test_a_wish_ends_nothing_by_itself(self):
        self.assertBelieved(Story(SALE).sent().cancel(), 'sent')
        self.assertBelieved(Story(SALE).cancel(), 'draft')

    def test_a_second_wish_is_told_again(self):
        story = Story(CODE).sent().answer(PENDING).cancel().told_to_cancel(Fact.WRONG_WAY)
        story.told_to_cancel(says(Verdict.FAILED, '1150')).after(20)
        self.assertTrue(story.belief.cancel_refused)
        story.cancel()
        belief = story.belief
        self.assertEqual((belief.ways_tried, belief.cancel_told), (0, None))
        self.assertEqual((belief.cancel_wanted, belief.cancel_refused), (story.now, False))
        self.assertStep(story, Do.CANCEL)


class TestReplies(LedgerCase):
    def test_an_accepted_wish_proves_nothing(self):
        for attempt in (SALE, CODE):
            story = Story(attempt).sent().cancel().after(1).told_to_cancel(ACCEPTED)
            self.assertBelieved(story, 'sent')
            self.assertEqual(story.belief.cancel_told, story.now)
            self.assertFalse(story.belief.cancel_refused)
            self.assertTrue(story.belief.is_cancelling(story.now))
            self.assertBelieved(story.answer(done(attempt)), 'done')

    def test_a_refused_wish_gives_the_button_back(self):
        for attempt in (SALE, CODE):
            for said in (REFUSED, UNKNOWN, says(Verdict.PENDING, '1145'), Fact.UNANSWERED):
                story = Story(attempt).sent().cancel().after(1).told_to_cancel(said)
                self.assertBelieved(story, 'sent')
                self.assertTrue(story.belief.cancel_refused)
                self.assertFalse(story.belief.is_cancelling(story.now))
                self.assertEqual(story.belief.cancel_told, story.now)

    def test_a_lost_wish_is_not_an_accepted_one(self):
        story = Story(CODE).sent().answer(PENDING).cancel().told_to_cancel(Fact.UNANSWERED)
        self.assertTrue(story.belief.cancel_refused)
        self.assertStep(story, Do.ASK, 0, About.NUMBER)

    def test_the_words_of_a_reply_are_no_words_about_the_payment(self):
        told = says(Verdict.CANCELLED, '6001', message='x', syssn='X', reference='X')
        story = Story(SALE).sent().cancel().told_to_cancel(told)
        self.assertBelieved(story, 'sent')
        self.assertEqual((story.belief.code, story.belief.message), ('', ''))
        self.assertEqual(story.belief.facts, {})
        self.assertFalse(story.belief.known)

    def test_a_way_that_is_none_for_this_order_is_followed_by_the_other(self):
        for code in WRONG_WAYS:
            with self.subTest(code):
                story = Story(CODE).sent().answer(PENDING).cancel()
                story.told_to_cancel(says(Verdict.FAILED, code))
                self.assertEqual((story.belief.ways_tried, story.belief.cancel_told), (1, None))
                self.assertFalse(story.belief.cancel_refused)
                self.assertTrue(story.belief.is_cancelling(story.now))
                self.assertStep(story, Do.CANCEL)
                story.after(1).told_to_cancel(says(Verdict.FAILED, code))
                self.assertTrue(story.belief.cancel_refused)
                self.assertEqual(story.belief.ways_tried, 2)
                self.assertEqual(story.belief.cancel_told, story.now)
                self.assertStep(story, Do.ASK, 0, About.NUMBER)

    def test_a_call_that_does_not_exist_is_such_a_way(self):
        story = Story(CODE).sent().answer(PENDING).cancel().told_to_cancel(Fact.WRONG_WAY)
        self.assertStep(story, Do.CANCEL)
        story.told_to_cancel(Fact.WRONG_WAY)
        self.assertTrue(story.belief.cancel_refused)
        self.assertNotEqual(story.step().do, Do.CANCEL)

    def test_a_plain_no_has_no_other_way(self):
        for code in ('1150', '1142', '6002'):
            story = Story(CODE).sent().answer(PENDING).cancel()
            story.told_to_cancel(says(Verdict.FAILED, code))
            self.assertEqual((story.belief.ways_tried, story.belief.cancel_refused), (0, True))

    def test_an_accepted_one_needs_no_other_way(self):
        for code in WRONG_WAYS:
            story = Story(CODE).sent().answer(PENDING).cancel()
            story.told_to_cancel(says(Verdict.DONE, code))
            self.assertEqual((story.belief.ways_tried, story.belief.cancel_refused), (0, False))
            self.assertEqual(story.belief.cancel_told, story.now)

    def test_a_terminal_has_one_way_only(self):
        for code in WRONG_WAYS:
            story = Story(SALE).sent().cancel().told_to_cancel(says(Verdict.FAILED, code))
            self.assertEqual((story.belief.ways_tried, story.belief.cancel_refused), (0, True))

    def test_a_reply_in_the_clear_from_a_terminal_that_seals_accepts_nothing(self):
        clear = says(Verdict.DONE, '6000', signed=False)
        story = Story(SALE, seals=True).sent().cancel().after(1).told_to_cancel(clear)
        self.assertBelieved(story, 'sent')
        self.assertTrue(story.belief.cancel_refused)
        self.assertEqual(story.belief.cancel_told, story.now)
        sealed = Story(SALE, seals=True).sent().cancel().told_to_cancel(ACCEPTED)
        self.assertEqual(sealed.belief.cancel_told, sealed.now)
        self.assertFalse(sealed.belief.cancel_refused)

    def test_a_reply_in_the_clear_is_not_asked_for_again_without_a_pause(self):
        """Else the terminal is told to cancel as fast as it answers, until its deadline."""
        clear = says(Verdict.DONE, '6000', signed=False)
        story = Story(SALE, seals=True).sent().after(5).cancel().told_to_cancel(clear)
        self.assertStep(story, Do.ASK, 145, About.NUMBER)


class TestWhatCameOfIt(LedgerCase):
    """After QFPay was told to cancel, the next question settles it."""

    def test_cancelled_by_the_cashier(self):
        story = Story(SALE).sent().cancel().told_to_cancel(ACCEPTED).after(1)
        story.answer(CANCELLED_THERE)
        self.assertBelieved(story, 'unknown')
        self.assertStep(story, Do.ASK, 0, About.NUMBER)
        self.assertBelieved(story.asked(NOT_FOUND), 'cancelled')

    def test_approved_while_it_was_cancelled(self):
        story = Story(SALE).sent().cancel().told_to_cancel(ACCEPTED).after(1).answer(done(SALE))
        self.assertBelieved(story, 'done')
        story = Story(CODE).sent().answer(PENDING).cancel().told_to_cancel(ACCEPTED).after(1)
        self.assertBelieved(story.asked(done(CODE)), 'done')

    def test_an_order_is_asked_about_at_once_and_alone(self):
        story = Story(CODE).sent().answer(PENDING).after(9).cancel().told_to_cancel(ACCEPTED)
        self.assertStep(story, Do.ASK, 0, About.NUMBER)
        self.assertBelieved(story.after(1).asked(CLOSED), 'cancelled')

    def test_it_is_asked_until_it_is_answered_for_this_order_alone(self):
        story = Story(CODE).sent().answer(PENDING).cancel().told_to_cancel(ACCEPTED).after(1)
        self.assertStep(story.asked_in_a_list(PENDING), Do.ASK, 0, About.NUMBER)
        story.asked(PENDING)
        self.assertStep(story, Do.ASK, 2, About.LIST)
        self.assertIs(story.belief.cancel_unsettled, False)

    def test_a_question_before_the_wish_settles_nothing(self):
        story = Story(CODE).sent().answer(PENDING).after(9).asked(PENDING).after(0.1)
        story.cancel().told_to_cancel(ACCEPTED)
        self.assertStep(story, Do.ASK, 0, About.NUMBER)

    def test_while_the_terminal_answers_nobody_asks(self):
        """Its own answer comes first: the customer's card may be in it."""
        story = Story(SALE).sent().after(5).cancel().told_to_cancel(ACCEPTED)
        self.assertStep(story, Do.ASK, 145, About.NUMBER)

    def test_another_machine_asks_with_a_pause_while_the_terminal_answers(self):
        story = Story(SALE).sent().cancel().told_to_cancel(ACCEPTED).elsewhere('other')
        self.assertStep(story, Do.ASK, 1, About.NUMBER)

    def test_what_was_given_back_is_not_looked_at_again(self):
        story = Story(CODE).sent().cancel().answer(done(CODE)).after(9)
        story.asked(done(CODE, verdict=Verdict.CANCELLED))
        self.assertBelieved(story, 'reversed', 'reversed')
        self.assertStep(story, Do.REST)

    def test_a_terminals_error_after_it_was_cancelled(self):
        story = Story(SALE).sent().cancel().told_to_cancel(ACCEPTED).after(1).answer(ERROR)
        self.assertStep(story, Do.ASK, 0, About.NUMBER)


class TestRunOut(LedgerCase):
    """A code that has run out is cancelled once, so that nobody pays it late."""

    def test_a_code_that_has_run_out_is_cancelled(self):
        for story in (
            Story(CODE).sent(patience=330).answer(PENDING),
            Story(CODE).sent(patience=330),
        ):
            self.assertNotEqual(story.after(330).step().do, Do.CANCEL)
            self.assertStep(story.after(0.1), Do.CANCEL)

    def test_once(self):
        story = Story(CODE).sent(patience=330).answer(PENDING).after(331)
        story.told_to_cancel(ACCEPTED)
        self.assertTrue(story.belief.cancel_told_late)
        self.assertStep(story, Do.ASK, 0, About.NUMBER)
        for _time in range(5):
            story.after(60).asked(PENDING)
            self.assertEqual(story.step().do, Do.ASK)

    def test_also_if_the_cashiers_own_wish_came_too_early(self):
        story = Story(CODE).sent(patience=330).answer(PENDING).after(5).cancel()
        story.told_to_cancel(Fact.UNANSWERED).after(2).asked(PENDING)
        self.assertFalse(story.belief.cancel_told_late)
        self.assertStep(story.after(330), Do.CANCEL)

    def test_by_both_ways(self):
        story = Story(CODE).sent(patience=330).answer(PENDING).after(331)
        story.told_to_cancel(Fact.WRONG_WAY)
        self.assertStep(story, Do.CANCEL)
        story.told_to_cancel(Fact.WRONG_WAY)
        self.assertEqual(story.step().do, Do.ASK)

    def test_a_terminal_ends_by_itself(self):
        self.assertNotEqual(Story(SALE).sent().after(200).step().do, Do.CANCEL)
        self.assertNotEqual(Story(PAYME).sent().answer(PENDING).after(2000).step().do, Do.CANCEL)

    def test_a_paid_one_is_never_cancelled_however_late(self):
        """Nor one that waited for its turn while the news came."""
        story = Story(CODE).sent(patience=330).answer(PENDING).after(100).cancel()
        self.assertStep(story, Do.CANCEL)
        story.notified(done(CODE))
        for _time in range(5):
            self.assertNotEqual(story.after(100).step().do, Do.CANCEL)

    def test_a_clock_that_is_set_cancels_nothing(self):
        story = Story(CODE).sent(patience=330).answer(PENDING).set_clock(3600)
        self.assertNotEqual(story.after(10).step().do, Do.CANCEL)
        story.set_clock(-7200).after(321)
        self.assertStep(story, Do.CANCEL)
