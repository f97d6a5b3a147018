"""What is secret or personal in a message, masked: for texts that are kept for support.

By the name of a field, whatever it holds, and by what looks like a card's number wherever it
stands. The texts are JSON, JSON inside of JSON, forms, or whatever somebody sent who is no QFPay
at all; where it cannot be told how far a secret reaches, all that follows is masked.
"""

import re

#: what nobody may read again: keys, customers' codes, who the customer is
_HIDDEN = (
    'auth_code',
    'cardcd',
    'client_key',
    'digest',
    'nickname',
    'openid',
    'outcardnm',
    'pos_key',
    'sign',
)
#: of these, the last four digits are kept
_SHORTENED = ('cardno',)
_FIELD = re.compile(
    rf"""
    ( (?:\\{{0,9}}["'])? \b({'|'.join(_HIDDEN + _SHORTENED)})\b (?:\\{{0,9}}["'])? \s*[:=]\s* )
    (?:
        (\\{{0,9}})(["']) .*? (?: (?<!\\)\3\4 | \Z )            # a text in quotes, or cut off in it
      | [\[{{] .*                                          # nothing that QFPay sends
      | [^"&,;}}\s]+ (?: \s+ (?! [\w"'\\]+ \s* [:=] ) [^"&,;}}\s]+ )*
    )
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_CARD_NUMBER = re.compile(
    r'(?<![0-9])'
    r'(?: [0-9]{13,19}'
    r'  | [0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{1,7}'
    r'  | [0-9]{4}([ -])[0-9]{6}\2[0-9]{5} )'
    r'(?![0-9])',
    re.VERBOSE,
)
_LENGTH = 4000


def masked(text: str) -> str:
    """The text without its secrets, and no longer than anybody reads.

    What could be a card's number, 13 to 19 digits in one piece or in groups, keeps its last four;
    QFPay's own numbers are longer.
    """
    shown = ''.join(c if c.isprintable() or c == '\n' else '·' for c in text)
    # cut at last: half a secret is not recognised as one
    return _CARD_NUMBER.sub(_mask_card, _FIELD.sub(_mask_field, shown))[:_LENGTH]


def _mask_field(match: re.Match[str]) -> str:
    start, name, escapes, quote = match.groups()
    kept = ''
    if name.lower() in _SHORTENED:
        last = re.search(r'[0-9]{4}\W*$', match[0][len(start) :])
        kept = last[0][:4] if last else ''
    return f'{start}{escapes or ""}{quote or ""}***{kept}{escapes or ""}{quote or ""}'


def _mask_card(match: re.Match[str]) -> str:
    digits = re.sub('[ -]', '', match[0])
    return f'****{digits[-4:]}' if _is_card_number(digits) else match[0]


def _is_card_number(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812)."""
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    total = sum(int(digit) for digit in digits[-1::-2]) + sum(n // 10 + n % 10 for n in doubled)
    return total % 10 == 0
