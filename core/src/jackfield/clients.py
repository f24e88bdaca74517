"""Transports over a caller's own httpx2 (or httpx) client, known by its methods alone.

The client's own settings count: its pool, proxies, certificates, headers and hooks.
A total deadline is checked between reads, not within one (see docs/why/httpx2.md).
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio

from .decoding import ACCEPTED, Decoder, decoder
from .drivers.seam import AsyncOpenResponse, OpenResponse
from .errors import LLMError, RequestTimeoutError, TransportError
from .flow import HTTPRequest


def _translate(error: Exception, phase: str) -> LLMError:
    """Our error for one of the client's, told by its name: any client of this kind will do."""
    name = type(error).__name__
    connecting = name.startswith(("Connect", "Pool"))
    kind = RequestTimeoutError if "Timeout" in name else TransportError
    phase = "connect" if connecting else phase
    return kind(f"{name}: {error}", phase=phase, maybe_executed=not connecting)


def _left(deadline: float) -> float | None:
    return None if deadline == float("inf") else max(0.001, deadline - time.monotonic())


def _request(client: Any, request: HTTPRequest) -> Any:
    timeout = {
        "connect": request.connect,
        "pool": request.connect,
        "write": request.idle,
        "read": _left(request.deadline),
    }
    return client.build_request(
        request.method,
        request.url,
        headers={**request.headers, "accept-encoding": ACCEPTED},
        content=request.body,
        extensions={"timeout": timeout},
    )


class _Response:
    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.headers = {k.lower(): v for k, v in response.headers.items()}
        self._response = response
        # A hook or a mock may have read it already; then it is decoded, too.
        self._whole: bytes | None = response.content if response.is_stream_consumed else None
        encoding = "" if self._whole is not None else self.headers.get("content-encoding", "")
        self._decoder: Decoder | None = decoder(encoding)
        self._pieces: Iterator[bytes] = iter(())

    def _take_whole(self) -> bytes | None:
        """What somebody else has read, once, then ``b""``; None if nobody has."""
        whole = self._whole
        self._whole = None if whole is None else b""
        return whole

    def _decode(self, chunk: bytes) -> bytes:
        if self._decoder is None:
            return chunk
        self._pieces = self._decoder.feed(chunk)
        return next(self._pieces, b"")

    def _end(self) -> bytes:
        if self._decoder is not None:
            self._decoder.close()
        return b""


class _SyncResponse(_Response):
    def __init__(self, response: Any) -> None:
        super().__init__(response)
        self._chunks: Iterator[bytes] = response.iter_raw()

    def read(self, deadline: float) -> bytes:
        if (whole := self._take_whole()) is not None:
            return whole
        if piece := next(self._pieces, b""):
            return piece
        failure = None
        if time.monotonic() > deadline:
            raise RequestTimeoutError("no more of the answer in time", phase="body")
        try:
            while chunk := next(self._chunks, b""):
                if piece := self._decode(chunk):
                    return piece
        except LLMError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever the client raises becomes ours
            failure = _translate(error, "body")
        if failure is not None:
            raise failure
        return self._end()

    def close(self) -> None:
        self._response.close()


class ClientTransport:
    """Blocking transport over *client*, an ``httpx2.Client``; redirects are never followed."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def open(self, request: HTTPRequest) -> OpenResponse:
        """Send *request*; return when the head has come."""
        try:
            sent = _request(self._client, request)
            response = self._client.send(sent, stream=True, follow_redirects=False)
            return _SyncResponse(response)
        except LLMError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever the client raises becomes ours
            failure = _translate(error, "head")
        raise failure


class _AsyncResponse(_Response):
    def __init__(self, response: Any) -> None:
        super().__init__(response)
        self._chunks: AsyncIterator[bytes] = response.aiter_raw()

    async def read(self, deadline: float) -> bytes:
        if (whole := self._take_whole()) is not None:
            return whole
        if piece := next(self._pieces, b""):
            return piece
        failure = None
        try:
            with anyio.fail_after(_left(deadline)):
                while chunk := await anext(self._chunks, b""):
                    if piece := self._decode(chunk):
                        return piece
        except LLMError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever the client raises becomes ours
            failure = _translate(error, "body")
        if failure is not None:
            raise failure
        return self._end()

    async def close(self) -> None:
        await self._response.aclose()


class AsyncClientTransport:
    """Async transport over *client*, an ``httpx2.AsyncClient``; redirects are never followed."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def open(self, request: HTTPRequest) -> AsyncOpenResponse:
        """Send *request*; return when the head has come."""
        try:
            with anyio.fail_after(_left(request.deadline)):
                sent = _request(self._client, request)
                response = await self._client.send(sent, stream=True, follow_redirects=False)
                return _AsyncResponse(response)
        except LLMError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever the client raises becomes ours
            failure = _translate(error, "head")
        raise failure
