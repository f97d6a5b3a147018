"""The courier carries a row of the ledger to QFPay and the answer back.

A customer may think for two minutes. Nobody who is needed elsewhere waits for that: the courier is
a thread of its own with no cursor open. It opens one to claim the row (committed before a byte
leaves) and one for each thing it learns.

The claim is a lease of `LEASE` seconds on the row, renewed by a heartbeat for as long as this
process lives. A process that dies leaves the lease to run out; then whoever looks at the row next
(a till that asks for its state, or the cron) sends a courier again. That one never re-sends: a row
that is no longer `draft` is only asked about.

A terminal is asked about its one job by the thread that has it. An OpenAPI account may have a
hundred open payments, so they are asked about together: one *round* for each account, whichever
process or server holds it, with one query for all. A row of an account is carried only to be sent.

`carry`, `call_off`, `ask_once` and `go_round` return at once and may be called as often as one
likes.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg2
from psycopg2.extensions import TransactionRollbackError

import odoo
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry

from .qfpay.errors import AnswerLost, InvalidRequest, NotSent, RateLimited
from .qfpay.outcome import Outcome, Verdict

_logger = logging.getLogger(__name__)

LEASE = 15  # seconds that a claim holds without a sign of life
HEARTBEAT = 5  # seconds between signs of life
FIRST_INQUIRY = 1  # seconds between a lost answer and the first question
LONGEST_PAUSE = 15  # seconds between two questions, once the first ones brought nothing
DETAILS_AFTER = 0.2  # seconds in which the till turns green before the card's digits are fetched
HEAD_START = 0.005  # seconds in which the till gets its answer before the courier needs the CPU
ROUND = 2  # seconds between two questions about all open payments of an account
GIVE_UP = 15 * 60  # seconds of asking; afterwards the cron and the tills ask again


@dataclass(frozen=True, kw_only=True)
class Errand:
    """What the courier is to do for one row, without a database.

    Each callable returns a qfpay.outcome.Outcome or raises NotSent, AnswerLost or InvalidRequest.
    `look` comes before a refund: it returns what is left of the payment in minor units, None when
    QFPay does not say; that is committed before the refund leaves.
    """

    send: Callable[[], Outcome] | None  # None: it was sent already
    inquire: Callable[[], Outcome]
    call_off: Callable[[], Outcome] | None = None
    look: Callable[[], int | None] | None = None
    in_round: bool = False  # once it is sent, it is asked about in the account's round
    complete: bool = False  # an inquiry knows more than the answer, for instance the card's digits


@dataclass(frozen=True, kw_only=True)
class Questions:
    """What to ask about the open payments of an account, without a database.

    `ask` returns an Outcome for each reference of `rows` (reference to row), or raises NotSent,
    AnswerLost or RateLimited. `known`: the verdicts that would be no news, by row. `lapsed`: rows
    whose time is over, to be called off.
    """

    ask: Callable[[], dict[str, Outcome]]
    rows: dict[str, int]
    known: dict[int, set[Verdict]]
    lapsed: list[int]


class _Threads:
    """The threads of one kind in this process: at most one for each key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wakers: dict[tuple[str, int], threading.Event] = {}

    def begin(self, key: tuple[str, int], wake: bool = True) -> threading.Event | None:
        """Take the key for a new thread; wake the thread that has it already instead."""
        with self._lock:
            if waker := self._wakers.get(key):
                if wake:
                    waker.set()
                return None
            waker = self._wakers[key] = threading.Event()
            self._begun()
            return waker

    def _begun(self) -> None:
        """What else is to happen, under the lock, when a key was taken."""

    def end(self, key: tuple[str, int]) -> None:
        with self._lock:
            self._wakers.pop(key, None)


class _Jobs(_Threads):
    """The rows that this process carries, and the heartbeat that renews their leases."""

    def __init__(self) -> None:
        super().__init__()
        self._heart: threading.Thread | None = None

    def _begun(self) -> None:
        if self._heart is None or not self._heart.is_alive():
            self._heart = threading.Thread(
                target=self._beat, name='qfpay.courier.heartbeat', daemon=True
            )
            self._heart.start()

    def _beat(self) -> None:
        while True:
            time.sleep(HEARTBEAT)
            with self._lock:
                if not self._wakers:
                    self._heart = None
                    return
                ids_by_db: dict[str, list[int]] = {}
                for db_name, row_id in self._wakers:
                    ids_by_db.setdefault(db_name, []).append(row_id)
            for db_name, row_ids in ids_by_db.items():
                try:
                    transact(db_name, lambda env, ids=row_ids: _ledger(env)._renew_lease(ids))
                except Exception:
                    _logger.exception('QFPay: could not renew the leases of %s', row_ids)


_jobs = _Jobs()
_rounds = _Threads()


def transact(db_name: str, action: Callable[[api.Environment], object]) -> object:
    """Run `action(env)` in a transaction of its own, as the system user, and commit.

    Runs it again, at once, when another transaction touched the same rows in between.

    :return: what the action returned
    """
    for tries_left in range(20, -1, -1):
        try:
            with Registry(db_name).cursor() as cr:
                return action(api.Environment(cr, SUPERUSER_ID, {}))
        except TransactionRollbackError:  # serialisation failure, deadlock
            if not tries_left:
                raise
            time.sleep(0.02)
    raise AssertionError('unreachable')


def carry(db_name: str, transaction_id: int) -> None:
    """Take up a row of the ledger: send it if it is a draft, ask about it if it is open."""
    key = (db_name, transaction_id)
    if waker := _jobs.begin(key):
        _start_thread(_carry, key, waker)


def call_off(db_name: str, transaction_id: int) -> None:
    """Ask QFPay to call the payment off. Whether it was is told by its own end or an inquiry."""
    _start_thread(_call_off, (db_name, transaction_id))


def ask_once(db_name: str, transaction_id: int) -> None:
    """Ask about a row that has ended: QFPay may know more, or better, by now."""
    _start_thread(_ask_once, (db_name, transaction_id))


def _start_thread(target, key, *args):
    threading.Thread(
        target=target, args=(key, *args), name=f'qfpay.courier.{key[1]}', daemon=True
    ).start()


def _ledger(env):
    return env['qfpay.transaction']


def _row(env, key):
    return _ledger(env).browse(key[1])


def go_round(db_name: str, account_id: int, at_once: bool = False) -> None:
    """See to it that somebody asks about the open payments of an account.

    :param at_once: do not wait for the next turn; for a cashier who asks, not for a till that polls
    """
    key = (db_name, account_id)
    if waker := _rounds.begin(key, wake=at_once):
        _start_thread(_go_round, key, waker)


def _carry(key, waker):
    db_name = key[0]
    threading.current_thread().dbname = db_name
    time.sleep(HEAD_START)
    try:
        claim = transact(db_name, lambda env: _row(env, key)._claim())
        if not claim:
            return
        errand, is_new = claim
        if is_new:
            outcome = _ask(lambda: _send(key, errand))
            if not _report(key, outcome, 'answer'):
                if outcome.verdict is Verdict.DONE and errand.complete:
                    _complete(key, errand)
                return
        if errand.in_round:
            transact(db_name, lambda env: _row(env, key)._hand_to_round())
        else:
            _inquire_until_final(key, errand, waker)
    except Exception:
        # The row stays as it is: open rows are taken up again when the lease has run out.
        _logger.exception('QFPay: the courier of transaction %s stopped', key[1])
    finally:
        _jobs.end(key)


def _inquire_until_final(key, errand, waker):
    started = time.monotonic()
    pause = FIRST_INQUIRY
    while time.monotonic() - started < GIVE_UP:
        waker.wait(pause)
        waker.clear()
        pause = min(pause + 1, LONGEST_PAUSE)
        try:
            outcome = errand.inquire()
        except (NotSent, AnswerLost) as error:
            _logger.info('QFPay: transaction %s could not be asked about: %s', key[1], error)
            outcome = Outcome(verdict=Verdict.UNKNOWN)
        if not _report(key, outcome, 'inquiry'):
            return


def _go_round(key, waker):
    """Ask about all open payments of an account at once, until none is open."""
    db_name, account_id = key
    threading.current_thread().dbname = db_name
    try:
        while questions := transact(
            db_name, lambda env: env['qfpay.account'].browse(account_id)._claim_round(_who())
        ):
            for row_id, outcome in _ask_all(questions):
                _report((db_name, row_id), outcome, 'inquiry')
            for row_id in questions.lapsed:
                call_off(db_name, row_id)
            waker.wait(ROUND)
            waker.clear()
    except Exception:
        # Whoever looks at a row of the account next begins the round again.
        _logger.exception('QFPay: the round of account %s stopped', account_id)
    finally:
        _rounds.end(key)


def _who():
    """This process, among all servers of the database."""
    return f'{socket.gethostname()}-{os.getpid()}'


def _ask_all(questions):
    """One query for all; what it tells that is news, by row."""
    try:
        outcomes = questions.ask()
    except (NotSent, AnswerLost, RateLimited) as error:
        _logger.info('QFPay: the open payments could not be asked about: %s', error)
        return []
    return [
        (row_id, outcomes[reference])
        for reference, row_id in questions.rows.items()
        if outcomes[reference].verdict not in questions.known[row_id]
    ]


def _complete(key, errand):
    """Fetch what the answer to a payment leaves out, now that the till knows it is done."""
    time.sleep(DETAILS_AFTER)
    _inquire_once(key, errand)


def _ask_once(key):
    threading.current_thread().dbname = key[0]
    try:
        _inquire_once(key, transact(key[0], lambda env: _row(env, key)._errand()))
    except Exception:
        _logger.exception('QFPay: transaction %s could not be asked about', key[1])


def _inquire_once(key, errand):
    try:
        _report(key, errand.inquire(), 'inquiry')
    except (NotSent, AnswerLost, RateLimited) as error:
        _logger.info('QFPay: nothing more was heard of transaction %s: %s', key[1], error)


def _send(key, errand):
    if errand.look:
        left_minor = errand.look()
        if left_minor is None:
            # Should the answer to the refund get lost, nothing could tell whether it happened.
            return Outcome(verdict=Verdict.FAILED, code='nothing_known')
        if not transact(key[0], lambda env: _row(env, key)._note_left(left_minor)):
            return Outcome(verdict=Verdict.FAILED, code='not_sent')
    return errand.send()


def _ask(send):
    """Send once, and put what is known about the money into an Outcome."""
    try:
        return send()
    except NotSent as error:
        return Outcome(verdict=Verdict.FAILED, code='unreachable', message=str(error))
    except InvalidRequest as error:
        return Outcome(verdict=Verdict.FAILED, code='not_sent', message=str(error))
    except RateLimited as error:
        return Outcome(verdict=Verdict.FAILED, code='rate_limited', message=str(error))
    except AnswerLost as error:
        # No code: QFPay has not ended the request.
        return Outcome(verdict=Verdict.UNKNOWN, message=str(error))
    except Exception:
        # A fault of our own after bytes may have left says nothing about the money.
        _logger.exception('QFPay: sending failed in an unforeseen way')
        return Outcome(verdict=Verdict.UNKNOWN)


def _report(key, outcome, source):
    """Tell the ledger, however long the database needs to come back.

    :return: whether the row is still open
    """
    pause = 0.5
    while True:
        try:
            return transact(key[0], lambda env: _row(env, key)._learn(outcome, source))
        except (psycopg2.OperationalError, psycopg2.InterfaceError, odoo.sql_db.PoolError):
            _logger.warning('QFPay: the database is away; transaction %s waits', key[1])
            time.sleep(pause)
            pause = min(pause * 2, 10)


def _call_off(key):
    db_name = key[0]
    threading.current_thread().dbname = db_name
    try:
        errand = transact(db_name, lambda env: _row(env, key)._errand_to_call_off())
        if not errand or not errand.call_off:
            return
        try:
            accepted = errand.call_off().verdict is Verdict.DONE
        except (NotSent, AnswerLost, RateLimited) as error:
            _logger.info('QFPay: call-off of transaction %s got no answer: %s', key[1], error)
            accepted = None
        transact(db_name, lambda env: _row(env, key)._note_call_off(accepted))
        if errand.in_round:
            # Always, also when another witness was faster: a reversal gives back what was paid.
            _inquire_once(key, errand)
    except Exception:
        _logger.exception('QFPay: calling off transaction %s failed', key[1])
