"""Reading what is new: from where, up to where, and in which windows."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from ..errors import Error, Kind
from .columns import Field

#: Form of states; a newer connector reads what an older one stored.
_VERSION = 1
_DAY = 86_400_000_000
_HINT = "reset the stream's state to read all rows again"


@dataclass(frozen=True)
class Increment:
    """How an API is asked for records beyond a value of a column, which should be one that every change of a record sets anew.

    A state is the greatest value that was read; records with that value or a smaller one are left out when the API sends them again.
    Where the column is a moment, records of the last seconds are left to the next run: another record with the very same moment may
    still be on its way.
    """

    column: str
    since: str
    until: str | None = None
    ascending: bool = False
    settle: float = 5.0
    windows: tuple[int, str] | None = None

    @staticmethod
    def by(column: str, since: str, *, until: str | None = None, ascending: bool = False, settle: float = 5.0) -> Increment:
        """By this column; `since` is the request's parameter that leaves out records with smaller values, `until` that for greater
        ones. `ascending`: the API sorts by it, so that a read goes on from its last checkpoint. `settle`: how old a record must be,
        in seconds."""
        return Increment(column, since, until, ascending, settle)

    def in_windows(self, days: int, first: str) -> Increment:
        """Asks for so many days at a time, the first ones since `first`. Needs `until` and a column that is a moment."""
        return replace(self, windows=(max(days, 1), first))

    def bound(self, field: Field, now: int) -> Any:
        """Up to where a plan that is made now reads; None if there is no such bound."""
        return field.type.moment(now - round(self.settle * 1e6)) if field.type.moment else None

    def ranges(self, field: Field, start: Any, end: Any) -> list[tuple[Any, Any]]:
        """What is asked for one after the other: values beyond the first and up to the second."""
        if start is not None and end is not None and start >= end:
            return []
        if self.windows is None:
            return [(start, end)]
        if self.until is None or end is None:
            raise Error(Kind.INTERNAL, f"windows of column {field.name} need a moment and a parameter `until`")
        days, first = self.windows
        ranges, low = [], start
        at = parse(field, first) if start is None else start
        while True:
            high = min(at + days * _DAY, end)
            ranges.append((low, high))
            if high >= end:
                return ranges
            low = at = high

    def query(self, field: Field, bounds: tuple[Any, Any]) -> list[tuple[str, str]]:
        """The parameters that ask for a range."""
        pairs = zip((self.since, self.until), bounds, strict=True)
        return [(name, show(field, value)) for name, value in pairs if name is not None and value is not None]


def show(field: Field, value: Any) -> str:
    """As states and requests spell a value."""
    return _ordered(field).show(value)


def parse(field: Field, text: str) -> Any:
    """The value that was shown so."""
    value = _ordered(field).parse(text)
    if value is None:
        raise Error(Kind.CONFIG, f"the stored state is no value of column {field.name}; {_HINT}")
    return value


def _ordered(field: Field) -> Any:
    if field.type.show is None or field.type.parse is None:
        raise Error(Kind.UNSUPPORTED, f"column {field.name} has no order that increments can be read by")
    return field.type


def encode(field: Field, value: Any) -> bytes:
    """The state up to a value; None where there was no record yet."""
    shown = None if value is None else show(field, value)
    return json.dumps({"version": _VERSION, "column": field.name, "value": shown}, separators=(",", ":")).encode()


def decode(field: Field, cursor: bytes) -> Any:
    """The value that was stored."""
    try:
        state = json.loads(cursor)
        version, column, value = state["version"], state["column"], state["value"]
    except (ValueError, KeyError, TypeError):
        raise Error(Kind.CONFIG, f"the stored state is not one of this connector's; {_HINT}") from None
    if version != _VERSION:
        raise Error(
            Kind.UNSUPPORTED,
            f"the stored state has form {version}, and this connector knows form {_VERSION}; use a newer one",
        )
    if column != field.name:
        raise Error(Kind.CONFIG, f"the stored state belongs to column {column}, not {field.name}; {_HINT}")
    return None if value is None else parse(field, str(value))
