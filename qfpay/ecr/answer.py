"""From the bytes that a terminal sent to an `Outcome`.

A terminal answers in one of several shapes, depending on its wire, its settings and its version
(the protocol, A5): a JSON object; a JSON string that holds an object or Base64; bare Base64, in
one line or in lines of 76. So the layers are peeled off one at a time until an object remains:
a text in quotes is unwrapped, anything else that is no object is decrypted. Inside, `data` is an
object or the text of one.

Reading is generous with the form and strict with the meaning. A field that is missing, of another
type, or longer than it should be is an absent fact. An answer without a response code is no answer
(AnswerLost). A charge counts as DONE only if the terminal says 6000 *and* the data is there *and*
says 0000: with anything less, or with the two codes against each other, the money is UNKNOWN.

    outer          data             charge, refund   inquiry
    6000           inner 0000       DONE             DONE, CANCELLED when closed or given back
    6000           inner pending    PENDING          PENDING
    6000           other inner      UNKNOWN          by HOST_CODES
    6000           missing          UNKNOWN          UNKNOWN
    anything else  inner 0000       UNKNOWN          UNKNOWN
    6002, 4005, …  inner pending    PENDING          UNKNOWN
    anything else  other, missing   by RESPONSE_CODES

An inquiry finds nothing (NOT_FOUND) only where the terminal says so in words. The same code comes
when it could not ask its host, and then a charge may well be there.

Amounts in answers have no stated unit. Whole numbers are cents, whatever has a decimal point is
in major units; a wrong guess shows as an amount that differs from the one that was asked for.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

from ..errors import AnswerLost
from ..fields import MESSAGE_LENGTH, Fields, JsonValue
from ..outcome import Outcome, TradeType, Verdict
from ..times import from_text
from .cipher import PosKey
from .codes import (
    CANCEL_VALUES,
    CARD_SCHEMES,
    CURRENCIES,
    GIVEN_BACK,
    HOST_CODES,
    HOST_SUCCESS,
    NO_SUCH_ORDER,
    RESPONSE_CODES,
    SUCCESS,
    UNLISTED_CODE,
    UNLISTED_HOST_CODE,
    ResponseCode,
)
from .lenient import read, read_strictly
from .message import CHANNELS, DECIMALS

_LAYERS = 4
_MAJOR = re.compile(r'-?[0-9]{1,13}\.[0-9]{1,15}')
_LAST4 = re.compile(r'[0-9*xX. -]*([0-9]{4})')
_WALLETS: Mapping[str, str] = {
    pay_type: channel.label
    for channel in CHANNELS.values()
    if not channel.card
    for pay_type in channel.pay_types
}


@dataclass(frozen=True, slots=True)
class _Answer:
    """An opened answer: the outer code, its row in the table, the texts, the data if any.

    `sealed`: it was encrypted. `strict`: all of it is strict JSON.
    """

    code: str
    meaning: ResponseCode
    fields: '_Fields'
    data: '_Fields | None'
    sealed: bool
    strict: bool

    @property
    def inner_code(self) -> str:
        return self.data.code() if self.data else ''


class _Fields(Fields):
    """The fields of a terminal's answer, whose amounts have no stated unit."""

    def minor(self, name: str) -> int | None:
        """An amount in minor units, None when there is none that can be told."""
        text = self.text(name)
        if _MAJOR.fullmatch(text):
            cents = Decimal(text).scaleb(DECIMALS)
            return int(cents) if cents == cents.to_integral_value() else None
        return self.number(name)


def read_payment(raw: bytes, key: PosKey) -> Outcome:
    """The answer to a payment (1001). Raises AnswerLost when it cannot be read."""
    answer = _open(raw, key)
    return _outcome(answer, _charge_verdict(answer), 'payment')


def read_refund(raw: bytes, key: PosKey) -> Outcome:
    """The answer to a refund (1002). Raises AnswerLost when it cannot be read."""
    answer = _open(raw, key)
    return _outcome(answer, _charge_verdict(answer), 'refund')


def read_inquiry(raw: bytes, key: PosKey) -> Outcome:
    """The answer to an inquiry (4001): the state of the transaction that was asked about.

    A payment that was reversed or refunded as a whole is CANCELLED: the shop does not have the
    money. `cancel` and `refundable_minor` tell the rest. Raises AnswerLost when it cannot be read.
    """
    answer = _open(raw, key)
    return _outcome(answer, _inquiry_verdict(answer), _trade_type(answer))


def read_command(raw: bytes, key: PosKey) -> Outcome:
    """The answer to a command that moves no money (3001, 3002, 5001).

    The verdict is about the command alone. Raises AnswerLost when it cannot be read.
    """
    answer = _open(raw, key)
    return _outcome(answer, answer.meaning.command, None)


def _open(raw: bytes, key: PosKey) -> _Answer:
    outer = _peel(raw.decode('utf-8-sig', errors='replace'), key)
    if outer.values is None:
        raise AnswerLost(
            'The answer is no answer of a terminal, or of another key.', 'unreadable', raw
        )
    fields = _Fields(outer.values)
    code = fields.code()
    if not code:
        raise AnswerLost('The answer has no response code.', 'unreadable', raw)
    inner = _data(fields, key)
    data = _Fields(inner.values) if inner.values else None
    meaning = RESPONSE_CODES.get(code, UNLISTED_CODE)
    sealed, strict = outer.sealed or inner.sealed, outer.strict and inner.strict
    return _Answer(code, meaning, fields, data, sealed, strict)


@dataclass(frozen=True, slots=True)
class _Peeled:
    """The object inside a text, if there is one; whether it was encrypted; whether all of the
    layers were strict JSON."""

    values: dict[str, JsonValue] | None
    sealed: bool = False
    strict: bool = True


def _peel(text: str, key: PosKey) -> _Peeled:
    """The object inside a text, whatever it is wrapped in."""
    sealed, strict = False, True
    with suppress(ValueError):
        for _layer in range(_LAYERS):
            text = text.strip()
            if text[:1] not in ('{', '"'):
                text = key.decrypt(text)
                sealed = True
                continue
            value, is_strict = _read(text)
            strict = strict and is_strict
            if not isinstance(value, str):
                return _Peeled(value if isinstance(value, dict) else None, sealed, strict)
            text = value
    return _Peeled(None, sealed, False)


def _read(text: str) -> tuple[JsonValue, bool]:
    """The value of a text, and whether it is strict JSON. Raises ValueError when it is none."""
    try:
        return read_strictly(text), True
    except ValueError:
        return read(text), False


def _data(fields: _Fields, key: PosKey) -> _Peeled:
    data = fields.raw('data')
    if isinstance(data, str) and data.strip():
        return _peel(data, key)
    return _Peeled(data if isinstance(data, dict) else None)


def _charge_verdict(answer: _Answer) -> Verdict:
    verdict = answer.meaning.charge
    if HOST_CODES.get(answer.inner_code) is Verdict.PENDING and verdict in (
        Verdict.DONE,
        Verdict.UNKNOWN,
    ):
        return Verdict.PENDING
    host_agrees = answer.inner_code == HOST_SUCCESS
    if answer.code == SUCCESS:
        return verdict if host_agrees else Verdict.UNKNOWN
    return Verdict.UNKNOWN if host_agrees else verdict


def _inquiry_verdict(answer: _Answer) -> Verdict:
    if answer.code != SUCCESS:
        verdict = answer.meaning.inquiry
        if verdict is Verdict.NOT_FOUND and (answer.data or not _says_no_such_order(answer)):
            return Verdict.UNKNOWN
        return verdict
    if answer.data is None or not answer.inner_code:
        return Verdict.UNKNOWN
    if answer.data.text('cancel'):
        cancel = answer.data.number('cancel')
        if cancel in GIVEN_BACK:
            return Verdict.CANCELLED
        if cancel not in CANCEL_VALUES:
            return Verdict.UNKNOWN
    return HOST_CODES.get(answer.inner_code, UNLISTED_HOST_CODE)


def _says_no_such_order(answer: _Answer) -> bool:
    said = f'{answer.fields.text("resperr")} {answer.fields.text("respmsg")}'
    return bool(NO_SUCH_ORDER.search(said))


def _trade_type(answer: _Answer) -> TradeType | None:
    said = answer.data.text('tradetp').lower() if answer.data else ''
    if said == 'payment':
        return 'payment'
    return 'refund' if said == 'refund' else None


def _message(answer: _Answer) -> str:
    outer = answer.fields.text('resperr', 'respmsg', limit=MESSAGE_LENGTH)
    if answer.data is None:
        return outer
    names = ('reserr', 'resperr', 'resmsg', 'respmsg')
    inner = answer.data.text(*names, limit=MESSAGE_LENGTH)
    # when the terminal is content and the host is not, the host has the reason
    return inner or outer if answer.inner_code != HOST_SUCCESS else outer or inner


def _outcome(answer: _Answer, verdict: Verdict, trade_type: TradeType | None) -> Outcome:
    if answer.data is None:
        return Outcome(
            verdict=verdict,
            code=answer.code,
            message=_message(answer),
            trade_type=trade_type,
            signed=answer.sealed,
            strict=answer.strict,
            heard=answer.fields.as_text(),
        )
    data = answer.data
    pay_type = data.text('busicd')
    wallet = _WALLETS.get(pay_type, '')
    currency = data.text('txcurrcd').upper()
    scheme = data.text('cardscheme').upper()
    last4 = None if wallet else _LAST4.fullmatch(data.text('cardno'))
    return Outcome(
        verdict=verdict,
        code=answer.code,
        inner_code=answer.inner_code,
        message=_message(answer),
        reference=data.text('out_trade_no') or None,
        syssn=data.text('syssn') or None,
        orig_syssn=data.text('orig_syssn', 'origssn') or None,
        chnlsn=data.text('chnlsn') or None,
        pay_type=pay_type or None,
        wallet=wallet,
        amount_minor=data.minor('txamt'),
        currency=CURRENCIES.get(currency, currency) or None,
        card_scheme='' if wallet else CARD_SCHEMES.get(scheme, scheme),
        card_last4=last4[1] if last4 else '',
        card_type='' if wallet else data.text('cardtype').upper(),
        paid_at=data.text('paydtm', 'txdtm', 'sysdtm') or None,
        cancel=data.number('cancel'),
        refundable_minor=data.minor('allow_refund_amt'),
        trade_type=trade_type,
        signed=answer.sealed,
        strict=answer.strict,
        traded_at=from_text(data.text('sysdtm', 'txdtm', 'paydtm')),
        stated_at=from_text(data.text('server_time')),
        batch=data.text('batchno'),
        channel_reference=data.text('refno'),
        trace=data.text('traceno', 'trace_no'),
        heard=answer.fields.with_data(data).as_text(),
    )
