"""The courier carries a row of the ledger to QFPay and the answer back.

A customer may think for two minutes. Nobody who is needed elsewhere waits for that: the courier is
a thread of its own with no cursor open. It opens one to claim the row (committed before a byte
leaves) and one for each thing it learns.

The claim is a lease of `LEASE` seconds on the row, renewed by a heartbeat for as long as this
process lives. A process that dies leaves the lease to run out; then whoever looks at the row next
(a till that asks for its state, or the cron) sends a courier again. That one never re-sends: a row
that is no longer `draft` is only asked about.

`carry` and `call_off` return at once and may be called as often as one likes.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg2
from psycopg2.extensions import TransactionRollbackError

import odoo
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry

from .qfpay.errors import AnswerLost, InvalidRequest, NotSent
from .qfpay.outcome import Outcome, Verdict

_logger = logging.getLogger(__name__)

LEASE = 15  # seconds that a claim holds without a sign of life
HEARTBEAT = 5  # seconds between signs of life
FIRST_ENQUIRY = 1  # seconds between a lost answer and the first question
LONGEST_PAUSE = 15  # seconds between two questions, once the first ones brought nothing
HEAD_START = 0.01  # seconds in which the till gets its answer before the courier needs the CPU
GIVE_UP = 15 * 60  # seconds of asking; afterwards the cron and the tills ask again


@dataclass(frozen=True, kw_only=True)
class Errand:
    """What the courier is to do for one row, without a database.

    Each callable returns a qfpay.outcome.Outcome or raises NotSent, AnswerLost or InvalidRequest.
    """

    send: Callable[[], Outcome]
    enquire: Callable[[], Outcome]
    call_off: Callable[[], Outcome] | None = None
    complete: bool = False  # an enquiry knows more than the answer, for instance the card's digits


class _Jobs:
    """The rows that this process carries, and the heartbeat that renews their leases."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wakers: dict[tuple[str, int], threading.Event] = {}
        self._heart: threading.Thread | None = None

    def begin(self, key: tuple[str, int]) -> threading.Event | None:
        """Take the row for a new thread; wake the thread that has it already instead."""
        with self._lock:
            if waker := self._wakers.get(key):
                waker.set()
                return None
            waker = self._wakers[key] = threading.Event()
            if self._heart is None or not self._heart.is_alive():
                self._heart = threading.Thread(
                    target=self._beat, name='qfpay.courier.heartbeat', daemon=True
                )
                self._heart.start()
            return waker

    def end(self, key: tuple[str, int]) -> None:
        with self._lock:
            self._wakers.pop(key, None)

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
    """Ask QFPay to call the payment off. Whether it was is told by its own end or an enquiry."""
    _start_thread(_call_off, (db_name, transaction_id))


def _start_thread(target, key, *args):
    threading.Thread(
        target=target, args=(key, *args), name=f'qfpay.courier.{key[1]}', daemon=True
    ).start()


def _ledger(env):
    return env['qfpay.transaction']


def _row(env, key):
    return _ledger(env).browse(key[1])


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
            outcome = _ask(errand.send)
            if not _report(key, outcome, 'answer'):
                if outcome.verdict is Verdict.DONE and errand.complete:
                    _complete(key, errand)
                return
        _enquire_until_final(key, errand, waker)
    except Exception:
        # The row stays as it is: open rows are taken up again when the lease has run out.
        _logger.exception('QFPay: the courier of transaction %s stopped', key[1])
    finally:
        _jobs.end(key)


def _enquire_until_final(key, errand, waker):
    started = time.monotonic()
    pause = FIRST_ENQUIRY
    while time.monotonic() - started < GIVE_UP:
        waker.wait(pause)
        waker.clear()
        pause = min(pause * 1.5, LONGEST_PAUSE)
        try:
            outcome = errand.enquire()
        except (NotSent, AnswerLost) as error:
            _logger.info('QFPay: transaction %s could not be asked about: %s', key[1], error)
            outcome = Outcome(verdict=Verdict.UNKNOWN)
        if not _report(key, outcome, 'enquiry'):
            return


def _complete(key, errand):
    """Fetch what the answer to a payment leaves out, now that the till knows it is done."""
    try:
        _report(key, errand.enquire(), 'enquiry')
    except (NotSent, AnswerLost) as error:
        _logger.info('QFPay: details of transaction %s did not come: %s', key[1], error)


def _ask(send):
    """Send once, and put what is known about the money into an Outcome."""
    try:
        return send()
    except NotSent as error:
        return Outcome(verdict=Verdict.FAILED, code='unreachable', message=str(error))
    except InvalidRequest as error:
        return Outcome(verdict=Verdict.FAILED, code='not_sent', message=str(error))
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
        except (NotSent, AnswerLost) as error:
            _logger.info('QFPay: call-off of transaction %s got no answer: %s', key[1], error)
            accepted = None
        transact(db_name, lambda env: _row(env, key)._note_call_off(accepted))
    except Exception:
        _logger.exception('QFPay: calling off transaction %s failed', key[1])
