"""A stream described by what it is asked for, and a connector's four verbs made of such descriptions."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field

from ..errors import Error, Kind
from ..output import Output
from ..source import (
    CheckStep,
    DiscoverFilter,
    DiscoverPage,
    Hints,
    Plan,
    Selection,
    Split,
    StreamInfo,
    StreamPlan,
    not_found,
)
from . import increment as increments
from .client import Api
from .columns import Columns
from .increment import Increment
from .page import Paging
from .read import read

#: Form of the descriptor; a newer connector may read what an older one planned.
_VERSION = 1


@dataclass(frozen=True)
class Resource:
    """One resource of an API, as a stream. `records` is a JSON pointer to the list of records in an answer; empty where the answer is
    the list."""

    id: str
    path: str
    columns: Columns
    records: str = ""
    paging: Paging = field(default_factory=Paging)
    query: tuple[tuple[str, str], ...] = ()
    key: tuple[str, ...] = ()
    increment: Increment | None = None
    description: str | None = None

    def info(self) -> StreamInfo:
        """What discover tells of it."""
        return StreamInfo(
            id=self.id,
            schema=self.columns.schema(),
            kind="other",
            primary_key=list(self.key),
            cursor_candidates=[self.increment.column] if self.increment else [],
            description=self.description,
        )

    def plan(self, selection: Selection, hints: Hints, now: int) -> tuple[StreamPlan, Split]:
        """One split, which knows all that reading it takes."""
        if selection.filter is not None:
            raise Error(Kind.UNSUPPORTED, "this connector takes no row restriction")
        schema = self.columns.select(selection.columns).schema()
        descriptor = {
            "version": _VERSION, "stream": self.id, "columns": selection.columns, "batch_bytes": hints.batch_bytes,
            "increment": None if selection.increment is None else self._bounds(selection.increment, selection.state, now),
        }
        split = Split(
            self.id, [self.id], json.dumps(descriptor).encode(), resumable=descriptor["increment"] is not None
        )
        return StreamPlan(self.id, schema), split

    def _bounds(self, column: str, state: bytes | None, now: int) -> dict[str, str | None]:
        if self.increment is None or column not in ("", self.increment.column):
            known = f"column {self.increment.column}" if self.increment else "no column"
            raise Error(Kind.CONFIG, f"increments of this stream are read by {known}, not by {column!r}")
        by = self.columns.named(self.increment.column)
        bounds = {
            "from": None if state is None else increments.decode(by, state),
            "until": self.increment.bound(by, now),
        }
        return {name: None if value is None else increments.show(by, value) for name, value in bounds.items()}


class Resources:
    """All resources of a connector, and its verbs."""

    def __init__(self, *resources: Resource) -> None:
        self._all = {one.id: one for one in sorted(resources, key=lambda one: one.id)}

    def check(self, api: Api) -> list[CheckStep]:
        """Asks for the first page of the first resource."""
        first = next(iter(self._all.values()))
        return [api.check(first.path, list(first.query))]

    def discover(self, filter: DiscoverFilter, page: str | None) -> DiscoverPage:
        """Lists the resources."""
        contains = filter.contains.lower()
        found = [
            one
            for one in self._all.values()
            if contains in one.id.lower()
            and (not filter.ids or one.id in filter.ids)
            and (page is None or one.id > page)
        ]
        shown = found[: filter.page_size]
        return DiscoverPage([one.info() for one in shown], shown[-1].id if len(found) > len(shown) else None)

    def plan(self, selections: list[Selection], hints: Hints) -> Plan:
        """Plans one split for each selection."""
        now = time.time_ns() // 1000
        plan = Plan()
        for selection in selections:
            try:
                stream, split = self._find(selection.id).plan(selection, hints, now)
            except Error as error:
                error.stream = selection.id
                raise
            plan.streams.append(stream)
            plan.splits.append(split)
        return plan

    def read(self, api: Api, split: Split, start: bytes | None, output: Output) -> None:
        """Reads a split that `plan` made."""
        descriptor = json.loads(split.descriptor)
        if descriptor["version"] != _VERSION:
            raise Error(
                Kind.UNSUPPORTED,
                f"the split was planned in form {descriptor['version']}, known is {_VERSION}; plan the run again",
            )
        resource = self._find(descriptor["stream"])
        try:
            read(api, resource, descriptor, start, output)
        except Error as error:
            error.stream = resource.id
            raise

    def _find(self, id: str) -> Resource:
        if id not in self._all:
            raise not_found("stream", id, list(self._all))
        return self._all[id]
