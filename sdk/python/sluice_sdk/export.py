"""From the component's exports to the author's source."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from typing import Any

from . import host, log
from .errors import Error, Kind
from .output import Output
from .source import CheckStep, DiscoverFilter, Hints, Selection, Source, Split, StreamInfo


def export(source: type[Source]) -> type:
    """The class that the component exports; the author's module must call it `Source`."""

    class Exported:
        manifest = source.manifest
        # The source that planned: the host keeps the instance, and what it holds open must live as long.
        planned: Source | None = None

        def check(self, config: str) -> Any:
            return _answer(lambda: [_check_step(step) for step in _open(source, config).check()])

        def discover(self, config: str, filter: Any, page: str | None) -> Any:
            def discover() -> Any:
                wanted = DiscoverFilter(filter.contains, filter.ids, max(filter.page_size, 1))
                found = _open(source, config).discover(wanted, page)
                return _wit().DiscoverPage([_stream_info(stream) for stream in found.streams], found.next)

            return _answer(discover)

        def plan(self, config: str, selections: list[Any], hints: Any) -> Any:
            def plan() -> Any:
                opened = _open(source, config)
                wanted = Hints(max(hints.max_parallel, 1), max(hints.split_bytes, 1), max(hints.batch_bytes, 1))
                made = opened.plan([_selection(selection) for selection in selections], wanted)
                Exported.planned = opened
                streams = [
                    _wit().StreamPlan(one.id, one.schema.message(), one.rows, one.bytes, one.state_after)
                    for one in made.streams
                ]
                splits = [
                    _wit().Split(one.id, one.streams, one.descriptor, one.rows, one.bytes, one.resumable)
                    for one in made.splits
                ]
                return _wit().ReadPlan(streams, splits, made.expires)

            return _answer(plan)

        def read(self, config: str, split: Any, start: bytes | None) -> None:
            def read() -> None:
                wanted = Split(split.id, split.stream_ids, split.descriptor, split.rows, split.bytes, split.resumable)
                _open(source, config).read(wanted, start, Output())

            _answer(read)

        def acknowledge(self, config: str, stream_id: str, cursor: bytes) -> None:
            _answer(lambda: _open(source, config).acknowledge(stream_id, cursor))

        def close(self) -> None:
            Exported.planned = None

    return Exported


def _wit() -> Any:
    return host.exports


def _open(source: type[Source], config: str) -> Source:
    try:
        parsed = source.manifest.config.parse(config)
    except (json.JSONDecodeError, TypeError) as error:
        raise Error(Kind.CONFIG, f"the configuration does not fit the connector's schema: {error}") from None
    return source(parsed)


def _answer(verb: Callable[[], Any]) -> Any:
    """What a verb returns, or its error in the contract's words. What is no `Error` is a defect, and its trace goes to the log."""
    try:
        return verb()
    except Error as error:
        told = error
    except Exception as error:
        log.error(traceback.format_exc())
        last = traceback.extract_tb(error.__traceback__)[-1]
        told = Error(Kind.INTERNAL, f"{type(error).__name__}: {error} ({last.filename.rsplit('/', 1)[-1]}, line {last.lineno})")
    types = host.module("sluice_source_types")
    wait = None if told.retry_after is None else max(0, round(told.retry_after * 1000))
    raise host.wit.Err(types.Error(types.ErrorKind[told.kind.name], told.message, wait, told.field, told.stream))


def _check_step(step: CheckStep) -> Any:
    return _wit().CheckStep(step.name, _wit().Outcome[step.outcome.upper()], step.detail, step.remedy)


def _stream_info(info: StreamInfo) -> Any:
    kind = _wit().StreamKind[info.kind.upper().replace("-", "_")]
    return _wit().StreamInfo(
        info.id, kind, info.schema.message(), info.primary_key, info.cursor_candidates, info.rows, info.bytes, info.description
    )


def _selection(selection: Any) -> Selection:
    changed = selection.changed_files
    return Selection(
        selection.id,
        selection.columns,
        getattr(selection.mode, "value", None),
        selection.filter,
        None if changed is None else changed.name.lower(),
        selection.state,
    )
