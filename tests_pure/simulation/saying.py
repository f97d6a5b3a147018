"""What a terminal says, and how a reader of ours takes it.

A `Saying` is the content of an answer, without its wire and its seal. The same content means one
thing as the answer to a payment and another as the answer to an inquiry, which is what makes a
recorded answer a lie; so it is read here as `qfpay/ecr` reads it, by the same tables.
"""

from __future__ import annotations

from datetime import datetime

from ...qfpay.ecr.codes import (
    GIVEN_BACK,
    HOST_CODES,
    HOST_SUCCESS,
    RESPONSE_CODES,
    SUCCESS,
    UNLISTED_CODE,
    UNLISTED_HOST_CODE,
)
from ...qfpay.outcome import Outcome, Verdict
from .host import CODES, OPEN, PAID, UNDONE, Trade

#: what a code that nobody has listed says about the money; a planted bug changes it
unlisted_host_code = UNLISTED_HOST_CODE

PAYMENT, REFUND, INQUIRY, COMMAND = 'payment', 'refund', 'inquiry', 'command'


class Saying:
    """The content of a terminal's answer.

    `is_listed`: its words for *there is no such order* are known to our reader. `tradetp`: of an
    inquiry's block alone.
    """

    __slots__ = (
        'amount',
        'cancel',
        'code',
        'currency',
        'inner',
        'is_listed',
        'left',
        'number',
        'original',
        'reference',
        'stated_at',
        'traded_at',
        'tradetp',
    )

    def __init__(self, code: str, inner: str = '', is_listed: bool = False) -> None:
        self.code = code
        self.inner = inner
        self.is_listed = is_listed
        self.number: str | None = None
        self.reference: str | None = None
        self.original: str | None = None
        self.amount: int | None = None
        self.currency: str | None = None
        self.tradetp: str | None = None
        self.cancel: int | None = None
        self.left: int | None = None
        self.traded_at: datetime | None = None
        self.stated_at: datetime | None = None

    def __str__(self) -> str:
        told = {name: getattr(self, name, None) for name in self.__slots__}
        return ' '.join(
            f'{name}={value}' for name, value in told.items() if value not in (None, '')
        )


def about_trade(trade: Trade, code: str = SUCCESS) -> Saying:
    """The block that answers a payment or a refund."""
    saying = Saying(code, CODES[trade.state])
    saying.number = trade.number
    saying.amount = trade.amount
    saying.currency = trade.currency
    if trade.original is None:
        saying.reference = trade.reference
    else:
        saying.original = trade.original.number
    return saying


def about_row(trade: Trade, now: datetime | None, names_reference: bool) -> Saying:
    """The block that answers an inquiry. `now`: QFPay's clock, if this terminal tells times."""
    saying = about_trade(trade)
    state = trade.state
    if not names_reference:
        saying.reference = None
    saying.tradetp = trade.kind
    if state == UNDONE:
        saying.cancel, saying.left = 1, 0
    elif state == PAID and trade.original is None:
        saying.left = left = trade.left
        saying.cancel = 3 if not left else 5 if trade.refunded else 0
    elif state == OPEN or trade.original is not None:
        saying.cancel = 0
        saying.left = 0
    if now is not None:
        saying.traded_at, saying.stated_at = trade.made_at, now
    return saying


def read(saying: Saying, question: str, sealed: bool, strict: bool = True) -> Outcome:
    """The outcome that our reader makes of it."""
    if question is INQUIRY:
        verdict, trade_type = _inquiry_verdict(saying), saying.tradetp
    elif question is COMMAND:
        verdict, trade_type = RESPONSE_CODES.get(saying.code, UNLISTED_CODE).command, None
    else:
        verdict, trade_type = _charge_verdict(saying), question
    return Outcome(
        verdict=verdict,
        code=saying.code,
        inner_code=saying.inner,
        reference=saying.reference,
        syssn=saying.number,
        orig_syssn=saying.original,
        amount_minor=saying.amount,
        currency=saying.currency,
        cancel=saying.cancel,
        refundable_minor=saying.left,
        trade_type=trade_type,  # type: ignore[arg-type]
        card_last4='1234' if saying.tradetp and saying.inner == HOST_SUCCESS else '',
        signed=sealed,
        strict=strict,
        traded_at=saying.traded_at,
        stated_at=saying.stated_at,
    )


def _charge_verdict(saying: Saying) -> Verdict:
    verdict = RESPONSE_CODES.get(saying.code, UNLISTED_CODE).charge
    if HOST_CODES.get(saying.inner) is Verdict.PENDING and verdict in (
        Verdict.DONE,
        Verdict.UNKNOWN,
    ):
        return Verdict.PENDING
    host_agrees = saying.inner == HOST_SUCCESS
    if saying.code == SUCCESS:
        return verdict if host_agrees else Verdict.UNKNOWN
    return Verdict.UNKNOWN if host_agrees else verdict


def _inquiry_verdict(saying: Saying) -> Verdict:
    if saying.code != SUCCESS:
        verdict = RESPONSE_CODES.get(saying.code, UNLISTED_CODE).inquiry
        if verdict is Verdict.NOT_FOUND and (saying.inner or not saying.is_listed):
            return Verdict.UNKNOWN
        return verdict
    if not saying.inner:
        return Verdict.UNKNOWN
    if saying.cancel in GIVEN_BACK:
        return Verdict.CANCELLED
    return HOST_CODES.get(saying.inner, unlisted_host_code)
