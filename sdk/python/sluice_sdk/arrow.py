"""Schemas and batches as Arrow IPC messages, for the types that connectors of APIs have. Written by hand, because the sandbox has no
Arrow for Python: flatbuffers laid out front to back, and buffers made by C code of the standard library."""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass, field
from itertools import accumulate
from operator import itemgetter
from typing import Any

from .errors import Error, Kind

# Flatbuffers ---------------------------------------------------------------------------------------------------------------------


@dataclass
class _Table:
    """Slots of a table: (format, value) for numbers, another node for what is referred to, None for what is left out."""

    slots: list[Any]


@dataclass
class _Structs:
    """A vector of structs of 16 bytes."""

    data: bytes


def _pad(out: bytearray, multiple: int, ahead: int = 0) -> None:
    out.extend(bytes(-(len(out) + ahead) % multiple))


def _write(out: bytearray, node: Any) -> int:
    """Appends a node and all that it refers to; where it begins."""
    if isinstance(node, str):
        text = node.encode()
        _pad(out, 4)
        at = len(out)
        out += struct.pack("<I", len(text)) + text + b"\0"
        return at
    if isinstance(node, _Structs):
        _pad(out, 8, ahead=4)
        at = len(out)
        out += struct.pack("<I", len(node.data) // 16) + node.data
        return at
    if isinstance(node, list):
        _pad(out, 4)
        at = len(out)
        out += struct.pack("<I", len(node)) + bytes(4 * len(node))
        for index, item in enumerate(node):
            _refer(out, at + 4 + 4 * index, item)
        return at
    return _write_table(out, node.slots)


def _write_table(out: bytearray, slots: list[Any]) -> int:
    offsets, size, formats = [], 4, []
    for slot in slots:
        form = None if slot is None else slot[0] if isinstance(slot, tuple) else "I"
        formats.append(form)
        width = struct.calcsize(form) if form else 1
        size += -size % width
        offsets.append(size if form else 0)
        size += width if form else 0
    head = 4 + 2 * len(slots)
    _pad(out, 8, ahead=head)
    out += struct.pack(f"<HH{len(slots)}H", head, size, *offsets)
    at = len(out)
    out += struct.pack("<i", head) + bytes(size - 4)
    for slot, form, offset in zip(slots, formats, offsets, strict=True):
        if isinstance(slot, tuple):
            struct.pack_into("<" + form, out, at + offset, slot[1])
        elif slot is not None:
            _refer(out, at + offset, slot)
    return at


def _refer(out: bytearray, place: int, node: Any) -> None:
    struct.pack_into("<I", out, place, _write(out, node) - place)


def _message(header_type: int, header: _Table, body_length: int) -> bytes:
    """Continuation, length and flatbuffer of an encapsulated message, padded to 8 bytes."""
    out = bytearray(4)
    _refer(out, 0, _Table([("h", 4), ("B", header_type), header, ("q", body_length)]))
    _pad(out, 8)
    return struct.pack("<Ii", 0xFFFFFFFF, len(out)) + bytes(out)


# Types ---------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Type:
    """A column's type. `code` and `slots` are those of Arrow's flatbuffer."""

    name: str
    code: int
    slots: tuple[Any, ...]
    scale: int = 0

    @staticmethod
    def decimal(precision: int, scale: int) -> Type:
        """A decimal of at most 38 digits; its values are whole numbers of the last digit."""
        return Type("decimal", 7, (("i", precision), ("i", scale), ("i", 128)), scale)


INT = Type("int", 2, (("i", 64), ("?", True)))
FLOAT = Type("float", 3, (("h", 2),))
BINARY = Type("binary", 4, ())
TEXT = Type("text", 5, ())
BOOL = Type("bool", 6, ())
#: Days since 1970-01-01.
DATE = Type("date", 8, (("h", 0),))
#: Microseconds since 1970 in UTC.
TIMESTAMP = Type("timestamp", 10, (("h", 2), "UTC"))
#: Microseconds since 1970 of a clock on the wall.
LOCAL_TIMESTAMP = Type("local_timestamp", 10, (("h", 2),))

#: Bytes that a value takes, for those of a fixed width.
_WIDTH = {"int": 8, "float": 8, "bool": 1, "date": 4, "timestamp": 8, "local_timestamp": 8, "decimal": 16}
_ARRAY = {"int": "q", "float": "d", "date": "i", "timestamp": "q", "local_timestamp": "q"}


@dataclass(frozen=True)
class Column:
    """A column of a schema."""

    name: str
    type: Type
    nullable: bool = True
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Schema:
    """Columns, in order."""

    columns: tuple[Column, ...]

    def message(self) -> bytes:
        """The schema message."""
        fields = []
        for column in self.columns:
            pairs = [_Table([key, value]) for key, value in column.metadata.items()]
            ty = _Table(list(column.type.slots))
            fields.append(_Table([
                column.name, ("?", column.nullable), ("B", column.type.code), ty, None, [], pairs if pairs else None,
            ]))
        return _message(1, _Table([("h", 0), fields]), 0)


# Batches -------------------------------------------------------------------------------------------------------------------------


def _bits(flags: list[bool]) -> bytes:
    """A bitmap, the least significant bit first."""
    text = "".join(["1" if flag else "0" for flag in reversed(flags)])
    return int(text, 2).to_bytes((len(flags) + 7) // 8, "little") if text else b""


def _texts(values: list[str]) -> list[bytes]:
    # One text is encoded instead of many: offsets of ASCII are those of the text itself.
    joined = "".join(values)
    if joined.isascii():
        return [_offsets(values), joined.encode()]
    try:
        return _binaries([value.encode() for value in values])
    except UnicodeEncodeError:
        raise Error(Kind.PROTOCOL, "a text holds half of a character (a lone surrogate), which is no Unicode") from None


def _binaries(values: list[bytes]) -> list[bytes]:
    return [_offsets(values), b"".join(values)]


def _offsets(values: list[Any]) -> bytes:
    return array("i", accumulate(map(len, values), initial=0)).tobytes()


def _buffers(ty: Type, values: list[Any]) -> list[bytes]:
    if ty.name == "text":
        return _texts(values)
    if ty.name == "binary":
        return _binaries(values)
    if ty.name == "bool":
        return [_bits(values)]
    if ty.name == "decimal":
        return [b"".join([value.to_bytes(16, "little", signed=True) for value in values])]
    return [array(_ARRAY[ty.name], values).tobytes()]


_NOTHING: dict[str, Any] = {"text": "", "binary": b"", "bool": False, "float": 0.0}


def batch(schema: Schema, columns: list[list[Any]]) -> tuple[bytes, list[bytes]]:
    """A record batch as the contract's `push-parts` takes it: the message's metadata and the pieces of its body."""
    rows = len(columns[0]) if columns else 0
    nodes, places, pieces, at = bytearray(), bytearray(), [], 0
    for column, values in zip(schema.columns, columns, strict=True):
        missing = values.count(None)
        validity = b""
        if missing:
            validity = _bits([value is not None for value in values])
            nothing = _NOTHING.get(column.type.name, 0)
            values = [nothing if value is None else value for value in values]
        nodes += struct.pack("<qq", rows, missing)
        for piece in [validity, *_buffers(column.type, values)]:
            places += struct.pack("<qq", at, len(piece))
            at += -(-len(piece) // 64) * 64
            pieces.append(piece)
    header = _Table([("q", rows), _Structs(bytes(nodes)), _Structs(bytes(places))])
    return _message(3, header, at), pieces


class Rows:
    """Rows on their way into a batch."""

    def __init__(self, schema: Schema, target: int) -> None:
        self.schema = schema
        self.rows: list[list[Any]] = []
        self.fixed = sum(_WIDTH.get(column.type.name, 4) for column in schema.columns)
        self.long = [index for index, column in enumerate(schema.columns) if column.type.name in ("text", "binary")]
        self.target = max(target, 1)
        self.bytes = 0

    def append(self, values: list[Any]) -> None:
        """Adds a row: one value per column, None for null."""
        self.rows.append(values)
        self.bytes += self.fixed
        for index in self.long:
            value = values[index]
            if value:
                self.bytes += len(value)

    def is_full(self) -> bool:
        """Whether it holds as much as a batch should."""
        return self.bytes >= self.target

    def take(self) -> list[list[Any]]:
        """The columns; no row is left."""
        width = len(self.schema.columns)
        if not set(map(len, self.rows)) <= {width}:
            raise ValueError(f"a row has not the {width} values of its schema")
        columns = [list(map(itemgetter(at), self.rows)) for at in range(width)]
        self.rows, self.bytes = [], 0
        return columns
