"""Calling off ends only when the terminal's own answer or an inquiry says so."""

import pytest
from orders import Counter


@pytest.fixture
def counter(odoo_server):
    return Counter(odoo_server.rpc('cashier'))


def test_called_off_in_time_nothing_is_paid(simulator, counter):
    line = counter.pay(10)
    simulator.wait_job()
    status = counter.cancel(line)['payment']
    assert status['cancelling']
    assert counter.wait_state(line)['state'] == 'cancelled'
    assert not [trade for trade in simulator.trades() if trade['respcd'] == '0000']


def test_a_payment_approved_in_that_very_moment_is_done(simulator, counter):
    simulator.settings(processing=3)
    line = counter.pay(11)
    simulator.wait_job()
    simulator.press('approve')
    counter.cancel(line)
    assert counter.wait_state(line)['state'] == 'done'


def test_a_terminal_that_does_not_answer_the_call_off_goes_on(simulator, counter):
    line = counter.pay(12)
    simulator.wait_job()
    simulator.settings(fault='drop', fault_count=1)
    counter.cancel(line)
    status = counter.wait_state(line, 'sent', 'pending', 'unknown')
    assert status['state'] == 'sent'
    simulator.press('approve')
    assert counter.wait_state(line)['state'] == 'done'


def test_called_off_at_the_terminal(simulator, counter):
    line = counter.pay(13)
    simulator.wait_job()
    simulator.press('cancel')
    assert counter.wait_state(line)['state'] == 'cancelled'


def test_calling_off_after_the_end_changes_nothing(simulator, counter):
    simulator.settings(mode='approve', delay=0)
    line = counter.pay(14)
    counter.wait_state(line, 'done')
    assert counter.cancel(line)['payment']['state'] == 'done'
    assert 5001 not in [request['content'].get('func_type') for request in simulator.requests()]
