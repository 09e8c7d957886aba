"""Writes the seeds of the fuzz target: small, valid schema and batch messages, each behind its length, made by Arrow's own
implementation in C++. Needs pyarrow."""

import datetime
import decimal
import pathlib

import pyarrow as pa

FOLDER = pathlib.Path(__file__).parent / "guest_batch"

BATCHES = {
    "numbers": {
        "b": pa.array([True, None, False]),
        "i": pa.array([1, None, -(2**63)], pa.int64()),
        "u": pa.array([0, 2**64 - 1, None], pa.uint64()),
        "f": pa.array([0.5, float("nan"), None], pa.float32()),
        "d": pa.array([decimal.Decimal("-1.50"), None, decimal.Decimal("99.99")], pa.decimal128(38, 2)),
        "w": pa.array([decimal.Decimal("1"), None, None], pa.decimal256(76, 0)),
    },
    "texts": {
        "t": pa.array(["", "grüße", None]),
        "l": pa.array([None, "x" * 40, "y"], pa.large_utf8()),
        "y": pa.array([b"\x00\xff", None, b""], pa.binary()),
        "f": pa.array([b"abc", None, b"def"], pa.binary(3)),
    },
    "times": {
        "d": pa.array([datetime.date(1, 1, 1), None], pa.date32()),
        "t": pa.array([1, None], pa.time64("us")),
        "s": pa.array([1, None], pa.timestamp("us", "UTC")),
        "n": pa.array([-1, None], pa.timestamp("ns")),
        "p": pa.array([5, None], pa.duration("ms")),
    },
    "nested": {
        "l": pa.array([[1, None], None, []], pa.list_(pa.int32())),
        "s": pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": None}]),
        "m": pa.array([[{"k": ["v"]}], [], None], pa.list_(pa.struct([("k", pa.list_(pa.utf8()))]))),
    },
    "empty": {"i": pa.array([], pa.int64()), "t": pa.array([], pa.utf8())},
}

for name, columns in BATCHES.items():
    batch = pa.record_batch(list(columns.values()), names=list(columns))
    schema = batch.schema.serialize().to_pybytes()
    message = len(schema).to_bytes(4, "little") + schema + batch.serialize().to_pybytes()
    (FOLDER / name).write_bytes(message)
