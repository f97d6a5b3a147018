"""What a terminal and the gateway have in common: how a request and its answer travel.

A `Call` is one request of one carrier: the bytes, and what the carrier holds in its memory while it
waits. An answer arrives, or the carrier notices that none will.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ledger.testimony import About, Testimony, Witness

if TYPE_CHECKING:
    from ...ledger.clock import Moment
    from ...qfpay.outcome import Outcome
    from .courier import Process
    from .storage import Row
    from .world import World

#: seconds that a carrier waits for the answer to a question, and beyond the patience of a request
QUESTION_TAKES = 15.0
MARGIN = 2.0


class Call:
    """A request under way.

    `asked`: when its first byte left, on the carrier's clocks. `sent`: of a payment or refund, the
    testimony that it leaves; `known`: what the carrier knew of the row then. `until`: true time
    after which the carrier does not wait. `rows`: of a question about many. `way`: of a cancel.
    `number`: QFPay's, of what is asked about.
    """

    __slots__ = (
        'about',
        'asked',
        'claim',
        'claimed_at',
        'is_over',
        'known',
        'number',
        'process',
        'row',
        'rows',
        'seals',
        'sent',
        'until',
        'way',
        'witness',
    )

    def __init__(self, process: Process, row: Row, about: About, claim: int, now: float) -> None:
        self.process = process
        self.row = row
        self.about = about
        self.claim = claim
        self.claimed_at = now
        self.asked: Moment | None = None
        self.until = now + QUESTION_TAKES
        self.known: list[Testimony] = []
        self.rows: list[Row] = []
        self.sent: Testimony | None = None
        self.seals = False
        self.way = 0
        self.number: str | None = None
        self.is_over = False
        self.witness = Witness.ANSWER if about in (About.REQUEST, About.CANCEL) else Witness.INQUIRY


class Device:
    """One end of a link. Subclasses say what is answered. `seals`: it encrypts."""

    seals = False

    def __init__(self, world: World) -> None:
        self.world = world

    def receive(self, call: Call) -> None:
        """The first byte is on its way."""
        world, weather = self.world, self.world.weather
        if not self.is_reachable() or world.strikes(weather.refused):
            call.process.after(0.05, call.process.was_not_sent, call)
        elif world.strikes(weather.lost_request):
            self.lose(call)
        else:
            world.after(world.soon(0.4), self._arrive, call)

    def _arrive(self, call: Call) -> None:
        if call.about is About.REQUEST:
            self.world.judge.arrived(call.row)
        self.take(call)

    def is_reachable(self) -> bool:
        return True

    def take(self, call: Call) -> None:
        """The request is here."""
        raise NotImplementedError

    def send_back(self, call: Call, outcome: Outcome) -> None:
        """The answer leaves for the carrier, and arrives, or not."""
        world, weather = self.world, self.world.weather
        if world.strikes(weather.lost_answer):
            self.lose(call)
            return
        delay = world.soon(0.3)
        if world.strikes(weather.slow):
            delay += world.between(1.0, 14.0)
        if world.t + delay > call.until:
            self.lose(call)
        elif world.strikes(weather.garbled):
            call.process.after(delay, call.process.misses, call, 'unreadable')
        else:
            call.process.after(delay, call.process.hears, call, outcome)

    def lose(self, call: Call) -> None:
        """No answer will come: the connection breaks, or there is silence until the end."""
        world = self.world
        left = max(call.until - world.t, 0.0)
        is_broken = world.random() < 0.5
        delay = min(world.between(0.0, 3.0), left) if is_broken else left
        call.process.after(delay, call.process.misses, call, 'broken' if is_broken else 'timeout')
