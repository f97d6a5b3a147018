"""The OpenAPI's requests, from typed fields to the fields of a form.

Each request checks its own fields when it is made, so that what cannot be right never leaves
(InvalidRequest). Amounts are whole minor units. `requested_at` is a moment with a time zone; it
travels as `txdtm` and has to be kept with the request, since cancelling asks for it again. How a
request is signed and sent is not known here.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from ..errors import InvalidRequest
from ..money import check_minor
from ..times import in_hong_kong, to_text
from .catalogue import CLOSE, CURRENCIES, PAY_TYPES, REVERSAL, Mode, pay_type_for
from .signature import Value

REFERENCE_LENGTH = 64
SYSSN_LENGTH = 128
SHORTEST_EXPIRY, LONGEST_EXPIRY = 5, 120
#: what a code lives that does not obey our expiry time, in minutes
QFPAY_EXPIRY = 30
PAY_TAGS = ('ALIPAYHK', 'ALIPAYCN')
_NOTIFY_URL_LENGTH = 256
_SAFE_TEXT = re.compile(r'[A-Za-z0-9_-]+')
_NOTIFY_URL = re.compile(r'https?://[A-Za-z0-9.-]+(?::(?:80|443))?(?:/[!-~]*)?')


@dataclass(frozen=True, slots=True, kw_only=True)
class _Payment:
    """What both ways to pay have in common.

    `reference`: our number, unique for ever over payments and refunds; the only handle on this
    payment when its answer is lost. `amount_minor`: whole minor units of `currency`, above zero.
    `pay_type`: a code of PAY_TYPES. `goods_name` and `till` are shortened to what QFPay takes.
    `notify_url`: where to report this payment, on port 80 or 443; None for the registered address.
    """

    PATH: ClassVar[str] = '/trade/v1/payment'
    MODE: ClassVar[Mode]

    reference: str
    amount_minor: int
    currency: str
    pay_type: str
    requested_at: datetime
    goods_name: str = ''
    till: str = ''
    notify_url: str | None = None

    def __post_init__(self) -> None:
        check_reference(self.reference)
        check_minor(self.amount_minor)
        in_hong_kong(self.requested_at)
        known = PAY_TYPES.get(self.pay_type)
        if known is None or known.mode is not self.MODE:
            raise InvalidRequest('There is no such pay type in this mode.', 'pay_type')
        if self.currency not in CURRENCIES:
            raise InvalidRequest(f'QFPay does not take {self.currency!r}.', 'currency')
        if known.currencies and self.currency not in known.currencies:
            raise InvalidRequest(f'{known.label} does not take {self.currency}.', 'currency')
        if self.notify_url is not None and (
            len(self.notify_url) > _NOTIFY_URL_LENGTH or not _NOTIFY_URL.fullmatch(self.notify_url)
        ):
            raise InvalidRequest(
                'The address for notifications must be a short one on port 80 or 443.', 'notify_url'
            )

    def fields(self) -> dict[str, Value]:
        """The form's fields; empty ones are not sent."""
        return {
            'txamt': self.amount_minor,
            'txcurrcd': self.currency,
            'pay_type': self.pay_type,
            'out_trade_no': self.reference,
            'txdtm': to_text(self.requested_at),
            'goods_name': _tidy(self.goods_name, 20, 64),
            'udid': _tidy(self.till, 40, 40),
            'notify_url': self.notify_url,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MpmPayment(_Payment):
    """Ask for a code that the customer scans (the protocol, B6).

    `expires_minutes`: 5 to 120, how long the code is to be shown; QFPay is told where it listens.
    `pay_tag`: which Alipay may scan, None leaves it to QFPay.
    """

    MODE: ClassVar[Mode] = Mode.MPM

    expires_minutes: int = SHORTEST_EXPIRY
    pay_tag: str | None = None

    def __post_init__(self) -> None:
        # super() without arguments does not find its way in a dataclass with slots
        _Payment.__post_init__(self)
        minutes = self.expires_minutes
        if not _is_int(minutes) or not SHORTEST_EXPIRY <= minutes <= LONGEST_EXPIRY:
            raise InvalidRequest(
                f'A code lives {SHORTEST_EXPIRY} to {LONGEST_EXPIRY} minutes.', 'expiry'
            )
        if self.pay_tag is not None and (
            self.pay_tag not in PAY_TAGS or PAY_TYPES[self.pay_type].wallet != 'Alipay'
        ):
            raise InvalidRequest('There is no such choice for this pay type.', 'pay_type')

    @property
    def shown_until(self) -> datetime:
        """When to stop showing the code."""
        return self.requested_at + timedelta(minutes=self.expires_minutes)

    @property
    def lapses_at(self) -> datetime:
        """When QFPay itself lets the order lapse; until then the customer can still pay it."""
        own = PAY_TYPES[self.pay_type].expires
        minutes = self.expires_minutes if own else max(self.expires_minutes, QFPAY_EXPIRY)
        return self.requested_at + timedelta(minutes=minutes)

    def fields(self) -> dict[str, Value]:
        fields = _Payment.fields(self)
        if PAY_TYPES[self.pay_type].expires:
            fields['expired_time'] = self.expires_minutes
        fields['pay_tag'] = self.pay_tag
        return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class CpmPayment(_Payment):
    """Charge the code that the customer shows (B6).

    `auth_code`: what was scanned or typed, without white space. A code that is no wallet's, or of
    another wallet than the pay type's, raises InvalidRequest.
    """

    MODE: ClassVar[Mode] = Mode.CPM

    auth_code: str

    def __post_init__(self) -> None:
        _Payment.__post_init__(self)
        pay_type_for(self.auth_code, (self.pay_type,))

    def fields(self) -> dict[str, Value]:
        return {**_Payment.fields(self), 'auth_code': self.auth_code}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Give money back (B8).

    `syssn`: QFPay's number of the payment. `reference`: our number for this refund, as unique as a
    payment's. `amount_minor`: all of the payment or a part.
    """

    PATH: ClassVar[str] = '/trade/v1/refund'

    syssn: str
    reference: str
    amount_minor: int
    requested_at: datetime
    till: str = ''

    def __post_init__(self) -> None:
        check_syssn(self.syssn)
        check_reference(self.reference)
        check_minor(self.amount_minor)
        in_hong_kong(self.requested_at)

    def fields(self) -> dict[str, Value]:
        """The form's fields; empty ones are not sent."""
        return {
            'syssn': self.syssn,
            'out_trade_no': self.reference,
            'txamt': self.amount_minor,
            'txdtm': to_text(self.requested_at),
            'udid': _tidy(self.till, 40, 40),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """End an order that is not paid (B9), by QFPay's number when it is known, else by ours.

    `path`: by which call, CLOSE or REVERSAL.

    Everything but the number is the order's own: its pay type, its amount, the time at which it
    was requested.
    """

    path: str
    pay_type: str
    amount_minor: int
    requested_at: datetime
    reference: str
    syssn: str | None = None
    till: str = ''

    def __post_init__(self) -> None:
        if self.path not in (CLOSE, REVERSAL):
            raise InvalidRequest('There is no such way to cancel an order.')
        if self.pay_type not in PAY_TYPES:
            raise InvalidRequest('There is no such pay type.', 'pay_type')
        check_minor(self.amount_minor)
        in_hong_kong(self.requested_at)
        check_reference(self.reference)
        if self.syssn is not None:
            check_syssn(self.syssn)

    def fields(self) -> dict[str, Value]:
        """The form's fields; empty ones are not sent."""
        return {
            'txamt': self.amount_minor,
            'txdtm': to_text(self.requested_at),
            'syssn': self.syssn,
            'out_trade_no': None if self.syssn else self.reference,
            'udid': _tidy(self.till, 40, 40),
        }


def check_reference(value: object) -> None:
    """A number of ours: 1 to 64 letters, digits, `_` and `-`. Raises InvalidRequest."""
    _check_number(value, 'The reference', 'reference', REFERENCE_LENGTH)


def check_syssn(value: object) -> None:
    """A number of QFPay's. Raises InvalidRequest."""
    _check_number(value, "QFPay's number", 'syssn', SYSSN_LENGTH)


def _check_number(value: object, name: str, field: str, length: int) -> None:
    if not isinstance(value, str) or not _SAFE_TEXT.fullmatch(value) or len(value) > length:
        raise InvalidRequest(f'{name} must be 1 to {length} letters, digits, "_" and "-".', field)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _tidy(text: str, characters: int, octets: int) -> str:
    """Letters, digits, `-`, `_` and single spaces of a text, as many as QFPay takes."""
    kept = ' '.join(''.join(c if c.isalnum() or c in '-_' else ' ' for c in text).split())
    kept = kept[:characters]
    return kept.encode('utf-8')[:octets].decode('utf-8', errors='ignore').strip()


Payment = MpmPayment | CpmPayment
