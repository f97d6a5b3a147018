"""From the fields of an answer to an `Outcome`.

QFPay answers in one of three shapes (the protocol, B5): flat; with the business fields in an
object `data`; and for a query with a list of rows in `data`. Reading is generous with the form and
strict with the meaning.

What 0000 means depends on what was asked (B6.2, B7, B9):

    a payment whose code the customer scans    the code is there; nobody has paid: PENDING
    a payment by the customer's code, a refund done: DONE
    a query                                    the query worked; every row has a code of its own
    a cancel                                   QFPay takes it up; what became of the money only a
                                               query tells

A row says DONE only if its code is 0000 and nothing was undone since (`cancel` 0 or 5). A payment
that was reversed, closed or given back whole is CANCELLED here: the merchant does not have the
money. (A till's own refund does not get in the way: a payment that was done once stays done in the
ledger.)

An answer that contradicts its own question, by its number, amount, currency or merchant, keeps all
that was received except its verdict, and the code to scan, which would be somebody else's.
"""

import json
from dataclasses import replace

from ..errors import AnswerLost
from ..fields import MESSAGE_LENGTH, Fields
from ..outcome import Outcome, TradeType, Verdict
from ..times import from_text, to_text
from .catalogue import (
    CANCEL,
    CLOSED_CODES,
    CODES_NEEDING_WORDS,
    OTHER_WAY_CODES,
    SUCCESS,
    Action,
    Mode,
    meant_code,
    return_code,
    wallet_of,
)
from .message import MpmPayment, Payment, Refund

QRCODE_LENGTH = 2048
#: the fields that hold QFPay's own words
_WORDS = ('resperr', 'errmsg', 'respmsg')
#: kinds of rows that are about another transaction than the one whose number they carry
_OTHER_ROWS = frozenset({'close', 'reversal', 'cancel'})
_TRADE_STATES = {'SUCCESS': Verdict.DONE, 'PENDING': Verdict.PENDING}
_UNDONE = {1: 0, 2: 0, 3: 0}


def read_object(body: bytes) -> Fields | None:
    """The object in a body, its numbers as texts; None when there is none."""
    try:
        value = json.loads(
            body.decode('utf-8-sig'), parse_int=str, parse_float=str, parse_constant=str
        )
    except (ValueError, RecursionError):
        return None
    return Fields(value) if isinstance(value, dict) else None


def read_payment(fields: Fields, payment: Payment, signed: bool) -> Outcome:
    """The answer to a payment."""
    outcome = _flat(fields, 'payment', signed)
    if payment.MODE is Mode.MPM and outcome.verdict is Verdict.DONE:
        outcome = replace(outcome, verdict=Verdict.PENDING, action=Action.POLL.value, paid_at=None)
    if isinstance(payment, MpmPayment) and outcome.verdict is Verdict.PENDING:
        view = _view(fields)
        outcome = replace(
            outcome,
            qrcode=view.exact('qrcode', QRCODE_LENGTH),
            pay_url=view.exact('pay_url', QRCODE_LENGTH),
            expires_at=to_text(payment.shown_until),
        )
    return _doubted_unless(
        outcome,
        outcome.reference in (None, payment.reference)
        and outcome.amount_minor in (None, payment.amount_minor)
        and outcome.currency in (None, payment.currency),
    )


def read_refund(fields: Fields, refund: Refund, signed: bool) -> Outcome:
    """The answer to a refund; `syssn` of the outcome is the refund's own number."""
    outcome = _flat(fields, 'refund', signed)
    return _doubted_unless(
        outcome,
        outcome.reference in (None, refund.reference)
        and outcome.amount_minor in (None, refund.amount_minor)
        and outcome.orig_syssn in (None, refund.syssn),
    )


def read_cancel(fields: Fields, signed: bool) -> Outcome:
    """The answer to a close or a reversal.

    The verdict is about the command alone; amount and numbers are left out so that nobody takes
    it for a payment's. FAILED with a code of OTHER_WAY_CODES, or with 0000 and no number: this way
    is none for the order, the other one may be.
    """
    code = fields.code()
    ruling = return_code(code).refund
    verdict = Verdict.DONE if code in CLOSED_CODES else ruling.answer
    # an answer without a number of its own means that the channel cannot cancel (B9)
    supported = code not in OTHER_WAY_CODES and not (
        code == SUCCESS and not _view(fields).text('syssn', 'qf_trade_no')
    )
    return Outcome(
        verdict=verdict if supported else Verdict.FAILED,
        code=code,
        message=read_message(fields),
        action=ruling.action.value,
        signed=signed,
        strict=True,
        heard=fields.as_text(),
    )


def read_rows(fields: Fields) -> list[Fields]:
    """The rows of an answer to a query. Raises AnswerLost when they are no rows."""
    data = fields.raw('data')
    if data is None or data == '':
        return []
    rows = data if isinstance(data, list) else [data]
    if not all(isinstance(row, dict) for row in rows):
        raise AnswerLost('The rows of the answer cannot be read.', 'unreadable')
    return [Fields(row) for row in rows if isinstance(row, dict)]


def read_row(row: Fields, signed: bool) -> Outcome | None:
    """The state of one recorded transaction; None for a row that is not about the trade itself."""
    kind = row.text('order_type').lower()
    if kind in _OTHER_ROWS:
        return None
    outcome = read_state(row, 'refund' if kind == 'refund' else 'payment', signed)
    return replace(outcome, code=SUCCESS, inner_code=row.code())


def read_state(fields: Fields, trade: TradeType, signed: bool) -> Outcome:
    """The state of a transaction, as rows and notifications tell it."""
    ruling = return_code(fields.code()).ruling(trade)
    verdict, action = ruling.row, ruling.action
    cancel = fields.number('cancel')
    if trade == 'payment' and fields.text('cancel'):
        afterwards = CANCEL.get(-1 if cancel is None else cancel, Verdict.UNKNOWN)
        undone = afterwards is Verdict.CANCELLED
        if verdict is Verdict.DONE or (undone and verdict in (Verdict.PENDING, Verdict.UNKNOWN)):
            verdict = afterwards
        if verdict is not ruling.row:
            action = Action.NEW if verdict is Verdict.CANCELLED else Action.CHECK
    outcome = _outcome(fields, verdict, action, trade, signed)
    if trade == 'payment' and outcome.verdict in (Verdict.DONE, Verdict.CANCELLED):
        left = {**_UNDONE, 0: outcome.amount_minor}.get(cancel or 0)
        return replace(outcome, cancel=cancel, refundable_minor=left)
    return replace(outcome, cancel=cancel)


def _flat(fields: Fields, trade: TradeType, signed: bool) -> Outcome:
    view = _view(fields)
    ruling = return_code(meant_code(view.code(), _all_words(view))).ruling(trade)
    verdict = ruling.answer
    state = view.text('txstatus').upper()
    if state and verdict is Verdict.DONE:
        verdict = _TRADE_STATES.get(state, Verdict.UNKNOWN)
    return _outcome(view, verdict, ruling.action, trade, signed)


def _view(fields: Fields) -> Fields:
    """The fields at the top, and those of `data` that are not at the top."""
    data = fields.raw('data')
    return fields.over(data) if isinstance(data, dict) else fields


def read_message(fields: Fields) -> str:
    """QFPay's own words; all of them where the code alone has two meanings."""
    if fields.code() in CODES_NEEDING_WORDS:
        return _all_words(fields)
    return fields.text(*_WORDS, limit=MESSAGE_LENGTH)


def _all_words(fields: Fields) -> str:
    said = (fields.text(name, limit=MESSAGE_LENGTH) for name in _WORDS)
    return ' '.join(dict.fromkeys(word for word in said if word))[:MESSAGE_LENGTH]


def _outcome(
    fields: Fields, verdict: Verdict, action: Action, trade: TradeType, signed: bool
) -> Outcome:
    pay_type = fields.text('pay_type')
    done = verdict is Verdict.DONE
    return Outcome(
        verdict=verdict,
        code=fields.code(),
        message=read_message(fields),
        reference=fields.text('out_trade_no') or None,
        syssn=fields.text('syssn', 'qf_trade_no') or None,
        orig_syssn=fields.text('orig_syssn', 'origssn') or None,
        chnlsn=fields.text('chnlsn') or None,
        pay_type=pay_type or None,
        wallet=wallet_of(pay_type),
        amount_minor=fields.number('txamt'),
        currency=fields.text('txcurrcd').upper() or None,
        # some answers give a time of payment before anybody paid
        paid_at=(fields.text('paydtm', 'sysdtm', 'txdtm') or None) if done else None,
        trade_type=trade,
        action=action.value,
        merchant=fields.text('mchid') or None,
        signed=signed,
        strict=True,
        traded_at=from_text(fields.text('sysdtm', 'txdtm')),
        heard=fields.as_text(),
    )


def doubted(outcome: Outcome) -> Outcome:
    """The outcome without its verdict, and without the code, which may be somebody else's."""
    return replace(
        outcome, verdict=Verdict.UNKNOWN, action=Action.CHECK.value, qrcode='', pay_url=''
    )


def _doubted_unless(outcome: Outcome, matches: bool) -> Outcome:
    return outcome if matches else doubted(outcome)
