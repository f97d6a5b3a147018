"""QFPay's book: who paid what, for certain.

Only customers, terminals and the gateway write here, and only the judge and QFPay's own answers
read it. A trade may be in the book before an answer shows it, and QFPay may deny for a few seconds
what it knows.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ...qfpay.times import HONG_KONG

if TYPE_CHECKING:
    from .storage import Row
    from .world import World

#: what QFPay promises (see the package), in seconds
SHOWN_WITHIN = 9.8
DENIED_FOR = 4.9
#: QFPay's own end of a code that nobody scanned
CODE_LIVES = 1800.0
NEVER = float('inf')
_EIGHT_HOURS = timedelta(hours=8)

OPEN, PAID, REFUSED, CLOSED, EXPIRED, UNDONE = (
    'open',
    'paid',
    'refused',
    'closed',
    'expired',
    'undone',
)
#: the host's code of a trade in that state
CODES = {
    OPEN: '1143',
    PAID: '0000',
    REFUSED: '1205',
    CLOSED: '1264',
    EXPIRED: '1181',
    UNDONE: '0000',
}


class Trade:
    """A row of QFPay's book. `row`: of the ledger, None for somebody else's.

    `shown_from`: in answers. `paid_at`, `undone_at`: true time. `told`: the ledger has heard, in
    words that can be believed, that it is paid; `undoing_told`: that it is undone, or given back as
    a whole. `elsewhere`: what was given back of it past the ledger. `was_refused`: QFPay has said
    so in words, whatever became of it.
    """

    __slots__ = (
        'amount',
        'currency',
        'elsewhere',
        'ends_at',
        'kind',
        'made_at',
        'number',
        'original',
        'paid_at',
        'reference',
        'refunded',
        'row',
        'shown_from',
        'state',
        'told',
        'undoing_told',
        'undone_at',
        'was_late',
        'was_refused',
    )

    def __init__(self, number: str, reference: str, kind: str, amount: int, made_at: datetime):
        self.number = number
        self.reference = reference
        self.kind = kind
        self.amount = amount
        self.currency = 'HKD'
        self.made_at = made_at
        self.state = OPEN
        self.row: Row | None = None
        self.original: Trade | None = None
        self.refunded = 0
        self.elsewhere = 0
        self.shown_from = 0.0
        self.ends_at = NEVER
        self.paid_at: float | None = None
        self.undone_at: float | None = None
        self.told = False
        self.undoing_told = False
        self.was_refused = False
        self.was_late = False

    @property
    def left(self) -> int:
        return self.amount - self.refunded if self.state == PAID else 0

    @property
    def was_paid(self) -> bool:
        return self.paid_at is not None

    def money(self) -> int:
        """What the shop has of it; of a refund, what it gave back."""
        return self.amount if self.state == PAID else 0


class Host:
    """The book, and who is told of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.trades: list[Trade] = []
        self.by_reference: dict[str, list[Trade]] = {}
        self.by_number: dict[str, Trade] = {}
        #: from then, until then: QFPay finds nothing; nothing of what the ledger has seen already;
        #: terminals cannot reach it
        self.denies = (NEVER, NEVER)
        self.denies_known = (NEVER, NEVER)
        self.is_away = (NEVER, NEVER)
        self.tell = lambda _trade, _first: None

    # ------------------------------------------------------------------
    # What happens
    # ------------------------------------------------------------------

    def time(self) -> datetime:
        """QFPay's clock, in Hong Kong, in whole seconds."""
        now = self.world.host_time()
        return (now + _EIGHT_HOURS).replace(microsecond=0, tzinfo=HONG_KONG)

    def open(self, reference: str, kind: str, amount: int, row: Row | None) -> Trade:
        made_at = self.time()
        number = f'{made_at:%Y%m%d}{len(self.trades):010d}'
        trade = Trade(number, reference, kind, amount, made_at)
        trade.row = row
        self.trades.append(trade)
        self.by_number[number] = trade
        self.by_reference.setdefault(reference, []).append(trade)
        if row is not None:
            row.trades.append(trade)
        return trade

    def pay(self, trade: Trade) -> None:
        """The customer's money moves."""
        if trade.state in (PAID, UNDONE):
            return
        trade.state, trade.paid_at = PAID, self.world.t
        if trade.original is not None:
            trade.original.refunded += trade.amount
            trade.original.elsewhere += trade.amount if trade.row is None else 0
        self.world.note('book: %s %s of %s moves %s', trade.number, trade.kind, trade.reference,
                        trade.amount)  # fmt: skip
        self.tell(trade, True)

    def end(self, trade: Trade, state: str) -> None:
        if trade.state == OPEN:
            trade.state, trade.was_refused = state, True
            self.world.note('book: %s of %s is %s', trade.number, trade.reference, state)

    def undo(self, trade: Trade) -> None:
        """QFPay gives back by itself."""
        if trade.state == PAID and not trade.refunded:
            trade.state, trade.undone_at = UNDONE, self.world.t
            trade.was_refused = True
            self.world.note('book: %s of %s is undone', trade.number, trade.reference)

    def refund(self, original: Trade, reference: str, amount: int, row: Row | None) -> Trade | None:
        """A refund's trade, still open; None when QFPay refuses."""
        busy = any(
            trade.original is original and self.state(trade) == OPEN for trade in self.trades
        )
        if busy or original.left < amount:
            return None
        trade = self.open(reference, 'refund', amount, row)
        trade.original = original
        return trade

    # ------------------------------------------------------------------
    # What is told
    # ------------------------------------------------------------------

    def state(self, trade: Trade) -> str:
        """What is so now: a code that has run out ends by itself."""
        if trade.state == OPEN and self.world.t >= trade.ends_at:
            self.end(trade, EXPIRED)
        return trade.state

    def find(self, reference: str) -> list[Trade]:
        """What an answer shows under a number of ours, the oldest first."""
        trades = self.by_reference.get(reference)
        t = self.world.t
        if not trades:
            return []
        if self.denies[0] <= t < self.denies[1]:
            trades = [trade for trade in trades if trade.was_late]
            if not trades:
                return []
        begin, end = self.denies_known
        row = trades[0].row
        if begin <= t < end and row is not None and row.belief.known:
            if not row.belief.is_open:
                # QFPay may have tidied up: of what has ended, a denial is an answer
                self.world.judge.fooled(row)
            return []
        return [trade for trade in trades if trade.shown_from <= t and self.state(trade)]

    def show_late(self, trade: Trade, after: float | None = None) -> None:
        """It shows so many seconds later; often only just as promised."""
        if after is None:
            least = 8.0 if self.world.random() < 0.5 else 0.0
            after = self.world.between(least, SHOWN_WITHIN)
        trade.shown_from, trade.was_late = self.world.t + after, True

    def cannot_be_reached(self) -> bool:
        """By terminals."""
        return self.is_away[0] <= self.world.t < self.is_away[1]
