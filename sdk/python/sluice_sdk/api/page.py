"""Following an API's pages to their end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import Error, Kind
from .client import Answer, Api
from .types import kind, pointer

_LINK = re.compile(r"<([^>]*)>([^<]*)")
_NEXT = re.compile(r"""(?:^|[;\s])rel="?(?:[^"]*\s)?next(?:\s|"|$|,|;)""", re.IGNORECASE)


@dataclass(frozen=True)
class Paging:
    """How an API leads from one page to the next. Pointers are JSON pointers into an answer."""

    way: str = "none"
    at: str = ""
    param: str = ""
    first: int = 0
    size: int = 0

    @staticmethod
    def next_link(at: str) -> Paging:
        """The answer holds the next page's URL; missing, null or empty at the end."""
        return Paging("next_link", at=at)

    @staticmethod
    def link_header() -> Paging:
        """The header `Link: <…>; rel="next"`."""
        return Paging("link_header")

    @staticmethod
    def cursor(at: str, param: str) -> Paging:
        """The answer holds a cursor that the next request has to send back; missing, null or empty at the end."""
        return Paging("cursor", at=at, param=param)

    @staticmethod
    def number(param: str, size: int, first: int = 1) -> Paging:
        """Pages have numbers. Ends with a page that has fewer records than `size`, or none."""
        return Paging("number", param=param, first=first, size=size)

    @staticmethod
    def offset(param: str, size: int) -> Paging:
        """Pages begin at the number of records before them. Ends with a page that has fewer records than `size`, or none."""
        return Paging("offset", param=param, size=size)


@dataclass
class Page:
    """Records, which page it is (the first is 1), and what was asked."""

    records: list[Any]
    number: int
    source: str

    def context(self, record: int, error: Error) -> Error:
        """Puts the record's place before an error."""
        return error.context(f"record {record + 1} of page {self.number} of {self.source}")


def pages(api: Api, path: str, query: list[tuple[str, str]], records: str, paging: Paging) -> Iterator[Page]:
    """The pages below a path, fetched one after the other. `records` leads to the list of records in an answer."""
    asked: set[str] = set()
    first = [(paging.param, str(paging.first))] if paging.way == "number" else []
    url: str | None = api.url(path, query + first)
    fetched = seen = 0
    while url is not None:
        source = f"GET {url.partition('?')[0]}"
        if url in asked:
            raise Error(Kind.PROTOCOL, f"page {fetched} of {source} leads to a page that was read before")
        asked.add(url)
        answer = api.get_url(url)
        found = pointer(answer.body, records)
        fetched += 1
        if not isinstance(found, list):
            place = records or "the answer"
            raise Error(Kind.PROTOCOL, f"{source}: {place} is not a list of records (page {fetched}); it is {kind(found)}")
        seen += len(found)
        url = _after(api, path, query, paging, answer, len(found), fetched, seen)
        yield Page(found, fetched, source)


def _after(
    api: Api, path: str, query: list[tuple[str, str]], paging: Paging, answer: Answer, records: int, fetched: int, seen: int
) -> str | None:
    def asking(value: str) -> str:
        return api.url(path, [pair for pair in query if pair[0] != paging.param] + [(paging.param, value)])

    def told() -> str:
        value = pointer(answer.body, paging.at)
        return "" if value is None or isinstance(value, bool | list | dict) else str(value)

    match paging.way:
        case "next_link":
            return api.follow(told(), answer.url) if told() else None
        case "link_header":
            links = (found[1] for found in _LINK.finditer(answer.link or "") if _NEXT.search(found[2]))
            link = next(links, None)
            return None if link is None else api.follow(link, answer.url)
        case "cursor":
            return asking(told()) if told() else None
        case "number":
            return None if records < max(paging.size, 1) else asking(str(paging.first + fetched))
        case "offset":
            return None if records < max(paging.size, 1) else asking(str(seen))
        case _:
            return None
