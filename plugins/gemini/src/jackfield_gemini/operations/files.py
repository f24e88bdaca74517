"""Files that the service keeps for two days. https://ai.google.dev/api/files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve

from jackfield import ResponseFormatError
from jackfield.exchange import (
    READ_ERRORS,
    Call,
    Exchange,
    Procedure,
    decode,
    get_request,
    json_request,
    unreadable,
)
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

from ..config import beside, merge, path
from ..usage import count
from ..wire import OBJECT
from .pages import pages, when

MAX_FILE = 2 * 1024 * 1024 * 1024
"""Bytes of a file that is fetched: what the service itself keeps at most."""


def remote_file(wire: Mapping[str, Any], name: str) -> RemoteFile:
    """A file as the service describes it; *name* is the provider's."""
    return RemoteFile(
        id=wire["name"],
        name=str(wire.get("displayName") or ""),
        size_bytes=count(wire.get("sizeBytes")),
        media_type=wire.get("mimeType"),
        uri=wire.get("uri"),
        status=wire.get("state"),
        created_at=when(wire.get("createTime")),
        expires_at=when(wire.get("expirationTime")),
        provider_metadata={name: wire},
    )


def upload(call: Call[FileUploadRequest]) -> Flow[RemoteFile]:
    """Say what is coming; then send the bytes to where the answer says."""
    request, provider = call.request, call.provider
    if request.purpose is not None:
        call.warn("unsupported", "purpose", "not sent")
    said = {"file": merge({"displayName": request.name}, call.options)}
    start = json_request(beside(provider.config.base_url, "upload", "/files"), said)
    about = {
        **start.headers,
        "x-goog-upload-protocol": "resumable",
        "x-goog-upload-command": "start",
        "x-goog-upload-header-content-length": str(len(request.data)),
        "x-goog-upload-header-content-type": request.media_type,
    }
    response = yield from provider.fetch(call, evolve(start, headers=about))
    target = response.headers.get("x-goog-upload-url")
    if not target:
        raise ResponseFormatError("the service names no place for the upload (x-goog-upload-url)")
    command = {"x-goog-upload-offset": "0", "x-goog-upload-command": "upload, finalize"}
    sent = HTTPRequest(url=target, body=request.data, headers=command)
    return _file(call, (yield from provider.fetch(call, sent)))


def _file(call: Call[Any], response: HTTPResponse) -> RemoteFile:
    """One file, bare or in an envelope."""
    wire = decode(OBJECT, response.body)
    try:
        return remote_file(wire.get("file") or wire, call.provider.info.name)
    except READ_ERRORS as error:
        raise unreadable(error, response.body) from None


def _list(call: Call[FileListRequest]) -> Flow[Sequence[RemoteFile]]:
    name = call.provider.info.name
    return pages(call, "/files", "files", call.request.limit, lambda wire: remote_file(wire, name))


def content(name: str) -> HTTPRequest:
    """The bytes of a file that the service made: it gives none back that was uploaded."""
    return evolve(get_request(path(name, "files", ":download?alt=media")), max_body=MAX_FILE)


def _nothing(_: Call[Any], response: HTTPResponse) -> None:
    decode(OBJECT, response.body or b"{}")


FILES: Exchanges = {
    FileUploadRequest: Procedure(perform=upload),
    FileListRequest: Procedure(perform=_list),
    FileInfoRequest: Exchange(
        build=lambda call: get_request(path(call.request.file_id, "files")), parse=_file
    ),
    FileContentRequest: Exchange(
        build=lambda call: content(call.request.file_id), parse=lambda _, answer: answer.body
    ),
    FileDeleteRequest: Exchange(
        build=lambda call: HTTPRequest(method="DELETE", url=path(call.request.file_id, "files")),
        parse=_nothing,
    ),
}
