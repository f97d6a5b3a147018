from dataclasses import MISSING, fields, replace
from unittest import TestCase

from pos_payment_qfpay.ledger import testimony as ledger
from pos_payment_qfpay.ledger.testimony import About, Fact, Witness
from pos_payment_qfpay.qfpay.ecr.message import CHANNELS
from pos_payment_qfpay.qfpay.openapi.catalogue import PAY_TYPES
from pos_payment_qfpay.qfpay.outcome import Verdict
from pos_payment_qfpay.tests_pure.ledger.story import (
    CODE,
    FAILED,
    GATEWAY_REFUND,
    NOT_FOUND,
    PENDING,
    REFUND,
    SALE,
    SCAN,
    UNKNOWN,
    Story,
    at,
    done,
    left,
)


class TestDefaults(TestCase):
    """What is not told: nothing, and nothing that could be taken for something."""

    def assertDefaults(self, kind, needed, told):
        found = {one.name: one.default for one in fields(kind)}
        self.assertEqual([name for name, value in found.items() if value is MISSING], needed)
        said = {name: repr(value) for name, value in found.items() if name not in needed}
        self.assertEqual(said, {name: repr(value) for name, value in told.items()})

    def test_of_an_attempt(self):
        needed = ['reference', 'kind', 'provider', 'channel', 'amount_minor', 'currency', 'created']
        told = {
            'merchant': None,
            'original_syssn': None,
            'original_minor': 0,
            'returned_minor': 0,
        }
        self.assertDefaults(ledger.Attempt, needed, told)

    def test_of_a_testimony(self):
        told = {
            'asked_at': None,
            'about': About.NOTHING,
            'outcome': None,
            'fact': None,
            'reason': '',
            'detail': '',
            'patience': 0.0,
            'claim': 0,
            'seals': False,
            'taken': False,
            'superseded': False,
            'returned_minor': 0,
            'again': None,
            'times': 1,
        }
        found = [one.name for one in fields(ledger.Testimony)]
        told = dict(sorted(told.items(), key=lambda item: found.index(item[0])))
        self.assertDefaults(ledger.Testimony, ['at', 'witness'], told)


class TestAttempt(TestCase):
    def test_which_way_it_goes(self):
        for attempt, by_terminal, by_card, by_shown_code, is_refund, looks_before in (
            (SALE, True, True, False, False, False),
            (replace(SALE, channel='unionpay_card'), True, True, False, False, False),
            (replace(SALE, channel='wx'), True, False, False, False, False),
            (CODE, False, False, True, False, False),
            (SCAN, False, False, False, False, False),
            (REFUND, True, True, False, True, True),
            (GATEWAY_REFUND, False, False, True, True, False),
        ):
            with self.subTest(attempt.channel, kind=attempt.kind):
                self.assertEqual(attempt.by_terminal, by_terminal)
                self.assertEqual(attempt.by_card, by_card)
                self.assertEqual(attempt.by_shown_code, by_shown_code)
                self.assertEqual(attempt.is_refund, is_refund)
                self.assertEqual(attempt.looks_before, looks_before)

    def test_every_channel_and_pay_type_can_be_asked(self):
        for channel, known in CHANNELS.items():
            self.assertEqual(replace(SALE, channel=channel).by_card, known.card)
            self.assertFalse(replace(SALE, channel=channel).by_shown_code)
        for pay_type, known in PAY_TYPES.items():
            attempt = replace(CODE, channel=pay_type)
            self.assertEqual(attempt.by_shown_code, known.mode == 'mpm')
            self.assertEqual(attempt.ways_to_cancel, len(known.cancel))
            self.assertFalse(attempt.by_card)

    def test_how_many_ways_there_are_to_cancel_it(self):
        for attempt, ways in (
            (SALE, 1),
            (CODE, 2),
            (SCAN, 2),
            (replace(CODE, channel='805801'), 0),
            (REFUND, 0),
            (GATEWAY_REFUND, 0),
        ):
            self.assertEqual(attempt.ways_to_cancel, ways)


class TestRepeats(TestCase):
    """What was said last and is said again needs to be read once only."""

    def pair(self, tell, again=None, first=None):
        """Whether the second of two testimonies repeats the first one."""
        story = Story(CODE)
        tell(first or story)
        (again or tell)(story.after(2))
        last, said = story.said
        return said.repeats(last)

    def test_the_same_answer_to_the_same_question(self):
        for tell in (
            lambda story: story.asked(PENDING),
            lambda story: story.asked(UNKNOWN),
            lambda story: story.asked(UNKNOWN, About.ORIGINAL),
            lambda story: story.asked_in_a_list(PENDING),
            lambda story: story.asked_in_a_list(NOT_FOUND),
            lambda story: story.unanswered(reason='timeout'),
        ):
            self.assertTrue(self.pair(tell))

    def test_what_may_decide_is_weighed_each_time(self):
        """A "not found" counts by its own time, and so does a look after the end."""
        for outcome in (NOT_FOUND, FAILED, done(CODE), left(505)):
            for about in (About.NUMBER, About.ORIGINAL):
                self.assertFalse(self.pair(lambda story, o=outcome, a=about: story.asked(o, a)))
        for outcome in (FAILED, done(CODE)):
            self.assertFalse(self.pair(lambda story, o=outcome: story.asked_in_a_list(o)))

    def test_only_answers_to_questions_are_repeated(self):
        for tell in (
            lambda story: story.answer(UNKNOWN),
            lambda story: story.notified(PENDING),
            lambda story: story.control(UNKNOWN),
            lambda story: story.told_to_cancel(UNKNOWN),
            lambda story: story.cancel(),
            lambda story: story.lost(),
        ):
            self.assertFalse(self.pair(tell))

    def test_another_word_is_news(self):
        first = lambda story: story.asked(PENDING)  # noqa: E731
        for again in (
            lambda story: story.asked(replace(PENDING, message='x')),
            lambda story: story.asked(UNKNOWN),
            lambda story: story.asked_in_a_list(PENDING),
            lambda story: story.page(PENDING, About.NUMBER),
            lambda story: story.asked(PENDING, seals=True),
            lambda story: story.asked(PENDING, taken=True),
            lambda story: story.unanswered(),
        ):
            self.assertFalse(self.pair(first, again))
        first = lambda story: story.unanswered(reason='timeout', detail='a')  # noqa: E731
        self.assertTrue(self.pair(first))
        for again in (
            lambda story: story.unanswered(reason='network', detail='a'),
            lambda story: story.unanswered(reason='timeout', detail='b'),
            lambda story: story.asked(PENDING, reason='timeout', detail='a'),
        ):
            self.assertFalse(self.pair(first, again))

    def test_when_it_was_said_is_no_part_of_it(self):
        now = at(CODE.created)
        self.assertTrue(
            self.pair(
                lambda story: story.asked(UNKNOWN),
                lambda story: story.asked(replace(UNKNOWN, stated_at=now, heard='{}')),
            )
        )

    def test_what_another_machine_hears_is_never_a_repetition(self):
        """Its clock is another, and is read from there on."""
        self.assertFalse(
            self.pair(
                lambda story: story.asked(PENDING),
                lambda story: story.elsewhere('other').asked(PENDING),
            )
        )

    def test_what_is_believed_is_the_same_whether_it_was_counted_or_kept(self):
        kept, counted = (Story(CODE).sent().answer(PENDING) for _story in range(2))
        for _time in range(10):
            kept.after(2).asked_in_a_list(PENDING)
        last = counted.now.plus(20)
        counted.after(2).asked_in_a_list(PENDING, times=10, again=last)
        self.assertEqual(kept.belief, counted.belief)


class TestWitnesses(TestCase):
    def test_names_that_stand_in_databases_stay(self):
        """They are columns of rows that were written years ago."""
        self.assertEqual(
            [str(one.value) for one in Witness],
            ['answer', 'inquiry', 'notification', 'page', 'manager', 'cashier', 'server'],
        )
        self.assertEqual(
            [str(one.value) for one in About],
            ['request', 'number', 'list', 'original', 'control', 'cancel', 'nothing'],
        )
        self.assertEqual(
            [str(one.value) for one in Fact],
            [
                'sent',
                'never_left',
                'answer_lost',
                'taken_over',
                'unanswered',
                'no_control',
                'wrong_way',
                'cancel_wanted',
                'done',
                'failed',
                'looked_at',
                'strange',
                'rewritten',
                'given_up',
                'upgraded',
            ],
        )
        self.assertEqual(
            [str(one.value) for one in Verdict],
            ['done', 'failed', 'cancelled', 'pending', 'unknown', 'not_found'],
        )
