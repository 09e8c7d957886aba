"""How a field of a JSON record is written, and what it becomes: `types.INT`, `types.decimal(12, 2)`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import arrow
from . import times

_INTEGER = re.compile(r"-?\d+\Z", re.ASCII)
_PLAIN = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?\Z", re.ASCII)

#: Most significant digits of a JSON number that survive being read as one.
_EXACT_DIGITS = 15


@dataclass(frozen=True)
class Type:
    """How a field of a record is written, and what it becomes."""

    name: str
    wants: str
    arrow: arrow.Type
    convert: Callable[[Any], Any]
    #: As states and requests spell a value, and back; None where values have no order.
    show: Callable[[Any], str] | None = None
    parse: Callable[[str], Any] | None = None
    #: The value of a moment in microseconds since 1970; None for types that are none.
    moment: Callable[[int], int] | None = None


def _bool(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _int(value: Any) -> int | None:
    if isinstance(value, str) and len(value) <= 20 and _INTEGER.match(value):
        value = int(value)
    fits = type(value) is int and -(2**63) <= value < 2**63
    return value if fits else None


def _float(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) else None


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    return None if isinstance(value, list | dict) else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _date(value: Any) -> int | None:
    return times.days(value) if isinstance(value, str) else None


def _time(zoned: bool) -> Callable[[Any], int | None]:
    def convert(value: Any) -> int | None:
        found = times.micros(value) if isinstance(value, str) else None
        return found[0] if found and found[1] == zoned else None

    return convert


def _epoch(unit: int) -> Callable[[Any], int | None]:
    return lambda value: value * unit if type(value) is int and abs(value * unit) < 2**63 else None


def _decimal(precision: int, scale: int) -> Callable[[Any], int | None]:
    def convert(value: Any) -> int | None:
        if type(value) not in (str, int, float):
            return None
        text = value.strip() if isinstance(value, str) else repr(value)
        found = _PLAIN.match(text)
        if found is None or not (found[2] or found[3]):
            return None
        sign, whole, fraction, exponent = found[1], found[2], found[3] or "", int(found[4] or 0)
        digits = (whole + fraction).lstrip("0")
        if isinstance(value, float) and len(digits.rstrip("0")) > _EXACT_DIGITS:
            return None
        shift = scale - len(fraction) + exponent
        if shift < 0:
            if digits[shift:].strip("0"):
                return None
            digits = digits[:shift]
        elif shift > 100 or len(digits) > 100:
            return None if digits else 0
        else:
            digits += "0" * shift
        number = int(digits or 0)
        if number >= 10**precision:
            return None
        return -number if sign == "-" else number

    return convert


#: `true` or `false`.
BOOL = Type("bool", "true or false", arrow.BOOL, _bool)
#: A whole number of 64 bits, as a number or as a text.
INT = Type("int", "a whole number of 64 bits", arrow.INT, _int, str, _int)
#: A double.
FLOAT = Type("float", "a number", arrow.FLOAT, _float)
#: A text; numbers and truth values become their spelling.
TEXT = Type("text", "a text", arrow.TEXT, _text, str, str)
#: Anything, objects and lists among it, kept as JSON text.
JSON = Type("json", "JSON", arrow.TEXT, _json)
#: `2024-12-31`.
DATE = Type("date", "a date such as 2024-12-31", arrow.DATE, _date, times.show_days, times.days)
#: `2024-12-31T23:59:59.123456+01:00`: a moment, which needs a zone.
TIMESTAMP = Type(
    "timestamp", "a time with its zone such as 2024-12-31T23:59:59Z", arrow.TIMESTAMP, _time(True),
    lambda value: times.show_micros(value, "Z"), _time(True), int,
)
#: The same without a zone: what a clock on the wall showed.
LOCAL_TIMESTAMP = Type(
    "local_timestamp", "a time without a zone such as 2024-12-31T23:59:59", arrow.LOCAL_TIMESTAMP, _time(False),
    lambda value: times.show_micros(value, ""), _time(False),
)
#: Seconds since 1970, as a number: a moment.
EPOCH_SECONDS = Type(
    "epoch_seconds", "seconds since 1970", arrow.TIMESTAMP, _epoch(1_000_000),
    lambda value: str(value // 1_000_000), lambda text: _epoch(1_000_000)(_int(text)),
    lambda now: now // 1_000_000 * 1_000_000,
)
#: Milliseconds since 1970, as a number: a moment.
EPOCH_MILLIS = Type(
    "epoch_millis", "milliseconds since 1970", arrow.TIMESTAMP, _epoch(1000),
    lambda value: str(value // 1000), lambda text: _epoch(1000)(_int(text)), lambda now: now // 1000 * 1000,
)


def decimal(precision: int, scale: int) -> Type:
    """A decimal of this precision (at most 38) and scale, as a text or a number. Numbers of more than 15 digits are refused."""
    wants = f"a number of at most {precision} digits, {scale} of them behind the point"
    return Type("decimal", wants, arrow.Type.decimal(precision, scale), _decimal(precision, scale))


def kind(value: Any) -> str:
    """What a value is, without saying which: rows are nobody's to read in a log."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int():
            return "a whole number"
        case float():
            return "a number with a fraction or an exponent"
        case str():
            return f"a text of {len(value)} characters"
        case list():
            return f"a list of {len(value)}"
        case _:
            return "an object"


def pointer(value: Any, path: str) -> Any:
    """What a JSON pointer leads to; None where there is nothing."""
    for part in path.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
