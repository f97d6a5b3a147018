from datetime import datetime, timedelta, timezone
from unittest import TestCase

from pos_payment_qfpay.qfpay.errors import InvalidRequest
from pos_payment_qfpay.qfpay.times import from_text, in_hong_kong, months, to_text

NOON = datetime(2026, 1, 15, 6, 3, 22, tzinfo=timezone.utc)


class TestTimes(TestCase):
    def test_times(self):
        self.assertEqual(to_text(NOON), '2026-01-15 14:03:22')
        self.assertEqual(from_text('2026-01-15 14:03:22'), NOON)
        for text in (
            '20260115140322',
            '20260115 140322',
            '20260115T140322',
            '2026-01-15T14:03:22',
            '2026-01-15 14:0322',
            '2026011514:03:22',
        ):
            with self.subTest(text):
                self.assertEqual(from_text(text), NOON)
        for text in (
            '',
            None,
            'x',
            '2026-01-15',
            '2026-02-30 00:00:00',
            '2026-01-15 24:00:00',
            '2026-01-15 14:60:00',
            '2026-13-01 00:00:00',
            '0000-01-01 00:00:00',
            '2026-1-15 14:03:22',
            '2026/01/15 14:03:22',
            '2026-01-15  14:03:22',
            ' 2026-01-15 14:03:22',
            '2026-01-15 14:03:22\n',
            '2026-01-15 14:03:22.5',
            '2026-01-15 14:03:22Z',
            '202601151403',
            '２０２６-01-15 14:03:22',
        ):
            with self.subTest(text):
                self.assertIsNone(from_text(text))

    def test_hong_kongs_clock_and_no_other(self):
        self.assertEqual(from_text('2026-01-15 14:03:22').utcoffset(), timedelta(hours=8))
        self.assertEqual(from_text('2026-07-15 14:03:22').utcoffset(), timedelta(hours=8))
        self.assertEqual(in_hong_kong(NOON).hour, 14)
        for moment in (NOON.replace(tzinfo=None), '2026-01-15 14:03:22', None):
            with self.subTest(moment), self.assertRaises(InvalidRequest) as caught:
                in_hong_kong(moment)
            self.assertEqual(caught.exception.field, 'time')

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
