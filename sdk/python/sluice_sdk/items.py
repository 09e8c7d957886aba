"""What a stream's state remembers item by item, where a cursor of 64 KiB is too small: of each of a million files, say, which version of
it was read. Only while `plan` runs, and for the streams that it was asked to plan; `wit/README.md` says when what is remembered holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from . import host

#: Most keys or entries of one call of the host; more are handed over in several.
MAX_PER_CALL = 10_000

#: Longest key in UTF-8, and longest value, bytes.
MAX_KEY_BYTES = 4 << 10
MAX_VALUE_BYTES = 255

#: The column that says which file a row is of, in streams whose changed files are replaced.
FILE_COLUMN = "_sluice_file"


def recall(stream: str, keys: Sequence[str]) -> list[bytes | None]:
    """What committed reads left under these keys, in their order; None where nothing is, and for a stream that is read in full."""
    found: list[bytes | None] = []
    for some in _in_parts(keys):
        found += host.call(host.module("items").recall, stream, some)
    return found


def remember(stream: str, entries: Mapping[str, bytes]) -> None:
    """Remembers values under their keys once the plan has been carried out. A later value replaces an earlier one; items that are not
    named stay, unless the stream is read in full: then only what is remembered now will be. Values should carry a version of their own."""
    for some in _in_parts(entries.items()):
        host.call(host.module("items").remember, stream, some)


def replace(stream: str, files: Iterable[str]) -> None:
    """Names files whose rows this plan replaces: those that the table has of them go in the moment in which the plan's rows become
    visible. Only for a stream whose `Selection.changed_files` is "replace"; its last column is `FILE_COLUMN`, text that is never null."""
    for some in _in_parts(files):
        host.call(host.module("items").replace, stream, some)


def _in_parts(all: Iterable[Any]) -> Iterator[list[Any]]:
    """No more at once than the host takes."""
    rest = iter(all)
    while some := list(islice(rest, MAX_PER_CALL)):
        yield some
