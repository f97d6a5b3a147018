"""A terminal at the other end of a link: ask, get an `Outcome`.

The link is anything that can carry a request there and an answer back. Which wire it is does not
matter here, only its promise: it returns the bytes of an answer, or raises `NotSent` when nothing
left, or `AnswerLost` when something did.

An answer is held against its own question. A terminal that answers a payment with another
reference or another amount has told something, but not that *this* payment is done; such an
outcome keeps everything that was received and loses its verdict. A payment is done only where the
answer names it: anybody in the network can say "6000" without knowing the question. The same goes
for an inquiry that is answered with another transaction.

Calling off is different from everything else: 5001 names no payment and its reply is no proof
(the protocol, A12.3). While the terminal says it cancels, the card may be charged. The verdict of
`cancel` is about the command and nothing else: the truth about the money comes with the answer to
the payment, or by an inquiry.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from ..outcome import Outcome, Verdict
from .answer import read_command, read_inquiry, read_payment, read_refund
from .cipher import PosKey
from .codes import NOT_CARRIED_OUT
from .message import CancelRequest, Command, Inquiry, Payment, PrintReceipt, PrintSummary, Refund
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

    `sealed`: this terminal is known to encrypt its answers, so one in the clear does not prove that
    money moved.

    Every method returns an Outcome or raises NotSent or AnswerLost. InvalidRequest comes from
    making the request, before it gets here.
    """

    def __init__(self, link: Link, key: PosKey, sealed: bool = False) -> None:
        self._link = link
        self._key = key
        self._sealed = sealed

    def pay(self, payment: Payment) -> Outcome:
        """Take a payment; returns when the customer is finished."""
        outcome = self._ask(payment, read_payment)
        same = outcome.reference in (None, payment.reference)
        same = same and outcome.amount_minor in (None, payment.amount_minor)
        if outcome.verdict is Verdict.DONE:
            same = same and None not in (outcome.reference, outcome.amount_minor, outcome.syssn)
        return self._held(outcome, same)

    def refund(self, refund: Refund) -> Outcome:
        """Give money back; `syssn` of the outcome is the refund's own number."""
        outcome = self._ask(refund, read_refund)
        return self._held(
            outcome,
            outcome.orig_syssn in (None, refund.syssn)
            and (
                refund.amount_minor is None or outcome.amount_minor in (None, refund.amount_minor)
            ),
        )

    def inquire(
        self, inquiry: Inquiry, control: Callable[[], Inquiry | None] | None = None
    ) -> Outcome:
        """Ask what became of a transaction. Only this may find NOT_FOUND or PENDING.

        `control` names, when it is needed, a transaction that the terminal is known to have. A
        refusal in words that nobody has listed means that nothing was found if the terminal finds
        that one meanwhile, and refuses again; without it, such a refusal stays UNKNOWN.
        """
        outcome = self._inquire(inquiry)
        known = control() if control and _is_bare_refusal(outcome) else None
        if not known or self._inquire(known).verdict not in (Verdict.DONE, Verdict.CANCELLED):
            return outcome
        outcome = self._inquire(inquiry)
        if _is_bare_refusal(outcome):
            return replace(outcome, verdict=Verdict.NOT_FOUND)
        return outcome

    def _inquire(self, inquiry: Inquiry) -> Outcome:
        outcome = self._ask(inquiry, read_inquiry)
        same = inquiry.syssn is None or outcome.syssn in (None, inquiry.syssn)
        if inquiry.reference is not None:
            # refunds carry no reference of ours: a refund under ours is not what was asked for
            same = same and outcome.reference in (None, inquiry.reference)
            same = same and outcome.trade_type != 'refund'
        return self._held(outcome, same)

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

    def _held(self, outcome: Outcome, matches: bool) -> Outcome:
        """The outcome, without its verdict when it is about something else, or proves nothing."""
        is_done = outcome.verdict is Verdict.DONE
        is_proof = outcome.signed or not self._sealed or not is_done
        return outcome if matches and is_proof else replace(outcome, verdict=Verdict.UNKNOWN)


def _is_bare_refusal(outcome: Outcome) -> bool:
    """An inquiry was refused without a word about any transaction."""
    return (
        outcome.verdict is Verdict.UNKNOWN
        and outcome.code == NOT_CARRIED_OUT
        and outcome.syssn is None
        and not outcome.inner_code
    )
