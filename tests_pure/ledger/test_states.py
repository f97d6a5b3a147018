from dataclasses import fields
from itertools import product
from unittest import TestCase

from pos_payment_qfpay.ledger.belief import Alarm, Belief
from pos_payment_qfpay.ledger.rules import judge
from pos_payment_qfpay.ledger.states import AT_QFPAY, NOT_DONE, OPEN, TRANSITIONS
from pos_payment_qfpay.ledger.testimony import Fact
from pos_payment_qfpay.qfpay.outcome import Verdict
from pos_payment_qfpay.tests_pure.ledger.story import (
    CANCELLED_THERE,
    CLOSED,
    CODE,
    FAILED,
    NOT_FOUND,
    PENDING,
    SALE,
    UNKNOWN,
    Story,
    done,
    left,
    says,
)

# what may follow on what
FOLLOWS = """
draft      sent pending unknown done failed cancelled
sent       pending unknown done failed cancelled
pending    unknown done failed cancelled
unknown    pending done failed cancelled
failed     done
cancelled  done
done       reversed
reversed
"""


class TestStates(TestCase):
    def test_of_what_nobody_spoke_nothing_is_believed(self):
        told = {
            'state': 'draft',
            'since_on': {},
            'sent_on': {},
            'ended_on': {},
            'claim': 0,
            'patience': 0.0,
            'ways_tried': 0,
            'not_found': 0,
            'asked': 0,
            'looks': 0,
            'facts': {},
            'alarms': [],
        }
        for field in fields(Belief):
            nothing = {bool: False, str: ''}.get(field.type)
            expected = told.get(field.name, nothing)
            with self.subTest(field.name):
                self.assertEqual(repr(getattr(Belief(), field.name)), repr(expected))
        self.assertEqual(repr(judge(CODE, [])), repr(Belief()))

    def test_what_may_follow_on_what(self):
        follows = {}
        for line in FOLLOWS.strip().splitlines():
            state, *then = line.split()
            follows[state] = set(then)
        self.assertEqual({state: set(then) for state, then in TRANSITIONS.items()}, follows)

    def test_an_alarm_may_name_nothing(self):
        self.assertEqual(Alarm('row_lost'), ('row_lost', '', ''))

    def test_each_state_is_open_or_an_end(self):
        self.assertEqual(OPEN, ('draft', 'sent', 'pending', 'unknown'))
        self.assertEqual(AT_QFPAY, ('sent', 'pending', 'unknown'))
        self.assertEqual(NOT_DONE, ('failed', 'cancelled'))
        for state in TRANSITIONS:
            story = Story(CODE).upgraded(state)
            self.assertEqual(story.belief.is_open, state in OPEN)

    def test_whatever_is_heard_no_other_state_follows(self):
        """What was paid stays paid, or is reversed; what failed can only turn out to be paid."""
        row = done(CODE, verdict=Verdict.CANCELLED, cancel=1)
        words = [
            lambda story: story.sent(),
            lambda story: story.lost(),
            lambda story: story.taken_over(),
            lambda story: story.never_left(),
            lambda story: story.cancel(),
            lambda story: story.manager(Fact.DONE),
            lambda story: story.manager(Fact.FAILED),
            lambda story: story.server(Fact.GIVEN_UP),
            *(
                lambda story, said=said, way=way: getattr(story, way)(said)
                for said, way in product(
                    (
                        done(CODE),
                        row,
                        PENDING,
                        UNKNOWN,
                        FAILED,
                        CLOSED,
                        NOT_FOUND,
                        CANCELLED_THERE,
                        left(505),
                        says(Verdict.DONE),
                    ),
                    ('answer', 'asked', 'asked_in_a_list', 'notified', 'told_to_cancel', 'control'),
                )
            ),
        ]
        for attempt, state in product((CODE, SALE), TRANSITIONS):
            for word in words:
                story = Story(attempt).upgraded(state).after(100)
                word(story)
                follows = {state, *TRANSITIONS[state]}
                # a draft may be heard to be at QFPay, and what came of it
                self.assertIn(story.belief.state, follows)
