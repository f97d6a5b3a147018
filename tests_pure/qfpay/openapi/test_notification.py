import hashlib
import json
from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from pos_payment_qfpay.qfpay.errors import NotificationRefused
from pos_payment_qfpay.qfpay.openapi.notification import SIZE_LIMIT, read_notification
from pos_payment_qfpay.qfpay.openapi.signature import ClientKey
from pos_payment_qfpay.qfpay.outcome import Verdict
from pos_payment_qfpay.tests_pure.qfpay.openapi.vectors import (
    KEY,
    NTF1_BODY,
    NTF1_SIGNATURE,
    NTF2_SIGNATURE,
)

ANY = settings(max_examples=100, deadline=None, database=None, derandomize=True)
PAYMENT = json.loads(NTF1_BODY)
REFUND = {
    'status': '1',
    'notify_type': 'refund',
    'out_trade_no': 'POS-1-0001-R1',
    'syssn': '20260115154100020012345679',
    'orig_syssn': '20260115154100020012345678',
    'orig_out_trade_no': 'POS-1-0001',
    'txamt': '505',
    'txcurrcd': 'HKD',
    'respcd': '0000',
    'mchid': 'TESTMCHID1',
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def signature_of(raw):
    return hashlib.md5(raw + KEY.encode(), usedforsecurity=False).hexdigest().upper()


def read(fields):
    raw = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    return read_notification(raw, signature_of(raw), ClientKey(KEY))


class TestOpenapiNotification(TestCase):
    def assertRefused(self, reason, raw, signature):
        with self.assertRaises(NotificationRefused) as caught:
            read_notification(raw, signature, ClientKey(KEY))
        self.assertEqual(caught.exception.reason, reason)

    def test_a_payment(self):
        notification = read_notification(NTF1_BODY, NTF1_SIGNATURE, ClientKey(KEY))
        outcome = notification.outcome
        self.assertEqual(notification.notify_type, 'payment')
        self.assertIsNone(notification.orig_reference)
        self.assertIs(outcome.verdict, Verdict.DONE)
        self.assertEqual(
            (outcome.reference, outcome.syssn, outcome.chnlsn),
            ('POS-1-0001', '20260115154100020012345678', '4200000000000000001'),
        )
        self.assertEqual((outcome.amount_minor, outcome.currency), (1010, 'HKD'))
        self.assertEqual((outcome.pay_type, outcome.wallet), ('800201', 'WeChat Pay'))
        self.assertEqual((outcome.merchant, outcome.cancel), ('TESTMCHID1', 0))
        self.assertEqual((outcome.trade_type, outcome.paid_at), ('payment', '2026-01-15 14:03:40'))
        self.assertTrue(outcome.signed)

    def test_written_anew_it_is_refused(self):
        again = json.dumps(PAYMENT, separators=(',', ':'), ensure_ascii=False).encode()
        self.assertRefused('signature', again, NTF1_SIGNATURE)
        read_notification(again, NTF2_SIGNATURE, ClientKey(KEY))

    def test_a_refund(self):
        for kind in ('refund', 'cancel', 'REFUND'):
            with self.subTest(kind):
                notification = read({**REFUND, 'notify_type': kind})
                outcome = notification.outcome
                self.assertEqual(notification.notify_type, kind.lower())
                self.assertEqual(notification.orig_reference, 'POS-1-0001')
                self.assertIs(outcome.verdict, Verdict.DONE)
                self.assertEqual(outcome.trade_type, 'refund')
                self.assertEqual(outcome.orig_syssn, '20260115154100020012345678')
                self.assertEqual(outcome.amount_minor, 505)

    def test_what_says_only_that_something_happened(self):
        for kind in ('close', 'reversal', 'chargeback', '', None):
            with self.subTest(kind):
                notification = read({**PAYMENT, 'notify_type': kind})
                self.assertIs(notification.outcome.verdict, Verdict.UNKNOWN)
                self.assertIsNone(notification.outcome.trade_type)
                self.assertEqual(notification.outcome.reference, 'POS-1-0001')

    def test_a_payment_that_is_none(self):
        for change, verdict in (
            ({'cancel': '5'}, Verdict.DONE),
            ({'cancel': None}, Verdict.DONE),
            ({'cancel': 1}, Verdict.CANCELLED),
            ({'cancel': '3'}, Verdict.CANCELLED),
            ({'cancel': '4'}, Verdict.UNKNOWN),
            ({'cancel': 'x'}, Verdict.UNKNOWN),
            ({'status': '0'}, Verdict.UNKNOWN),
            ({'status': 1}, Verdict.DONE),
            ({'respcd': '1143'}, Verdict.PENDING),
            ({'respcd': '1205'}, Verdict.FAILED),
            ({'respcd': '9999'}, Verdict.UNKNOWN),
            ({'respcd': None}, Verdict.UNKNOWN),
        ):
            with self.subTest(change):
                self.assertIs(read({**PAYMENT, **change}).outcome.verdict, verdict)

    def test_numbers_instead_of_texts(self):
        outcome = read({**PAYMENT, 'txamt': 1010, 'cancel': 0}).outcome
        self.assertEqual((outcome.amount_minor, outcome.cancel), (1010, 0))

    def test_unknown_fields_are_tolerated(self):
        strange = {'surcharge': {'a': [1, None]}, 'x' * 300: 'y', 'syssn2': 5}
        self.assertIs(read({**PAYMENT, **strange}).outcome.verdict, Verdict.DONE)

    def test_forged(self):
        for signature in (None, '', 'x', '0' * 32, NTF1_SIGNATURE[:-1], NTF2_SIGNATURE, 'é'):
            with self.subTest(signature):
                self.assertRefused('signature', NTF1_BODY, signature)
        self.assertRefused('signature', NTF1_BODY.replace(b'1010', b'1011'), NTF1_SIGNATURE)
        self.assertRefused('signature', b'', NTF1_SIGNATURE)

    def test_signed_and_still_none(self):
        for raw in (
            b'',
            b'null',
            b'[]',
            b'"text"',
            b'{',
            b'\xff\xfe',
            b'[' * 20_000,
            b'{}',
            b'{"notify_type": "payment", "respcd": "0000"}',
            b'out_trade_no=POS-1-0001',
        ):
            with self.subTest(raw[:20]):
                self.assertRefused('unreadable', raw, signature_of(raw))

    def test_too_large(self):
        raw = b' ' * (SIZE_LIMIT + 1)
        self.assertRefused('too_large', raw, signature_of(raw))

    @ANY
    @given(raw=st.binary(max_size=200), signature=st.none() | st.text(max_size=40))
    def test_any_bytes_are_refused(self, raw, signature):
        with self.assertRaises(NotificationRefused):
            read_notification(raw, signature, ClientKey(KEY))

    @ANY
    @given(changes=st.dictionaries(st.sampled_from(sorted({**PAYMENT, **REFUND})), json_values))
    def test_any_signed_object_is_read_or_refused(self, changes):
        try:
            outcome = read({**PAYMENT, **changes}).outcome
        except NotificationRefused:
            return
        if outcome.verdict is Verdict.DONE:
            self.assertEqual(str({**PAYMENT, **changes}['respcd']).strip().zfill(4), '0000')
