from unittest import TestCase

from pos_payment_qfpay.qfpay.errors import (
    AnswerLost,
    InvalidRequest,
    NoSuchCall,
    NotificationRefused,
    NotSent,
    QFPayError,
    RateLimited,
)


class TestErrors(TestCase):
    def test_each_error_says_what_is_known_about_the_money(self):
        """Whoever asks whether it may be tried again must not catch one for another."""
        errors = (
            InvalidRequest('m', 'amount'),
            NotSent('m'),
            RateLimited('m', 3.5),
            AnswerLost('m'),
            NotificationRefused('m', 'signature'),
        )
        for error in errors:
            kinds = [type(other) for other in errors if isinstance(error, type(other))]
            self.assertEqual(kinds, [type(error)])
            self.assertIsInstance(error, QFPayError)
            self.assertEqual((error.message, str(error)), ('m', 'm'))

    def test_no_such_call_is_a_lost_answer_of_its_own(self):
        """Somebody who only knows lost answers asks, and is right, too."""
        self.assertIsInstance(NoSuchCall('m'), AnswerLost)
        self.assertEqual(NoSuchCall('m').reason, 'unreadable')

    def test_reasons(self):
        self.assertEqual([NotSent('m').reason, NotSent('m', 'stale').reason], ['network', 'stale'])
        self.assertEqual(RateLimited('m').retry_after, None)
        self.assertEqual(RateLimited('m', 3.5).retry_after, 3.5)
        self.assertEqual(InvalidRequest('m').field, '')
        self.assertEqual(NotificationRefused('m', 'too_large').reason, 'too_large')
        self.assertEqual(AnswerLost('m', 'timeout').reason, 'timeout')

    def test_what_came_is_kept_as_far_as_anybody_reads(self):
        self.assertEqual(AnswerLost('m').heard, '')
        self.assertEqual(AnswerLost('m', heard='交易'.encode() + b'\xff').heard, '交易\ufffd')
        self.assertEqual(AnswerLost('m', heard=b'x' * 5000).heard, 'x' * 1000)
        self.assertNotIn('secret', repr(AnswerLost('m', heard=b'secret')))
