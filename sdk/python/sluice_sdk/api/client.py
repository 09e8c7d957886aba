"""Requests to one API: they wait when it says so, and try again what passes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from .. import http, log
from ..errors import Error, Kind
from ..http import Request, Response
from ..source import CheckStep
from .types import pointer

#: What a status means; what is not here is `protocol`.
_STATUS = {
    401: Kind.AUTH, 403: Kind.PERMISSION, 404: Kind.NOT_FOUND, 410: Kind.NOT_FOUND, 429: Kind.RATE_LIMITED,
    408: Kind.TRANSIENT, 425: Kind.TRANSIENT,
}

_REMEDY = {
    Kind.AUTH: "check the credentials: the API does not know them",
    Kind.PERMISSION: "the credentials are good but may not read this; grant them the right to",
    Kind.NOT_FOUND: "check the URL: host, path and version",
    Kind.RATE_LIMITED: "the API asks to slow down; wait, or ask for a higher limit",
    Kind.TRANSIENT: "check that the API is up and can be reached from here",
}

#: Where APIs put their own words.
_SAID = ["/error/message", "/error_description", "/message", "/error", "/detail", "/title", "/errors/0/message"]


@dataclass(frozen=True)
class Patience:
    """How patient requests are, in seconds, before they fail with what the host retries later."""

    attempts: int = 6
    longest_wait: float = 60.0
    first_wait: float = 1.0


@dataclass
class Answer:
    """JSON that came back, the `Link` header and the URL that was asked."""

    body: Any
    link: str | None
    url: str


class Api:
    """An HTTP JSON API below a URL. Its host must be among the manifest's `hosts`; credentials are the host's to add."""

    def __init__(
        self,
        base: str,
        *,
        headers: dict[str, str] | None = None,
        patience: Patience = Patience(),
        most_bytes: int = 32 << 20,
    ) -> None:
        self.base = base.strip().rstrip("/")
        Request("GET", self.base).parts()
        if set(self.base) & set("?#"):
            raise Error(Kind.CONFIG, "the URL must not have a query; it is what the API's paths are added to")
        self.headers = {"accept": "application/json"} | (headers or {})
        self.patience = patience
        self.most_bytes = most_bytes

    def url(self, path: str, query: list[tuple[str, str]]) -> str:
        """The URL of a path below the API with a query."""
        slash = "" if not path or path.startswith("/") else "/"
        pairs = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
        return f"{self.base}{slash}{path}" + (f"?{pairs}" if pairs else "")

    def follow(self, link: str, came_from: str) -> str:
        """Resolves a link of an answer. One that leads to another host is refused: credentials are not for it."""
        url = urljoin(came_from, link)
        here, there = urlsplit(came_from), urlsplit(url)
        if (here.scheme, here.netloc) != (there.scheme, there.netloc):
            raise Error(
                Kind.PROTOCOL,
                f"a page of {here.scheme}://{here.netloc} links to {url.partition('?')[0]}, "
                "which is not the same scheme, host and port",
            )
        return url

    def get(self, path: str, query: list[tuple[str, str]] | None = None) -> Answer:
        """Asks for JSON below a path."""
        return self.send(Request("GET", self.url(path, query or [])))

    def get_url(self, url: str) -> Answer:
        """Asks for JSON at a URL of the API."""
        return self.send(Request("GET", url))

    def send(self, request: Request, attempts: int | None = None) -> Answer:
        """Sends a request until it is answered, waiting as the API asks."""
        request.headers = [*self.headers.items(), *request.headers]
        attempt = 1
        while True:
            try:
                with request.send() as response:
                    return self._answer(request, response)
            except Error as error:
                wait = self._wait(error, attempt)
                if wait is None or attempt >= (attempts or self.patience.attempts):
                    raise
                log.info(f"attempt {attempt} failed, trying again in {wait} s: {error}")
                http.sleep(wait)
                attempt += 1

    def check(self, path: str, query: list[tuple[str, str]]) -> CheckStep:
        """A step of a check: whether the API answers a request, and what to do if it does not."""
        url = self.url(path, query)
        try:
            self.send(Request("GET", url), attempts=1)
        except Error as error:
            other = "check the URL: this does not look like the API that this connector reads"
            return CheckStep("request", "failed", error.message, _REMEDY.get(error.kind, other))
        return CheckStep("request", "passed", f"GET {url.partition('?')[0]} is answered")

    def _wait(self, error: Error, attempt: int) -> float | None:
        if error.kind not in (Kind.RATE_LIMITED, Kind.TRANSIENT):
            return None
        if error.retry_after is None:
            return min(self.patience.first_wait * 2.0 ** (attempt - 1), self.patience.longest_wait)
        return error.retry_after if error.retry_after <= self.patience.longest_wait else None

    def _answer(self, request: Request, response: Response) -> Answer:
        if not 200 <= response.status < 300:
            raise _refused(response)
        try:
            body = json.loads(response.whole(self.most_bytes), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            kind = response.headers.get("content-type", "no content type")
            raise Error(Kind.PROTOCOL, f"{response.doing}: the answer is not JSON ({kind}): {error}") from None
        return Answer(body, response.headers.get("link"), request.url)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _refused(response: Response) -> Error:
    status, wait = response.status, response.retry_after()
    message = f"{response.doing}: the API answered {status}{_said(response)}"
    if 300 <= status < 400:
        to = response.headers.get("location", "").partition("?")[0]
        return Error(Kind.CONFIG, f"{message}: a redirect to {to}, which is not followed; set the URL to where it leads")
    kind = Kind.TRANSIENT if status >= 500 else _STATUS.get(status, Kind.PROTOCOL)
    return Error(kind, message, retry_after=wait)


def _said(response: Response) -> str:
    """The API's own words, cut short."""
    try:
        body = json.loads(response.whole(64 << 10))
    except (Error, ValueError, RecursionError):
        return ""
    found = (pointer(body, place) for place in _SAID)
    return next((f" ({text[:300]})" for text in found if isinstance(text, str)), "")
