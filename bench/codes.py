"""Shown codes: a hundred open payments of one account, and a flood of notifications.

On a server with two worker processes, as shops run it, with the simulated gateway.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import requests

from tools import database, odoo_run, postgres
from tools.machine import Problem
from tools.server import CLIENT_KEY, Odoo, Simulator, running

from .constants import NOTIFICATION_KEY, NOTIFIED, NOTIFY_PACE
from .shop import Client

FURNISH = Path(__file__).with_name('furnish_codes.py')
WORKERS = 2
TILLS = (1, 10, 100)
POLL = 2  # seconds: the poll interval that queries are counted by
STEADY = 20  # seconds of counting
SENDERS = 8


@dataclass
class Codes:
    """What was measured; times in milliseconds, from the customer's payment to `done`."""

    queries: float = 0  # for each poll interval, with as many open payments as the most tills
    polled: dict[int, float] = field(default_factory=dict)
    notified: dict[int, float] = field(default_factory=dict)
    refused: int = 0  # notifications that were not answered with 200 and SUCCESS
    lost: int = 0  # payments that were not done, once, afterwards
    ours: float = 0  # milliseconds for each notification, as fast as they go
    official: float = 0


@dataclass
class _Shop:
    database: str
    odoo: Odoo
    gateway: Simulator
    client: Client
    uuids: Iterator[str]

    def sql(self, query: str) -> list[tuple[object, ...]]:
        return postgres.sql(query, self.database)

    def status(self, uuids: list[str]) -> list[dict[str, object]]:
        answer = self.client.call('/pos_payment_qfpay/status', payment_uuids=uuids)
        return list(answer['payments'])

    def wait(self, uuids: list[str], state: str, seconds: float = 120) -> None:
        ends_at = time.monotonic() + seconds
        while any(status['state'] != state for status in self.status(uuids)):
            if time.monotonic() > ends_at:
                raise Problem(f'Not all of {len(uuids)} payments are {state} after {seconds} s.')
            time.sleep(0.05)


def measure(tell: Callable[[str], None]) -> Codes:
    """All of it, on a database of its own."""
    found = Codes()
    with _furnished() as shop:
        for tills in TILLS:
            tell(f'codes at {tills} tills')
            shop.gateway.gateway_settings(notify_url=None)
            found.polled[tills], queries = _pay_at(shop, tills, tills == max(TILLS))
            found.queries = queries or found.queries
            shop.gateway.gateway_settings(notify_url=_address(shop))
            found.notified[tills], _none = _pay_at(shop, tills, False)
        tell('notifications')
        _flood(shop, found)
    return found


@contextlib.contextmanager
def _furnished() -> Iterator[_Shop]:
    source = odoo_run.prepare()
    name = f'bench_codes_{os.getpid()}'
    with postgres.server(), contextlib.ExitStack() as stack:
        database.create(source, name, database.ensure_addon_template(source))
        stack.callback(database.drop, name)
        database.shell(source, 'Furnishing the bench for codes', name, FURNISH)
        gateway = Simulator(name='bench/gateway', terminals=1)
        stack.enter_context(running(gateway))
        postgres.sql(f"UPDATE qfpay_account SET custom_url = '{gateway.gateway_url}'", name)
        # The gateway would turn away what no shop does: hundreds of new payments in a minute.
        gateway.gateway_settings(per_second=0, per_minute=0)
        odoo = Odoo(source, name, name='bench/codes', workers=WORKERS)
        stack.enter_context(running(odoo))
        uuids = postgres.sql(
            'SELECT payment.uuid FROM pos_payment payment JOIN pos_payment_method method'
            ' ON method.id = payment.payment_method_id'
            " WHERE method.use_payment_terminal = 'qfpay_openapi' ORDER BY payment.id",
            name,
        )
        yield _Shop(
            name, odoo, gateway, Client(odoo.url, name), iter([str(row[0]) for row in uuids])
        )


def _address(shop: _Shop) -> str:
    ((token,),) = shop.sql("SELECT notify_token FROM qfpay_account WHERE name = 'Bench'")
    return f'{shop.odoo.url}/pos_payment_qfpay/notify/{token}'


def _pay_at(shop: _Shop, tills: int, count_queries: bool) -> tuple[float, float | None]:
    """Codes at so many tills, paid one after the other; the median time to done, in ms."""
    uuids = list(itertools.islice(shop.uuids, tills))
    for uuid in uuids:
        shop.client.call('/pos_payment_qfpay/start', payment_uuid=uuid)
    shop.wait(uuids, 'pending')
    queries = _count_queries(shop, uuids) if count_queries else None
    references = {
        str(status['payment_uuid']): str(status['reference']) for status in shop.status(uuids)
    }
    paid_at: dict[str, float] = {}
    took: list[float] = []
    open_uuids = set(uuids)

    def customers() -> None:
        for uuid in uuids:
            paid_at[uuid] = time.monotonic()
            shop.gateway.gateway_act('pay', references[uuid])
            time.sleep(0.05)

    thread = threading.Thread(target=customers)
    thread.start()
    ends_at = time.monotonic() + 120
    while open_uuids:
        for status in shop.status(sorted(open_uuids)):
            if status['state'] == 'done':
                uuid = str(status['payment_uuid'])
                took.append((time.monotonic() - paid_at[uuid]) * 1000)
                open_uuids.discard(uuid)
        if time.monotonic() > ends_at:
            raise Problem(f'{len(open_uuids)} paid codes are not done after two minutes.')
        time.sleep(0.02)
    thread.join()
    return median(took), queries


def _count_queries(shop: _Shop, uuids: list[str]) -> float:
    """Queries in each poll interval while all the tills ask the server every second."""
    time.sleep(POLL * 2)
    before = shop.gateway.gateway()['requests']['query']
    began = time.monotonic()
    while time.monotonic() < began + STEADY:
        for uuid in uuids:
            shop.status([uuid])
    # The first and the last query may both stand at the borders of the time.
    asked = shop.gateway.gateway()['requests']['query'] - before - 1
    return asked * POLL / (time.monotonic() - began)


def _flood(shop: _Shop, found: Codes) -> None:
    """Every payment reported twice, 50 a second; then both modules as fast as they go."""
    lines = list(itertools.islice(shop.uuids, NOTIFIED))
    others = list(itertools.islice(shop.uuids, NOTIFIED))
    _ask_for_money(shop, [*lines, *others])
    names = ', '.join(f"'{uuid}'" for uuid in lines)
    address = _address(shop)
    bodies = [_report(f'{uuid}-1', number) for number, uuid in enumerate(lines)]
    answers = _send(address, [*bodies, *bodies], CLIENT_KEY, 1 / NOTIFY_PACE)
    found.refused = sum(answer != (200, 'SUCCESS') for answer in answers[0])
    ((done,),) = shop.sql(
        'SELECT count(*) FROM qfpay_transaction t JOIN pos_payment p ON p.id = t.pos_payment_id'
        f" WHERE t.payment_uuid IN ({names}) AND t.state = 'done' AND p.payment_status = 'done'"
    )
    found.lost = NOTIFIED - int(str(done))
    fresh = [_report(f'{uuid}-1', number) for number, uuid in enumerate(others)]
    found.ours = _send(address, fresh, CLIENT_KEY, 0)[1]
    ((session, method),) = shop.sql(
        "SELECT s.id, m.id FROM pos_session s, pos_payment_method m WHERE s.state = 'opened'"
        " AND m.use_payment_terminal = 'qfpay' LIMIT 1"
    )
    official = [_report(f'{uuid}--{session}--{method}', n) for n, uuid in enumerate(lines)]
    found.official = _send(f'{shop.odoo.url}/qfpay/notify', official, NOTIFICATION_KEY, 0)[1]


def _ask_for_money(shop: _Shop, uuids: list[str]) -> None:
    """Rows as after `start`: a gateway that takes them all within its rate needs minutes."""
    names = ', '.join(f"'{uuid}'" for uuid in uuids)
    shop.sql(
        'INSERT INTO qfpay_transaction (reference, kind, provider, channel, payment_method_id,'
        ' account_id, link_id, config_id, session_id, company_id, payment_uuid, pos_payment_id,'
        ' order_uuid, order_attempt, amount_minor, amount, currency_id, state, requested_at,'
        ' deadline, create_date)'
        " SELECT p.uuid || '-1', 'payment', 'openapi', '800201', p.payment_method_id,"
        ' m.qfpay_account_id, a.link_id, s.config_id, p.session_id, p.company_id, p.uuid, p.id,'
        " o.uuid, 1, 100, 1, (SELECT id FROM res_currency WHERE name = 'HKD'), 'pending',"
        " now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC' + interval '1 hour',"
        " now() AT TIME ZONE 'UTC'"
        ' FROM pos_payment p JOIN pos_session s ON s.id = p.session_id'
        ' JOIN pos_order o ON o.id = p.pos_order_id'
        ' JOIN pos_payment_method m ON m.id = p.payment_method_id'
        ' JOIN qfpay_account a ON a.id = m.qfpay_account_id'
        f' WHERE p.uuid IN ({names})'
    )
    shop.sql(
        'INSERT INTO qfpay_testimony (transaction_id, at, witness, about, fact, reason, patience,'
        " times) SELECT id, now() AT TIME ZONE 'UTC', 'answer', 'nothing', 'upgraded', 'pending',"
        f' 3600, 1 FROM qfpay_transaction WHERE payment_uuid IN ({names})'
    )


def _report(reference: str, number: int) -> bytes:
    return json.dumps(
        {
            'status': '1',
            'notify_type': 'payment',
            'pay_type': '800201',
            'respcd': '0000',
            'cancel': '0',
            'txamt': '100',
            'txcurrcd': 'HKD',
            'out_trade_no': reference,
            'syssn': f'2026112100000000000{number:07d}',
        }
    ).encode()


def _send(
    address: str, bodies: list[bytes], key: str, pause: float
) -> tuple[list[tuple[int, str]], float]:
    """Post them all; the answers, and milliseconds for each."""
    local = threading.local()

    def post(body: bytes) -> tuple[int, str]:
        if not hasattr(local, 'http'):
            local.http = requests.Session()
            local.http.trust_env = False
        signature = hashlib.md5(body + key.encode()).hexdigest().upper()
        headers = {'X-QF-SIGN': signature, 'Content-Type': 'application/json'}
        answer = local.http.post(address, data=body, headers=headers, timeout=60)
        return answer.status_code, answer.text

    began = time.monotonic()
    with ThreadPoolExecutor(SENDERS) as pool:
        waiting = []
        for number, body in enumerate(bodies):
            time.sleep(max(began + number * pause - time.monotonic(), 0))
            waiting.append(pool.submit(post, body))
        answers = [answer.result() for answer in waiting]
    return answers, (time.monotonic() - began) * 1000 / len(bodies)
