"""Signatures: who sent a request, an answer, a notification.

All three are a hash over some text with the merchant's client key appended, written as upper-case
hexadecimal (the protocol, B3, B4, B10):

    request        its fields, without the empty ones, sorted by name, `name=value` joined with
                   `&`, values as they are and not as they travel. MD5 or SHA-256; the latter has
                   to be announced in a header of its own, or QFPay checks an MD5.
    answer         the bytes of the body, as received
    notification   the bytes of the body, as received; always MD5

"As received" is meant literally. The same object written anew, with other spaces, another order or
other escapes, has another hash: whoever parses before verifying cannot verify any more.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from enum import Enum

from ..errors import InvalidRequest

SIGNATURE_HEADER = 'X-QF-SIGN'
SIGN_TYPE_HEADER = 'X-QF-SIGNTYPE'
#: what never takes part in a signature
_UNSIGNED = frozenset({'sign', 'sign_type'})
_CLIENT_KEY = re.compile(r'[!-~]{1,128}')
_NAME = re.compile(r'[a-z0-9_]+')

Value = str | int | None


class SignType(str, Enum):
    """How requests are signed."""

    MD5 = 'MD5'
    SHA256 = 'SHA256'


class ClientKey:
    """A merchant's client key as typed by a manager. Its representation hides it.

    `text` is stripped of surrounding white space and must then be visible ASCII, at most 128
    characters; anything else raises InvalidRequest.
    """

    __slots__ = ('_secret',)

    def __init__(self, text: str) -> None:
        stripped = text.strip() if isinstance(text, str) else ''
        if not _CLIENT_KEY.fullmatch(stripped):
            raise InvalidRequest(
                'The client key must be letters, digits and signs without spaces.', 'client_key'
            )
        self._secret = stripped.encode('ascii')

    def __repr__(self) -> str:
        return 'ClientKey(***)'

    def sign(self, data: bytes, sign_type: SignType) -> str:
        """The signature of these very bytes."""
        keyed = data + self._secret
        if sign_type is SignType.SHA256:
            return hashlib.sha256(keyed).hexdigest().upper()
        # MD5 is what the protocol asks for
        return hashlib.md5(keyed, usedforsecurity=False).hexdigest().upper()

    def sign_request(self, fields: Mapping[str, str], sign_type: SignType) -> dict[str, str]:
        """The headers that sign a request of these fields (see `sendable`)."""
        headers = {SIGNATURE_HEADER: self.sign(canonical(fields).encode('utf-8'), sign_type)}
        if sign_type is not SignType.MD5:
            headers[SIGN_TYPE_HEADER] = sign_type.value
        return headers

    def verifies_answer(self, body: bytes, signature: str, sign_type: str = '') -> bool:
        """Whether QFPay signed this body.

        `signature`, `sign_type`: the answer's headers. Without a type, either of the two will do.
        """
        announced = sign_type.strip().upper()
        kinds = [kind for kind in SignType if announced in ('', kind.value)]
        return self._verifies(body, signature, kinds)

    def verifies_notification(self, body: bytes, signature: str) -> bool:
        """Whether QFPay signed the body of this notification."""
        return self._verifies(body, signature, [SignType.MD5])

    def _verifies(self, body: bytes, signature: str, kinds: Iterable[SignType]) -> bool:
        heard = signature.strip().upper().encode('utf-8', errors='replace')
        matches = [
            hmac.compare_digest(heard, self.sign(body, kind).encode('ascii')) for kind in kinds
        ]
        return any(matches)


def sendable(fields: Mapping[str, Value]) -> dict[str, str]:
    """The fields as they are signed and sent: texts, sorted by name, without the empty ones.

    Raises InvalidRequest for a name or value that cannot be sent.
    """
    sent = {}
    for name in sorted(fields):
        value = fields[name]
        if not _NAME.fullmatch(name) or name in _UNSIGNED:
            raise InvalidRequest(f'{name!r} is no field of a request.')
        if value is None or value == '':
            continue
        text = value if isinstance(value, str) else str(value)
        if isinstance(value, bool) or not text.isprintable():
            raise InvalidRequest(f'{name} holds what cannot be sent.')
        sent[name] = text
    return sent


def canonical(fields: Mapping[str, str]) -> str:
    """The text that is signed, without the key."""
    return '&'.join(f'{name}={fields[name]}' for name in sorted(fields))
