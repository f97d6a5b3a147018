"""A terminal at the other end of a link: ask, get an `Outcome`.

The link is anything that can carry a request there and an answer back. Which wire it is does not
matter here, only its promise: it returns the bytes of an answer, or raises `NotSent` when nothing
left, or `AnswerLost` when something did.

An answer is held against its own question. A terminal that answers a payment with another
reference or another amount has told something, but not that *this* payment is done; such an
outcome keeps everything that was received and loses its verdict. The same goes for an enquiry that
is answered with another transaction.

Calling off is different from everything else: 5001 names no payment and its reply is no proof
(the protocol, A12.3). While the terminal says it cancels, the card may be charged. The verdict of
`cancel` is about the command and nothing else: the truth about the money comes with the answer to
the payment, or by an enquiry.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from ..outcome import Outcome, Verdict
from .answer import read_command, read_enquiry, read_payment, read_refund
from .cipher import PosKey
from .message import CancelRequest, Command, Enquiry, Payment, PrintReceipt, PrintSummary, Refund
from .message import body as sealed_body

#: seconds beyond a command's own patience: to connect, and to receive
MARGIN = 10.0


class Link(Protocol):
    """What carries a request to a terminal and its answer back."""

    def exchange(self, path: str, body: bytes, read_timeout: float, deadline: float) -> bytes:
        """The answer's bytes. `read_timeout` and `deadline` in seconds from now.

        Raises NotSent (nothing left) or AnswerLost (something did), and nothing else.
        """


class Terminal:
    """A QFPay terminal: a link to it and the POS-KEY that it shares with us.

    Every method returns an Outcome or raises NotSent or AnswerLost. InvalidRequest comes from
    making the request, before it gets here.
    """

    def __init__(self, link: Link, key: PosKey) -> None:
        self._link = link
        self._key = key

    def pay(self, payment: Payment) -> Outcome:
        """Take a payment; returns when the customer is finished."""
        outcome = self._ask(payment, read_payment)
        return _doubted_unless(
            outcome,
            outcome.reference in (None, payment.reference)
            and outcome.amount_minor in (None, payment.amount_minor),
        )

    def refund(self, refund: Refund) -> Outcome:
        """Give money back; `syssn` of the outcome is the refund's own number."""
        outcome = self._ask(refund, read_refund)
        return _doubted_unless(
            outcome,
            outcome.orig_syssn in (None, refund.syssn)
            and (
                refund.amount_minor is None or outcome.amount_minor in (None, refund.amount_minor)
            ),
        )

    def enquire(self, enquiry: Enquiry) -> Outcome:
        """Ask what became of a transaction. Only this may find NOT_FOUND or PENDING."""
        outcome = self._ask(enquiry, read_enquiry)
        same = enquiry.syssn is None or outcome.syssn in (None, enquiry.syssn)
        if enquiry.reference is not None:
            # refunds carry no reference of ours: a refund under ours is not what was asked for
            same = same and outcome.reference in (None, enquiry.reference)
            same = same and outcome.trade_type != 'refund'
        return _doubted_unless(outcome, same)

    def cancel(self) -> Outcome:
        """Call off whatever the terminal is doing now.

        DONE: the terminal takes it up. FAILED: it does not, perhaps there is nothing to call off.
        Neither says anything about the money; never report this outcome as a payment's.
        """
        return self._ask(CancelRequest(), read_command)

    def print_receipt(self, receipt: PrintReceipt) -> Outcome:
        """Print a receipt once more. DONE: it is printing."""
        return self._ask(receipt, read_command)

    def print_summary(self) -> Outcome:
        """Print the summary of the terminal's transactions. DONE: it is printing."""
        return self._ask(PrintSummary(), read_command)

    def _ask(self, command: Command, reader: Callable[[bytes, PosKey], Outcome]) -> Outcome:
        answer = self._link.exchange(
            command.PATH,
            sealed_body(command.content(), self._key),
            read_timeout=command.patience,
            deadline=command.patience + MARGIN,
        )
        return reader(answer, self._key)


def _doubted_unless(outcome: Outcome, matches: bool) -> Outcome:
    """The outcome, without its verdict when it is about something else."""
    return outcome if matches else replace(outcome, verdict=Verdict.UNKNOWN)
