"""Dates and times as JSON APIs write them: strictly, to the microsecond, from the year 1 to 9999."""

from __future__ import annotations

import re
from datetime import date

_EPOCH = date(1970, 1, 1).toordinal()
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)\Z", re.ASCII)
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?)?\Z", re.ASCII
)


def days(text: str) -> int | None:
    """Days since 1970-01-01 of `YYYY-MM-DD`."""
    found = _DATE.match(text)
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3])).toordinal() - _EPOCH
    except ValueError:
        return None


def micros(text: str) -> tuple[int, bool] | None:
    """Microseconds since 1970, and whether there was a zone. A date alone is its midnight. Digits beyond microseconds must be zeros."""
    found = _TIME.match(text)
    day = days(found[1]) if found else None
    if found is None or day is None:
        return None
    hour, minute, second = int(found[2] or 0), int(found[3] or 0), int(found[4] or 0)
    fraction = found[5] or ""
    east_hour, east_minute = int(found[8] or 0), int(found[9] or 0)
    if hour > 23 or minute > 59 or second > 59 or east_hour > 23 or east_minute > 59 or fraction[6:].strip("0"):
        return None
    east = (east_hour * 60 + east_minute) * (-1 if found[7] == "-" else 1)
    seconds = day * 86_400 + hour * 3600 + (minute - east) * 60 + second
    return seconds * 1_000_000 + int(fraction[:6].ljust(6, "0")), bool(found[6] or found[7])


def show_days(value: int) -> str:
    """`YYYY-MM-DD`."""
    return date.fromordinal(value + _EPOCH).isoformat()


def show_micros(value: int, zone: str) -> str:
    """A time in UTC, with a fraction only where it has one; `zone` is written after it."""
    seconds, fraction = divmod(value, 1_000_000)
    day, of_day = divmod(seconds, 86_400)
    tail = f".{fraction:06}" if fraction else ""
    return f"{show_days(day)}T{of_day // 3600:02}:{of_day // 60 % 60:02}:{of_day % 60:02}{tail}{zone}"
