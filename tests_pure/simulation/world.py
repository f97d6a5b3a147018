"""The queue of events, chance, and the clocks."""

from collections.abc import Callable
from datetime import datetime, timedelta
from heapq import heappop, heappush
from random import Random

from ...ledger.clock import Moment

#: the database's clock when a schedule begins; some days around a month's end follow
BEGINNING = datetime(2026, 3, 30, 2)
DAYS = 3
#: no schedule takes so many events, unless something asks and asks
MOST_EVENTS = 10000


class Restless(Exception):
    """Something is done again and again, without rest."""


class Machine:
    """A computer: it names its runs, and its steady clock counts from a moment of its own."""

    __slots__ = ('name', 'number', 'offset', 'run')

    def __init__(self, number: int, offset: float) -> None:
        self.number = number
        self.offset = offset
        self.run = 0
        self.name = f'm{number}.0'

    def reboot(self, now: float) -> None:
        self.run += 1
        self.name = f'm{self.number}.{self.run}'
        self.offset = -now


class World:
    """One schedule. `t` is true time, in seconds; `trace` takes the account of it, if any."""

    def __init__(self, seed: int, trace: list[str] | None = None) -> None:
        self.rng = Random(seed)
        self.random = self.rng.random
        self.trace = trace
        self.t = 0.0
        self.begins = BEGINNING + timedelta(seconds=int(self.random() * DAYS * 86400))
        #: the database's clock may be set; QFPay's is a little off
        self.set_by = 0.0
        self.host_off_by = 0.0
        self._queue: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []
        self._count = 0

    # ------------------------------------------------------------------
    # Events
    # ------------------------------------------------------------------

    def after(self, seconds: float, act: Callable[..., None], *arguments: object) -> None:
        self._count = count = self._count + 1
        heappush(self._queue, (self.t + seconds, count, act, arguments))

    def end(self) -> None:
        """Nothing more shall happen."""
        self._queue.clear()

    def run(self) -> None:
        """Until nothing more happens."""
        queue = self._queue
        for _event in range(MOST_EVENTS):
            if not queue:
                return
            self.t, _count, act, arguments = heappop(queue)
            act(*arguments)
        raise Restless

    # ------------------------------------------------------------------
    # Chance
    # ------------------------------------------------------------------

    def strikes(self, rate: float) -> bool:
        return rate > 0.0 and self.random() < rate

    def between(self, least: float, most: float) -> float:
        return least + (most - least) * self.random()

    def soon(self, most: float) -> float:
        """A delay that is mostly short."""
        chance = self.random()
        return most * chance * chance * chance

    # ------------------------------------------------------------------
    # Clocks
    # ------------------------------------------------------------------

    def database_time(self) -> datetime:
        return self.begins + timedelta(seconds=self.t + self.set_by)

    def database_seconds(self) -> float:
        return self.t + self.set_by

    def host_time(self) -> datetime:
        """QFPay's clock, UTC without a zone."""
        return self.begins + timedelta(seconds=self.t + self.host_off_by)

    def moment(self, machine: Machine) -> Moment:
        return Moment(self.database_time(), machine.name, self.t + machine.offset)

    # ------------------------------------------------------------------
    # The account
    # ------------------------------------------------------------------

    def note(self, text: str, *values: object) -> None:
        if self.trace is not None:
            self.trace.append(f'{self.t:10.2f}  {text % values if values else text}')
