"""Files that a provider keeps for its users."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from attrs import field, frozen

from ..errors import InvalidRequestError
from ..requests import Request
from ..types import CallWarning, Json, MediaPart


@frozen(kw_only=True)
class RemoteFile:
    """A file that a provider keeps; *uri* is where requests may refer to it, if that is no id.

    *status* is the provider's own word. Times are aware, in UTC.
    """

    id: str
    name: str = ""
    size_bytes: int | None = None
    media_type: str | None = None
    purpose: str | None = None
    uri: str | None = None
    status: str | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    warnings: tuple[CallWarning, ...] = ()
    provider_metadata: Json = field(factory=dict, repr=False)


@frozen(kw_only=True)
class FileUploadRequest(Request[RemoteFile]):
    """Give the provider a file to keep; *purpose* is a word of the provider's, where it wants one."""

    data: bytes = field(repr=lambda d: f"<{len(d)} bytes>")
    name: str
    media_type: str = "application/octet-stream"
    purpose: str | None = None

    @classmethod
    def of(cls, data: Any, name: str = "", **fields: Any) -> Self:
        """The request for *data*: bytes with a *name*, the path of a file, or a `MediaPart`.

        Raises:
            InvalidRequestError: there is no such file, or bytes have no name.
        """
        if isinstance(data, MediaPart):
            data, name = data.data or b"", name or data.name or ""
        if isinstance(data, bytes):
            if not name:
                message = 'a file of bytes needs a name: upload_file(data, "notes.txt")'
                raise InvalidRequestError(message, param="name", phase="build")
            read = data
        else:
            path = Path(data)
            try:
                read, name = path.read_bytes(), name or path.name
            except OSError as error:
                message = f"file {path}: {error.strerror or 'cannot be read'}"
                raise InvalidRequestError(message, param="data", phase="build") from None
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return cls(**{"data": read, "name": name, "media_type": kind, **fields})


@frozen(kw_only=True)
class FileListRequest(Request[Sequence[RemoteFile]]):
    """Ask which files the provider keeps: all of them, page by page, or the first *limit*."""

    limit: int | None = None


@frozen(kw_only=True)
class FileInfoRequest(Request[RemoteFile]):
    """Ask about one file."""

    file_id: str


@frozen(kw_only=True)
class FileContentRequest(Request[bytes]):
    """Ask for a file's bytes."""

    file_id: str


@frozen(kw_only=True)
class FileDeleteRequest(Request[None]):
    """Have a file forgotten."""

    file_id: str
