"""Lists that come page by page, and times. https://google.aip.dev/158."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from jackfield import ResponseFormatError
from jackfield.exchange import READ_ERRORS, Call, decode, get_request, unreadable
from jackfield.flow import Flow

from ..wire import OBJECT

T = TypeVar("T")

SIZES = {"/models": 1000, "/files": 100, "/batches": 100}


def pages(
    call: Call[Any],
    place: str,
    field: str,
    limit: int | None,
    make: Callable[[Mapping[str, Any]], T],
) -> Flow[Sequence[T]]:
    """Everything that *place* lists in *field*, or the first *limit* of it.

    Raises:
        ResponseFormatError: a page comes round again, or is none.
    """
    found: list[T] = []
    token: str | None = None
    seen: set[str] = set()
    while limit is None or len(found) < limit:
        size = SIZES[place] if limit is None else min(SIZES[place], limit - len(found))
        asked = {"pageSize": size, "pageToken": token, **call.options}
        response = yield from call.provider.fetch(call, get_request(place, **asked))
        page = decode(OBJECT, response.body)
        # An empty list is an empty object; one that holds something else alone is no page. A
        # service that has no model at all is none either; further pages may be empty.
        empty = not page and (token is not None or place != "/models")
        if not empty and field not in page and "nextPageToken" not in page:
            raise ResponseFormatError(f"the answer has an unexpected shape: it lacks {field!r}")
        try:
            found += [make(wire) for wire in page.get(field) or ()]
        except READ_ERRORS as error:
            raise unreadable(error, response.body) from None
        token = page.get("nextPageToken")
        if not token:
            break
        if token in seen:
            raise ResponseFormatError("the list comes round again (at $.nextPageToken)")
        seen.add(token)
    return found[:limit]


def when(text: Any) -> datetime | None:
    """A time as the API writes it, with up to nine digits after the second."""
    if not isinstance(text, str):
        return None
    try:
        told = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)
