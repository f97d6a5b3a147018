"""When QFPay's "I have no such payment" may be believed: the customer may pay yet."""

from pos_payment_qfpay.ledger.testimony import About, Fact, Witness
from pos_payment_qfpay.qfpay.outcome import Verdict
from pos_payment_qfpay.tests_pure.ledger.story import (
    CANCELLED_THERE,
    CLOSED,
    CODE,
    ERROR,
    FAILED,
    NOT_FOUND,
    NUMBER,
    OTHER_NUMBER,
    PENDING,
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


class TestNotFound(LedgerCase):
    def ended(self, attempt=SALE):
        """QFPay has answered the request itself, in a way that leaves everything open."""
        return Story(attempt).sent().after(20).answer(ERROR)

    def test_two_after_the_requests_own_end_are_believed(self):
        for attempt in (SALE, CODE, SCAN):
            with self.subTest(attempt.channel):
                story = self.ended(attempt)
                self.assertBelieved(story.after(5).asked(NOT_FOUND), 'unknown')
                self.assertBelieved(story.after(5).asked(NOT_FOUND), 'failed')
                self.assertEqual(story.belief.reason, '')
                self.assertEqual(story.belief.source, Witness.INQUIRY)

    def test_a_wallet_may_be_slow_to_tell_its_host(self):
        """Within five seconds of the end it counts for nothing."""
        story = self.ended().after(4.9).asked(NOT_FOUND).after(5).asked(NOT_FOUND)
        self.assertBelieved(story, 'unknown')
        self.assertBelieved(story.after(5).asked(NOT_FOUND), 'failed')

    def test_two_answers_of_one_moment_are_one(self):
        story = self.ended().after(5).asked(NOT_FOUND).after(4.9).asked(NOT_FOUND)
        self.assertBelieved(story, 'unknown')
        self.assertBelieved(story.after(0.1).asked(NOT_FOUND), 'failed')

    def test_it_counts_when_it_was_asked_and_not_when_it_was_heard(self):
        """A question may be long under way; what it says was true when it left."""
        story = self.ended()
        early = story.now.plus(4)
        story.after(30).asked(NOT_FOUND, asked_at=early)
        self.assertEqual(story.belief.not_found, 0)
        first = story.now
        story.after(5).asked(NOT_FOUND, asked_at=first)
        story.after(1).asked(NOT_FOUND, asked_at=first.plus(4))
        self.assertBelieved(story, 'unknown')
        self.assertBelieved(story.after(10).asked(NOT_FOUND, asked_at=first.plus(5)), 'failed')

    def test_three_after_the_deadline_where_the_answer_was_lost(self):
        for attempt in (SALE, CODE, SCAN):
            with self.subTest(attempt.channel):
                story = Story(attempt).sent(patience=150).after(60).lost()
                for _time in range(9):
                    story.after(10).asked(NOT_FOUND)
                self.assertBelieved(story, 'unknown')
                self.assertEqual(story.now.since(attempt.created), 150)
                story.after(0.1).asked(NOT_FOUND).after(5).asked(NOT_FOUND)
                self.assertBelieved(story, 'unknown')
                self.assertBelieved(story.after(5).asked(NOT_FOUND), 'failed')

    def test_one_empty_answer_fails_nobody(self):
        story = Story(CODE).sent(patience=330).lost().after(10).asked(NOT_FOUND)
        self.assertBelieved(story, 'unknown')
        self.assertBelieved(story.after(3600).asked(NOT_FOUND), 'unknown')

    def test_nothing_of_what_qfpay_has_once_known(self):
        """The customer can still pay a code that was shown: it lives longer than our deadline."""
        known = (
            Story(CODE).sent().answer(PENDING),
            Story(CODE).sent().lost().after(1).asked(PENDING),
            Story(CODE).sent().lost().after(1).asked_in_a_list(PENDING),
            Story(CODE).sent().lost().after(1).notified(says(Verdict.UNKNOWN, syssn=NUMBER)),
            Story(SALE).sent().lost().after(1).asked(says(Verdict.UNKNOWN, '6000', syssn=NUMBER)),
        )
        for story in known:
            with self.subTest(story.said[-1]):
                state = story.belief.state
                self.assertTrue(story.belief.known)
                for _time in range(10):
                    story.after(100).asked(NOT_FOUND)
                self.assertBelieved(story, state)

    def test_a_number_in_the_answer_itself_is_not_yet_known_to_the_host(self):
        story = Story(SALE).sent().answer(says(Verdict.UNKNOWN, '6002', syssn=NUMBER))
        self.assertFalse(story.belief.known)
        story.after(5).asked(NOT_FOUND).after(5).asked(NOT_FOUND)
        self.assertBelieved(story, 'failed')

    def test_a_word_that_names_nothing_is_no_knowledge(self):
        story = self.ended().after(5).asked(UNKNOWN)
        self.assertFalse(story.belief.known)

    def test_an_answer_about_many_numbers_condemns_none(self):
        """A server that shows ten rows a page without saying so condemns the rest."""
        story = self.ended(CODE)
        for _time in range(10):
            story.after(100).asked_in_a_list(NOT_FOUND)
        self.assertBelieved(story, 'unknown')
        self.assertEqual(story.belief.not_found, 0)

    def test_nor_settles_it_what_was_cancelled_at_the_terminal(self):
        story = Story(SALE).sent().answer(CANCELLED_THERE).after(9).asked_in_a_list(NOT_FOUND)
        self.assertBelieved(story, 'unknown')

    def test_success_without_proof_is_not_denied_in_a_hurry(self):
        """The terminal said that it was paid: three after the deadline, and not two at once."""
        for outcome in (
            done(SALE, reference=None),
            says(Verdict.UNKNOWN, '6000', inner_code='1254'),
            says(Verdict.UNKNOWN, '0000'),
            says(Verdict.PENDING, '6000', inner_code='1143'),
        ):
            with self.subTest(outcome.code, inner=outcome.inner_code):
                story = Story(SALE).sent().after(20).answer(outcome)
                self.assertTrue(story.belief.promising)
                for _time in range(12):
                    story.after(10).asked(NOT_FOUND)
                self.assertEqual(story.belief.not_found, 0)
        self.assertFalse(self.ended().belief.promising)

    def test_a_promise_is_one_whatever_its_code(self):
        story = Story(SALE).sent().after(20).answer(says(Verdict.DONE, '', strict=False))
        for _time in range(3):
            story.after(5).asked(NOT_FOUND)
        self.assertBelieved(story, 'unknown')

    def test_success_without_proof_is_denied_after_the_deadline(self):
        story = Story(SALE).sent().after(20).answer(done(SALE, reference=None)).after(200)
        story.asked(NOT_FOUND).after(5).asked(NOT_FOUND)
        self.assertBelieved(story, 'unknown')
        self.assertBelieved(story.after(5).asked(NOT_FOUND), 'failed')

    def test_while_the_terminal_waits_for_its_customer(self):
        """It is asked beside the running payment: nobody may say that there is none."""
        story = Story(SALE).sent().after(10)
        for outcome in (NOT_FOUND, FAILED, CLOSED):
            for _time in range(3):
                story.after(10).asked(outcome)
            self.assertBelieved(story, 'sent')
        self.assertBelieved(story.asked(done(SALE)), 'done')

    def test_as_long_as_nobody_said_what_came_of_the_request(self):
        """Whoever sends it may have it in his hands yet."""
        story = Story(SCAN).sent(patience=60).after(100)
        for _time in range(5):
            story.after(10).asked(NOT_FOUND)
        self.assertBelieved(story, 'sent')

    def test_an_unanswered_question_is_no_denial(self):
        story = self.ended()
        for _time in range(20):
            story.after(10).unanswered()
        self.assertBelieved(story, 'unknown')
        self.assertEqual((story.belief.asked, story.belief.unanswered), (20, True))
        self.assertFalse(story.after(5).asked(UNKNOWN).belief.unanswered)

    def test_cancelled_at_the_terminal_is_settled_by_one(self):
        story = Story(SALE).sent().after(20).answer(CANCELLED_THERE)
        self.assertBelieved(story, 'unknown')
        self.assertBelieved(story.after(0.5).asked(NOT_FOUND), 'cancelled')

    def test_a_database_that_lost_its_last_commits(self):
        """Whoever hears of a draft that QFPay knows it, believes QFPay. Silence proves nothing."""
        for outcome, state in (
            (done(CODE), 'done'),
            (PENDING, 'pending'),
            (FAILED, 'failed'),
            (CLOSED, 'cancelled'),
            (NOT_FOUND, 'draft'),
            (UNKNOWN, 'draft'),
        ):
            with self.subTest(outcome.verdict):
                story = Story(CODE).server(Fact.REWRITTEN).after(1).asked(outcome)
                self.assertBelieved(story, state, 'row_lost')


class TestClocks(LedgerCase):
    def test_a_clock_that_is_set_neither_hurries_nor_delays(self):
        for seconds in (-3600, 3600):
            with self.subTest(seconds):
                story = Story(SALE).sent().after(20).answer(ERROR).set_clock(seconds)
                story.after(4).asked(NOT_FOUND)
                self.assertEqual(story.belief.not_found, 0)
                story.after(1).asked(NOT_FOUND).set_clock(-seconds).after(5).asked(NOT_FOUND)
                self.assertBelieved(story, 'failed')

    def test_a_clock_set_forward_is_not_the_deadline(self):
        story = Story(CODE).sent(patience=330).lost().set_clock(86400)
        for _time in range(4):
            story.after(10).asked(NOT_FOUND)
        self.assertBelieved(story, 'unknown')
        self.assertFalse(story.belief.is_over(story.now))

    def test_another_machine_counts_by_its_own_clock(self):
        """From the first thing that it heard: rather late than by a clock that somebody set."""
        story = Story(CODE).sent(patience=150).after(100).lost().set_clock(86400)
        story.elsewhere('other-server').after(1).asked(NOT_FOUND)
        for _time in range(5):
            story.after(30).asked(NOT_FOUND)
        self.assertBelieved(story, 'unknown')
        self.assertFalse(story.belief.is_over(story.now))
        story.after(0.1).asked(NOT_FOUND).after(5).asked(NOT_FOUND)
        self.assertTrue(story.belief.is_over(story.now))
        self.assertBelieved(story, 'unknown')
        self.assertBelieved(story.after(5).asked(NOT_FOUND), 'failed')

    def test_another_machine_knows_the_end_only_by_its_own_clock(self):
        story = Story(SALE).sent().after(20).answer(ERROR).elsewhere('other-server')
        story.after(500).asked(NOT_FOUND)
        self.assertEqual(story.belief.not_found, 0)
        story.after(4).asked(NOT_FOUND).after(1).asked(NOT_FOUND)
        self.assertEqual(story.belief.not_found, 1)
        self.assertBelieved(story.after(5).asked(NOT_FOUND), 'failed')

    def test_a_question_of_a_machine_that_nobody_has_heard_counts_not(self):
        story = Story(SALE).sent().after(20).answer(ERROR).after(60)
        elsewhere = Story(now=story.now).elsewhere('other-server').now
        story.asked(NOT_FOUND, asked_at=elsewhere)
        self.assertEqual(story.belief.not_found, 0)

    def test_a_draft_has_no_deadline_whoever_was_asked_before_it(self):
        story = Story(SALE).unanswered().after(1000)
        self.assertFalse(story.belief.is_over(story.now))

    def test_what_was_sent_at_no_time_is_never_over(self):
        self.assertFalse(Story(CODE).after(10**6).belief.is_over(Story(CODE).after(10**6).now))


class TestControlQuestion(LedgerCase):
    """A terminal that refuses to tell, in words that nobody has listed.

    If it finds another payment in the same moment, it would find this one, too.
    """

    def refused(self):
        return Story(SALE).sent().after(20).answer(ERROR).after(5).asked(STRANGE_REFUSAL)

    def test_a_refusal_proves_nothing_by_itself(self):
        story = self.refused()
        self.assertBelieved(story, 'unknown')
        self.assertEqual(story.belief.control, 'needed')
        for _time in range(10):
            story.after(60).asked(STRANGE_REFUSAL)
        self.assertBelieved(story, 'unknown')
        self.assertEqual((story.belief.not_found, story.belief.known), (0, False))

    def test_a_terminal_that_finds_another_payment_does_not_find_this_one(self):
        for found in (done(SALE), says(Verdict.CANCELLED, '6000', cancel=3, syssn=NUMBER)):
            story = self.refused()
            for state in ('unknown', 'failed'):
                story.after(5).control(found)
                self.assertEqual(story.belief.control, 'known')
                self.assertBelieved(story.after(0.1).asked(STRANGE_REFUSAL), state)

    def test_it_must_be_found_each_time(self):
        """A terminal that lost its network finds nothing from then on."""
        story = self.refused().after(5).control(done(SALE)).after(0.1).asked(STRANGE_REFUSAL)
        self.assertEqual((story.belief.not_found, story.belief.control), (1, 'needed'))
        story.after(5).asked(STRANGE_REFUSAL).after(5).asked(STRANGE_REFUSAL)
        self.assertBelieved(story, 'unknown')
        self.assertEqual(story.belief.not_found, 1)

    def test_a_terminal_that_finds_nothing_else_either_proves_nothing(self):
        for said in (STRANGE_REFUSAL, UNKNOWN, NOT_FOUND, FAILED, PENDING, Fact.UNANSWERED):
            with self.subTest(said):
                story = self.refused()
                for _time in range(5):
                    story.after(5).control(said)
                    self.assertEqual(story.belief.control, '')
                    story.after(5).asked(STRANGE_REFUSAL)
                    self.assertEqual(story.belief.control, 'needed')
                self.assertBelieved(story, 'unknown')

    def test_another_payment_that_is_not_named_was_not_found(self):
        """Bare success says that there was a question, and not that the terminal knows anything."""
        for found in (
            says(Verdict.DONE, '6000', inner_code='0000'),
            says(Verdict.CANCELLED, '6000', cancel=3),
            done(SALE, strict=False),
        ):
            story = self.refused().after(5).control(found)
            self.assertEqual(story.belief.control, '')
        for named in ({'syssn': OTHER_NUMBER}, {'reference': 'S-1-0002'}):
            found = says(Verdict.DONE, '6000', inner_code='0000', **named)
            self.assertEqual(self.refused().control(found).belief.control, 'known')

    def test_another_payment_found_in_the_clear_proves_nothing(self):
        story = self.refused()
        story.seals = True
        story.after(5).control(done(SALE, signed=False))
        self.assertEqual(story.belief.control, '')

    def test_a_shops_first_payment_has_no_other(self):
        story = self.refused().control(Fact.NO_CONTROL)
        self.assertEqual(story.belief.control, 'none')
        for _time in range(10):
            story.after(10).asked(STRANGE_REFUSAL)
            self.assertEqual(story.belief.control, 'none')
        self.assertBelieved(story, 'unknown')
        # it may say it in words that are listed
        story.asked(NOT_FOUND).after(5).asked(NOT_FOUND)
        self.assertBelieved(story, 'failed')

    def test_a_shops_first_payment_stays_the_first_when_a_question_is_lost(self):
        story = self.refused().control(Fact.NO_CONTROL).after(5).unanswered()
        self.assertEqual(story.belief.control, 'none')

    def test_no_control_is_needed_for_what_says_something(self):
        for outcome in (
            NOT_FOUND,
            UNKNOWN,
            says(Verdict.UNKNOWN, '6002', inner_code='1254'),
            says(Verdict.UNKNOWN, '6002', syssn=NUMBER),
            says(Verdict.UNKNOWN, '4007'),
            PENDING,
        ):
            with self.subTest(outcome):
                story = Story(SALE).sent().after(20).answer(ERROR).after(5).asked(outcome)
                self.assertEqual(story.belief.control, '')

    def test_no_control_is_needed_for_the_answer_itself_or_at_the_gateway(self):
        self.assertEqual(Story(SALE).sent().answer(STRANGE_REFUSAL).belief.control, '')
        story = Story(CODE).sent().lost().after(1).asked(STRANGE_REFUSAL)
        self.assertEqual(story.belief.control, '')
        story = Story(SALE).sent().lost().after(1).asked_in_a_list(STRANGE_REFUSAL)
        self.assertEqual(story.belief.control, '')

    def test_a_plain_answer_ends_the_need(self):
        story = self.refused().after(5).control(done(SALE)).after(0.1).asked(UNKNOWN)
        self.assertEqual((story.belief.control, story.belief.not_found), ('', 0))
        self.assertBelieved(self.refused().after(5).control(done(SALE)).asked(done(SALE)), 'done')

    def test_what_is_left_of_a_payment_is_no_control(self):
        story = self.refused().after(5).control(left(0))
        self.assertEqual(story.belief.control, 'known')
        self.assertBelieved(story, 'unknown')
        self.assertEqual(story.belief.asked, 1)
        self.assertEqual(story.said[-1].about, About.CONTROL)
