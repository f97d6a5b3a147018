from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from pos_payment_qfpay.ledger.limits import (
    ENGAGED,
    MOST_UNDER_WAY,
    may_be_charged,
    refundable,
)
from pos_payment_qfpay.ledger.states import TRANSITIONS

ANY = settings(max_examples=200, deadline=None, database=None, derandomize=True)
amounts = st.integers(-10_000, 10_000)


class TestLimits(TestCase):
    def test_one_order_is_charged_once(self):
        """Two tills, a stale tablet, two taps: what is under way counts as if it were paid."""
        for due, engaged, amount, may in (
            (1010, [], 1010, True),
            (1010, [], 1011, False),
            (1010, [1010], 1, False),
            (1010, [1010], 1010, False),
            # in parts
            (1010, [505], 505, True),
            (1010, [505], 506, False),
            (1010, [505, 505], 1, False),
            # a part was given back
            (1010, [1010, -505], 505, True),
            (1010, [1010, -505], 506, False),
            # nothing is due
            (0, [], 1, False),
            (-1010, [], 1, False),
        ):
            with self.subTest(due, engaged=engaged, amount=amount):
                self.assertEqual(may_be_charged(due, engaged, amount), may)

    def test_an_order_gives_back_what_it_owes_once(self):
        for due, engaged, amount, may in (
            (-1010, [], -1010, True),
            (-1010, [], -1011, False),
            (-1010, [-1010], -1, False),
            (-1010, [-505], -505, True),
            (-1010, [-505], -506, False),
            # a payment that was too much can be given back
            (1010, [1010], -1010, True),
            (1010, [1010], -1011, False),
            (0, [], -1, False),
            (1010, [], -1, False),
        ):
            with self.subTest(due, engaged=engaged, amount=amount):
                self.assertEqual(may_be_charged(due, engaged, amount), may)

    @ANY
    @given(due=amounts, tried=st.lists(amounts, max_size=8))
    def test_however_many_try_nobody_pays_more_than_is_due(self, due, tried):
        engaged = []
        for amount in tried:
            if amount and may_be_charged(due, engaged, amount):
                engaged.append(amount)
        self.assertLessEqual(sum(engaged), max(due, 0))
        self.assertGreaterEqual(sum(engaged), min(due, 0))

    def test_what_may_still_be_refunded(self):
        for paid, engaged, rest in (
            (1010, [], 1010),
            (1010, [505], 505),
            (1010, [505, 505], 0),
            (1010, [1010], 0),
            (1010, [1010, 1], 0),
        ):
            self.assertEqual(refundable(paid, engaged), rest)

    def test_what_counts(self):
        """Money that moved and money that may yet; not what failed, or was taken back."""
        self.assertEqual(set(ENGAGED), {'draft', 'sent', 'pending', 'unknown', 'done'})
        self.assertEqual(set(TRANSITIONS) - set(ENGAGED), {'failed', 'cancelled', 'reversed'})

    def test_a_till_has_a_queue_and_no_more(self):
        self.assertEqual(MOST_UNDER_WAY, 25)
