"""Whether the book and the beliefs agree, or a manager was called.

The judge alone sees everything: QFPay's book, true time, who lied. Some things he judges as they
happen, the rest when all rows are at rest.

    as it happens
        done        its money is in the book, unless a manager said so
        ended       no question is open about it any more: QFPay refused it in words, or denied it
                    when it had promised to show it, or nothing had left
        left        once, under a fresh claim, while its customer was there
        cancelled   not once the ledger knew it done; by itself not before its time
        owned       a dead owner is replaced soon
        left, done  a state that is done becomes reversed, or stays
    in the end
        each row    what moved is what is believed, or a manager was called
        each order  what moved is no more than what is due, or a manager was called
        rest        nothing stays open without a manager
    line        a manager was told where money moved and the line is gone
        judged      the same testimonies make the same belief

A manager counts as called where an alarm stands, or where one was looked at after the last money
moved. What nobody can have told the ledger is no disagreement; each such case stands in the
function that excuses it, with its reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ledger import rules
from ...ledger.states import CANCELLED, DONE, NOT_DONE, REVERSED
from ...ledger.steps import FRESH
from ...ledger.testimony import About, Fact, Testimony, Witness
from ...qfpay.outcome import Verdict
from .host import NEVER, PAID, Trade

if TYPE_CHECKING:
    from .courier import Link
    from .devices import Call
    from .shop import Order
    from .storage import Row
    from .world import World

#: true seconds after which a link without a living owner has a new one
REPLACED_WITHIN = 10.5
#: how late a draft may leave: as old as a draft may be, its claim, and a clock's small errors
LEAVES_WITHIN = FRESH + 10.0
#: in half a minute, about one row by itself
MOST_QUESTIONS = 30


class Disagreement(Exception):
    """The promise is broken."""


class Judge:
    """He watches one schedule."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._looked_at: dict[Row, float] = {}

    # ------------------------------------------------------------------
    # As it happens: what leaves
    # ------------------------------------------------------------------

    def leaves(self, call: Call, fresh: float) -> None:
        """The first byte of what moves money."""
        world, row = self.world, call.row
        if world.t - call.claimed_at > fresh:
            raise Disagreement(f'{row}: {call.about.value} leaves under a stale claim')
        if call.about is About.CANCEL:
            self.asks(row)
            self._cancel_leaves(call, fresh)
            return
        if row.sent_at is not None:
            raise Disagreement(f'{row} leaves a second time')
        row.sent_at = call.claimed_at
        if world.t - row.born > LEAVES_WITHIN:
            raise Disagreement(f'{row} leaves long after its customer has gone')

    def _cancel_leaves(self, call: Call, fresh: float) -> None:
        world, row = self.world, call.row
        # what became known within the age that a claim may have crosses with the cancel
        if row.known_done_at is not None and world.t - row.known_done_at > fresh:
            raise Disagreement(f'{row} is cancelled {world.t - row.known_done_at:.1f} s after it '
                               'was known to be done')  # fmt: skip
        is_wanted = any(said.fact is Fact.CANCEL_WANTED for said in call.known)
        age = world.t - row.sent_at if row.sent_at is not None else NEVER
        if not is_wanted and age < row.belief.patience - 1.0:
            raise Disagreement(f'{row} is cancelled before its time')

    def arrived(self, row: Row) -> None:
        """A request is at QFPay."""
        row.arrivals += 1
        if row.arrivals > 1:
            raise Disagreement(f'{row} arrives a second time')

    def cancelled_another(self, row: Row, other: Row) -> None:
        """A request to cancel found the terminal busy with something else."""
        ended = row.ended_at
        if other.is_lost or not other.belief.is_open:
            # a failover took it, or a lie or a manager ended it: nobody can know that the terminal
            # is still busy with it
            return
        if ended is None or self.world.t - ended > 5.0:
            raise Disagreement(f'the cancel of {row} hits {other}')

    def link_taken(self, link: Link) -> None:
        since = link.orphan_since
        link.orphan_since = None
        if since is not None and self.world.t - since > REPLACED_WITHIN:
            rows = ', '.join(map(str, link.rows))
            raise Disagreement(f'nobody cared for {rows} for {self.world.t - since:.0f} s')

    def asks(self, row: Row) -> None:
        """One question about one row."""
        begin, asked = row.questions
        if self.world.t - begin > 30.0:
            begin, asked = self.world.t, 0
        row.questions = begin, asked + 1
        if asked >= MOST_QUESTIONS:
            raise Disagreement(f'{row} is asked about without a pause')

    def fooled(self, row: Row) -> None:
        """A lie that no rule can tell from the truth is on its way."""
        row.fooled_at = self.world.t

    def looked_at(self, row: Row) -> None:
        self._looked_at[row] = self.world.t

    # ------------------------------------------------------------------
    # As it happens: what is believed
    # ------------------------------------------------------------------

    def heard(self, row: Row, said: Testimony, before: str) -> None:
        """A testimony was added."""
        belief = row.belief
        state = belief.state
        self._note_told(row, said)
        if state != before:
            if before == REVERSED or (before == DONE and state != REVERSED):
                raise Disagreement(f'{row} was {before} and is {state}')
            if state in NOT_DONE:
                self._check_end(row, said)
            if state == REVERSED and not self._is_given_back(row):
                raise Disagreement(f'{row} is reversed, and its money stands')
            if not belief.is_open:
                row.ended_at = self.world.t
        if state == DONE and row.known_done_at is None:
            row.known_done_at = self.world.t
        is_proved = state == DONE and not belief.by_manager
        if is_proved and not _has_moved(row) and not _stands_for_another(row):
            raise Disagreement(f'{row} is done, and no money moved')

    def _is_given_back(self, row: Row) -> bool:
        """By QFPay, in its portal, or by a refund that the ledger has lost or calls failed."""
        return any(trade.undone_at is not None or trade.elsewhere for trade in row.trades) or any(
            refund.row is not None
            and refund.row.original is row
            and refund.was_paid
            and (refund.row.is_lost or refund.row.belief.state in NOT_DONE)
            for refund in self.world.host.trades
        )

    def forgot(self, row: Row) -> None:
        """The database has lost what was said last."""
        if row.belief.state != DONE:
            row.known_done_at = None
        for trade in row.trades:
            trade.told = trade.undoing_told = False
        for said in row.testimonies:
            self._note_told(row, said)

    @staticmethod
    def _note_told(row: Row, said: Testimony) -> None:
        """Which payments the ledger was told of, in words that can be believed."""
        outcome = said.outcome
        if outcome is None or not outcome.strict or (said.seals and not outcome.signed):
            return
        is_notice = said.witness is Witness.NOTIFICATION
        if is_notice and None in (outcome.amount_minor, outcome.currency):
            return  # what cannot be read proves nothing, not even a second payment
        for trade in row.trades:
            if outcome.verdict is Verdict.DONE and trade.was_paid:
                if trade.number == outcome.syssn or trade.number in outcome.also_paid:
                    trade.told = True
            elif trade.number == outcome.syssn and outcome.verdict is Verdict.CANCELLED:
                trade.undoing_told = trade.undone_at is not None or trade.elsewhere > 0
            is_left = said.about is About.ORIGINAL and trade.was_paid and not said.superseded
            if (
                is_left
                and _is_told_by_what_is_left(trade)
                and outcome.refundable_minor == trade.original.left
            ):
                trade.told = True

    def _check_end(self, row: Row, said: Testimony) -> None:
        """It ends without money, as far as is known. Who says so, and may it still move?"""
        if said.witness is Witness.MANAGER or row.fooled_at is not None:
            return
        if said.fact is Fact.NEVER_LEFT:
            if row.sent_at is not None and row.arrivals:
                raise Disagreement(f'{row} never left, it is said, and it arrived')
            return
        job = getattr(row.link.device, 'job', None)
        is_busy = job is not None and job.call.row is row
        was_refused = any(trade.was_refused for trade in row.trades)
        if was_refused and not (is_busy and row.belief.waiting):
            return  # QFPay has refused it, in words, whatever it does afterwards
        if is_busy:
            raise Disagreement(f'{row} is {row.belief.state}, and the terminal is busy with it')
        for trade in row.trades:
            if self._may_be_there_unseen(row, trade):
                continue
            raise Disagreement(f'{row} is {row.belief.state}, and QFPay has it {trade.state}')

    def _may_be_there_unseen(self, row: Row, trade: Trade) -> bool:
        """After "cancelled" one question settles it (A8): what crosses it may show later."""
        asked = row.last_look
        if row.belief.state != CANCELLED or not row.belief.cancelled_there or asked is None:
            return False
        denies, until = self.world.host.denies
        return trade.shown_from > asked or denies - 1.0 <= asked < until

    def _was_paid_long_ago(self, row: Row) -> bool:
        """Longer ago than the longest pause between two questions, and it is still open."""
        if row.attempt.looks_before and not any(map(_is_told_by_what_is_left, row.trades)):
            return False  # nothing tells; a manager is called when the day is over
        paid = min((trade.paid_at for trade in row.trades if trade.was_paid), default=NEVER)
        return row.belief.is_open and _has_moved(row) and self.world.t - paid > 400.0

    def only_managers_are_left(self) -> bool:
        """What QFPay is asked about for a day, a manager knows already."""
        return all(
            self._manager_knows(order)
            or not any(row.belief.is_open or row.belief.by_manager for row in order.rows())
            for order in self.world.shop.orders
        )

    # ------------------------------------------------------------------
    # In the end
    # ------------------------------------------------------------------

    def inspect(self) -> None:
        """All has been well for minutes: what QFPay shows as paid is known, or a manager knows."""
        for order in self.world.shop.orders:
            for row in order.rows():
                if self._was_paid_long_ago(row) and not self._manager_knows(order):
                    raise Disagreement(f'{row} is {row.belief.state} after minutes of peace')

    def conclude(self) -> None:
        """All rows are at rest."""
        for order in self.world.shop.orders:
            for line in order.lines:
                for row in line.rows:
                    self._judge_row(row, order)
            self._judge_order(order)

    def _judge_row(self, row: Row, order: Order) -> None:
        if row.is_lost:
            self._judge_lost(row)
            return
        belief = row.belief
        if not rules.judge(row.attempt, row.testimonies) == belief:
            raise Disagreement(f'{row} is judged otherwise than it was believed')
        if belief.alarms and self.world.weather.is_calm:
            raise Disagreement(f'{row}: a manager was called for nothing')
        if belief.is_open and not self._manager_knows(order):
            raise Disagreement(f'{row} stays {belief.state} for ever')
        is_told = any(said.reason == 'line_gone' for said in row.testimonies)
        if belief.state == DONE and row.line.is_gone and not is_told:
            raise Disagreement(f'{row} is done, its line is gone, and nobody was told')
        moved = sum(trade.money() for trade in row.trades)
        believed = row.attempt.amount_minor if belief.state == DONE else 0
        if self._manager_knows(order) or self._manager_has_seen(row):
            return
        if any(trade.undoing_told and trade.elsewhere for trade in row.trades):
            raise Disagreement(f'{row} was given back elsewhere, and nobody was told')
        if moved != believed and not self._cannot_be_known(row):
            raise Disagreement(f'{row} is {belief.state}, and {moved} moved')

    def _judge_lost(self, row: Row) -> None:
        """A failover takes a row back as a whole; whoever still carries it writes it anew.

        If nobody does any more, nothing on this side knows of it, and no rule can help. Then only
        the daily comparison with QFPay's list finds it.
        """
        if row.reported_lost and any(trade.was_paid for trade in row.trades):
            raise Disagreement(f'{row} was reported, is lost, and money moved')

    def _judge_order(self, order: Order) -> None:
        rows = [row for row in order.rows() if not self._manager_has_seen(row)]
        if any(row.is_lost for line in order.lines for row in line.rows):
            return
        moved = sum(
            (-1 if row.attempt.is_refund else 1) * trade.money()
            for row in rows
            for trade in row.trades
        )
        is_too_much = moved > order.due if order.due > 0 else moved < order.due
        cannot_be_known = any(self._cannot_be_known(row) for row in rows)
        if is_too_much and not cannot_be_known and not self._manager_knows(order):
            raise Disagreement(f'order {order.number} is charged {moved} of {order.due}')

    def _manager_knows(self, order: Order) -> bool:
        rows = order.rows()
        if any(row.belief.alarms for row in rows):
            return True
        looked = max((self._looked_at.get(row, 0.0) for row in rows), default=0.0)
        return looked > 0.0 and all(looked >= _moved_last(row) for row in rows)

    def _manager_has_seen(self, row: Row) -> bool:
        """He looked at what was strange about this one, after its money had moved.

        Or he was sent to another refund of the same payment, and saw all of them there.
        """
        moved = _moved_last(row)
        others = row.original.refunds if row.original is not None else []
        return self._looked_at.get(row, -1.0) >= moved or any(
            other.belief.alarms or self._looked_at.get(other, -1.0) >= moved for other in others
        )

    @staticmethod
    def _cannot_be_known(row: Row) -> bool:
        """What nobody has told the ledger, though it asked as it should.

        - QFPay booked a second payment under one number once the first was known, and its notice
          was lost: nobody asks again about a payment that is done.
        - Lies were told after the money had moved, and the truth was never told.
        - Lies were told of a terminal's refund, and then a later one of the same payment was sent,
          for which enough was left: what is left tells of the first no more, or seems to tell of
          the second.
        """
        paid = [trade for trade in row.trades if trade.state == PAID]
        untold = [trade for trade in paid if not trade.told]
        if row.belief.state == DONE and len(paid) > 1 and len(untold) >= len(paid) - 1:
            return True
        fooled = row.fooled_at
        if fooled is None:
            return False
        return (
            _was_followed(row)
            or _stands_for_another(row)
            or (bool(untold) and fooled >= min(trade.paid_at for trade in untold))
        )


def _was_followed(refund: Row) -> bool:
    """By a later refund of the same payment, for which enough was left."""
    others = refund.original.refunds if refund.original is not None else []
    return any(
        other.number > refund.number
        and other.belief.left_before is not None
        and other.belief.left_before >= other.attempt.amount_minor
        for other in others
    )


def _stands_for_another(refund: Row) -> bool:
    """Lies were told of two refunds of one amount: one happened, and nothing tells which.

    The other is one that the ledger calls failed, or one past the ledger.
    """
    payment, amount = refund.original, refund.attempt.amount_minor
    if payment is None or refund.fooled_at is None:
        return False
    return any(trade.elsewhere >= amount for trade in payment.trades) or any(
        other.attempt.amount_minor == amount
        and other.belief.state in NOT_DONE
        and _has_moved(other)
        for other in payment.refunds
    )


def _moved_last(row: Row) -> float:
    """When its money did."""
    return max((at for trade in row.trades for at in (trade.paid_at, trade.undone_at) if at),
               default=0.0)  # fmt: skip


def _is_told_by_what_is_left(refund: Trade) -> bool:
    """Not where somebody else has given back of the same payment, past the ledger."""
    return not refund.original.elsewhere


def _has_moved(row: Row) -> bool:
    """Whether the book has this attempt's money, or had it."""
    attempt = row.attempt
    return any(
        trade.was_paid and trade.amount == attempt.amount_minor
        and trade.currency == attempt.currency
        for trade in row.trades
    )  # fmt: skip
