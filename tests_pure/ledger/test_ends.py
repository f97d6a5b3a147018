"""How an attempt ends, who may say so, and what is heard of it afterwards."""

from dataclasses import replace

from pos_payment_qfpay.ledger.steps import Do
from pos_payment_qfpay.ledger.testimony import About, Fact, Witness
from pos_payment_qfpay.qfpay.outcome import Verdict
from pos_payment_qfpay.tests_pure.ledger.story import (
    CANCELLED_THERE,
    CLOSED,
    CODE,
    ERROR,
    EVERYTHING,
    FAILED,
    GATEWAY_REFUND,
    NOT_FOUND,
    NUMBER,
    OTHER_NUMBER,
    PENDING,
    SALE,
    SCAN,
    UNKNOWN,
    LedgerCase,
    Story,
    done,
    says,
)


class TestRefusals(LedgerCase):
    def test_refused(self):
        for attempt in EVERYTHING:
            with self.subTest(attempt.channel, kind=attempt.kind):
                story = Story(attempt).sent().answer(says(Verdict.FAILED, '4007', message='log in'))
                self.assertBelieved(story, 'failed')
                self.assertEqual((story.belief.code, story.belief.message), ('4007', 'log in'))
                self.assertFalse(story.belief.never_left or story.belief.by_manager)

    def test_closed_at_the_gateway(self):
        self.assertBelieved(Story(CODE).sent().answer(CLOSED), 'cancelled')
        self.assertBelieved(Story(CODE).sent().lost().after(9).asked(CLOSED), 'cancelled')
        self.assertBelieved(Story(CODE).sent().answer(PENDING).after(9).asked(CLOSED), 'cancelled')

    def test_declined_or_expired_when_asked(self):
        for attempt in (SALE, CODE, SCAN, GATEWAY_REFUND):
            story = Story(attempt).sent().lost().after(9).asked(FAILED)
            self.assertBelieved(story, 'failed')
            self.assertEqual((story.belief.code, story.belief.message), ('1205', 'declined'))

    def test_a_no_in_a_list_of_many_is_asked_about_alone(self):
        """The paid row of the same number may stand on another page."""
        for outcome in (FAILED, CLOSED):
            for before in (PENDING, UNKNOWN):
                story = Story(CODE).sent().answer(before).after(9)
                state = story.belief.state
                story.asked_in_a_list(outcome)
                self.assertBelieved(story, state)
                self.assertTrue(story.belief.ask_alone)
                story.after(1).unanswered()
                self.assertTrue(story.belief.ask_alone)
                story.after(1).asked(outcome)
                self.assertFalse(story.belief.ask_alone)
                self.assertIn(story.belief.state, ('failed', 'cancelled'))
        for outcome in (PENDING, UNKNOWN, NOT_FOUND):
            story = Story(CODE).sent().answer(PENDING).after(9).asked_in_a_list(outcome)
            self.assertFalse(story.belief.ask_alone)

    def test_asked_alone_it_is_alone_no_more(self):
        story = Story(CODE).sent().answer(PENDING).after(9).asked_in_a_list(FAILED).after(1)
        self.assertFalse(story.asked(PENDING).belief.ask_alone)

    def test_what_is_at_work_stays_so_when_a_later_word_says_nothing(self):
        self.assertBelieved(Story(CODE).sent().answer(PENDING).answer(UNKNOWN), 'pending')

    def test_a_no_that_has_a_number_of_its_own_is_a_no(self):
        """QFPay books a cancel under a number of its own. Only what is paid is another row."""
        for outcome in (FAILED, CLOSED):
            story = Story(CODE).sent().answer(PENDING).after(9)
            story.asked(replace(outcome, syssn=OTHER_NUMBER))
            self.assertIn(story.belief.state, ('failed', 'cancelled'))

    def test_an_unanswered_question_makes_nobody_ask_alone(self):
        story = Story(CODE).sent().answer(PENDING).unanswered().asked_in_a_list(PENDING)
        self.assertFalse(story.belief.ask_alone)
        self.assertStep(story, Do.ASK, 2, About.LIST)

    def test_an_unknown_code_ends_nothing(self):
        for attempt in EVERYTHING:
            story = Story(attempt).sent().answer(says(Verdict.UNKNOWN, '9999', message='?'))
            self.assertBelieved(story, 'unknown')
            self.assertEqual((story.belief.code, story.belief.message), ('9999', '?'))

    def test_cancelled_at_the_terminal_crosses_with_an_approval(self):
        """Nobody may take other money before the terminal was asked."""
        story = Story(SALE).sent().answer(CANCELLED_THERE)
        self.assertBelieved(story, 'unknown')
        self.assertEqual(story.belief.code, '6001')
        for said, state in (
            ((done(SALE),), 'done'),
            ((FAILED,), 'failed'),
            ((CLOSED,), 'cancelled'),
            ((NOT_FOUND,), 'cancelled'),
            ((UNKNOWN,), 'unknown'),
            ((UNKNOWN, done(SALE)), 'done'),
            ((PENDING,), 'pending'),
        ):
            with self.subTest([outcome.verdict for outcome in said]):
                story = Story(SALE).sent().answer(CANCELLED_THERE)
                for outcome in said:
                    story.after(2).asked(outcome)
                self.assertBelieved(story, state)

    def test_cancelled_at_the_terminal_when_the_question_after_it_is_lost(self):
        story = Story(SALE).sent().answer(CANCELLED_THERE).after(1).unanswered()
        self.assertBelieved(story, 'unknown')
        self.assertBelieved(story.after(60).asked(done(SALE)), 'done')

    def test_cancelled_by_the_gateways_answer_needs_no_question(self):
        self.assertBelieved(Story(SCAN).sent().answer(CLOSED), 'cancelled')


class TestNeverLeft(LedgerCase):
    """Who alone may send it says that not one byte left."""

    def test_nobody_was_reached(self):
        for attempt in EVERYTHING:
            story = Story(attempt).sent(claim=3).never_left('network', claim=3)
            self.assertBelieved(story, 'failed')
            self.assertEqual(story.belief.reason, 'network')
            self.assertTrue(story.belief.never_left)
            self.assertFalse(story.belief.waiting)

    def test_before_anybody_said_that_it_would_leave(self):
        self.assertBelieved(Story(SALE).never_left('too_late'), 'failed')

    def test_cancelled_before_it_left(self):
        story = Story(SALE).sent().cancel().never_left('cancelled')
        self.assertBelieved(story, 'cancelled')
        self.assertTrue(story.belief.never_left)

    def test_a_carrier_that_lost_its_claim_cannot_say_so(self):
        """Another one may have sent it meanwhile."""
        for claims in ((3, 2), (2, 3), (1, 0)):
            story = Story(SALE).sent(claim=claims[0]).never_left(claim=claims[1])
            self.assertBelieved(story, 'sent')
            self.assertFalse(story.belief.never_left)

    def test_what_qfpay_has_known_did_leave(self):
        for story in (
            Story(CODE).sent().answer(PENDING),
            Story(CODE).sent().lost().asked(PENDING).after(9).asked(FAILED),
        ):
            state = story.belief.state
            story.never_left()
            self.assertBelieved(story, state)
            self.assertFalse(story.belief.never_left)

    def test_what_is_paid_did_leave(self):
        story = Story(SALE).sent().notified(done(SALE)).never_left()
        self.assertBelieved(story, 'done')
        self.assertFalse(story.belief.never_left)

    def test_a_carrier_that_was_taken_over_may_say_it_late(self):
        story = Story(SALE).sent().taken_over().after(5).never_left()
        self.assertBelieved(story, 'failed')
        story = Story(SALE).sent().answer(ERROR).after(5).asked(NOT_FOUND).after(5).asked(NOT_FOUND)
        self.assertBelieved(story, 'failed')
        self.assertFalse(story.belief.never_left)
        self.assertTrue(story.after(5).never_left().belief.never_left)


class TestLostAnswers(LedgerCase):
    def test_a_lost_answer_is_unknown_and_never_failed(self):
        for attempt in EVERYTHING:
            for reason in ('timeout', 'connection', 'unreadable', 'too_large'):
                story = Story(attempt).sent().after(5).lost(reason)
                self.assertBelieved(story, 'unknown')
                self.assertEqual(story.belief.reason, reason)
                self.assertIs(story.belief.waiting, False)

    def test_a_carrier_that_died(self):
        story = Story(SALE).sent().after(5)
        self.assertTrue(story.belief.waiting)
        story.taken_over()
        self.assertBelieved(story, 'unknown')
        self.assertFalse(story.belief.waiting)

    def test_a_lost_answer_takes_nothing_back(self):
        for story in (
            Story(CODE).sent().notified(done(CODE)),
            Story(CODE).sent().asked(PENDING),
            Story(CODE).sent().asked(FAILED),
        ):
            state = story.belief.state
            self.assertBelieved(story.lost(), state)
            self.assertBelieved(story.taken_over(), state)

    def test_only_a_terminal_keeps_somebody_waiting(self):
        for attempt in EVERYTHING:
            self.assertEqual(Story(attempt).sent().belief.waiting, attempt.by_terminal)

    def test_the_request_is_out_from_the_moment_it_may_leave(self):
        story = Story(SALE).sent(claim=7, patience=160)
        self.assertBelieved(story, 'sent')
        belief = story.belief
        self.assertEqual((belief.claim, belief.patience, belief.sent), (7, 160, story.now))
        self.assertEqual((belief.since, belief.source), (story.now, Witness.SERVER))


class TestAfterTheEnd(LedgerCase):
    """Every end that is not paid is looked at again, twice, a minute or more apart."""

    def ends(self):
        yield Story(SALE).sent().answer(says(Verdict.FAILED, '4007'))
        yield Story(CODE).sent().answer(PENDING).after(9).asked(FAILED)
        yield Story(CODE).sent().answer(PENDING).after(9).asked(CLOSED)
        yield Story(SALE).sent().answer(CANCELLED_THERE).after(1).asked(NOT_FOUND)

    def test_paid_at_qfpay_all_the_same(self):
        """Declined, expired or closed in words, and paid seconds later: a manager must look."""
        for ended in self.ends():
            story = ended.after(180).asked(done(ended.attempt))
            self.assertBelieved(story, 'done', 'done_after_all')
            self.assertEqual(story.belief.facts['syssn'], NUMBER)
        for ended in self.ends():
            self.assertBelieved(ended.notified(done(ended.attempt)), 'done', 'done_after_all')

    def test_done_after_all_needs_as_much_proof_as_ever(self):
        for ended in self.ends():
            for change in ({'syssn': None}, {'strict': False}, {'amount_minor': None}):
                state = ended.belief.state
                self.assertBelieved(ended.after(180).asked(done(ended.attempt, **change)), state)

    def test_no_other_word_changes_an_end(self):
        for outcome in (PENDING, FAILED, CLOSED, NOT_FOUND, UNKNOWN):
            for ended in self.ends():
                state, code = ended.belief.state, ended.belief.code
                self.assertBelieved(ended.after(180).asked(outcome), state)
                self.assertEqual(ended.belief.code, code)

    def test_two_looks_are_enough(self):
        for outcome in (FAILED, CLOSED, NOT_FOUND):
            for ended in self.ends():
                self.assertEqual(ended.after(60).asked(outcome).belief.looks, 1)
                self.assertEqual(ended.after(60).asked(outcome).belief.looks, 2)

    def test_looks_of_one_minute_are_one(self):
        for ended in self.ends():
            self.assertEqual(ended.after(59.9).asked(NOT_FOUND).belief.looks, 0)
            self.assertEqual(ended.after(0.1).asked(NOT_FOUND).belief.looks, 1)
            self.assertEqual(ended.after(59.9).asked(NOT_FOUND).belief.looks, 1)
            self.assertEqual(ended.after(0.1).asked(NOT_FOUND).belief.looks, 2)
            # also when a clock was set back in between
            ended.elsewhere('other').set_clock(-7200)
            self.assertEqual(ended.asked(NOT_FOUND).belief.looks, 3)

    def test_what_says_nothing_is_no_look(self):
        for ended in self.ends():
            ended.after(200).asked(UNKNOWN).after(200).unanswered()
            ended.after(200).asked_in_a_list(NOT_FOUND).after(200).asked_in_a_list(FAILED)
            self.assertEqual(ended.belief.looks, 0)
            self.assertEqual(ended.belief.asked, 4)

    def test_the_looks_before_it_was_paid_are_none_after_it(self):
        """A cancel that crosses a payment may give it back: that is looked at, too."""
        story = Story(CODE).sent().cancel().asked(CLOSED).after(200).asked(CLOSED)
        self.assertEqual(story.belief.looks, 1)
        story.after(1).notified(done(CODE))
        self.assertEqual((story.belief.looks, story.belief.looked_at), (0, None))
        self.assertStep(story, Do.ASK, 180, About.NUMBER)

    def test_who_says_it_again_did_not_bring_it_about(self):
        for outcome in (done(CODE), FAILED):
            story = Story(CODE).sent().answer(outcome).after(100).asked(outcome)
            self.assertEqual((story.belief.source, story.belief.looks), (Witness.ANSWER, 1))

    def test_what_is_still_at_work_is_looked_at_from_the_beginning(self):
        for ended in self.ends():
            ended.after(200).asked(NOT_FOUND).after(200).asked(PENDING)
            self.assertEqual((ended.belief.looks, ended.belief.looked_at), (0, None))
            self.assertTrue(ended.belief.known)
            self.assertEqual(ended.asked(NOT_FOUND).belief.looks, 1)

    def test_the_end_is_counted_from_its_own_moment(self):
        story = Story(SALE).sent().answer(ERROR).after(5).asked(NOT_FOUND).after(5)
        story.asked(NOT_FOUND)
        self.assertBelieved(story, 'failed')
        self.assertEqual((story.belief.asked, story.belief.looks), (0, 0))
        self.assertEqual(story.belief.since, story.now)


class TestPaidTwice(LedgerCase):
    """Two paid trades under one number of ours: the first stays, and a manager is called."""

    def test_two_rows_in_one_answer(self):
        outcome = done(CODE, also_paid=('B', 'C'))
        story = Story(CODE).sent().lost().after(1).asked(outcome)
        name = 'paid_twice_under_one_number'
        self.assertBelieved(story, 'done', name, name)
        self.assertAlarm(story, name, 'B', NUMBER)
        self.assertAlarm(story, name, 'C', NUMBER)
        self.assertEqual(story.belief.facts['syssn'], NUMBER)
        story = Story(CODE).sent().lost().asked(done(CODE, syssn=None, also_paid=('B',)))
        self.assertAlarm(story, name, 'B', '')

    def test_another_number_heard_later(self):
        second = done(CODE, syssn=OTHER_NUMBER, chnlsn='later')
        for story in (
            Story(CODE).sent().answer(done(CODE)).after(9).notified(second),
            Story(CODE).sent().answer(done(CODE)).after(9).asked(second),
            Story(SALE).sent().answer(done(SALE)).after(9).asked(replace(second, merchant=None)),
        ):
            self.assertBelieved(story, 'done', 'paid_twice_under_one_number')
            self.assertAlarm(story, 'paid_twice_under_one_number', OTHER_NUMBER, NUMBER)
            self.assertEqual(story.belief.facts['syssn'], NUMBER)
            self.assertNotIn('chnlsn', story.belief.facts)

    def test_the_same_said_again_calls_nobody(self):
        for attempt in EVERYTHING:
            story = Story(attempt).sent().answer(done(attempt)).after(9).notified(done(attempt))
            self.assertBelieved(story, 'done')

    def test_a_second_alarm_of_the_same_is_none(self):
        story = Story(CODE).sent().answer(done(CODE))
        for _time in range(3):
            story.after(9).asked(done(CODE, syssn=OTHER_NUMBER))
        self.assertBelieved(story, 'done', 'paid_twice_under_one_number')

    def test_one_who_floods_the_shop_with_oddities_fills_no_disk(self):
        story = Story(CODE).sent()
        for number in range(30):
            story.asked(done(CODE, amount_minor=number))
        self.assertEqual(len(story.belief.alarms), 20)
        self.assertEqual(story.belief.alarms[-1].heard, '19')

    def test_a_failed_row_beside_the_paid_one_says_nothing(self):
        """QFPay may have several rows under one number of ours; the paid one counts."""
        for outcome in (
            replace(FAILED, syssn='F'),
            replace(CLOSED, syssn='F'),
            replace(PENDING, syssn='F'),
        ):
            for attempt in (CODE, SALE):
                story = Story(attempt).sent().answer(done(attempt)).after(100).asked(outcome)
                self.assertBelieved(story, 'done')
                self.assertEqual(story.belief.looks, 0)


class TestTakenBack(LedgerCase):
    """What was paid, and is not any more."""

    def paid(self, attempt=CODE, **changes):
        return Story(replace(attempt, **changes)).sent().answer(done(attempt)).after(300)

    def reversed_row(self, attempt=CODE):
        return done(attempt, verdict=Verdict.CANCELLED, cancel=1)

    def test_reversed_by_qfpay(self):
        """In a state of its own, and never as a paid one with a remark."""
        for attempt in (CODE, SALE):
            story = self.paid(attempt).asked(self.reversed_row(attempt))
            self.assertBelieved(story, 'reversed', 'reversed')
            self.assertAlarm(story, 'reversed', '', '')
            self.assertEqual(story.belief.facts['syssn'], NUMBER)

    def test_reversed_is_the_end(self):
        story = self.paid().asked(self.reversed_row())
        facts, looks = dict(story.belief.facts), story.belief.looks
        for outcome in (done(CODE, chnlsn='late'), FAILED, PENDING, NOT_FOUND, CLOSED):
            self.assertBelieved(story.after(99).asked(outcome), 'reversed', 'reversed')
        story.manager(Fact.DONE).manager(Fact.FAILED).never_left().lost()
        self.assertBelieved(story, 'reversed', 'reversed')
        self.assertEqual((story.belief.facts, story.belief.looks), (facts, looks))

    def test_our_own_refund_takes_back_nothing_that_was_not_asked_for(self):
        story = self.paid(returned_minor=1010).asked(self.reversed_row())
        self.assertBelieved(story, 'done')
        self.assertEqual(story.belief.looks, 1)

    def test_our_own_refund_of_a_part_does_not_explain_that_all_is_gone(self):
        for given in (1, 505, 1009):
            story = self.paid(returned_minor=given).asked(self.reversed_row())
            self.assertBelieved(story, 'done', 'denied_after_done')

    def test_denied_after_it_was_paid(self):
        story = self.paid(SALE).asked(replace(FAILED, syssn=None))
        self.assertBelieved(story, 'done', 'denied_after_done')
        story = self.paid(GATEWAY_REFUND).asked(done(GATEWAY_REFUND, verdict=Verdict.CANCELLED))
        self.assertBelieved(story, 'done', 'denied_after_done')

    def test_our_own_refund_explains_no_refusal(self):
        story = self.paid(returned_minor=1010).asked(done(CODE, verdict=Verdict.FAILED))
        self.assertBelieved(story, 'done', 'denied_after_done')

    def test_what_was_read_generously_takes_nothing_back(self):
        story = self.paid().asked(replace(self.reversed_row(), strict=False))
        self.assertBelieved(story, 'done', 'denied_after_done')

    def test_a_word_that_names_no_payment_takes_none_back(self):
        """Facts that are absent prove nothing: the shop would ask its customer to pay again."""
        for attempt in (SALE, CODE):
            bare = says(Verdict.CANCELLED, '6000', inner_code='1263')
            self.assertBelieved(self.paid(attempt).asked(bare), 'done', 'denied_after_done')
            for named in ({'syssn': NUMBER}, {'reference': attempt.reference}):
                story = self.paid(attempt).asked(replace(bare, **named))
                self.assertBelieved(story, 'reversed', 'reversed')

    def test_dont_know_after_paid_is_no_alarm(self):
        for outcome in (UNKNOWN, NOT_FOUND, PENDING, ERROR):
            story = self.paid().asked(replace(outcome, syssn=None))
            self.assertBelieved(story, 'done')
            self.assertEqual(story.belief.looks, 0)

    def test_a_look_after_paid_is_counted(self):
        """After a wish to cancel, one look shows whether QFPay took it back."""
        story = self.paid()
        self.assertEqual(story.asked(done(CODE)).belief.looks, 1)
        self.assertEqual(story.after(59).asked(done(CODE)).belief.looks, 1)
        self.assertEqual(story.after(1).asked(done(CODE)).belief.looks, 2)
        self.assertEqual(story.after(100).notified(done(CODE)).belief.looks, 2)
        self.assertEqual(story.asked(done(CODE, verdict=Verdict.FAILED)).belief.looks, 3)


class TestManager(LedgerCase):
    """A manager who looked elsewhere. It is shown as that, and never as QFPay's word."""

    def test_a_manager_decides(self):
        for fact, state in ((Fact.DONE, 'done'), (Fact.FAILED, 'failed')):
            for story in (
                Story(SALE).sent().lost(),
                Story(SALE).sent(),
                Story(CODE).sent().answer(PENDING),
            ):
                story.manager(fact)
                self.assertBelieved(story, state)
                self.assertTrue(story.belief.by_manager)
                self.assertEqual(story.belief.source, Witness.MANAGER)

    def test_a_manager_decides_nothing_that_is_decided_or_never_left(self):
        for story, state in (
            (Story(SALE), 'draft'),
            (Story(SALE).sent().answer(done(SALE)), 'done'),
            (Story(SALE).sent().answer(FAILED), 'failed'),
            (Story(SALE).sent().answer(CANCELLED_THERE).asked(NOT_FOUND), 'cancelled'),
        ):
            for fact in (Fact.DONE, Fact.FAILED):
                story.manager(fact)
                self.assertBelieved(story, state)
                self.assertFalse(story.belief.by_manager)

    def test_qfpay_confirms_what_the_manager_saw(self):
        story = Story(CODE).sent().lost().manager(Fact.DONE).after(100).asked(done(CODE))
        self.assertBelieved(story, 'done')
        self.assertFalse(story.belief.by_manager)
        self.assertEqual(story.belief.source, Witness.INQUIRY)
        self.assertEqual(story.belief.facts['syssn'], NUMBER)
        story = Story(CODE).sent().lost().manager(Fact.FAILED).after(100).asked(FAILED)
        self.assertBelieved(story, 'failed')
        self.assertFalse(story.belief.by_manager)
        self.assertEqual((story.belief.source, story.belief.looks), (Witness.INQUIRY, 1))

    def test_qfpay_contradicts_the_manager_and_a_manager_is_called_again(self):
        decided = Story(CODE).sent().lost().manager(Fact.FAILED).after(100)
        self.assertBelieved(decided.asked(done(CODE)), 'done', 'manager_contradicted')
        self.assertFalse(decided.belief.by_manager)
        for outcome in (FAILED, CLOSED):
            decided = Story(CODE).sent().lost().manager(Fact.DONE).after(100).asked(outcome)
            self.assertBelieved(decided, 'done', 'manager_contradicted')
            self.assertTrue(decided.belief.by_manager)

    def test_qfpay_knows_nothing_of_what_the_manager_saw(self):
        story = Story(CODE).sent(patience=100).lost().manager(Fact.DONE).after(101)
        for alarms in ((), (), ('manager_contradicted',)):
            self.assertBelieved(story.asked(NOT_FOUND), 'done', *alarms)
            self.assertBelieved(story.asked_in_a_list(NOT_FOUND), 'done', *alarms)
            story.after(5)
        self.assertTrue(story.belief.by_manager)
        # nobody said so who could know it
        story = Story(CODE).sent().answer(done(CODE)).after(1000)
        for _time in range(5):
            story.after(5).asked(NOT_FOUND)
        self.assertBelieved(story, 'done')

    def test_only_not_found_and_asked_alone_denies_what_the_manager_saw(self):
        for outcome, about in ((UNKNOWN, About.NUMBER), (NOT_FOUND, About.LIST)):
            story = Story(CODE).sent(patience=100).lost().manager(Fact.DONE).after(101)
            for _time in range(5):
                story.after(5).asked(outcome, about)
            self.assertBelieved(story, 'done')

    def test_a_managers_failed_is_asked_about_until_qfpay_says_no_itself(self):
        story = Story(CODE).sent().lost().manager(Fact.FAILED).after(100).asked(NOT_FOUND)
        self.assertBelieved(story, 'failed')
        self.assertTrue(story.belief.by_manager)

    def test_a_manager_who_has_looked_has_seen_all_so_far(self):
        story = Story(CODE).sent().asked(done(CODE, amount_minor=1)).manager(Fact.LOOKED_AT)
        self.assertBelieved(story, 'sent')
        story.asked(done(CODE, amount_minor=1))
        self.assertBelieved(story, 'sent', 'contradiction')

    def test_what_does_not_fit_together_here_calls_a_manager(self):
        story = Story(CODE).sent().server(Fact.STRANGE, reason='line_gone', detail='x')
        self.assertBelieved(story, 'sent', 'line_gone')
        self.assertAlarm(story, 'line_gone', 'x')

    def test_what_could_not_be_found_out_calls_a_manager(self):
        story = Story(CODE).sent().lost().after(90000).server(Fact.GIVEN_UP)
        self.assertBelieved(story, 'unknown', 'undecided')
        self.assertTrue(story.belief.gave_up)

    def test_a_row_that_the_database_had_lost_calls_a_manager(self):
        self.assertBelieved(Story(CODE).server(Fact.REWRITTEN), 'draft', 'row_lost')


class TestUpgrade(LedgerCase):
    """What a version without testimonies believed."""

    def test_each_state_is_kept(self):
        for state in ('draft', 'sent', 'pending', 'unknown', 'done', 'failed', 'cancelled'):
            story = Story(CODE).upgraded(state, Witness.INQUIRY, patience=330, claim=4)
            belief = story.belief
            self.assertBelieved(story, state)
            self.assertEqual((belief.since, belief.sent, belief.claim), (story.now,) * 2 + (4,))
            self.assertEqual((belief.patience, belief.source), (330, Witness.INQUIRY))
            self.assertEqual(belief.known, state in ('pending', 'done'))
            self.assertFalse(belief.by_manager or belief.waiting)

    def test_nobody_waits_for_the_terminals_answer_any_more(self):
        self.assertFalse(Story(SALE).upgraded('unknown', patience=330).belief.waiting)

    def test_each_machine_counts_the_end_from_what_it_heard_first(self):
        story = Story(CODE).upgraded('failed', patience=330).elsewhere('other').unanswered()
        story.after(10).set_clock(7200)
        self.assertStep(story.after(90), Do.ASK, 80, About.NUMBER)

    def test_a_managers_word_stays_a_managers(self):
        story = Story(CODE).upgraded('done', Witness.MANAGER)
        self.assertTrue(story.belief.by_manager)
        self.assertBelieved(story.after(100).asked(done(CODE)), 'done')
        self.assertFalse(story.belief.by_manager)

    def test_what_was_known_of_it_is_kept(self):
        told = says(
            Verdict.DONE,
            '0000',
            syssn=NUMBER,
            card_last4='1096',
            message='paid',
            refundable_minor=1010,
            qrcode='weixin://pay',
        )
        story = Story(CODE).upgraded('done', Witness.ANSWER, told)
        belief = story.belief
        self.assertEqual(belief.facts, {'syssn': NUMBER, 'card_last4': '1096'})
        self.assertEqual((belief.code, belief.message), ('0000', 'paid'))
        self.assertEqual((belief.left_before, belief.code_to_scan), (1010, 'weixin://pay'))
        story.asked(done(CODE, syssn=OTHER_NUMBER))
        self.assertBelieved(story, 'done', 'paid_twice_under_one_number')

    def test_what_had_ended_is_looked_at_again(self):
        story = Story(CODE).upgraded('failed', patience=330)
        self.assertStep(story, Do.ASK, 180, About.NUMBER)
        self.assertStep(story.set_clock(7200).after(100), Do.ASK, 80, About.NUMBER)

    def test_what_was_open_is_asked_about_and_ends_as_ever(self):
        story = Story(CODE).upgraded('unknown', patience=330)
        story.after(331).asked(NOT_FOUND).after(5).asked(NOT_FOUND)
        self.assertBelieved(story, 'unknown')
        self.assertBelieved(story.after(5).asked(NOT_FOUND), 'failed')
