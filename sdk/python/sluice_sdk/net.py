"""TCP and TLS, spoken by the host to the hosts that the manifest declares: for sources with a protocol of their own. Python's `socket` is
always refused in the sandbox."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from . import host
from .errors import Error, Kind

_CHUNK = 64 << 10


class Verification(Enum):
    """How far the server's certificate is checked."""

    #: Not at all: protects against listening only.
    NONE = "none"
    #: It must come from a trusted authority.
    AUTHORITY = "authority"
    #: It must also be valid for the server's name.
    FULL = "full"


@dataclass
class TlsOptions:
    """How to speak TLS. `server_name` is the host that was connected to where it is None, `authorities` (PEM) are those of the host's
    system; the client's certificate chain and key are PEM, `alpn` the application protocols to offer, the preferred first."""

    verification: Verification = Verification.FULL
    server_name: str | None = None
    authorities: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    alpn: list[str] = field(default_factory=list)

    def _told(self) -> Any:
        net = host.module("net")
        return net.TlsOptions(
            net.Verification[self.verification.name], self.server_name, self.authorities, self.client_certificate,
            self.client_key, self.alpn,
        )


def connect(address: str, port: int, tls: TlsOptions | None = None) -> Connection:
    """Connects, and with `tls` speaks TLS from the first byte. The connection is closed at the end of its `with`.

    Fails with `PERMISSION` where the manifest or the grants do not allow the address, `NOT_FOUND` where the name does not resolve,
    `TRANSIENT` where nobody answers.
    """
    told = None if tls is None else tls._told()
    return Connection(host.call(host.module("net").connect, address, port, told))


class Connection:
    """A TCP connection. What was received and not yet asked for is kept until the next call."""

    def __init__(self, link: Any) -> None:
        self._link = link
        self._kept = bytearray()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the connection back. It may be closed again."""
        link, self._link = self._link, None
        if link is not None:
            link.__exit__(None, None, None)

    def read(self, most: int = _CHUNK) -> bytes:
        """Waits for bytes and returns at most so many; none at the end."""
        if not self._kept:
            return host.call(self._open().read, min(most, _CHUNK))
        return self._take(min(most, len(self._kept)))

    def read_exactly(self, count: int) -> bytes:
        """Waits for so many bytes. `TRANSIENT` if the connection ends before."""
        while len(self._kept) < count:
            self._more("where more was due")
        return self._take(count)

    def read_until(self, end: bytes, most: int = _CHUNK) -> bytes:
        """Waits for bytes up to and with `end`, a line for example. `PROTOCOL` if that takes more than `most` bytes, `TRANSIENT` if the
        connection ends before."""
        looked_at = 0
        while (found := self._kept.find(end, max(looked_at - len(end) + 1, 0), most)) < 0:
            looked_at = len(self._kept)
            if looked_at >= most:
                raise Error(Kind.PROTOCOL, f"the server sent {looked_at} bytes without the {end!r} that ends them")
            self._more(f"before {end!r}")
        return self._take(found + len(end))

    def write(self, data: bytes) -> None:
        """Sends all bytes; returns when they are with the operating system."""
        host.call(self._open().write, data)

    def start_tls(self, options: TlsOptions | None = None) -> None:
        """Turns TLS on in a connection that began in the clear. Bytes that came before are an error: whoever sits on the line could have
        sent them (CVE-2021-23222)."""
        if self._kept:
            raise Error(Kind.PROTOCOL, f"the server sent {len(self._kept)} bytes more before TLS began")
        host.call(self._open().start_tls, (options or TlsOptions())._told())

    def tls_server_end_point(self) -> bytes | None:
        """Channel binding data `tls-server-end-point` (RFC 5929); None without TLS."""
        return self._open().tls_server_end_point()

    def _open(self) -> Any:
        if self._link is None:
            raise Error(Kind.INTERNAL, "the connection was closed before")
        return self._link

    def _more(self, when: str) -> None:
        came = host.call(self._open().read, _CHUNK)
        if not came:
            raise Error(Kind.TRANSIENT, f"the server ended the connection {when}")
        self._kept += came

    def _take(self, count: int) -> bytes:
        taken = bytes(self._kept[:count])
        del self._kept[:count]
        return taken
