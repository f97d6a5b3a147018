"""Whatever dies in the middle of a payment, nobody is charged twice and nobody waits for long."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from clients import Sql, wait_for
from conftest import TAG, RunningOdoo, RunningSimulator
from orders import Counter

from tools import database, machine, postgres
from tools.odoo_source import Source

# So long a commit that is not waited for may stay in memory only, in milliseconds.
LAZY = 10_000


class OwnServerOdoo(RunningOdoo):
    """An Odoo on a database server of its own, which may be killed."""

    def __init__(self, source: Source, cluster: postgres.Cluster, name: str) -> None:
        super().__init__(source, name, name=f'e2e/own-{TAG}')
        self.cluster = cluster
        self._env.update(cluster.connection())

    def sql(self, query: str, *values: Any) -> list[dict[str, Any]]:
        if self._sql is None:
            self._sql = Sql(self.db, self.cluster.connection())
        return self._sql(query, *values)


@pytest.fixture(scope='module')
def own(source: Source, simulator_process: RunningSimulator) -> Iterator[OwnServerOdoo]:
    """Odoo on a PostgreSQL that does not wait for the disk, and forgets what it did not write."""
    template, name = database.ensure_addon_template(source), f'qfpay_e2e_own_{TAG}'
    cluster = postgres.Cluster(machine.RUN / f'postgres-{TAG}')
    cluster.create()
    with (cluster.data / 'postgresql.conf').open('a') as settings:
        settings.write(f'synchronous_commit = off\nwal_writer_delay = {LAZY}\n')
    cluster.start()
    odoo = OwnServerOdoo(source, cluster, name)
    try:
        there = {**os.environ, **cluster.connection()}
        subprocess.run([postgres.program('createdb'), name], env=there, check=True)
        dump = subprocess.Popen(
            [postgres.program('pg_dump'), '-Fc', '-Z0', template],
            env=postgres.environ(),
            stdout=subprocess.PIPE,
        )
        restore = [postgres.program('pg_restore'), '--no-owner', '-d', name]
        subprocess.run(restore, stdin=dump.stdout, env=there, check=True)
        assert dump.wait() == 0
        odoo.start()
        odoo.connect(simulator_process)
        yield odoo
    finally:
        odoo.forget()
        odoo.stop()
        cluster.stop()


def sent_to_terminal(simulator: RunningSimulator, uuid: str) -> list[Any]:
    """The times the terminal was asked for this line's money."""
    return [
        request
        for request in simulator.requests()
        if request['content'].get('func_type') == 1001
        and request['content']['out_trade_no'].startswith(uuid)
    ]


def charged(simulator: RunningSimulator) -> list[int]:
    """What QFPay's book says was taken, in cents."""
    return [trade['charged_minor'] for trade in simulator.trades() if trade['charged_minor']]


def test_a_database_that_forgets_its_last_second_charges_nobody_twice(
    own: OwnServerOdoo, simulator: RunningSimulator
) -> None:
    """The claim was written through to the disk before the terminal woke up."""
    counter = Counter(own.rpc('cashier'))
    line = counter.pay(10)
    simulator.wait_job()
    own.cluster.kill()
    own.forget()
    own.cluster.start()
    (row,) = own.sql('SELECT state FROM qfpay_transaction WHERE payment_uuid = %s', line)
    assert row['state'] in ('sent', 'unknown'), 'the database has forgotten that it was sent'
    simulator.press('approve')
    counter = Counter(own.rpc('cashier'))
    assert counter.wait_state(line)['state'] == 'done'
    assert len(sent_to_terminal(simulator, line)) == 1
    assert charged(simulator) == [1000]


def test_what_was_learned_is_not_forgotten(own: OwnServerOdoo, simulator: RunningSimulator) -> None:
    """*Done* is on the disk when the till turns green."""
    simulator.settings(mode='approve', delay=0)
    counter = Counter(own.rpc('cashier'))
    line = counter.pay(11)
    wait_for(
        lambda: own.sql(
            "SELECT id FROM qfpay_transaction WHERE payment_uuid = %s AND state = 'done'", line
        )
    )
    own.cluster.kill()
    own.forget()
    own.cluster.start()
    (row,) = own.sql('SELECT state, syssn FROM qfpay_transaction WHERE payment_uuid = %s', line)
    assert row['state'] == 'done'
    assert row['syssn'] == simulator.trades()[-1]['syssn']


def test_a_row_that_is_gone_is_written_anew_and_a_manager_called(
    odoo_server: RunningOdoo, simulator: RunningSimulator
) -> None:
    """A replica that lagged behind has become the database: the answer is not lost with the row."""
    counter = Counter(odoo_server.rpc('cashier'))
    line = counter.pay(12)
    simulator.wait_job()
    odoo_server.sql('DELETE FROM qfpay_transaction WHERE payment_uuid = %s', line)
    simulator.press('approve')
    status = counter.wait_state(line, 'done')
    assert status['attention']
    (row,) = odoo_server.sql('SELECT * FROM qfpay_transaction WHERE payment_uuid = %s', line)
    assert row['syssn'] == simulator.trades()[-1]['syssn']
    assert row['alarms'][0][0] == 'row_lost'
    assert len(sent_to_terminal(simulator, line)) == 1


def test_codes_are_asked_about_soon_after_a_crash(
    odoo_server: RunningOdoo, simulator: RunningSimulator
) -> None:
    """The dead process's lease runs out, and whoever is there takes over: within ten seconds."""
    counter = Counter(odoo_server.rpc('cashier'), 'Till 1', 'Alipay code')
    line, _order = counter.order(13)
    counter.start(line)
    counter.wait_state(line, 'pending')
    odoo_server.kill()
    simulator.gateway_act('pay')
    odoo_server.start()
    began = time.monotonic()
    counter = Counter(odoo_server.rpc('cashier'), 'Till 1', 'Alipay code')
    assert counter.wait_state(line)['state'] == 'done'
    assert time.monotonic() - began < 10


def test_fifty_cashiers_in_one_moment(
    odoo_server: RunningOdoo, simulator: RunningSimulator
) -> None:
    """Nobody's payment is rolled back, or unknown, because another one began as well."""
    simulator.gateway_settings(per_second=0, per_minute=0, cancel_lists='both')
    counters = [
        Counter(odoo_server.rpc('cashier'), f'Till {number}', 'Alipay code') for number in (1, 2)
    ]
    lines = [(counter, counter.order(1)[0]) for counter in counters for _number in range(24)]
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda pair: _start_alone(odoo_server, *pair), lines))
    assert all('payment' in answer for answer in answers)
    for counter, line in lines:
        assert counter.wait_state(line, 'pending', 'unknown', 'failed')['state'] == 'pending'
    for counter, line in lines:
        counter.cancel(line)
    for counter, line in lines:
        counter.wait_state(line, 'cancelled')


def _start_alone(odoo: RunningOdoo, counter: Counter, line: str) -> dict[str, Any]:
    return dict(odoo.rpc('cashier').post('/pos_payment_qfpay/start', payment_uuid=line))


def test_a_loop_of_cancels_costs_no_threads(
    odoo_server: RunningOdoo, simulator: RunningSimulator
) -> None:
    """A cashier's key that hangs keeps nobody else from working."""
    simulator.settings(fault='hang', fault_for=[5001])
    counter = Counter(odoo_server.rpc('cashier'))
    line = counter.pay(14)
    simulator.wait_job()
    before = _threads(odoo_server.pid)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _number: counter.cancel(line), range(300)))
    assert _threads(odoo_server.pid) < before + 40
    asked = [request for request in simulator.requests() if request['func_type'] == 5001]
    assert len(asked) <= 2
    simulator.settings(fault=None)
    simulator.press('cancel')
    counter.wait_state(line)


def _threads(pid: int) -> int:
    return len(list(Path(f'/proc/{pid}/task').iterdir()))


# ------------------------------------------------------------------
# Several processes
# ------------------------------------------------------------------


@pytest.fixture(scope='module')
def prefork(new_odoo: Callable[..., RunningOdoo]) -> RunningOdoo:
    """Odoo as shops run it: two worker processes."""
    return new_odoo('crashes', workers=2)


def _asked_after(simulator: RunningSimulator, func_type: int, action: Callable[[], Any]) -> float:
    """Seconds from an action until the terminal has heard of it."""

    def heard() -> int:
        return len([entry for entry in simulator.requests() if entry['func_type'] == func_type])

    before, began = heard(), time.monotonic()
    action()
    wait_for(lambda: heard() > before, 10, f'the terminal never heard {func_type}')
    return time.monotonic() - began


def test_ask_again_and_cancel_arrive_within_a_second(
    prefork: RunningOdoo, simulator: RunningSimulator
) -> None:
    """Whichever worker has the terminal, and whichever one the cashier's tap reaches."""
    prefork.connect(simulator)
    took = []
    for _round in range(4):
        counter = Counter(prefork.rpc('cashier'))
        line = counter.pay(15)
        simulator.wait_job()
        for _question in range(3):
            # a new connection each time, so that it is not always the same worker
            other = Counter(prefork.rpc('cashier'))
            ask = partial(other.status, line, inquire=True)
            took.append(_asked_after(simulator, 4001, ask))
        other = Counter(prefork.rpc('cashier'))
        took.append(_asked_after(simulator, 5001, partial(other.cancel, line)))
        assert counter.wait_state(line)['state'] == 'cancelled'
    assert max(took) < 1, took


def test_a_killed_workers_payment_is_taken_up_by_another(
    prefork: RunningOdoo, simulator: RunningSimulator
) -> None:
    """The process that waits for the terminal dies: its payment is asked about, not sent again."""
    prefork.connect(simulator)
    counter = Counter(prefork.rpc('cashier'))
    line = counter.pay(16)
    simulator.wait_job()
    (link,) = prefork.sql(
        'SELECT link.owner FROM qfpay_link link JOIN qfpay_transaction row ON row.link_id = link.id'
        ' WHERE row.payment_uuid = %s',
        line,
    )
    os.kill(int(link['owner'].split('-')[-2]), 9)
    began = time.monotonic()
    counter.wait_state(line, 'unknown')
    assert time.monotonic() - began < 12
    simulator.press('approve')
    assert counter.wait_state(line)['state'] == 'done'
    assert len(sent_to_terminal(simulator, line)) == 1
    assert charged(simulator)[-1] == 1600
