"""Where a read sends its rows."""

from __future__ import annotations

from typing import Any

from . import host
from .arrow import Schema, batch


class Channel:
    """A stream that was declared in this read."""

    def __init__(self, number: int, schema: Schema) -> None:
        self._number = number
        self._rows = 0
        self.schema = schema

    def push(self, columns: list[list[Any]]) -> None:
        """Sends columns of equal length in the schema's order, None for null; waits until the host has room.

        Whole numbers, days and microseconds are int, decimals whole numbers of their last digit, texts str, binaries bytes.
        """
        if not columns or not columns[0]:
            return
        metadata, pieces = batch(self.schema, columns)
        host.call(host.module("output").push_parts, self._number, metadata, pieces)
        self._rows += len(columns[0])

    def push_rows(self, rows: list[list[Any]]) -> None:
        """Sends rows of one value per column."""
        self.push([list(column) for column in zip(*rows, strict=True)])

    def checkpoint(self, cursor: bytes) -> bool:
        """States that all that was pushed is complete up to the cursor. False asks to return from `read` now."""
        output = host.module("output")
        answer = host.call(output.checkpoint, self._number, cursor, self._rows)
        return answer != output.Directive.STOP


class Output:
    """The output of a read."""

    def stream(self, id: str, schema: Schema) -> Channel:
        """Declares a stream of the split; its first schema must be the plan's."""
        number = host.call(host.module("output").declare, id, schema.message())
        return Channel(number, schema)
