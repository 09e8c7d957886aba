"""The error a connector reports: typed, so that the host knows who must act and whether to try again."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """What kind of failure it is; wit/README.md has the table."""

    CONFIG = "config"
    AUTH = "auth"
    PERMISSION = "permission"
    NOT_FOUND = "not-found"
    EXPIRED = "expired"
    UNSUPPORTED = "unsupported"
    RATE_LIMITED = "rate-limited"
    TRANSIENT = "transient"
    PROTOCOL = "protocol"
    CANCELLED = "cancelled"
    INTERNAL = "internal"


class Error(Exception):
    """What went wrong and what to do, in one or two sentences.

    `retry_after` is in seconds; `field` is a JSON pointer into the configuration; `stream` is the stream concerned.
    """

    def __init__(
        self,
        kind: Kind,
        message: str,
        *,
        retry_after: float | None = None,
        field: str | None = None,
        stream: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry_after = retry_after
        self.field = field
        self.stream = stream

    def context(self, where: str) -> Error:
        """The same error, with where it happened before its message."""
        return Error(
            self.kind, f"{where}: {self.message}", retry_after=self.retry_after, field=self.field, stream=self.stream
        )
