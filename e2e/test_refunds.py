"""Money that goes back as QFPay really gives it back, against the simulator: until its last day, at
its own pace, one refund of a payment at a time, refused in words that say what to do next."""

from datetime import datetime, timedelta, timezone

import pytest
from clients import wait_for
from orders import Counter, age

HONG_KONG = timezone(timedelta(hours=8))
DAY = 86400
#: wallets that are paid at once, by the code on the customer's phone
PHONES = {'WeChat': 'wechat', 'Alipay': 'alipay', 'UnionPay': 'unionpay'}
#: the wallets that have a last day: a method that shows their code, and their days
LAST_DAYS = {'WeChat code': 365, 'Alipay code': 365, 'PayMe code': 90}
TOO_LATE = '該筆訂單被禁止退款，已經超出可退款時限'
ONLY_NIGHT = 'No refunds between 23:30 and 00:30, please try again later'


@pytest.fixture
def gateway(simulator):
    """The gateway as new."""
    return simulator


@pytest.fixture(scope='module')
def counters():
    """The counters so far: to open one takes a second."""
    return {}


@pytest.fixture
def counter(odoo_server, counters):
    def at(method, till='Till 1'):
        if (method, till) not in counters:
            counters[method, till] = Counter(odoo_server.rpc('manager'), till, method)
        return counters[method, till]

    return at


@pytest.fixture
def fps_refunds(odoo_server):
    """The switch of the shop's account, off again afterwards."""
    manager = odoo_server.rpc('manager')
    (account,) = manager.find('qfpay.account', ('payment_method_ids.name', '=', 'FPS code'))

    def switch(on):
        manager.call('qfpay.account', 'write', [account['id']], {'fps_refunds': on})

    yield switch
    switch(False)


class Sale:
    """A payment that QFPay has, and the refunds of it."""

    def __init__(self, shop, line, answer):
        self.shop, self.line = shop, line
        self.answer = answer

    def refund(self, amount, shop=None):
        """Begin to give so much back; the shop, the refund's line and the door's answer."""
        shop = shop or self.shop
        order_line = self.answer['pos.order.line'][0]['id']
        line, _order = shop.order(-amount, refunded_line=order_line)
        return line, shop.start(line)

    def give_back(self, amount):
        """Begin a refund that nothing stands against; its line."""
        line, answer = self.refund(amount)
        assert 'payment' in answer, answer
        return line

    def refused(self, amount):
        """The sentence with which a refund is refused before anything is sent."""
        line, answer = self.refund(amount)
        assert answer['error']['code'] == 'refund', answer
        self.shop.forget(line)
        return answer['error']['message']


@pytest.fixture
def sell(gateway, counter):
    """Sell something for HKD 12.50: ``sell('PayMe code')``, or ``sell('WeChat')`` by the code on
    the customer's phone."""

    def sell(method, amount=12.5):
        phone = PHONES.get(method)
        shop = counter('Scan wallet' if phone else method)
        line, answer = shop.order(amount)
        started = shop.start(line, gateway.phone_code(phone) if phone else '')
        assert 'payment' in started, started
        if method.endswith(' code'):
            shop.wait_state(line, 'pending')
            gateway.gateway_act('pay')
        elif not phone:
            gateway.wait_job()
            gateway.press('approve')
        assert shop.wait_state(line)['state'] == 'done'
        return Sale(shop, line, answer)

    return sell


def row_of(odoo, payment_uuid):
    return odoo.sql(
        'SELECT * FROM qfpay_transaction WHERE payment_uuid = %s ORDER BY id DESC', payment_uuid
    )[0]


def paid_at(odoo, payment_uuid, moment):
    """Let a payment have been made at another moment."""
    odoo.sql(
        'UPDATE qfpay_transaction SET decided_at = %s WHERE payment_uuid = %s',
        moment.astimezone(timezone.utc).replace(tzinfo=None),
        payment_uuid,
    )


def days_ago(days, hour=12, minute=0):
    """A time of day in Hong Kong, so many days ago."""
    today = datetime.now(HONG_KONG).replace(hour=hour, minute=minute, second=0, microsecond=0)
    return today - timedelta(days=days)


def refunds_asked(gateway):
    return [request for request in gateway.gateway_requests() if request['call'] == 'refund']


def end_of(shop, line, state='failed'):
    """How a refund ended, once it is known."""
    status = shop.wait_state(line)
    assert status['state'] == state, status
    return status['message']


# Until their last day (E1, E2)


@pytest.mark.parametrize('method', LAST_DAYS)
def test_a_payment_is_given_back_until_its_last_day(odoo_server, gateway, sell, method):
    days = LAST_DAYS[method]
    sale = sell(method)
    # the day is Hong Kong's: at a quarter past midnight there it is the day before elsewhere
    paid_at(odoo_server, sale.line, days_ago(days, 0, 15))
    assert sale.shop.status(sale.line)['refundable'] == 12.5
    assert end_of(sale.shop, sale.give_back(5), 'done') == ''
    last = days_ago(days + 1, 23, 45)
    paid_at(odoo_server, sale.line, last)
    before = len(refunds_asked(gateway))
    message = sale.refused(5)
    until = last.date() + timedelta(days=days)
    assert f'{days} days' in message
    assert f'{until:%m/%d/%Y}' in message
    assert method.removesuffix(' code') in message
    assert 'cash' in message
    assert len(refunds_asked(gateway)) == before, 'nothing was sent'
    assert sale.shop.status(sale.line)['refundable'] == 0


def test_the_wallet_counts_that_the_customer_took(odoo_server, gateway, sell):
    sale = sell('WeChat')
    paid_at(odoo_server, sale.line, days_ago(366))
    assert 'WeChat Pay' in sale.refused(5)
    sale = sell('UnionPay')
    paid_at(odoo_server, sale.line, days_ago(2000))
    assert end_of(sale.shop, sale.give_back(5), 'done') == ''


def test_a_wallet_at_a_terminal_has_the_same_last_day(odoo_server, gateway, sell):
    sale = sell('PayMe')
    paid_at(odoo_server, sale.line, days_ago(91))
    assert '90 days' in sale.refused(5)
    card = sell('Visa/Mastercard')
    paid_at(odoo_server, card.line, days_ago(2000))
    assert end_of(card.shop, card.give_back(12.5), 'done') == ''


def test_fps_is_given_back_only_where_a_manager_says_so(odoo_server, gateway, sell, fps_refunds):
    gateway.gateway_settings(fps_refunds=True)
    sale = sell('FPS code')
    assert 'cannot be given back' in sale.refused(5)
    assert sale.shop.status(sale.line)['refundable'] == 0
    fps_refunds(True)
    assert sale.shop.status(sale.line)['refundable'] == 12.5
    assert end_of(sale.shop, sale.give_back(5), 'done') == ''
    paid_at(odoo_server, sale.line, days_ago(29))
    assert end_of(sale.shop, sale.give_back(5), 'done') == ''
    paid_at(odoo_server, sale.line, days_ago(30))
    assert '29 days' in sale.refused(1)
    fps_refunds(False)
    assert 'cannot be given back' in sale.refused(1)


def test_the_switch_is_no_switch_for_terminals(gateway, sell, fps_refunds):
    fps_refunds(True)
    assert 'cannot be given back' in sell('FPS').refused(5)


def test_the_switch_stands_on_the_accounts_form(odoo_server):
    manager = odoo_server.rpc('manager')
    form = manager.call('qfpay.account', 'get_view', view_type='form')
    assert 'fps_refunds' in form['arch']
    field = manager.call('qfpay.account', 'fields_get', ['fps_refunds'])['fps_refunds']
    assert '29 days' in field['help']
    assert not manager.call('qfpay.account', 'default_get', ['fps_refunds']).get('fps_refunds')


# Refused, with what to do next (E3 to E5, E9, E10)


@pytest.mark.parametrize(
    ('words', 'said', 'not_said'),
    [
        (TOO_LATE, 'is over', '00:30'),
        (ONLY_NIGHT, 'after 00:30', 'portal'),
        # QFPay's standing words speak of the night, and are said of what is too late, too
        ('', 'after 00:30', None),
        ('', 'is over', None),
    ],
)
def test_the_two_meanings_of_1265(gateway, sell, words, said, not_said):
    gateway.gateway_settings(refund='decline', refund_code='1265', refund_words=words)
    sale = sell('WeChat')
    message = end_of(sale.shop, sale.give_back(5))
    assert said in message
    assert not_said is None or not_said not in message
    gateway.gateway_settings(refund='approve')
    assert end_of(sale.shop, sale.give_back(5), 'done') == '', 'it can be tried again'


def test_the_meaning_of_1265_may_stand_in_the_row(gateway, sell):
    gateway.gateway_settings(
        refund='decline', refund_code='1265', fault='lost_after_commit', fault_count=1,
        fault_for=['refund'],
    )  # fmt: skip
    sale = sell('WeChat')
    assert 'after 00:30' in end_of(sale.shop, sale.give_back(5))


@pytest.mark.parametrize(
    ('method', 'days', 'said'), [('WeChat', 366, 'is over'), ('PayMe code', 91, '90 days')]
)
def test_qfpay_knows_the_last_day_better(gateway, sell, method, days, said):
    """Refused at once, and final; nothing is asked about for ever."""
    sale = sell(method)
    gateway.gateway_settings(clock_offset=days * DAY)
    message = end_of(sale.shop, sale.give_back(5))
    assert said in message
    assert 'cash' in message
    assert 'account' not in message, 'no trouble of the merchant'


def test_a_busy_bank_is_not_believed_at_once(odoo_server, gateway, sell):
    """1297 may mean that the bank is busy: QFPay is asked for the refund's own number first."""
    sale = sell('Alipay')
    gateway.gateway_settings(clock_offset=366 * DAY)
    refund = sale.give_back(5)
    assert sale.shop.wait_state(refund, 'unknown', 'failed')['state'] == 'unknown'
    assert row_of(odoo_server, refund)['respcd'] == '1297'
    age(odoo_server, refund, 130)
    before = len(gateway.gateway_requests())
    assert 'Alipay' in end_of(sale.shop, refund)
    assert len(asked_about(gateway, refund, before)) >= 2
    gateway.gateway_settings(clock_offset=0)
    assert end_of(sale.shop, sale.give_back(5), 'done') == ''


def test_a_busy_bank_that_gave_it_back(odoo_server, gateway, sell):
    """Money first: the answer was 1297, and the refund was made."""
    gateway.gateway_settings(
        fault='code_after_commit', fault_code='1297', fault_count=1, fault_for=['refund']
    )
    sale = sell('Alipay')
    assert end_of(sale.shop, sale.give_back(5), 'done') == ''


def test_a_refund_that_stands_at_1297_was_not_made(gateway, sell):
    gateway.gateway_settings(refund='decline', refund_code='1297')
    sale = sell('Alipay')
    assert 'Alipay' in end_of(sale.shop, sale.give_back(5))


def test_part_of_a_payment_on_its_own_day(gateway, sell):
    gateway.gateway_settings(whole_today=['800208'])
    sale = sell('WeChat')
    message = end_of(sale.shop, sale.give_back(5))
    assert 'tomorrow' in message
    assert 'all of it now' in message
    assert end_of(sale.shop, sale.give_back(12.5), 'done') == ''


def test_takings_are_counted_by_payment_method(gateway, sell):
    gateway.gateway_settings(clock_offset=-DAY)
    sale = sell('WeChat')
    gateway.gateway_settings(clock_offset=0, turnover_check=True)
    sell('PayMe code', 100)
    message = end_of(sale.shop, sale.give_back(5))
    assert 'this payment method' in message
    assert '11:00' in message
    sell('WeChat', 100)
    assert end_of(sale.shop, sale.give_back(5), 'done') == ''


@pytest.mark.parametrize('code', ['1264', '1125'])
def test_what_was_given_back_in_the_portal_is_not_given_back_again(
    odoo_server, gateway, sell, code
):
    gateway.gateway_settings(refunded_code=code)
    sale = sell('WeChat')
    gateway.gateway_act('refund')
    refund = sale.give_back(12.5)
    sale.shop.wait_state(refund, 'failed', 'unknown')
    age(odoo_server, refund, 130)
    assert 'already' in end_of(sale.shop, refund)
    given_back = [it for it in gateway.gateway_orders() if it['kind'] == 'refund' and it['paid']]
    assert len(given_back) == 1


def test_a_terminals_refund_is_refused_in_the_words_of_a_refund(gateway, sell):
    """The terminal hands on the code of QFPay's host."""
    sale = sell('WeChat Pay')
    gateway.settings(clock_offset=366 * DAY)
    message = end_of(sale.shop, sale.give_back(5))
    assert 'is over' in message
    assert 'taken' not in message, 'nobody was to pay'


# A number that QFPay has already (E6)


@pytest.mark.parametrize('code', ['1251', '1102', '2011'])
def test_a_number_that_is_used_proves_nothing(odoo_server, gateway, sell, code):
    """On its way the request was repeated: the answer is about the second, the money the first."""
    gateway.gateway_settings(
        duplicate_code=code, fault='repeated', fault_count=1, fault_for=['refund']
    )
    sale = sell('WeChat')
    refund = sale.give_back(5)
    assert end_of(sale.shop, refund, 'done') == ''
    assert row_of(odoo_server, refund)['state_source'] == 'inquiry'
    assert sale.shop.status(sale.line)['refundable'] == 7.5


@pytest.mark.parametrize('code', ['1251', '1102', '2011'])
def test_the_number_of_a_payment_that_is_used_proves_nothing(odoo_server, gateway, counter, code):
    gateway.gateway_settings(duplicate_code=code, fault='repeated', fault_count=1)
    shop = counter('Scan wallet')
    line, _order = shop.order(20)
    shop.start(line, gateway.phone_code('alipay'))
    assert shop.wait_state(line)['state'] == 'done'
    assert row_of(odoo_server, line)['state_source'] == 'inquiry'
    paid = [order for order in gateway.gateway_orders() if order['paid']]
    assert len(paid) == 1


def test_a_shop_that_is_set_up_wrongly_is_refused_at_once(gateway, sell):
    gateway.gateway_settings(refund='decline', refund_code='1251')
    sale = sell('WeChat')
    assert 'account' in end_of(sale.shop, sale.give_back(5))


# At their own pace (E7, E8)


def test_a_refund_takes_its_time_and_no_second_one_begins(odoo_server, gateway, sell, counter):
    gateway.gateway_settings(refund='manual')
    sale = sell('PayMe code')
    refund = sale.give_back(5)
    status = sale.shop.wait_state(refund, 'pending')
    assert 'Giving the money back' in status['message']
    _line, answer = sale.refund(2, counter('PayMe code', 'Till 2'))
    assert answer['error']['code'] == 'busy'
    assert 'Till 1' in answer['error']['message']
    assert len(refunds_asked(gateway)) == 1
    gateway.gateway_act('pay', status['reference'])
    assert end_of(sale.shop, refund, 'done') == ''
    assert row_of(odoo_server, refund)['state_source'] == 'inquiry'
    gateway.gateway_settings(refund='approve')
    line, answer = sale.refund(2, counter('PayMe code', 'Till 2'))
    assert 'payment' in answer
    assert sale.shop.wait_state(line)['state'] == 'done'


def test_a_refund_that_is_refused_in_the_end(gateway, sell):
    gateway.gateway_settings(refund='manual')
    sale = sell('PayMe code')
    refund = sale.give_back(5)
    sale.shop.wait_state(refund, 'pending')
    reference = sale.shop.status(refund)['reference']
    gateway.gateway_act('fail', reference, code='1265')
    assert 'after 00:30' in end_of(sale.shop, refund)
    assert sale.shop.status(sale.line)['refundable'] == 12.5


def test_qfpay_is_busy_with_another_refund(odoo_server, gateway, sell):
    """A manager has given one up, which QFPay has not: the next one is refused by QFPay itself."""
    gateway.gateway_settings(refund='manual')
    sale = sell('PayMe code')
    first = sale.give_back(5)
    sale.shop.wait_state(first, 'pending')
    row = row_of(odoo_server, first)
    odoo_server.rpc('manager').call('qfpay.transaction', 'action_set_failed', [row['id']])
    second = sale.give_back(5)
    assert sale.shop.wait_state(second, 'unknown', 'failed')['state'] == 'unknown'
    age(odoo_server, second, 130)
    assert 'another refund' in end_of(sale.shop, second)
    assert len(refunds_asked(gateway)) == 2
    gateway.gateway_act('pay', row['reference'])
    age(odoo_server, first, 120)
    sale.shop.status(first, inquire=True)
    found = wait_for(lambda: needs_attention(odoo_server, first), 30, 'no manager was called')
    assert found['state'] == 'done'


def test_payme_is_given_back_in_parts(odoo_server, gateway, sell):
    """The payment's row says so, and stays paid."""
    shop_saw = []
    sale = sell('PayMe code')
    for amount in (5, 4.5, 3):
        assert end_of(sale.shop, sale.give_back(amount), 'done') == ''
        shop_saw.append((gateway.gateway_order()['cancel'], sale.shop.status(sale.line)))
    assert [cancel for cancel, _status in shop_saw] == ['5', '5', '3']
    assert [status['refundable'] for _cancel, status in shop_saw] == [7.5, 3, 0]
    assert {status['state'] for _cancel, status in shop_saw} == {'done'}


def test_a_payment_given_back_in_parts_is_still_paid_when_qfpay_is_asked(
    odoo_server, gateway, counter
):
    shop = counter('PayMe code')
    line, _order = shop.order(12.5)
    shop.start(line)
    shop.wait_state(line, 'pending')
    # what somebody wanted to cancel is looked at once more
    shop.cancel(line)
    gateway.gateway_act('pay')
    assert shop.wait_state(line)['state'] == 'done'
    # by the portal: no refund of ours explains what the row says then
    gateway.gateway_act('refund', amount_minor=500)
    assert gateway.gateway_order()['cancel'] == '5'
    before = len(gateway.gateway_requests())
    age(odoo_server, line, 200)
    look(odoo_server)
    wait_for(lambda: asked_about(gateway, line, before), 30, 'nobody asked')
    row = row_of(odoo_server, line)
    assert (row['state'], row['needs_attention']) == ('done', False)


def look(odoo):
    """Let the courier see what is due."""
    admin = odoo.rpc('admin')
    (cron,) = admin.find('ir.cron', ('name', 'ilike', 'QFPay'), fields=('id',))
    admin.call('ir.cron', 'method_direct_trigger', [cron['id']])


def asked_about(gateway, payment_uuid, since=0):
    return [
        request
        for request in gateway.gateway_requests()[since:]
        if request['call'] == 'query' and payment_uuid in request['fields'].get('out_trade_no', '')
    ]


# Several rows under one number (E11)


def needs_attention(odoo, payment_uuid):
    row = row_of(odoo, payment_uuid)
    return row if row['needs_attention'] else None


@pytest.mark.parametrize('twin', ['failed', 'unpaid'])
def test_any_paid_row_counts(odoo_server, gateway, counter, twin):
    gateway.gateway_settings(twin=twin)
    shop = counter('WeChat code')
    line, _order = shop.order(20)
    shop.start(line)
    shop.wait_state(line, 'pending')
    before = len(gateway.gateway_requests())
    # the failed row alone ends nothing while the customer can still pay the other one
    wait_for(lambda: len(asked_about(gateway, line, before)) > 2, 20, 'nobody asks')
    assert shop.status(line)['state'] == 'pending'
    gateway.gateway_act('pay')
    assert shop.wait_state(line)['state'] == 'done'
    row = row_of(odoo_server, line)
    assert (row['syssn'], row['needs_attention']) == (gateway.gateway_order()['syssn'], False)


def test_two_paid_rows_call_a_manager(odoo_server, gateway, counter):
    gateway.gateway_settings(twin='paid')
    shop = counter('WeChat code')
    line, _order = shop.order(20)
    shop.start(line)
    shop.wait_state(line, 'pending')
    gateway.gateway_act('pay')
    assert shop.wait_state(line)['state'] == 'done'
    row = wait_for(lambda: needs_attention(odoo_server, line), 15, 'no manager was called')
    assert [alarm[0] for alarm in row['alarms']] == ['paid_twice_under_one_number']
    numbers = {order['syssn'] for order in gateway.gateway_orders() if order['paid']}
    assert len(numbers) == 2
    assert row['syssn'] in numbers
    (read,) = odoo_server.rpc('manager').call(
        'qfpay.transaction', 'read', [row['id']], ['attention']
    )
    (other,) = numbers - {row['syssn']}
    assert other in read['attention']


# The border of a month (E12)


def test_an_order_of_last_month_is_asked_for_in_its_month(odoo_server, gateway, counter):
    """QFPay looks in the present month alone, unless it is told another."""
    now = datetime.now(HONG_KONG)
    back = (now.day + 1) * DAY
    gateway.gateway_settings(clock_offset=-back)
    shop = counter('Scan wallet')
    line, _order = shop.order(20)
    shop.start(line, gateway.phone_code('wechat', 'wait'))
    shop.wait_state(line, 'pending')
    odoo_server.sql(
        "UPDATE qfpay_transaction SET requested_at = requested_at - %s * interval '1 second'"
        ' WHERE payment_uuid = %s',
        back,
        line,
    )
    before = len(gateway.gateway_requests())
    gateway.gateway_settings(clock_offset=0)
    gateway.gateway_act('pay')
    assert shop.wait_state(line)['state'] == 'done'
    windows = {it['fields'].get('start_time', '')[:7] for it in asked_about(gateway, line, before)}
    then = now - timedelta(seconds=back)
    assert f'{then:%Y-%m}' in windows


def test_a_refund_of_last_months_payment_needs_no_month(gateway, sell):
    """It names QFPay's own number; the refund itself belongs to this month."""
    gateway.gateway_settings(clock_offset=-40 * DAY)
    sale = sell('WeChat')
    gateway.gateway_settings(
        clock_offset=0, fault='lost_after_commit', fault_count=1, fault_for=['refund']
    )
    assert end_of(sale.shop, sale.give_back(5), 'done') == ''
