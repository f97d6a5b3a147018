from dataclasses import replace
from unittest import TestCase

from pos_payment_qfpay.ledger.belief import Alarm
from pos_payment_qfpay.ledger.line import Line, strange
from pos_payment_qfpay.ledger.states import TRANSITIONS

GOOD = Line(exists=True)


class TestLine(TestCase):
    def assertStrange(self, state, line, *alarms, kind='payment'):
        self.assertEqual(strange(kind, state, line), [Alarm(*alarm) for alarm in alarms])

    def test_a_line_that_fits_calls_nobody(self):
        for state in TRANSITIONS:
            for kind in ('payment', 'refund'):
                self.assertStrange(state, GOOD, kind=kind)

    def test_nothing_is_wrong_with_a_line_of_which_nobody_says_so(self):
        said = Line(exists=True)
        self.assertIs(said.is_cancelled, False)
        self.assertIs(said.agrees, True)
        self.assertIs(said.is_recorded, False)
        self.assertEqual(said.paid_twice, '')

    def test_paid_after_the_cashier_removed_the_line_and_took_cash(self):
        """The order can be validated without it: it is an orphan, and a manager must look."""
        self.assertStrange('done', replace(GOOD, exists=False), ('line_gone',))

    def test_paid_though_its_order_was_cancelled(self):
        self.assertStrange('done', replace(GOOD, is_cancelled=True), ('order_cancelled',))

    def test_paid_and_booked_with_another_amount(self):
        self.assertStrange('done', replace(GOOD, agrees=False), ('booked_otherwise',))

    def test_one_reason_is_enough_about_one_line(self):
        line = Line(exists=False, is_cancelled=True, agrees=False)
        self.assertStrange('done', line, ('line_gone',))
        line = Line(exists=True, is_cancelled=True, agrees=False)
        self.assertStrange('done', line, ('order_cancelled',))

    def test_the_same_money_moved_twice(self):
        line = replace(GOOD, paid_twice='S-1-0002')
        self.assertStrange('done', line, ('paid_twice', 'S-1-0002'))
        self.assertStrange('done', line, ('refunded_twice', 'S-1-0002'), kind='refund')
        gone = replace(line, exists=False)
        self.assertStrange('done', gone, ('paid_twice', 'S-1-0002'), ('line_gone',))

    def test_counted_as_paid_and_not_paid(self):
        line = replace(GOOD, is_recorded=True)
        for state in ('failed', 'cancelled', 'reversed'):
            self.assertStrange(state, line, ('recorded_unpaid',))
            self.assertStrange(state, replace(line, exists=False), ('recorded_unpaid',))
        for state in ('draft', 'sent', 'pending', 'unknown', 'done'):
            self.assertStrange(state, line)

    def test_what_is_not_paid_may_be_removed(self):
        bad = Line(exists=False, is_cancelled=True, agrees=False, paid_twice='S-1-0002')
        for state in TRANSITIONS:
            if state != 'done':
                self.assertStrange(state, bad)
