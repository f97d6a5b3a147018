"""What to do next, and when."""

from pos_payment_qfpay.ledger.steps import Do, Step, next_step
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
    GATEWAY_REFUND,
    NOT_FOUND,
    ORIGINAL,
    PAYME,
    PENDING,
    REFUND,
    SALE,
    SCAN,
    STRANGE_REFUSAL,
    UNKNOWN,
    WALLET,
    LedgerCase,
    Story,
    done,
    left,
    says,
)

DAY = 24.5 * 3600


class TestBegin(LedgerCase):
    def test_what_was_just_started_is_sent(self):
        for attempt in EVERYTHING:
            if not attempt.looks_before:
                self.assertStep(Story(attempt), Do.SEND)
                self.assertStep(Story(attempt).after(60), Do.SEND)

    def test_a_start_that_comes_too_late_wakes_no_terminal(self):
        """The till gave up, and its customer is gone."""
        for attempt in EVERYTHING:
            self.assertStep(Story(attempt).after(60.1), Do.DROP, reason='too_late')

    def test_nor_one_that_lies_ahead(self):
        """Somebody set the clock: nobody knows how long ago it was."""
        story = Story(SALE).elsewhere('other').set_clock(-60)
        self.assertStep(story, Do.SEND)
        self.assertStep(story.set_clock(-0.1), Do.DROP, reason='too_late')

    def test_a_clock_that_is_set_delays_no_start(self):
        self.assertStep(Story(SALE).set_clock(86400), Do.SEND)
        self.assertStep(Story(SALE).after(61).set_clock(-86400), Do.DROP, reason='too_late')

    def test_a_draft_of_which_qfpay_said_something_is_still_one(self):
        self.assertStep(Story(CODE).asked(UNKNOWN), Do.SEND)


class TestFollow(LedgerCase):
    """The request is out."""

    def test_while_the_customer_is_at_the_terminal_nobody_asks(self):
        story = Story(SALE).sent(patience=150)
        self.assertStep(story, Do.ASK, 150, About.NUMBER)
        self.assertStep(story.after(100), Do.ASK, 50, About.NUMBER)
        self.assertStep(story.after(50), Do.ASK, 0, About.NUMBER)

    def test_after_the_deadline_it_is_asked_at_once(self):
        self.assertStep(Story(SALE).sent(patience=150).after(151), Do.ASK, 0, About.NUMBER)

    def test_a_second_after_the_answer_was_lost(self):
        for said in ('lost', 'taken_over'):
            story = getattr(Story(SALE).sent().after(20), said)()
            self.assertStep(story, Do.ASK, 1, About.NUMBER)
            self.assertStep(story.after(0.4), Do.ASK, 0.6, About.NUMBER)
            self.assertStep(story.after(10), Do.ASK, 0, About.NUMBER)

    def test_then_less_and_less_often(self):
        story = Story(SALE).sent(patience=3000).lost()
        pauses = []
        for _time in range(17):
            story.after(story.step().after).asked(UNKNOWN)
            pauses.append(story.step().after)
        self.assertEqual(pauses, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15, 15, 15])

    def test_after_a_quarter_of_an_hour_once_a_minute_then_every_five(self):
        story = Story(SALE).sent().lost()
        for seconds, pause in ((900, 15), (900.1, 60), (7200, 60), (7200.1, 300), (80000, 300)):
            story = Story(SALE).sent().lost()
            for _time in range(20):
                story.asked(UNKNOWN)
            story.after(seconds).asked(UNKNOWN)
            self.assertStep(story, Do.ASK, pause, About.NUMBER)

    def test_as_early_as_one_more_answer_decides(self):
        """After the request's own end: five seconds after it, and five after each other."""
        story = Story(SALE).sent().answer(ERROR)
        self.assertStep(story, Do.ASK, 1, About.NUMBER)
        self.assertStep(story.after(1).asked(NOT_FOUND), Do.ASK, 5, About.NUMBER)
        self.assertStep(story.after(5).asked(NOT_FOUND), Do.ASK, 5, About.NUMBER)
        self.assertBelieved(story.after(5).asked(NOT_FOUND), 'failed')

    def test_a_first_question_that_came_at_once_waits_for_the_end_to_settle(self):
        story = Story(SALE).sent().answer(ERROR).asked(NOT_FOUND)
        self.assertStep(story, Do.ASK, 5, About.NUMBER)
        story = Story(SALE).sent().answer(ERROR).set_clock(3600).after(1).asked(NOT_FOUND)
        self.assertStep(story, Do.ASK, 5, About.NUMBER)

    def test_an_answer_that_comes_late_is_settled_anew(self):
        """It was asked before the request had ended: that question decides nothing."""
        story = Story(SALE).sent().taken_over().after(3).asked(UNKNOWN).after(2).answer(ERROR)
        self.assertStep(story, Do.ASK, 5, About.NUMBER)
        self.assertStep(story.after(1), Do.ASK, 4, About.NUMBER)

    def test_the_hurry_ends(self):
        story = Story(SALE).sent().answer(ERROR)
        pauses = []
        for _time in range(8):
            story.after(story.step().after).asked(UNKNOWN)
            pauses.append(story.step().after)
        self.assertEqual(pauses, [5, 5, 5, 5, 5, 7, 8, 9])

    def test_where_a_denial_decides_nothing_nobody_hurries(self):
        known = Story(CODE).sent().answer(ERROR).asked(says(Verdict.UNKNOWN, syssn='1')).after(1000)
        self.assertStep(
            known.told_to_cancel(Fact.UNANSWERED).asked(UNKNOWN), Do.ASK, 60, About.NUMBER
        )
        promising = Story(SALE).sent().answer(UNKNOWN).asked(UNKNOWN)
        self.assertStep(promising, Do.ASK, 2, About.NUMBER)

    def test_another_machine_takes_no_answer_for_settled_by_a_strange_clock(self):
        story = Story(SALE).sent().answer(ERROR).elsewhere('other').after(1).asked(NOT_FOUND)
        self.assertStep(story, Do.ASK, 5, About.NUMBER)

    def test_codes_are_asked_about_together_every_two_seconds(self):
        for attempt in (CODE, SCAN, PAYME, GATEWAY_REFUND):
            story = Story(attempt).sent(patience=330)
            self.assertStep(story, Do.ASK, 2, About.LIST)
            story.answer(PENDING if not attempt.is_refund else says(Verdict.PENDING, '1143'))
            self.assertStep(story, Do.ASK, 2, About.LIST)
            self.assertStep(story.after(1.5), Do.ASK, 0.5, About.LIST)
            self.assertStep(story.after(9), Do.ASK, 0, About.LIST)
            self.assertStep(story.asked_in_a_list(PENDING), Do.ASK, 2, About.LIST)

    def test_alone_after_the_deadline_where_an_absence_would_count(self):
        story = Story(PAYME).sent(patience=330).answer(PENDING).after(330)
        self.assertStep(story, Do.ASK, 0, About.LIST)
        self.assertStep(story.after(0.1), Do.ASK, 0, About.NUMBER)

    def test_a_no_in_a_list_is_asked_about_alone_at_once(self):
        story = Story(CODE).sent().answer(PENDING).after(5).asked_in_a_list(FAILED)
        self.assertStep(story, Do.ASK, 0, About.NUMBER)
        self.assertStep(story.after(1).unanswered(), Do.ASK, 2, About.LIST)

    def test_a_request_that_qfpay_ended_in_doubt_is_asked_about_alone(self):
        """Not in lists, where no denial counts: the cashier would wait until the deadline."""
        for attempt in (CODE, SCAN, PAYME, GATEWAY_REFUND):
            story = Story(attempt).sent(patience=330).answer(UNKNOWN)
            self.assertStep(story, Do.ASK, 2, About.LIST)  # 1254 promises
            story = Story(attempt).sent(patience=330).answer(ERROR)
            self.assertStep(story, Do.ASK, 1, About.NUMBER)
            self.assertStep(story.after(1).asked(NOT_FOUND), Do.ASK, 5, About.NUMBER)
            self.assertStep(story.after(5).asked(NOT_FOUND), Do.ASK, 5, About.NUMBER)
            self.assertBelieved(story.after(5).asked(NOT_FOUND), 'failed')
            story = Story(attempt).sent(patience=330).lost()
            self.assertStep(story, Do.ASK, 2, About.LIST)  # QFPay may still be busy with it

    def test_cancelled_at_the_terminal_is_asked_about_at_once_and_once(self):
        story = Story(SALE).sent().answer(CANCELLED_THERE)
        self.assertStep(story, Do.ASK, 0, About.NUMBER)
        self.assertStep(story.after(1).unanswered(), Do.ASK, 5, About.NUMBER)

    def test_a_terminals_refund_is_asked_about_by_its_payment(self):
        self.assertEqual(ORIGINAL, REFUND.original_syssn)
        story = Story(REFUND).asked(left(1010)).sent().after(5)
        self.assertStep(story, Do.ASK, 145, About.ORIGINAL)
        self.assertStep(story.lost(), Do.ASK, 1, About.ORIGINAL)

    def test_the_gateways_refund_by_its_own_number(self):
        story = Story(GATEWAY_REFUND).sent().lost().after(200)
        self.assertStep(story, Do.ASK, 0, About.NUMBER)

    def test_a_machine_that_never_heard_of_it_asks_and_does_not_wait(self):
        """It cannot tell how long the terminal may still be busy."""
        story = Story(SALE).sent().after(20).elsewhere('other')
        self.assertStep(story, Do.ASK, 0, About.NUMBER)
        self.assertStep(story.unanswered(), Do.ASK, 150, About.NUMBER)


class TestControlQuestion(LedgerCase):
    """Between two questions about a payment the terminal is asked about another one."""

    def refused(self):
        return Story(SALE).sent().after(20).answer(ERROR).after(5).asked(STRANGE_REFUSAL)

    def test_the_other_payment_is_asked_about_after_a_pause_and_this_one_at_once(self):
        story = self.refused()
        self.assertStep(story, Do.ASK, 5, About.CONTROL)
        story.after(5).control(done(SALE))
        self.assertStep(story, Do.ASK, 0, About.NUMBER)
        self.assertStep(story.after(1).asked(STRANGE_REFUSAL), Do.ASK, 5, About.CONTROL)
        story.after(1).control(done(SALE))
        self.assertStep(story, Do.ASK, 0, About.NUMBER)

    def test_no_terminal_is_asked_as_fast_as_it_answers(self):
        """However it refuses: never more than two questions without a pause."""
        for found in (done(SALE), UNKNOWN, Fact.UNANSWERED, Fact.NO_CONTROL):
            story, at_once = self.refused(), 0
            for _time in range(30):
                step = story.step()
                self.assertIs(step.do, Do.ASK)
                at_once = at_once + 1 if step.after < 1 else 0
                self.assertLess(at_once, 2)
                story.after(step.after)
                if step.about is About.CONTROL:
                    story.control(found)
                else:
                    story.asked(STRANGE_REFUSAL)
                if not story.belief.is_open:
                    break

    def test_without_another_payment_it_is_asked_as_ever(self):
        story = self.refused().control(Fact.NO_CONTROL)
        self.assertStep(story, Do.ASK, 5, About.NUMBER)

    def test_an_unanswered_control_question_is_followed_by_the_other(self):
        story = self.refused().after(5).control(Fact.UNANSWERED)
        self.assertStep(story, Do.ASK, 0, About.NUMBER)
        self.assertStep(story.asked(STRANGE_REFUSAL), Do.ASK, 5, About.CONTROL)


class TestGivingUp(LedgerCase):
    """QFPay is asked as long as it repeats what it has to tell."""

    def test_for_a_day_and_half_an_hour(self):
        for attempt in (SALE, CODE, PAYME, GATEWAY_REFUND):
            story = Story(attempt).sent().lost().after(200).told_to_cancel(Fact.UNANSWERED)
            story.asked(UNKNOWN)
            story.now = story.attempt.created.plus(DAY)
            self.assertIs(story.step().do, Do.ASK)
            self.assertStep(story.after(0.1), Do.GIVE_UP)
            self.assertStep(story.server(Fact.GIVEN_UP), Do.REST)

    def test_what_is_known_by_now_is_believed_though_nobody_asks(self):
        story = Story(CODE).sent().lost().after(DAY + 1).server(Fact.GIVEN_UP)
        self.assertBelieved(story.notified(done(CODE)), 'done', 'undecided')

    def test_an_attempt_that_an_upgrade_brought_is_given_up_by_its_own_age(self):
        story = Story(CODE).asked(PENDING).after(DAY + 1)
        self.assertIs(story.step().do, Do.GIVE_UP)

    def test_the_age_begins_when_it_was_sent(self):
        story = Story(CODE).after(50).sent().lost().after(DAY)
        self.assertIsNot(story.step().do, Do.GIVE_UP)
        self.assertStep(story.after(0.1), Do.GIVE_UP)

    def test_what_is_given_up_is_not_cancelled_any_more(self):
        story = Story(CODE).sent().answer(PENDING).after(DAY + 1).cancel()
        self.assertStep(story, Do.GIVE_UP)

    def test_a_manager_may_ask_again_though_the_server_gave_up(self):
        """It is the only button that is left for what was never settled."""
        for attempt in (SALE, CODE):
            story = Story(attempt).sent().lost().after(DAY + 1).server(Fact.GIVEN_UP)
            self.assertStep(story, Do.ASK, 0, About.NUMBER, urgent=True)


class TestUrgent(LedgerCase):
    """Somebody wants to know now."""

    def test_nobody_wants_to_know_unless_he_says_so(self):
        story = Story(CODE).sent().answer(PENDING)
        step = next_step(story.attempt, story.belief, story.now)
        self.assertEqual((step.do, step.after, step.about), (Do.ASK, 2, About.LIST))

    def test_it_is_asked_at_once_and_alone(self):
        for story in (
            Story(CODE).sent().answer(PENDING),
            Story(SALE).sent().lost(),
            Story(SALE).sent().after(5),
            Story(SALE).sent().answer(says(Verdict.FAILED, '4007')),
            Story(SALE).sent().answer(done(SALE, card_last4='1096')),
            Story(CODE).sent().lost().manager(Fact.DONE),
        ):
            self.assertStep(story, Do.ASK, 0, About.NUMBER, urgent=True)

    def test_a_terminals_refund_by_its_payment(self):
        story = Story(REFUND).asked(left(1010)).sent().lost()
        self.assertStep(story, Do.ASK, 0, About.ORIGINAL, urgent=True)
        story.asked(left(505))
        self.assertStep(story, Do.REST)
        self.assertStep(story, Do.ASK, 0, About.ORIGINAL, urgent=True)

    def test_the_other_payment_first_where_that_is_needed(self):
        story = Story(SALE).sent().answer(ERROR).after(5).asked(STRANGE_REFUSAL)
        self.assertStep(story, Do.ASK, 0, About.CONTROL, urgent=True)

    def test_what_never_left_is_not_asked_about(self):
        self.assertStep(Story(SALE).sent().never_left(), Do.REST, urgent=True)

    def test_a_wish_to_know_is_no_wish_to_send_or_to_cancel(self):
        self.assertStep(Story(SALE), Do.SEND, urgent=True)
        story = Story(CODE).sent().answer(PENDING).cancel()
        self.assertStep(story, Do.CANCEL, urgent=True)


class TestLookingAgain(LedgerCase):
    """After the end."""

    def test_what_did_not_move_money_is_looked_at_after_minutes_and_twice(self):
        for story in (
            Story(SALE).sent().answer(says(Verdict.FAILED, '4007')),
            Story(SALE).sent().answer(CANCELLED_THERE).asked(NOT_FOUND),
            Story(CODE).sent().answer(PENDING).asked(CLOSED),
        ):
            self.assertStep(story, Do.ASK, 180, About.NUMBER)
            self.assertStep(story.after(100), Do.ASK, 80, About.NUMBER)
            self.assertStep(story.after(100), Do.ASK, 0, About.NUMBER)
            self.assertStep(story.asked(NOT_FOUND), Do.ASK, 700, About.NUMBER)
            self.assertStep(story.after(700).asked(NOT_FOUND), Do.REST)

    def test_a_terminals_refund_by_its_payment(self):
        story = Story(REFUND).asked(left(1010)).sent().answer(says(Verdict.FAILED, '4003'))
        self.assertStep(story, Do.ASK, 180, About.ORIGINAL)

    def test_a_terminal_that_was_off_at_that_minute_is_asked_until_it_answers(self):
        story = Story(SALE).sent().answer(says(Verdict.FAILED, '4007')).after(180)
        pauses = []
        for _time in range(7):
            story.unanswered()
            step = story.step()
            self.assertEqual((step.do, step.about), (Do.ASK, About.NUMBER))
            pauses.append(step.after)
            story.after(step.after)
        self.assertEqual(pauses, [120, 240, 480, 960, 1800, 1800, 1800])
        self.assertStep(story.asked(NOT_FOUND), Do.ASK, 1800, About.NUMBER)

    def test_the_last_look_comes_when_it_is_due_however_often_somebody_asked_before(self):
        """What was paid late is paid within minutes of the end, and not before anybody looks."""
        story = Story(SALE).sent().answer(says(Verdict.FAILED, '4007'))
        for _time in range(3):
            story.after(60).asked(NOT_FOUND)
        self.assertEqual(story.belief.looks, 3)
        self.assertStep(story, Do.ASK, 720, About.NUMBER)
        story.after(719).asked(NOT_FOUND)
        self.assertStep(story, Do.ASK, 1, About.NUMBER)
        self.assertStep(story.after(60).asked(NOT_FOUND), Do.REST)

    def test_one_look_is_not_enough_however_late_it_is(self):
        story = Story(SALE).sent().answer(says(Verdict.FAILED, '4007')).after(5000)
        self.assertStep(story.asked(NOT_FOUND), Do.ASK, 120, About.NUMBER)

    def test_a_question_before_it_is_due_delays_nothing(self):
        story = Story(SALE).sent().answer(says(Verdict.FAILED, '4007')).after(100).unanswered()
        self.assertStep(story, Do.ASK, 80, About.NUMBER)

    def test_what_never_left_rests(self):
        for attempt in EVERYTHING:
            self.assertStep(Story(attempt).sent().never_left(), Do.REST)

    def test_what_nobody_could_settle_in_a_day_calls_a_manager(self):
        story = Story(SALE).sent().answer(says(Verdict.FAILED, '4007')).after(DAY)
        self.assertIs(story.unanswered().step().do, Do.ASK)
        self.assertStep(story.after(0.1), Do.GIVE_UP)
        self.assertStep(story.server(Fact.GIVEN_UP), Do.REST)

    def test_a_paid_one_rests(self):
        for attempt in (WALLET, CODE, SCAN, GATEWAY_REFUND):
            self.assertStep(Story(attempt).sent().answer(done(attempt)), Do.REST)
        self.assertStep(
            Story(CODE).sent().answer(done(CODE)).asked(done(CODE, verdict=Verdict.CANCELLED)),
            Do.REST,
        )

    def test_a_cards_digits_are_fetched_once_the_till_is_green(self):
        story = Story(SALE).sent().answer(done(SALE))
        self.assertStep(story, Do.ASK, 0.2, About.NUMBER)
        self.assertStep(story.after(0.15), Do.ASK, 0.05, About.NUMBER)
        self.assertStep(story.after(5), Do.ASK, 0, About.NUMBER)
        self.assertStep(story.unanswered(), Do.REST)
        self.assertStep(Story(SALE).sent().answer(done(SALE, card_last4='1096')), Do.REST)
        self.assertStep(Story(REFUND).sent().answer(done(REFUND)), Do.REST)
        self.assertStep(Story(SALE).sent().lost().manager(Fact.DONE), Do.ASK, 60, About.NUMBER)

    def test_after_a_wish_to_cancel_a_paid_one_is_looked_at_once(self):
        """It may have come too late for us, and not for QFPay."""
        for story in (
            Story(CODE).sent().answer(PENDING).cancel().asked(done(CODE)),
            Story(WALLET).sent().cancel().answer(done(WALLET)),
            # nobody wished for it: the code had run out
            Story(CODE)
            .sent(patience=330)
            .answer(PENDING)
            .after(331)
            .told_to_cancel(ACCEPTED)
            .asked(done(CODE)),
        ):
            self.assertStep(story, Do.ASK, 180, About.NUMBER)
            story.after(180).unanswered()
            self.assertStep(story, Do.ASK, 120, About.NUMBER)
            self.assertStep(story.after(120).asked(done(story.attempt)), Do.REST)

    def test_a_managers_word_is_asked_about_until_qfpay_has_spoken(self):
        for fact, outcome in ((Fact.DONE, done(CODE)), (Fact.FAILED, FAILED)):
            story = Story(CODE).sent().lost().manager(fact)
            self.assertStep(story, Do.ASK, 60, About.NUMBER)
            self.assertStep(story.after(60).asked(NOT_FOUND), Do.ASK, 120, About.NUMBER)
            self.assertStep(story.after(120).unanswered(), Do.ASK, 240, About.NUMBER)
            story.after(240).asked(outcome)
            self.assertFalse(story.belief.by_manager)

    def test_a_managers_word_that_qfpay_never_settles(self):
        story = Story(CODE).sent().lost().manager(Fact.DONE).after(DAY + 0.1)
        self.assertStep(story, Do.GIVE_UP)
        self.assertStep(story.server(Fact.GIVEN_UP), Do.REST)
        # QFPay knows of nothing, and that is what the manager said
        story = Story(CODE).sent().lost().manager(Fact.FAILED)
        story.after(200).asked(NOT_FOUND).after(800).asked(NOT_FOUND).after(DAY)
        self.assertStep(story, Do.REST)

    def test_a_clock_that_is_set_neither_hurries_nor_forgets_a_look(self):
        for seconds in (-7200, 7200):
            story = Story(SALE).sent().answer(says(Verdict.FAILED, '4007')).set_clock(seconds)
            self.assertStep(story, Do.ASK, 180, About.NUMBER)
            self.assertStep(story.after(100), Do.ASK, 80, About.NUMBER)

    def test_another_machine_looks_by_its_own_clock(self):
        story = Story(SALE).sent().answer(says(Verdict.FAILED, '4007')).elsewhere('other')
        self.assertStep(story, Do.ASK, 180, About.NUMBER)
        story.after(100).unanswered()
        self.assertStep(story, Do.ASK, 180, About.NUMBER)
        story.after(180).unanswered()
        self.assertStep(story, Do.ASK, 240, About.NUMBER)

    def test_what_another_machine_asked_counts_by_its_clock(self):
        """A question that was due there was asked when it was due, whoever has set a clock."""
        story = Story(SALE).sent().answer(says(Verdict.FAILED, '4007'))
        ended = story.now
        story.elsewhere('other').set_clock(-7200).unanswered().after(180).unanswered()
        story.elsewhere(ended.boot, ended.tick + 100)
        self.assertStep(story, Do.ASK, 240, About.NUMBER)

    def test_a_clock_set_back_on_another_machine_is_no_endless_wait(self):
        story = Story(SALE).sent().answer(says(Verdict.FAILED, '4007')).elsewhere('other')
        self.assertStep(story.set_clock(-7200), Do.ASK, 0, About.NUMBER)
        story = Story(SALE).sent().lost().elsewhere('other').set_clock(-7200)
        self.assertStep(story, Do.ASK, 0, About.NUMBER)


class TestNames(LedgerCase):
    def test_a_step_is_named_as_logs_and_messages_name_it(self):
        names = [one.value for one in Do]
        self.assertEqual(names, ['send', 'ask', 'cancel', 'drop', 'give_up', 'rest'])
        self.assertEqual(Step(Do.REST), Step(Do.REST, 0.0, About.NOTHING, ''))
