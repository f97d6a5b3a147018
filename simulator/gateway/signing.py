"""Signatures (the protocol, B3, B4 and B10)."""

import hashlib
import hmac

ALGORITHMS = {'MD5': hashlib.md5, 'SHA256': hashlib.sha256}
NOT_SIGNED = ('sign', 'sign_type')


def signed_text(pairs, *, with_empty=False):
    """The text that a request's signature covers, without the key.

    :param pairs: names and values as received, decoded
    :param bool with_empty: keep pairs without a value, as the oldest documents do
    """
    return '&'.join(
        f'{name}={value}'
        for name, value in sorted(pairs)
        if name not in NOT_SIGNED and (value or with_empty)
    )


def signature(content, key, sign_type='MD5'):
    """Upper-case hex of the content, a text or the raw bytes, followed by the key."""
    raw = content if isinstance(content, bytes) else content.encode()
    return ALGORITHMS[sign_type](raw + key.encode()).hexdigest().upper()


def matches(given, expected, *, strict_case=False):
    """Whether a signature is right; published samples differ in their case."""
    given = given if strict_case else given.upper()
    return hmac.compare_digest(given.encode(), expected.encode())
