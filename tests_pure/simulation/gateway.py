"""QFPay's gateway: orders by code, refunds, queries, and notifications.

Its words are signed, and over TLS nobody stands in between. What goes wrong is its own: answers
that do not tell, lists that leave out, rows that show late, notifications that are lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ledger.testimony import About
from ...qfpay.openapi.catalogue import PAY_TYPES, return_code
from ...qfpay.outcome import Outcome, Verdict
from .devices import Call, Device
from .host import CLOSED, CODE_LIVES, CODES, OPEN, PAID, REFUSED, UNDONE, Trade

if TYPE_CHECKING:
    from .host import Host
    from .storage import Row
    from .world import World

_NOT_FOUND = Outcome(verdict=Verdict.NOT_FOUND, code='0000', signed=True, strict=True)
_DENIED = Outcome(verdict=Verdict.NOT_FOUND, code='1136', signed=True, strict=True)
_VAGUE = ('1254', '1102', '1298', '2011')
#: when QFPay repeats a notification that nobody took, in seconds
_AGAIN = (120.0, 600.0, 600.0, 3600.0)


class Gateway(Device):
    """One account. `way`: the place of the call that cancels here, in the order of trying."""

    def __init__(self, world: World, host: Host) -> None:
        super().__init__(world)
        self.host = host
        self.way = 0 if world.random() < 0.6 else int(world.random() * 3)
        host.tell = self.notify

    def take(self, call: Call) -> None:
        about = call.about
        if about is About.LIST:
            self._answer_many(call)
        elif about is About.NUMBER:
            self.send_back(call, self._state(call.row))
        elif about is About.CANCEL:
            self._cancel(call)
        elif call.row.attempt.is_refund:
            self._refund(call)
        else:
            self._pay(call)

    # ------------------------------------------------------------------
    # Payments
    # ------------------------------------------------------------------

    def _pay(self, call: Call) -> None:
        world, weather, row = self.world, self.world.weather, call.row
        attempt = row.attempt
        trade = self.host.open(attempt.reference, 'payment', attempt.amount_minor, row)
        is_late = world.strikes(weather.late_row)
        if world.strikes(weather.other_currency):
            trade.currency = 'CNY'
        if attempt.by_shown_code:
            self._await_customer(trade)
        else:
            self._charge(trade)
        if is_late:
            # the end of the request, as the carrier hears it, is a little later than now
            self.host.show_late(trade)
        if world.strikes(weather.vague):
            code = _VAGUE[int(world.random() * len(_VAGUE))]
            self.send_back(call, Outcome(verdict=Verdict.UNKNOWN, code=code, signed=True,
                                         strict=True))  # fmt: skip
        else:
            self.send_back(call, self._flat(trade))

    def _await_customer(self, trade: Trade) -> None:
        """Somebody scans the code, or nobody does."""
        world, weather = self.world, self.world.weather
        pay_type = PAY_TYPES[trade.row.attempt.channel]
        trade.ends_at = world.t + (300.0 if pay_type.expires else CODE_LIVES)
        chance = world.random()
        if chance < 0.8:
            slow = 280.0 if weather.slow else 30.0
            world.after(3.0 + world.soon(slow), self._scanned, trade)
        elif weather.raised:
            # the wallet is slow: the money comes when the code has run out
            late = trade.ends_at - world.t + world.between(0.5, 40.0)
            world.after(late, self.host.pay, trade)

    def _scanned(self, trade: Trade) -> None:
        world, weather = self.world, self.world.weather
        if self.host.state(trade) != OPEN:
            return
        if world.strikes(weather.other_amount):
            trade.amount += 100
        self.host.pay(trade)
        if world.strikes(weather.paid_twice):
            again = self.host.open(trade.reference, 'payment', trade.amount, trade.row)
            self.host.pay(again)

    def _charge(self, trade: Trade) -> None:
        """The customer's own code is charged: at once, after a password, or not."""
        world, weather = self.world, self.world.weather
        chance = world.random()
        if chance < 0.55:
            self._scanned(trade)
        elif chance < 0.85:
            world.after(world.between(2.0, 30.0), self._scanned, trade)
        else:
            self.host.end(trade, REFUSED)
            if world.strikes(weather.raised):
                long = 40.0 if world.clock_will_be_set else 700.0
                world.after(world.between(1.0, long), self.host.pay, trade)
            if world.strikes(weather.retried):
                again = self.host.open(trade.reference, 'payment', trade.amount, trade.row)
                world.after(world.between(2.0, 20.0), self._scanned, again)

    def _refund(self, call: Call) -> None:
        world, weather, row = self.world, self.world.weather, call.row
        attempt = row.attempt
        original = self.host.by_number.get(attempt.original_syssn)
        trade = None
        if original is not None and world.random() < 0.9:
            trade = self.host.refund(original, attempt.reference, attempt.amount_minor, row)
        if trade is None:
            self.send_back(call, self._refusal('1269', 'refund', attempt.reference))
            return
        if world.strikes(weather.late_row):
            self.host.show_late(trade)
        if world.strikes(weather.slow_refund):
            end = self.host.pay if world.random() < 0.8 else self._refuse
            world.after(world.between(3.0, 300.0), end, trade)
        else:
            self.host.pay(trade)
        if world.strikes(weather.vague):
            self.send_back(call, self._refusal('1254', 'refund', attempt.reference))
        else:
            self.send_back(call, self._flat(trade))

    def _refuse(self, trade: Trade) -> None:
        self.host.end(trade, REFUSED)

    def _cancel(self, call: Call) -> None:
        """Close or reverse; what became of the money, only a question tells (B9)."""
        world, weather, row = self.world, self.world.weather, call.row
        if call.way != self.way:
            self.send_back(call, Outcome(verdict=Verdict.FAILED, code='1297', signed=True,
                                         strict=True))  # fmt: skip
            return
        trades = self.host.by_reference.get(row.attempt.reference, [])
        code = '1136' if not trades else '0000'
        for trade in trades:
            if self.host.state(trade) == OPEN:
                if world.strikes(weather.crossing):
                    self.host.pay(trade)
                else:
                    self.host.end(trade, CLOSED)
            elif trade.state == PAID:
                code = '1260'
                if world.strikes(weather.undone):
                    # what was just paid is given back, soon (B9)
                    code = '0000'
                    world.after(world.between(0.0, 100.0), self.host.undo, trade)
        verdict = Verdict.DONE if code == '0000' else Verdict.FAILED
        self.send_back(call, Outcome(verdict=verdict, code=code, signed=True, strict=True))

    # ------------------------------------------------------------------
    # What it says
    # ------------------------------------------------------------------

    def _flat(self, trade: Trade) -> Outcome:
        """The answer to a payment or a refund."""
        state = self.host.state(trade)
        code = CODES[state]
        qrcode = ''
        if state == OPEN and trade.row.attempt.by_shown_code:
            code, qrcode = '0000', 'code'
        verdict = Verdict.PENDING if qrcode else return_code(code).ruling(trade.kind).answer
        original = trade.original
        return Outcome(
            verdict=verdict,
            code=code,
            reference=trade.reference,
            syssn=trade.number,
            orig_syssn=original.number if original else None,
            amount_minor=trade.amount,
            currency=trade.currency,
            trade_type=trade.kind,
            qrcode=qrcode,
            signed=True,
            strict=True,
        )

    def _refusal(self, code: str, kind: str, reference: str) -> Outcome:
        return Outcome(
            verdict=return_code(code).ruling(kind).answer,
            code=code,
            reference=reference,
            trade_type=kind,
            signed=True,
            strict=True,
        )

    def _row(self, trade: Trade, also_paid: tuple[str, ...] = ()) -> Outcome:
        """A row of a query."""
        state = self.host.state(trade)
        code = CODES[state]
        verdict = return_code(code).ruling(trade.kind).row
        cancel = left = None
        if trade.kind == 'payment':
            cancel = 0
            if state == UNDONE:
                cancel, left, verdict = 1, 0, Verdict.CANCELLED
            elif state == PAID and trade.refunded:
                cancel = 5 if trade.left else 3
                left = 0 if not trade.left else None
                verdict = Verdict.DONE if trade.left else Verdict.CANCELLED
            elif state == CLOSED:
                cancel = 2
        original = trade.original
        return Outcome(
            verdict=verdict,
            code='0000',
            inner_code=code,
            reference=trade.reference,
            syssn=trade.number,
            orig_syssn=original.number if original else None,
            amount_minor=trade.amount,
            currency=trade.currency,
            trade_type=trade.kind,
            cancel=cancel,
            refundable_minor=left,
            signed=True,
            strict=True,
            also_paid=also_paid,
        )

    def _state(self, row: Row) -> Outcome:
        """What became of one number: of several rows the one that speaks of money."""
        trades = self.host.find(row.attempt.reference)
        if not trades:
            return _NOT_FOUND
        paid = [trade for trade in trades if trade.state == PAID]
        if paid:
            return self._row(paid[0], tuple(trade.number for trade in paid[1:]))
        for trade in trades:
            if trade.state == OPEN:
                return self._row(trade)
        return self._row(trades[-1])

    def _answer_many(self, call: Call) -> None:
        world, weather = self.world, self.world.weather
        if world.strikes(weather.denies_list):
            said = [(row, _DENIED) for row in call.rows]
        else:
            said = [
                (row, _NOT_FOUND if world.strikes(weather.leaves_out) else self._state(row))
                for row in call.rows
            ]
        self.send_back(call, said)

    # ------------------------------------------------------------------
    # Notifications
    # ------------------------------------------------------------------

    def notify(self, trade: Trade, is_first: bool) -> None:
        """QFPay tells by itself that money moved."""
        world, weather = self.world, self.world.weather
        if trade.row is None or world.strikes(weather.notice_lost):
            return
        delay = world.between(0.1, 2.0)
        if world.strikes(weather.notice_late):
            delay = world.between(10.0, 900.0)
        world.after(delay, self._deliver, trade, 0)
        if is_first and world.strikes(weather.notice_twice):
            world.after(delay + world.between(0.0, 200.0), self._deliver, trade, 0)

    def _deliver(self, trade: Trade, tries: int) -> None:
        world = self.world
        outcome = Outcome(
            verdict=Verdict.DONE,
            code='0000',
            inner_code='0000',
            reference=trade.reference,
            syssn=trade.number,
            orig_syssn=trade.original.number if trade.original else None,
            amount_minor=trade.amount,
            currency=trade.currency,
            trade_type=trade.kind,
            cancel=0,
            signed=True,
            strict=True,
        )
        if world.strikes(world.weather.notice_blank):
            outcome = _without(outcome, world.random())
        if not world.fleet.take_notice(trade.reference, outcome) and tries < len(_AGAIN):
            world.after(_AGAIN[tries], self._deliver, trade, tries + 1)


def _without(outcome: Outcome, chance: float) -> Outcome:
    """Amount or currency, or both, in a form that no reader can read."""
    return Outcome(
        verdict=outcome.verdict,
        code=outcome.code,
        inner_code=outcome.inner_code,
        reference=outcome.reference,
        syssn=outcome.syssn,
        orig_syssn=outcome.orig_syssn,
        amount_minor=None if chance < 0.6 else outcome.amount_minor,
        currency=None if chance > 0.4 else outcome.currency,
        trade_type=outcome.trade_type,
        signed=True,
        strict=True,
    )
