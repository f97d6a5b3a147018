"""The machine's steady clock, and who this process is among all servers of a database."""

import os
import secrets
import socket
import time
from functools import cache
from pathlib import Path

_BOOT_ID = Path('/proc/sys/kernel/random/boot_id')
# it goes on while the machine sleeps, where the system has such a clock
_CLOCK = getattr(time, 'CLOCK_BOOTTIME', time.CLOCK_MONOTONIC)


@cache
def boot() -> str:
    """Names this run of the machine: ticks of two processes compare when it is the same."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        # elsewhere a steady clock is compared within one process only
        return secrets.token_hex(8)


def tick() -> float:
    """Seconds on a clock that nobody sets."""
    return time.clock_gettime(_CLOCK)


@cache
def _name_of(pid: int) -> str:
    return f'{socket.gethostname()}-{pid}-{secrets.token_hex(4)}'


def me() -> str:
    """This process, among all of them, now and later; a fork has a name of its own."""
    return _name_of(os.getpid())
