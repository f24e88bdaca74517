"""Forms: how files travel to a provider beside other fields."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from attrs import field, frozen

from ..errors import InvalidRequestError
from ..flow import HTTPRequest


@frozen
class FilePart:
    """A file in a form: its name, media type and bytes."""

    name: str
    media_type: str
    data: bytes = field(repr=lambda d: f"<{len(d)} bytes>")


def form_request(path: str, parts: Iterable[tuple[str, Any]]) -> HTTPRequest:
    """A form (``multipart/form-data``, RFC 7578) to *path* below the base URL.

    *parts* are names with a `FilePart` or a value; what is None is left out, true
    and false are written as in JSON, and a name may come more than once.

    Raises:
        InvalidRequestError: a file's media type is none.
    """
    written: list[bytes] = []
    for name, value in parts:
        if value is None:
            continue
        head, body = f'form-data; name="{_quoted(name)}"', str(value).encode()
        if isinstance(value, FilePart):
            if not value.media_type.isprintable():
                message = f"{value.media_type[:60]!r} is not a media type, as in image/png"
                raise InvalidRequestError(message, param=name, phase="build")
            head += f'; filename="{_quoted(value.name)}"\r\nContent-Type: {value.media_type}'
            body = value.data
        elif isinstance(value, bool | Mapping | list | tuple):
            body = msgspec.json.encode(value)
        written.append(f"Content-Disposition: {head}\r\n\r\n".encode() + body + b"\r\n")
    # Not random: the same form is the same bytes. It must only not occur in them.
    whole = b"".join(written)
    boundary = "jackfield-" + hashlib.sha256(whole).hexdigest()[:32]
    mark = f"--{boundary}\r\n".encode()
    body = b"".join(mark + part for part in written) + f"--{boundary}--\r\n".encode()
    kind = {"content-type": f"multipart/form-data; boundary={boundary}"}
    return HTTPRequest(url=path, body=body, headers=kind)


def _quoted(name: str) -> str:
    """*name* within quotes, as browsers write it (WHATWG: form-data encoding)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
