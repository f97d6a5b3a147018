import base64
import contextlib
import hashlib
import sys
from unittest import TestCase
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from pos_payment_qfpay.qfpay.ecr.cipher import PosKey, library
from pos_payment_qfpay.qfpay.errors import InvalidRequest
from pos_payment_qfpay.tests_pure.qfpay.ecr.vectors import (
    ANSWER_PLAIN,
    ANSWER_SEALED,
    DIGESTS,
    KEY16,
    KEY32,
    LEGACY_CONTENT,
    LEGACY_DIGEST,
    SEALED,
)


class TestEcrCipher(TestCase):
    def test_digests(self):
        for name, canonical, digest32, digest16 in DIGESTS:
            with self.subTest(name):
                self.assertEqual(PosKey(KEY32).digest(canonical), digest32)
                self.assertEqual(PosKey(KEY16).digest(canonical), digest16)

    def test_ciphertexts(self):
        canonical_of = {name: canonical for name, canonical, *_digests in DIGESTS}
        for (name, key_text), sealed in SEALED.items():
            with self.subTest(name, key=key_text):
                key = PosKey(key_text)
                canonical = canonical_of[name]
                plain = f"{{content:{canonical}, digest:'{key.digest(canonical)}'}}"
                self.assertEqual(key.encrypt(plain), sealed)
                self.assertEqual(key.decrypt(sealed), plain)

    def test_a_full_last_block_is_padded(self):
        self.assertEqual(len(base64.b64decode(SEALED['E2', KEY32])), 144)

    def test_an_answer(self):
        self.assertEqual(PosKey(KEY32).decrypt(ANSWER_SEALED), ANSWER_PLAIN)

    def test_the_keyless_digest_of_old_does_not_pass(self):
        keyless = hashlib.md5(LEGACY_CONTENT.encode(), usedforsecurity=False).hexdigest()
        self.assertEqual(keyless, LEGACY_DIGEST)
        for key in (KEY16, KEY32):
            self.assertNotEqual(PosKey(key).digest(LEGACY_CONTENT).lower(), LEGACY_DIGEST)

    def test_debians_name_of_the_library_will_do(self):
        """Its package has the same code under another name."""
        with self.without('Crypto'):
            self.assertEqual(PosKey(KEY32).decrypt(ANSWER_SEALED), ANSWER_PLAIN)
            self.assertTrue(library()[0].__name__.startswith('Cryptodome.'))

    def test_without_the_library_the_key_says_so(self):
        with (
            self.without('Crypto', 'Cryptodome'),
            self.assertRaisesRegex(InvalidRequest, 'pycryptodome is not installed'),
        ):
            PosKey(KEY32)

    @contextlib.contextmanager
    def without(self, *packages):
        """Where these cannot be imported."""
        kept = {
            name: module for name, module in sys.modules.items() if name.split('.')[0] in packages
        }
        library.cache_clear()
        with patch.dict(sys.modules):
            for name in kept:
                del sys.modules[name]
            sys.modules.update(dict.fromkeys(packages))
            yield
        library.cache_clear()

    def test_key_lengths(self):
        for length in (16, 24, 32):
            PosKey('k' * length)
        for length in (0, 1, 5, 15, 17, 31, 33, 64):
            with self.subTest(length), self.assertRaises(InvalidRequest) as caught:
                PosKey('k' * length)
            self.assertEqual(caught.exception.field, 'pos_key')

    def test_key_lengths_count_bytes(self):
        PosKey('鑰' * 8)
        with self.assertRaises(InvalidRequest):
            PosKey('鑰' * 16)

    def test_blanks_around_a_key_do_not_count(self):
        self.assertEqual(PosKey(f' \t{KEY32}\r\n').digest('{}'), PosKey(KEY32).digest('{}'))

    def test_no_key_at_all(self):
        for key in (None, False, 16, b'k' * 16, '\ud800' * 16):
            with self.subTest(key), self.assertRaises(InvalidRequest):
                PosKey(key)

    def test_a_key_is_never_shown(self):
        key = PosKey(KEY32)
        for shown in (repr(key), str(key), f'{key}', repr([key])):
            self.assertNotIn(KEY32, shown)
        with self.assertRaises(InvalidRequest) as caught:
            PosKey(KEY32 + 'x')
        self.assertNotIn(KEY32, str(caught.exception))
        with self.assertRaises(InvalidRequest) as caught:
            PosKey('\ud800' + KEY32)
        self.assertNotIn(KEY32, str(caught.exception))
        self.assertTrue(caught.exception.__suppress_context__)

    def test_what_no_key_encrypted(self):
        garbage = [
            '',
            'no Base64 at all!',
            '=' * 24,
            'QUJD',
            base64.b64encode(b'\0' * 15).decode(),
            base64.b64encode(b'\0' * 16).decode(),
            PosKey(KEY16).encrypt('{}'),
            'é' * 24,
        ]
        for sealed in garbage:
            with self.subTest(sealed), self.assertRaises(ValueError):
                PosKey(KEY32).decrypt(sealed)

    def test_line_breaks_do_not_matter(self):
        key = PosKey(KEY32)
        lines = '\r\n'.join(ANSWER_SEALED[i : i + 76] for i in range(0, len(ANSWER_SEALED), 76))
        self.assertEqual(key.decrypt(lines + '\n'), ANSWER_PLAIN)

    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    @given(
        plain=st.text(st.characters(exclude_categories=['Cs'])),
        length=st.sampled_from([16, 24, 32]),
    )
    def test_round_trip(self, plain, length):
        key = PosKey('k' * length)
        sealed = key.encrypt(plain)
        self.assertEqual(key.decrypt(sealed), plain)
        self.assertNotIn('\n', sealed)

    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    @given(sealed=st.text())
    def test_any_text_is_read_or_refused(self, sealed):
        with contextlib.suppress(ValueError):
            PosKey(KEY32).decrypt(sealed)
