"""Hands the same rows over again and again, in each of the ways that there are: `cargo xtask bench columns`."""

from sluice_sdk import (
    CheckStep, Config, DiscoverFilter, DiscoverPage, Error, Hints, Kind, Manifest, Output, Plan, Schema, Selection, Source, Split,
    StreamPlan, export, field, host,
)
from sluice_sdk.arrow import BOOL, FLOAT, INT, TEXT, TIMESTAMP, Column, Rows


class RowsConfig(Config):
    """What to hand over."""

    way: str = field("`arrow`: columns that are there; `builder`: row by row; `columns`: the contract's `push-columns`.")
    rows: int = field("Rows altogether.")
    batch: int = field("Rows of a batch.")


SCHEMA = Schema((
    Column("id", INT, nullable=False), Column("name", TEXT), Column("price", FLOAT), Column("at", TIMESTAMP), Column("paid", BOOL),
))


class Ways(Source):
    """Rows that are there before the first is handed over."""

    manifest = Manifest(
        name="rows", version="0.1.0", title="Rows", description="Hands the same rows over again and again.", config=RowsConfig,
    )

    def __init__(self, config: RowsConfig) -> None:
        self.config = config

    def check(self) -> list[CheckStep]:
        return [CheckStep("rows", "passed", "there are rows")]

    def discover(self, filter: DiscoverFilter, page: str | None) -> DiscoverPage:
        return DiscoverPage([])

    def plan(self, selections: list[Selection], hints: Hints) -> Plan:
        return Plan([StreamPlan("numbers", SCHEMA, state_after=b"")], [Split("all", ["numbers"])])

    def read(self, split: Split, start: bytes | None, output: Output) -> None:
        ids = range(self.config.batch)
        columns = [
            list(ids), [f"name {id}" if id % 7 else None for id in ids], [id / 7 for id in ids],
            [1_700_000_000_000_000 + id for id in ids], [id % 2 == 0 for id in ids],
        ]
        rows = [list(row) for row in zip(*columns, strict=True)]
        channel = output.stream("numbers", SCHEMA)
        for _ in range(self.config.rows // self.config.batch):
            if self.config.way == "arrow":
                channel.push(columns)
            elif self.config.way == "builder":
                built = Rows(SCHEMA, 1 << 30)
                for row in rows:
                    built.append(row)
                channel.push(built.take())
            elif self.config.way == "columns":
                self.push_columns(columns)
            else:
                raise Error(Kind.CONFIG, f"{self.config.way} is no way", field="/way")

    def push_columns(self, columns: list[list]) -> None:
        wit = host.module("output")
        kinds = [wit.Column_Integers, wit.Column_Texts, wit.Column_Numbers, wit.Column_Integers, wit.Column_Booleans]
        host.call(wit.push_columns, 0, [kind(values) for kind, values in zip(kinds, columns, strict=True)])


Source = export(Ways)
