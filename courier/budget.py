"""How many requests an account may make.

QFPay allows 100 requests a second and 400 a minute to a merchant (the protocol, B11). A bucket of
BURST slots that is refilled with PACE slots a second gives at most 95 in any second and 390 in any
minute. The process that owns the account's link has the bucket; what it has spent is handed on with
the link, so that a change of owners is no way round it.
"""

import threading
import time
from collections.abc import Callable

from ..qfpay.errors import RateLimited

BURST = 90
PACE = 5.0
#: kept for what somebody waits for: questions about many payments wait longer
RESERVE = 15
#: the longest that a request waits for its slot before it is given up, in seconds
PATIENCE = 20.0


class Budget:
    """The bucket of one account.

    `spent`: seconds until it is full again.
    """

    def __init__(self, spent: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._full_at = time.monotonic() + spent

    @property
    def spent(self) -> float:
        return max(self._full_at - time.monotonic(), 0.0)

    def hand_over(self, spent: float) -> None:
        """Another owner had spent so much."""
        with self._lock:
            self._full_at = max(self._full_at, time.monotonic() + spent)

    def take(self, reserve: int = 0) -> None:
        """Take one slot, and wait for it if need be; leave `reserve` slots to others.

        Raises RateLimited when it takes too long.
        """
        ends_at = time.monotonic() + PATIENCE
        while not self._taken(reserve):
            if time.monotonic() > ends_at:
                raise RateLimited('The budget of requests to QFPay is spent.')
            time.sleep(1 / PACE)

    def after_first(self) -> Callable[[], None]:
        """For a request whose own slot is taken already: the ones that follow it take theirs."""
        is_first = iter((True,))

        def permit() -> None:
            if not next(is_first, False):
                self.take()

        return permit

    def _taken(self, reserve: int) -> bool:
        with self._lock:
            now = time.monotonic()
            full_at = max(self._full_at, now)
            if full_at - now > (BURST - 1 - reserve) / PACE:
                return False
            self._full_at = full_at + 1 / PACE
            return True
