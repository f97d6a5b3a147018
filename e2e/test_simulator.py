"""The terminal simulator, started as a program of its own and spoken to over its ports.

Nothing here imports the addon or the simulator: requests are written from QFPay's documents, the
vectors are the documents' own and those computed from them.
"""

import base64
import contextlib
import hashlib
import http.client
import http.server
import json
import random
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from Crypto.Cipher import AES
from Crypto.Util.Padding import pad, unpad
from program import NO_PROXY, ROOT, Program, call

KEY32 = 'f46b1f08bec1f39104792cc79ec9aacd'
KEY16 = 'my_qfpay_pos_key'
IV = b'qfpay202306_hjsh'
PATHS = {
    1001: '/api/pos/trade',
    1002: '/api/pos/cancel',
    3001: '/api/pos/print_receipt',
    3002: '/api/pos/transaction_info',
    4001: '/api/pos/query_transaction',
    5001: '/api/pos/cancel_request',
}


# The documents' language, written once more


def encrypt(text, key=KEY32):
    cipher = AES.new(key.encode(), AES.MODE_CBC, IV)
    return base64.b64encode(cipher.encrypt(pad(text.encode(), 16))).decode()


def decrypt(token, key=KEY32):
    cipher = AES.new(key.encode(), AES.MODE_CBC, IV)
    return unpad(cipher.decrypt(base64.b64decode(token)), 16).decode()


def canonical(content):
    pairs = (
        f"{name}='{value}'" if isinstance(value, str) else f'{name}={value}'
        for name, value in sorted(content.items())
    )
    return '{' + ','.join(pairs) + '}'


def plaintext(content, key=KEY32):
    text = content if isinstance(content, str) else canonical(content)
    digest = hashlib.md5((text + key).encode()).hexdigest().upper()
    return f"{{content:{text}, digest:'{digest}'}}"


def body_of(content, key=KEY32):
    return json.dumps(encrypt(plaintext(content, key), key)).encode()


def read(raw, key=KEY32):
    """An answer in any of its shapes, its data as an object."""
    text = raw.decode().strip()
    if text.startswith('"'):
        text = json.loads(text)
    if not text.startswith('{'):
        text = decrypt(text, key)
    answer = json.loads(text)
    if isinstance(answer.get('data'), str) and answer['data']:
        answer['data'] = json.loads(answer['data'])
    return answer


class Till:
    """Speaks to one terminal, and presses its buttons."""

    def __init__(self, program, index=0):
        self.url = program.ready['terminals'][index]
        self.control = f'{program.ready["web"]}/api/terminals/{index}'
        self.key = KEY32

    def send(self, content, path=None, timeout=20):
        path = path or PATHS[content['func_type']]
        return call(self.url + path, body_of(content, self.key), timeout=timeout)

    def ask(self, func_type, **content):
        status, _, raw = self.send({'func_type': func_type, **content})
        assert status == 200
        return read(raw, self.key)

    def pay(self, amt=10.1, channel='card_payment', **content):
        return self.ask(1001, amt=amt, channel=channel, moveToBack=1, **content)

    def get(self, what=''):
        return json.loads(call(self.control + what)[2])

    def post(self, what, **values):
        status, _, raw = call(f'{self.control}/{what}', json.dumps(values).encode())
        return status, json.loads(raw)

    def set(self, **values):
        status, answer = self.post('settings', **values)
        assert status == 200, answer
        return answer

    def press(self, button):
        status, answer = self.post('press', button=button)
        assert status == 200, answer

    def wait_for(self, state):
        deadline = time.monotonic() + 5
        while (seen := self.get()['state']) != state:
            assert time.monotonic() < deadline, f'the terminal is {seen}, not {state}'
            time.sleep(0.01)


@pytest.fixture(scope='module')
def program(tmp_path_factory):
    program = Program(tmp_path_factory.mktemp('simulator'), '--terminals', '2', '--https-port', '0')
    yield program
    code, output = program.stop()
    assert code == 0, output
    assert 'Traceback' not in output, output
    assert 'never retrieved' not in output, output


@pytest.fixture
def till(program):
    for index in range(2):
        Till(program, index).post('reset')
    return Till(program)


@pytest.fixture
def other_till(program, till):
    return Till(program, 1)


@pytest.fixture
def aside():
    """Do something while the test goes on."""
    with ThreadPoolExecutor(8) as pool:
        yield pool.submit


# Vectors (the protocol, D1)

VECTORS = [
    (
        'E1',
        4001,
        KEY32,
        "{func_type=4001,orderId='12345678'}",
        'XczeNuwMCct+IaXZ00lv7Pern+ttWiSyG+Y62QH+wXr471L2opZR5JPeQPXADN/Xc1s+VL82RqBp0KFPo5Mm6KUFau0S'
        '1WRPC2YN4s6WpiFjwrbGPq3JPZ2OYXTGZHAb',
        '6002',
    ),
    (
        'E1',
        4001,
        KEY16,
        "{func_type=4001,orderId='12345678'}",
        'lLrK/0SkJk9Yj8i7zPWfji6CyOPPmaCrrTGZscY8P98dDK5KIrPLSywifDp2lnn1YQpbDHWa5APcKQXGGkLl3N16AyvI'
        'kWrHuK/dKVllbjpRRmSQsEHDkoJb2GBaZAG+',
        '6002',
    ),
    (
        'E2',
        1001,
        KEY32,
        "{amt=100,channel='card_payment',func_type=1001,out_trade_no='456799999999'}",
        '02sc4oen89DDDg3ThTAr1D7ZWydNqUa7QWxaXIKBn8tFoMBWNNAESKlPaYjZcRT0TBljvQ3TftiPz0sGR8YJYZ1dDBWB'
        't+88TC41N4HBCPOGoYYcHphdiSe0yQMbsvUYj0S0DpK3RDUDjQbOu1YXI/uT8B+y7/8pQE5w58/aANDmYRqqdnZlgyRm'
        'dtGipL8E',
        '6000',
    ),
    (
        'E2',
        1001,
        KEY16,
        "{amt=100,channel='card_payment',func_type=1001,out_trade_no='456799999999'}",
        'R8EnB7i8qH55P7/TYiQA9u4XqJxIGv0zSEEc2mdNLCeY7rjLh5ikGxTX2nqCaIkRqm7L+3dMzkZE13l8ULoUlDCgOEzm'
        'eHDVXFcK/skXni/yp+nhz5/CCIRjle0B6+xxdQxK13HMbLHWWJ35/h4PQaI48dsMo0DN00+2ODcR0BSaLW30g/R2+Osi'
        'xOPCackK',
        '6000',
    ),
    (
        'E4',
        1002,
        KEY32,
        "{allow_modify_flag=0,func_type=1002,orderId='20250826155400087645770447',"
        "refund_amount='0.05'}",
        'j9FCOE44rIt45ceK0/it99uk0U/MFdOs/gg2ilvU4B+jjgAJkV2S+LWrWa7GWhooydBOIlvKgB1pRGHdRRSU/QvpWpZD'
        'HZDRdEC7h1RSGByBjBBchd24kG/+0KseNlvQnoKpzP/IPHFB8H90JL8t6x6+ow5umr0RdsK+Bys/bVgQXA4ckpuJstnF'
        '/8RJkko3kjqKMngHqwzbHnc1VAwmug==',
        '6002',
    ),
    (
        'E5',
        1002,
        KEY32,
        "{func_type=1002,orderId='20250826155400087645770447',refund_amount=''}",
        'XczeNuwMCct+IaXZ00lv7EWiA1xigPPJ2qk5rJBvgTQR2BpxvL8x18VuuHrI7FeY/XFAtOcDIO/K7wlOM1LMpwsug8bE'
        'ljAmadP5ibuUbUr7tqJZlP+rQVL9Hm37o4bpbYSBcxk/4Bn6U92g0af+W/uPNgZ+5C+j+crivzgW6+g=',
        '6002',
    ),
    (
        'E7',
        3002,
        KEY32,
        '{func_type=3002}',
        'XczeNuwMCct+IaXZ00lv7MlXjcdC/iw7MjSbTn1042TpL4hc2KiisqGRpfpLV6gVU06WnyL5gABTdz7SpeFzwexVKxVD'
        '+V4M1Q87vkkilqU=',
        '6000',
    ),
    (
        'E9',
        5001,
        KEY32,
        '{func_type=5001}',
        'XczeNuwMCct+IaXZ00lv7H3Q5alZd7lIXI7v3FixqikZe+SY96RBdR77gWNKpF6wtS9LI/nOPYn5xcIZMucdP9755Tbh'
        'aqttSWuk2UsNOIg=',
        '6002',
    ),
    (
        'E9',
        5001,
        KEY16,
        '{func_type=5001}',
        'lLrK/0SkJk9Yj8i7zPWfjh55pI6yoxnVhoKiybz6TtHDOAnwVZv9dDr+r/54ombsivgoiUVQ9c0jHxQXSddrd5KGwKLO'
        'oPT3IesvXKSHtXs=',
        '6002',
    ),
]
STRICT_JSON = (
    'EZyLwQVYIOr/y5NW7D6PqGJDRjugzzZmhFEzILHNr14iejV8iPRNbcuoXi3dBFFJ/xUgLczBFF7id0JS/BsxxQRVTCJK'
    'wccL/kn7IGjqccI='
)
KEY_AS_HEX = (
    'ktt3YZVbN4lUJ+OLP1jud9ihkpMyvKkNLHcsEsub3qYHV+X8hMel+g5HVYXeL+cqxADcUYpvWzJ4Tx2UDNa9X0fWWDH9'
    '1a7g2MIxVU6FuC0='
)


@pytest.mark.parametrize(
    ('func_type', 'key', 'text', 'token', 'respcd'),
    [vector[1:] for vector in VECTORS],
    ids=[f'{name}-AES{len(key) * 8}' for name, _, key, *_ in VECTORS],
)
def test_vector_is_understood(till, func_type, key, text, token, respcd):
    till.set(pos_key=key, mode='approve')
    answer = read(call(till.url + PATHS[func_type], b'"' + token.encode() + b'"')[2], key)
    assert answer['respcd'] == respcd, answer
    [entry] = till.get('/log')
    numbers = {name: value for name, value in entry['content'].items() if value != ''}
    assert canonical(numbers) == text.replace(",refund_amount=''", '')
    assert token == encrypt(plaintext(text, key), key)


def test_strict_json_envelope_is_understood(till):
    assert read(call(till.url + PATHS[5001], STRICT_JSON.encode())[2])['respcd'] == '6002'


def test_key_can_be_read_as_hexadecimal(till):
    till.set(key_reading='hex', encrypt=False)
    assert read(call(till.url + PATHS[5001], KEY_AS_HEX.encode())[2])['respcd'] == '6002'
    till.set(key_reading='text')
    assert read(call(till.url + PATHS[5001], KEY_AS_HEX.encode())[2])['respcd'] == '5001'


def test_keyless_digest_of_old_documents_is_refused(till):
    text = (
        "{content:{amt=100,channel='card_payment',func_type=1001}, "
        "digest:'76b9186077cdc2bc5d78ae921309811d'}"
    )
    assert read(call(till.url + PATHS[1001], encrypt(text).encode())[2])['respcd'] == '4003'


def test_answer_looks_like_the_documents_example(till):
    till.set(mode='approve', answer_shape='base64')
    raw = till.send(
        {'func_type': 1001, 'amt': 10.1, 'channel': 'wx', 'out_trade_no': 'POS-1-0001'}
    )[2]
    text = decrypt(raw)
    assert text.startswith(
        '{"respcd":"6000","respmsg":"success","resperr":"","data":"{\\"respcd\\":\\"0000\\",'
    )
    data = json.loads(json.loads(text)['data'])
    assert data['txamt'] == '1010'
    assert data['txcurrcd'] == 'HKD'
    assert data['busicd'] == '800208'
    assert re.fullmatch('[0-9]{26}', data['syssn'])


# What the terminal refuses (the protocol, A4 and A6)


@pytest.mark.parametrize(
    'body',
    [
        b'',
        b'"',
        b'null',
        b'[]',
        b'{}',
        b'""',
        b'!!!',
        b'AAAA',
        b'\xff\xfe\x00',
        b'"' + b'A' * 64 + b'"',
        b'{"content":"{}","digest":"x"}',
        body_of({'func_type': 5001}, KEY16),
        encrypt('no envelope').encode(),
        encrypt('{content:{func_type=5001}').encode(),
        encrypt('{content:' * 30).encode(),
        encrypt("{content:{a={b=1}}, digest:'A'}").encode(),
        encrypt("{content:{a=1,a=1}, digest:'A'}").encode(),
        encrypt('{digest:1}').encode(),
    ],
    ids=range(18),
)
def test_unreadable_body_is_5001_in_the_clear(till, body):
    status, _, raw = call(till.url + PATHS[5001], body)
    assert status == 200
    assert json.loads(raw)['respcd'] == '5001'


def test_wrong_digest_is_4003(till):
    token = encrypt(f"{{content:{{func_type=5001}}, digest:'{'0' * 32}'}}")
    assert read(call(till.url + PATHS[5001], token.encode())[2])['respcd'] == '4003'


def test_digest_may_be_lower_case_unless_told_otherwise(till):
    digest = hashlib.md5(('{func_type=3002}' + KEY32).encode()).hexdigest()
    token = encrypt(f"{{content:{{func_type=3002}}, digest:'{digest}'}}").encode()
    assert read(call(till.url + PATHS[3002], token)[2])['respcd'] == '6000'
    till.set(strict_digest=True)
    assert read(call(till.url + PATHS[3002], token)[2])['respcd'] == '4003'


def test_number_with_idle_zeros_fails_its_digest(till):
    text = "{amt=10.10,channel='wx',func_type=1001}"
    answer = read(call(till.url + PATHS[1001], body_of(text))[2])
    assert answer['respcd'] == '4003'


def test_get_is_4004(till):
    assert json.loads(call(till.url + PATHS[1001])[2])['respcd'] == '4004'


PAYMENT = {'func_type': 1001, 'amt': 10.1, 'channel': 'wx'}
REFUND = {'func_type': 1002, 'orderId': '1'}


@pytest.mark.parametrize(
    'content',
    [
        PAYMENT | {'amt': 0},
        PAYMENT | {'amt': -1},
        PAYMENT | {'amt': 1.005},
        PAYMENT | {'amt': '10'},
        PAYMENT | {'amt': 123456789},
        PAYMENT | {'channel': 'cash'},
        PAYMENT | {'channel': 7},
        PAYMENT | {'out_trade_no': 'a b'},
        PAYMENT | {'out_trade_no': 'x' * 129},
        PAYMENT | {'out_trade_no': 7},
        PAYMENT | {'camera_id': 2},
        PAYMENT | {'camera_id': '1'},
        PAYMENT | {'payment_timeout': 0},
        PAYMENT | {'payment_timeout': 1.5},
        PAYMENT | {'amt': 10**12},
        PAYMENT | {'wait_card_timeout': -5},
        PAYMENT | {'scan_type': 'QR'},
        PAYMENT | {'moveToBack': 2},
        PAYMENT | {'orderId': '1'},
        PAYMENT | {'tip': 1},
        PAYMENT | {'channel': 'payme', 'payment_timeout': 121},
        {'func_type': 1001, 'channel': 'wx'},
        {'func_type': 1001, 'amt': 1},
        {'func_type': 1002},
        REFUND | {'refund_amount': 5},
        REFUND | {'refund_amount': '0.00'},
        REFUND | {'refund_amount': '1.234'},
        REFUND | {'refund_amount': '-1'},
        REFUND | {'allow_modify_flag': 2},
        REFUND | {'out_trade_no': 'x'},
        {'func_type': 3001},
        {'func_type': 3002, 'orderId': '1'},
        {'func_type': 4001},
        {'func_type': 5001, 'out_trade_no': 'x'},
    ],
    ids=canonical,
)
def test_bad_field_is_4006(till, content):
    answer = read(till.send(content)[2])
    assert answer['respcd'] == '4006', answer
    assert 'bad parameters' in answer['resperr']
    assert till.get()['state'] == 'IDLE'


@pytest.mark.parametrize(
    ('content', 'path'),
    [
        ({'func_type': 5001}, PATHS[1001]),
        ({'func_type': 9999}, PATHS[1001]),
        ({'func_type': 'pay'}, PATHS[1001]),
        ({'func_type': 5001}, '/api/pos/unknown'),
        ({}, PATHS[5001]),
    ],
)
def test_wrong_function_or_path_is_4006(till, content, path):
    assert read(till.send(content, path)[2])['respcd'] == '4006'


def test_func_type_may_be_a_text(till):
    assert read(till.send({'func_type': '5001'}, PATHS[5001])[2])['respcd'] == '6002'


def test_clear_requests_need_the_switch(till):
    text = json.dumps(
        {'content': {'func_type': 3002}, 'digest': '94774CD60380323A62FF2EE19EBAB313'}
    ).encode()
    nested = json.dumps(
        {'content': '{"func_type":3002}', 'digest': '94774CD60380323A62FF2EE19EBAB313'}
    ).encode()
    assert read(call(till.url + PATHS[3002], text)[2])['respcd'] == '5001'
    till.set(accept_clear=True)
    assert read(call(till.url + PATHS[3002], text)[2])['respcd'] == '6000'
    assert read(call(till.url + PATHS[3002], nested)[2])['respcd'] == '6000'


# A payment (the protocol, A12.2)


def test_payment_waits_for_the_customer(till, aside):
    answer = aside(till.pay, out_trade_no='S-1')
    till.wait_for('WAIT_CUSTOMER')
    job = till.get()['screen']['job']
    assert (job['amount'], job['channel'], job['reference']) == ('10.10', 'card_payment', 'S-1')
    time.sleep(0.2)
    assert not answer.done()
    till.press('approve')
    data = answer.result(5)['data']
    assert data['respcd'] == '0000'
    assert data['out_trade_no'] == 'S-1'
    assert data['txamt'] == '1010'
    assert data['cardscheme'] == 'VISA'
    assert data['busicd'] == '802808'
    assert till.get()['state'] == 'IDLE'


def test_result_stays_on_the_screen_without_move_to_back(till):
    till.set(mode='approve')
    till.ask(1001, amt=1, channel='wx')
    assert till.get()['state'] == 'RESULT'
    till.press('home')
    assert till.get()['state'] == 'IDLE'
    till.ask(1001, amt=1, channel='wx')
    assert till.pay()['respcd'] == '6000', 'the next command leaves the result screen'


def test_decline_gives_a_row_that_says_so(till):
    till.set(mode='decline', decline_code='1201')
    answer = till.pay(out_trade_no='S-1')
    assert answer['respcd'] == '6002'
    assert answer['data']['respcd'] == '1201'
    row = till.ask(4001, out_trade_no='S-1')
    assert row['respcd'] == '6000'
    assert row['data']['respcd'] == '1201'


def test_cancel_on_the_device(till):
    till.set(mode='cancel')
    assert till.pay(out_trade_no='S-1')['respcd'] == '6001'
    assert till.ask(4001, out_trade_no='S-1')['respcd'] == '6002', 'no row of a cancelled card'


def test_shown_code_has_a_row_from_the_start(till, aside):
    answer = aside(till.pay, channel='wx', scan_type='QRCODE_PAY', out_trade_no='S-1')
    till.wait_for('WAIT_CUSTOMER')
    row = till.ask(4001, out_trade_no='S-1')['data']
    assert row['respcd'] == '1143'
    assert row['busicd'] == '800201'
    assert row['cancel'] == 0
    assert row['allow_refund_amt'] == '0'
    till.press('cancel')
    assert answer.result(5)['respcd'] == '6001'
    assert till.ask(4001, out_trade_no='S-1')['data']['respcd'] == '1263'


def test_row_can_be_there_from_the_start_for_every_channel(till, aside):
    till.set(row_from='start')
    answer = aside(till.pay, out_trade_no='S-1')
    till.wait_for('WAIT_CUSTOMER')
    assert till.ask(4001, out_trade_no='S-1')['data']['respcd'] == '1143'
    till.press('approve')
    assert answer.result(5)['respcd'] == '6000'


def test_time_out_button_and_code(till, aside):
    till.set(timeout_code='6001')
    answer = aside(till.pay, channel='fps', out_trade_no='S-1')
    till.wait_for('WAIT_CUSTOMER')
    till.press('timeout')
    assert answer.result(5)['respcd'] == '6001'
    assert till.ask(4001, out_trade_no='S-1')['data']['respcd'] == '1181'


@pytest.mark.parametrize(
    ('content', 'seconds'),
    [
        ({'payment_timeout': 1}, 1),
        ({'payment_timeout': 60, 'wait_card_timeout': 1}, 1),
        ({'channel': 'wx', 'payment_timeout': 1, 'wait_card_timeout': 60}, 1),
        ({}, 0.5),
    ],
)
def test_time_runs_out(till, content, seconds):
    till.set(default_timeout=0.5)
    begin = time.monotonic()
    assert till.pay(**content)['respcd'] == '6002'
    assert seconds <= time.monotonic() - begin < seconds + 10


def test_two_wallet_modes_and_the_last_one_is_remembered(till):
    till.set(mode='approve')
    used = [
        till.pay(channel=channel, **extra)['data']['busicd']
        for channel, extra in (
            ('alipay', {}),
            ('alipay', {'scan_type': 'QRCODE_PAY'}),
            ('payme', {}),
            ('union', {'scan_type': 'SCAN_PAY'}),
            ('fps', {}),
            ('octopus', {}),
            ('unionpay_card', {}),
            ('amex_card', {}),
        )
    ]
    assert used == ['800108', '800101', '805801', '800708', '802001', '803708', '806708', '806808']


@pytest.mark.parametrize(
    ('channel', 'card', 'scheme', 'number'),
    [
        (
            'card_payment',
            {'scheme': 'MASTERCARD', 'last4': '4321', 'type': 'DEBIT'},
            'MASTERCARD',
            r'520000\*{6}4321',
        ),
        ('card_payment', {'scheme': 'ECMC'}, 'ECMC', r'520000\*{6}1096'),
        ('unionpay_card', {}, 'UNIONPAY', r'622888\*{6}1096'),
        ('amex_card', {}, 'AMEX', r'371449\*{5}1096'),
    ],
)
def test_card_is_told_by_an_inquiry(till, channel, card, scheme, number):
    till.set(mode='approve', card=card)
    answer = till.pay(channel=channel)['data']
    assert 'cardno' not in answer, "the documents' trade block has no card number"
    row = till.ask(4001, orderId=answer['syssn'])['data']
    assert row['cardscheme'] == scheme == answer['cardscheme']
    assert re.fullmatch(number, row['cardno'])
    assert row['cardtype'] == card.get('type', 'CREDIT')
    assert row['chnlsn'] == answer['chnlsn']
    assert row['refno']
    assert row['batchno']
    till.set(card_in_answer=True)
    assert re.fullmatch(number, till.pay(channel=channel)['data']['cardno'])


def test_reference_is_used_once_only(till, other_till):
    till.set(mode='cancel')
    assert till.pay(out_trade_no='S-1')['respcd'] == '6001'
    for one in (till, other_till):
        one.set(mode='approve')
        answer = one.pay(out_trade_no='S-1')
        assert answer['respcd'] == '6002'
        assert answer['data']['respcd'] == '1102'
    assert till.get('/trades') == []


def test_inquiry_of_a_paid_and_of_an_unknown_payment(till):
    till.set(mode='approve')
    paid = till.pay(out_trade_no='S-1')['data']
    row = till.ask(4001, out_trade_no='S-1')['data']
    assert row['syssn'] == paid['syssn']
    assert row['tradetp'] == 'payment'
    assert row['cancel'] == 0
    assert row['allow_refund_amt'] == row['txamt'] == '1010'
    assert row['respcd'] == '0000'
    assert till.ask(4001, orderId=paid['syssn'], out_trade_no='S-1')['data']['syssn']
    for ids in (
        {'out_trade_no': 'S-2'},
        {'orderId': 'S-1'},
        {'orderId': paid['syssn'], 'out_trade_no': 'S-2'},
    ):
        answer = till.ask(4001, **ids)
        assert answer['respcd'] == '6002'
        assert answer['data'] == ''
    till.set(reference_in_inquiry=False)
    assert 'out_trade_no' not in till.ask(4001, out_trade_no='S-1')['data']


# Side by side, races (the protocol, A12.3)


def test_other_commands_while_a_payment_waits(till, aside):
    answer = aside(till.pay, out_trade_no='S-1')
    till.wait_for('WAIT_CUSTOMER')
    assert till.pay(out_trade_no='S-2')['respcd'] == '4003'
    assert till.ask(1002, orderId='1')['respcd'] == '4003'
    assert till.ask(3002)['respcd'] == '4003'
    assert till.ask(4001, out_trade_no='S-1')['respcd'] == '6002'
    assert till.ask(5001)['respcd'] == '6000'
    assert answer.result(5)['respcd'] == '6001'


@pytest.mark.parametrize('code', ['6002', '6000'])
@pytest.mark.parametrize(('button', 'respcd'), [('approve', '6000'), ('decline', '6002')])
def test_call_off_comes_too_late(till, aside, button, respcd, code):
    till.set(processing=1, cancel_code=code)
    answer = aside(till.pay, out_trade_no='S-1')
    till.wait_for('WAIT_CUSTOMER')
    till.press(button)
    till.wait_for('PROCESSING')
    assert till.ask(4001, out_trade_no='S-1')['data']['respcd'] == '1145'
    assert till.ask(5001)['respcd'] == code
    assert till.post('press', button='cancel')[0] == 409
    assert answer.result(5)['respcd'] == respcd
    assert till.ask(5001)['respcd'] == code, 'nothing to cancel any more'


def test_call_off_at_the_moment_of_the_tap_has_one_winner(till, aside):
    till.set(processing=0.02)
    for number in range(10):
        answer = aside(till.pay, out_trade_no=f'S-{number}')
        till.wait_for('WAIT_CUSTOMER')
        tap = aside(till.post, 'press', button='approve')
        off = aside(till.ask, 5001)
        tapped, called_off = tap.result(5)[0] == 200, off.result(5)['respcd'] == '6000'
        assert tapped != called_off
        assert answer.result(5)['respcd'] == ('6000' if tapped else '6001')


def test_till_that_hangs_up_does_not_stop_the_payment(till):
    with pytest.raises(OSError, match='timed out'):
        till.send(
            {
                'func_type': 1001,
                'amt': 10.1,
                'channel': 'wx',
                'out_trade_no': 'S-1',
                'moveToBack': 1,
            },
            timeout=0.3,
        )
    assert till.get()['state'] == 'WAIT_CUSTOMER'
    till.press('approve')
    till.wait_for('IDLE')
    assert till.ask(4001, out_trade_no='S-1')['data']['respcd'] == '0000'


def test_cut_network_does_not_stop_the_payment(till, aside):
    answer = aside(till.pay, out_trade_no='S-1')
    till.wait_for('WAIT_CUSTOMER')
    till.set(reachable=False)
    with pytest.raises((OSError, http.client.HTTPException)):
        answer.result(5)
    with pytest.raises(urllib.error.URLError, match='refused'):
        till.ask(5001)
    till.press('approve')
    till.wait_for('IDLE')
    till.set(reachable=True)
    assert till.ask(4001, out_trade_no='S-1')['data']['respcd'] == '0000'


def test_settings_reach_a_payment_that_waits(till, aside):
    answer = aside(till.pay)
    till.wait_for('WAIT_CUSTOMER')
    till.set(mode='approve', delay=0.1)
    assert answer.result(5)['respcd'] == '6000'


def test_reset_hangs_up(till, aside):
    answer = aside(till.pay, out_trade_no='S-1')
    till.wait_for('WAIT_CUSTOMER')
    till.set(fault='busy', delay=3)
    till.post('reset')
    with pytest.raises((OSError, http.client.HTTPException)):
        answer.result(5)
    seen = till.get()
    assert seen['state'] == 'IDLE'
    assert seen['settings']['fault'] is None
    assert till.get('/trades') == till.get('/log') == []
    till.set(mode='approve')
    assert till.pay(out_trade_no='S-1')['respcd'] == '6000'


def test_fifty_tills_wait_and_the_terminal_still_answers(program, till, aside):
    parts = urlsplit(till.url)
    body = body_of({'func_type': 4001, 'out_trade_no': 'x'})
    with contextlib.ExitStack() as stack:
        for _ in range(50):
            idle = stack.enter_context(socket.create_connection((parts.hostname, parts.port)))
            idle.sendall(b'POST /api/pos/trade HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n')
        begin = time.monotonic()
        assert read(call(till.url + PATHS[4001], body)[2])['respcd'] == '6002'
        assert time.monotonic() - begin < 5


# Refunds (the protocol, A12.4)


@pytest.mark.parametrize(
    ('channel', 'amount', 'inner'),
    [
        ('card_payment', '10.10', None),
        ('card_payment', None, None),
        ('card_payment', '1.00', '1124'),
        ('unionpay_card', '1.00', '1124'),
        ('amex_card', '1.00', '1124'),
        ('wx', '1.00', None),
        ('wx', '10.11', '1272'),
        ('payme', None, None),
        ('fps', None, '1155'),
        ('octopus', '10.10', '1155'),
    ],
)
def test_what_may_be_refunded(till, channel, amount, inner):
    till.set(mode='approve')
    paid = till.pay(channel=channel)['data']
    wanted = {} if amount is None else {'refund_amount': amount}
    answer = till.ask(1002, orderId=paid['syssn'], **wanted)
    if inner:
        assert answer['respcd'] == '6002'
        assert answer['data']['respcd'] == inner
        assert len(till.get('/trades')) == 1
        return
    data = answer['data']
    assert answer['respcd'] == '6000'
    assert data['respcd'] == '0000'
    assert data['orig_syssn'] == paid['syssn'] != data['syssn']
    assert data['txamt'] == ('100' if amount == '1.00' else '1010')
    assert data['originTxamt'] == '1010'


def test_refunds_add_up(till):
    till.set(mode='approve')
    syssn = till.pay(channel='alipay', scan_type='QRCODE_PAY')['data']['syssn']
    seen = []
    for amount in ('4.00', '6.00', '0.20', '0.10', '0.01'):
        answer = till.ask(1002, orderId=syssn, refund_amount=amount)
        row = till.ask(4001, orderId=syssn)['data']
        seen.append((answer['data']['respcd'], row['cancel'], row['allow_refund_amt']))
    assert seen == [
        ('0000', 5, '610'),
        ('0000', 5, '10'),
        ('1272', 5, '10'),
        ('0000', 3, '0'),
        ('1125', 3, '0'),
    ]


def test_scanned_wallet_is_reversed_and_the_refund_has_a_row(till):
    till.set(mode='approve')
    paid = till.pay(channel='wx', scan_type='SCAN_PAY')['data']
    refund = till.ask(1002, orderId=paid['syssn'])['data']
    assert till.ask(4001, orderId=paid['syssn'])['data']['cancel'] == 1
    row = till.ask(4001, orderId=refund['syssn'])['data']
    assert row['tradetp'] == 'refund'
    assert row['origssn'] == paid['syssn']
    assert till.ask(1002, orderId=refund['syssn'])['data']['respcd'] == '1268'
    assert till.ask(1002, orderId='123')['data']['respcd'] == '1268'


def test_card_can_be_refunded_in_part_the_next_day(till):
    till.set(mode='approve')
    syssn = till.pay()['data']['syssn']
    till.set(clock_offset=86400)
    assert till.ask(1002, orderId=syssn, refund_amount='1.00')['respcd'] == '6000'


def test_night_without_refunds(till):
    till.set(mode='approve', refund_blackout=True)
    syssn = till.pay(channel='wx')['data']['syssn']
    hong_kong = (time.time() + 8 * 3600) % 86400
    for clock, inner in ((23.75, '1265'), (0.25, '1265'), (12, '0000')):
        till.set(clock_offset=clock * 3600 - hong_kong)
        answer = till.ask(1002, orderId=syssn)
        assert answer['data']['respcd'] == inner, clock


@pytest.mark.parametrize(
    ('channel', 'days', 'inner'),
    [('wx', 365, '1265'), ('alipay', 365, '1297'), ('payme', 90, '1250'), ('union', 400, None)],
)
def test_refunds_have_a_last_day(till, channel, days, inner):
    till.set(mode='approve')
    syssn = till.pay(channel=channel, scan_type='QRCODE_PAY')['data']['syssn']
    till.set(clock_offset=days * 86400 - 3600)
    assert till.ask(1002, orderId=syssn, refund_amount='1.00')['respcd'] == '6000'
    till.set(clock_offset=days * 86400 + 3600)
    answer = till.ask(1002, orderId=syssn, refund_amount='1.00')
    if inner is None:
        assert answer['respcd'] == '6000'
        return
    assert (answer['respcd'], answer['data']['respcd']) == ('6002', inner)
    assert ('time limit' in answer['data']['resmsg']) is (inner == '1265')
    till.set(refund_periods=False)
    assert till.ask(1002, orderId=syssn, refund_amount='1.00')['respcd'] == '6000'


def test_refund_at_another_till(till, other_till):
    till.set(mode='approve')
    syssn = till.pay()['data']['syssn']
    assert other_till.ask(1002, orderId=syssn)['respcd'] == '6000'
    assert till.ask(4001, orderId=syssn)['data']['cancel'] == 3
    assert [trade['kind'] for trade in till.get('/trades')] == ['payment']
    assert [trade['kind'] for trade in other_till.get('/trades')] == ['refund']


def test_refund_by_hand_cannot_be_called_off(till, aside):
    till.set(mode='approve', refund='manual')
    syssn = till.pay()['data']['syssn']
    answer = aside(till.ask, 1002, orderId=syssn, moveToBack=1)
    till.wait_for('REFUNDING')
    assert till.ask(5001)['respcd'] == '6002'
    till.press('decline')
    assert answer.result(5)['data']['respcd'] == '1155'
    answer = aside(till.ask, 1002, orderId=syssn, moveToBack=1)
    till.wait_for('REFUNDING')
    till.press('approve')
    assert answer.result(5)['respcd'] == '6000'


def test_receipt_and_summary(till):
    till.set(mode='approve')
    syssn = till.pay()['data']['syssn']
    assert till.ask(3001, orderId=syssn)['respcd'] == '6000'
    assert till.ask(3001, orderId='12345678')['respcd'] == '6002'
    answer = till.ask(3002)
    assert answer['respcd'] == '6000'
    assert answer['data'] == ''


# Shapes of an answer (the protocol, A5)


@pytest.mark.parametrize('as_text', [True, False])
@pytest.mark.parametrize('shape', ['object', 'json_string', 'base64', 'base64_lines'])
def test_shapes(till, shape, as_text):
    till.set(mode='approve', answer_shape=shape, data_as_text=as_text)
    raw = till.send(PAYMENT)[2]
    if shape == 'object':
        text = raw.decode()
    elif shape == 'json_string':
        text = decrypt(json.loads(raw))
    else:
        assert (b'\n' in raw) == (shape == 'base64_lines')
        assert max(map(len, raw.split(b'\n'))) <= 76 or shape == 'base64'
        text = decrypt(raw)
    assert isinstance(json.loads(text)['data'], str if as_text else dict)


@pytest.mark.parametrize(
    ('style', 'amount'), [('cents_text', '1010'), ('cents', 1010), ('major', '10.10')]
)
def test_styles_of_amount_and_currency(till, style, amount):
    till.set(mode='approve', amount_style=style, currency_style='344')
    data = till.pay()['data']
    assert data['txamt'] == amount
    assert data['txcurrcd'] == '344'


def test_https_answers_in_the_clear(program, till):
    till.set(mode='approve')
    parts = urlsplit(program.ready['terminals_https'][0])
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(
        parts.hostname, parts.port, context=context, timeout=10
    )
    with contextlib.closing(connection):
        connection.request('POST', PATHS[1001], body_of(PAYMENT))
        assert json.loads(connection.getresponse().read())['respcd'] == '6000'
        till.set(encrypt=True)
        connection.request('POST', PATHS[3002], body_of({'func_type': 3002}))
        assert json.loads(decrypt(connection.getresponse().read()))['respcd'] == '6000'
    assert [entry['door'] for entry in till.get('/log')] == ['https', 'https']


def test_browser_may_call_from_another_origin(till):
    status, headers, _ = call(
        till.url + PATHS[1001],
        method='OPTIONS',
        headers={
            'Origin': 'https://shop.example',
            'Access-Control-Request-Method': 'POST',
            'Access-Control-Request-Private-Network': 'true',
        },
    )
    assert status == 204
    assert headers['Access-Control-Allow-Origin'] == 'https://shop.example'
    assert headers['Access-Control-Allow-Methods'] == 'POST, OPTIONS'
    assert headers['Access-Control-Allow-Headers'] == 'content-type, accept'
    assert headers['Access-Control-Max-Age'] == '600'
    assert headers['Access-Control-Allow-Private-Network'] == 'true'
    _, headers, _ = call(
        till.url + PATHS[5001], body_of({'func_type': 5001}), headers={'Origin': 'https://a.b'}
    )
    assert headers['Access-Control-Allow-Origin'] == 'https://a.b'
    assert till.get('/log')[0]['command'] == 'cancel request', 'a preflight is no request'


# Faults


def row_code(till, reference='S-1'):
    """What an inquiry knows of a payment: its inner code, or ``None``."""
    answer = till.ask(4001, out_trade_no=reference)
    return answer['data']['respcd'] if answer['data'] else None


@pytest.mark.parametrize(('fault', 'respcd'), [('busy', '4003'), ('logged_out', '4007')])
def test_refusing_faults_start_nothing(till, fault, respcd):
    till.set(mode='approve', fault=fault, fault_count=2)
    assert till.pay(out_trade_no='S-1')['respcd'] == respcd
    assert till.pay(out_trade_no='S-1')['respcd'] == respcd
    assert till.get('/settings')['fault'] is None
    assert till.pay(out_trade_no='S-1')['respcd'] == '6000'


def test_busy_terminal_still_answers_inquiries(till):
    till.set(fault='busy')
    assert till.ask(4001, out_trade_no='S-1')['respcd'] == '6002'


@pytest.mark.parametrize(('fault', 'code'), [('drop', None), ('silent_after_charge', '0000')])
def test_connection_is_dropped(till, fault, code):
    till.set(mode='approve', fault=fault, fault_count=1)
    with pytest.raises(http.client.RemoteDisconnected):
        till.pay(out_trade_no='S-1')
    assert row_code(till) == code


def test_silent_before_charge_goes_on_waiting(till):
    till.set(fault='silent_before_charge', fault_count=1)
    with pytest.raises(http.client.RemoteDisconnected):
        till.pay(out_trade_no='S-1')
    till.wait_for('WAIT_CUSTOMER')
    till.press('approve')
    till.wait_for('IDLE')
    assert row_code(till) == '0000'


@pytest.mark.parametrize(('fault', 'code'), [('hang', None), ('hang_after_charge', '0000')])
def test_connection_hangs(till, fault, code):
    till.set(mode='approve', fault=fault, fault_count=1)
    with pytest.raises(OSError, match='timed out'):
        till.send(PAYMENT | {'out_trade_no': 'S-1'}, timeout=0.5)
    assert row_code(till) == code


def test_faults_after_the_charge_spare_what_was_not_charged(till):
    till.set(mode='decline', fault='silent_after_charge', fault_count=1)
    assert till.pay()['respcd'] == '6002'
    till.set(mode='approve')
    with pytest.raises(http.client.RemoteDisconnected):
        till.pay()


@pytest.mark.parametrize(
    ('fault', 'respcd'),
    [
        ('request_error_after_charge', '6002'),
        ('other_error_after_charge', '4005'),
        ('unknown_code', '9999'),
        ('no_data', '6000'),
    ],
)
def test_answer_says_less_than_happened(till, fault, respcd):
    till.set(mode='approve', fault=fault, fault_count=1)
    answer = till.pay(out_trade_no='S-1')
    assert answer['respcd'] == respcd
    assert answer['data'] == ''
    assert row_code(till) == '0000'


@pytest.mark.parametrize(
    ('fault', 'field', 'value'),
    [
        ('inner_pending', 'respcd', '1145'),
        ('wrong_amount', 'txamt', '2020'),
        ('wrong_currency', 'txcurrcd', 'USD'),
        ('wrong_reference', 'out_trade_no', 'another-sale-1'),
    ],
)
def test_one_thing_is_wrong_in_the_answer(till, fault, field, value):
    till.set(mode='approve', fault=fault, fault_count=2)
    assert till.pay(out_trade_no='S-1')['data'][field] == value
    assert till.ask(4001, out_trade_no='S-1')['data'][field] == value
    assert till.ask(4001, out_trade_no='S-1')['data'][field] != value


def test_fault_for_one_command_only(till):
    till.set(mode='approve', fault='garbage', fault_for=[4001])
    assert till.pay(out_trade_no='S-1')['respcd'] == '6000'
    raw = till.send({'func_type': 4001, 'out_trade_no': 'S-1'})[2]
    assert b'\xff' in raw


@pytest.mark.parametrize(
    ('fault', 'status', 'check'),
    [
        ('garbage', 200, lambda raw: b'\xff' in raw),
        ('html', 200, lambda raw: raw.startswith(b'<!DOCTYPE html>')),
        ('empty', 200, lambda raw: raw == b''),
        ('huge', 200, lambda raw: len(raw) > 10_000_000),
        ('http_500', 500, lambda raw: raw == b'internal error'),
    ],
)
def test_wire_faults(till, fault, status, check):
    till.set(mode='approve', fault=fault, fault_count=1)
    answer = till.send(PAYMENT | {'out_trade_no': 'S-1'})
    assert answer[0] == status
    assert check(answer[2])
    assert row_code(till) == '0000'


def raw_answer(till, seconds=1.0, limit=5_000_000):
    """The bytes that come back within some seconds, and whether the end came."""
    parts = urlsplit(till.url)
    body = body_of(PAYMENT | {'out_trade_no': 'S-1'})
    head = f'POST {PATHS[1001]} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n'
    got, deadline = b'', time.monotonic() + seconds
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        connection.sendall(head.encode() + body)
        while len(got) < limit and (left := deadline - time.monotonic()) > 0:
            connection.settimeout(left)
            try:
                piece = connection.recv(65536)
            except TimeoutError:
                break
            if not piece:
                return got, True
            got += piece
    return got, False


def test_truncated_answer(till):
    till.set(mode='approve', fault='truncated', fault_count=1)
    with pytest.raises(http.client.IncompleteRead):
        till.pay(out_trade_no='S-1')
    assert row_code(till) == '0000'


def test_redirect(till):
    till.set(mode='approve', fault='redirect', fault_count=1)
    got, _ = raw_answer(till, 0.3)
    assert got.startswith(b'HTTP/1.1 302')
    assert b'/elsewhere' in got


def test_endless_answers(till):
    till.set(mode='approve', fault='endless', fault_count=1)
    got, ended = raw_answer(till)
    assert b'"respcd":"6000"' in got
    assert got.count(b'a') > 2
    assert not ended
    assert len(got) < 1000
    till.post('reset')
    till.set(mode='approve', fault='flood', fault_count=1)
    got, ended = raw_answer(till)
    assert len(got) >= 5_000_000
    assert not ended
    till.post('reset')
    till.set(mode='approve', fault='slow_headers', fault_count=1)
    got, ended = raw_answer(till)
    assert re.fullmatch(rb'HTTP/1.1 200 OK\r\nX-Slow: a{2,15}', got)
    assert not ended
    assert row_code(till) == '0000'


def test_slow_answer(till):
    till.set(mode='approve', fault='slow_answer', fault_count=1, fault_delay=0.6)
    begin = time.monotonic()
    assert till.pay()['respcd'] == '6000'
    assert time.monotonic() - begin > 0.6


def test_answer_under_another_key(till):
    till.set(mode='approve', fault='wrong_key', fault_count=1)
    raw = till.send(PAYMENT | {'out_trade_no': 'S-1'})[2]
    assert read(raw, 'this is not the key of this shop')['respcd'] == '6000'
    assert row_code(till) == '0000'


def test_payment_confirmed_after_its_answer(till):
    till.set(mode='approve', fault='confirming', fault_count=1, fault_delay=1)
    answer = till.pay(out_trade_no='S-1')
    assert answer['respcd'] == '6002'
    assert answer['data']['respcd'] == '1145'
    assert row_code(till) == '1145'
    till.wait_for('IDLE')
    assert row_code(till) == '0000'


@pytest.mark.parametrize('mode', ['cancel', 'timeout'])
def test_payment_goes_through_after_the_terminal_gave_up(till, mode):
    till.set(mode=mode, fault='late_payment', fault_count=1, fault_delay=1)
    assert till.pay(out_trade_no='S-1')['respcd'] in ('6001', '6002')
    assert row_code(till) == '1143'
    deadline = time.monotonic() + 5
    while row_code(till) != '0000':
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_every_fault_is_explained_and_tested(program):
    form = json.loads(call(program.ready['web'] + '/api/form')[2])
    source = Path(__file__).read_text()
    for name, fault in form['faults'].items():
        assert fault['en'].endswith('.'), name
        assert fault['zh'].endswith('。'), name
        assert f"'{name}'" in source, f'no test for {name}'


# Notifications (the protocol, A13 and B10)


@pytest.fixture
def mailbox():
    """An address for notifications; what arrives is kept as it came."""
    arrived = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers['Content-Length']))
            arrived.append((body, self.headers['X-QF-SIGN']))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'SUCCESS')

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f'http://127.0.0.1:{server.server_port}/notify', arrived
    server.shutdown()
    server.server_close()


def test_signed_notifications(till, mailbox):
    url, arrived = mailbox
    assert till.post('webhook', url=url, key='secret')[0] == 200
    till.set(mode='approve')
    paid = till.pay(channel='wx', out_trade_no='uuid--1--2')['data']
    till.ask(1002, orderId=paid['syssn'], refund_amount='4.00', moveToBack=1)
    till.set(mode='decline')
    till.pay()
    deadline = time.monotonic() + 5
    while [note['status'] for note in till.get('/webhook')['sent']] != [200, 200]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert len(arrived) == 2, 'a declined payment is not notified'
    for body, signature in arrived:
        assert signature == hashlib.md5(body + b'secret').hexdigest().upper()
        assert b'", "' in body
    by_type = {(note := json.loads(body))['notify_type']: note for body, _ in arrived}
    note = by_type['payment']
    assert note['out_trade_no'] == 'uuid--1--2'
    assert note['syssn'] == paid['syssn']
    assert (note['status'], note['txamt'], note['cancel']) == ('1', '1010', '0')
    note = by_type['refund']
    assert note['orig_out_trade_no'] == 'uuid--1--2'
    assert note['orig_syssn'] == paid['syssn']
    assert note['txamt'] == '400'
    assert 'pay_type' not in note
    assert 'cancel' not in note
    assert till.get('/webhook')['sent'][0]['answer'] == 'SUCCESS'


def test_notification_to_nowhere_is_noted(till):
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        till.post('webhook', url=f'http://127.0.0.1:{taken.getsockname()[1]}/', key='k')
        till.set(mode='approve')
        assert till.pay()['respcd'] == '6000'
        deadline = time.monotonic() + 5
        while not (sent := till.get('/webhook')['sent']) or not sent[0]['answer']:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert sent[0]['status'] is None


# The control API and the page


@pytest.mark.parametrize(
    'values',
    [
        {'mode': 'dance'},
        {'delay': -1},
        {'delay': 'x'},
        {'delay': True},
        {'fault': 'none'},
        {'fault_count': 0},
        {'fault_count': 1.5},
        {'fault_for': [1]},
        {'fault_for': 1001},
        {'reachable': 1},
        {'encrypt': 1},
        {'card': {'last4': '12'}},
        {'card': {'color': 'red'}},
        {'card': 'VISA'},
        {'pos_key': 'short'},
        {'pos_key': 'x' * 31},
        {'pos_key': 7},
        {'decline_code': '0000'},
        {'no_such': 1},
        {'mode': 'approve', 'delay': -1},
        {'key_reading': 'hex', 'pos_key': KEY16},
    ],
    ids=json.dumps,
)
def test_setting_that_cannot_be_is_refused_whole(till, values):
    before = till.get('/settings')
    status, answer = till.post('settings', **values)
    assert status == 400
    assert answer['error']
    assert till.get('/settings') == before


def test_control_api_speaks_in_sentences(program, till):
    assert till.post('press', button='approve') == (
        409,
        {'error': 'approve does nothing while the terminal is IDLE'},
    )
    assert till.post('press', button='dance')[0] == 400
    assert till.post('press')[0] == 400
    assert till.post('webhook', url='ftp://x')[0] == 400
    web = program.ready['web']
    for path, body, status in (
        ('/api/terminals/2', None, 404),
        ('/api/terminals/0/press', b'{', 400),
        ('/api/terminals/0/press', b'[]', 400),
        ('/nothing', None, 404),
        ('/api/terminals/0/press', None, 405),
    ):
        answer = call(web + path, body)
        assert answer[0] == status, path
        assert json.loads(answer[2])['error'], path


def test_foreign_page_cannot_press(program, till):
    status, _, _ = call(
        f'{till.control}/reset', b'{}', headers={'Origin': 'https://elsewhere.example'}
    )
    assert status == 403
    assert call(f'{till.control}/reset', b'{}', headers={'Origin': program.ready['web']})[0] == 200


def test_log_keeps_every_request_in_order(till):
    till.set(mode='approve')
    till.pay(out_trade_no='S-1')
    till.ask(4001, out_trade_no='S-1')
    call(till.url + PATHS[5001], b'garbage')
    log = till.get('/log')
    assert [entry['func_type'] for entry in log] == [1001, 4001, None]
    assert [entry['answer'] for entry in log] == ['6000', '6000', '5001']
    assert log[0]['content'] == {
        'func_type': 1001,
        'amt': 10.1,
        'channel': 'card_payment',
        'moveToBack': 1,
        'out_trade_no': 'S-1',
    }
    assert log[0]['at'] <= log[0]['answered_at'] <= log[1]['at']
    assert till.get('/log?last=1') == log[-1:]


def test_events_tell_of_a_change(program, till):
    with NO_PROXY.open(program.ready['web'] + '/api/events', timeout=5) as stream:
        first = json.loads(stream.readline().removeprefix(b'data: '))
        assert [one['state'] for one in first] == ['IDLE', 'IDLE']
        till.set(mode='approve')
        assert stream.readline() == b'\n'
        assert json.loads(stream.readline().removeprefix(b'data: '))[0]['mode'] == 'approve'


def test_page_takes_nothing_from_elsewhere(program):
    page = call(program.ready['web'] + '/')[2].decode()
    for name in re.findall(r'(?:src|href)="([^"]+\.(?:js|css))"', page):
        assert call(f'{program.ready["web"]}/{name}')[0] == 200
    for path in (ROOT / 'simulator' / 'static').iterdir():
        outside = re.sub(r'http://www\.w3\.org/2000/svg', '', path.read_text(encoding='utf-8'))
        assert not re.search(r'https?://', outside), path.name


def test_page_in_a_browser(till, aside, program, browser):
    complaints = []
    page = browser.new_page(locale='en-GB')
    page.on('pageerror', lambda error: complaints.append(str(error)))
    page.on('console', lambda text: text.type == 'error' and complaints.append(text.text))
    page.goto(program.ready['web'])
    page.get_by_text('Waiting for the till').wait_for()
    answer = aside(till.ask, 1001, amt=1234.5, channel='card_payment', out_trade_no='S-1')
    page.get_by_text('1,234.50').wait_for()
    page.get_by_text('Tap, insert or swipe the card').wait_for()
    page.keyboard.press('a')
    assert answer.result(5)['respcd'] == '6000'
    page.locator('#screen').get_by_text('Approved').wait_for()
    page.get_by_role('tab', name='Book of trades').click()
    page.get_by_text('0000 paid').wait_for()
    page.get_by_role('tab', name='Settings').click()
    page.get_by_text('Answers 4007: nobody is signed in to the app.').click()
    page.get_by_text('⚠ logged_out').wait_for()
    assert till.pay()['respcd'] == '4007'
    page.get_by_role('button', name='中文').click()
    page.get_by_role('tab', name='交易記錄').wait_for()
    page.get_by_role('button', name='主頁').click()
    page.get_by_text('歡迎光臨').wait_for()
    page.close()
    assert complaints == []


# The program


def run(*options, timeout=20):
    return subprocess.run(
        [sys.executable, '-m', 'simulator', *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.mark.parametrize(
    ('option', 'rest'),
    [
        ('--terminal-port', ('--web-port', '0')),
        ('--web-port', ('--terminal-port', '0')),
        ('--https-port', ('--terminal-port', '0', '--web-port', '0')),
    ],
)
def test_port_in_use_is_one_sentence(option, rest):
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run(option, port, *rest)
    assert done.returncode == 1
    assert done.stderr == (
        f'Port {port} on 127.0.0.1 is in use by another program; choose another with {option} '
        '(0 takes any free one).\n'
    )


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        (('--pos-key', 'short'), '16, 24 or 32 bytes, this one has 5'),
        (('--pos-key', 'x' * 31), '16, 24 or 32 bytes, this one has 31'),
        (('--terminal-port', '65536'), 'a number from 0 to 65535'),
        (('--terminals', '0'), 'from 1 to 200 terminals'),
        (('--host', 'no.such.host.invalid', '--terminal-port', '0'), 'no.such.host.invalid'),
    ],
)
def test_options_that_cannot_be(options, words):
    done = run(*options)
    assert done.returncode != 0
    assert words in done.stderr.splitlines()[-1]
    assert 'Traceback' not in done.stderr


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_though_everybody_waits(tmp_path, aside, number):
    program = Program(tmp_path, '--pos-key', KEY16)
    till = Till(program)
    till.key = KEY16
    assert Path(program.ready_file).exists()
    answer = aside(till.pay)
    till.wait_for('WAIT_CUSTOMER')
    with NO_PROXY.open(program.ready['web'] + '/api/events', timeout=5) as stream:
        stream.readline()
        begin = time.monotonic()
        code, output = program.stop(number)
    assert time.monotonic() - begin < 4
    assert code == 0
    assert 'Traceback' not in output
    assert program.ready['terminal'] in output
    assert program.ready['web'] in output
    assert not program.ready_file.exists()
    with pytest.raises((OSError, http.client.HTTPException)):
        answer.result(5)


@pytest.mark.parametrize(
    ('option', 'plain'), [('--plain-answers', True), ('--encrypt-answers', False)]
)
def test_answers_as_the_command_line_says(tmp_path, option, plain):
    program = Program(tmp_path, option, '--terminals', '3')
    try:
        assert len(set(program.ready['terminals'])) == 3
        assert 'terminals_https' not in program.ready
        raw = Till(program, 2).send({'func_type': 3002})[2]
        assert raw.startswith(b'{') == plain
    finally:
        program.stop()


def test_garbage_on_the_ports_kills_nothing(program, till):
    draw = random.Random(20261121)
    for url in (
        program.ready['terminals'][0],
        program.ready['terminals_https'][0],
        program.ready['web'],
    ):
        parts = urlsplit(url)
        for number in range(60):
            noise = draw.randbytes(draw.randrange(1, 3000))
            head = b'POST /api/pos/trade HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n'
            address = (parts.hostname, parts.port)
            with (
                socket.create_connection(address, timeout=5) as connection,
                contextlib.suppress(OSError),
            ):
                connection.sendall(head + noise if number % 3 == 0 else noise)
                if number % 2:
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(100)
    status, _, _ = call(till.url + PATHS[1001], b'x' * 200_000)
    assert status in (200, 413)
    till.set(mode='approve')
    assert till.pay()['respcd'] == '6000'
    assert program.process.poll() is None
