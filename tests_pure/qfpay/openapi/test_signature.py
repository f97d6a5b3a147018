import hashlib
import json
from unittest import TestCase
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from pos_payment_qfpay.qfpay.errors import InvalidRequest
from pos_payment_qfpay.qfpay.openapi.signature import (
    ClientKey,
    SignType,
    canonical,
    sendable,
)
from pos_payment_qfpay.tests_pure.qfpay.openapi.vectors import (
    KEY,
    NTF1_BODY,
    NTF1_SIGNATURE,
    NTF2_SIGNATURE,
    REQUESTS,
    RSP1_BODY,
    RSP1_KEY,
    RSP1_SIGNATURE,
    SIG4_BODY,
    SIG4_SIGNED,
    SIG4_WITH_EMPTY,
)

ANY = settings(max_examples=150, deadline=None, database=None, derandomize=True)
names = st.from_regex(r'[a-z0-9_]{1,12}', fullmatch=True).filter(
    lambda name: name not in ('sign', 'sign_type')
)
texts = st.text(max_size=30).filter(str.isprintable)


class TestOpenapiSignature(TestCase):
    # ------------------------------------------------------------------
    # Requests
    # ------------------------------------------------------------------

    def test_request_vectors(self):
        for name, key, fields, md5, sha256 in REQUESTS:
            with self.subTest(name):
                sent = sendable(fields)
                self.assertEqual(
                    ClientKey(key).sign_request(sent, SignType.MD5), {'X-QF-SIGN': md5}
                )
                self.assertEqual(
                    ClientKey(key).sign_request(sent, SignType.SHA256),
                    {'X-QF-SIGN': sha256, 'X-QF-SIGNTYPE': 'SHA256'},
                )

    def test_signed_text_and_body(self):
        (fields,) = [fields for name, _key, fields, *_signatures in REQUESTS if name == 'SIG4']
        self.assertEqual(canonical(sendable(fields)), SIG4_SIGNED)
        self.assertEqual(urlencode(sendable(fields)).encode(), SIG4_BODY)

    def test_empty_fields_are_neither_signed_nor_sent(self):
        kept = SIG4_SIGNED.replace('&mchid', '&goods_name=&mchid')
        self.assertEqual(
            ClientKey(KEY).sign(kept.encode(), SignType.MD5),
            SIG4_WITH_EMPTY,
        )
        self.assertEqual(sendable({'a': '', 'b': None, 'c': 0, 'd': ' '}), {'c': '0', 'd': ' '})

    def test_what_cannot_be_sent(self):
        for fields in (
            {'sign': 'x'},
            {'sign_type': 'MD5'},
            {'A': 'x'},
            {'': 'x'},
            {'a&b': 'x'},
            {'a': 'x\ny'},
            {'a': '\x00'},
            {'a': '\ud800'},
            {'a': True},
        ):
            with self.subTest(fields), self.assertRaises(InvalidRequest):
                sendable(fields)

    @ANY
    @given(fields=st.dictionaries(names, texts), key=st.from_regex(r'[!-~]{1,40}', fullmatch=True))
    def test_any_request(self, fields, key):
        """Against the recipe, written down once more."""
        pairs = sorted((name, value) for name, value in fields.items() if value)
        text = '&'.join(name + '=' + value for name, value in pairs) + key
        self.assertEqual(
            ClientKey(key).sign_request(sendable(fields), SignType.MD5)['X-QF-SIGN'],
            hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper(),
        )

    # ------------------------------------------------------------------
    # Answers
    # ------------------------------------------------------------------

    def test_answer_vector(self):
        key = ClientKey(RSP1_KEY)
        self.assertEqual(len(RSP1_BODY), 302)
        self.assertTrue(key.verifies_answer(RSP1_BODY, RSP1_SIGNATURE))
        self.assertTrue(key.verifies_answer(RSP1_BODY, f' {RSP1_SIGNATURE.lower()}\t', 'md5'))
        self.assertFalse(key.verifies_answer(RSP1_BODY, RSP1_SIGNATURE, 'SHA256'))
        self.assertFalse(key.verifies_answer(RSP1_BODY, RSP1_SIGNATURE, 'CRC32'))
        self.assertFalse(ClientKey(KEY).verifies_answer(RSP1_BODY, RSP1_SIGNATURE))

    def test_an_answer_with_the_other_algorithm(self):
        signature = hashlib.sha256(RSP1_BODY + RSP1_KEY.encode()).hexdigest()
        for kind, verifies in (('', True), ('SHA256', True), ('MD5', False)):
            with self.subTest(kind):
                self.assertIs(
                    ClientKey(RSP1_KEY).verifies_answer(RSP1_BODY, signature, kind), verifies
                )

    def test_an_answer_written_anew_does_not_verify(self):
        again = json.dumps(json.loads(RSP1_BODY), separators=(',', ':')).encode()
        self.assertFalse(ClientKey(RSP1_KEY).verifies_answer(again, RSP1_SIGNATURE))

    @ANY
    @given(at=st.integers(0, len(RSP1_BODY) - 1), bit=st.integers(0, 7))
    def test_any_changed_bit_shows(self, at, bit):
        changed = bytearray(RSP1_BODY)
        changed[at] ^= 1 << bit
        self.assertFalse(ClientKey(RSP1_KEY).verifies_answer(bytes(changed), RSP1_SIGNATURE))

    # ------------------------------------------------------------------
    # Notifications
    # ------------------------------------------------------------------

    def test_notification_vectors(self):
        key = ClientKey(KEY)
        self.assertEqual(len(NTF1_BODY), 385)
        self.assertTrue(key.verifies_notification(NTF1_BODY, NTF1_SIGNATURE))
        again = json.dumps(
            json.loads(NTF1_BODY), separators=(',', ':'), ensure_ascii=False
        ).encode()
        self.assertEqual(len(again), 350)
        self.assertFalse(key.verifies_notification(again, NTF1_SIGNATURE))
        self.assertTrue(key.verifies_notification(again, NTF2_SIGNATURE))

    def test_a_notification_is_signed_with_md5_only(self):
        signature = hashlib.sha256(NTF1_BODY + KEY.encode()).hexdigest().upper()
        self.assertFalse(ClientKey(KEY).verifies_notification(NTF1_BODY, signature))

    @ANY
    @given(signature=st.text(max_size=70))
    def test_any_other_signature_is_wrong(self, signature):
        self.assertFalse(ClientKey(KEY).verifies_notification(NTF1_BODY, signature))
        self.assertFalse(ClientKey(KEY).verifies_answer(NTF1_BODY, signature))

    # ------------------------------------------------------------------
    # The key
    # ------------------------------------------------------------------

    def test_keys(self):
        self.assertEqual(repr(ClientKey(KEY)), 'ClientKey(***)')
        padded = ClientKey(f'  {RSP1_KEY}\n')
        self.assertTrue(padded.verifies_answer(RSP1_BODY, RSP1_SIGNATURE))
        for text in ('', ' ', 'a b', 'ключ', 'x' * 129, 'a\x00b', None, 5):
            with self.subTest(text), self.assertRaises(InvalidRequest) as caught:
                ClientKey(text)
            self.assertEqual(caught.exception.field, 'client_key')
            self.assertNotIn(str(text) or '-', caught.exception.message.split()[0])
