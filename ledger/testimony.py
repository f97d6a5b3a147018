"""What was asked for, and one thing that somebody said about it.

A testimony is kept as it was heard and is never changed. Who speaks decides what it can prove; so
QFPay's words (an `Outcome`) and what this server knows by itself (a `Fact`) are never mixed: where
QFPay said nothing, there is no outcome.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from ..qfpay.ecr.message import CHANNELS
from ..qfpay.openapi.catalogue import PAY_TYPES, Mode
from ..qfpay.outcome import Outcome, TradeType, Verdict
from .clock import Moment

Provider = Literal['ecr', 'openapi']


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to move money: what was asked for, and what stands around it in the ledger.

    `reference`: our number, used once, for ever. `channel`: of the terminal, or a pay type.
    `amount_minor`: in QFPay's minor units of `currency`. `merchant`: the account's id, if QFPay
    gave one. Of a refund: `original_syssn` and `original_minor`, the payment that it gives back. Of
    a payment: `returned_minor`, what refunds of ours took from it or are about to.
    """

    reference: str
    kind: TradeType
    provider: Provider
    channel: str
    amount_minor: int
    currency: str
    created: Moment
    merchant: str | None = None
    original_syssn: str | None = None
    original_minor: int = 0
    returned_minor: int = 0

    @property
    def by_terminal(self) -> bool:
        return self.provider == 'ecr'

    @property
    def by_card(self) -> bool:
        """Whether a card is put on the terminal."""
        return self.by_terminal and CHANNELS[self.channel].card

    @property
    def by_shown_code(self) -> bool:
        """Whether the customer scans a code that the till shows."""
        return not self.by_terminal and PAY_TYPES[self.channel].mode is Mode.MPM

    @property
    def is_refund(self) -> bool:
        return self.kind == 'refund'

    @property
    def looks_before(self) -> bool:
        """Whether what is left of the payment must be known before the request may leave.

        A terminal's refund has no number of ours: when its answer is lost, nothing else tells
        whether it happened (the protocol, A12.4).
        """
        return self.is_refund and self.by_terminal

    @property
    def ways_to_cancel(self) -> int:
        """How many calls there are that may end the unpaid order (the protocol, A12.3 and B9)."""
        if self.is_refund:
            return 0
        return 1 if self.by_terminal else len(PAY_TYPES[self.channel].cancel)


class Witness(str, Enum):
    """Who says it.

    ANSWER        QFPay, in its answer to the request itself
    INQUIRY       QFPay, asked what became of it
    NOTIFICATION  QFPay, by itself
    PAGE          a till's page, which carried QFPay's words here
    MANAGER       a manager, who looked elsewhere
    CASHIER       a cashier, who wants something
    SERVER        this server, of itself
    """

    ANSWER = 'answer'
    INQUIRY = 'inquiry'
    NOTIFICATION = 'notification'
    PAGE = 'page'
    MANAGER = 'manager'
    CASHIER = 'cashier'
    SERVER = 'server'


class About(str, Enum):
    """To what question it is the answer.

    REQUEST   the payment or refund itself
    NUMBER    what became of this one number
    LIST      what became of many numbers, this one among them
    ORIGINAL  what is left of the payment that a refund gives back
    CONTROL   whether the terminal knows another payment that it certainly has
    CANCEL    the wish to end it
    NOTHING   nobody asked
    """

    REQUEST = 'request'
    NUMBER = 'number'
    LIST = 'list'
    ORIGINAL = 'original'
    CONTROL = 'control'
    CANCEL = 'cancel'
    NOTHING = 'nothing'


class Fact(str, Enum):
    """What is known without QFPay.

    SENT           the request leaves now, or has left: from here on nothing is certain
    NEVER_LEFT     whoever was to send it says that not one byte left, and that none will
    ANSWER_LOST    it left, and its answer did not come or could not be read
    TAKEN_OVER     whoever sent it is gone; nobody waits for its answer any more
    UNANSWERED     QFPay was asked, or told, and did not answer; see what it was about
    NO_CONTROL     there is no other payment that this terminal certainly has
    WRONG_WAY      this order cannot be cancelled by that call
    CANCEL_WANTED  it shall be cancelled
    DONE           a manager saw that the money moved
    FAILED         a manager saw that it did not
    LOOKED_AT      a manager has looked at everything that was strange so far
    STRANGE        something about it does not fit together here; `reason` says what
    REWRITTEN      the database had lost the row; it was written anew
    GIVEN_UP       QFPay was asked for as long as it can know anything, in vain
    UPGRADED       an older version of this addon believed so; `reason` is the state
    """

    SENT = 'sent'
    NEVER_LEFT = 'never_left'
    ANSWER_LOST = 'answer_lost'
    TAKEN_OVER = 'taken_over'
    UNANSWERED = 'unanswered'
    NO_CONTROL = 'no_control'
    WRONG_WAY = 'wrong_way'
    CANCEL_WANTED = 'cancel_wanted'
    DONE = 'done'
    FAILED = 'failed'
    LOOKED_AT = 'looked_at'
    STRANGE = 'strange'
    REWRITTEN = 'rewritten'
    GIVEN_UP = 'given_up'
    UPGRADED = 'upgraded'


@dataclass(frozen=True, slots=True, kw_only=True)
class Testimony:
    """One thing that was said.

    `at`: when it was heard; `asked_at`: when the question that it answers left, if that is known.
    `again`: when the same was heard last, after it was heard `times` times. `outcome`: QFPay's
    words; `fact`: somebody else's. `reason`: of a fact, in a word; of STRANGE, the alarm, with
    `detail` beside it. `patience`: of SENT, seconds after which nobody can be busy with the
    request any more. `claim`: under which the speaker had the link.

    What this server knew beside the word when it was heard, and may not know otherwise later:
    `seals`: the terminal was known to encrypt. `taken`: another row has QFPay's number that is
    named here. Of what is left of a payment: `superseded`: a later refund of it had been sent;
    `returned_minor`: what other refunds of ours had given back of it.
    """

    at: Moment
    asked_at: Moment | None = None
    witness: Witness
    about: About = About.NOTHING
    outcome: Outcome | None = None
    fact: Fact | None = None
    reason: str = ''
    detail: str = ''
    patience: float = 0.0
    claim: int = 0
    seals: bool = False
    taken: bool = False
    superseded: bool = False
    returned_minor: int = 0
    again: Moment | None = None
    times: int = 1

    def repeats(self, last: 'Testimony') -> bool:
        """Whether this is what was said last, so that nobody needs to read it twice.

        What may decide, or counts as a look after the end, is never a repetition: each one has to
        be weighed by its own time. Nor is what another machine hears: its clock is another.
        """
        if self.about not in (About.NUMBER, About.LIST, About.ORIGINAL) or self._is_weighed():
            return False
        if self.at.boot != last.at.boot:
            return False
        says = (self.outcome, self.fact, self.reason, self.detail, self.seals, self.taken)
        said = (last.outcome, last.fact, last.reason, last.detail, last.seals, last.taken)
        return (self.witness, self.about) == (last.witness, last.about) and says == said

    def _is_weighed(self) -> bool:
        if self.outcome is None:
            return False
        verdict = self.outcome.verdict
        if self.about is About.LIST and verdict is Verdict.NOT_FOUND:
            return False
        return verdict not in (Verdict.PENDING, Verdict.UNKNOWN)
