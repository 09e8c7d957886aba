"""The imports of the contract, behind one name.

In the sandbox they are the component's bindings. Outside it there are none, and a test may put something of its own into `modules`.
"""

from __future__ import annotations

import importlib
from typing import Any

from .errors import Error, Kind

_IMPORTS = (
    "items", "log", "monotonic_clock", "net", "outgoing_handler", "output", "sluice_source_types", "streams", "wasi_http_types",
)

#: The interfaces that are imported, by the names of their bindings.
modules: dict[str, Any] = {}

#: The records of the exported interface, and what results are made of; None outside the sandbox.
exports: Any = None
wit: Any = None
try:
    # All of it now: the component is kept as it is after its modules were loaded, and has no files later.
    wit = importlib.import_module("componentize_py_types")
    exports = importlib.import_module("wit_world.exports.source")
    modules.update({name: importlib.import_module(f"wit_world.imports.{name}") for name in _IMPORTS})
except ImportError:
    pass


def module(name: str) -> Any:
    """One of the imported interfaces."""
    if name not in modules:
        raise Error(Kind.UNSUPPORTED, f"there is no host here that offers {name}: this is not the sandbox")
    return modules[name]


def call(function: Any, *arguments: Any) -> Any:
    """Calls the host, and turns its errors into `Error`."""
    try:
        return function(*arguments)
    except Exception as error:
        told = getattr(error, "value", None)
        kind = getattr(told, "kind", None)
        if kind is None:
            raise
        wait = told.retry_after_ms
        raise Error(
            Kind[kind.name],
            told.message,
            retry_after=None if wait is None else wait / 1000,
            field=told.field,
            stream=told.stream_id,
        ) from None
