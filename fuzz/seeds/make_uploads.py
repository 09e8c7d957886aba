"""Writes the seeds of the targets `manifest` and `upload`: the manifests of the built connectors with a configuration beside them,
small components made by hand, and what is left of built components without their code. Takes the folders of components that
`cargo xtask guests` has built: `python3 make_uploads.py ../../target/connectors ../../target/guests`."""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
COMPONENT = b"\0asm\x0d\0\1\0"
MODULE = b"\0asm\1\0\0\0"
LARGEST = 16 << 10


def number(value):
    out = b""
    while True:
        value, low = value >> 7, value & 0x7F
        out += bytes([low | 0x80 if value else low])
        if not value:
            return out


def name(text):
    return number(len(text.encode())) + text.encode()


def section(kind, body):
    return bytes([kind]) + number(len(body)) + body


def vector(items):
    return number(len(items)) + b"".join(items)


def custom(title, body):
    return section(0, name(title) + body)


def sections(data):
    at = 8
    while at < len(data):
        kind, length, shift, at = data[at], 0, 0, at + 1
        while True:
            byte = data[at]
            at, length, shift = at + 1, length | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                break
        yield kind, data[at : at + length]
        at += length


def manifest_of(data):
    for kind, body in sections(data):
        if kind == 0 and body[1 : 1 + body[0]] == b"sluice:manifest":
            return body[1 + body[0] :]
        if kind in (1, 4) and body[:4] == b"\0asm" and (found := manifest_of(body)):
            return found


def code_body(instructions, declared=()):
    body = vector([number(count) + bytes([kind]) for count, kind in declared]) + instructions + b"\x0b"
    return number(len(body)) + body


MINIMAL = {"contract": "0.1", "name": "small", "version": "1.0.0", "title": "Small", "config": {"type": "object"}}
MANIFEST = custom("sluice:manifest", json.dumps(MINIMAL).encode())
INSTANCE = section(5, vector([b"\1\0"]))


def export(title):
    return section(11, vector([b"\0" + name(title) + b"\5\0\0"]))


def wanted(title):
    return section(7, vector([b"\x42\0"])) + section(10, vector([b"\0" + name(title) + b"\5\0"]))


def module(*bodies):
    types = section(1, vector([b"\x60\0\0"]))
    functions = section(3, vector([b"\0"] * len(bodies)))
    rest = section(4, vector([b"\x70\0\1"])) + section(5, vector([b"\0\1"]))
    return MODULE + types + functions + rest + section(10, vector(list(bodies)))


SOURCE = "sluice:source/source@0.1.0"
HEALTHY = COMPONENT + MANIFEST + INSTANCE + export(SOURCE)
deep_types = b"\x42\1\1" * 40 + b"\x42\0"
uploads = {
    "component": HEALTHY,
    "module": module(code_body(b"")),
    "code": COMPONENT + section(1, module(code_body(b"\x02\x40" * 20 + b"\x0b" * 20), code_body(b"", [(300, 0x7F)]))) + HEALTHY[8:],
    "imports": COMPONENT + wanted("sluice:source/log@0.1.0") + HEALTHY[8:],
    "sockets": COMPONENT + wanted("wasi:sockets/tcp@0.2.0") + HEALTHY[8:],
    "future": COMPONENT + MANIFEST + INSTANCE + export("sluice:source/source@7.2.0"),
    "two_manifests": COMPONENT + MANIFEST + HEALTHY[8:],
    "nested": COMPONENT + section(4, COMPONENT + section(4, COMPONENT + MANIFEST)) + INSTANCE + export(SOURCE),
    "types": COMPONENT + section(7, vector([deep_types])) + HEALTHY[8:],
    "precompiled": b"\x7fELF\2\1\1\xc8" + b"\0" * 24,
    "signature": json.dumps(
        {"statement": {"name": "a", "version": "1", "digest": "00", "manifest": "00"}, "algorithm": "ed25519",
         "key": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "signature": "AA=="}
    ).encode(),
    "key": b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n",
}
manifests = {
    "references": (dict(MINIMAL, config={"type": "object", "$defs": {"a": {"type": "string", "pattern": "^a+$"}},
                                         "properties": {"x": {"$ref": "#/$defs/a"}}}), {"x": "aa"}),
    "auth": (dict(MINIMAL, hosts=["{url}", "*.example.com:443", "{host}:{port}"],
                  auth=[{"scheme": "bearer", "token": "token"}],
                  config={"type": "object", "properties": {"token": {"type": "string", "writeOnly": True}, "url": {}, "host": {}}}),
             {"url": "https://a.example/x", "host": "::1", "port": 5432, "token": "t"}),
}
for title, (manifest, config) in manifests.items():
    (HERE / "manifest" / title).write_bytes(json.dumps(manifest).encode() + b"\0" + json.dumps(config).encode())
for folder in sys.argv[1:]:
    for path in sorted(pathlib.Path(folder).glob("*.wasm")):
        if path.stem not in ("bigquery", "fetch", "files", "postgres"):
            continue  # The others say much the same.
        data = path.read_bytes()
        manifest = json.loads(manifest_of(data))
        manifest["icon"] = manifest.get("icon", "")[:200]
        fields = manifest["config"].get("properties", {})
        config = {field: schema.get("default", "a.example") for field, schema in list(fields.items())[:6]}
        (HERE / "manifest" / path.stem).write_bytes(json.dumps(manifest).encode() + b"\0" + json.dumps(config).encode())
        shell = b"".join(section(kind, body) for kind, body in sections(data) if kind not in (0, 1, 4))
        if len(shell) < LARGEST and path.stem in ("fetch", "postgres"):
            uploads["shell_" + path.stem] = COMPONENT + MANIFEST + shell
for title, data in uploads.items():
    (HERE / "upload" / title).write_bytes(data)
