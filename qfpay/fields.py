"""Generous access to the fields of an object that came from outside.

A field that is missing, of another type, or longer than it should be is an absent fact. Texts come
out without control characters. Numbers are expected as the text they were written in (JSON is read
with its numbers as texts), so that 1010 and "1010" are the same and nothing becomes a float.
"""

import json
import re
from collections.abc import Mapping

JsonValue = str | bool | None | list['JsonValue'] | dict[str, 'JsonValue']

NUMBER_LENGTH = 128
MESSAGE_LENGTH = 500
_CODE_LENGTH = 4
_WHOLE = re.compile(r'-?[0-9]{1,15}')


class Fields:
    """The fields of one object."""

    def __init__(self, values: Mapping[str, JsonValue]) -> None:
        self._values = values

    def raw(self, name: str) -> JsonValue:
        return self._values.get(name)

    def with_data(self, data: 'Fields') -> 'Fields':
        """These fields, with others in the place of `data`."""
        return Fields({**self._values, 'data': dict(data._values)})

    def as_text(self) -> str:
        """All of it, for people."""
        return json.dumps(dict(self._values), ensure_ascii=False, default=str)

    def over(self, others: Mapping[str, JsonValue]) -> 'Fields':
        """These fields, and the others where these have nothing."""
        mine = {name: value for name, value in self._values.items() if value not in (None, '')}
        return Fields({**others, **mine})

    def text(self, *names: str, limit: int = NUMBER_LENGTH) -> str:
        """The first of the named fields that holds a text, without control characters."""
        for name in names:
            value = self._values.get(name)
            if isinstance(value, str):
                shown = ' '.join(''.join(c if c.isprintable() else ' ' for c in value).split())
                if shown:
                    return shown[:limit]
        return ''

    def exact(self, name: str, limit: int) -> str:
        """A text that is of use only as it is: unchanged, or '' when it cannot be right."""
        value = self._values.get(name)
        if isinstance(value, str) and len(value) <= limit and value.isprintable():
            return value
        return ''

    def code(self, name: str = 'respcd') -> str:
        """A response code: four characters, also when it was written as a number."""
        code = self.text(name)
        return code.zfill(_CODE_LENGTH) if code.isascii() and code.isdigit() else code

    def number(self, name: str) -> int | None:
        text = self.text(name)
        return int(text) if _WHOLE.fullmatch(text) else None
