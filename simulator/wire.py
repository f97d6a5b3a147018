"""Bytes and text of the terminal's language: cipher, digest, lenient reader, answer shapes.

Nothing in here knows what a payment is or which cable the bytes came through.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from decimal import Decimal

from cryptography.hazmat.primitives.ciphers import Cipher as Sealing
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

IV = b'qfpay202306_hjsh'
KEY_SIZES = (16, 24, 32)
BLOCK = 16
MAX_DEPTH = 4

ESCAPES = {'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}
NUMBER = re.compile(r'-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?\Z')
BARE_WORD_END = re.compile(r'[\s,;:={}\[\]\'"]')


class Refusal(Exception):
    """The terminal turns a request down before anything is started (the protocol, A4 and A8).

    ``code`` is the answer's ``respcd``, ``text`` its ``resperr``.
    """

    def __init__(self, code, text):
        super().__init__(f'{code} {text}')
        self.code = code
        self.text = text


class Cipher:
    """AES-CBC with the fixed vector, and the digest, for one POS-KEY (the protocol, A2 and A3).

    :param str text: the POS-KEY; its UTF-8 length in bytes picks the AES variant
    :param str reading: ``text`` takes the bytes as they are (K1), ``hex`` decodes them first (K3);
        the digest always uses the text
    :raises ValueError: the key has no length that AES knows
    """

    def __init__(self, text, reading='text'):
        self.text = text.strip()
        try:
            raw = bytes.fromhex(self.text) if reading == 'hex' else self.text.encode()
        except ValueError:
            raise ValueError('a POS-KEY read as hex has hexadecimal digits only') from None
        if len(raw) not in KEY_SIZES:
            raise ValueError(f'a POS-KEY has 16, 24 or 32 bytes, this one has {len(raw)}')
        self._key = raw

    def encrypt(self, text):
        """Text in, Base64 without line breaks out."""
        padder, sealer = PKCS7(BLOCK * 8).padder(), self._sealing().encryptor()
        padded = padder.update(text.encode()) + padder.finalize()
        return base64.b64encode(sealer.update(padded) + sealer.finalize()).decode()

    def decrypt(self, token):
        """Base64 in, with or without line breaks; text out.

        :raises ValueError: no Base64, no whole blocks, wrong padding or no UTF-8
        """
        try:
            raw = base64.b64decode(re.sub(r'\s', '', token), validate=True)
        except binascii.Error as error:
            raise ValueError(f'not Base64: {error}') from None
        if not raw or len(raw) % BLOCK:
            raise ValueError('the ciphertext is not made of whole blocks')
        opener, unpadder = self._sealing().decryptor(), PKCS7(BLOCK * 8).unpadder()
        padded = opener.update(raw) + opener.finalize()
        return (unpadder.update(padded) + unpadder.finalize()).decode()

    def _sealing(self):
        return Sealing(algorithms.AES(self._key), modes.CBC(IV))

    def digest(self, canonical):
        """Upper-case hex MD5 of the canonical content followed by the key (V1 of A3.1)."""
        return hashlib.md5((canonical + self.text).encode()).hexdigest().upper()


class LenientReader:
    """Reads what Android's lenient JSON readers read (the protocol, A4).

    Names may be bare, ``=`` may stand for ``:``, quotes may be single. Numbers come back as
    ``Decimal``, unless they are longer than any amount and then are words like others. Arrays do
    not occur in this language and are refused.
    """

    def __init__(self, text):
        self._text = text
        self._at = 0

    def read(self):
        """The one value that the text holds. ``ValueError`` when it does not hold exactly one."""
        value = self._value(0)
        self._skip_blanks()
        if self._at != len(self._text):
            raise ValueError(f'text behind the end of the value at {self._at}')
        return value

    def _skip_blanks(self):
        while self._text[self._at : self._at + 1].isspace():
            self._at += 1

    def _peek(self):
        self._skip_blanks()
        return self._text[self._at : self._at + 1]

    def _value(self, depth):
        head = self._peek()
        if head == '{':
            if depth == MAX_DEPTH:
                raise ValueError('nested too deep')
            return self._object(depth)
        if head in ('"', "'"):
            return self._string(head)
        word = self._bare_word()
        if word in ('true', 'false'):
            return word == 'true'
        if word == 'null':
            return None
        return Decimal(word) if NUMBER.match(word) else word

    def _object(self, depth):
        self._at += 1
        members = {}
        if self._peek() == '}':
            self._at += 1
            return members
        while True:
            head = self._peek()
            name = self._string(head) if head in ('"', "'") else self._bare_word()
            if name in members:
                raise ValueError(f'the name {name!r} occurs twice')
            if self._peek() not in (':', '='):
                raise ValueError(f'no separator after a name at {self._at}')
            self._at += 1
            members[name] = self._value(depth + 1)
            sign = self._peek()
            self._at += 1
            if sign == '}':
                return members
            if sign not in (',', ';'):
                raise ValueError(f'an object is not continued or closed at {self._at - 1}')

    def _string(self, quote):
        self._at += 1
        out = []
        while True:
            sign = self._text[self._at : self._at + 1]
            self._at += 1
            if not sign:
                raise ValueError('a string is not closed')
            if sign == quote:
                return ''.join(out)
            if sign == '\\':
                sign = self._escape()
            out.append(sign)

    def _escape(self):
        sign = self._text[self._at : self._at + 1]
        self._at += 1
        if sign == 'u':
            digits = self._text[self._at : self._at + 4]
            self._at += 4
            if not re.fullmatch('[0-9a-fA-F]{4}', digits):
                raise ValueError('a broken escape in a string')
            return chr(int(digits, 16))
        if not sign:
            raise ValueError('a string is not closed')
        return ESCAPES.get(sign, sign)

    def _bare_word(self):
        end = BARE_WORD_END.search(self._text, self._at)
        stop = end.start() if end else len(self._text)
        word = self._text[self._at : stop]
        if not word:
            raise ValueError(f'a value or a name is missing at {self._at}')
        self._at = stop
        return word


def canonical(content):
    """The text under the digest: sorted ``key=value`` pairs in braces (the protocol, A3).

    Numbers are written anew in their shortest form, as a reader that keeps numbers and not texts
    would do: a till that signed ``10.10`` is refused for its digest.
    """
    pairs = []
    for name in sorted(content):
        value = content[name]
        if value is None:
            text = "''"
        elif isinstance(value, bool):
            text = str(value).lower()
        elif isinstance(value, Decimal):
            text = shortest(value)
        else:
            text = f"'{value}'"
        pairs.append(f'{name}={text}')
    return '{' + ','.join(pairs) + '}'


def shortest(number):
    """A decimal without exponent and without zeros that say nothing: 10.10 -> ``10.1``."""
    text = format(number, 'f')
    return text.rstrip('0').rstrip('.') if '.' in text else text


def read_request(body, cipher, *, accept_clear=False, strict_digest=False):
    """From the bytes of a request to its checked content (the protocol, A4).

    :param bytes body: a JSON string of Base64, bare Base64, or a clear envelope
    :param bool accept_clear: the encryption switch of the terminal is off
    :param bool strict_digest: only an upper-case digest will do
    :return: the content, names to ``str``, ``Decimal``, ``bool`` or ``None``
    :raises Refusal: 5001 when there is no envelope to be found, 4003 for a wrong digest
    """
    try:
        envelope = _envelope(body.decode().strip(), cipher, accept_clear)
        content = envelope['content']
        if isinstance(content, str):
            content = LenientReader(content).read()
        if not isinstance(content, dict):
            raise ValueError('content is no object')
        if any(isinstance(value, dict) for value in content.values()):
            raise ValueError('content is not flat')
        digest = envelope['digest']
        if not isinstance(digest, str):
            raise ValueError('digest is no text')
        text = canonical(content)
        expected = cipher.digest(text)
    except (KeyError, ValueError) as error:
        raise Refusal('5001', f'decryption failed: {error}') from None
    received = digest if strict_digest else digest.upper()
    if not hmac.compare_digest(expected.encode(), received.encode()):
        raise Refusal('4003', f'denied: the digest does not belong to {text}')
    return content


def _envelope(text, cipher, accept_clear):
    if text.startswith('"'):
        text = json.loads(text)
        if not isinstance(text, str):
            raise ValueError('the body is no text')
    if text.lstrip().startswith('{'):
        if not accept_clear:
            raise ValueError('the request is not encrypted')
    else:
        text = cipher.decrypt(text)
    envelope = LenientReader(text).read()
    if not isinstance(envelope, dict):
        raise ValueError('not an envelope')
    return envelope


def answer_object(respcd, respmsg, resperr, data, *, data_as_text):
    """The answer before it is put on a wire (the protocol, A5). ``data``: a dict or ``None``."""
    answer = {'respcd': respcd, 'respmsg': respmsg, 'resperr': resperr}
    if data_as_text:
        answer['data'] = compact(data) if data is not None else ''
    elif data is not None:
        answer['data'] = data
    return answer


def compact(value):
    """JSON without blanks, characters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(',', ':'))


def answer_bytes(answer, cipher, shape):
    """An answer in one of the shapes that a till has to read (the protocol, A5).

    :param shape: ``object`` in the clear; ``json_string``, ``base64`` or ``base64_lines`` (broken
        every 76 characters, as Android's encoder does) encrypted
    """
    text = compact(answer)
    if shape == 'object':
        return text.encode()
    token = cipher.encrypt(text)
    if shape == 'json_string':
        return json.dumps(token).encode()
    if shape == 'base64_lines':
        lines = [token[start : start + 76] for start in range(0, len(token), 76)]
        return ('\n'.join(lines) + '\n').encode()
    return token.encode()
