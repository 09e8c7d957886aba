"""HTTP requests through the host, which resolves, connects, speaks TLS and adds credentials. They go to hosts that the manifest declares."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from . import host
from .errors import Error, Kind

_CHUNK = 64 << 10

#: What the host's codes mean for whoever has to act; what is not here is a failure that passes.
_MEANING = {
    "DnsError": (Kind.NOT_FOUND, "the host's name does not resolve; check its spelling"),
    "DestinationNotFound": (Kind.NOT_FOUND, "the host's name does not resolve; check its spelling"),
    "DnsTimeout": (Kind.TRANSIENT, "the host's name was not resolved in time"),
    "DestinationUnavailable": (Kind.TRANSIENT, "there is no way to the host"),
    "DestinationIpUnroutable": (Kind.TRANSIENT, "there is no way to the host"),
    "DestinationIpProhibited": (
        Kind.PERMISSION, "the request is not allowed by the connector's manifest or the pipeline's grants"),
    "HttpRequestDenied": (
        Kind.PERMISSION, "the request is not allowed by the connector's manifest or the pipeline's grants"),
    "ConnectionRefused": (Kind.TRANSIENT, "nobody answers there"),
    "ConnectionTerminated": (Kind.TRANSIENT, "the connection was lost"),
    "ConnectionTimeout": (Kind.TRANSIENT, "the host did not answer in time"),
    "ConnectionReadTimeout": (Kind.TRANSIENT, "the host fell silent in the middle of its answer"),
    "HttpResponseTimeout": (Kind.TRANSIENT, "the host did not answer the request in time"),
    "HttpResponseIncomplete": (Kind.TRANSIENT, "the connection ended before the answer did"),
    "ConnectionLimitReached": (
        Kind.PERMISSION, "more requests at once than the pipeline's limits.instance.connections allows; raise it"),
    "TlsCertificateError": (Kind.CONFIG, "the host's certificate is not trusted for its name; check the name"),
    "TlsProtocolError": (Kind.PROTOCOL, "the host does not speak TLS there; check port and scheme"),
    "TlsAlertReceived": (Kind.PROTOCOL, "the host does not speak TLS there; check port and scheme"),
    "HttpRequestUriInvalid": (Kind.CONFIG, "the request cannot be sent as it is"),
    "HttpRequestUriTooLong": (Kind.CONFIG, "the request cannot be sent as it is"),
    "HttpProtocolError": (Kind.PROTOCOL, "the answer is no valid HTTP"),
    "HttpResponseTransferCoding": (Kind.PROTOCOL, "the answer is no valid HTTP"),
    "HttpResponseBodySize": (Kind.PROTOCOL, "the answer is larger than the host takes"),
    "HttpResponseHeaderSectionSize": (Kind.PROTOCOL, "the answer is larger than the host takes"),
}


@dataclass
class Request:
    """A request. Timeouts are in seconds; what is not set is the host's default, and the host may cap all of them."""

    method: str
    url: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    connect_timeout: float | None = None
    first_byte_timeout: float | None = None
    between_bytes_timeout: float | None = None

    def parts(self) -> tuple[str, str, str]:
        """Scheme, authority and path with query."""
        scheme, found, rest = self.url.partition("://")
        end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
        authority, path = rest[:end], rest[end:].partition("#")[0]
        if scheme not in ("http", "https") or not found or not authority or set(rest) & set(" \t\r\n\\"):
            raise Error(Kind.CONFIG, "the URL must begin with http:// or https:// and name a host")
        if "@" in authority:
            raise Error(Kind.CONFIG, "the URL must not hold a user or a password")
        return scheme, authority, path if path.startswith("/") else "/" + path

    def send(self) -> Response:
        """Sends it and waits for the answer's head."""
        doing = f"{self.method} {self.url.partition('?')[0]}"
        try:
            return self._send(doing)
        except Error as error:
            raise error.context(doing) from None

    def _send(self, doing: str) -> Response:
        http = host.module("wasi_http_types")
        scheme, authority, path = self.parts()
        headers = [(name, value.encode("latin-1")) for name, value in self.headers]
        if self.body:
            headers.append(("content-length", str(len(self.body)).encode()))
        try:
            fields = http.Fields.from_list(headers)
        except host.wit.Err:
            raise Error(Kind.CONFIG, "a header cannot be sent as it is") from None
        request = http.OutgoingRequest(fields)
        try:
            request.set_method(getattr(http, f"Method_{self.method.capitalize()}")())
            request.set_scheme(http.Scheme_Https() if scheme == "https" else http.Scheme_Http())
            request.set_authority(authority)
            request.set_path_with_query(path)
            body = request.body() if self.body else None
            future = host.module("outgoing_handler").handle(request, self._options(http))
            if body is not None:
                self._send_body(http, body)
        except host.wit.Err as error:
            raise _meaning(error.value) from None
        with future.subscribe() as ready:
            ready.block()
        answer = future.get()
        if answer is None or isinstance(answer, host.wit.Err):
            raise Error(Kind.INTERNAL, "the answer was taken before")
        if isinstance(answer.value, host.wit.Err):
            raise _meaning(answer.value.value)
        return Response(doing, answer.value.value)

    def _options(self, http: Any) -> Any:
        set_to = [
            (name, wait)
            for name in ("connect_timeout", "first_byte_timeout", "between_bytes_timeout")
            if (wait := getattr(self, name)) is not None
        ]
        if not set_to:
            return None
        options = http.RequestOptions()
        for name, wait in set_to:
            getattr(options, f"set_{name}")(round(wait * 1e9))
        return options

    def _send_body(self, http: Any, body: Any) -> None:
        with body.write() as stream:
            for at in range(0, len(self.body), 4096):
                try:
                    stream.blocking_write_and_flush(self.body[at:at + 4096])
                except host.wit.Err:
                    # A host that takes no more has answered already, and what it answered counts.
                    break
        http.OutgoingBody.finish(body, None)


class Response:
    """An answer whose headers have come, and whose body is coming."""

    def __init__(self, doing: str, incoming: Any) -> None:
        self.doing = doing
        self.status: int = incoming.status()
        self.headers: dict[str, str] = {}
        with incoming.headers() as fields:
            for name, value in fields.entries():
                text = value.decode("latin-1")
                known = self.headers.get(name.lower())
                self.headers[name.lower()] = text if known is None else f"{known}, {text}"
        # What a resource came from must outlive it, and goes in this order.
        self._body = incoming.consume()
        self._stream = self._body.stream()
        self._incoming = incoming
        self._closed = False

    def __enter__(self) -> Response:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the connection back; what was not read of the body is dropped."""
        if not self._closed:
            self._closed = True
            for resource in (self._stream, self._body, self._incoming):
                resource.__exit__(None, None, None)

    def chunk(self) -> bytes:
        """Waits for the next part of the body; empty at its end."""
        streams, http = host.module("streams"), host.module("wasi_http_types")
        try:
            while not (read := self._stream.blocking_read(_CHUNK)):
                pass
            return read
        except host.wit.Err as error:
            if isinstance(error.value, streams.StreamError_Closed):
                return b""
            code = http.http_error_code(error.value.value)
            if code is not None:
                raise _meaning(code).context(self.doing) from None
            said = error.value.value.to_debug_string()[:500]
            raise Error(
                Kind.TRANSIENT, f"{self.doing}: the connection broke in the middle of the answer: {said}"
            ) from None

    def whole(self, most: int) -> bytes:
        """Waits for the whole body, of at most so many bytes."""
        parts, length = [], 0
        while part := self.chunk():
            length += len(part)
            if length > most:
                raise Error(Kind.PROTOCOL, f"{self.doing}: the answer has more than {most} bytes")
            parts.append(part)
        return b"".join(parts)

    def retry_after(self) -> float | None:
        """Seconds that a Retry-After says to wait: as a number, or as a time by the server's own clock."""
        text = self.headers.get("retry-after", "").strip()
        if text.isdigit():
            return float(text)
        try:
            until, now = parsedate_to_datetime(text), parsedate_to_datetime(self.headers["date"])
            return max(0.0, (until - now).total_seconds())
        except (KeyError, TypeError, ValueError):
            return None


def sleep(seconds: float) -> None:
    """Waits, without computing."""
    with host.module("monotonic_clock").subscribe_duration(round(seconds * 1e9)) as elapsed:
        elapsed.block()


def _meaning(code: Any) -> Error:
    name = type(code).__name__.removeprefix("ErrorCode_")
    if name == "InternalError" and code.value:
        return Error(Kind.TRANSIENT, f"the request failed: {code.value[:500]}")
    kind, what = _MEANING.get(name, (Kind.TRANSIENT, f"the request failed ({name})"))
    return Error(kind, what)
