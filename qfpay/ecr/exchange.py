"""One exchange with a terminal: a command becomes sealed bytes, bytes become an `Outcome`.

    request(command, key)        what is sent, to which path, and how long an answer may take
    outcome(command, raw, key)   what the answer says, held against its own question

Nothing is sent from here, nothing is remembered, and nothing is decided about money.

An answer is held against its own question. A terminal that answers a payment with another reference
or another amount, or a question with another transaction, has told something, but not that *this*
payment is done; such an outcome keeps everything that was received and loses its verdict. What an
answer must name to prove anything is for the ledger's rules to say.

Cancelling is different from everything else: 5001 names no payment and its reply is no proof (the
protocol, A12.3). The verdict of that outcome is about the command and nothing else.
"""

from dataclasses import dataclass, replace

from ..outcome import Outcome, Verdict
from .answer import read_command, read_inquiry, read_payment, read_refund
from .cipher import PosKey
from .message import Command, Inquiry, Payment, Refund, body, canonical

#: seconds beyond a command's own patience: to connect, and to receive
MARGIN = 10.0


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. `patience`: seconds of silence after which no answer can be expected."""

    path: str
    body: bytes
    patience: float


def request(command: Command, key: PosKey) -> Request:
    """The command as it travels (the protocol, A3 and A4)."""
    return Request(command.PATH, body(command.content(), key), command.patience)


def in_words(command: Command) -> str:
    """The command as a text for support; there is nothing secret in it."""
    return canonical(command.content())


def outcome(command: Command, raw: bytes, key: PosKey) -> Outcome:
    """What an answer to this command says (the protocol, A5 and A6.2).

    Raises AnswerLost when it cannot be read.
    """
    if isinstance(command, Payment):
        return _of_payment(read_payment(raw, key), command)
    if isinstance(command, Refund):
        return _of_refund(read_refund(raw, key), command)
    if isinstance(command, Inquiry):
        return _of_inquiry(read_inquiry(raw, key), command)
    return read_command(raw, key)


def _of_payment(found: Outcome, payment: Payment) -> Outcome:
    return _held(
        found,
        found.reference in (None, payment.reference)
        and found.amount_minor in (None, payment.amount_minor),
    )


def _of_refund(found: Outcome, refund: Refund) -> Outcome:
    return _held(
        found,
        found.orig_syssn in (None, refund.syssn)
        and (refund.amount_minor is None or found.amount_minor in (None, refund.amount_minor)),
    )


def _of_inquiry(found: Outcome, inquiry: Inquiry) -> Outcome:
    matches = inquiry.syssn is None or found.syssn in (None, inquiry.syssn)
    if inquiry.reference is not None:
        # refunds carry no reference of ours: a refund under ours is not what was asked for
        matches = matches and found.reference in (None, inquiry.reference)
        matches = matches and found.trade_type != 'refund'
    return _held(found, matches)


def _held(found: Outcome, matches: bool) -> Outcome:
    """The outcome, without its verdict when it is about something else."""
    return found if matches else replace(found, verdict=Verdict.UNKNOWN)
