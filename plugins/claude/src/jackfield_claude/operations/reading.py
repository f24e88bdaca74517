"""What the answers of files and batches have in common: objects, pages, times."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from jackfield import ResponseFormatError
from jackfield.exchange import READ_ERRORS, Call, decode, get_request, unreadable
from jackfield.flow import Flow, HTTPResponse

from ..config import fields, with_headers

T = TypeVar("T")
Wire = Mapping[str, Any]

PAGE = 1000
"""How many one page holds at most."""

OBJECT: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])


class Page(Struct):
    """One page of a list."""

    data: list[dict[str, Any]]
    has_more: bool | None = None
    last_id: str | None = None


PAGE_WIRE = msgspec.json.Decoder(Page)


def read(call: Call[Any], response: HTTPResponse) -> dict[str, Any]:
    """The object in *response*, unless it is an error's although the status was a success."""
    wire = decode(OBJECT, response.body)
    if wire.get("type") == "error":
        raise call.provider.make_error(response)
    return wire


def when(text: Any) -> datetime | None:
    """A time as the API writes it, RFC 3339, in UTC; None where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def pages(call: Call[Any], path: str, make: Callable[[Wire], T], *betas: str) -> Flow[Sequence[T]]:
    """Everything that *path* lists, page by page, or the request's first *limit* of it.

    The call's own fields are the query.
    """
    found: list[T] = []
    limit, after, seen = call.request.limit, None, set[str]()
    while limit is None or len(found) < limit:
        size = PAGE if limit is None else min(PAGE, limit - len(found))
        asked = {"limit": size, **fields(call), **({"after_id": after} if after else {})}
        request = with_headers(call, get_request(path, **asked), *betas)
        response = yield from call.provider.fetch(call, request)
        read(call, response)
        page = decode(PAGE_WIRE, response.body)
        try:
            found += [make(wire) for wire in page.data]
            after = page.last_id or (page.data[-1]["id"] if page.data else None)
        except READ_ERRORS as error:
            raise unreadable(error, response.body) from None
        if not page.has_more or after is None:
            break
        if after in seen:
            raise ResponseFormatError("the list comes round again (at $.last_id)")
        seen.add(after)
    return found[:limit]
