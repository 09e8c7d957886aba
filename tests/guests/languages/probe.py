"""A connector of what the template's does without: TCP that becomes TLS, and what a stream remembers of each of many things.

Its streams are the extensions that a mail server announces, before and after STARTTLS, and the lines of the objects of a bucket, of which
each version is read once.
"""

import json
from urllib.parse import quote

from sluice_sdk import (
    CheckStep, Config, DiscoverFilter, DiscoverPage, Error, Hints, Kind, Manifest, Output, Plan, Schema, Selection, Source, Split,
    StreamInfo, StreamPlan, export, field, items, net,
)
from sluice_sdk.api import Api
from sluice_sdk.arrow import BOOL, TEXT, Column
from sluice_sdk.http import Request


class ProbeConfig(Config):
    """What to read."""

    host: str = field("The mail server.", default="mail.example")
    port: int = field("Its port.", default=25)
    authorities: str | None = field("Authorities that its certificate may come from, PEM.", default=None)
    url: str = field("Where the bucket's API is.", default="http://storage.example")
    bucket: str = field("The bucket.", default="")


EXTENSIONS = Schema((Column("name", TEXT, nullable=False), Column("encrypted", BOOL, nullable=False)))
OBJECTS = Schema((Column("line", TEXT, nullable=False),))
OF_FILES = Schema((*OBJECTS.columns, Column(items.FILE_COLUMN, TEXT, nullable=False)))

#: The version that values of items begin with.
VERSION = b"\1"


def schema(stream: str, named: bool) -> Schema:
    """The stream's schema; `named` is whether rows say which file they are of."""
    if stream == "extensions":
        return EXTENSIONS
    return OF_FILES if named else OBJECTS


class Mail:
    """As much of SMTP as its greeting."""

    def __init__(self, link: net.Connection) -> None:
        self.link = link
        self.answer(b"220")

    def answer(self, code: bytes) -> list[str]:
        lines = []
        while True:
            line = self.link.read_until(b"\r\n", 512)
            if not line.startswith(code):
                raise Error(Kind.PROTOCOL, f"the server answered {line[:80]!r}, where {code!r} was due")
            lines.append(line[4:-2].decode())
            if line[3:4] == b" ":
                return lines

    def extensions(self) -> list[str]:
        self.link.write(b"EHLO probe.example\r\n")
        return self.answer(b"250")[1:]

    def start_tls(self, config: ProbeConfig) -> None:
        self.link.write(b"STARTTLS\r\n")
        self.answer(b"220")
        self.link.start_tls(net.TlsOptions(authorities=config.authorities))


class Probe(Source):
    """The server and the bucket as a source."""

    manifest = Manifest(
        name="probe", version="0.1.0", title="Probe", description="A mail server's extensions, and the lines of a bucket's objects.",
        config=ProbeConfig, hosts=["{host}:{port}", "{url}"], capabilities=["incremental", "changed_files"],
    )

    def __init__(self, config: ProbeConfig) -> None:
        self.config = config
        self.folder = f"/storage/v1/b/{config.bucket}/o"

    def check(self) -> list[CheckStep]:
        try:
            with net.connect(self.config.host, self.config.port) as link:
                mail = Mail(link)
                steps = [CheckStep("connect", "passed", f"{len(mail.extensions())} extensions")]
                before = link.tls_server_end_point()
                mail.start_tls(self.config)
                proof = link.tls_server_end_point() or b""
                detail = f"{len(mail.extensions())} extensions, {before} and {len(proof)} bytes to bind to"
                return [*steps, CheckStep("tls", "passed", detail)]
        except Error as error:
            return [CheckStep("server", "failed", f"{error.kind.value}: {error.message}", "name another server")]

    def discover(self, filter: DiscoverFilter, page: str | None) -> DiscoverPage:
        extensions = StreamInfo("extensions", EXTENSIONS, kind="other", primary_key=["name", "encrypted"])
        return DiscoverPage([extensions, StreamInfo("objects", OBJECTS, kind="files", cursor_candidates=[])])

    def plan(self, selections: list[Selection], hints: Hints) -> Plan:
        plan = Plan()
        for selection in selections:
            wanted = self.changed(selection) if selection.id == "objects" else []
            named = selection.changed_files == "replace"
            plan.streams.append(StreamPlan(selection.id, schema(selection.id, named), state_after=VERSION))
            plan.splits.append(Split(selection.id, [selection.id], json.dumps([wanted, named]).encode()))
        return plan

    def changed(self, selection: Selection) -> list[str]:
        """The objects of which no plan that was carried out has read this version."""
        listed = Api(self.config.url).get(self.folder).body.get("items", [])
        versions = {one["name"]: VERSION + one["generation"].encode() for one in listed}
        known = items.recall(selection.id, list(versions))
        changed = [name for name, before in zip(versions, known, strict=True) if before != versions[name]]
        items.remember(selection.id, {name: versions[name] for name in changed})
        if selection.changed_files == "replace":
            items.replace(selection.id, changed)
        return changed

    def read(self, split: Split, start: bytes | None, output: Output) -> None:
        wanted, named = json.loads(split.descriptor)
        channel = output.stream(split.id, schema(split.id, named))
        if split.id == "extensions":
            channel.push_rows(self.extensions())
        for name in wanted:
            with Request("GET", f"{self.config.url}{self.folder}/{quote(name, safe='')}?alt=media").send() as response:
                lines = response.whole(1 << 20).decode().splitlines()
            channel.push([lines, [name] * len(lines)] if named else [lines])

    def extensions(self) -> list[list[str | bool]]:
        with net.connect(self.config.host, self.config.port) as link:
            mail = Mail(link)
            plain = mail.extensions()
            mail.start_tls(self.config)
            return [[name, False] for name in plain] + [[name, True] for name in mail.extensions()]


Source = export(Probe)
