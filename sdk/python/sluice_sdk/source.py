"""The class that an author derives from, and the words it uses. They mean what wit/v0.1/source.wit says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from .errors import Error, Kind

if TYPE_CHECKING:
    from .arrow import Schema
    from .manifest import Manifest
    from .output import Output


@dataclass
class CheckStep:
    """One step of a check. `outcome` is passed, warned, failed or skipped; `remedy` is what a person can do."""

    name: str
    outcome: str
    detail: str
    remedy: str = ""


@dataclass
class DiscoverFilter:
    """Which streams to list; empty means all."""

    contains: str = ""
    ids: list[str] = field(default_factory=list)
    page_size: int = 1000


@dataclass
class StreamInfo:
    """A stream that the connection offers. `kind` is table, view, materialized-view, partitioned-table, query, files or other."""

    id: str
    schema: Schema
    kind: str = "table"
    primary_key: list[str] = field(default_factory=list)
    cursor_candidates: list[str] = field(default_factory=list)
    rows: int | None = None
    bytes: int | None = None
    description: str | None = None


@dataclass
class DiscoverPage:
    """Streams, ordered by id; `next` is for the next call and None on the last page."""

    streams: list[StreamInfo]
    next: str | None = None


@dataclass
class Selection:
    """A stream that was chosen. `increment` is None for a full read, else the cursor column (empty where none is needed)."""

    id: str
    columns: list[str] = field(default_factory=list)
    increment: str | None = None
    filter: str | None = None
    changed_files: str | None = None
    state: bytes | None = None


@dataclass
class Hints:
    """What the host would like of a plan."""

    max_parallel: int = 1
    split_bytes: int = 64 << 20
    batch_bytes: int = 1 << 20


@dataclass
class StreamPlan:
    """What is known of a stream before it is read."""

    id: str
    schema: Schema
    rows: int | None = None
    bytes: int | None = None
    state_after: bytes | None = None


@dataclass
class Split:
    """An independent part of a read. `descriptor` is everything that `read` needs, at most 1 MiB."""

    id: str
    streams: list[str]
    descriptor: bytes = b""
    rows: int | None = None
    bytes: int | None = None
    resumable: bool = False


@dataclass
class Plan:
    """How the selected streams will be read. `expires` as in the contract's `read-plan`."""

    streams: list[StreamPlan] = field(default_factory=list)
    splits: list[Split] = field(default_factory=list)
    expires: bool = False


class Source:
    """A source of rows. One object serves one call; the one that planned is kept until every split has been read."""

    manifest: ClassVar[Manifest]

    def check(self) -> list[CheckStep]:
        """Tries the configuration. An unusable source is a report with a failed step, not an error."""
        raise NotImplementedError

    def discover(self, filter: DiscoverFilter, page: str | None) -> DiscoverPage:
        """Lists streams, ordered by id, page by page."""
        raise NotImplementedError

    def plan(self, selections: list[Selection], hints: Hints) -> Plan:
        """Decides how to read the selected streams."""
        raise NotImplementedError

    def read(self, split: Split, start: bytes | None, output: Output) -> None:
        """Reads one split to its end. `start` is the cursor of its last durable checkpoint."""
        raise NotImplementedError

    def acknowledge(self, stream: str, cursor: bytes) -> None:
        """Everything up to the cursor is durable and may be forgotten at the source."""


def not_found(what: str, name: str, known: list[str]) -> Error:
    """That something does not exist, and what does."""
    return Error(Kind.NOT_FOUND, f"there is no {what} {name}; there are {', '.join(known)}")
