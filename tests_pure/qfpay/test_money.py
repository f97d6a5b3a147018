from decimal import Decimal
from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from pos_payment_qfpay.qfpay.errors import InvalidRequest
from pos_payment_qfpay.qfpay.money import LARGEST_MINOR, check_minor, nearest_minor, to_minor

ANY = settings(max_examples=200, deadline=None, database=None, derandomize=True)


class TestMoney(TestCase):
    def test_amounts_in_currency_units(self):
        for amount, decimals, minor in (
            (10.1, 2, 1010),
            # 0.29 * 100 is 28.999999999999996
            (0.29, 2, 29),
            (1.005, 3, 1005),
            ('19.90', 2, 1990),
            (Decimal('0.01'), 2, 1),
            (100, 2, 10000),
            (1234.0, 0, 1234),
            (-10.1, 2, -1010),
            (0, 2, 0),
            (21474836.47, 2, LARGEST_MINOR),
            (-21474836.47, 2, -LARGEST_MINOR),
        ):
            with self.subTest(amount):
                self.assertEqual(to_minor(amount, decimals), minor)

    def test_what_is_no_amount(self):
        for amount, decimals, words in (
            (0.001, 2, 'finer than the smallest coin'),
            (-0.001, 2, 'finer than the smallest coin'),
            (10.1, 0, 'finer than the smallest coin'),
            (21474836.48, 2, 'too large'),
            (-21474836.48, 2, 'too large'),
            ('ten', 2, 'is not an amount'),
            ('', 2, 'is not an amount'),
            (None, 2, 'is not an amount'),
            (float('nan'), 2, 'is not an amount'),
            (float('inf'), 2, 'is not an amount'),
            (float('-inf'), 2, 'is not an amount'),
        ):
            with self.subTest(amount), self.assertRaises(InvalidRequest) as caught:
                to_minor(amount, decimals)
            self.assertIn(words, caught.exception.message)
            self.assertEqual(caught.exception.field, 'amount')

    @ANY
    @given(minor=st.integers(-LARGEST_MINOR, LARGEST_MINOR), decimals=st.sampled_from((0, 2, 3)))
    def test_no_coin_is_lost_on_the_way_through_a_float(self, minor, decimals):
        self.assertEqual(to_minor(minor / 10**decimals, decimals), minor)

    def test_the_nearest_coin_to_an_amount_that_is_finer(self):
        """What an order is due may have more decimals than its currency has coins."""
        for amount, decimals, minor in (
            (10.1, 2, 1010),
            (0.29, 2, 29),
            (10.004, 2, 1000),
            (10.005, 2, 1001),
            # 1.005 is less than that as a float, and means what it says
            (1.005, 2, 101),
            (-10.005, 2, -1001),
            (-10.004, 2, -1000),
            (0.0, 2, 0),
            (1234.5, 0, 1235),
            (1234.4, 0, 1234),
            (1e-9, 2, 0),
            (1e15, 2, 10**17),
        ):
            with self.subTest(amount):
                nearest = nearest_minor(amount, decimals)
                self.assertEqual(nearest, minor)
                self.assertIsInstance(nearest, int)

    @ANY
    @given(minor=st.integers(-LARGEST_MINOR, LARGEST_MINOR), decimals=st.sampled_from((0, 2, 3)))
    def test_an_amount_in_coins_is_the_nearest_one_to_itself(self, minor, decimals):
        self.assertEqual(nearest_minor(minor / 10**decimals, decimals), minor)

    def test_what_can_be_sent(self):
        for amount in (1, 1010, LARGEST_MINOR):
            check_minor(amount)
        for amount in (0, -1, LARGEST_MINOR + 1, True, 10.0, '1010', None, Decimal(1)):
            with self.subTest(amount), self.assertRaises(InvalidRequest) as caught:
                check_minor(amount)
            self.assertEqual(caught.exception.field, 'amount')
