"""The seam between drivers and transports: what a transport must offer."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from attrs import frozen

from ..errors import ResponseTooLargeError
from ..flow import HTTPRequest

T = TypeVar("T")

ERROR_BODY = 64 * 1024
"""At most so many bytes of an error's body are read."""

DRAIN_SECONDS = 0.1
DRAIN_BYTES = 64 * 1024
"""How long and how far a finished stream is read on, to keep its connection."""


@frozen
class TLS:
    """What a server's certificate is checked against, and our own: paths of PEM files."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


class OpenResponse(Protocol):
    """A response whose body is still coming; times are of the monotonic clock."""

    status: int
    headers: dict[str, str]

    def read(self, deadline: float) -> bytes:
        """The next bytes, decoded; ``b""`` at the end."""
        ...

    def close(self) -> None:
        """Give the connection back if the body has ended, else drop it."""
        ...


class Transport(Protocol):
    """Opens responses, blocking."""

    def open(self, request: HTTPRequest) -> OpenResponse:
        """Send *request*; return when the head has come."""
        ...


class AsyncOpenResponse(Protocol):
    """`OpenResponse` for an event loop."""

    status: int
    headers: dict[str, str]

    async def read(self, deadline: float) -> bytes:
        """The next bytes, decoded; ``b""`` at the end."""
        ...

    async def close(self) -> None:
        """Give the connection back if the body has ended, else drop it."""
        ...


class AsyncTransport(Protocol):
    """Opens responses on an event loop."""

    async def open(self, request: HTTPRequest) -> AsyncOpenResponse:
        """Send *request*; return when the head has come."""
        ...


class BodyBuffer:
    """Collects a whole body within its limit; an error's body is cut at its own."""

    def __init__(self, status: int, limit: int) -> None:
        self._failed = status >= 300
        self._limit = ERROR_BODY if self._failed else limit
        self._chunks: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> bool:
        """Keep *chunk*; False when there is nothing more to read."""
        self._chunks.append(chunk)
        self._size += len(chunk)
        if self._size > self._limit:
            if self._failed:
                return False
            raise ResponseTooLargeError(f"the body is larger than {self._limit} bytes")
        return bool(chunk)

    def join(self) -> bytes:
        """The body."""
        return b"".join(self._chunks)


class Outcome(Generic[T]):
    """Where a drive leaves its flow's result, for whoever holds its events."""

    value: T

    def __init__(self) -> None:
        self.done = False
