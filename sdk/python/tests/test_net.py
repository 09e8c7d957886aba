"""What the SDK adds to the host's connection: bytes that came and were not asked for yet, and ends that come too early."""

import enum
import types
import unittest

from sluice_sdk import Error, Kind, host, net


class Link:
    """A connection of the host that yields what it was given."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = list(parts)
        self.written = bytearray()
        self.tls = None
        self.closed = 0

    def read(self, most: int) -> bytes:
        return self.parts.pop(0) if self.parts else b""

    def write(self, data: bytes) -> None:
        self.written += data

    def start_tls(self, options: object) -> None:
        self.tls = options

    def __exit__(self, *_: object) -> None:
        self.closed += 1


class Connections(unittest.TestCase):
    def tearDown(self) -> None:
        host.modules.clear()

    def opened(self, *parts: bytes) -> tuple[net.Connection, Link]:
        link = Link(*parts)
        verification = enum.Enum("Verification", ["NONE", "AUTHORITY", "FULL"])
        host.modules["net"] = types.SimpleNamespace(
            connect=lambda address, port, tls: link, TlsOptions=lambda *told: told, Verification=verification,
        )
        return net.connect("mail.example", 25), link

    def fails(self, kind: Kind, part: str, run: object) -> None:
        with self.assertRaises(Error) as caught:
            run()
        self.assertEqual(caught.exception.kind, kind)
        self.assertIn(part, caught.exception.message)

    def test_bytes_come_in_the_pieces_that_were_asked_for(self) -> None:
        link, _ = self.opened(b"ab\r", b"\ncd", b"efgh", b"ij")
        self.assertEqual(link.read_until(b"\r\n"), b"ab\r\n")
        self.assertEqual(link.read_exactly(3), b"cde")
        self.assertEqual(link.read(2), b"fg")
        self.assertEqual(link.read(), b"h")
        self.assertEqual(link.read(), b"ij")
        self.assertEqual(link.read(), b"")

    def test_an_end_that_comes_too_early_passes_and_a_line_without_an_end_does_not(self) -> None:
        self.fails(Kind.TRANSIENT, "where more was due", lambda: self.opened(b"ab")[0].read_exactly(3))
        self.fails(Kind.TRANSIENT, "before b'\\n'", lambda: self.opened(b"ab")[0].read_until(b"\n"))
        self.fails(Kind.PROTOCOL, "without the", lambda: self.opened(b"ab", b"cd\n")[0].read_until(b"\n", 4))
        self.assertEqual(self.opened(b"ab", b"c\n")[0].read_until(b"\n", 4), b"abc\n")

    def test_bytes_that_came_before_tls_are_refused(self) -> None:
        link, inner = self.opened(b"220 go\nearly")
        link.read_until(b"\n")
        self.fails(Kind.PROTOCOL, "5 bytes more before TLS", link.start_tls)
        link.read(5)
        link.start_tls(net.TlsOptions(net.Verification.AUTHORITY, alpn=["h2"]))
        self.assertEqual(inner.tls[0].name, "AUTHORITY")
        self.assertEqual(inner.tls[1:], (None, None, None, None, ["h2"]))

    def test_a_connection_is_given_back_once(self) -> None:
        link, inner = self.opened()
        with link:
            link.write(b"hello")
        link.close()
        self.assertEqual((inner.closed, bytes(inner.written)), (1, b"hello"))
        self.fails(Kind.INTERNAL, "closed before", link.read)

    def test_without_a_host_it_is_said_that_there_is_none(self) -> None:
        self.fails(Kind.UNSUPPORTED, "no host here that offers net", lambda: net.connect("mail.example", 25))


if __name__ == "__main__":
    unittest.main()
