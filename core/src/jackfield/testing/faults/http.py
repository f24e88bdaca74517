"""Reading one HTTP/1.1 request from a wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .wire import Wire

HEAD_LIMIT = 1 << 20


@dataclass(frozen=True)
class Head:
    """The head of a request; header names are lower case, repeated ones joined with ``, ``."""

    method: str
    target: str
    headers: Mapping[str, str]
    raw: bytes


def read_head(wire: Wire) -> Head:
    """The next request's head. Raises PeerGoneError where none comes, ValueError where it is no HTTP."""
    while (end := wire.buffer.find(b"\r\n\r\n")) < 0:
        if len(wire.buffer) > HEAD_LIMIT:
            raise ValueError("the head of the request is too long")
        wire.receive()
    raw = bytes(wire.buffer[: end + 4])
    del wire.buffer[: end + 4]
    return parse_head(raw)


def parse_head(raw: bytes) -> Head:
    """*raw* (up to and with the blank line) as a `Head`."""
    first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Head(method, target, headers, raw)


def read_body(wire: Wire, head: Head) -> bytes:
    """The body that belongs to *head*, by its length or its chunks."""
    if head.headers.get("expect", "").lower() == "100-continue":
        wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    if "chunked" in head.headers.get("transfer-encoding", "").lower():
        return _read_chunked(wire)
    return _take(wire, int(head.headers.get("content-length", "0")))


def _take(wire: Wire, count: int) -> bytes:
    while len(wire.buffer) < count:
        wire.receive()
    data = bytes(wire.buffer[:count])
    del wire.buffer[:count]
    return data


def _line(wire: Wire) -> bytes:
    while (end := wire.buffer.find(b"\r\n")) < 0:
        wire.receive()
    return _take(wire, end + 2)[:-2]


def _read_chunked(wire: Wire) -> bytes:
    body = bytearray()
    while size := int(_line(wire).split(b";")[0], 16):
        body += _take(wire, size)
        _line(wire)
    while _line(wire):
        pass
    return bytes(body)
