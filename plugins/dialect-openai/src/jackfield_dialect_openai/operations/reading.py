"""What the answers of all operations have in common: errors with a success's status, times, media."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from jackfield import MediaPart, ResponseFormatError
from jackfield.attachments import sniff
from jackfield.exchange import Call, decode
from jackfield.failures import event_error, parse_failure
from jackfield.flow import HTTPResponse

S = TypeVar("S")

_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def read(call: Call[Any], decoder: msgspec.json.Decoder[S], response: HTTPResponse) -> S:
    """The decoded body, unless it is an error's although the status was a success."""
    plain = decode(_ANY, response.body)
    if isinstance(plain, Mapping) and plain.get("error") and parse_failure(plain).message:
        raise event_error(plain, call.provider.error_codes)
    try:
        return decode(decoder, response.body)
    except ResponseFormatError:
        if isinstance(plain, Mapping) and parse_failure(plain).message:
            raise event_error(plain, call.provider.error_codes) from None
        raise


def when(seconds: Any) -> datetime | None:
    """A time from Unix seconds, or from ISO 8601 as some servers write it."""
    if isinstance(seconds, bool) or seconds is None:
        return None
    if isinstance(seconds, int | float):
        return datetime.fromtimestamp(seconds, UTC)
    try:
        read_time = datetime.fromisoformat(str(seconds))
    except ValueError:
        return None
    return read_time if read_time.tzinfo else read_time.replace(tzinfo=UTC)


def inline(data: str, kind: str) -> MediaPart:
    """Media from base64; what its first bytes tell beats *kind*."""
    found = b64decode(data)
    return MediaPart(sniff(found) or kind, found)
