"""The simulator's gateway, started as a program of its own and spoken to over its ports.

Nothing here imports the addon or the simulator: requests are signed here once more, from QFPay's
documents, and the vectors are the documents' own and those computed from them.
"""

import contextlib
import hashlib
import http.client
import http.server
import json
import re
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from itertools import pairwise
from urllib.parse import urlencode, urlsplit

import pytest
from program import NO_PROXY, ROOT, Program, call

APP_CODE = 'ABCDEF0123456789ABCDEF0123456789'
KEY = '0123456789ABCDEF0123456789ABCDEF'
HONG_KONG = timezone(timedelta(hours=8))
MPM = ('800101', '801501', '800201', '805801', '800701', '802001', '803701')
CPM = {'800108': 'alipay', '800208': 'wechat', '801008': 'wechat', '800708': 'unionpay'}
CPM['805808'] = 'payme'
WHEN = '2026-01-15 14:03:22'
JSON_HEADERS = {'Content-Type': 'application/json'}


def digest(content, key=KEY, sign_type='MD5'):
    raw = content if isinstance(content, bytes) else content.encode()
    return getattr(hashlib, sign_type.lower())(raw + key.encode()).hexdigest().upper()


def to_sign(fields):
    return '&'.join(f'{name}={fields[name]}' for name in sorted(fields) if fields[name] != '')


class Shop:
    """A till's server: signs requests to the gateway, and drives the simulator."""

    def __init__(self, program):
        self.program = program
        self.gateway = program.ready['gateway']
        self.web = program.ready['web']
        self.key = KEY
        self.app_code = APP_CODE
        self.mchid = ''
        self.sign_type = 'MD5'
        self.count = 0

    def reset(self):
        self.control('gateway/reset', {})

    # The gateway

    def send(self, path, fields, *, method='POST', headers=None, sign=None, timeout=20):
        """Status, headers and raw body of a signed call."""
        if self.mchid:
            fields = {'mchid': self.mchid, **fields}
        signed = {
            'X-QF-APPCODE': self.app_code,
            'X-QF-SIGN': sign or digest(to_sign(fields), self.key, self.sign_type),
            'Content-Type': 'application/x-www-form-urlencoded',
        }
        if self.sign_type != 'MD5':
            signed['X-QF-SIGNTYPE'] = self.sign_type
        signed = {name: value for name, value in (signed | (headers or {})).items() if value}
        url, form = self.gateway + path, urlencode(fields)
        if method == 'GET':
            return call(f'{url}?{form}', method='GET', headers=signed, timeout=timeout)
        return call(url, form.encode(), method=method, headers=signed, timeout=timeout)

    def ask(self, name, *, method='POST', **fields):
        """The answer to a call; its signature is checked over the bytes."""
        status, headers, raw = self.send(f'/trade/v1/{name}', fields, method=method)
        assert status == 200, raw
        if answer_is_signed := headers['X-QF-SIGN']:
            assert answer_is_signed == digest(raw)
        return json.loads(raw)

    def fresh(self):
        self.count += 1
        return f'POS-1-{self.count:04d}'

    def payment(self, pay_type='800201', amount=1010, currency='HKD', **fields):
        reference = fields.pop('out_trade_no', None) or self.fresh()
        return self.ask(
            'payment',
            txamt=amount,
            txcurrcd=currency,
            pay_type=pay_type,
            out_trade_no=reference,
            txdtm=fields.pop('txdtm', WHEN),
            **fields,
        )

    def paid(self, pay_type='800201', amount=1010, **fields):
        """A payment that the customer has made."""
        order = self.payment(pay_type, amount, **fields)
        if not self.order(order['out_trade_no'])['paid']:
            self.act('pay', order['out_trade_no'])
        return order

    def scanned(self, pay_type='800008', wallet='alipay', script='ok', **fields):
        return self.payment(pay_type, auth_code=self.code(wallet, script), **fields)

    def refund(self, payment, amount, reference=None):
        return self.ask(
            'refund',
            syssn=payment['syssn'],
            out_trade_no=reference or self.fresh(),
            txamt=amount,
            txdtm=WHEN,
        )

    def end(self, name, payment, **fields):
        values = {'txamt': 1010, 'txdtm': WHEN, 'out_trade_no': payment['out_trade_no']}
        return self.ask(name, **(values | fields))

    def row(self, reference):
        [row] = self.ask('query', out_trade_no=reference)['data']
        return row

    # The simulator's own API

    def control(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        status, _, raw = call(f'{self.web}/api/{path}', data)
        assert status == 200, raw
        return json.loads(raw)

    def refused(self, path, body=None):
        """Status and sentence of a call that does not work."""
        data = None if body is None else json.dumps(body).encode()
        status, _, raw = call(f'{self.web}/api/{path}', data)
        return status, json.loads(raw)['error']

    def set(self, **settings):
        return self.control('gateway/settings', settings)

    def act(self, do, number='last', **values):
        return self.control(f'gateway/orders/{number}/act', {'do': do, **values})

    def order(self, number='last'):
        return self.control(f'gateway/orders/{number}')

    def code(self, wallet='alipay', script='ok'):
        return self.control(f'phone/code?wallet={wallet}&script={script}')['code']

    def wait_for(self, condition, seconds=5):
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, 'it does not happen'
            time.sleep(0.01)
        return found


@pytest.fixture(scope='module')
def program(tmp_path_factory):
    program = Program(tmp_path_factory.mktemp('gateway'))
    yield program
    code, output = program.stop()
    assert code == 0, output
    assert 'Traceback' not in output, output
    assert 'never retrieved' not in output, output


@pytest.fixture
def shop(program):
    shop = Shop(program)
    shop.reset()
    shop.set(per_minute=0)
    return shop


@pytest.fixture
def aside():
    """Do something while the test goes on."""
    with ThreadPoolExecutor(8) as pool:
        yield pool.submit


class Receiver(http.server.ThreadingHTTPServer):
    """The shop's address for notifications; answers what it is told to."""

    daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), ReceiverHandler)
        self.came = []
        self.answers = []
        self.url = f'http://127.0.0.1:{self.server_port}/notify/token'

    def wait_for(self, count, seconds=5):
        deadline = time.monotonic() + seconds
        while len(self.came) < count:
            assert time.monotonic() < deadline, f'{len(self.came)} of {count} came'
            time.sleep(0.01)
        return self.came


class ReceiverHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.server.came.append((dict(self.headers), body, time.time()))
        status, answer = self.server.answers.pop(0) if self.server.answers else (200, 'SUCCESS')
        self.send_response(status)
        self.send_header('Content-Length', str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *words):
        pass


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield receiver
        receiver.shutdown()
        thread.join()


# Vectors (the protocol, D3)

SIG4 = {
    'expired_time': '5',
    'mchid': 'TESTMCHID1',
    'out_trade_no': 'POS-1-0001',
    'pay_type': '800201',
    'txamt': '1010',
    'txcurrcd': 'HKD',
    'txdtm': '2026-01-15 14:03:22',
    'udid': 'REG-01',
}
SIG6 = {
    'mchid': 'TESTMCHID1',
    'out_trade_no': 'POS-1-0001-R1',
    'syssn': '20260115154100020012345678',
    'txamt': '505',
    'txdtm': '2026-01-15 15:00:00',
}
SIG7 = {'mchid': 'TESTMCHID1', 'out_trade_no': 'POS-1-0001'}
VECTORS = [
    ('payment', SIG4, 'MD5', 'DDAF59BBBEF893321AADD3FBE8CAFFF9', '0000'),
    (
        'payment',
        SIG4,
        'SHA256',
        '246872543000B935A7DB8414D24170C74628A8F36562D1391843D91FC498B543',
        '0000',
    ),
    ('refund', SIG6, 'MD5', '50E3AA3B38CD3CAB898899698D2D6FB1', '1268'),
    (
        'refund',
        SIG6,
        'SHA256',
        'D269A709EC66EA6DD4251D6CFE2243BD3861AA475B34E7844BB27C088904862F',
        '1268',
    ),
    ('query', SIG7, 'MD5', '8E92A32F77D3DF9CF1A8A3C7B7FFD795', '0000'),
    (
        'query',
        SIG7,
        'SHA256',
        '84D81ADA9CAF043A84CC5E4943A4EA1D96A25988D982E9D31661672000CDD7B8',
        '0000',
    ),
]


@pytest.mark.parametrize(('name', 'fields', 'sign_type', 'sign', 'respcd'), VECTORS)
def test_vector_is_accepted(shop, name, fields, sign_type, sign, respcd):
    shop.set(mchid='TESTMCHID1')
    shop.sign_type = sign_type
    _, _, raw = shop.send(f'/trade/v1/{name}', fields, sign=sign)
    assert json.loads(raw)['respcd'] == respcd


def test_vector_as_it_goes_over_the_wire(shop):
    shop.set(mchid='TESTMCHID1')
    body = (
        b'expired_time=5&mchid=TESTMCHID1&out_trade_no=POS-1-0001&pay_type=800201&txamt=1010'
        b'&txcurrcd=HKD&txdtm=2026-01-15+14%3A03%3A22&udid=REG-01'
    )
    headers = {
        'X-QF-APPCODE': APP_CODE,
        'X-QF-SIGN': VECTORS[0][3],
        'Content-Type': 'application/x-www-form-urlencoded',
    }
    _, _, raw = call(f'{shop.gateway}/trade/v1/payment', body, headers=headers)
    assert json.loads(raw)['respcd'] == '0000'


def test_empty_values_are_not_signed(shop):
    shop.set(mchid='TESTMCHID1')
    fields = SIG4 | {'goods_name': ''}
    send = shop.send
    assert json.loads(send('/trade/v1/payment', fields, sign=VECTORS[0][3])[2])['respcd'] == '0000'
    shop.reset()
    shop.set(mchid='TESTMCHID1', sign_empty=True)
    with_empty = '5CD63B7B0DB441C8F366818413DF814E'
    assert json.loads(send('/trade/v1/payment', fields, sign=VECTORS[0][3])[2])['respcd'] == '1108'
    assert json.loads(send('/trade/v1/payment', fields, sign=with_empty)[2])['respcd'] == '0000'


def test_case_of_a_signature(shop):
    lower = digest(to_sign({'out_trade_no': 'a'})).lower()
    _, _, raw = shop.send('/trade/v1/query', {'out_trade_no': 'a'}, sign=lower)
    assert json.loads(raw)['respcd'] == '0000'
    shop.set(strict_case=True)
    _, _, raw = shop.send('/trade/v1/query', {'out_trade_no': 'a'}, sign=lower)
    assert json.loads(raw)['respcd'] == '1108'


def test_answers_are_signed_over_their_bytes(shop):
    shop.set(language='zh')
    _, headers, raw = shop.send('/trade/v1/query', {'out_trade_no': 'a'})
    assert raw.startswith(b'{"respcd": "0000", "resperr": "\\u4ea4\\u6613\\u6210\\u529f", ')
    assert headers['X-QF-SIGN'] == digest(raw)
    again = json.dumps(json.loads(raw), separators=(',', ':'), ensure_ascii=False).encode()
    assert digest(again) != headers['X-QF-SIGN']


def test_answers_signed_with_sha256_say_so(shop):
    shop.set(answer_sign_type='SHA256')
    _, headers, raw = shop.send('/trade/v1/query', {'out_trade_no': 'a'})
    assert headers['X-QF-SIGNTYPE'] == 'SHA256'
    assert headers['X-QF-SIGN'] == digest(raw, sign_type='SHA256')


# What is wrong with a request, and what is said first (the protocol, B17)

GOOD = {
    'txamt': '1010',
    'txcurrcd': 'HKD',
    'pay_type': '800201',
    'out_trade_no': 'order-1',
    'txdtm': WHEN,
}


@pytest.mark.parametrize(
    ('method', 'path', 'status'),
    [
        ('GET', '/trade/v1/payment', 405),
        ('PUT', '/trade/v1/payment', 405),
        ('GET', '/trade/v1/query', 405),
        ('GET', '/trade/v1/refund', 405),
        ('DELETE', '/elsewhere', 405),
        ('POST', '/elsewhere', 404),
        ('GET', '/', 404),
        ('POST', '/trade/v1/payment/', 404),
    ],
)
def test_method_and_path(shop, method, path, status):
    assert call(shop.gateway + path, b'', method=method)[0] == status


ORDER_OF_CHECKS = [
    # what is wrong from here on, and what is said as long as it is
    ('app_code', 'X-QF-APPCODE', '1106'),
    ('sign', 'X-QF-SIGN', '1108'),
    ('mchid', 'mchid is not expected', '1104'),
    ('txdtm', 'txdtm is missing', '1104'),
    ('txamt', 'txamt', '1103'),
    ('pay_type', 'pay_type is not supported', '1104'),
    ('out_trade_no', 'out_trade_no was used before', '1102'),
    ('auth_code', 'auth_code is missing', '1104'),
]


@pytest.mark.parametrize('step', range(len(ORDER_OF_CHECKS)))
def test_checks_come_in_order(shop, step):
    shop.payment(out_trade_no='used-1')
    wrong = [name for name, *_ in ORDER_OF_CHECKS[step:]]
    fields = GOOD | {'pay_type': '800008'}
    headers = {}
    if 'mchid' in wrong:
        fields['mchid'] = 'TESTMCHID1'
    if 'txdtm' in wrong:
        del fields['txdtm']
    if 'txamt' in wrong:
        fields['txamt'] = '10.10'
    if 'pay_type' in wrong:
        fields['pay_type'] = '999999'
    if 'out_trade_no' in wrong:
        fields['out_trade_no'] = 'used-1'
    if 'app_code' in wrong:
        headers['X-QF-APPCODE'] = 'stranger'
    sign = '0' * 32 if 'sign' in wrong else None
    _, _, raw = shop.send('/trade/v1/payment', fields, headers=headers, sign=sign)
    answer = json.loads(raw)
    _, note, code = ORDER_OF_CHECKS[step]
    assert answer['respcd'] == code
    assert note in answer['respmsg'] or not answer['respmsg']


@pytest.mark.parametrize(
    ('headers', 'code'),
    [
        ({'X-QF-APPCODE': ''}, '1106'),
        ({'X-QF-SIGN': ''}, '1108'),
        ({'X-QF-SIGNTYPE': 'SHA256'}, '1108'),
        ({'X-QF-SIGNTYPE': 'SHA1'}, '1108'),
        ({'Content-Type': 'application/json'}, '1108'),
        ({'Content-Type': 'text/plain'}, '1108'),
    ],
)
def test_header_that_is_missing_or_wrong(shop, headers, code):
    _, _, raw = shop.send('/trade/v1/payment', GOOD, headers=headers)
    assert json.loads(raw)['respcd'] == code


def test_stranger_gets_no_signature(shop):
    _, headers, _ = shop.send('/trade/v1/query', SIG7, headers={'X-QF-APPCODE': 'stranger'})
    assert headers['X-QF-SIGN'] is None


@pytest.mark.parametrize('signed', [True, False])
def test_answer_to_a_wrong_signature(shop, signed):
    shop.set(sign_refusals=signed)
    shop.key = 'another key'
    _, headers, raw = shop.send('/trade/v1/query', SIG7)
    assert json.loads(raw)['respcd'] == '1108'
    assert headers['X-QF-SIGN'] == (digest(raw) if signed else None)


def test_merchant_id_when_there_is_one(shop):
    shop.set(mchid='TESTMCHID1')
    assert shop.payment()['respcd'] == '1104'
    shop.mchid = 'TESTMCHID2'
    assert shop.payment()['respmsg'] == 'mchid is wrong'
    shop.mchid = 'TESTMCHID1'
    answer = shop.payment()
    assert answer['respcd'] == '0000'
    assert answer['mchid'] == 'TESTMCHID1'


@pytest.mark.parametrize('name', sorted(GOOD))
def test_field_that_is_missing(shop, name):
    fields = {key: value for key, value in GOOD.items() if key != name}
    answer = shop.ask('payment', **fields)
    assert (answer['respcd'], answer['respmsg']) == ('1104', f'{name} is missing')


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('txamt', '0'),
        ('txamt', '-5'),
        ('txamt', '10.0'),
        ('txamt', '2147483648'),
        ('txamt', '１００'),
        ('txcurrcd', 'hkd'),
        ('txcurrcd', 'HK'),
        ('pay_type', '80020'),
        ('out_trade_no', 'with space'),
        ('out_trade_no', 'x' * 129),
        ('out_trade_no', 'größe'),
        ('txdtm', '2026-01-15T14:03:22'),
        ('txdtm', '2026-02-30 14:03:22'),
        ('txdtm', '20260115140322'),
        ('expired_time', '4'),
        ('expired_time', '121'),
        ('expired_time', '5m'),
        ('pay_tag', 'ALIPAY'),
        ('limit_pay', 'all'),
        ('goods_name', 'x' * 21),
        ('goods_name', 'Fish & Chips'),
        ('goods_name', 'line\nbreak'),
        ('txzone', '8'),
        ('udid', 'x' * 41),
        ('notify_url', 'ftp://shop.example/notify'),
        ('notify_url', 'http://shop.example/' + 'x' * 250),
        ('notify_url', 'shop'),
    ],
)
def test_field_of_a_wrong_form(shop, name, value):
    answer = shop.ask('payment', **(GOOD | {name: value}))
    assert answer['respcd'] == '1103', answer
    assert answer['respmsg'].startswith(name)


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('goods_name', '凍檸茶 少甜'),
        ('txzone', '+0800'),
        ('udid', 'Till 1'),
        ('expired_time', '120'),
        ('out_trade_no', 'Aa0_|*-' * 18),
        ('limit_pay', 'no_credit'),
        ('notify_url', 'https://shop.example:443/notify'),
        ('something_new', 'ignored'),
    ],
)
def test_field_that_is_right(shop, name, value):
    assert shop.ask('payment', **(GOOD | {name: value}))['respcd'] == '0000'


def test_field_there_twice(shop):
    body = urlencode([*GOOD.items(), ('udid', 'a'), ('udid', 'b')])
    pairs = '&'.join(sorted([f'{k}={v}' for k, v in GOOD.items()] + ['udid=a', 'udid=b']))
    headers = {
        'X-QF-APPCODE': APP_CODE,
        'X-QF-SIGN': digest(pairs),
        'Content-Type': 'application/x-www-form-urlencoded',
    }
    _, _, raw = call(f'{shop.gateway}/trade/v1/payment', body.encode(), headers=headers)
    assert json.loads(raw)['respcd'] == '1103'


def test_ports_of_a_notification_can_be_held_to_the_documents(shop):
    url = 'http://127.0.0.1:8069/notify'
    assert shop.payment(notify_url=url)['respcd'] == '0000'
    shop.set(strict_notify_url=True)
    assert shop.payment(notify_url=url)['respcd'] == '1104'
    assert shop.payment(notify_url='http://127.0.0.1/notify')['respcd'] == '0000'


@pytest.mark.parametrize('number', ['POS-1', 'used'])
def test_number_used_before(shop, number):
    payment = shop.paid(out_trade_no=number)
    assert shop.payment(out_trade_no=number)['respcd'] == '1102'
    assert shop.refund(payment, 10, number)['respcd'] == '1102'
    assert shop.refund(payment, 10, 'refund-1')['respcd'] == '0000'
    assert shop.payment(out_trade_no='refund-1')['respcd'] == '1102'
    assert shop.refund(payment, 10, 'refund-1')['respcd'] == '1102'
    shop.set(duplicate_code='2011')
    assert shop.payment(out_trade_no=number)['respcd'] == '2011'
    assert len(shop.control('gateway/orders')) == 2


@pytest.mark.parametrize(
    ('pay_type', 'currency', 'extra', 'code'),
    [
        ('800201', 'JPY', {}, '0000'),
        ('800201', 'XAU', {}, '1104'),
        ('802001', 'USD', {}, '1104'),
        ('805801', 'USD', {}, '1104'),
        ('803701', 'USD', {}, '1104'),
        ('801501', 'USD', {}, '1104'),
        ('801501', 'CNY', {'pay_tag': 'ALIPAYCN'}, '0000'),
        ('800101', 'USD', {}, '0000'),
        ('802808', 'HKD', {}, '1104'),
    ],
)
def test_currencies(shop, pay_type, currency, extra, code):
    assert shop.payment(pay_type, currency=currency, **extra)['respcd'] == code


def test_what_the_merchant_may_not_use(shop):
    shop.set(pay_types=['800201'], currencies=['HKD', 'JPY'])
    assert shop.payment('800101')['respcd'] == '1250'
    assert shop.payment('800201', currency='USD')['respcd'] == '1250'
    assert shop.payment('800201', 1234, currency='JPY')['respcd'] == '0000'
    row = shop.row(shop.order()['reference'])
    assert (row['txamt'], row['txcurrcd']) == ('1234', 'JPY')


# A shown code (MPM)


@pytest.mark.parametrize('pay_type', MPM)
def test_shown_code_is_there_and_not_paid(shop, pay_type):
    answer = shop.payment(pay_type, goods_name='Tea', udid='Till 1')
    assert answer['respcd'] == '0000'
    assert 0 < len(answer['qrcode']) <= 512
    assert answer['paydtm'] == ''
    assert re.fullmatch('[0-9]{26}', answer['syssn'])
    assert ('pay_url' in answer) == (pay_type == '805801')
    row = shop.row(answer['out_trade_no'])
    assert row['respcd'] == '1143'
    assert row['paydtm'] == ''
    assert row['cancel'] == '0'
    assert row['order_type'] == 'payment'
    assert row['txamt'] == '1010'
    assert row['goods_name'] == 'Tea'
    assert row['udid'] == 'Till 1'


def test_customer_scans_and_pays(shop):
    reference = shop.payment()['out_trade_no']
    assert shop.act('scan')['respcd'] == '1145'
    assert shop.row(reference)['respcd'] == '1145'
    shop.act('pay')
    row = shop.row(reference)
    assert (row['respcd'], row['cancel']) == ('0000', '0')
    assert row['paydtm']
    assert row['chnlsn']
    assert shop.refused('gateway/orders/last/act', {'do': 'pay'})[0] == 409


@pytest.mark.parametrize(
    ('action', 'values', 'code', 'cancel'),
    [
        ('refuse', {}, '1205', '0'),
        ('refuse', {'code': '1201'}, '1201', '0'),
        ('fail', {'code': '1204'}, '1204', '0'),
        ('expire', {}, '1181', '0'),
        ('close', {}, '1264', '2'),
    ],
)
def test_customer_does_not_pay(shop, action, values, code, cancel):
    reference = shop.payment()['out_trade_no']
    shop.act(action, **values)
    row = shop.row(reference)
    assert (row['respcd'], row['cancel'], row['paydtm']) == (code, cancel, '')
    for again in ('pay', 'scan', 'expire'):
        assert shop.refused('gateway/orders/last/act', {'do': again})[0] == 409
    shop.act('pay', late=True)
    row = shop.row(reference)
    assert (row['respcd'], row['cancel']) == ('0000', '0')


@pytest.mark.parametrize(
    ('auto', 'code'), [('pay', '0000'), ('refuse', '1205'), ('scan', '1145'), ('expire', '1181')]
)
def test_customer_acts_alone(shop, auto, code):
    shop.set(auto=auto, auto_delay=0.2)
    reference = shop.payment()['out_trade_no']
    assert shop.row(reference)['respcd'] == '1143'
    shop.wait_for(lambda: shop.row(reference)['respcd'] == code)


def test_settings_reach_an_order_that_waits(shop):
    reference = shop.payment()['out_trade_no']
    shop.set(auto='pay')
    shop.wait_for(lambda: shop.row(reference)['respcd'] == '0000')


@pytest.mark.parametrize(
    ('pay_type', 'minutes'), [('800201', 7), ('800101', 7), ('801501', 7), ('800701', 30)]
)
def test_life_of_a_code(shop, pay_type, minutes):
    order = shop.payment(pay_type, expired_time=7)
    left = shop.order()['seconds_left']
    assert minutes * 60 - 5 < left <= minutes * 60
    shop.set(expiry_factor=1000)
    other = shop.payment(pay_type, expired_time=7)
    shop.wait_for(lambda: shop.row(other['out_trade_no'])['respcd'] == '1181')
    assert shop.row(order['out_trade_no'])['respcd'] == '1143'


def test_code_lives_thirty_minutes_by_itself(shop):
    shop.payment('800201')
    assert 1795 < shop.order()['seconds_left'] <= 1800


def test_code_expires_when_the_clock_moves(shop):
    reference = shop.payment(expired_time=5)['out_trade_no']
    shop.set(clock_offset=301)
    shop.wait_for(lambda: shop.row(reference)['respcd'] == '1181')


def test_traps_in_a_new_order(shop):
    shop.set(early_paydtm=True, long_qrcode=True)
    answer = shop.payment()
    assert answer['paydtm']
    assert len(answer['qrcode']) == 512
    assert shop.row(answer['out_trade_no'])['respcd'] == '1143'


# A scanned code (CPM)


@pytest.mark.parametrize(
    ('pay_type', 'wallet'),
    [*CPM.items(), *(('800008', wallet) for wallet in sorted(set(CPM.values())))],
)
def test_scanned_code_is_charged_at_once(shop, pay_type, wallet):
    answer = shop.scanned(pay_type, wallet)
    assert answer['respcd'] == '0000'
    assert answer['paydtm']
    assert answer['chnlsn']
    assert 'qrcode' not in answer
    resolved = {
        'alipay': '800108',
        'wechat': '800208',
        'unionpay': '800708',
        'payme': '805808',
    }[wallet]
    assert answer['pay_type'] == (resolved if pay_type == '800008' else pay_type)
    row = shop.row(answer['out_trade_no'])
    assert (row['respcd'], row['pay_type']) == ('0000', answer['pay_type'])


@pytest.mark.parametrize(
    ('wallet', 'form'),
    [
        ('alipay', '(2[5-9]|30)[0-9]{16}'),
        ('wechat', '1[0-5][0-9]{16}'),
        ('unionpay', '62[0-9]{17}'),
        ('payme', 'PM[0-9]{18}'),
    ],
)
def test_forms_of_codes(shop, wallet, form):
    codes = {shop.code(wallet) for _ in range(20)}
    assert len(codes) == 20
    assert all(re.fullmatch(form, code) for code in codes)


@pytest.mark.parametrize(
    ('script', 'code'),
    [('refuse', '1201'), ('expired', '1202'), ('used', '2005'), ('error', '1205')],
)
@pytest.mark.parametrize('rows', [True, False])
def test_scanned_code_fails(shop, script, code, rows):
    shop.set(failed_rows=rows)
    answer = shop.scanned(script=script)
    assert answer['respcd'] == code
    found = shop.ask('query', out_trade_no=answer['out_trade_no'])['data']
    assert [row['respcd'] for row in found] == ([code] if rows else [])


@pytest.mark.parametrize(('script', 'code'), [('password', '1143'), ('processing', '1145')])
def test_scanned_code_takes_its_time(shop, script, code):
    shop.set(password_seconds=0.3)
    answer = shop.scanned(script=script)
    assert answer['respcd'] == code
    assert answer['syssn']
    assert shop.row(answer['out_trade_no'])['respcd'] == code
    shop.wait_for(lambda: shop.row(answer['out_trade_no'])['respcd'] == '0000')


def test_scanned_code_waits_for_the_customer(shop):
    shop.set(password_seconds=0)
    reference = shop.scanned(script='wait')['out_trade_no']
    time.sleep(0.2)
    assert shop.row(reference)['respcd'] == '1143'
    shop.act('refuse', reference, code='1201')
    assert shop.row(reference)['respcd'] == '1201'


def test_scanned_order_can_run_out(shop):
    shop.set(cpm_seconds=0.1)
    reference = shop.scanned(script='wait')['out_trade_no']
    shop.wait_for(lambda: shop.row(reference)['respcd'] == '1181')


def test_answer_is_lost_after_charging(shop):
    with pytest.raises((http.client.HTTPException, OSError)):
        shop.scanned(script='lost', out_trade_no='lost-1')
    assert shop.row('lost-1')['respcd'] == '0000'
    assert shop.control('gateway/log')[0]['status'] == 'cut'


def test_code_can_be_used_once(shop):
    code = shop.code()
    assert shop.payment('800008', auth_code=code)['respcd'] == '0000'
    assert shop.payment('800008', auth_code=code)['respcd'] == '2005'


def test_code_gets_old(shop):
    shop.set(code_seconds=0.05)
    code = shop.code()
    time.sleep(0.1)
    assert shop.payment('800008', auth_code=code)['respcd'] == '1202'


@pytest.mark.parametrize(
    ('pay_type', 'code'),
    [
        ('800008', '4891668326012'),
        ('800008', '161234567890123456'),
        ('800008', '2412345678901234'),
        ('800108', '130000000000000001'),
        ('800208', '280000000000000001'),
        ('800708', '280000000000000001'),
        ('805808', '280000000000000001'),
    ],
)
def test_code_of_no_wallet_or_another(shop, pay_type, code):
    assert shop.payment(pay_type, auth_code=code)['respcd'] == '1202'


def test_payme_may_be_missing_in_800008(shop):
    shop.set(payme_in_any=False)
    assert shop.scanned('800008', 'payme')['respcd'] == '1202'
    assert shop.scanned('805808', 'payme')['respcd'] == '0000'


def test_code_that_says_nothing_does_what_is_set(shop):
    assert shop.payment('800208', auth_code='130000000000000001')['respcd'] == '0000'
    shop.set(cpm_default='wait')
    assert shop.payment('800208', auth_code='130000000000000002')['respcd'] == '1143'
    assert shop.payment('800208', auth_code='130000000000000090')['respcd'] == '0000'


# Query (the protocol, B7)


def test_query_by_lists_of_numbers(shop):
    orders = [shop.payment() for _ in range(3)]
    names = [order['out_trade_no'] for order in orders]
    found = shop.ask('query', out_trade_no=','.join([*names, 'nobody']))['data']
    assert [row['out_trade_no'] for row in found] == names[::-1]
    numbers = ','.join(order['syssn'] for order in orders[:2])
    found = shop.ask('query', syssn=numbers)['data']
    assert [row['out_trade_no'] for row in found] == names[1::-1]
    both = shop.ask('query', syssn=numbers, out_trade_no=names[0])['data']
    assert [row['out_trade_no'] for row in both] == names[:1]


def test_a_hundred_numbers_in_one_query(shop):
    shop.set(per_second=0)
    names = [shop.payment()['out_trade_no'] for _ in range(101)]
    answer = shop.ask('query', out_trade_no=','.join(names), page_size=100)
    assert (answer['page'], answer['page_size'], len(answer['data'])) == (1, 100, 100)
    rest = shop.ask('query', out_trade_no=','.join(names), page_size=100, page=2)['data']
    seen = {row['out_trade_no'] for row in [*answer['data'], *rest]}
    assert seen == set(names)
    assert len(shop.ask('query', out_trade_no=','.join(names))['data']) == 10
    assert shop.ask('query', out_trade_no=','.join(names), page=12)['data'] == []
    assert shop.ask('query', out_trade_no='a', page_size=101)['respcd'] == '1103'
    assert shop.ask('query', out_trade_no='a', page=0)['respcd'] == '1103'
    shop.set(list_length=128)
    assert shop.ask('query', out_trade_no=','.join(names))['respcd'] == '1103'


def test_query_of_nothing(shop):
    answer = shop.ask('query', out_trade_no='nobody')
    assert (answer['respcd'], answer['data']) == ('0000', [])
    for code in ('1268', '1136'):
        shop.set(not_found=code)
        answer = shop.ask('query', out_trade_no='nobody')
        assert answer['respcd'] == code
        assert 'data' not in answer
    assert shop.ask('query')['respcd'] == '1104'


def test_query_looks_in_the_present_month(shop):
    now = datetime.now(HONG_KONG)
    back = (now.day + 1) * 86400
    shop.set(clock_offset=-back)
    old = shop.payment()
    before = now - timedelta(seconds=back)
    shop.set(clock_offset=0)
    new = shop.payment()
    names = f'{old["out_trade_no"]},{new["out_trade_no"]}'

    def found(**fields):
        data = shop.ask('query', **fields)['data']
        return {row['out_trade_no'] for row in data}

    assert found(out_trade_no=names) == {new['out_trade_no']}
    assert found(syssn=old['syssn']) == {old['out_trade_no']}
    window = {
        'start_time': f'{before:%Y-%m}-01 00:00:00',
        'end_time': f'{before:%Y-%m-%d} 23:59:59',
    }
    assert found(out_trade_no=names, **window) == {old['out_trade_no']}
    assert found(**window) == {old['out_trade_no']}
    shop.set(window_ignores_numbers=True)
    assert found(out_trade_no=names) == {old['out_trade_no'], new['out_trade_no']}


@pytest.mark.parametrize(
    ('start', 'end', 'code'),
    [
        ('2026-01-01 00:00:00', None, '1104'),
        (None, '2026-01-01 00:00:00', '1104'),
        ('2026-01-31 00:00:00', '2026-02-01 00:00:00', '1104'),
        ('2026-01-31 00:00:00', '2026-01-30 00:00:00', '1104'),
        ('2026-01-31', '2026-01-31', '1103'),
        ('2026-01-01 00:00:00', '2026-01-31 23:59:59', '0000'),
    ],
)
def test_window_of_a_query(shop, start, end, code):
    fields = {'start_time': start, 'end_time': end}
    fields = {name: value for name, value in fields.items() if value}
    assert shop.ask('query', **fields)['respcd'] == code


def test_query_filters(shop):
    month = datetime.now(HONG_KONG)
    window = {
        'start_time': f'{month:%Y-%m}-01 00:00:00',
        'end_time': f'{month:%Y-%m-%d} 23:59:59',
    }
    shop.paid('800201')
    shop.payment('800201')
    shop.payment('800101')
    assert len(shop.ask('query', **window)['data']) == 3
    assert len(shop.ask('query', **window, pay_type='800201')['data']) == 2
    assert len(shop.ask('query', **window, respcd='1143')['data']) == 2
    assert len(shop.ask('query', **window, respcd='1143', pay_type='800101')['data']) == 1


# Refunds (the protocol, B8)


def test_refunds_up_to_the_whole(shop):
    payment = shop.paid(amount=1010)
    first = shop.refund(payment, 500, 'refund-1')
    assert first['respcd'] == '0000'
    assert first['orig_syssn'] == payment['syssn']
    assert first['syssn'] != payment['syssn']
    assert (first['txamt'], first['txcurrcd']) == ('500', 'HKD')
    row = shop.row('refund-1')
    assert row['order_type'] == 'refund'
    assert row['origssn'] == payment['syssn']
    assert row['respcd'] == '0000'
    assert shop.row(payment['out_trade_no'])['cancel'] == '5'
    assert shop.refund(payment, 511)['respcd'] == '1272'
    assert shop.refund(payment, 510)['respcd'] == '0000'
    assert shop.row(payment['out_trade_no'])['cancel'] == '3'
    assert shop.row(payment['out_trade_no'])['respcd'] == '0000'
    assert shop.refund(payment, 1)['respcd'] == '1264'


@pytest.mark.parametrize('cancel', ['3', '1'])
def test_scanned_payment_given_back(shop, cancel):
    shop.set(cpm_refund_cancel=cancel)
    payment = shop.scanned()
    assert shop.refund(payment, 10)['respcd'] == '0000'
    assert shop.row(payment['out_trade_no'])['cancel'] == '5'
    assert shop.refund(payment, 1000)['respcd'] == '0000'
    assert shop.row(payment['out_trade_no'])['cancel'] == cancel
    shop.set(refunded_code='1125')
    assert shop.refund(payment, 1)['respcd'] == '1125'


@pytest.mark.parametrize('pay_type', ['802001', '803701'])
def test_wallets_that_give_nothing_back(shop, pay_type):
    assert shop.refund(shop.paid(pay_type), 10)['respcd'] == '1155'


@pytest.mark.parametrize('pay_type', ['800101', '801501', '800201', '805801', '800701'])
def test_wallets_that_give_back(shop, pay_type):
    assert shop.refund(shop.paid(pay_type), 10)['respcd'] == '0000'


def test_refund_of_what_was_not_paid(shop):
    assert shop.refund({'syssn': '20260115154100020012345678'}, 10)['respcd'] == '1268'
    unpaid = shop.payment()
    assert shop.refund(unpaid, 10)['respcd'] == '1261'
    shop.act('close')
    assert shop.refund(unpaid, 10)['respcd'] == '1261'
    payment = shop.paid()
    refund = shop.refund(payment, 10)
    assert shop.refund(refund, 5)['respcd'] == '1136'


def test_partial_refunds_can_be_switched_off(shop):
    payment = shop.paid('800201')
    shop.set(no_partial=['800201'])
    assert shop.refund(payment, 10)['respcd'] == '1271'
    shop.set(no_partial=None, no_partial_currencies=['HKD'])
    assert shop.refund(payment, 10)['respcd'] == '1270'
    assert shop.refund(payment, 1010)['respcd'] == '0000'


def test_refund_needs_turnover(shop):
    shop.set(clock_offset=-86400)
    payment = shop.paid(amount=1010)
    shop.set(clock_offset=0, turnover_check=True)
    assert shop.refund(payment, 500)['respcd'] == '1269'
    shop.paid('801501', amount=600)
    assert shop.refund(payment, 500)['respcd'] == '1269', (
        'another wallet pays no refunds of this one'
    )
    shop.paid(amount=600)
    assert shop.refund(payment, 500)['respcd'] == '0000'
    assert shop.refund(payment, 500)['respcd'] == '1269'
    shop.set(turnover_check=False)
    assert shop.refund(payment, 500)['respcd'] == '0000'


@pytest.mark.parametrize(
    ('hour', 'minute', 'code'),
    [(23, 29, '0000'), (23, 31, '1265'), (0, 1, '1265'), (0, 29, '1265'), (0, 31, '0000')],
)
def test_no_refunds_at_night(shop, hour, minute, code):
    payment = shop.paid()
    now = datetime.now(HONG_KONG)
    then = now.replace(hour=hour, minute=minute, second=10)
    shop.set(clock_offset=(then - now).total_seconds())
    assert shop.refund(payment, 10)['respcd'] == '0000'
    shop.set(refund_blackout=True)
    assert shop.refund(payment, 10)['respcd'] == code


def test_refund_takes_its_time(shop):
    shop.set(refund='pending', refund_seconds=0.3)
    payment = shop.paid()
    assert shop.refund(payment, 800, 'refund-1')['respcd'] == '1143'
    assert shop.row('refund-1')['respcd'] == '1143'
    assert shop.row(payment['out_trade_no'])['cancel'] == '0'
    second = shop.refund(payment, 100)
    assert (second['respcd'], second['resperr'][:16]) == ('1136', 'you still have p')
    assert shop.refund(shop.paid(), 800)['respcd'] == '1143', 'another payment can be given back'
    shop.set(refund_busy=None)
    assert shop.refund(payment, 800)['respcd'] == '1272'
    shop.wait_for(lambda: shop.row('refund-1')['respcd'] == '0000')
    assert shop.row(payment['out_trade_no'])['cancel'] == '5'


def test_refund_is_decided_by_hand(shop):
    shop.set(refund='manual')
    payment = shop.paid()
    shop.refund(payment, 800, 'refund-1')
    shop.act('refuse', 'refund-1')
    assert shop.row('refund-1')['respcd'] == '1155'
    shop.refund(payment, 800, 'refund-2')
    shop.act('pay', 'refund-2')
    assert shop.row('refund-2')['respcd'] == '0000'
    assert shop.order(payment['out_trade_no'])['refundable_minor'] == 210
    shop.act('refund', payment['out_trade_no'], amount_minor=10)
    assert shop.order(payment['out_trade_no'])['refundable_minor'] == 200
    shop.act('refund', payment['out_trade_no'])
    assert shop.row(payment['out_trade_no'])['cancel'] == '3'
    assert shop.refused(f'gateway/orders/{payment["syssn"]}/act', {'do': 'refund'})[0] == 409


@pytest.mark.parametrize('rows', [True, False])
def test_refund_is_refused(shop, rows):
    shop.set(refund='decline', refund_code='1204', failed_rows=rows)
    payment = shop.paid()
    assert shop.refund(payment, 10, 'refund-1')['respcd'] == '1204'
    assert len(shop.ask('query', out_trade_no='refund-1')['data']) == rows
    shop.set(refund='approve')
    assert shop.refund(payment, 1010)['respcd'] == '0000'


@pytest.mark.parametrize(
    ('pay_type', 'days', 'code'),
    [
        ('800201', 365, '1265'),
        ('801501', 365, '1297'),
        ('800101', 365, '1297'),
        ('805801', 90, '1250'),
        ('802001', 29, '1265'),
    ],
)
def test_refunds_have_a_last_day(shop, pay_type, days, code):
    shop.set(fps_refunds=True, clock_offset=-days * 86400 + 3600)
    in_time = shop.paid(pay_type)
    shop.set(clock_offset=-days * 86400 - 3600)
    late = shop.paid(pay_type)
    shop.set(clock_offset=0)
    assert shop.refund(in_time, 10)['respcd'] == '0000'
    answer = shop.refund(late, 10, 'refund-1')
    assert answer['respcd'] == code
    assert 'time limit' in answer['resperr']
    assert shop.ask('query', out_trade_no='refund-1')['data'] == []
    shop.set(language='zh')
    assert '時限' in shop.refund(late, 10)['resperr']
    shop.set(refund_periods=False)
    assert shop.refund(late, 10)['respcd'] == '0000'


def test_wallets_without_a_last_day(shop):
    shop.set(clock_offset=-1000 * 86400)
    payment = shop.paid('800701')
    shop.set(clock_offset=0)
    assert shop.refund(payment, 10)['respcd'] == '0000'


def test_night_and_last_day_differ_in_their_words(shop):
    payment = shop.paid()
    now = datetime.now(HONG_KONG)
    night = now.replace(hour=23, minute=45)
    shop.set(refund_blackout=True, clock_offset=(night - now).total_seconds())
    answer = shop.refund(payment, 10)
    assert (answer['respcd'], '11:30pm' in answer['resperr']) == ('1265', True)
    assert 'time limit' not in answer['resperr']


def test_fps_gives_back_when_told_so(shop):
    payment = shop.paid('802001')
    assert shop.refund(payment, 10)['respcd'] == '1155'
    shop.set(fps_refunds=True)
    assert shop.refund(payment, 10)['respcd'] == '0000'
    assert shop.refund(shop.paid('803701'), 10)['respcd'] == '1155', 'Octopus is no FPS'


def test_part_of_a_payment_on_its_own_day(shop):
    shop.set(whole_today=['800201'])
    assert shop.refund(shop.paid(), 10)['respcd'] == '1124'
    assert shop.refund(shop.paid(), 1010)['respcd'] == '0000'
    assert shop.refund(shop.paid('800101'), 10)['respcd'] == '0000'
    shop.set(clock_offset=-86400)
    yesterday = shop.paid()
    shop.set(clock_offset=0)
    assert shop.refund(yesterday, 10)['respcd'] == '0000'


def test_words_of_a_refused_refund(shop):
    shop.set(refund='decline', refund_code='1265', refund_words='已經超出可退款時限')
    payment = shop.paid()
    answer = shop.refund(payment, 10, 'refund-1')
    assert (answer['respcd'], answer['resperr']) == ('1265', '已經超出可退款時限')
    assert '11:30pm' in shop.row('refund-1')['errmsg'], 'the row has the usual words'


@pytest.mark.parametrize('code', ['1102', '2011', '1251'])
def test_a_request_that_arrives_twice(shop, code):
    shop.set(duplicate_code=code, fault='repeated', fault_count=1)
    answer = shop.payment(out_trade_no='sale-1')
    assert answer['respcd'] == code
    assert 'used' in answer['respmsg']
    payment = shop.paid()
    shop.set(fault='repeated', fault_count=1)
    answer = shop.refund(payment, 10, 'refund-1')
    assert (answer['respcd'], shop.row('refund-1')['respcd']) == (code, '0000')
    assert shop.row(payment['out_trade_no'])['cancel'] == '5'
    assert len(shop.ask('query', out_trade_no='sale-1')['data']) == 1


@pytest.mark.parametrize(
    ('twin', 'before', 'after'),
    [
        ('failed', ['1143', '1205'], ['0000', '1205']),
        ('unpaid', ['1143', '1143'], ['1143', '0000']),
        ('paid', ['1143', '1143'], ['0000', '0000']),
    ],
)
def test_several_rows_under_one_number(shop, twin, before, after):
    shop.set(twin=twin)
    payment = shop.payment()
    number = payment['out_trade_no']

    def rows():
        return shop.ask('query', out_trade_no=number)['data']

    assert [row['respcd'] for row in rows()] == before
    shop.act('pay')
    assert [row['respcd'] for row in rows()] == after
    assert len({row['syssn'] for row in rows()}) == 2
    assert shop.order()['syssn'] == payment['syssn'], 'the last order is the first under its number'
    [other] = [row for row in rows() if row['syssn'] != payment['syssn']]
    assert shop.refund(other, 1010)['respcd'] == ('0000' if twin == 'paid' else '1261')
    assert shop.refund(payment, 1010)['respcd'] == '0000'


def test_second_payment_under_one_number_is_notified_too(shop, receiver):
    shop.set(twin='paid', notify_url=receiver.url)
    shop.paid()
    bodies = [json.loads(body) for _headers, body, _at in receiver.wait_for(2)]
    assert len({body['out_trade_no'] for body in bodies}) == 1
    assert len({body['syssn'] for body in bodies}) == 2


def test_just_after_midnight_on_the_first_the_day_before_is_gone(shop):
    now = datetime.now(HONG_KONG)
    first = (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=0)
    midnight = (first - now).total_seconds()
    shop.set(clock_offset=midnight - 600)
    payment = shop.paid()
    number = payment['out_trade_no']
    assert shop.row(number)['respcd'] == '0000'
    shop.set(clock_offset=midnight + 600)
    assert shop.ask('query', out_trade_no=number)['data'] == []
    day = first - timedelta(days=1)
    window = {'start_time': f'{day:%Y-%m-%d} 00:00:00', 'end_time': f'{day:%Y-%m-%d} 23:59:59'}
    assert len(shop.ask('query', out_trade_no=number, **window)['data']) == 1


# Close and reversal (the protocol, B9)

LISTS = {
    'zh': {'reversal': ('800108', '800208', '800708'), 'close': ('800201', '800701')},
    'en': {
        'reversal': ('800101', '801501', '800201', '800108'),
        'close': ('800208', '801008', '800008'),
    },
}
ALL_TYPES = (*MPM, *CPM, '800008')


def open_order(shop, pay_type):
    if pay_type in MPM:
        return shop.payment(pay_type)
    return shop.scanned(pay_type, CPM.get(pay_type, 'alipay'), 'wait')


@pytest.mark.parametrize('lists', ['zh', 'en', 'both'])
@pytest.mark.parametrize('name', ['close', 'reversal'])
def test_what_can_be_called_off(shop, lists, name):
    shop.set(cancel_lists=lists)
    allowed = set()
    for language in LISTS if lists == 'both' else (lists,):
        allowed |= set(LISTS[language][name])
    # What was asked as 800008 became Alipay.
    if name == 'reversal':
        allowed.add('800008')
    for pay_type in ALL_TYPES:
        order = open_order(shop, pay_type)
        answer = shop.end(name, order)
        if pay_type not in allowed:
            assert answer['respcd'] == '1297', pay_type
            assert 'syssn' not in answer
            assert shop.row(order['out_trade_no'])['respcd'] == '1143'
            continue
        assert answer['respcd'] == '0000', pay_type
        assert answer['orig_syssn'] == order['syssn']
        assert answer['syssn'] != order['syssn']
        row = shop.row(order['out_trade_no'])
        assert row['respcd'] == {'close': '1264', 'reversal': '1263'}[name]
        assert row['cancel'] == ('2' if pay_type in MPM else '1')


@pytest.mark.parametrize('name', ['close', 'reversal'])
@pytest.mark.parametrize('method', ['POST', 'GET'])
@pytest.mark.parametrize('number', ['syssn', 'out_trade_no'])
def test_ways_to_call_off(shop, name, method, number):
    order = open_order(shop, '800201' if name == 'close' else '800108')
    fields = {number: order[number], 'txamt': 1010, 'txdtm': WHEN}
    assert shop.ask(name, method=method, **fields)['respcd'] == '0000'


@pytest.mark.parametrize(
    ('action', 'code'),
    [('pay', '1260'), ('close', '1264'), ('expire', '1181'), ('fail', '1136')],
)
def test_calling_off_what_has_ended(shop, action, code):
    order = shop.payment('800201')
    shop.act(action)
    assert shop.end('close', order)['respcd'] == code


def test_calling_off_twice_and_what_was_given_back(shop):
    order = open_order(shop, '800108')
    assert shop.end('reversal', order)['respcd'] == '0000'
    assert shop.end('reversal', order)['respcd'] == '1263'
    payment = shop.paid('800201')
    shop.refund(payment, 10)
    assert shop.end('close', payment)['respcd'] == '1260'
    shop.refund(payment, 1000)
    assert shop.end('close', payment)['respcd'] == '1262'


def test_calling_off_something_else(shop):
    order = shop.payment()
    other = shop.payment()
    assert shop.end('close', order, out_trade_no='nobody')['respcd'] == '1268'
    assert shop.end('close', order, txamt=1011)['respcd'] == '1266'
    assert shop.end('close', order, syssn=other['syssn'])['respcd'] == '1267'
    assert shop.ask('close', txamt=1010, txdtm=WHEN)['respcd'] == '1104'
    shop.set(strict_txdtm=True)
    assert shop.end('close', order, txdtm='2026-01-15 14:03:23')['respcd'] == '1267'
    assert shop.end('close', order)['respcd'] == '0000'


def test_customer_pays_in_that_moment(shop):
    shop.set(call_off='paid_before')
    order = shop.payment()
    assert shop.end('close', order)['respcd'] == '1260'
    assert shop.row(order['out_trade_no'])['respcd'] == '0000'
    shop.set(call_off='paid_after', password_seconds=0.2)
    order = shop.payment()
    assert shop.end('close', order)['respcd'] == '0000'
    assert shop.row(order['out_trade_no'])['respcd'] == '1143'
    shop.wait_for(lambda: shop.row(order['out_trade_no'])['respcd'] == '0000')


def test_calling_off_takes_its_time_or_does_not_work(shop):
    shop.set(call_off='processing', password_seconds=0.2)
    order = shop.payment()
    assert shop.end('close', order)['respcd'] == '1145'
    shop.wait_for(lambda: shop.row(order['out_trade_no'])['respcd'] == '1264')
    shop.set(call_off='unsupported')
    assert shop.end('close', shop.payment())['respcd'] == '1297'
    shop.set(call_off='usual', wechat_close_seconds=300)
    assert shop.end('close', shop.payment())['respcd'] == '1136'


@pytest.mark.parametrize('code', ['1142', '1263', '0000'])
def test_row_of_a_closed_order(shop, code):
    shop.set(closed_row=code)
    order = shop.payment()
    assert shop.end('close', order)['respcd'] == '0000'
    row = shop.row(order['out_trade_no'])
    assert (row['respcd'], row['cancel']) == (code, '2')
    assert not shop.order(order['out_trade_no'])['paid']
    assert shop.end('close', order)['respcd'] == ('1263' if code == '0000' else code)
    assert shop.refund(order, 10)['respcd'] == '1261'


# Shapes of answers


def test_amounts_as_numbers(shop):
    shop.set(numbers=True)
    payment = shop.paid()
    assert payment['txamt'] == 1010
    row = shop.row(payment['out_trade_no'])
    assert (row['txamt'], row['cancel']) == (1010, 0)


def test_nested_answers(shop):
    shop.set(envelope='nested')
    answer = shop.ask('payment', **GOOD)
    assert set(answer) == {'respcd', 'resperr', 'respmsg', 'data'}
    data = answer['data']
    assert data['txstatus'] == 'PENDING'
    assert data['qrcode']
    assert data['qf_trade_no']
    scanned = GOOD | {'pay_type': '800008', 'out_trade_no': 'order-2'}
    answer = shop.ask('payment', **scanned, auth_code=shop.code())
    assert answer['data']['txstatus'] == 'SUCCESS'
    scanned['out_trade_no'] = 'order-3'
    answer = shop.ask('payment', **scanned, auth_code=shop.code(script='refuse'))
    assert (answer['respcd'], answer['data']['txstatus']) == ('1201', 'FAILED')
    assert isinstance(shop.ask('query', out_trade_no='order-1')['data'], list)


def test_clock_is_in_the_date_header_and_in_the_answers(shop):
    shop.set(clock_offset=3600)
    _, headers, raw = shop.send('/trade/v1/payment', GOOD)
    ahead = parsedate_to_datetime(headers['Date']) - datetime.now(timezone.utc)
    assert timedelta(minutes=59) < ahead < timedelta(minutes=61)
    told = datetime.strptime(json.loads(raw)['sysdtm'], '%Y-%m-%d %H:%M:%S')
    ahead = told - datetime.now(HONG_KONG).replace(tzinfo=None)
    assert timedelta(minutes=59) < ahead < timedelta(minutes=61)


# Faults


def lost(shop, name='payment', **fields):
    with pytest.raises((http.client.HTTPException, OSError)) as caught:
        shop.send(f'/trade/v1/{name}', fields or GOOD, timeout=1)
    return caught.value


def test_answer_lost_after_commit(shop):
    shop.set(fault='lost_after_commit', fault_count=1)
    lost(shop)
    assert shop.row('order-1')['respcd'] == '1143'
    settings = shop.control('gateway')['settings']
    assert (settings['fault'], settings['fault_count']) == (None, None)
    assert shop.control('gateway/log')[0]['fault'] == 'lost_after_commit'


def test_queries_pass_while_answers_of_payments_are_lost(shop):
    shop.set(fault='lost_after_commit')
    lost(shop)
    assert shop.row('order-1')['respcd'] == '1143'
    shop.set(fault_for=['query'])
    assert shop.payment()['respcd'] == '0000'
    lost(shop, 'query', out_trade_no='order-1')


@pytest.mark.parametrize('fault', ['drop', 'hang', 'hang_after_commit'])
def test_no_answer(shop, fault):
    shop.set(fault=fault, fault_for=['payment'])
    lost(shop)
    shop.set(fault=None)
    found = shop.ask('query', out_trade_no='order-1')['data']
    assert len(found) == (fault == 'hang_after_commit')


def test_hanging_ends_after_a_while(shop):
    shop.set(fault='hang', fault_delay=0.5)
    started = time.monotonic()
    with pytest.raises((http.client.HTTPException, OSError)):
        shop.send('/trade/v1/payment', GOOD, timeout=10)
    assert 0.4 < time.monotonic() - started < 5


def test_done_after_the_caller_has_given_up(shop):
    shop.set(fault='late', fault_delay=0.4, fault_count=1)
    lost(shop)
    assert shop.ask('query', out_trade_no='order-1')['data'] == []
    shop.wait_for(lambda: shop.ask('query', out_trade_no='order-1')['data'])


@pytest.mark.parametrize('done', [False, True])
@pytest.mark.parametrize('code', ['1100', '1145', '1254', '1296', '9999'])
def test_any_code(shop, code, done):
    shop.set(fault='code_after_commit' if done else 'code', fault_code=code, fault_count=1)
    assert shop.payment(out_trade_no='a')['respcd'] == code
    assert len(shop.ask('query', out_trade_no='a')['data']) == done


@pytest.mark.parametrize(('fault', 'status'), [('http_503', 503), ('http_429', 429)])
def test_http_refusals(shop, fault, status):
    shop.set(fault=fault, fault_count=1)
    assert shop.send('/trade/v1/payment', GOOD)[0] == status
    assert shop.ask('query', out_trade_no='order-1')['data'] == []


@pytest.mark.parametrize('fault', ['wrong_signature', 'missing_signature'])
def test_signatures_that_are_not_right(shop, fault):
    shop.set(fault=fault, fault_count=1)
    _, headers, raw = shop.send('/trade/v1/payment', GOOD)
    assert headers['X-QF-SIGN'] != digest(raw)
    assert (headers['X-QF-SIGN'] is None) == (fault == 'missing_signature')
    assert json.loads(raw)['respcd'] == '0000'


@pytest.mark.parametrize(
    ('fault', 'field', 'value'),
    [
        ('wrong_amount', 'txamt', '2020'),
        ('wrong_currency', 'txcurrcd', 'USD'),
        ('wrong_reference', 'out_trade_no', 'another-sale-1'),
        ('wrong_merchant', 'mchid', 'SOMEONE_ELSE'),
    ],
)
def test_answers_that_are_not_true(shop, fault, field, value):
    shop.set(fault=fault)
    assert shop.ask('payment', **GOOD)[field] == value
    assert shop.row('order-1')[field] == value


@pytest.mark.parametrize('fault', ['garbage', 'html', 'empty', 'http_500', 'redirect', 'huge'])
def test_answers_that_are_none(shop, fault):
    shop.set(fault=fault, fault_count=1)
    parts = urlsplit(shop.gateway)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    headers = {
        'X-QF-APPCODE': APP_CODE,
        'X-QF-SIGN': digest(to_sign(GOOD)),
        'Content-Type': 'application/x-www-form-urlencoded',
    }
    connection.request('POST', '/trade/v1/payment', urlencode(GOOD), headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status == {'http_500': 500, 'redirect': 302}.get(fault, 200)
    assert {
        'empty': body == b'',
        'huge': len(body) > 10_000_000,
        'html': b'<html' in body,
    }.get(fault, not body.startswith(b'{'))
    assert shop.row('order-1')['respcd'] == '1143'


@pytest.mark.parametrize('fault', ['truncated', 'endless', 'flood', 'slow_headers'])
def test_answers_that_do_not_end(shop, fault):
    shop.set(fault=fault, fault_count=1)
    parts = urlsplit(shop.gateway)
    form = urlencode(GOOD)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as wire:
        wire.sendall(
            f'POST /trade/v1/payment HTTP/1.1\r\nHost: x\r\nX-QF-APPCODE: {APP_CODE}\r\n'
            f'X-QF-SIGN: {digest(to_sign(GOOD))}\r\nContent-Length: {len(form)}\r\n'
            f'Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}'.encode()
        )
        seen = b''
        until = time.monotonic() + 0.5
        with contextlib.suppress(TimeoutError):
            wire.settimeout(0.5)
            while time.monotonic() < until and (piece := wire.recv(65536)):
                seen += piece
    assert seen.startswith(b'HTTP/1.1 200 OK\r\n')
    assert shop.row('order-1')['respcd'] == '1143'


def test_slow_answer(shop):
    shop.set(fault='slow_answer', fault_delay=0.4, fault_count=1)
    started = time.monotonic()
    assert shop.payment()['respcd'] == '0000'
    assert time.monotonic() - started > 0.4


def test_gateway_out_of_reach(shop):
    reference = shop.payment()['out_trade_no']
    shop.set(reachable=False)
    with pytest.raises(OSError, match='refused'):
        shop.row(reference)
    shop.act('pay')
    shop.set(reachable=True)
    assert shop.row(reference)['respcd'] == '0000'


# Notifications (the protocol, B10)


def check_notification(came, **expected):
    headers, body, _ = came
    assert headers['Content-Type'] == 'application/json'
    assert headers['X-QF-SIGN'] == digest(body)
    content = json.loads(body)
    assert body == json.dumps(content).encode()
    for name, value in expected.items():
        assert content.get(name) == value, name
    return content


def test_notification_of_a_payment(shop, receiver):
    shop.set(notify_url=receiver.url, mchid='TESTMCHID1')
    shop.mchid = 'TESTMCHID1'
    payment = shop.payment(goods_name='咖啡')
    time.sleep(0.1)
    assert receiver.came == []
    shop.act('pay')
    [came] = receiver.wait_for(1)
    row = shop.row(payment['out_trade_no'])
    check_notification(
        came,
        status='1',
        notify_type='payment',
        pay_type='800201',
        syssn=payment['syssn'],
        out_trade_no=payment['out_trade_no'],
        txamt='1010',
        txcurrcd='HKD',
        cancel='0',
        respcd='0000',
        mchid='TESTMCHID1',
        goods_name='咖啡',
        paydtm=row['paydtm'],
        chnlsn=row['chnlsn'],
    )
    assert b'\\u5496\\u5561' in came[1]
    [record] = shop.wait_for(lambda: shop.control('gateway/notifications?last=1'))
    assert record['out_trade_no'] == payment['out_trade_no']
    shop.wait_for(lambda: shop.control('gateway/notifications')[0]['taken'])


def test_notification_of_a_refund(shop, receiver):
    payment = shop.paid()
    shop.set(notify_url=receiver.url)
    refund = shop.refund(payment, 10, 'refund-1')
    [came] = receiver.wait_for(1)
    check_notification(
        came,
        notify_type='refund',
        syssn=refund['syssn'],
        out_trade_no='refund-1',
        orig_syssn=payment['syssn'],
        orig_out_trade_no=payment['out_trade_no'],
        txamt='10',
    )
    shop.set(refund_type='cancel', numbers=True)
    shop.refund(payment, 10)
    check_notification(receiver.wait_for(2)[1], notify_type='cancel', txamt=10)


def test_failures_are_not_notified(shop, receiver):
    shop.set(notify_url=receiver.url)
    for action in ('refuse', 'expire', 'close'):
        shop.payment()
        shop.act(action)
    shop.scanned(script='refuse')
    shop.set(refund='decline')
    payment = shop.paid()
    receiver.wait_for(1)
    shop.refund(payment, 10)
    time.sleep(0.2)
    assert len(receiver.came) == 1


def test_requests_own_address(shop, receiver):
    shop.set(notify_url='http://127.0.0.1:1/nobody')
    shop.paid(notify_url=receiver.url)
    receiver.wait_for(1)
    shop.set(notify_url=receiver.url, obey_notify_url=False)
    shop.paid(notify_url='http://127.0.0.1:1/nobody')
    receiver.wait_for(2)


def test_no_address_no_notification(shop):
    shop.paid()
    time.sleep(0.1)
    assert shop.control('gateway/notifications') == []
    assert shop.refused('gateway/orders/last/act', {'do': 'notify'})[0] == 409


def test_notification_never_or_twice(shop, receiver):
    shop.set(notify_url=receiver.url, notify_mode='never')
    shop.paid()
    time.sleep(0.2)
    assert receiver.came == []
    shop.act('notify')
    receiver.wait_for(1)
    shop.set(notify_mode='twice')
    shop.paid()
    came = receiver.wait_for(3)
    assert came[1][1] == came[2][1]


def test_notification_before_the_answer(shop, receiver):
    shop.set(notify_url=receiver.url, notify_mode='first')
    answer = shop.scanned()
    [came] = receiver.came
    check_notification(came, out_trade_no=answer['out_trade_no'])
    shop.refund(answer, 10)
    assert len(receiver.came) == 2
    shop.set(auto='pay')
    assert shop.payment()['respcd'] == '0000'
    assert len(receiver.came) == 3


def test_notification_late(shop, receiver):
    shop.set(notify_url=receiver.url, notify_mode='late', late_seconds=0.4)
    shop.paid()
    time.sleep(0.2)
    assert receiver.came == []
    receiver.wait_for(1)


@pytest.mark.parametrize(
    ('mode', 'field', 'value'),
    [
        ('other_amount', 'txamt', '2020'),
        ('other_currency', 'txcurrcd', 'USD'),
        ('other_merchant', 'mchid', 'SOMEONE_ELSE'),
        ('other_reference', 'out_trade_no', 'another-sale-1'),
    ],
)
def test_notification_that_is_not_true(shop, receiver, mode, field, value):
    shop.set(notify_url=receiver.url, notify_mode=mode)
    shop.paid()
    check_notification(receiver.wait_for(1)[0], **{field: value})


def test_notification_of_somebody_else(shop, receiver):
    shop.set(notify_url=receiver.url, notify_mode='forged')
    shop.paid()
    headers, body, _ = receiver.wait_for(1)[0]
    assert headers['X-QF-SIGN'] != digest(body)
    shop.set(notify_mode='unsigned')
    shop.paid()
    assert 'X-QF-SIGN' not in receiver.wait_for(2)[1][0]
    reference = shop.payment()['out_trade_no']
    shop.act('forge')
    headers, body, _ = receiver.wait_for(3)[2]
    assert headers['X-QF-SIGN'] != digest(body)
    assert json.loads(body)['out_trade_no'] == reference
    assert shop.row(reference)['respcd'] == '1143'


@pytest.mark.parametrize(
    'refusal',
    [
        (500, 'SUCCESS'),
        (200, 'success'),
        (200, ''),
        (201, 'SUCCESS'),
        (302, 'SUCCESS'),
        (200, 'OK'),
    ],
)
def test_notification_comes_again_until_it_is_taken(shop, receiver, refusal):
    receiver.answers = [refusal, (200, ' SUCCESS\n')]
    # The first repeat after 2 minutes becomes 0.1 s.
    shop.set(notify_url=receiver.url, time_factor=1200)
    shop.paid()
    receiver.wait_for(2)
    time.sleep(0.7)
    assert len(receiver.came) == 2
    assert receiver.came[0][1] == receiver.came[1][1]
    first, second = shop.control('gateway/notifications')
    assert (first['attempt'], first['taken'], first['status']) == (1, False, refusal[0])
    assert (second['attempt'], second['taken'], second['next_at']) == (2, True, None)


def test_schedule_of_repeats(shop, receiver):
    receiver.answers = [(500, '')] * 20
    factor = 60_000
    shop.set(notify_url=receiver.url, time_factor=factor)
    shop.paid()
    came = receiver.wait_for(8)
    time.sleep(0.2)
    assert len(came) == 8
    gaps = [after[2] - before[2] for before, after in pairwise(came)]
    for gap, minutes in zip(gaps, (2, 10, 10, 60, 120, 360, 900), strict=True):
        assert minutes * 60 / factor <= gap < minutes * 60 / factor + 0.2
    planned = [record['next_at'] for record in shop.control('gateway/notifications')]
    assert planned[-1] is None
    assert all(planned[:-1])


def test_address_that_does_not_answer(shop):
    shop.set(notify_url='http://127.0.0.1:1/nobody')
    shop.paid()
    [record] = shop.wait_for(
        lambda: [one for one in shop.control('gateway/notifications') if one['seconds'] is not None]
    )
    assert record['status'] is None
    assert 'ClientConnectorError' in record['answer']


def test_reset_stops_repeats(shop, receiver):
    receiver.answers = [(500, '')] * 20
    shop.set(notify_url=receiver.url, time_factor=600)
    shop.paid()
    receiver.wait_for(1)
    shop.reset()
    time.sleep(0.4)
    assert len(receiver.came) == 1


# Rate limits (the protocol, B11)


def burst(shop, count):
    """How often each HTTP status came in a row of quick requests on one connection."""
    parts = urlsplit(shop.gateway)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    headers = {
        'X-QF-APPCODE': APP_CODE,
        'X-QF-SIGN': digest('out_trade_no=a'),
        'Content-Type': 'application/x-www-form-urlencoded',
    }
    seen = {}
    for _ in range(count):
        connection.request('POST', '/trade/v1/query', 'out_trade_no=a', headers)
        response = connection.getresponse()
        response.read()
        seen[response.status] = seen.get(response.status, 0) + 1
    connection.close()
    return seen


def test_requests_in_a_second(shop):
    shop.set(per_second=20)
    seen = burst(shop, 30)
    assert seen[200] >= 20
    assert seen[429] > 0
    state = shop.control('gateway')
    assert state['rate_limited'] == seen[429]
    assert state['busiest_second'] > 20
    time.sleep(1.1)
    assert burst(shop, 10) == {200: 10}


def test_requests_in_a_minute(shop):
    shop.reset()
    settings = shop.control('gateway')['settings']
    assert (settings['per_second'], settings['per_minute']) == (100, 400)
    shop.set(per_second=0)
    assert burst(shop, 410) == {200: 400, 429: 10}
    assert shop.control('gateway')['requests'] == {'query': 410, 'rate_limited': 10}


def test_retry_after(shop):
    shop.set(per_minute=1, retry_after=7)
    assert shop.send('/trade/v1/query', SIG7)[1]['Retry-After'] is None
    status, headers, _ = shop.send('/trade/v1/query', SIG7)
    assert (status, headers['Retry-After']) == (429, '7')


def test_strangers_do_not_use_up_the_limit(shop):
    shop.set(per_minute=2)
    for _ in range(3):
        status = shop.send('/trade/v1/query', SIG7, headers={'X-QF-APPCODE': 'stranger'})[0]
    assert status == 429
    assert shop.send('/trade/v1/query', {'out_trade_no': 'a'})[0] == 200


# Control API


@pytest.mark.parametrize(
    'settings',
    [
        {'nobody': 1},
        {'auto': 'approve'},
        {'auto_delay': -1},
        {'notify_url': 'shop'},
        {'notify_mode': None},
        {'time_factor': 0},
        {'fault': 'fire'},
        {'fault_for': ['trade']},
        {'fault_code': '12'},
        {'refuse_code': '0000'},
        {'pay_types': ['999999']},
        {'per_second': -1},
        {'per_second': 1.5},
        {'app_code': ''},
        {'client_key': ''},
        {'numbers': 1},
    ],
)
def test_setting_that_cannot_be(shop, settings):
    before = shop.control('gateway')['settings']
    status, sentence = shop.refused('gateway/settings', {'language': 'zh'} | settings)
    assert status == 400
    assert next(iter(settings)) in sentence
    assert shop.control('gateway')['settings'] == before


@pytest.mark.parametrize(
    ('body', 'status'),
    [
        ({}, 400),
        ({'do': 'dance'}, 400),
        ({'do': 'fail', 'code': '12'}, 400),
        ({'do': 'fail', 'code': 1201}, 400),
        ({'do': 'fail', 'code': '0000'}, 400),
        ({'do': 'refund', 'amount_minor': 0}, 400),
        ({'do': 'refund', 'amount_minor': '5'}, 400),
        ({'do': 'notify'}, 409),
        ({'do': 'refund'}, 409),
    ],
)
def test_act_that_cannot_be(shop, body, status):
    shop.payment()
    assert shop.refused('gateway/orders/last/act', body)[0] == status


def test_order_that_is_not_there(shop):
    assert shop.refused('gateway/orders/last')[0] == 404
    assert shop.refused('gateway/orders/nobody/act', {'do': 'pay'})[0] == 404
    payment = shop.payment()
    assert shop.order(payment['syssn'])['reference'] == payment['out_trade_no']
    assert shop.refused('phone/code?wallet=cash')[0] == 400
    assert shop.refused('phone/code?script=dance')[0] == 400


def test_foreign_page_may_not_act(shop):
    status, _, _ = call(
        f'{shop.web}/api/gateway/reset', b'{}', headers={'Origin': 'http://elsewhere.example'}
    )
    assert status == 403


def test_log_and_reset(shop):
    payment = shop.payment(udid='Till 1')
    shop.row(payment['out_trade_no'])
    log = shop.control('gateway/log')
    assert [entry['call'] for entry in log] == ['payment', 'query']
    assert log[0]['fields']['udid'] == 'Till 1'
    assert log[0]['answer'] == '0000'
    assert log[0]['status'] == 200
    assert KEY not in json.dumps(log)
    assert len(shop.control('gateway/log?last=1')) == 1
    assert shop.control('gateway')['requests'] == {'payment': 1, 'query': 1}
    shop.set(auto='pay', clock_offset=5)
    shop.reset()
    state = shop.control('gateway')
    assert (state['orders'], state['requests'], state['notifications']) == (0, {}, 0)
    assert state['settings']['auto'] is None
    assert shop.control('gateway/log') == []
    shop.count = 0
    assert shop.payment()['respcd'] == '0000'


def test_events(shop):
    with NO_PROXY.open(f'{shop.web}/api/gateway/events', timeout=5) as stream:
        first = json.loads(stream.readline()[6:])
        stream.readline()
        assert first['shown'] == []
        shop.payment()
        second = json.loads(stream.readline()[6:])
    assert [order['respcd'] for order in second['shown']] == ['1143']


def test_form_explains_everything_in_both_languages(shop):
    form = shop.control('gateway/form')
    for part in (*form['settings'], *form['faults'].values(), *form['scripts'].values()):
        assert part['en'], part
        assert part['zh'], part
        assert bool(part.get('help_en')) == bool(part.get('help_zh')), part
    names = {setting['name'] for setting in form['settings']}
    assert names == set(shop.control('gateway')['settings'])


def test_qr_code_of_a_text(shop):
    rows = shop.control('phone/qr?text=280000000000000090')['rows']
    assert len(rows) == len(rows[0]) >= 21
    assert rows[0][:8] == '11111110'
    assert shop.refused('phone/qr?text=')[0] == 400
    assert shop.refused(f'phone/qr?text={"x" * 513}')[0] == 400


def test_orders_of_many_tills_at_once(shop, aside):
    shop.set(per_second=0, auto='pay', auto_delay=0.05)
    references = [f'till-{number}' for number in range(60)]
    works = [aside(shop.payment, out_trade_no=reference) for reference in references]
    assert {work.result()['respcd'] for work in works} == {'0000'}
    shop.wait_for(lambda: all(order['paid'] for order in shop.control('gateway/orders')))
    assert len({order['syssn'] for order in shop.control('gateway/orders')}) == 60


# The program


def test_account_from_the_command_line(tmp_path):
    options = ('--app-code', 'shop', '--client-key', 'secret', '--mchid', 'M1')
    program = Program(tmp_path, *options)
    try:
        shop = Shop(program)
        shop.app_code, shop.key, shop.mchid = 'shop', 'secret', 'M1'
        for _ in range(2):
            status, headers, raw = shop.send('/trade/v1/payment', GOOD)
            assert status == 200
            assert json.loads(raw)['respcd'] == '0000'
            assert headers['X-QF-SIGN'] == digest(raw, 'secret')
            shop.reset()
    finally:
        code, output = program.stop()
    assert code == 0
    assert 'Traceback' not in output
    assert program.ready['gateway'] in output


def test_port_in_use_is_one_sentence():
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [
                *(sys.executable, '-m', 'simulator', '--gateway-port', port),
                *('--terminal-port', '0', '--web-port', '0'),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == (
        f'Port {port} on 127.0.0.1 is in use by another program; choose another with '
        '--gateway-port (0 takes any free one).\n'
    )


# The page


@pytest.fixture
def page(browser, shop):
    """The simulator's page in a browser, in English."""
    context = browser.new_context(viewport={'width': 1600, 'height': 1000}, locale='en-HK')
    page = context.new_page()
    complaints = []
    page.on('pageerror', lambda error: complaints.append(str(error)))
    page.on('console', lambda line: line.type == 'error' and complaints.append(line.text))
    page.goto(shop.web)
    yield page
    context.close()
    assert complaints == []


def test_customer_scans_and_pays_on_the_page(shop, page):
    page.wait_for_selector('text=No till shows a code')
    reference = shop.payment(amount=4550, goods_name='Cup')['out_trade_no']
    card = page.locator('.paper', has_text=reference)
    card.get_by_text('HKD 45.50').wait_for()
    card.get_by_role('button', name='Scan').click()
    card.get_by_role('button', name='Approve').click()
    card.wait_for(state='detached')
    assert shop.order(reference)['paid']
    refused = shop.payment()['out_trade_no']
    page.locator('.paper', has_text=refused).wait_for()
    page.keyboard.press('s')
    page.get_by_role('button', name='Refuse').wait_for()
    page.keyboard.press('r')
    shop.wait_for(lambda: shop.order(refused)['respcd'] == '1205')


def test_wallet_code_on_the_page(shop, page):
    page.get_by_role('button', name='Payment code').click()
    page.get_by_role('button', name='WeChat Pay').click()
    page.get_by_label('What happens').select_option('wait')
    code = page.locator('.digits', has_text=re.compile('^1[0-5][0-9]{14}93$')).text_content()
    assert page.locator('.bar-code path').get_attribute('d').startswith('M 10 0 h 2 ')
    assert page.locator('.qr-code path').count() == 1
    reference = shop.payment('800008', auth_code=code)['out_trade_no']
    page.get_by_text('Being charged').wait_for()
    shop.act('pay', reference)
    page.get_by_text('Paid · HKD 10.10').wait_for()
    page.get_by_role('button', name='New code').click()
    page.get_by_text('Show this to the cashier').wait_for()
    assert page.locator('.digits').text_content() != code


def test_papers_of_the_gateway_on_the_page(shop, page):
    shop.payment(amount=1234, currency='JPY')
    page.get_by_role('button', name='Gateway').click()
    page.get_by_label('A shown code').select_option(label='Pays')
    shop.wait_for(lambda: shop.order()['paid'])
    page.get_by_role('tab', name='Orders').click()
    row = page.locator('tbody tr')
    row.get_by_text('JPY 1,234').first.wait_for()
    row.get_by_role('button', name='Refund').click()
    shop.wait_for(lambda: shop.row(shop.order()['reference'])['cancel'] == '3')
    page.get_by_role('button', name='中文').click()
    page.get_by_role('tab', name='請求記錄').click()
    page.locator('tbody tr', has_text='POST payment').wait_for()
    page.get_by_role('button', name='終端機').click()
    page.get_by_role('tab', name='設定').click()
    page.get_by_label('顧客').first.wait_for()
