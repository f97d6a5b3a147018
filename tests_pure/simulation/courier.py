"""Processes that own links and carry steps; the model of the addon's `courier/`.

A link has one owner at a time, by a lease of a few seconds that the owner renews. Who finds it run
out takes it over under the next fence. A step is claimed in a commit that reads the row anew, and
only then carried; just before the first byte of what moves money, the claim's age is looked at once
more, on a clock that nobody sets. Whatever comes back is reported under the claim it was asked
with, also by a process that has lost the link since.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...ledger import steps
from ...ledger.clock import Moment
from ...ledger.states import DONE, SENT
from ...ledger.steps import Do
from ...ledger.testimony import About, Fact, Testimony, Witness
from ...qfpay.outcome import Outcome
from .devices import MARGIN, Call

if TYPE_CHECKING:
    from .devices import Device
    from .storage import Row
    from .world import World

#: a claim of what moves money is that old at most when its first byte leaves
FRESH_CLAIM = 5.0
LEASE, RENEWED_EVERY, TOO_FAR = 8.0, 2.0, 9.0
#: what is due so soon is due
SLACK = 0.05
#: numbers that are due so soon are asked about in the same round
TOGETHER = 0.7
#: a process that cannot reach the database tries again
RETRY = 1.0


class Link:
    """One way to QFPay: a terminal or an account. `seals`: it is known to encrypt."""

    __slots__ = ('device', 'fence', 'is_terminal', 'lease', 'orphan_since', 'owner', 'renewed',
                 'rows', 'seals', 'world')  # fmt: skip

    def __init__(self, world: World, device: Device, is_terminal: bool) -> None:
        self.world = world
        self.device = device
        self.is_terminal = is_terminal
        self.seals = device.seals
        self.owner: Process | None = None
        self.fence = 0
        self.rows: list[Row] = []
        #: by the database's clock, in seconds; and when it was renewed, in true time
        self.lease = 0.0
        self.renewed = 0.0
        self.orphan_since: float | None = None

    def settle(self) -> None:
        """Write down the renewals that a living owner has made until now."""
        owner = self.owner
        if owner is not None and owner.is_in_order():
            world = self.world
            rounds = (world.t - self.renewed) // RENEWED_EVERY
            if rounds:
                self.renewed += rounds * RENEWED_EVERY
                since = world.t - self.renewed
                self.lease = world.database_seconds() - since + LEASE

    def is_free(self) -> bool:
        self.settle()
        left = self.lease - self.world.database_seconds()
        return self.owner is None or left < 0.0 or self._is_too_far(left)

    @staticmethod
    def _is_too_far(left: float) -> bool:
        """Made before the clock was set back."""
        return left > TOO_FAR

    def take_back(self, before: tuple[Process | None, int, float]) -> None:
        self.owner, self.fence, self.lease = before
        self.renewed = self.world.t


class Process:
    """A server process, from its start to its end."""

    def __init__(self, world: World, machine: object, name: str) -> None:
        self.world = world
        self.machine = machine
        self.name = name
        self.is_alive = True
        self.stands_until = 0.0
        self.is_cut_until = 0.0
        self._busy: set[Row] = set()
        self._plans: dict[Row, float] = {}

    def __str__(self) -> str:
        return self.name

    # ------------------------------------------------------------------
    # Life
    # ------------------------------------------------------------------

    def after(self, seconds: float, act: Callable[..., None], *arguments: object) -> None:
        """Do something later, if still alive, and not while it is stopped."""
        self.world.after(seconds, self._do, act, arguments)

    def _do(self, act: Callable[..., None], arguments: tuple[object, ...]) -> None:
        if not self.is_alive:
            return
        if self.stands_until > self.world.t:
            self.after(self.stands_until - self.world.t, act, *arguments)
            return
        act(*arguments)

    def is_in_order(self) -> bool:
        """Alive, running, and in touch with the database."""
        t = self.world.t
        return (
            self.is_alive
            and self.stands_until <= t
            and self.is_cut_until <= t
            and self.world.database.is_up
        )

    def reaches_database(self) -> bool:
        return self.is_cut_until <= self.world.t and self.world.database.is_up

    def now(self) -> Moment:
        return self.world.moment(self.machine)

    # ------------------------------------------------------------------
    # Links
    # ------------------------------------------------------------------

    def take_link(self, link: Link) -> None:
        world = self.world
        before = (link.owner, link.fence, link.lease)
        link.owner, link.fence = self, link.fence + 1
        link.renewed, link.lease = world.t, world.database_seconds() + LEASE
        world.database.own(link, before)
        world.judge.link_taken(link)
        world.note('%s takes the link of %s, fence %d', self, [str(row) for row in link.rows],
                   link.fence)  # fmt: skip
        for row in list(link.rows):
            if row.is_lost:
                continue
            if row.belief.state == SENT and row.belief.claim < link.fence:
                self._hear(row, Testimony(at=self.now(), witness=Witness.SERVER,
                                          about=About.REQUEST, fact=Fact.TAKEN_OVER))  # fmt: skip
            self.step(row)

    # ------------------------------------------------------------------
    # Steps
    # ------------------------------------------------------------------

    def _plan(self, row: Row, seconds: float) -> None:
        at = self.world.t + seconds
        planned = self._plans.get(row)
        if planned is not None and self.world.t < planned <= at:
            return
        self._plans[row] = at
        self.after(seconds, self._wake, row, at)

    def _wake(self, row: Row, at: float) -> None:
        if self._plans.get(row) == at:
            del self._plans[row]
            self.step(row)

    def step(self, row: Row) -> None:
        """Look what is to be done about a row, and begin it."""
        link = row.link
        if row.is_lost or link.owner is not self or row in self._busy:
            return
        if not self.reaches_database():
            self._plan(row, RETRY)
            return
        now, belief = self.now(), row.belief
        step = steps.next_step(row.attempt, belief, now, urgent=row.is_urgent)
        do = step.do
        if do is Do.REST:
            row.is_urgent = False
            return
        if step.after > SLACK:
            self._plan(row, step.after)
            return
        if do is Do.ASK:
            row.is_urgent = False
            if step.about is About.LIST:
                self._ask_many(row, now)
            else:
                self._ask(row, step.about, now)
        elif do is Do.SEND:
            self._send(row, now)
        elif do is Do.CANCEL:
            self._busy.add(row)
            self._cancel(row, now)
        elif do is Do.DROP:
            self._hear(row, Testimony(at=now, witness=Witness.SERVER, about=About.REQUEST,
                                      fact=Fact.NEVER_LEFT, reason=step.reason))  # fmt: skip
            self._plan(row, 0.0)
        else:
            self._hear(row, Testimony(at=now, witness=Witness.SERVER, fact=Fact.GIVEN_UP))
            self._plan(row, 0.0)

    def _call(self, row: Row, about: About) -> Call:
        call = Call(self, row, about, row.link.fence, self.world.t)
        call.seals = row.link.seals
        return call

    def _send(self, row: Row, now: Moment) -> None:
        """Claim it; then let it leave."""
        world = self.world
        patience = _patience(row)
        call = self._call(row, About.REQUEST)
        call.until = world.t + patience + MARGIN
        call.sent = Testimony(at=now, witness=Witness.SERVER, about=About.REQUEST, fact=Fact.SENT,
                              claim=call.claim, patience=patience)  # fmt: skip
        self._hear(row, call.sent, safe=True)
        call.known = row.testimonies[:]
        world.mishap(self)
        self.after(self._stands_still(), self._leaves, call)

    def _stands_still(self) -> float:
        """Between a claim and the first byte: a moment, or a while."""
        world = self.world
        return world.between(0.3, 9.0) if world.strikes(world.weather.stall) else 0.01

    def _leaves(self, call: Call) -> None:
        if self._is_stale(call):
            self.was_not_sent(call, 'stale')
            return
        self.world.judge.leaves(call, FRESH_CLAIM)
        self.world.note('%s: %s leaves', self, call.row)
        call.row.link.device.receive(call)
        self.world.mishap(self)

    def _is_stale(self, call: Call) -> bool:
        return self.world.t - call.claimed_at > FRESH_CLAIM

    def _ask(self, row: Row, about: About, now: Moment) -> None:
        call = self._call(row, about)
        call.asked = now
        if about is About.CONTROL:
            call.number = self._control(row)
            if call.number is None:
                self._hear(row, Testimony(at=now, witness=Witness.SERVER, about=About.CONTROL,
                                          fact=Fact.NO_CONTROL))  # fmt: skip
                self._plan(row, 0.0)
                return
        elif about is About.ORIGINAL:
            call.number = row.attempt.original_syssn
        call.known = row.testimonies[:]
        row.last_look = self.world.t
        self.world.judge.asks(row)
        self._busy.add(row)
        row.link.device.receive(call)
        if self.world.strikes(self.world.weather.doze):
            self.world.fleet.stop(self, self.world.between(5.0, 25.0))

    @staticmethod
    def _control(row: Row) -> str | None:
        """A payment that this terminal certainly has."""
        for other in row.link.rows:
            if other.belief.state == DONE and not other.attempt.is_refund and not other.is_lost:
                return other.belief.facts.get('syssn')
        return None

    def _ask_many(self, row: Row, now: Moment) -> None:
        """One question for all that is due on this account."""
        rows = [row]
        for other in row.link.rows:
            if other is row or other in self._busy or other.is_lost or not other.belief.is_open:
                continue
            step = steps.next_step(other.attempt, other.belief, now)
            if step.about is About.LIST and step.after < TOGETHER:
                rows.append(other)
        call = self._call(row, About.LIST)
        call.asked = now
        call.rows = rows
        self._busy.update(rows)
        row.link.device.receive(call)

    def _cancel(self, row: Row, now: Moment) -> None:
        call = self._call(row, About.CANCEL)
        call.asked = now
        call.way = row.belief.ways_tried
        call.known = row.testimonies[:]
        self.after(self._stands_still(), self._cancel_leaves, call)

    def _cancel_leaves(self, call: Call) -> None:
        if self._is_stale(call):
            # it is decided anew: what was waited for may have come
            self._busy.discard(call.row)
            self.step(call.row)
            return
        self.world.judge.leaves(call, FRESH_CLAIM)
        self.world.note('%s: cancel of %s leaves', self, call.row)
        call.row.link.device.receive(call)

    # ------------------------------------------------------------------
    # What comes back
    # ------------------------------------------------------------------

    def hears(self, call: Call, outcome: Outcome) -> None:
        """An answer is here."""
        if call.is_over:
            return
        if call.rows:
            call.is_over = True
            for row, said in outcome:
                self._heard(call, row, outcome=said)
        else:
            self._heard(call, call.row, outcome=outcome)

    def misses(self, call: Call, reason: str) -> None:
        """No answer will come, or it cannot be read."""
        if call.is_over:
            return
        fact = Fact.ANSWER_LOST if call.about is About.REQUEST else Fact.UNANSWERED
        if call.rows:
            call.is_over = True
            for row in call.rows:
                self._heard(call, row, fact=fact, reason=reason)
        else:
            self._heard(call, call.row, fact=fact, reason=reason)

    def was_not_sent(self, call: Call, reason: str = 'unreachable') -> None:
        """Not one byte left."""
        if call.about is not About.REQUEST:
            self.misses(call, reason)
        elif not call.is_over:
            self._heard(call, call.row, fact=Fact.NEVER_LEFT, reason=reason)

    def _heard(self, call: Call, row: Row, outcome: Outcome | None = None, fact: Fact | None = None,
               reason: str = '') -> None:  # fmt: skip
        call.is_over = True
        said = Testimony(
            at=self.now(),
            asked_at=call.asked,
            witness=call.witness if outcome is not None else Witness.SERVER,
            about=call.about,
            outcome=outcome,
            fact=fact,
            reason=reason,
            claim=call.claim,
            seals=call.seals,
        )
        self.world.mishap(self)
        if self.is_alive:
            self._report(call, row, said)

    def _report(self, call: Call, row: Row, said: Testimony) -> None:
        """Bring it to the ledger, whoever has the link now; again, until it is there."""
        if not self.reaches_database():
            self.after(RETRY, self._report, call, row, said)
            return
        world = self.world
        if row.is_lost:
            row.reported_lost = row.reported_lost or bool(call.known)
            if not call.known or not world.database.rewrites:
                self._busy.discard(row)
                return
            world.database.write_anew(row, call.known, self.now())
        self._hear(row, said)
        if call.about is not About.REQUEST:
            self._busy.discard(row)
        owner = row.link.owner
        if owner is self:
            self.step(row)
        else:
            world.fleet.poke(row)

    def _hear(self, row: Row, said: Testimony, safe: bool = False) -> None:
        self.world.database.hear(row, said, safe)


def _patience(row: Row) -> float:
    """Seconds after which nobody can be busy with it any more."""
    attempt = row.attempt
    return 330.0 if attempt.by_shown_code else 150.0
