"""Fifty customers who think: what the start of a payment costs, and what waiting for it holds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from tools.machine import Problem

from .constants import CUSTOMERS, ROUNDS
from .shop import Shop

# Between two measured calls: what the first left behind (the courier's work) is over by then.
PAUSE = 0.08
# What is taken now and then for a moment, a heartbeat's connection, is not held.
LOOKS = 30


@dataclass(frozen=True)
class Street:
    """Milliseconds of each call, and what is held while all customers think."""

    start: list[float]
    sign: list[float]
    workers: float
    connections: float


def measure(shop: Shop, tell: Callable[[str], None]) -> Street:
    """Start a payment at every till, beside a signing call of pos_qfpay each time.

    The first round is the warm-up. In the last one the process is looked at while all wait.
    """
    start: list[float] = []
    sign: list[float] = []
    uuids = shop.ids(
        'SELECT payment.uuid FROM pos_payment payment JOIN pos_session session ON session.id = '
        'payment.session_id JOIN pos_config config ON config.id = session.config_id WHERE '
        "config.name LIKE 'Street %' ORDER BY rank() OVER (PARTITION BY config.id ORDER BY "
        'payment.id), payment.id'
    )
    client = shop.client()
    (method_id,) = shop.ids(
        "SELECT id FROM pos_payment_method WHERE use_payment_terminal = 'qfpay'"
    )

    def start_payment(uuid: str) -> float:
        began = time.perf_counter()
        answer = client.call('/pos_payment_qfpay/start', payment_uuid=uuid)
        took = time.perf_counter() - began
        if 'payment' not in answer:
            raise Problem(f'A payment did not start: {answer}')
        return took * 1000

    def sign_request(uuid: str) -> float:
        payload = {
            'func_type': 1001,
            'amt': 45.5,
            'channel': 'card_payment',
            'out_trade_no': f'{uuid}--1--{method_id}',
        }
        began = time.perf_counter()
        client.call(
            '/web/dataset/call_kw/pos.payment.method/qfpay_sign_request',
            model='pos.payment.method',
            method='qfpay_sign_request',
            args=[int(method_id), payload],
            kwargs={},
        )
        return (time.perf_counter() - began) * 1000

    for number in range(ROUNDS):
        kept = number > 0
        for place, uuid in enumerate(uuids[number * CUSTOMERS : (number + 1) * CUSTOMERS]):
            calls = [(start_payment, start), (sign_request, sign)]
            for call, times in calls if place % 2 else calls[::-1]:
                took = call(uuid)
                if kept:
                    times.append(took)
                time.sleep(PAUSE)
        _wait_state(shop, 'sent', CUSTOMERS)
        if number == ROUNDS - 1:
            workers, connections = _look(shop)
        for index in range(CUSTOMERS):
            shop.street.press('cancel', index)
        _wait_state(shop, 'sent', 0)
        tell(f'{number + 1} of {ROUNDS}')
    return Street(start, sign, workers, connections)


def _look(shop: Shop) -> tuple[float, float]:
    """HTTP workers and database connections in use, as often as not."""
    time.sleep(1)
    looks = []
    for _look in range(LOOKS):
        looks.append(shop.probe.read())
        time.sleep(0.1)
    return (
        statistics.median(look['workers'] for look in looks),
        statistics.median(look['connections'] for look in looks),
    )


def _wait_state(shop: Shop, state: str, count: int) -> None:
    query = f"SELECT count(*) FROM qfpay_transaction WHERE state = '{state}'"
    for _attempt in range(100):
        (found,) = shop.ids(query)
        if int(found) == count:
            return
        time.sleep(0.2)
    raise Problem(f'{found} payments are {state} after 20 s, not {count}.')
