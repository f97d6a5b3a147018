"""The POS-KEY: what a till and a terminal share.

Requests are AES-CBC with a constant initialisation vector and PKCS#7 padding, written as Base64
(the protocol, A2). The key is the POS-KEY's text itself, as UTF-8 bytes; its length picks the
variant of AES. The integrity of a request rests on a digest inside it: the upper-case MD5 of the
canonical content with the POS-KEY appended (the protocol, A3).

Neither of the two is what one would choose today: equal beginnings encrypt equally, and nothing
authenticates an answer. That is why the truth about a payment is confirmed by an inquiry, and why
a terminal belongs on a network of its own.
"""

import base64
import binascii
import hashlib
from functools import cache
from importlib import import_module
from typing import Any

from ..errors import InvalidRequest

INITIALISATION_VECTOR = b'qfpay202306_hjsh'
KEY_LENGTHS = (16, 24, 32)
BLOCK = 16


@cache
def library() -> tuple[Any, Any]:
    """pycryptodome's AES and padding, by the name of pip's package or of Debian's.

    Raises ImportError where neither is installed.
    """
    try:
        return import_module('Crypto.Cipher.AES'), import_module('Crypto.Util.Padding')
    except ImportError:
        return import_module('Cryptodome.Cipher.AES'), import_module('Cryptodome.Util.Padding')


class PosKey:
    """A POS-KEY as typed by a manager. Its representation hides it.

    `text` is stripped of surrounding white space and must then be 16, 24 or 32 bytes long in
    UTF-8 (AES-128, -192, -256); anything else raises InvalidRequest, and so does a server without
    pycryptodome.
    """

    __slots__ = ('_aes', '_padding', '_secret')

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise InvalidRequest('The POS-KEY must be a text.', 'pos_key')
        try:
            secret = text.strip().encode('utf-8')
        except UnicodeEncodeError:
            # from None: the original error quotes the key
            raise InvalidRequest('The POS-KEY holds broken characters.', 'pos_key') from None
        if len(secret) not in KEY_LENGTHS:
            raise InvalidRequest(
                f'The POS-KEY must be 16, 24 or 32 characters long, this one has {len(secret)}.',
                'pos_key',
            )
        try:
            self._aes, self._padding = library()
        except ImportError:
            raise InvalidRequest(
                'The Python library pycryptodome is not installed on the Odoo server.', 'pos_key'
            ) from None
        self._secret = secret

    def __repr__(self) -> str:
        return 'PosKey(***)'

    def _cipher(self) -> Any:
        return self._aes.new(self._secret, self._aes.MODE_CBC, INITIALISATION_VECTOR)

    def encrypt(self, plain: str) -> str:
        """Text in, Base64 without line breaks out."""
        padded = self._padding.pad(plain.encode('utf-8'), BLOCK)
        return base64.b64encode(self._cipher().encrypt(padded)).decode('ascii')

    def decrypt(self, sealed: str) -> str:
        """Base64 in (line breaks allowed: Android breaks lines at 76), text out.

        Raises ValueError for anything that this key did not encrypt; broken UTF-8 inside a
        message that is otherwise sound is replaced, so that a wrongly encoded text cannot hide
        the numbers beside it.
        """
        try:
            data = base64.b64decode(''.join(sealed.split()), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError('not Base64') from None
        if not data or len(data) % BLOCK:
            raise ValueError('not a whole number of blocks')
        try:
            plain: bytes = self._padding.unpad(self._cipher().decrypt(data), BLOCK)
        except ValueError:
            raise ValueError('not encrypted with this key') from None
        return plain.decode('utf-8', errors='replace')

    def digest(self, canonical: str) -> str:
        """The digest of a canonical content: 32 upper-case hexadecimal characters."""
        text = canonical.encode('utf-8') + self._secret
        # MD5 is what the protocol asks for; nothing here relies on its strength
        return hashlib.md5(text, usedforsecurity=False).hexdigest().upper()
