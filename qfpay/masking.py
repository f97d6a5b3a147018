"""What is secret or personal in a message, masked: for texts that are kept for support.

By the name of a field, and by what looks like a card's number wherever it stands.
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
_FIELD = re.compile(rf'(["\']?\b(?:{"|".join(_HIDDEN)})\b["\']?\s*[:=]\s*["\']?)[^"\'&,;}}\s]+')
_CARD_NUMBER = re.compile(r'(?<![0-9])[0-9]{9,15}([0-9]{4})(?![0-9])')
_LENGTH = 4000


def masked(text: str) -> str:
    """The text without its secrets, and no longer than anybody reads.

    A run of 13 to 19 digits that could be a card's keeps its last four; QFPay's own numbers are
    longer.
    """
    shown = ''.join(c if c.isprintable() or c == '\n' else '·' for c in text[:_LENGTH])
    return _CARD_NUMBER.sub(_mask_card, _FIELD.sub(r'\1***', shown))


def _mask_card(match: re.Match[str]) -> str:
    return f'****{match[1]}' if _is_card_number(match[0]) else match[0]


def _is_card_number(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812)."""
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    total = sum(int(digit) for digit in digits[-1::-2]) + sum(n // 10 + n % 10 for n in doubled)
    return total % 10 == 0
