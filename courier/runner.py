"""This process's part of the courier: which links it owns, what is due on them, and the threads.

One thread for each database *looks*: it renews the leases of the links that are busy here, gives
the others back, and finds what is due: on the links that it owns, and on those whose owner is gone.
For each thing that is due a thread is begun, so many for each link and no more, the tills in turn.

A till's request need not wait for the next look: `poke` begins its errand at once, if this process
has the link or nobody has.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg2

import odoo

from ..qfpay.errors import RateLimited
from . import polling
from .budget import Budget
from .carrying import Errand, Word, carry
from .clock import me
from .database import transact

_logger = logging.getLogger(__name__)

#: seconds between two looks: while links are owned here; elsewhere; and nowhere
LOOK, LOOK_FOR_OTHERS, LOOK_RARELY = 0.5, 1.0, 5.0
#: a look that found nothing at all for so long was the last one, until somebody wakes it
IDLE = 120.0
#: errands at once on one link: what is sent, and what is asked or cancelled meanwhile
_LANES = {'send': (1, 6), 'talk': (1, 4), 'list': (1, 1), 'tell': (4, 4)}
#: seconds in which the till gets its answer before the courier needs the processor
HEAD_START = 0.005
#: a step that is due so soon is carried by the same thread
AT_ONCE = 0.3
_LONGEST_WAIT = 10.0


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that is to be done: see `qfpay.link._look`.

    `lane`: 'send', 'talk', 'list' (its account's open payments, all at once) or 'tell'.
    """

    lane: str
    row_id: int
    link_id: int
    is_account: bool
    till_id: int


@dataclass(slots=True)
class Looked:
    """What a look found. `owned`: the links of this process. `soon`: seconds until more is due."""

    owned: set[int] = field(default_factory=set)
    due: list[Due] = field(default_factory=list)
    soon: float | None = None
    others: bool = False


class Runner:
    """The courier of one database in this process."""

    def __init__(self, db_name: str) -> None:
        self.db_name = db_name
        self._lock = threading.Lock()
        self._awake = threading.Event()
        self._looking: threading.Thread | None = None
        self._stopped = False
        # what is carried now: (lane, row or link) and the link that it is for
        self._carried: dict[tuple[str, int], int] = {}
        self._waiting = False
        self._served: Counter[int] = Counter()
        self._budgets: dict[int, Budget] = {}

    # ------------------------------------------------------------------
    # For whoever has something to do
    # ------------------------------------------------------------------

    def wake(self) -> None:
        """Look now."""
        self.take_part()
        self._awake.set()

    def take_part(self) -> None:
        """Look now and then."""
        with self._lock:
            if self._stopped:
                return
            if self._looking is None or not self._looking.is_alive():
                self._looking = self._thread('look', self._look_on)
                try:
                    self._looking.start()
                except RuntimeError:
                    # no more threads: the next one who comes tries again
                    _logger.exception('QFPay: the courier cannot begin')
                    self._looking = None

    def begin(self, due: Due) -> bool:
        """Begin what is due, if its lane is free. Whoever has to wait is found by a later look."""
        key = (due.lane, due.link_id if due.lane == 'list' else due.row_id)
        with self._lock:
            width = _LANES[due.lane][due.is_account]
            busy = sum(
                lane == due.lane and link == due.link_id
                for (lane, _id), link in self._carried.items()
            )
            if self._stopped:
                return False
            if key in self._carried or busy >= width:
                self._waiting = True
                return False
            self._carried[key] = due.link_id
            self._served[due.till_id] += 1
        try:
            self._thread(f'{due.lane}.{key[1]}', self._carry, due, key).start()
        except RuntimeError:
            _logger.exception('QFPay: no thread for an errand')
            self._end(key)
            return False
        return True

    def stop(self, patience: float) -> None:
        """Begin nothing more, and wait for what is carried."""
        self._stopped = True
        self._awake.set()
        ends_at = time.monotonic() + patience
        while self.is_busy() and time.monotonic() < ends_at:
            time.sleep(0.02)

    def leave(self) -> None:
        """This process ends: another one need not wait until its leases have run out."""
        self.stop(0)
        try:
            transact(self.db_name, lambda env: env['qfpay.link']._leave(me()))
        except Exception:
            # they run out by themselves
            _logger.info('QFPay: the links of %s could not be given back', me())

    def is_busy(self) -> bool:
        with self._lock:
            looking = self._looking is not None and self._looking.is_alive()
            return bool(self._carried) or (looking and self._stopped)

    def budget(self, link_id: int) -> Budget:
        with self._lock:
            return self._budgets.setdefault(link_id, Budget())

    # ------------------------------------------------------------------
    # Looking
    # ------------------------------------------------------------------

    def _look_on(self) -> None:
        idle_since = time.monotonic()
        while not self._stopped:
            try:
                looked = self._look()
            except Exception:
                _logger.exception('QFPay: the courier could not look what is due')
                looked = Looked(others=True)
            if looked.owned or looked.due or looked.others or looked.soon is not None:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > IDLE:
                with self._lock:
                    if not self._awake.is_set():
                        self._looking = None
                        return
            self._rest(self._pause(looked))

    def _look(self) -> Looked:
        with self._lock:
            busy = set(self._carried.values())
            spent = {link_id: budget.spent for link_id, budget in self._budgets.items()}
            self._waiting = False
        looked: Looked = transact(
            self.db_name, lambda env: env['qfpay.link']._look(me(), busy, spent)
        )
        # who was served least comes first, so that nobody's fifty payments keep another waiting
        for due in sorted(looked.due, key=lambda due: self._served[due.till_id]):
            self.begin(due)
        if not self._carried:
            self._served.clear()
        return looked

    def _rest(self, pause: float) -> None:
        """Wait for the next look. While something is carried here, that is never far off."""
        ends_at = time.monotonic() + pause
        while (left := ends_at - time.monotonic()) > 0 and not self._awake.wait(min(left, LOOK)):
            if self._carried:
                break
        self._awake.clear()

    def _pause(self, looked: Looked) -> float:
        longest = LOOK if looked.owned else LOOK_FOR_OTHERS if looked.others else LOOK_RARELY
        return min(longest, max(looked.soon or longest, 0.05))

    def _thread(self, name: str, target: Callable[..., None], *args: Any) -> threading.Thread:
        return threading.Thread(target=target, args=args, name=f'qfpay.courier.{name}', daemon=True)

    # ------------------------------------------------------------------
    # Carrying
    # ------------------------------------------------------------------

    def _carry(self, due: Due, key: tuple[str, int]) -> None:
        threading.current_thread().dbname = self.db_name  # type: ignore[attr-defined]
        try:
            if due.lane == 'tell':
                self._tell(due.row_id)
            elif due.lane == 'list':
                polling.go_round(self.db_name, due.link_id, self.budget(due.link_id), self._tell)
            else:
                if due.lane == 'send':
                    time.sleep(HEAD_START)
                self._carry_steps(due)
        except RateLimited as error:
            _logger.info('QFPay: transaction %s has to wait: %s', due.row_id, error)
        except Exception:
            # the row stays as it is: what is due is found by the next look
            _logger.exception('QFPay: transaction %s could not be carried on', due.row_id)
        finally:
            self._end(key)

    def _end(self, key: tuple[str, int]) -> None:
        with self._lock:
            self._carried.pop(key, None)
            waiting = self._waiting
        if waiting:
            self._awake.set()

    def _carry_steps(self, due: Due) -> None:
        """Carry one step after the other, for as long as the next one is due at once."""
        while not self._stopped:
            permit: Callable[[], None] = _no_limit
            if due.is_account:
                # before the claim: while this waited, everything may have changed
                self.budget(due.link_id).take()
                permit = self.budget(due.link_id).after_first()
            errand: Errand | None
            errand, has_news = transact(
                self.db_name, lambda env: _row(env, due.row_id)._claim_step(me(), due.lane)
            )
            if has_news:
                self._tell(due.row_id)
            if errand is None:
                return
            after = self._report(errand, carry(errand, permit))
            if after is None or after > AT_ONCE:
                return
            time.sleep(max(after, 0))

    def _report(self, errand: Errand, word: Word) -> float | None:
        """Tell the ledger, however long the database needs to come back.

        :return: seconds until the next step is due; None at rest
        """
        pause = 0.5
        while True:
            try:
                after, has_news = transact(
                    self.db_name,
                    lambda env: env['qfpay.transaction']._take_report(errand, word),
                )
                break
            except (psycopg2.OperationalError, psycopg2.InterfaceError, odoo.sql_db.PoolError):
                _logger.warning(
                    'QFPay: the database is away; transaction %s waits', errand.transaction_id
                )
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_WAIT)
        if has_news:
            self._tell(errand.transaction_id)
        return after

    def _tell(self, row_id: int) -> None:
        """Bring payment line and tills in line with the ledger, which does not depend on it."""
        try:
            transact(self.db_name, lambda env: _row(env, row_id)._tell())
        except Exception:
            _logger.exception('QFPay: transaction %s could not be told; trying again', row_id)
            transact(self.db_name, lambda env: _row(env, row_id)._tell_later())


def _no_limit() -> None:
    """A terminal is asked as often as need be."""


def _row(env: Any, row_id: int) -> Any:
    return env['qfpay.transaction'].browse(row_id)


_runners: dict[str, Runner] = {}
_runners_lock = threading.Lock()


@atexit.register
def _leave_all() -> None:
    for runner in list(_runners.values()):
        runner.leave()


def _runner(db_name: str) -> Runner:
    with _runners_lock:
        runner = _runners.get(db_name)
        if runner is None or runner._stopped:
            runner = _runners[db_name] = Runner(db_name)
        return runner


def poke(db_name: str, due: Due) -> None:
    """Something has just become due: begin it, if this process may."""
    runner = _runner(db_name)
    if runner.begin(due):
        runner.take_part()
    else:
        runner.wake()


def wake(db_name: str) -> None:
    """Something is due now, on whichever link."""
    _runner(db_name).wake()


def take_part(db_name: str) -> None:
    """See to it that this process looks what is due."""
    _runner(db_name).take_part()


def tell(db_name: str, row_id: int) -> None:
    """What was learned about a row has been committed: tell payment line and tills."""
    poke(db_name, Due('tell', row_id, 0, False, 0))


def stop(db_name: str, patience: float = 30.0) -> None:
    """Begin nothing more in this process, and wait for what is carried."""
    with _runners_lock:
        runner = _runners.get(db_name)
    if runner:
        runner.stop(patience)


def is_busy(db_name: str) -> bool:
    """Whether anything is carried in this process."""
    runner = _runners.get(db_name)
    return bool(runner) and runner.is_busy()
