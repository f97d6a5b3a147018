"""What a row keeps of what was said: facts, words, numbers on paper."""

from dataclasses import fields, replace

from pos_payment_qfpay.ledger.belief import FACTS
from pos_payment_qfpay.ledger.testimony import Fact
from pos_payment_qfpay.qfpay.outcome import Outcome, Verdict
from pos_payment_qfpay.tests_pure.ledger.story import (
    CANCELLED_THERE,
    CODE,
    FAILED,
    NOT_FOUND,
    NUMBER,
    PENDING,
    SALE,
    UNKNOWN,
    LedgerCase,
    Story,
    done,
    says,
)

TOLD = {
    'syssn': NUMBER,
    'chnlsn': '4200000000000000001',
    'pay_type': '802808',
    'card_scheme': 'VISA',
    'card_last4': '1096',
    'card_type': 'CREDIT',
    'wallet': 'WeChat Pay',
    'paid_at': '2026-01-15 12:00:05',
    'batch': '000012',
    'channel_reference': '603511',
    'trace': '000771',
}


class TestFacts(LedgerCase):
    def test_all_that_is_told_of_a_payment_is_kept(self):
        for story in (
            Story(SALE).sent().answer(done(SALE, **TOLD)),
            Story(SALE).sent().lost().asked(done(SALE, **TOLD)),
            Story(SALE).sent().notified(done(SALE, **TOLD)),
        ):
            self.assertEqual(story.belief.facts, TOLD)
        self.assertEqual(set(FACTS), set(TOLD))
        self.assertLessEqual(set(FACTS), {field.name for field in fields(Outcome)})

    def test_what_is_not_told_is_not_kept(self):
        self.assertEqual(Story(SALE).sent().answer(done(SALE)).belief.facts, {'syssn': NUMBER})

    def test_a_later_word_adds_and_never_changes_what_is_known_of_a_payment(self):
        story = Story(SALE).sent().answer(done(SALE, card_scheme='VISA'))
        story.after(1).asked(done(SALE, card_scheme='AMEX', card_last4='1096'))
        self.assertEqual(
            story.belief.facts, {'syssn': NUMBER, 'card_scheme': 'VISA', 'card_last4': '1096'}
        )

    def test_before_it_is_paid_the_newest_word_counts(self):
        story = Story(CODE).sent().answer(replace(PENDING, pay_type='800201', chnlsn='1'))
        story.after(5).asked(done(CODE, pay_type='800208'))
        self.assertEqual(story.belief.facts, {'syssn': NUMBER, 'pay_type': '800208', 'chnlsn': '1'})

    def test_a_failed_one_keeps_its_number(self):
        story = Story(CODE).sent().lost().asked(replace(FAILED, trace='7'))
        self.assertEqual(story.belief.facts, {'syssn': NUMBER, 'trace': '7'})

    def test_what_proves_nothing_leaves_nothing(self):
        for outcome in (
            done(SALE, **TOLD, reference=None),
            done(SALE, **{**TOLD, 'strict': False}),
            replace(UNKNOWN, **TOLD),
            replace(CANCELLED_THERE, **TOLD),
        ):
            self.assertEqual(Story(SALE).sent().answer(outcome).belief.facts, {})

    def test_a_code_to_scan_stays_until_another_one_comes(self):
        story = Story(CODE).sent().answer(PENDING)
        self.assertEqual(story.belief.code_to_scan, 'weixin://pay')
        story.asked(says(Verdict.PENDING, '0000', inner_code='1143'))
        self.assertEqual(story.belief.code_to_scan, 'weixin://pay')
        story.asked(says(Verdict.PENDING, '0000', pay_url='https://payme'))
        self.assertEqual(story.belief.code_to_scan, 'https://payme')
        story.asked(says(Verdict.PENDING, '0000', pay_url='https://payme', qrcode='other'))
        self.assertEqual(story.belief.code_to_scan, 'other')


class TestWords(LedgerCase):
    """The code and the words that are shown are QFPay's, and the newest."""

    def words(self, story):
        return story.belief.code, story.belief.message

    def test_the_hosts_code_explains_more_than_the_terminals(self):
        for outer, inner, shown in (
            ('6002', '1205', '1205'),
            ('6000', '0000', '6000'),
            ('6002', '0000', '6002'),
            ('6002', '', '6002'),
            ('0000', '1143', '1143'),
        ):
            outcome = says(Verdict.UNKNOWN, outer, inner_code=inner, message='words')
            self.assertEqual(self.words(Story(SALE).sent().answer(outcome)), (shown, 'words'))

    def test_the_newest_count(self):
        story = Story(CODE).sent().answer(replace(PENDING, message='waiting'))
        self.assertEqual(self.words(story), ('0000', 'waiting'))
        story.asked(FAILED)
        self.assertEqual(self.words(story), ('1205', 'declined'))
        story.asked(done(CODE, message='paid'))
        self.assertEqual(self.words(story), ('0000', 'paid'))

    def test_what_explains_nothing_changes_nothing(self):
        story = Story(SALE).sent().answer(says(Verdict.UNKNOWN, '6002', message='no network'))
        for outcome in (NOT_FOUND, UNKNOWN, says(Verdict.PENDING, '', message='x')):
            story.after(1).asked(outcome)
            self.assertEqual(self.words(story), ('6002', 'no network'))
        story.after(60).asked(NOT_FOUND).after(60).asked(NOT_FOUND)
        self.assertBelieved(story, 'pending')

    def test_our_own_reasons_are_no_words_of_qfpays(self):
        story = Story(SALE).sent().lost('timeout')
        self.assertEqual((self.words(story), story.belief.reason), (('', ''), 'timeout'))
        story.manager(Fact.FAILED)
        self.assertEqual((self.words(story), story.belief.reason), (('', ''), ''))

    def test_a_reason_ends_with_its_state(self):
        story = Story(CODE).sent().lost('timeout').asked(PENDING)
        self.assertEqual(story.belief.reason, '')

    def test_done_again_is_told_in_the_newest_words(self):
        story = Story(CODE).sent().answer(done(CODE, message='one'))
        self.assertEqual(self.words(story.asked(done(CODE, message='two'))), ('0000', 'two'))


class TestStates(LedgerCase):
    def test_pending_begins_once(self):
        story = Story(CODE).sent().answer(PENDING)
        began = story.now
        story.after(9).asked(PENDING)
        self.assertEqual(story.belief.since, began)
        self.assertEqual(story.belief.asked, 1)

    def test_unknown_and_pending_follow_on_each_other(self):
        story = Story(CODE).sent().lost().after(9).asked(PENDING)
        self.assertBelieved(story, 'pending')
        self.assertEqual(story.belief.since, story.now)

    def test_a_word_that_says_nothing_leaves_the_state(self):
        story = Story(CODE).sent().answer(PENDING).after(9).asked(UNKNOWN)
        self.assertBelieved(story, 'pending')
        self.assertBelieved(Story(CODE).sent().after(9).asked(UNKNOWN), 'sent')

    def test_questions_are_counted_from_the_beginning_of_a_state(self):
        story = Story(CODE).sent().answer(PENDING)
        for asked in (1, 2, 3):
            story.after(9).asked(UNKNOWN)
            self.assertEqual((story.belief.asked, story.belief.asked_at), (asked, story.now))
        self.assertEqual(story.after(9).asked(FAILED).belief.asked, 0)
        self.assertIsNone(story.belief.asked_at)

    def test_what_was_heard_many_times_counts_many_times(self):
        first = Story(CODE).sent().answer(PENDING).after(2)
        last = first.now.plus(40)
        first.asked_in_a_list(PENDING, times=21, again=last)
        self.assertEqual((first.belief.asked, first.belief.asked_at), (21, last))

    def test_the_first_of_many_may_begin_a_state_in_which_the_others_were_asked(self):
        story = Story(CODE).sent().lost().after(2)
        last = story.now.plus(40)
        story.asked_in_a_list(PENDING, times=21, again=last)
        self.assertBelieved(story, 'pending')
        self.assertEqual((story.belief.asked, story.belief.asked_at), (20, last))

    def test_who_says_nothing_changes_nothing(self):
        story = Story(CODE).sent().answer(PENDING)
        before = story.belief
        self.assertEqual(story.answer(None).notified(None).told_to_cancel(None).belief, before)

    def test_no_question_is_counted_for_what_nobody_asked(self):
        story = Story(SALE).sent().notified(UNKNOWN).answer(UNKNOWN).cancel()
        story.told_to_cancel(UNKNOWN).control(UNKNOWN)
        self.assertEqual((story.belief.asked, story.belief.asked_at), (0, None))
