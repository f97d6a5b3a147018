"""Codes shown and scanned, against the simulated gateway: its book and the ledger always agree."""

import time

import pytest
from clients import wait_for
from orders import Counter, age

from tools import server as servers

# Which wallets a shop shows a code for, and whether QFPay can give the money back.
SHOWN = {
    '800101': True,
    '801501': True,
    '800201': True,
    '805801': True,
    '800701': True,
    '802001': False,
    '803701': False,
}
SCANNED = {'800108': 'alipay', '800208': 'wechat', '800708': 'unionpay', '805808': 'payme'}
ANY_WALLET = '800008'

# The payment is made, but its answer cannot be believed or never comes.
CHARGED_WITHOUT_A_USABLE_ANSWER = (
    'lost_after_commit',
    'garbage',
    'wrong_signature',
)


@pytest.fixture(scope='module')
def account(odoo_process, simulator_process):
    """An account of the simulated gateway, with a method for each wallet on Till 1."""
    admin = odoo_process.rpc('admin')
    journal = admin.find('account.journal', ('code', '=', 'QFPAY'), fields=('id',))[0]['id']
    (account,) = admin.call(
        'qfpay.account',
        'create',
        [
            {
                'name': 'Codes',
                'app_code': servers.APP_CODE,
                'client_key': servers.CLIENT_KEY,
                'environment': 'custom',
                'custom_url': simulator_process.gateway_url,
            }
        ],
    )
    methods = admin.call(
        'pos.payment.method',
        'create',
        [
            {
                'name': pay_type,
                'journal_id': journal,
                'payment_method_type': 'terminal',
                'use_payment_terminal': 'qfpay_openapi',
                'qfpay_account_id': account,
                'qfpay_pay_type': pay_type,
            }
            for pay_type in (*SHOWN, *SCANNED, ANY_WALLET)
        ],
    )
    # A till of its own: those of the other tests have their registers open.
    admin.call(
        'pos.config',
        'create',
        [{'name': 'Code till', 'payment_method_ids': [(6, 0, methods)]}],
    )
    return account


@pytest.fixture
def gateway(simulator, account):
    """The gateway as new."""
    simulator.gateway_reset()
    return simulator


@pytest.fixture
def counter(odoo_server, account):
    def at(pay_type):
        return Counter(odoo_server.rpc('manager'), 'Code till', pay_type)

    return at


@pytest.fixture(scope='module')
def many_tills(odoo_process, account):
    """Five more tills that show codes."""
    admin = odoo_process.rpc('admin')
    (method,) = admin.find('pos.payment.method', ('name', '=', '800201'), fields=('id',))
    names = [f'Code till {number}' for number in range(2, 7)]
    for name in names:
        admin.call(
            'pos.config', 'create', [{'name': name, 'payment_method_ids': [(6, 0, [method['id']])]}]
        )
    return [Counter(odoo_process.rpc('manager'), name, '800201') for name in names]


def row_of(odoo, payment_uuid):
    rows = odoo.sql(
        'SELECT state, state_source, syssn, amount_minor, needs_attention, reference'
        ' FROM qfpay_transaction WHERE payment_uuid = %s ORDER BY id DESC',
        payment_uuid,
    )
    return rows[0]


def payments_asked(gateway, payment_uuid):
    return [
        request
        for request in gateway.gateway_requests()
        if request['call'] == 'payment'
        and request['fields'].get('out_trade_no', '').startswith(payment_uuid)
    ]


def shown_code(counter, line):
    status = counter.wait_state(line, 'pending')
    assert status['qrcode']
    assert status['expires_at']
    return status


@pytest.mark.parametrize('pay_type', SHOWN)
def test_a_shown_code_is_paid_and_given_back(odoo_server, gateway, counter, pay_type):
    shop = counter(pay_type)
    line, answer = shop.order(12.5)
    assert 'payment' in shop.start(line)
    shown_code(shop, line)
    gateway.gateway_act('scan')
    gateway.gateway_act('pay')
    assert shop.wait_state(line)['state'] == 'done'
    order = gateway.gateway_order()
    row = row_of(odoo_server, line)
    assert (row['syssn'], row['amount_minor']) == (order['syssn'], 1250)
    refund, _order = refund_of(shop, answer, 5)
    started = shop.start(refund)
    if not SHOWN[pay_type]:
        assert started['error']['code'] == 'refund'
        return
    assert shop.wait_state(refund)['state'] == 'done'
    again, _order = refund_of(shop, answer, 8)
    assert shop.start(again)['error']['code'] == 'refund', 'more than is left'
    rest, _order = refund_of(shop, answer, 7.5)
    shop.start(rest)
    assert shop.wait_state(rest)['state'] == 'done'


def refund_of(shop, answer, amount):
    """A draft refund of a paid order, whole or in part."""
    return shop.order(-amount, refunded_line=answer['pos.order.line'][0]['id'])


@pytest.mark.parametrize('pay_type', SCANNED)
def test_a_scanned_code_is_charged(odoo_server, gateway, counter, pay_type):
    shop = counter(pay_type)
    line, _order = shop.order(20)
    code = gateway.phone_code(SCANNED[pay_type])
    assert 'payment' in shop.start(line, code)
    assert shop.wait_state(line)['state'] == 'done'
    assert code not in str(odoo_server.sql('SELECT * FROM qfpay_transaction'))
    assert code not in odoo_server.log_text()


def test_any_wallet_is_recognised_by_its_code(gateway, counter):
    shop = counter(ANY_WALLET)
    for wallet, name in (('alipay', 'Alipay'), ('wechat', 'WeChat Pay')):
        line, _order = shop.order(20)
        shop.start(line, gateway.phone_code(wallet))
        assert shop.wait_state(line)['wallet'] == name


def test_the_customer_enters_a_password(gateway, counter):
    shop = counter(ANY_WALLET)
    line, _order = shop.order(20)
    shop.start(line, gateway.phone_code('alipay', 'password'))
    assert shop.wait_state(line, 'pending', 'done')['step'] == 'password'
    assert shop.wait_state(line)['state'] == 'done'


@pytest.mark.parametrize('script', ['expired', 'used'])
def test_a_stale_code_asks_for_another(gateway, counter, script):
    shop = counter(ANY_WALLET)
    line, _order = shop.order(20)
    shop.start(line, gateway.phone_code('wechat', script))
    status = shop.wait_state(line)
    assert status['state'] == 'failed'
    assert status['can_retry_code']
    assert 'payment' in shop.start(line, gateway.phone_code('wechat'))
    assert shop.wait_state(line, 'done')['reference'] != status['reference']


def test_a_code_whose_answer_is_lost_is_found(odoo_server, gateway, counter):
    shop = counter(ANY_WALLET)
    line, _order = shop.order(20)
    shop.start(line, gateway.phone_code('alipay', 'lost'))
    assert shop.wait_state(line)['state'] == 'done'
    assert row_of(odoo_server, line)['state_source'] == 'inquiry'
    assert len(payments_asked(gateway, line)) == 1


@pytest.mark.parametrize('fault', CHARGED_WITHOUT_A_USABLE_ANSWER)
def test_an_order_whose_answer_is_lost_is_asked_about(odoo_server, gateway, counter, fault):
    gateway.gateway_settings(fault=fault, fault_count=1, fault_for=['payment'])
    shop = counter('800201')
    line, _order = shop.order(20)
    shop.start(line)
    assert shop.wait_state(line, 'unknown', 'pending', 'failed')['state'] != 'failed'
    gateway.gateway_act('pay')
    assert shop.wait_state(line)['state'] == 'done'
    assert len(payments_asked(gateway, line)) == 1


def test_called_off_in_time_nothing_is_paid(gateway, counter):
    gateway.gateway_settings(cancel_lists='both')
    for pay_type in ('800201', '800101', '800701'):
        shop = counter(pay_type)
        line, _order = shop.order(20)
        shop.start(line)
        shown_code(shop, line)
        assert shop.cancel(line)['payment']['cancelling']
        assert shop.wait_state(line)['state'] == 'cancelled', pay_type


def test_a_customer_who_paid_in_that_moment_has_paid(gateway, counter):
    shop = counter('800201')
    line, _order = shop.order(20)
    shop.start(line)
    shown_code(shop, line)
    gateway.gateway_act('pay')
    shop.cancel(line)
    assert shop.wait_state(line)['state'] == 'done'


def test_money_that_went_back_after_a_call_off_calls_a_manager(odoo_server, gateway, counter):
    """The books say paid, and QFPay has given the money back: nobody else would notice."""
    shop = counter('800108')
    line, _order = shop.order(20)
    shop.start(line, gateway.phone_code('alipay', 'wait'))
    shop.wait_state(line, 'pending')
    gateway.gateway_settings(call_off='paid_before')
    shop.cancel(line)
    assert shop.wait_state(line)['state'] == 'done'
    gateway.gateway_act('refund', amount_minor=2000)
    assert not row_of(odoo_server, line)['needs_attention']
    age(odoo_server, line, 200)
    admin = odoo_server.rpc('admin')
    (cron,) = admin.find('ir.cron', ('name', 'ilike', 'QFPay'), fields=('id',))
    admin.call('ir.cron', 'method_direct_trigger', [cron['id']])
    wait_for(lambda: row_of(odoo_server, line)['needs_attention'], 30, 'no manager was called')
    assert row_of(odoo_server, line)['state'] == 'reversed'


def test_what_cannot_be_called_off_goes_on(gateway, counter):
    shop = counter('805801')
    line, _order = shop.order(20)
    shop.start(line)
    shown_code(shop, line)
    shop.cancel(line)
    wait_for(lambda: not shop.status(line)['cancelling'], 15, 'still being called off')
    assert shop.status(line)['state'] == 'pending'
    gateway.gateway_act('pay')
    assert shop.wait_state(line)['state'] == 'done'


def test_a_code_that_runs_out_can_be_renewed(gateway, counter):
    shop = counter('800201')
    line, _order = shop.order(20)
    shop.start(line)
    shown_code(shop, line)
    gateway.gateway_act('expire')
    status = shop.wait_state(line)
    assert status['can_renew']
    shop.start(line)
    assert shown_code(shop, line)['reference'] != status['reference']
    gateway.gateway_act('pay')
    assert shop.wait_state(line)['state'] == 'done'


@pytest.mark.parametrize('mode', ['normal', 'first', 'twice', 'late'])
def test_notified(odoo_server, gateway, counter, account, mode):
    (row,) = odoo_server.sql('SELECT notify_token FROM qfpay_account WHERE id = %s', account)
    gateway.gateway_settings(
        notify_url=f'{odoo_server.url}/pos_payment_qfpay/notify/{row["notify_token"]}',
        notify_mode=mode,
        time_factor=100,
    )
    shop = counter('800201')
    line, _order = shop.order(20)
    shop.start(line)
    shown_code(shop, line)
    gateway.gateway_act('pay')
    assert shop.wait_state(line)['state'] == 'done'
    wait_for(
        lambda: any(note['taken'] for note in gateway.gateway_notifications()),
        60,
        'no notification was taken',
    )


def test_forged_notifications_move_nothing(odoo_server, gateway, counter, account):
    (row,) = odoo_server.sql('SELECT notify_token FROM qfpay_account WHERE id = %s', account)
    gateway.gateway_settings(
        notify_url=f'{odoo_server.url}/pos_payment_qfpay/notify/{row["notify_token"]}'
    )
    shop = counter('800201')
    line, _order = shop.order(20)
    shop.start(line)
    shown_code(shop, line)
    gateway.gateway_act('forge')
    wait_for(gateway.gateway_notifications, 10, 'nothing was sent')
    assert shop.status(line)['state'] == 'pending'


def test_a_wrong_key_says_so_and_moves_nothing(odoo_server, gateway, counter, account):
    odoo_server.sql('UPDATE qfpay_account SET client_key = %s WHERE id = %s', 'F' * 32, account)
    admin = odoo_server.rpc('admin')
    try:
        odoo_server.restart()
        shop = counter('800201')
        line, _order = shop.order(20)
        shop.start(line)
        status = shop.wait_state(line)
        assert status['state'] == 'failed'
        assert 'credentials' in status['message']
        admin = odoo_server.rpc('admin')
        told = admin.call('qfpay.account', 'action_test', [account])
        assert 'client key' in told['params']['message']
    finally:
        odoo_server.sql(
            'UPDATE qfpay_account SET client_key = %s WHERE id = %s', servers.CLIENT_KEY, account
        )
        odoo_server.restart()


def test_a_gateway_that_hangs_keeps_nobody(gateway, counter):
    gateway.gateway_settings(fault='hang', fault_count=1, fault_for=['payment'])
    shop = counter('800201')
    hanging, _order = shop.order(20)
    began = time.monotonic()
    shop.start(hanging)
    assert shop.status(hanging)['state'] in ('draft', 'sent')
    assert time.monotonic() - began < 5
    line, _order = shop.order(20)
    shop.start(line)
    shown_code(shop, line)
    gateway.gateway_act('pay')
    assert shop.wait_state(line)['state'] == 'done'
    assert shop.status(hanging)['state'] in ('sent', 'unknown')


def test_a_clock_that_is_wrong_is_told(odoo_server, gateway, account):
    gateway.gateway_settings(clock_offset=3600)
    told = odoo_server.rpc('manager').call('qfpay.account', 'action_test', [account])
    assert 'clock' in told['params']['message']
    assert '60' in told['params']['message']
    gateway.gateway_settings(clock_offset=0)
    told = odoo_server.rpc('manager').call('qfpay.account', 'action_test', [account])
    assert told['params']['type'] == 'success'


def test_an_account_stays_within_its_rate(odoo_server, gateway, counter, many_tills):
    lines = [(shop, shop.order(1)[0]) for shop in many_tills for _number in range(22)]
    for shop, line in lines:
        assert 'payment' in shop.start(line)
    for shop, line in lines:
        shown_code(shop, line)
    found = gateway.gateway()
    assert found['rate_limited'] == 0
    assert found['busiest_second'] <= 100
    assert found['busiest_minute'] <= 400
    for _shop, line in lines:
        gateway.gateway_act('pay', f'{line}-1')
    for shop, line in lines:
        assert shop.wait_state(line)['state'] == 'done'


def test_a_till_has_only_so_many_payments_under_way(gateway, many_tills):
    """One cashier's hundreds of codes do not keep the others waiting."""
    shop, other = many_tills[:2]
    lines = [shop.order(1)[0] for _number in range(26)]
    answers = [shop.start(line) for line in lines]
    assert all('payment' in answer for answer in answers[:25])
    assert answers[25]['error']['code'] == 'busy'
    assert '25' in answers[25]['error']['message']
    line, _order = other.order(1)
    other.start(line)
    shown_code(other, line)
    for line in lines[:25]:
        shop.cancel(line)
    for line in lines[:25]:
        shop.wait_state(line, 'cancelled')
    assert 'payment' in shop.start(lines[25])


def test_a_server_killed_between_order_and_answer_finds_the_payment(odoo_server, gateway, counter):
    shop = counter('800201')
    line, _order = shop.order(20)
    shop.start(line)
    shown_code(shop, line)
    odoo_server.kill()
    gateway.gateway_act('pay')
    odoo_server.start()
    assert counter('800201').wait_state(line)['state'] == 'done'
    assert len(payments_asked(gateway, line)) == 1


def test_thirty_open_payments_cost_what_one_costs(gateway, many_tills):
    lines = []
    for shop in many_tills[:2]:
        for _number in range(15):
            line, _order = shop.order(1)
            shop.start(line)
            lines.append(line)
    for line in lines:
        shown_code(shop, line)
    before = gateway.gateway()['requests']
    wait_for(
        lambda: gateway.gateway()['requests'].get('query', 0) >= before.get('query', 0) + 3,
        60,
        'nobody asks',
    )
    asked = [r for r in gateway.gateway_requests() if r['call'] == 'query'][-2:]
    for request in asked:
        assert request['fields']['out_trade_no'].count(',') >= 29
    for line in lines:
        gateway.gateway_act('pay', shop.status(line)['reference'])
    for line in lines:
        assert shop.wait_state(line)['state'] == 'done'
