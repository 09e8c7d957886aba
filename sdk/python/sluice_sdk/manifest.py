"""What a connector says of itself: its configuration and its manifest, declared in code and read without running it in the sandbox."""

from __future__ import annotations

import json
import types
import typing
from dataclasses import dataclass, field as member
from typing import Any, ClassVar, Literal

from .errors import Error, Kind

CONTRACT = "0.1"

_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


@dataclass
class _Field:
    schema: dict[str, Any]
    default: Any


def field(description: str, *, title: str | None = None, example: Any = None, default: Any = ..., **schema: Any) -> Any:
    """A field of a configuration; more keywords go into its JSON Schema: `format`, `minimum`, `pattern`."""
    found: dict[str, Any] = {"description": description}
    if title is not None:
        found["title"] = title
    if example is not None:
        found["examples"] = [example]
    if default not in (..., None):
        found["default"] = default
    return _Field(found | schema, default)


def secret(description: str, *, title: str | None = None, multiline: bool = False) -> Any:
    """A field that is a secret. It stays with the host unless the manifest lists it under `secrets_inside`."""
    more = {"x-multiline": True} if multiline else {}
    return field(description, title=title, default=None, format="password", writeOnly=True, **more)


class Config:
    """A configuration: derive, and give each field a type and a `field(…)`.

    Types are str, int, float, bool, a `Literal` of texts and lists of these; one with `| None`, or with a default, may be left out.
    """

    _fields: ClassVar[dict[str, tuple[Any, _Field]]] = {}

    def __init_subclass__(cls) -> None:
        hints = typing.get_type_hints(cls)
        cls._fields = {name: (hints[name], value) for name, value in vars(cls).items() if isinstance(value, _Field)}

    def __init__(self, **values: Any) -> None:
        for name in values:
            if name not in self._fields:
                raise Error(Kind.CONFIG, f"there is no field {name}", field=f"/{name}")
        for name, (hint, declared) in self._fields.items():
            value = values.get(name)
            if value is None:
                if declared.default is ... and not _optional(hint):
                    raise Error(Kind.CONFIG, f"the field {name} is missing", field=f"/{name}")
                value = None if declared.default is ... else declared.default
            elif not _fits(value, hint):
                raise Error(Kind.CONFIG, f"the field {name} is not what it should be", field=f"/{name}")
            setattr(self, name, value)

    @classmethod
    def parse(cls, text: str) -> Any:
        """Reads it from JSON."""
        return cls(**json.loads(text))

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """Its JSON Schema."""
        required = [
            name for name, (hint, declared) in cls._fields.items() if declared.default is ... and not _optional(hint)
        ]
        return {
            **({"description": cls.__doc__.strip()} if cls.__doc__ else {}),
            "type": "object",
            "properties": {name: _type(hint) | declared.schema for name, (hint, declared) in cls._fields.items()},
            "required": required,
            "additionalProperties": False,
            "x-order": list(cls._fields),
        }


def _arguments(hint: Any) -> tuple[Any, list[Any]]:
    return typing.get_origin(hint), list(typing.get_args(hint))


def _optional(hint: Any) -> bool:
    origin, arguments = _arguments(hint)
    return origin in (typing.Union, types.UnionType) and type(None) in arguments


def _plain(hint: Any) -> Any:
    if not _optional(hint):
        return hint
    rest = [argument for argument in typing.get_args(hint) if argument is not type(None)]
    if len(rest) != 1:
        raise TypeError(f"a field has one type, which may be left out; {hint} has several")
    return rest[0]


def _type(hint: Any) -> dict[str, Any]:
    plain = _plain(hint)
    origin, arguments = _arguments(plain)
    if plain in _JSON_TYPES:
        return {"type": _JSON_TYPES[plain]}
    if origin is list:
        return {"type": "array", "items": _type(arguments[0])}
    if origin is Literal:
        return {"type": "string", "enum": arguments}
    raise TypeError(f"a field cannot be {plain}; use str, int, float, bool, Literal or a list of these")


def _fits(value: Any, hint: Any) -> bool:
    plain = _plain(hint)
    origin, arguments = _arguments(plain)
    if origin is list:
        return isinstance(value, list) and all(_fits(item, arguments[0]) for item in value)
    if origin is Literal:
        return value in arguments
    if plain is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is plain


def auth(scheme: str, **told: Any) -> dict[str, Any]:
    """How the host signs requests, e.g. `auth("header", name="X-Api-Key", value="api_key")`; wit/README.md lists the schemes."""
    return {"scheme": scheme, **told}


@dataclass
class Manifest:
    """What a connector is called, what it asks to reach and what it can do. Fields as in wit/README.md."""

    name: str
    version: str
    title: str
    description: str
    config: type[Config]
    publisher: str = ""
    docs: str = ""
    icon: str = ""
    hosts: list[str] = member(default_factory=list)
    auth: list[dict[str, Any]] = member(default_factory=list)
    secrets_inside: list[str] = member(default_factory=list)
    folders: list[str] = member(default_factory=list)
    capabilities: list[str] = member(default_factory=list)
    memory_bytes: int | None = None

    def json(self) -> str:
        """As it is written into the component."""
        more = {"memory_bytes": self.memory_bytes} if self.memory_bytes else {}
        return json.dumps({
            "contract": CONTRACT, "name": self.name, "version": self.version, "title": self.title,
            "description": self.description, "publisher": self.publisher, "docs": self.docs, "icon": self.icon,
            "config": self.config.schema(), "secrets": {"inside": self.secrets_inside}, "hosts": self.hosts, "auth": self.auth,
            "folders": self.folders, "capabilities": dict.fromkeys(self.capabilities, True), **more,
        })
