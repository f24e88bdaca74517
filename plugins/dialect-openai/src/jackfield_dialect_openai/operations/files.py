"""Files that the provider keeps. https://platform.openai.com/docs/api-reference/files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from attrs import evolve
from msgspec import Struct

from jackfield.exchange import Call, Exchange, Procedure, get_request, segment
from jackfield.flow import Flow, HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import (
    FileContentRequest,
    FileDeleteRequest,
    FileInfoRequest,
    FileListRequest,
    FileUploadRequest,
    RemoteFile,
)
from jackfield.operations.forms import FilePart, form_request

from ..usage import count
from .reading import read, when

T = TypeVar("T")

MAX_FILE = 512 * 1024 * 1024
"""Bytes of a file that is fetched: what the service itself keeps at most."""

PAGE = 100


class Page(Struct):
    """One page of a list."""

    data: list[dict[str, Any]] | None
    has_more: bool | None = None
    last_id: str | None = None


PAGE_WIRE = msgspec.json.Decoder(Page)
OBJECT: msgspec.json.Decoder[Any] = msgspec.json.Decoder(dict[str, Any])


def upload(request: FileUploadRequest, options: Mapping[str, Any]) -> HTTPRequest:
    """A form to /files."""
    file = FilePart(request.name, request.media_type, request.data)
    fields = {"purpose": request.purpose, **options}
    return form_request("/files", [*fields.items(), ("file", file)])


def build_upload(call: Call[FileUploadRequest]) -> HTTPRequest:
    """A form to /files."""
    return upload(call.request, call.options)


def remote_file(wire: Mapping[str, Any], name: str) -> RemoteFile:
    """A file as the service describes it; *name* is the provider's."""
    return RemoteFile(
        id=wire["id"],
        name=str(wire.get("filename") or ""),
        size_bytes=count(wire.get("bytes")),
        media_type=wire.get("mimetype"),
        purpose=wire.get("purpose") or None,
        status=wire.get("status"),
        created_at=when(wire.get("created_at")),
        expires_at=when(wire.get("expires_at")),
        provider_metadata={name: wire},
    )


def parse_file(call: Call[Any], response: HTTPResponse) -> RemoteFile:
    """One file."""
    return remote_file(read(call, OBJECT, response), call.provider.info.name)


def pages(
    call: Call[Any], path: str, limit: int | None, make: Callable[[Mapping[str, Any]], T]
) -> Flow[Sequence[T]]:
    """Everything that *path* lists, page by page, or the first *limit* of it."""
    found: list[T] = []
    after: str | None = None
    while limit is None or len(found) < limit:
        size = PAGE if limit is None else min(PAGE, limit - len(found))
        request = get_request(path, limit=size, after=after)
        page = read(call, PAGE_WIRE, (yield from call.provider.fetch(call, request)))
        found += [make(wire) for wire in page.data or ()]
        last = page.data[-1].get("id") if page.data else None
        if not page.has_more or last is None or last == after:
            break
        after = last
    return found[:limit]


def list_files(call: Call[FileListRequest]) -> Flow[Sequence[RemoteFile]]:
    """GET /files, page by page."""
    name = call.provider.info.name
    return pages(call, "/files", call.request.limit, lambda wire: remote_file(wire, name))


def content(file_id: str) -> HTTPRequest:
    """GET /files/ID/content."""
    return evolve(get_request(f"/files/{segment(file_id)}/content"), max_body=MAX_FILE)


def _nothing(call: Call[Any], response: HTTPResponse) -> None:
    read(call, OBJECT, response)


FILES: Exchanges = {
    FileUploadRequest: Exchange(build=build_upload, parse=parse_file),
    FileListRequest: Procedure(perform=list_files),
    FileInfoRequest: Exchange(
        build=lambda call: get_request(f"/files/{segment(call.request.file_id)}"), parse=parse_file
    ),
    FileContentRequest: Exchange(
        build=lambda call: content(call.request.file_id), parse=lambda _, response: response.body
    ),
    FileDeleteRequest: Exchange(
        build=lambda call: HTTPRequest(
            method="DELETE", url=f"/files/{segment(call.request.file_id)}"
        ),
        parse=_nothing,
    ),
}
