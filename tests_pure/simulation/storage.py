"""The ledger's rows, their commits, and what a crash takes back.

The shop's database answers a commit before it is on the disk (`synchronous_commit` off), unless
the commit is a safe one. A safe commit takes everything before it to the disk, too. When the server
crashes, the commits since the last safe one are lost, as far as they are young. When another
machine becomes the database (a failover), even safe ones are: the last seconds of everything.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...ledger import rules
from ...ledger.belief import Belief
from ...ledger.states import AT_QFPAY, DONE, OPEN, REVERSED
from ...ledger.testimony import About, Attempt, Fact, Testimony, Witness
from ...qfpay.outcome import Verdict

if TYPE_CHECKING:
    from .courier import Link
    from .host import Trade
    from .judgement import Judge
    from .shop import Line
    from .world import World

#: seconds of commits that a crash, and a failover, takes back at most
LOST_IN_A_CRASH = 2.0
LOST_IN_A_FAILOVER = 3.0
#: so long a commit may still be taken back
_YOUNG = 4.0

NEW, ADDED, COUNTED, OWNED = 'new', 'added', 'counted', 'owned'


class Row:
    """An attempt in the ledger, what was said about it, and what is believed.

    Below the line stands what only the judge knows: QFPay's trades of it, how often it left and
    arrived, lies that were told about it, and when.
    """

    __slots__ = (
        'arrivals',
        'attempt',
        'belief',
        'born',
        'ended_at',
        'fooled_at',
        'is_lost',
        'is_urgent',
        'known_done_at',
        'last_look',
        'line',
        'link',
        'needs_telling',
        'number',
        'original',
        'questions',
        'refunds',
        'reported_lost',
        'sent_at',
        'testimonies',
        'trades',
    )

    def __init__(self, number: int, attempt: Attempt, line: Line, link: Link, born: float) -> None:
        self.number = number
        self.attempt = attempt
        self.line = line
        self.link = link
        self.original: Row | None = None
        self.refunds: list[Row] = []
        self.testimonies: list[Testimony] = []
        self.belief = Belief()
        self.is_lost = False
        self.is_urgent = False
        self.needs_telling = False
        # ---- what only the judge knows
        self.born = born
        self.trades: list[Trade] = []
        self.arrivals = 0
        self.sent_at: float | None = None
        self.ended_at: float | None = None
        self.fooled_at: float | None = None
        self.reported_lost = False
        self.questions = (0.0, 0)
        self.known_done_at: float | None = None
        self.last_look: float | None = None

    def __str__(self) -> str:
        return f'r{self.number}'

    @property
    def signed_minor(self) -> int:
        return -self.attempt.amount_minor if self.attempt.is_refund else self.attempt.amount_minor


class Database:
    """Rows and commits."""

    def __init__(self, world: World, judge: Judge) -> None:
        self.world = world
        self.judge = judge
        self.rows: list[Row] = []
        self.is_up = True
        #: what the planted bugs switch off
        self.has_safe_commits = True
        self.notices_taken = True
        self.rewrites = True
        self._log: list[tuple[float, bool, str, object, object]] = []
        self.changed = lambda _row: None

    # ------------------------------------------------------------------
    # Commits
    # ------------------------------------------------------------------

    def add(self, row: Row) -> None:
        """A new draft; not safe, it has moved nothing."""
        self.rows.append(row)
        if row.original is not None:
            row.original.refunds.append(row)
        self._commit(False, NEW, row, None)

    def own(self, link: Link, before: object) -> None:
        """A link has changed hands."""
        self._commit(False, OWNED, link, before)

    def hear(self, row: Row, said: Testimony, safe: bool = False) -> None:
        """Keep what was said, and judge anew."""
        before = row.belief.state
        alarms = len(row.belief.alarms)
        outcome = said.outcome
        if outcome is not None:
            said = self._held_against_others(row, said)
            safe = safe or outcome.verdict is Verdict.DONE
        if row.refunds:
            self._reckon_refunds(row)
        testimonies = row.testimonies
        last = testimonies[-1] if testimonies else None
        if last is not None and said.about is last.about and said.repeats(last):
            testimonies[-1] = _counted(last, said)
            self._commit(safe, COUNTED, row, last)
            # what judging anew would come to; the judge compares in the end
            row.belief.asked += 1
            row.belief.asked_at = said.at
        else:
            testimonies.append(said)
            self._commit(safe, ADDED, row, None)
            rules.weigh(row.attempt, row.belief, said)
        if self.world.trace is not None:
            self._tell(row, said)
        belief = row.belief
        self.judge.heard(row, said, before)
        if before != belief.state or alarms != len(belief.alarms):
            self.changed(row)
            if row.original is not None and not belief.is_open:
                # what a refund under way explained, one that failed does not
                self._reckon_refunds(row.original)

    def _held_against_others(self, row: Row, said: Testimony) -> Testimony:
        """What this server knows beside the word: see `Testimony`."""
        outcome = said.outcome
        taken = self._is_taken(row, outcome.syssn)
        if said.about is About.ORIGINAL:
            returned = sum(
                other.attempt.amount_minor
                for other in row.original.refunds
                if other is not row and other.belief.state == DONE
            )
            superseded = self._is_superseded(row)
            return replace(said, taken=taken, superseded=superseded, returned_minor=returned)
        return replace(said, taken=True) if taken else said

    def _reckon_refunds(self, row: Row) -> None:
        """What is refunded of a payment stands in its attempt, so all is judged anew with it."""
        returned = sum(refund.attempt.amount_minor for refund in engaged(row.refunds))
        if returned != row.attempt.returned_minor:
            row.attempt = replace(row.attempt, returned_minor=returned)
            alarms = len(row.belief.alarms)
            row.belief = rules.judge(row.attempt, row.testimonies)
            if alarms != len(row.belief.alarms):
                self.changed(row)

    def _is_taken(self, row: Row, number: str | None) -> bool:
        """Whether another row has this number of QFPay's."""
        return (
            self.notices_taken
            and number is not None
            and any(
                other.belief.facts.get('syssn') == number
                for other in self.rows
                if other is not row and not other.is_lost and other.belief.state in (DONE, REVERSED)
            )
        )

    def _is_superseded(self, row: Row) -> bool:
        """Whether a later refund of the same payment may have changed what is left."""
        if row.original is None:
            return False
        place = row.original.refunds.index(row)
        return any(
            other.belief.state in (*AT_QFPAY, DONE) or other.belief.sent is not None
            for other in row.original.refunds[place + 1 :]
        )

    def _tell(self, row: Row, said: Testimony) -> None:
        what = f'{said.fact.value} {said.reason}' if said.fact else _in_words(said)
        flags = ''.join(
            f' [{name}]'
            for name, is_so in (('taken', said.taken), ('superseded', said.superseded))
            if is_so
        )
        belief = row.belief
        alarms = f' alarms={[alarm.what for alarm in belief.alarms]}' if belief.alarms else ''
        self.world.note('%s hears %s/%s: %s%s  => %s%s', row, said.witness.value, said.about.value,
                        what, flags, belief.state, alarms)  # fmt: skip

    def _commit(self, is_safe: bool, kind: str, thing: object, before: object) -> None:
        log, t = self._log, self.world.t
        if len(log) > 30:
            self._log = log = [entry for entry in log if entry[0] > t - _YOUNG]
        log.append((t, is_safe and self.has_safe_commits, kind, thing, before))

    # ------------------------------------------------------------------
    # What a crash takes back
    # ------------------------------------------------------------------

    def crash(self, window: float) -> None:
        """The server dies; young commits since the last safe one are gone."""
        begin = self.world.t - window
        keep = len(self._log)
        while keep and not self._log[keep - 1][1] and self._log[keep - 1][0] >= begin:
            keep -= 1
        self._take_back(keep)

    def fail_over(self, window: float) -> None:
        """Another machine goes on with what it has: the youngest commits are gone, safe or not.

        A row is lost as a whole or stays sent: that a request has left must not be forgotten
        of a row that remains, else nothing could keep it from being sent again. Against that
        helps only a standby that confirms safe commits.
        """
        begin = self.world.t - window
        log = self._log
        keep = next((place for place, entry in enumerate(log) if entry[0] >= begin), len(log))
        for place in range(len(log) - 1, keep - 1, -1):
            _t, _safe, kind, thing, _before = log[place]
            if kind is ADDED and self._said_in(thing, log, place).fact is Fact.SENT:
                is_new = any(entry[2] is NEW and entry[3] is thing for entry in log[keep:])
                if not is_new:
                    keep = place + 1
                    break
        self._take_back(keep)

    @staticmethod
    def _said_in(row: Row, log: list, place: int) -> Testimony:
        """The testimony that one entry of the log added."""
        later = sum(1 for entry in log[place + 1 :] if entry[2] is ADDED and entry[3] is row)
        return row.testimonies[-1 - later]

    def _take_back(self, keep: int) -> None:
        touched = []
        for _t, _safe, kind, thing, before in reversed(self._log[keep:]):
            if kind is OWNED:
                thing.take_back(before)
                continue
            touched.append(thing)
            if kind is NEW:
                thing.is_lost = True
                self.rows.remove(thing)
                if thing.original is not None:
                    thing.original.refunds.remove(thing)
            elif kind is ADDED:
                thing.testimonies.pop()
            else:
                thing.testimonies[-1] = before
        if touched:
            self.world.note('the database loses %d commits', len(self._log) - keep)
        del self._log[keep:]
        for row in touched:
            row.belief = rules.judge(row.attempt, row.testimonies)
            self.judge.forgot(row)
            self.changed(row)

    def write_anew(self, row: Row, known: list[Testimony], now: object) -> None:
        """A report finds its row gone: it is written from what the carrier knows."""
        row.is_lost = False
        row.testimonies = []
        row.belief = Belief()
        self.rows.append(row)
        if row.original is not None:
            row.original.refunds.append(row)
        self._commit(False, NEW, row, None)
        self.world.note('%s is written anew', row)
        for said in known:
            self.hear(row, said)
        self.hear(row, Testimony(at=now, witness=Witness.SERVER, fact=Fact.REWRITTEN), safe=True)


def engaged(rows: list[Row]) -> list[Row]:
    """Those that are open or done."""
    return [row for row in rows if row.belief.state in OPEN or row.belief.state == DONE]


def _in_words(said: Testimony) -> str:
    outcome = said.outcome
    names = ('syssn', 'reference', 'orig_syssn', 'amount_minor', 'currency', 'refundable_minor')
    facts = [f'{name}={value}' for name in names if (value := getattr(outcome, name)) is not None]
    seal = '' if outcome.signed else ' in the clear'
    return f'{outcome.verdict.value} {outcome.code}/{outcome.inner_code} {" ".join(facts)}{seal}'


def _counted(last: Testimony, said: Testimony) -> Testimony:
    """The last testimony, heard once more."""
    return replace(last, again=said.at, times=last.times + said.times)
