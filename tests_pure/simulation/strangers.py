"""Who speaks in a terminal's place: strangers in the shop's network, and a host that is mistaken.

A stranger without the POS-KEY says what he likes in the clear, or repeats what he has heard, sealed
as it was; of two sealed messages he may paste together a third, which is no strict JSON any more.
He speaks to terminals that encrypt only: to others he could say anything, and they say so to the
manager who sets them up.

What he may not do, since no rule could hold against it: keep an answer from arriving and tell it as
the answer to another question. So he repeats *paid* only of what the ledger has heard, or of sales
older than clocks can differ. Whatever else he repeats may fool the ledger for a while, and is noted
for the judge (`fooled_at`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ...ledger.states import DONE, REVERSED
from ...ledger.testimony import About
from ...qfpay.outcome import Verdict
from .host import PAID, Trade
from .saying import INQUIRY, PAYMENT, REFUND, Saying, about_row, read

if TYPE_CHECKING:
    from .devices import Call
    from .storage import Row
    from .terminal import Terminal
    from .world import World

_REFUSALS = ('4003', '4004', '4006', '4007', '5001', '6001', '6002')
_DAY = 86400.0


class Strangers:
    """They stand beside one terminal."""

    def __init__(self, world: World, terminal: Terminal) -> None:
        self.world = world
        self.terminal = terminal
        self.recorded: list[Saying] = []

    def speak_first(self, call: Call) -> None:
        """Sometimes a stranger answers while the terminal is still busy with the request."""
        world, weather = self.world, self.world.weather
        is_somebody_there = weather.stranger or weather.replay or weather.pasted
        if is_somebody_there and call.about is About.REQUEST and world.random() < 0.3:
            self.replace(call, None, REFUND if call.row.attempt.is_refund else PAYMENT)

    def replace(self, call: Call, honest: Saying | None, question: str) -> bool:
        """Put something else in the place of an honest answer, or of none yet."""
        world, weather, terminal = self.world, self.world.weather, self.terminal
        if not terminal.seals or call.is_over:
            return False
        if honest is not None and weather.replay:
            self.recorded.append(honest)
        if world.strikes(weather.stranger):
            terminal.send_back(call, read(self._in_the_clear(call), question, False))
        elif self.recorded and world.strikes(weather.replay):
            saying = self._recorded(question)
            if self._tells_of_unheard_money(saying):
                return False
            outcome = read(saying, question, True)
            if outcome.verdict not in (Verdict.DONE, Verdict.PENDING) or question is INQUIRY:
                self._note_lie(call)
            terminal.send_back(call, outcome)
        elif world.strikes(weather.pasted):
            saying = self._in_the_clear(call)
            outcome = read(saying, question, True, False)
            if outcome.verdict is not Verdict.DONE:
                self._note_lie(call)
            terminal.send_back(call, outcome)
        else:
            return False
        return True

    def _recorded(self, question: str) -> Saying:
        """Something that was said before, often in answer to such a question."""
        random = self.world.random
        said = self.recorded
        if question is INQUIRY and random() < 0.7:
            said = [saying for saying in said if saying.tradetp is not None] or said
        return said[int(random() * len(said))]

    def _note_lie(self, call: Call) -> None:
        self.world.judge.fooled(call.row)

    def _tells_of_unheard_money(self, saying: Saying) -> bool:
        """Whether it names a payment whose number no row of the ledger has; see above.

        A second payment under one number of ours is such a one: the ledger has called a manager for
        it, and its row keeps the number of the first.
        """
        trade = self.terminal.host.by_number.get(saying.number or '')
        if trade is None or trade.row is None or not trade.was_paid:
            return False
        return not self._is_known(trade)

    @staticmethod
    def _is_known(trade: Trade) -> bool:
        """Whether a row of the ledger has its number."""
        belief = trade.row.belief if trade.row is not None else None
        return (
            belief is not None
            and belief.state in (DONE, REVERSED)
            and belief.facts.get('syssn') == trade.number
        )

    def _in_the_clear(self, call: Call) -> Saying:
        """What a stranger can make up."""
        random = self.world.random
        if random() < 0.5:
            code = _REFUSALS[int(random() * len(_REFUSALS))]
            return Saying(code, is_listed=True)
        attempt = call.row.attempt
        saying = Saying('6000', '0000' if random() < 0.7 else '1264')
        saying.number = f'{self.terminal.host.time():%Y%m%d}99{int(random() * 1e6):08d}'
        saying.amount, saying.currency = attempt.amount_minor, attempt.currency
        if call.about is About.ORIGINAL:
            saying.number, saying.tradetp = attempt.original_syssn, PAYMENT
            before = call.row.belief.left_before
            saying.left = (attempt.original_minor if before is None else before) - (
                attempt.amount_minor if random() < 0.5 else 0
            )
        elif attempt.is_refund:
            saying.original = attempt.original_syssn
        else:
            saying.reference, saying.tradetp = attempt.reference, PAYMENT
        return saying

    # ------------------------------------------------------------------
    # A host that is mistaken
    # ------------------------------------------------------------------

    def another_trade(self, row: Row) -> Trade | None:
        """Another payment of the same amount, which this row must not be taken for.

        It is one that the ledger knows, or one that was made by hand before this one was asked
        for. One that is made by hand afterwards nothing could tell from it: the block names
        neither our number nor anything else of ours.
        """
        world, host = self.world, self.terminal.host
        known = [
            trade
            for trade in host.trades
            if trade.amount == row.attempt.amount_minor
            and trade.original is None
            and trade.row is not row
            and self._is_known(trade)
        ]
        if known and world.random() < 0.5:
            return known[int(world.random() * len(known))]
        return self._by_hand(row)

    def _by_hand(self, row: Row) -> Trade:
        world, host = self.world, self.terminal.host
        least = 900.0 if not world.clock_will_be_set else 5 * 3600.0
        if not self.terminal.tells_times:
            least = 2 * _DAY
        trade = host.open(f'hand{len(host.trades)}', PAYMENT, row.attempt.amount_minor, None)
        before = timedelta(seconds=world.between(least, least + _DAY) + world.t - row.born)
        trade.made_at -= before
        trade.number = f'{trade.made_at:%Y%m%d}{trade.number[8:]}'
        host.by_number[trade.number] = trade
        trade.state, trade.paid_at = PAID, world.t - before.total_seconds()
        return trade

    def remember(self, row: Row) -> None:
        """What was recorded last week: *paid*, the same amount."""
        if self.world.weather.replay and self.terminal.seals:
            trade = self._by_hand(row)
            now = trade.made_at + timedelta(seconds=20) if self.terminal.tells_times else None
            self.recorded.append(about_row(trade, now, self.terminal.names_reference))
