"""Reading the relaxed JSON that Android understands.

The terminal's own requests are written in it (see `message`), so its answers might be: names
without quotes, single quotes, `=` for `:`, `;` for `,`. Strict JSON is tried first. Numbers are
kept as the text they were written in, so that 10.10 and 1010 stay what they were, and a number of
a million digits is only a long text.
"""

import json
import re

from ..fields import JsonValue

_MAX_DEPTH = 20
#: reading letter by letter takes time; no answer of a terminal is near this long
_MAX_LENGTH = 1 << 16
_SPACE = re.compile(r'\s*')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'', re.DOTALL)
_BARE_NAME = re.compile(r'[^\s,;:={}\[\]"\']+')
_BARE_VALUE = re.compile(r'[^,;{}\[\]"\']+')
_ESCAPE = re.compile(r'\\(u[0-9a-fA-F]{4}|.)', re.DOTALL)
_ESCAPED = {'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f'}
_WORDS: dict[str, bool | None] = {'null': None, 'true': True, 'false': False}


def read_strictly(text: str) -> JsonValue:
    """The value of a text in strict JSON; numbers as texts. Raises ValueError when it is none.

    Blocks of two encrypted messages, cut and pasted, leave a block of nonsense between them. So a
    name that stands twice, and a character that could not be decoded, are refused here.
    """
    if '\ufffd' in text:
        raise ValueError('broken characters')
    try:
        value: JsonValue = json.loads(
            text, parse_int=str, parse_float=str, parse_constant=_no, object_pairs_hook=_once
        )
    except RecursionError:
        raise ValueError('nested too deeply') from None
    return value


def _no(word: str) -> JsonValue:
    raise ValueError(f'{word} is no value')


def _once(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError('a name stands twice')
    return found


def read(text: str) -> JsonValue:
    """The value that `text` holds; numbers as texts. Raises ValueError when it is none."""
    try:
        value: JsonValue = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except ValueError:
        if len(text) > _MAX_LENGTH:
            raise ValueError('too long to be read leniently') from None
        value = _Reader(text).whole()
    except RecursionError:
        raise ValueError('nested too deeply') from None
    return value


class _Reader:
    """One pass over a text, from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def whole(self) -> JsonValue:
        value = self._value(0)
        if self._next():
            raise ValueError('something follows the value')
        return value

    def _next(self) -> str:
        """The next character that is no space, '' at the end. Does not step over it."""
        space = _SPACE.match(self.text, self.at)
        self.at = space.end() if space else self.at
        return self.text[self.at : self.at + 1]

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise ValueError('not a value')
        self.at = match.end()
        return match

    def _value(self, depth: int) -> JsonValue:
        if depth > _MAX_DEPTH:
            raise ValueError('nested too deeply')
        first = self._next()
        if first == '{':
            return self._object(depth)
        if first == '[':
            return self._array(depth)
        if first in ('"', "'"):
            return self._quoted()
        word = self._take(_BARE_VALUE)[0].strip()
        return _WORDS.get(word, word)

    def _quoted(self) -> str:
        match = self._take(_QUOTED)
        inside = match[1] if match[1] is not None else match[2]
        return _ESCAPE.sub(_unescape, inside)

    def _object(self, depth: int) -> dict[str, JsonValue]:
        self.at += 1
        found: dict[str, JsonValue] = {}
        while self._next() != '}':
            quoted = self._next() in ('"', "'")
            name = self._quoted() if quoted else self._take(_BARE_NAME)[0]
            if self._next() not in (':', '='):
                raise ValueError('a name without a value')
            self.at += 1
            found[name] = self._value(depth + 1)
            self._separator('}')
        self.at += 1
        return found

    def _array(self, depth: int) -> list[JsonValue]:
        self.at += 1
        found: list[JsonValue] = []
        while self._next() != ']':
            found.append(self._value(depth + 1))
            self._separator(']')
        self.at += 1
        return found

    def _separator(self, closing: str) -> None:
        following = self._next()
        if following in (',', ';'):
            self.at += 1
        elif following != closing:
            raise ValueError('not closed')


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) == 5:
        return chr(int(code[1:], 16))
    return _ESCAPED.get(code, code)
