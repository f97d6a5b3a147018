"""How many requests are taken in a second and in a minute (the protocol, B11)."""

import time
from collections import Counter, deque


class Limits:
    """Counts the requests of each app code in sliding windows.

    A request that is turned away counts neither against the second nor against the minute.
    """

    def __init__(self):
        self.reset()

    def reset(self):
        self._taken = {}
        self._arrived = deque()
        self.busiest_second = self.busiest_minute = 0
        self.counts = Counter()

    def admit(self, who, per_second, per_minute):
        """Take one more request, or answer the seconds until there is room for one.

        :return: 0.0 when the request is taken
        """
        now = time.monotonic()
        self._watch(now)
        taken = self._taken.setdefault(who, deque())
        while taken and taken[0] <= now - 60:
            taken.popleft()
        wait = 0.0
        for limit, span in ((per_second, 1.0), (per_minute, 60.0)):
            if limit and len(taken) >= limit and taken[-limit] > now - span:
                wait = max(wait, taken[-limit] + span - now)
        if not wait:
            taken.append(now)
        return wait

    def _watch(self, now):
        arrived = self._arrived
        arrived.append(now)
        while arrived[0] <= now - 60:
            arrived.popleft()
        self.busiest_minute = max(self.busiest_minute, len(arrived))
        second = 0
        for moment in reversed(arrived):
            if moment <= now - 1:
                break
            second += 1
        self.busiest_second = max(self.busiest_second, second)
