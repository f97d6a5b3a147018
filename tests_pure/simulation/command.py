"""The command: ``make simulate``, with its options."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import time
from pathlib import Path

from . import bugs
from .many import hunt, search
from .run import account, play

MILLION = 1_000_000
#: each bug is found within so many schedules
FOUND_WITHIN = 100_000
#: seconds between two signs of progress
TOLD_EVERY = 10.0
NEAR = Path(__file__).with_name('near.json')


def main(arguments: list[str]) -> int:
    """Play schedules; answer 1 when one disagrees, or when a bug is not found."""
    options = _options(arguments)
    base = secrets.randbelow(10**12) if options.seed is None else options.seed
    cores = len(os.sched_getaffinity(0))
    _say(f'Base seed {base}')
    if options.bugs:
        return _hunt(base, options.number or FOUND_WITHIN, cores, options.note)
    if options.bug not in ('', *bugs.BY_NAME):
        _say(f'There is no bug {options.bug}, but {", ".join(bugs.BY_NAME)}.')
        return 2
    number = options.number or MILLION
    return _search(base, number, options.seconds, cores, options.bug)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='simulate', description=__doc__)
    parser.add_argument('--seed', type=int, help='of the first schedule; else any')
    parser.add_argument('--number', type=int, default=0, help='schedules; else a million')
    parser.add_argument('--seconds', type=float, default=0.0, help='and no more after so long')
    parser.add_argument('--bug', default='', help='plant this one')
    parser.add_argument('--bugs', action='store_true', help='search each planted bug')
    parser.add_argument('--note', action='store_true', help='and note where each was found')
    return parser.parse_args(arguments)


def _search(base: int, number: int, seconds: float, cores: int, bug: str) -> int:
    started = told = time.monotonic()
    played = 0
    for found in search(base, number, seconds, cores, bug):
        played += found.played
        if found.what:
            _say(f'After some {played:,} schedules, the one of seed {found.seed} disagrees:')
            _say(account(found.seed, bug))
            again = f' BUG={bug}' if bug else ''
            _say(f'Again: make simulate SEED={found.seed} N=1{again}')
            return 1
        if time.monotonic() - told > TOLD_EVERY:
            told = time.monotonic()
            _say(f'{played:,} schedules, {played / (told - started):.0f} in a second')
    spent = max(time.monotonic() - started, 1e-3)
    _say(
        f'{played:,} schedules in {spent:.0f} s, {played / spent:.0f} in a second: no disagreement'
    )
    return 0


def _hunt(base: int, number: int, cores: int, note: bool) -> int:
    near = json.loads(NEAR.read_text()) if NEAR.exists() else {}
    missed = []
    for name, found in hunt(base, number, cores, list(bugs.BY_NAME)):
        if found.what and play(found.seed):
            missed.append(name)
            _say(f'{name:28} seed {found.seed} disagrees without it, too')
        elif found.what:
            near[name] = found.seed
            number = bugs.BY_NAME[name].failure or ''
            _say(
                f'{name:28} {number:2} {found.played:7,} schedules, seed {found.seed}: {found.what}'
            )
        else:
            missed.append(name)
            _say(f'{name:28} NOT FOUND in {found.played:,} schedules')
    if note:
        near = {name: near[name] for name in bugs.BY_NAME if name in near}
        NEAR.write_text(json.dumps(near, indent=2) + '\n')
    _say(f'{len(bugs.BY_NAME) - len(missed)} of {len(bugs.BY_NAME)} bugs were found.')
    return 1 if missed else 0


def _say(text: str) -> None:
    print(text, flush=True)
