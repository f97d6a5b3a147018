"""A terminal, its customers, and strangers who speak in its place.

It does one thing at a time: it waits for its customer, works with QFPay's host, says what came of
it. A request to cancel names no payment; a refund has no number of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ledger.testimony import About
from .devices import Call, Device
from .host import CLOSED, NEVER, PAID, REFUSED, Trade
from .saying import COMMAND, INQUIRY, PAYMENT, REFUND, Saying, about_row, about_trade, read
from .strangers import Strangers

if TYPE_CHECKING:
    from .host import Host
    from .storage import Row
    from .world import World

WAITING, PROCESSING = 'waiting', 'processing'
#: a customer has so long, in seconds
CUSTOMER_TIME = 120.0


class Job:
    """What a terminal is doing."""

    __slots__ = ('call', 'is_cancelled', 'stage', 'trade', 'will')

    def __init__(self, call: Call, will: str) -> None:
        self.call = call
        self.will = will
        self.stage = WAITING
        self.trade: Trade | None = None
        self.is_cancelled = False


class Terminal(Device):
    """One terminal.

    `is_mute`: it says *there is no such order* in words of its own.
    `tells_times`, `names_reference`: what is in its answers to inquiries.
    """

    def __init__(self, world: World, host: Host) -> None:
        super().__init__(world)
        self.host = host
        self.job: Job | None = None
        self.is_off = (NEVER, NEVER)
        self.seals = world.random() < 0.6
        self.is_mute = world.random() < 0.12 and not world.weather.is_calm
        self.tells_times = world.random() < 0.7
        self.names_reference = world.random() < 0.4
        self.strangers = Strangers(world, self)

    def is_reachable(self) -> bool:
        return not self.is_off[0] <= self.world.t < self.is_off[1]

    def take(self, call: Call) -> None:
        self.strangers.speak_first(call)
        about = call.about
        if about is About.CANCEL:
            self._cancel(call)
        elif about is About.NUMBER:
            self._answer(call, self._inquire(call.row), INQUIRY)
        elif about in (About.ORIGINAL, About.CONTROL):
            self._answer(call, self._look_up(call.number), INQUIRY)
        elif self.job is not None:
            self._answer(call, Saying('4003'), self._question(call))
        else:
            self._begin(call)

    def _question(self, call: Call) -> str:
        if call.about is About.REQUEST:
            return REFUND if call.row.attempt.is_refund else PAYMENT
        return COMMAND if call.about is About.CANCEL else INQUIRY

    def _answer(self, call: Call, saying: Saying, question: str) -> None:
        if self.strangers.replace(call, saying, question):
            return
        self.send_back(call, read(saying, question, self.seals))

    # ------------------------------------------------------------------
    # A payment
    # ------------------------------------------------------------------

    def _begin(self, call: Call) -> None:
        world, weather = self.world, self.world.weather
        chance = world.random()
        will = (
            'retry' if world.strikes(weather.retried)
            else 'approve' if chance < 0.76
            else 'decline' if chance < 0.88
            else 'walk_away' if chance < 0.94
            else 'cancel'
        )  # fmt: skip
        self.job = job = Job(call, will)
        if call.row.attempt.is_refund:
            job.stage = PROCESSING
            world.after(world.between(0.5, 6.0), self._refund, job)
        elif will == 'walk_away':
            world.after(CUSTOMER_TIME, self._end, job, Saying('6002'))
        elif will == 'cancel':
            world.after(world.between(1.0, 30.0), self._cancelled, job)
        else:
            slow = 100.0 if weather.slow else 20.0
            world.after(1.0 + world.soon(slow), self._process, job)

    def _process(self, job: Job) -> None:
        """The card is read; the host is asked."""
        if self.job is not job or job.stage is not WAITING:
            return
        world, row = self.world, job.call.row
        job.stage = PROCESSING
        job.trade = trade = self.host.open(
            row.attempt.reference, PAYMENT, row.attempt.amount_minor, row
        )
        trade.shown_from = NEVER if world.strikes(world.weather.late_row) else world.t
        world.after(world.between(0.3, 3.0), self._finish, job)

    def _finish(self, job: Job) -> None:
        if self.job is not job:
            return
        world, weather, trade = self.world, self.world.weather, job.trade
        if job.will == 'retry':
            # declined; the customer takes another card, and the number stays
            self.host.end(trade, REFUSED)
            self._show(trade)
            job.will, job.stage = 'approve', WAITING
            world.after(world.between(2.0, 25.0), self._process, job)
            return
        if job.will == 'decline':
            self.host.end(trade, REFUSED)
            if world.strikes(weather.raised):
                world.after(world.between(*_raised_after(world)), self.host.pay, trade)
            self._end(job, Saying('6002', '1205'))
            return
        if world.strikes(weather.other_amount):
            trade.amount += 100
        elif world.strikes(weather.other_currency):
            trade.currency = 'CNY'
        self.host.pay(trade)
        if world.strikes(weather.paid_twice):
            self._pay_again(trade)
        self._may_lose_its_line()
        chance = world.random()
        if job.is_cancelled and chance < 0.6:
            saying = Saying('6001')
        elif world.strikes(weather.vague) or self.host.cannot_be_reached():
            saying = Saying('6002') if chance < 0.5 else Saying('6000')
        elif world.strikes(weather.bare):
            saying = Saying('6000', '0000')
        elif world.strikes(weather.unlisted):
            saying = about_trade(trade, '6000' if chance < 0.5 else '6002')
            saying.inner = '1999'
        else:
            saying = about_trade(trade)
        self._end(job, saying)

    def _may_lose_its_line(self) -> None:
        """Just when the money has moved: what came of it cannot be told, nor asked for a while."""
        world = self.world
        if world.strikes(world.weather.line_breaks):
            self.host.is_away = (world.t, world.t + world.between(5.0, 90.0))

    def _pay_again(self, trade: Trade) -> None:
        """The host books it once more, under the same number of ours."""
        again = self.host.open(trade.reference, PAYMENT, trade.amount, trade.row)
        again.shown_from = self.world.t
        self.host.pay(again)

    def _end(self, job: Job, saying: Saying) -> None:
        if self.job is not job:
            return
        self.job = None
        call, question = job.call, self._question(job.call)
        if job.trade is not None:
            is_promising = saying.code == '6000'
            until = call.until - 2.0 - self.world.t
            self._show(job.trade, self.world.between(0.0, until) if is_promising else None)
        self._answer(call, saying, question)

    def _show(self, trade: Trade, after: float | None = None) -> None:
        """A late row shows after the end, as promised."""
        if trade.shown_from == NEVER:
            self.host.show_late(trade, after)

    def _cancelled(self, job: Job) -> None:
        """By the customer, or by a request to cancel."""
        if self.job is job and job.stage is WAITING:
            self._end(job, Saying('6001'))

    # ------------------------------------------------------------------
    # A refund
    # ------------------------------------------------------------------

    def _refund(self, job: Job) -> None:
        if self.job is not job:
            return
        world, weather, row = self.world, self.world.weather, job.call.row
        attempt = row.attempt
        original = self.host.by_number.get(attempt.original_syssn)
        trade = None
        if original is not None and job.will == 'approve':
            trade = self.host.refund(original, f'q{row.number}', attempt.amount_minor, row)
        if trade is None:
            self._end(job, Saying('6002', '1269'))
            return
        trade.shown_from = world.t
        self.host.pay(trade)
        self._may_lose_its_line()
        if world.strikes(weather.vague) or self.host.cannot_be_reached():
            self._end(job, Saying('6002'))
        elif world.strikes(weather.bare):
            self._end(job, Saying('6000', '0000'))
        else:
            self._end(job, about_trade(trade))

    # ------------------------------------------------------------------
    # Cancel, power
    # ------------------------------------------------------------------

    def _cancel(self, call: Call) -> None:
        """Whatever it is doing now (the protocol, A12.3)."""
        world, job = self.world, self.job
        code = '6002'
        if job is not None and job.call.row is not call.row:
            self.world.judge.cancelled_another(call.row, job.call.row)
        if job is not None and job.stage is WAITING:
            code = '6000'
            if world.strikes(world.weather.crossing):
                job.is_cancelled, job.will = True, 'approve'
                self._process(job)
            else:
                self._cancelled(job)
        elif world.random() < 0.3:
            code = '6000'
            if job is not None and world.strikes(world.weather.crossing):
                job.is_cancelled = True
        self._answer(call, Saying(code), COMMAND)

    def loses_power(self) -> None:
        """What the host has begun, it ends by itself."""
        job, self.job = self.job, None
        if job is None:
            return
        trade, call = job.trade, job.call
        if trade is not None and job.stage is PROCESSING:
            if self.world.random() < 0.6:
                self.host.pay(trade)
            else:
                self.host.end(trade, CLOSED)
        if trade is not None and trade.shown_from == NEVER:
            self.host.show_late(trade, self.world.between(0.0, call.until - 2.0 - self.world.t))
        self.lose(call)

    # ------------------------------------------------------------------
    # Inquiries
    # ------------------------------------------------------------------

    def _inquire(self, row: Row) -> Saying:
        """What became of a number of ours."""
        world, weather = self.world, self.world.weather
        if self.host.cannot_be_reached():
            return Saying('6002')
        trades = self.host.find(row.attempt.reference)
        if world.strikes(weather.mistaken):
            other = self.strangers.another_trade(row)
            if other is not None:
                return self._block(other)
        if world.strikes(weather.bare):
            return Saying('6000', '0000')
        if not trades:
            return Saying('6002', is_listed=not self.is_mute)
        trade = trades[-1]
        for other in trades:
            if other.state == PAID:
                trade = other
        if len(trades) > 1 and world.strikes(weather.other_row):
            # of several rows the wrong one: where that is all it says, nothing else can be known
            trade = trades[int(world.random() * len(trades))]
            if trade.state != PAID and any(other.was_paid for other in trades):
                world.judge.fooled(row)
        saying = self._block(trade)
        if world.strikes(weather.unlisted):
            saying.inner, saying.cancel = '1999', None
        return saying

    def _look_up(self, number: str | None) -> Saying:
        """What stands under a number of QFPay's."""
        trade = self.host.by_number.get(number or '')
        if self.world.strikes(self.world.weather.bare):
            return Saying('6000', '0000')
        if self.host.cannot_be_reached():
            return Saying('6002')
        if trade is None or self.host.denies[0] <= self.world.t < self.host.denies[1]:
            return Saying('6002', is_listed=not self.is_mute)
        return self._block(trade)

    def _block(self, trade: Trade) -> Saying:
        now = None
        if self.tells_times:
            now = self.host.time()
        self.host.state(trade)
        return about_row(trade, now, self.names_reference)


def _raised_after(world: World) -> tuple[float, float]:
    """A payment that QFPay called refused is booked after all, seconds or minutes later."""
    return (1.0, 40.0) if world.random() < 0.5 or world.clock_will_be_set else (200.0, 700.0)
