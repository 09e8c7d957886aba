"""JSON records into columns, with types that the connector declares."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .. import arrow
from ..errors import Error, Kind
from ..source import not_found
from .types import JSON, Type, kind, pointer


@dataclass(frozen=True)
class Field:
    """A column, and where in a record it is."""

    name: str
    type: Type
    nullable: bool
    at: str
    description: str | None = None

    def of(self, record: Any) -> Any:
        """The value of a record."""
        value = pointer(record, self.at)
        if value is None:
            if self.nullable:
                return None
            raise Error(Kind.PROTOCOL, f'field "{self.at}" is missing or null, and must not be')
        found = self.type.convert(value)
        if found is None:
            raise Error(Kind.PROTOCOL, f'field "{self.at}" is {kind(value)}, and should be {self.type.wants}')
        return found

    def column(self) -> arrow.Column:
        """As Arrow has it."""
        metadata = {"sluice:logical-type": "json"} if self.type is JSON else {}
        if self.description:
            metadata["sluice:description"] = self.description
        return arrow.Column(self.name, self.type.arrow, self.nullable, metadata)


@dataclass(frozen=True)
class Columns:
    """The columns of a resource, in order."""

    fields: tuple[Field, ...] = field(default_factory=tuple)

    def required(self, name: str, type: Type) -> Columns:
        """Adds a column whose field every record has."""
        return self._with(name, type, nullable=False)

    def optional(self, name: str, type: Type) -> Columns:
        """Adds a column whose field may be null or missing."""
        return self._with(name, type, nullable=True)

    def at(self, pointer: str) -> Columns:
        """Says where the column that was added last is in a record: a JSON pointer."""
        return Columns((*self.fields[:-1], replace(self.fields[-1], at=pointer)))

    def described(self, description: str) -> Columns:
        """Describes the column that was added last."""
        return Columns((*self.fields[:-1], replace(self.fields[-1], description=description)))

    def _with(self, name: str, type: Type, nullable: bool) -> Columns:
        at = "/" + name.replace("~", "~0").replace("/", "~1")
        return Columns((*self.fields, Field(name, type, nullable, at)))

    def schema(self) -> arrow.Schema:
        """The columns as Arrow has them."""
        return arrow.Schema(tuple(one.column() for one in self.fields))

    def select(self, names: list[str]) -> Columns:
        """Only these columns, in this order; all of them if none is named."""
        return Columns(tuple(self.named(name) for name in names)) if names else self

    def named(self, name: str) -> Field:
        """The column of this name."""
        for one in self.fields:
            if one.name == name:
                return one
        raise not_found("column", name, [one.name for one in self.fields])

    def row(self, record: Any) -> list[Any]:
        """A record's values."""
        if not isinstance(record, dict):
            raise Error(Kind.PROTOCOL, f"it is {kind(record)}, and a record is an object")
        return [one.of(record) for one in self.fields]
