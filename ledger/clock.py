"""A point in time that can be compared when somebody sets the clock.

The database's clock is the one that all servers share; it may jump, when somebody sets it, or when
another machine becomes the database. A machine's steady clock counts from its boot and never jumps,
but two machines have two of them. So a `Moment` notes both, and a span of time is taken from one
clock only: the steady one where both ends were read off the same, else the database's.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time.

    `at`: the database's clock, UTC without a zone. `boot`: names the machine's run whose steady
    clock was read; '' when none was. `tick`: that clock, in seconds.
    """

    at: datetime
    boot: str = ''
    tick: float = 0.0

    def since(self, earlier: 'Moment') -> float:
        """Seconds that have passed since `earlier`; negative when it was later."""
        if self.boot and self.boot == earlier.boot:
            return self.tick - earlier.tick
        return (self.at - earlier.at).total_seconds()

    def plus(self, seconds: float) -> 'Moment':
        """This many seconds later."""
        return Moment(self.at + timedelta(seconds=seconds), self.boot, self.tick + seconds)
