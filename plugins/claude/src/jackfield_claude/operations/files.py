"""Files that Anthropic keeps. https://docs.claude.com/en/docs/build-with-claude/files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve

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

from ..config import FILES_BETA, fields, with_headers
from ..usage import count
from .reading import Wire, pages, read, when

MAX_FILE = 500 * 1024 * 1024
"""Bytes of a file that is fetched: what the service itself keeps at most."""


def build_upload(call: Call[FileUploadRequest]) -> HTTPRequest:
    """POST /v1/files, a form; the call's own fields are fields of it."""
    request = call.request
    if request.purpose is not None:
        call.warn("dropped", "purpose", "Claude's files have none")
    file = FilePart(request.name, request.media_type, request.data)
    form = form_request("/v1/files", [*fields(call).items(), ("file", file)])
    return with_headers(call, form, FILES_BETA)


def remote_file(wire: Wire, name: str) -> RemoteFile:
    """A file as the API describes it; *name* is the provider's."""
    return RemoteFile(
        id=wire["id"],
        name=str(wire.get("filename") or ""),
        size_bytes=count(wire.get("size_bytes")),
        media_type=wire.get("mime_type"),
        created_at=when(wire.get("created_at")),
        provider_metadata={name: wire},
    )


def parse_file(call: Call[Any], response: HTTPResponse) -> RemoteFile:
    """One file."""
    return remote_file(read(call, response), call.provider.info.name)


def list_files(call: Call[FileListRequest]) -> Flow[Sequence[RemoteFile]]:
    """GET /v1/files, page by page."""
    name = call.provider.info.name
    return pages(call, "/v1/files", lambda wire: remote_file(wire, name), FILES_BETA)


def _one(call: Call[Any], method: str = "GET", more: str = "") -> HTTPRequest:
    """A request about one file."""
    path = f"/v1/files/{segment(call.request.file_id)}{more}"
    return with_headers(call, evolve(get_request(path), method=method), FILES_BETA)


def build_content(call: Call[FileContentRequest]) -> HTTPRequest:
    """GET /v1/files/ID/content: for files that tools made, not for uploads."""
    return evolve(_one(call, more="/content"), max_body=MAX_FILE)


def _nothing(call: Call[Any], response: HTTPResponse) -> None:
    read(call, response)


FILES: Exchanges = {
    FileUploadRequest: Exchange(build=build_upload, parse=parse_file),
    FileListRequest: Procedure(perform=list_files),
    FileInfoRequest: Exchange(build=_one, parse=parse_file),
    FileContentRequest: Exchange(build=build_content, parse=lambda _, response: response.body),
    FileDeleteRequest: Exchange(build=lambda call: _one(call, "DELETE"), parse=_nothing),
}
