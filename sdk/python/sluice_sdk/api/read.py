"""Reading a resource: pages into batches, and a checkpoint wherever what was read is complete up to a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..arrow import Rows
from ..errors import Error, Kind
from ..output import Channel, Output
from . import increment as increments
from .client import Api
from .page import Page, pages

if TYPE_CHECKING:
    from .columns import Columns
    from .resource import Resource

#: The cursor of a full read that has ended.
_DONE = b'{"version":1,"done":true}'


def read(api: Api, resource: Resource, descriptor: dict[str, Any], start: bytes | None, output: Output) -> None:
    """Reads what a descriptor says, from a checkpoint or from the beginning."""
    columns = resource.columns.select(descriptor["columns"])
    channel = output.stream(resource.id, columns.schema())
    rows = _Pushed(columns, channel, descriptor["batch_bytes"])
    bounds = descriptor["increment"]
    if bounds is None:
        _full(api, resource, start, rows)
    elif resource.increment is None:
        raise Error(Kind.UNSUPPORTED, "the split was planned for increments, which this version does not read")
    else:
        _Incremental(api, resource, rows).read(bounds, start)


def _full(api: Api, resource: Resource, start: bytes | None, rows: _Pushed) -> None:
    if start == _DONE:
        return
    for page in pages(api, resource.path, list(resource.query), resource.records, resource.paging):
        for at, record in enumerate(page.records):
            rows.append(page, at, record)
            if rows.rows.is_full():
                rows.push()
    rows.push()
    rows.channel.checkpoint(_DONE)


class _Pushed:
    """The rows on their way out."""

    def __init__(self, columns: Columns, channel: Channel, target: int) -> None:
        self.columns = columns
        self.channel = channel
        self.rows = Rows(channel.schema, target)

    def append(self, page: Page, at: int, record: Any) -> None:
        try:
            self.rows.append(self.columns.row(record))
        except Error as error:
            raise page.context(at, error) from None

    def push(self) -> None:
        self.channel.push(self.rows.take())


class _Incremental:
    def __init__(self, api: Api, resource: Resource, rows: _Pushed) -> None:
        assert resource.increment is not None
        self.api = api
        self.resource = resource
        self.increment = resource.increment
        self.by = resource.columns.named(resource.increment.column)
        self.rows = rows
        # The greatest value that was read.
        self.reached: Any = None

    def read(self, bounds: dict[str, Any], start: bytes | None) -> None:
        low, until = (None if bounds[name] is None else increments.parse(self.by, bounds[name]) for name in ("from", "until"))
        self.reached = low if start is None else increments.decode(self.by, start)
        ranges = self.increment.ranges(self.by, self.reached, until)
        if not ranges:
            self._checkpoint()
        for at, (low, high) in enumerate(ranges):
            if not self._range(low, high):
                return
            # Up to the end of a window all is read. Of the last one that is not said: what comes late may still be new.
            if at < len(ranges) - 1 and (self.reached is None or self.reached < high):
                self.reached = high
            self.rows.push()
            if not self._checkpoint():
                return

    def _range(self, low: Any, high: Any) -> bool:
        query = [*self.resource.query, *self.increment.query(self.by, (low, high))]
        for page in pages(self.api, self.resource.path, query, self.resource.records, self.resource.paging):
            for at, record in enumerate(page.records):
                try:
                    value = self.by.of(record)
                except Error as error:
                    raise page.context(at, error) from None
                if value is None:
                    raise page.context(at, Error(Kind.PROTOCOL, f'field "{self.by.at}", by which increments are read, is null'))
                wanted = (low is None or value > low) and (high is None or value <= high)
                if wanted and not self._row(page, at, record, value):
                    return False
        return True

    def _row(self, page: Page, at: int, record: Any, value: Any) -> bool:
        grows = self.reached is None or value > self.reached
        if self.increment.ascending and not grows and value != self.reached:
            message = f"its {self.by.name} is smaller than that of the record before, and the API is said to sort by it"
            raise page.context(at, Error(Kind.PROTOCOL, message))
        if self.rows.rows.is_full():
            self.rows.push()
            # Only between two values: records that share one must not be torn apart by a checkpoint.
            if self.increment.ascending and grows and not self._checkpoint():
                return False
        self.rows.append(page, at, record)
        if grows:
            self.reached = value
        return True

    def _checkpoint(self) -> bool:
        return self.rows.channel.checkpoint(increments.encode(self.by, self.reached))
