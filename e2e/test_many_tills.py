"""Several tills, several workers, one truth."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from clients import wait_for
from orders import Counter

from tools import server as servers

CUSTOMERS = 50


@pytest.fixture(scope='module')
def prefork(new_odoo):
    """Odoo as shops run it: worker processes."""
    return new_odoo('prefork', workers=2)


@pytest.fixture(scope='module')
def many_terminals():
    simulator = servers.Simulator(name='e2e/many', terminals=CUSTOMERS)
    with servers.running(simulator):
        yield simulator


def furnish_tills(odoo, simulator, number):
    """As many tills as asked for, each with a terminal of its own; answer their names."""
    admin = odoo.rpc('admin')
    names = []
    for index in range(number):
        (terminal,) = admin.call(
            'qfpay.terminal',
            'create',
            [
                {
                    'name': f'Many {index}',
                    'host': '127.0.0.1',
                    'port': simulator.port(index),
                    'pos_key': servers.POS_KEY,
                }
            ],
        )
        names.append(f'Many till {index}')
        card = admin.find(
            'pos.payment.method', ('name', '=', 'Visa/Mastercard'), fields=('id',), limit=1
        )
        admin.call(
            'pos.config',
            'create',
            [
                {
                    'name': names[-1],
                    'qfpay_terminal_id': terminal,
                    'payment_method_ids': [(6, 0, [card[0]['id']])],
                }
            ],
        )
    return names


def test_two_tills_cannot_use_one_terminal_at_once(odoo_server, simulator):
    first = Counter(odoo_server.rpc('cashier'), 'Till 1')
    second = Counter(odoo_server.rpc('cashier'), 'Till 2')
    (terminal,) = odoo_server.sql(
        "SELECT qfpay_terminal_id AS id FROM pos_config WHERE name = 'Till 1'"
    )
    (own,) = odoo_server.sql("SELECT qfpay_terminal_id AS id FROM pos_config WHERE name = 'Till 2'")
    manager = odoo_server.rpc('manager')
    till = odoo_server.till_id('Till 2')
    manager.call('pos.config', 'write', [till], {'qfpay_terminal_id': terminal['id']})
    try:
        line = first.pay(10)
        simulator.wait_job()
        other, _order = second.order(20)
        answer = second.start(other)
        assert answer['error']['code'] == 'busy'
        assert 'Till 1' in answer['error']['message']
        simulator.press('approve')
        first.wait_state(line, 'done')
        assert 'payment' in second.start(other)
        simulator.wait_job()
        simulator.press('approve')
        second.wait_state(other, 'done')
    finally:
        manager.call('pos.config', 'write', [till], {'qfpay_terminal_id': own['id']})


def test_the_bus_of_many_workers_is_up(prefork):
    """It is a process of its own; without it the other tests here would hear nothing by it."""
    wait_for(lambda: 'Evented Service (longpolling) running' in prefork.log_text(), 60)
    assert 'Traceback' not in prefork.log_text()


def test_impatient_taps_on_many_workers_charge_once(prefork, simulator):
    prefork.connect(simulator)
    simulator.settings(mode='approve', delay=1)
    counter = Counter(prefork.rpc('cashier'))
    for _round in range(5):
        line, _order = counter.order(9.9)
        clients = [Counter(prefork.rpc('cashier')) for _ in range(6)]

        def tap(client, line=line):
            try:
                return client.start(line)
            except Exception as error:  # a loser of the race may get an error, not a charge
                return error

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(tap, clients))
        assert counter.wait_state(line)['state'] == 'done'
        paid = [
            request
            for request in simulator.requests()
            if request['content'].get('func_type') == 1001
            and request['content']['out_trade_no'].startswith(line)
        ]
        assert len(paid) == 1


def test_nobody_waits_for_fifty_customers(prefork, many_terminals):
    names = furnish_tills(prefork, many_terminals, CUSTOMERS)
    with ThreadPoolExecutor(4) as pool:
        counters = list(pool.map(lambda name: Counter(prefork.rpc('manager'), name), names))
    lines = [counter.pay(25) for counter in counters]
    wait_for(
        lambda: all(many_terminals.terminal(index)['screen']['job'] for index in range(CUSTOMERS)),
        60,
        'not every terminal has woken up',
    )
    time.sleep(1)
    # No connection is in a transaction, or working, for a customer who thinks.
    for _look in range(5):
        held = prefork.sql(
            'SELECT pid, state, query FROM pg_stat_activity WHERE datname = current_database()'
            " AND pid != pg_backend_pid() AND xact_start < now() - interval '0.5 seconds'"
        )
        assert held == []
        time.sleep(0.3)
    # Both workers have time for others.
    clients = [prefork.rpc('manager') for _ in range(2)]

    def look(client):
        began = time.monotonic()
        client.find('res.users', fields=('name',), limit=1)
        return time.monotonic() - began

    with ThreadPoolExecutor(2) as pool:
        times = [t for _ in range(10) for t in pool.map(look, clients)]
    assert statistics.median(times) < 1
    for index in range(CUSTOMERS):
        many_terminals.press('approve', index)
    for counter, line in zip(counters, lines, strict=True):
        assert counter.wait_state(line)['state'] == 'done'
