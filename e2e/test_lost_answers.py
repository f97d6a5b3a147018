"""Whatever breaks between the terminal and Odoo, both end up believing the same about the money."""

import time

import pytest
from clients import wait_for
from orders import Counter

# The terminal charges, but its answer cannot be believed or never comes.
CHARGED_WITHOUT_A_USABLE_ANSWER = (
    'silent_after_charge',
    'request_error_after_charge',
    'other_error_after_charge',
    'unknown_code',
    'no_data',
    'inner_pending',
    'wrong_amount',
    'wrong_currency',
    'wrong_reference',
    'wrong_key',
    'garbage',
    'html',
    'empty',
    'truncated',
    'http_500',
    'redirect',
    'huge',
    'flood',
)


@pytest.fixture
def counter(odoo_server):
    return Counter(odoo_server.rpc('cashier'))


def payments_sent(simulator, payment_uuid):
    """The references under which the terminal was asked to take this line's money."""
    return [
        request['content']['out_trade_no']
        for request in simulator.requests()
        if request['content'].get('func_type') == 1001
        and request['content']['out_trade_no'].startswith(payment_uuid)
    ]


@pytest.mark.parametrize('fault', CHARGED_WITHOUT_A_USABLE_ANSWER)
def test_a_charge_without_a_usable_answer_is_found_by_asking(
    odoo_server, simulator, counter, fault
):
    simulator.settings(mode='approve', delay=0.2, fault=fault, fault_count=1)
    line = counter.pay(12.5)
    status = counter.wait_state(line)
    assert status['state'] == 'done'
    (trade,) = simulator.trades()
    (row,) = odoo_server.sql(
        'SELECT state, state_source, syssn, amount_minor FROM qfpay_transaction'
        ' WHERE payment_uuid = %s',
        line,
    )
    assert row == {
        'state': 'done',
        'state_source': 'inquiry',
        'syssn': trade['syssn'],
        'amount_minor': 1250,
    }
    assert len(payments_sent(simulator, line)) == 1


def test_no_answer_is_unknown_to_the_cashier_and_never_failed(odoo_server, simulator, counter):
    simulator.settings(fault='silent_before_charge', fault_count=1)
    line = counter.pay(20)
    status = counter.wait_state(line, 'unknown', 'failed')
    assert status['state'] == 'unknown'
    assert 'Do not charge again' in status['message']
    again = counter.start(line)
    assert again['payment']['reference'] == status['reference'], 'no second attempt'
    simulator.press('approve')
    assert counter.wait_state(line)['state'] == 'done'
    assert len(payments_sent(simulator, line)) == 1


def test_a_terminal_that_vanishes_after_charging_is_asked_when_it_is_back(simulator, counter):
    simulator.settings(fault='silent_before_charge', fault_count=1)
    line = counter.pay(30)
    counter.wait_state(line, 'unknown')
    simulator.press('approve')
    simulator.settings(reachable=False)
    time.sleep(3)
    assert counter.status(line)['state'] in ('unknown', 'done')
    simulator.settings(reachable=True)
    assert counter.wait_state(line)['state'] == 'done'


def test_a_terminal_that_cannot_be_reached_took_nothing(simulator, counter):
    simulator.settings(reachable=False)
    line = counter.pay(15)
    status = counter.wait_state(line)
    assert status['state'] == 'failed'
    assert 'no money moved' in status['message']
    simulator.settings(reachable=True, mode='approve', delay=0)
    retried = counter.start(line)['payment']
    assert retried['reference'] != status['reference']
    assert counter.wait_state(line, 'done')['state'] == 'done'


def test_a_server_killed_while_the_customer_pays_finds_the_payment_afterwards(
    odoo_server, simulator, counter
):
    line = counter.pay(42)
    simulator.wait_job()
    odoo_server.kill()
    simulator.press('approve')
    odoo_server.start()
    counter = Counter(odoo_server.rpc('cashier'))
    assert counter.wait_state(line)['state'] == 'done'
    assert len(payments_sent(simulator, line)) == 1


def test_a_server_killed_in_the_dark_asks_by_itself_without_any_till(
    odoo_server, simulator, counter
):
    line = counter.pay(43)
    simulator.wait_job()
    odoo_server.kill()
    simulator.press('approve')
    odoo_server.start()

    def state():
        (row,) = odoo_server.sql(
            'SELECT t.state, p.payment_status FROM qfpay_transaction t'
            ' JOIN pos_payment p ON p.id = t.pos_payment_id WHERE t.payment_uuid = %s',
            line,
        )
        return row == {'state': 'done', 'payment_status': 'done'}

    # The scheduled job looks once a minute.
    wait_for(state, 180, 'the server did not ask about the payment by itself')


def test_a_database_that_goes_away_is_waited_for(odoo_server, simulator, counter):
    line = counter.pay(44)
    simulator.wait_job()
    # Every connection of the server is cut, as when the database is restarted.
    odoo_server.sql(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity'
        ' WHERE datname = current_database() AND pid != pg_backend_pid()'
    )
    simulator.press('approve')
    assert Counter(odoo_server.rpc('cashier')).wait_state(line)['state'] == 'done'
