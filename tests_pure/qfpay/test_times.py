from datetime import datetime, timedelta, timezone
from unittest import TestCase

from pos_payment_qfpay.qfpay.times import from_text, months, to_text

NOON = datetime(2026, 1, 15, 6, 3, 22, tzinfo=timezone.utc)


class TestTimes(TestCase):
    def test_times(self):
        self.assertEqual(to_text(NOON), '2026-01-15 14:03:22')
        self.assertEqual(from_text('2026-01-15 14:03:22'), NOON)
        for text in ('', None, '2026-01-15', '2026-02-30 00:00:00', '2026-1-15 14:03:22', 'x'):
            with self.subTest(text):
                self.assertIsNone(from_text(text))

    def test_months(self):
        def texts(since, until):
            return [(to_text(begin), to_text(end)) for begin, end in months(since, until)]

        self.assertEqual(texts(NOON, NOON), [('2026-01-15 14:03:22', '2026-01-15 14:03:22')])
        # 16:00 in London is midnight in Hong Kong
        turn = datetime(2026, 2, 28, 16, tzinfo=timezone.utc)
        self.assertEqual(
            texts(turn - timedelta(days=30), turn + timedelta(hours=1)),
            [
                ('2026-03-01 00:00:00', '2026-03-01 01:00:00'),
                ('2026-02-01 00:00:00', '2026-02-28 23:59:59'),
                ('2026-01-30 00:00:00', '2026-01-31 23:59:59'),
            ],
        )
        self.assertEqual(months(NOON, NOON - timedelta(seconds=1)), [])
