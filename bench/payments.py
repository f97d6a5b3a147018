"""Payments in a browser: from the tap to the waking terminal, from the approval to *done*."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tools.machine import Problem
from tools.till import Till, chromium

from .constants import OFFICIAL, OURS, PRODUCT
from .shop import Shop

# What the server does after a payment (the bus, the inquiry for the card's digits) ends in this
# time, and belongs to the payment.
SETTLE = 0.5

# Both modules tell Odoo's own line that it is done: the moment in which its model says so counts.
# The clock is the system's, as the terminal's: the page's fine one, set by Date's next tick.
INSTRUMENT = """() => {
    const payments = posmodel.models["pos.payment"];
    window.bench = { tap: 0, done: {} };
    let offset = 0;
    window.benchSetClock = () => {
        const before = Date.now();
        let now;
        while ((now = Date.now()) === before);
        offset = now - performance.now();
    };
    const clock = () => performance.now() + offset;
    document.addEventListener("click", ({ target }) => {
        if (target.closest(".paymentmethods")) {
            bench.tap = clock();
        }
    }, { capture: true });
    payments.addEventListener("update", ({ id }) => {
        const line = payments.get(id);
        if (line?.payment_status === "done") {
            bench.done[line.uuid] ??= clock();
        }
    });
}"""


@dataclass(frozen=True)
class Payment:
    """One measured payment; times in milliseconds."""

    waking: float  # tap to the terminal's waking
    done: float  # the customer's approval to the line's done
    queries: int  # until the line is done and the server at rest
    cpu: float
    sale_queries: int  # with the order's validation
    sale_cpu: float


def measure(
    shop: Shop, warm_up: int, repetitions: int, tell: Callable[[str], None]
) -> dict[str, list[Payment]]:
    """Pay in turns through this addon and through pos_qfpay.

    :param warm_up: payments of each kind that are thrown away
    :param repetitions: payments of each kind that are kept
    :return: the payments by method, ``OURS`` and ``OFFICIAL``
    """
    found: dict[str, list[Payment]] = {OURS: [], OFFICIAL: []}
    chance = random.Random(20)
    with _till(shop) as till:
        for number in range(warm_up + repetitions):
            # each goes first half of the time
            for method in (OURS, OFFICIAL)[:: 1 if number % 2 else -1]:
                payment = _pay(shop, till, method, thinking=chance.uniform(0.4, 1.6))
                if number >= warm_up:
                    found[method].append(payment)
            tell(f'{number + 1} of {warm_up + repetitions}')
    return found


@contextlib.contextmanager
def _till(shop: Shop) -> Iterator[Till]:
    (config_id,) = shop.ids("SELECT id FROM pos_config WHERE name = 'Till 1'")
    with chromium() as browser:
        till = Till(
            browser,
            shop.odoo.url,
            int(config_id),
            session_id=shop.client().session_id,
            # the terminal's certificate is its own
            ignore_https_errors=True,
        )
        till.open()
        till.page.evaluate(INSTRUMENT)
        try:
            yield till
        except Exception as error:
            picture = till.screenshot(shop.odoo.log.with_name('failure.png'))
            raise Problem(f'The till did not go on as it should ({picture}): {error}') from error
        finally:
            till.close()


def _pay(shop: Shop, till: Till, method: str, thinking: float) -> Payment:
    """One sale, from the product to the next order."""
    till.add(PRODUCT)
    till.to_payment()
    shop.notify_official(method == OFFICIAL)
    till.page.evaluate('benchSetClock()')
    time.sleep(SETTLE)
    before = shop.probe.read()
    till.choose(method)
    job = _wait_job(shop)
    time.sleep(thinking)
    pressed = shop.terminal.press('approve')['screen']['job']
    uuid = till.uuid()
    till.page.wait_for_function('(uuid) => bench.done[uuid]', arg=uuid, polling=50, timeout=20_000)
    time.sleep(SETTLE)
    paid = shop.probe.read()
    tap, done = till.page.evaluate('(uuid) => [bench.tap, bench.done[uuid]]', uuid)
    till.validate()
    time.sleep(SETTLE)
    sold = shop.probe.read()
    till.next_order()
    return Payment(
        waking=job['started_at'] * 1000 - tap,
        done=done - pressed['acted_at'] * 1000,
        queries=paid['queries'] - before['queries'],
        cpu=(paid['cpu'] - before['cpu']) * 1000,
        sale_queries=sold['queries'] - before['queries'],
        sale_cpu=(sold['cpu'] - before['cpu']) * 1000,
    )


def _wait_job(shop: Shop) -> Any:
    for _attempt in range(300):
        if job := shop.terminal.terminal()['screen']['job']:
            return job
        time.sleep(0.05)
    raise Problem('The terminal did not wake up within 15 s.')
