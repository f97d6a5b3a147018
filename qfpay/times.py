"""Times as QFPay writes them: Hong Kong's clock, `YYYY-MM-DD hh:mm:ss` (the protocol, B14)."""

import re
from datetime import datetime, timedelta, timezone

from .errors import InvalidRequest

#: no summer time since 1979
HONG_KONG = timezone(timedelta(hours=8), 'HKT')
_FORMAT = '%Y-%m-%d %H:%M:%S'
_FORM = re.compile(r'([0-9]{4})-?([0-9]{2})-?([0-9]{2})[ T]?([0-9]{2}):?([0-9]{2}):?([0-9]{2})')


def in_hong_kong(moment: datetime) -> datetime:
    """The same moment on Hong Kong's clock. Raises InvalidRequest when it names no time zone."""
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise InvalidRequest('A time must say in which zone it is.', 'time')
    return moment.astimezone(HONG_KONG)


def to_text(moment: datetime) -> str:
    """A moment as QFPay writes it."""
    return in_hong_kong(moment).strftime(_FORMAT)


def from_text(text: str | None) -> datetime | None:
    """The moment that QFPay wrote, with signs between the digits or without; None if it is none."""
    match = _FORM.fullmatch(text or '')
    if not match:
        return None
    year, month, day, hour, minute, second = map(int, match.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=HONG_KONG)
    except ValueError:
        return None


def months(since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """The time from `since` to `until` in pieces that each lie in one month, the newest first."""
    first, last = in_hong_kong(since), in_hong_kong(until)
    pieces = []
    while first <= last:
        begin = max(first, last.replace(day=1, hour=0, minute=0, second=0, microsecond=0))
        pieces.append((begin, last))
        last = begin - timedelta(seconds=1)
    return pieces
