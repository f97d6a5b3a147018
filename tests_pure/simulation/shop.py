"""Orders, tills, cashiers, managers; the model of the addon's `cashier/` and of its projection.

A cashier taps, taps again, calls off, tries again after a failure, or deletes the line and takes
cash. A manager looks into QFPay's portal and decides, or looks at what was strange.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ledger.limits import may_be_charged, refundable
from ...ledger.line import Line as LineInOdoo
from ...ledger.line import strange
from ...ledger.states import AT_QFPAY, DONE, DRAFT, NOT_DONE, OPEN, UNKNOWN
from ...ledger.testimony import About, Attempt, Fact, Testimony, Witness
from .host import OPEN as UNPAID
from .storage import Row, engaged

if TYPE_CHECKING:
    from .courier import Link, Process
    from .world import World

AMOUNTS = (1000, 1000, 25000)
TERMINAL_CHANNELS = ('card_payment', 'wx')
#: codes that the till shows, with and without a way to cancel, and codes that it scans
GATEWAY_CHANNELS = ('800201', '802001', '800101', '800108', '805808')
MOST_ATTEMPTS = 3


class Order:
    """What is due, and its payment lines."""

    __slots__ = ('due', 'is_closed', 'lines', 'number')

    def __init__(self, number: int, due: int) -> None:
        self.number = number
        self.due = due
        self.lines: list[Line] = []
        self.is_closed = False

    def rows(self) -> list[Row]:
        return [row for line in self.lines for row in line.rows if not row.is_lost]


class Line:
    """A payment line. `rows`: its attempts, those included that the database lost."""

    __slots__ = ('amount', 'channel', 'is_gone', 'link', 'order', 'original', 'rows', 'tries')

    def __init__(self, order: Order, amount: int, link: Link, channel: str) -> None:
        self.order = order
        self.amount = amount
        self.link = link
        self.channel = channel
        self.original: Row | None = None
        self.rows: list[Row] = []
        self.is_gone = False
        self.tries = 0
        order.lines.append(self)

    def open_row(self) -> Row | None:
        for row in self.rows:
            if not row.is_lost and row.belief.is_open:
                return row
        return None


class Shop:
    """Everybody in it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.orders: list[Order] = []
        self._count = 0
        #: what the planted bugs switch off
        self.is_atomic = True
        self.is_one_by_one = True
        self.tells_until_told = True
        self.notes_what_is_strange = True

    def open(self, links: list[Link]) -> None:
        """The day begins."""
        world = self.world
        number = 1 if world.random() < 0.6 else 2
        for _order in range(number):
            link = links[int(world.random() * len(links))]
            amount = AMOUNTS[int(world.random() * len(AMOUNTS))]
            begin = world.between(0.0, 20.0 if link.is_terminal else 5.0)
            if self.orders and world.random() < 0.4:
                begin += world.between(0.0, 400.0)
            order = self._order(amount)
            line = Line(order, amount, link, self._channel(link))
            self._will_tap(line, begin)
            if world.strikes(world.weather.second_till):
                other = links[int(world.random() * len(links))]
                second = Line(order, amount, other, self._channel(other))
                self._will_tap(second, begin + world.soon(3.0))

    def _order(self, due: int) -> Order:
        order = Order(len(self.orders), due)
        self.orders.append(order)
        return order

    def _channel(self, link: Link) -> str:
        channels = TERMINAL_CHANNELS if link.is_terminal else GATEWAY_CHANNELS
        return channels[int(self.world.random() * len(channels))]

    def _will_tap(self, line: Line, seconds: float) -> None:
        world, weather = self.world, self.world.weather
        world.after(seconds, self.tap, line)
        if world.strikes(weather.double_tap):
            world.after(seconds + world.soon(4.0), self.tap, line)
        if world.strikes(weather.calls_off):
            world.after(seconds + world.soon(80.0), self.call_off, line, True)
        if world.strikes(weather.asks_now):
            for _press in range(3):
                world.after(seconds + world.soon(200.0), self.ask_now, line)

    # ------------------------------------------------------------------
    # What a cashier does
    # ------------------------------------------------------------------

    def tap(self, line: Line) -> None:
        """Ask for the money of a line."""
        world = self.world
        process = world.fleet.any()
        if line.is_gone or line.order.is_closed or len(line.rows) >= MOST_ATTEMPTS:
            return
        if process is None:
            world.after(world.between(2.0, 6.0), self.tap, line)
        elif self._may_start(line):
            if self.is_atomic:
                self._start(line, process)
            else:
                world.after(world.between(0.0, 0.3), self._start, line, process)

    def _may_start(self, line: Line) -> bool:
        if line.open_row() or any(row.belief.state == DONE and not row.is_lost
                                  for row in line.rows):  # fmt: skip
            return False
        rows = engaged(line.order.rows())
        amount = -line.amount if line.original else line.amount
        if not may_be_charged(line.order.due, [row.signed_minor for row in rows], amount):
            return False
        if line.original is not None and not self._may_refund(line):
            return False
        if self.is_one_by_one and line.link.is_terminal and self._is_busy(line.link):
            # one job at a time; the cashier tries again, a few times
            line.tries += 1
            if line.tries < 6:
                self.world.after(self.world.between(5.0, 40.0), self.tap, line)
            return False
        return True

    @staticmethod
    def _is_busy(link: Link) -> bool:
        return any(row.belief.is_open and not row.is_lost for row in link.rows)

    def _may_refund(self, line: Line) -> bool:
        original = line.original
        if original.belief.state != DONE or original.is_lost:
            return False
        refunds = engaged(original.refunds)
        if self.is_one_by_one and any(row.belief.is_open for row in refunds):
            return False
        amounts = [row.attempt.amount_minor for row in refunds]
        return line.amount <= refundable(original.attempt.amount_minor, amounts)

    def _start(self, line: Line, process: Process) -> None:
        world = self.world
        if not process.is_in_order():
            return
        self._count += 1
        original = line.original
        attempt = Attempt(
            reference=f't{self._count}',
            kind='refund' if original else 'payment',
            provider='ecr' if line.link.is_terminal else 'openapi',
            channel=line.channel,
            amount_minor=line.amount,
            currency='HKD',
            created=process.now(),
            original_syssn=original.belief.facts.get('syssn') if original else None,
            original_minor=original.attempt.amount_minor if original else 0,
        )
        row = Row(self._count, attempt, line, line.link, world.t)
        row.original = original
        line.rows.append(row)
        line.link.rows.append(row)
        world.database.add(row)
        world.note('%s starts %s: %s %s %s for order %d', process, row, attempt.provider,
                   attempt.kind, attempt.amount_minor, line.order.number)  # fmt: skip
        if line.link.is_terminal and not original:
            line.link.device.strangers.remember(row)
        world.mishap(process)
        world.fleet.hold(row, process)

    def call_off(self, line: Line, again: bool) -> None:
        """The cashier wants it cancelled."""
        row, process = line.open_row(), self.world.fleet.any()
        if row is not None and process is not None:
            self.want_cancelled(row, Witness.CASHIER, process)
            if again and self.world.random() < 0.3:
                self.world.after(self.world.between(1.0, 10.0), self.call_off, line, False)

    def want_cancelled(self, row: Row, witness: Witness, process: Process) -> None:
        if row.belief.state == DRAFT:
            said = Testimony(at=process.now(), witness=Witness.SERVER, about=About.REQUEST,
                             fact=Fact.NEVER_LEFT, reason='cancelled')  # fmt: skip
        elif row.belief.state in AT_QFPAY and not row.attempt.is_refund:
            said = Testimony(at=process.now(), witness=witness, fact=Fact.CANCEL_WANTED)
        else:
            return
        self.world.database.hear(row, said)
        self.world.fleet.poke(row)

    def ask_now(self, line: Line) -> None:
        """Somebody wants QFPay to be asked now."""
        if self.world.fleet.any() is None:
            return
        for row in line.rows:
            if not row.is_lost and row.belief.state != DRAFT:
                row.is_urgent = True
                self.world.fleet.poke(row)

    def _sees(self, row: Row) -> None:
        """The till shows what became of it; the cashier goes on."""
        world, weather, line = self.world, self.world.weather, row.line
        state = row.belief.state
        if state == UNKNOWN:
            if world.strikes(weather.asks_now):
                world.after(world.between(0.5, 9.0), self.ask_now, line)
            if world.strikes(weather.forces):
                world.after(world.between(2.0, 200.0), self.decide, line)
        elif state in NOT_DONE:
            if world.strikes(weather.deletes):
                world.after(world.between(0.5, 30.0), self._takes_cash, line)
            elif world.random() < 0.7:
                world.after(world.between(0.5, 30.0), self.tap, line)
        elif state == DONE and not row.attempt.is_refund and world.strikes(weather.refunds):
            if world.strikes(weather.portal):
                world.after(world.between(3.0, 300.0), self._refunds_in_portal, row)
            for _refund in range(1 + int(3.0 * world.random())):
                world.after(world.between(3.0, 600.0), self._gives_back, row)
        if row.belief.alarms and world.strikes(weather.looks):
            world.after(world.between(5.0, 300.0), self._looks_at, row)

    def _takes_cash(self, line: Line) -> None:
        """The line is deleted, the order is paid otherwise; not while anything is open."""
        rows = line.order.rows()
        if line.order.is_closed or any(
            row.belief.is_open or row.belief.state == DONE for row in rows
        ):
            return
        self.world.note('the lines of order %d are deleted, cash is taken', line.order.number)
        line.order.is_closed = True
        for other in line.order.lines:
            other.is_gone = True
        for row in rows:
            self.changed(row)

    def _refunds_in_portal(self, row: Row) -> None:
        """A manager gives back a little, or all, in QFPay's portal, past the ledger.

        All only where each refund of the shop's is done: of two refunds of one amount, a terminal's
        and the portal's, what is left tells that one happened, and nothing tells which.
        """
        trade = self.world.host.by_number.get(row.belief.facts.get('syssn', ''))
        if trade is not None:
            is_all = all(refund.belief.state == DONE for refund in row.refunds)
            is_all = is_all and self.world.random() < 0.5
            amount = trade.left if is_all else row.attempt.amount_minor // 10
            refund = self.world.host.refund(trade, f'portal{row.number}', amount, None)
            if refund is not None:
                self.world.host.pay(refund)
                self.world.after(self.world.between(1.0, 60.0), self.ask_now, row.line)

    def _gives_back(self, payment: Row) -> None:
        """A refund is an order of its own."""
        if payment.is_lost or payment.belief.state != DONE:
            return
        paid = payment.attempt.amount_minor
        amount = paid if self.world.random() < 0.3 else paid // 4
        line = Line(self._order(-amount), amount, payment.link, payment.attempt.channel)
        line.original = payment
        self.tap(line)

    # ------------------------------------------------------------------
    # What a manager does
    # ------------------------------------------------------------------

    def decide(self, line: Line) -> None:
        """He looks into QFPay's portal, and says what he saw, or what he thinks."""
        world = self.world
        process = world.fleet.any()
        row = line.open_row()
        if process is None or row is None or row.belief.state not in AT_QFPAY:
            return
        states = [world.host.state(trade) for trade in row.trades]
        if UNPAID in states or (not row.belief.is_over(process.now()) and row.belief.waiting):
            return
        is_paid = any(trade.money() == row.attempt.amount_minor for trade in row.trades)
        if world.strikes(world.weather.forces_wrongly):
            is_paid = not is_paid
        fact = Fact.DONE if is_paid else Fact.FAILED
        world.database.hear(row, Testimony(at=process.now(), witness=Witness.MANAGER, fact=fact),
                            safe=True)  # fmt: skip
        world.fleet.poke(row)

    def _looks_at(self, row: Row) -> None:
        process = self.world.fleet.any()
        if process is not None and row.belief.alarms and not row.is_lost:
            self.world.judge.looked_at(row)
            said = Testimony(at=process.now(), witness=Witness.MANAGER, fact=Fact.LOOKED_AT)
            self.world.database.hear(row, said, safe=True)

    # ------------------------------------------------------------------
    # Line and tills follow what is believed
    # ------------------------------------------------------------------

    def changed(self, row: Row) -> None:
        """Something new is believed."""
        if not row.needs_telling:
            row.needs_telling = True
            self.world.after(0.02, self.tell, row)

    def tell(self, row: Row) -> None:
        """Tell it, as often as it takes."""
        world = self.world
        if row.is_lost or not row.needs_telling:
            row.needs_telling = False
            return
        process = world.fleet.any()
        if process is None:
            world.after(2.0, self.tell, row)
        elif world.strikes(world.weather.projection_fails):
            if self.tells_until_told:
                world.after(15.0, self.tell, row)
        else:
            row.needs_telling = False
            if row.belief.state not in OPEN:
                self._hold_against_line(row, process)
            self._sees(row)

    def _hold_against_line(self, row: Row, process: Process) -> None:
        state, order = row.belief.state, row.line.order
        paid_twice = ''
        if state == DONE:
            siblings = [other for other in engaged(order.rows()) if other is not row]
            for other in siblings:
                if other.belief.is_open and not self._has_room(other, [*siblings, row]):
                    self.want_cancelled(other, Witness.SERVER, process)
            paid = [other for other in siblings if other.belief.state == DONE]
            if not self._has_room(row, [*paid, row]):
                paid_twice = paid[0].attempt.reference
        line = LineInOdoo(exists=not row.line.is_gone, paid_twice=paid_twice)
        noted = {said.reason for said in row.testimonies if said.fact is Fact.STRANGE}
        for alarm in strange(row.attempt.kind, state, line):
            if alarm.what not in noted and self.notes_what_is_strange:
                said = Testimony(at=process.now(), witness=Witness.SERVER, fact=Fact.STRANGE,
                                 reason=alarm.what, detail=alarm.heard)  # fmt: skip
                self.world.database.hear(row, said)

    @staticmethod
    def _has_room(row: Row, rows: list[Row]) -> bool:
        others = [other.signed_minor for other in rows if other is not row]
        return not others or may_be_charged(row.line.order.due, others, row.signed_minor)
