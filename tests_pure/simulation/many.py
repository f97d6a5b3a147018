"""Many schedules, on all cores."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context

from . import bugs
from .run import play

#: schedules that a core plays before it reports
BATCH = 500


@dataclass(frozen=True, slots=True)
class Found:
    """What disagrees, in which schedule; '' when nothing does."""

    played: int
    seed: int = 0
    what: str = ''


def batch(first: int, number: int, bug: str = '') -> Found:
    """Play some schedules, until one disagrees; with a bug planted, if one is named."""
    with bugs.planted(bug) as plant:
        for seed in range(first, first + number):
            if what := play(seed, plant):
                return Found(seed - first + 1, seed, what)
    return Found(number)


def search(base: int, number: int, seconds: float, cores: int, bug: str = '') -> Iterator[Found]:
    """Play schedules from a base seed on, and yield what each batch found.

    The search ends with the first that disagrees.

    :param seconds: after so long no more are begun; 0 for no such end
    """
    ends_at = time.monotonic() + seconds if seconds else float('inf')
    firsts = iter(range(base, base + number, BATCH))
    with _pool(cores) as pool:
        running: set[Future[Found]] = set()

        def begin() -> None:
            first = next(firsts, None)
            if first is not None and time.monotonic() < ends_at:
                left = min(BATCH, base + number - first)
                running.add(pool.submit(batch, first, left, bug))

        for _batch in range(2 * cores):
            begin()
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                running.discard(future)
                found = future.result()
                yield found
                if found.what:
                    pool.shutdown(cancel_futures=True)
                    return
                begin()


def hunt(base: int, number: int, cores: int, names: list[str]) -> Iterator[tuple[str, Found]]:
    """Search each bug by itself from a base seed on, and yield what was found."""
    with _pool(cores) as pool:
        futures = {pool.submit(batch, base, number, name): name for name in names}
        while futures:
            for future in wait(futures, return_when=FIRST_COMPLETED).done:
                yield futures.pop(future), future.result()


def _pool(cores: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(cores, mp_context=get_context('fork'))
