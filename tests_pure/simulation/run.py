"""A schedule from its seed, and many of them."""

from __future__ import annotations

from collections.abc import Callable
from traceback import format_exc

from ...ledger.steps import LOOKS
from .courier import Link, Process
from .fleet import Fleet
from .gateway import Gateway
from .host import DENIED_FOR, NEVER, Host
from .judgement import Disagreement, Judge
from .shop import Shop
from .storage import LOST_IN_A_CRASH, LOST_IN_A_FAILOVER, Database
from .terminal import Terminal
from .weather import Weather, draw, peace
from .world import Restless, World

#: an hour, as clocks are set by mistake
HOUR = 3600.0
#: after so long in peace, in seconds, what is paid is known: it is longer than any pause
KNOWN_WITHIN = 700.0
#: so many schedules end when only such rows are left of which a manager knows
SHORT = 0.9

#: lines that an account has at most
LONGEST_ACCOUNT = 400

Plant = Callable[['Schedule'], None]


class Schedule(World):
    """A shop, its servers, QFPay, and what befalls them."""

    def __init__(self, seed: int, trace: list[str] | None = None) -> None:
        super().__init__(seed, trace)
        self.weather: Weather = draw(self.rng)
        self.clock_will_be_set = bool(
            {'clock_set', 'reboot_sets_clock'} & set(self.weather.calamities)
        )
        self.host_off_by = 0.0 if self.weather.is_calm else self.between(-240.0, 240.0)
        self.judge = Judge(self)
        self.host = Host(self)
        self.database = Database(self, self.judge)
        self.fleet = Fleet(self)
        self.shop = Shop(self)
        self.database.changed = self.shop.changed
        #: what a planted bug switches off
        self.believes_a_test = True

    def prepare(self) -> None:
        """Who is there, and what will befall them."""
        chance = self.random()
        links = []
        if chance < 0.65:
            links.append(Link(self, Terminal(self, self.host), True))
        if chance > 0.45:
            links.append(Link(self, Gateway(self, self.host), False))
        self.fleet.links = links
        self.note('weather: %s', self.weather)
        self.shop.open(links)
        for name in self.weather.calamities:
            self.after(self.between(0.0, min(self.weather.peace, 200.0)), getattr(self, name))
        self.after(self.weather.peace, self._peace)

    def play(self) -> None:
        """Until all rows are at rest; raises Disagreement."""
        try:
            self.run()
        except Restless:
            raise Disagreement('something is done again and again') from None
        self.judge.conclude()

    # ------------------------------------------------------------------
    # What befalls them
    # ------------------------------------------------------------------

    def mishap(self, process: Process) -> None:
        """At a moment that matters."""
        if not self.strikes(self.weather.mishap):
            return
        chance = self.random()
        if chance < 0.35:
            self.fleet.crash(process)
        elif chance < 0.7:
            self.database_crash()
        elif chance < 0.9:
            self.fleet.stop(process, self.between(0.5, 30.0))
        elif chance < 0.95:
            self.fleet.reboot(process.machine)
        else:
            self.fleet.cut(process, self.between(2.0, 30.0))

    def clock_set(self) -> None:
        self.fleet.set_clock(HOUR if self.random() < 0.5 else -HOUR)

    def database_crash(self) -> None:
        if self.database.is_up:
            self.note('the database crashes')
            self.fleet.lose_database()
            self.database.crash(self.between(0.0, LOST_IN_A_CRASH))
            self.after(self.between(1.0, 15.0), self.fleet.find_database)

    def database_away(self) -> None:
        if self.database.is_up:
            self.note('the database is away')
            self.fleet.lose_database()
            self.after(self.between(1.0, 120.0), self.fleet.find_database)

    def failover(self) -> None:
        if self.database.is_up:
            self.note('another machine becomes the database')
            self.fleet.lose_database()
            self.database.fail_over(self.between(0.0, LOST_IN_A_FAILOVER))
            self.after(self.between(1.0, 15.0), self.fleet.find_database)

    def machine_off(self) -> None:
        self.fleet.reboot(self.fleet.processes[0].machine)

    def reboot_sets_clock(self) -> None:
        """The machine was off; when it is back, its clock is wrong."""
        self.machine_off()
        self.clock_set()

    def process_stops(self) -> None:
        self.fleet.stop(self.fleet.processes[0], self.between(1.0, 60.0))

    def process_cut(self) -> None:
        self.fleet.cut(self.fleet.processes[0], self.between(2.0, 60.0))

    def terminal_off(self) -> None:
        device = self.fleet.links[0].device
        if isinstance(device, Terminal):
            self.note('the terminal loses power')
            longest = 120.0 if self.random() < 0.6 else 1500.0
            device.is_off = (self.t, self.t + self.between(5.0, longest))
            device.loses_power()

    def unsealed(self) -> None:
        """Encryption is switched off in the portal; a manager tests the connection."""
        for link in self.fleet.links:
            if link.device.seals:
                self.note('the terminal does not encrypt any more')
                link.device.seals = False
                self.after(self.between(5.0, 200.0), self._test_connection, link)

    def _test_connection(self, link: Link) -> None:
        if self.believes_a_test:
            self.note('it is known that the terminal does not encrypt')
            link.seals = link.device.seals

    def host_away(self) -> None:
        self.host.is_away = (self.t, self.t + self.between(2.0, 120.0))

    def denial(self) -> None:
        self.host.denies = (self.t, self.t + self.between(0.5, DENIED_FOR))

    def long_denial(self) -> None:
        self.host.denies_known = (self.t, self.t + self.between(30.0, 1500.0))

    def _peace(self) -> None:
        self.note('peace')
        peace(self.weather)
        self.host.is_away = self.host.denies_known = (NEVER, NEVER)
        for link in self.fleet.links:
            if isinstance(link.device, Terminal):
                link.device.is_off = (NEVER, NEVER)
        if not self.database.is_up:
            self.fleet.find_database()
        self.after(KNOWN_WITHIN, self.judge.inspect)
        if self.random() < SHORT:
            self.after(LOOKS[-1] + KNOWN_WITHIN + HOUR, self._end_early)

    def _end_early(self) -> None:
        """If all that is left is to ask for a day about what a manager knows already."""
        if self.judge.only_managers_are_left():
            self.end()


def play(seed: int, plant: Plant | None = None, trace: list[str] | None = None) -> str:
    """Play one schedule.

    :return: what disagrees, '' when nothing does
    """
    return _played(seed, plant, trace)[1]


def _played(seed: int, plant: Plant | None, trace: list[str] | None) -> tuple[Schedule, str]:
    schedule = Schedule(seed, trace)
    if plant is not None:
        plant(schedule)
    schedule.prepare()
    try:
        schedule.play()
    except Disagreement as found:
        return schedule, str(found)
    except Exception:
        return schedule, f'something breaks\n{format_exc()}'
    return schedule, ''


def account(seed: int, bug: str = '') -> str:
    """All that happened in a schedule, the book and the beliefs, and what disagrees."""
    from .bugs import planted

    trace: list[str] = []
    with planted(bug) as plant:
        schedule, what = _played(seed, plant, trace)
    if len(trace) > LONGEST_ACCOUNT:
        half = LONGEST_ACCOUNT // 2
        trace[half:-half] = [f'            … {len(trace) - 2 * half} more …']
    book = [
        f'  {trade.number} {trade.kind} of {trade.reference}: {trade.state}, {trade.amount} '
        f'{trade.currency}, for {trade.row or "nobody here"}'
        for trade in schedule.host.trades
    ]
    beliefs = [
        f'  {row} {row.attempt.kind} {row.attempt.reference} of {row.signed_minor}: '
        f'{"lost" if row.is_lost else row.belief.state}'
        f'{" by a manager" if row.belief.by_manager else ""} '
        f'{[alarm.what for alarm in row.belief.alarms] or ""}'
        for order in schedule.shop.orders
        for line in order.lines
        for row in line.rows
    ]
    parts = [f'Seed {seed}', *trace, 'The book', *book, 'The beliefs', *beliefs]
    return '\n'.join([*parts, f'=> {what or "they agree"}'])
