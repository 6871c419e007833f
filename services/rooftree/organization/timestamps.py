"""
RFC 3339 times, read and written.

https://datatracker.ietf.org/doc/html/rfc3339#section-5.6
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from rooftree.errors import InputError

__all__ = ["format_time", "parse_time"]

_RFC_3339 = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,12}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))\Z",
    re.ASCII,
)


def parse_time(text: str) -> datetime:
    """
    Read an RFC 3339 time as UTC, to the microsecond.

    Raises:
        InputError: The text is no such time, or lies outside of the years 1 to 9999.
    """
    match = _RFC_3339.match(text)
    if match is None:
        raise InputError(f"expected an RFC 3339 time such as `2026-01-31T12:00:00Z`, found `{text[:64]}`")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    microsecond = int((match[7] or "0").ljust(6, "0")[:6])
    try:
        zone = _offset(match[8], match[9], match[10])
        # The grammar allows a leap second, which datetime cannot hold; the last moment before it sorts the same.
        leap = second == 60
        moment = datetime(
            year, month, day, hour, minute, 59 if leap else second, 999_999 if leap else microsecond, zone
        )
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InputError(f"no such time: `{text[:64]}`") from error


def _offset(sign: str | None, hours: str | None, minutes: str | None) -> timezone:
    if sign is None or hours is None or minutes is None:
        return UTC
    if int(hours) > 23 or int(minutes) > 59:
        raise ValueError
    distance = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-distance if sign == "-" else distance)


@lru_cache(maxsize=64)
def format_time(moment: datetime) -> str:
    """
    Write *moment* as RFC 3339 in UTC, with a fraction only where there is one.
    """
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
