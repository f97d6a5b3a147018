"""``python -m bench``: measure, print the table, write ``results.json``, judge."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from statistics import median

from tools import machine

from . import codes, ledger, payments, report, street
from .constants import CUSTOMERS, MANY, OFFICIAL, OURS
from .report import Row
from .shop import furnished

RESULTS = Path(__file__).with_name('results.json')

WAKING = 150  # milliseconds that ours may take more, the draft's synchronisation included
DONE = 0.8  # times what pos_qfpay takes
START = 2  # times what pos_qfpay's signing takes
QUERIES = 117  # to the database, from the tap to the line done
SALE_QUERIES = 234  # and to the receipt
MANY_ROWS = 1.5  # times what a question takes with a thousandth of them
NOISE = 0.3  # milliseconds that are no difference


def main() -> int:
    """Exit code 0 when every limit holds."""
    options = _arguments()
    os.chdir(machine.ROOT)  # where Odoo's shell finds this package
    began = time.monotonic()
    progress = _Progress()
    machine.end_politely_on_signals()
    try:
        with furnished() as shop:
            machine.say('Starting payments at 50 tills, beside pos_qfpay signing requests…')
            calls = street.measure(shop, progress)
            machine.say('Paying in the browser, in turns with pos_qfpay…')
            paid = payments.measure(shop, options.warm_up, options.payments, progress)
        machine.say('Showing codes at 1, 10 and 100 tills; a thousand notifications…')
        shown = codes.measure(progress)
        machine.say(f"The ledger's questions with {MANY:,} rows…")
        asked = ledger.measure()
    except machine.Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    rows = judge(paid, calls) + judge_codes(shown) + judge_ledger(asked)
    report.write(rows, RESULTS)
    print(f'\n{report.table(rows)}\n')
    print(
        f'Medians of {options.payments} payments and {len(calls.start)} calls of each, '
        f'{time.monotonic() - began:.0f} s; {RESULTS}'
    )
    return 0 if all(row.holds is not False for row in rows) else 1


def judge(paid: dict[str, list[payments.Payment]], calls: street.Street) -> list[Row]:
    """The results, with the limits that they are held against."""

    def both(fact: str) -> tuple[float, float]:
        return (
            median(getattr(payment, fact) for payment in paid[OURS]),
            median(getattr(payment, fact) for payment in paid[OFFICIAL]),
        )

    def beside(name: str, unit: str, fact: str, limit: float | None = None) -> Row:
        ours, official = both(fact)
        return Row(name, ours, unit, official, limit)

    waking, official_waking = both('waking')
    done, official_done = both('done')
    start, sign = median(calls.start), median(calls.sign)
    thinking = f'while {CUSTOMERS} customers think'
    return [
        Row('tap to the waking terminal', waking, 'ms', official_waking, official_waking + WAKING),
        Row('approval to the line done', done, 'ms', official_done, official_done * DONE),
        Row('start, beside signing', start, 'ms', sign, sign * START),
        beside('SQL queries, tap to done', '', 'queries', QUERIES),
        beside('server CPU, tap to done', 'ms', 'cpu'),
        beside('SQL queries, tap to receipt', '', 'sale_queries', SALE_QUERIES),
        beside('server CPU, tap to receipt', 'ms', 'sale_cpu'),
        Row(f'HTTP workers held {thinking}', calls.workers, '', limit=0),
        Row(f'database connections held {thinking}', calls.connections, '', limit=0),
    ]


def judge_codes(shown: codes.Codes) -> list[Row]:
    """What shown codes cost; pos_qfpay has none, so only its notifications stand beside ours."""
    most = max(codes.TILLS)
    return [
        Row(f'queries each {codes.POLL} s for {most} open codes', shown.queries, '', most, 1),
        *(
            Row(f'code paid to done, {tills} tills, {way}', took, 'ms')
            for tills in codes.TILLS
            for way, took in (
                ('asked', shown.polled[tills]),
                ('notified', shown.notified[tills]),
            )
        ),
        Row('notifications refused of 1000', shown.refused, '', limit=0),
        Row('payments lost of 500 notified twice', shown.lost, '', limit=0),
        Row('a notification, as fast as they go', shown.ours, 'ms', shown.official),
    ]


def judge_ledger(asked: dict[str, tuple[float, float]]) -> list[Row]:
    """What the ledger's questions cost in a shop that has sold for years."""
    return [
        Row(f'{name}, {MANY:,} rows', many, 'ms', limit=few * MANY_ROWS + NOISE)
        for name, (few, many) in asked.items()
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='python -m bench', description=__doc__)
    parser.add_argument('--payments', type=int, default=20, help='measured, of each module')
    parser.add_argument('--warm-up', type=int, default=3, help='thrown away, of each module')
    return parser.parse_args()


class _Progress:
    """Shows that it goes on: in a line that is written over, or now and then in a log."""

    def __init__(self, every: float = 30) -> None:
        self._every = every
        self._next = time.monotonic() + every

    def __call__(self, words: str) -> None:
        if sys.stdout.isatty():
            print(f'\r\033[K{words} ', end='', flush=True)
        elif time.monotonic() > self._next:
            machine.say(words)
            self._next = time.monotonic() + self._every


if __name__ == '__main__':
    sys.exit(main())
