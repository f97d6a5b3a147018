"""What is believed about an attempt, and what a manager has to look at."""

from dataclasses import dataclass, field
from typing import NamedTuple

from .clock import Moment
from .states import DRAFT, OPEN
from .testimony import Witness

#: a till shows "cancelling" for so long, in seconds, without any word of QFPay's
CANCEL_PATIENCE = 30.0

#: what an outcome tells beyond its verdict, and a row keeps
FACTS = (
    'syssn',
    'chnlsn',
    'pay_type',
    'card_scheme',
    'card_last4',
    'card_type',
    'wallet',
    'paid_at',
    'batch',
    'channel_reference',
    'trace',
)


class Alarm(NamedTuple):
    """Why a manager must look. `what` names the situation; the others fill its sentence."""

    what: str
    heard: str = ''
    expected: str = ''


@dataclass(slots=True)
class Belief:
    """What is believed about an attempt.

    `since`: when `state` began; `source`: who brought it about, `by_manager`: and on nobody else's
    word; `reason`: of the end, where QFPay gave none. `never_left`: no byte of the request left,
    for certain. `sent`, `patience`, `claim`: as SENT told. `waiting`: a terminal is busy with it,
    and somebody waits for its answer. `ended`: when QFPay ended the request; `promising`: with a
    word of success, or of work in hand; `cancelled_there`: with "cancelled". `known`: QFPay has
    known it. `gave_up`: nobody asks any more.

    `cancel_wanted`, `cancel_told`: when somebody wanted it cancelled, and when QFPay was told so;
    `cancel_told_late`: after the deadline; `cancel_unsettled`: and was not asked since what came of
    it; `cancel_refused`: it said no. `ways_tried`: calls that were none for this order.

    `asked`, `asked_at`: how often QFPay was asked since the state began, and when last;
    `unanswered`: it did not answer then; `ask_alone`: what it said among others has to be asked for
    by itself. `looks`, `looked_at`: how often, and when last, it was asked in vain after the end.
    `not_found`, `not_found_at`: the same of denials that count. `control`: whether the terminal is
    'known' to find other payments, or that is 'needed', or there is 'none'. `left_before`: what was
    left of the payment before a refund.

    `since_on`, `sent_on`, `ended_on`: for each machine, the first moment since then in which it
    heard anything. What ends an attempt for its age is counted by one machine alone, from there:
    rather a little late than by a clock that somebody has set in between.
    """

    state: str = DRAFT
    since: Moment | None = None
    since_on: dict[str, Moment] = field(default_factory=dict)
    source: Witness | None = None
    by_manager: bool = False
    claim: int = 0
    sent: Moment | None = None
    sent_on: dict[str, Moment] = field(default_factory=dict)
    patience: float = 0.0
    waiting: bool = False
    ended: Moment | None = None
    ended_on: dict[str, Moment] = field(default_factory=dict)
    promising: bool = False
    cancelled_there: bool = False
    known: bool = False
    never_left: bool = False
    gave_up: bool = False
    cancel_wanted: Moment | None = None
    cancel_told: Moment | None = None
    cancel_told_late: bool = False
    cancel_unsettled: bool = False
    cancel_refused: bool = False
    ways_tried: int = 0
    left_before: int | None = None
    not_found: int = 0
    not_found_at: Moment | None = None
    control: str = ''
    asked: int = 0
    asked_at: Moment | None = None
    unanswered: bool = False
    ask_alone: bool = False
    looks: int = 0
    looked_at: Moment | None = None
    code: str = ''
    message: str = ''
    reason: str = ''
    code_to_scan: str = ''
    facts: dict[str, str] = field(default_factory=dict)
    alarms: list[Alarm] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def is_over(self, now: Moment) -> bool:
        """Whether nobody can be busy with the request any more: its deadline has passed."""
        first = self.sent_on.get(now.boot)
        return first is not None and now.since(first) > self.patience

    def is_cancelling(self, now: Moment) -> bool:
        """Whether a cashier has to wait for what comes of the wish to cancel."""
        return (
            self.is_open
            and self.cancel_wanted is not None
            and not self.cancel_refused
            and now.since(self.cancel_wanted) < CANCEL_PATIENCE
        )
