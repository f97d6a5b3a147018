from datetime import datetime, timedelta
from unittest import TestCase

from pos_payment_qfpay.ledger.clock import Moment

NOON = datetime(2026, 1, 15, 4)


def moment(seconds=0, boot='', tick=0.0):
    return Moment(NOON + timedelta(seconds=seconds), boot, tick)


class TestClock(TestCase):
    def test_on_one_machine_its_steady_clock_counts(self):
        """Somebody set the database's clock in between: an hour back, an hour on."""
        for jump in (-3600, 0, 3600):
            earlier, later = moment(0, 'till', 100.0), moment(jump + 7, 'till', 107.5)
            self.assertEqual(later.since(earlier), 7.5)
            self.assertEqual(earlier.since(later), -7.5)

    def test_between_two_machines_the_databases_clock_counts(self):
        for one, other in (('till', 'server'), ('till', ''), ('', 'till'), ('', '')):
            earlier, later = moment(0, one, 100.0), moment(7, other, 5.0)
            self.assertEqual(later.since(earlier), 7.0)
            self.assertEqual(earlier.since(later), -7.0)

    def test_a_machine_that_was_started_anew_is_another_one(self):
        self.assertEqual(moment(7, 'boot-2', 1.0).since(moment(0, 'boot-1', 9000.0)), 7.0)

    def test_fractions_count(self):
        self.assertEqual(moment(0.25).since(moment()), 0.25)

    def test_later_by_both_clocks(self):
        later = moment(0, 'till', 100.0).plus(7.5)
        self.assertEqual(later, Moment(NOON + timedelta(seconds=7.5), 'till', 107.5))
        self.assertEqual(later.plus(-7.5), moment(0, 'till', 100.0))
        self.assertEqual(Moment(NOON).plus(1).since(Moment(NOON)), 1.0)

    def test_without_a_steady_clock_there_is_no_machine(self):
        self.assertEqual((Moment(NOON).boot, Moment(NOON).tick), ('', 0.0))
