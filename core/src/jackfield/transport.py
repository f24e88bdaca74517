"""The HTTP transport: the only module that imports the HTTP library.

The seam is narrow: `open` takes method, URL, headers and body and gives a status,
headers and bytes in batches until `close`. Connections are pooled per process
(blocking) and per event loop (async) and shared by all providers; nothing opens a
client per call. Redirects are never followed, so a key stays with its origin.
Library errors end here, and are not chained: their frames hold headers.
"""

from __future__ import annotations

import os
import ssl
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import anyio
import httpcore2
import httpx2
from anyio.lowlevel import RunVar

from .decoding import ACCEPTED, Decoder, decoder
from .drivers.seam import TLS, AsyncOpenResponse, OpenResponse
from .errors import LLMError, RequestTimeoutError, TransportError
from .flow import HTTPRequest


class _Deadline(threading.local):
    at: float = float("inf")


_deadline = _Deadline()


class _DeadlineStream(httpcore2.NetworkStream):
    """A socket each of whose reads and writes ends by the thread's deadline."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    @staticmethod
    def _left(timeout: float | None, expired: type[Exception]) -> float | None:
        if _deadline.at == float("inf"):
            return timeout
        left = _deadline.at - time.monotonic()
        if left <= 0:
            raise expired("the deadline has passed")
        return left if timeout is None else min(timeout, left)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _DeadlineBackend(httpcore2.SyncBackend):
    """Makes `_DeadlineStream`s: a slow drip never outlives the call's deadline."""

    def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore2.NetworkStream:
        return _DeadlineStream(super().connect_tcp(*args, **kwargs))


@lru_cache(maxsize=8)
def _context(tls: TLS | None) -> ssl.SSLContext:
    """One TLS context a process for each set of certificates."""
    if tls is None:
        return httpx2.create_ssl_context()
    context = ssl.create_default_context(cafile=tls.ca_file)
    if tls.cert_file:
        context.load_cert_chain(tls.cert_file, tls.key_file)
    return context


@lru_cache(maxsize=1024)
def _target(url: str) -> tuple[httpcore2.URL, bytes, str | None]:
    """The parsed *url*, its Host header, and the proxy that the environment wants for it."""
    parsed = httpcore2.URL(url)
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    proxy = None if proxy_bypass(host) else getproxies().get(parts.scheme)
    return parsed, host.encode("idna" if not host.isascii() else "ascii"), proxy


def _pool(kind: Any, proxied: Any, tls: TLS | None, proxy: str | None, secure: bool) -> Any:
    options: dict[str, Any] = {
        "ssl_context": _context(tls) if secure else None,
        "max_connections": 1000,
        "max_keepalive_connections": 100,
        "keepalive_expiry": 30.0,
    }
    if kind is httpcore2.ConnectionPool:
        options["network_backend"] = _DeadlineBackend()
    if proxy is None:
        return kind(**options)
    parts = urlsplit(proxy)
    auth = (parts.username or "", parts.password or "") if parts.username else None
    origin = f"{parts.scheme or 'http'}://{parts.hostname}:{parts.port or 8080}"
    return proxied(proxy_url=origin, proxy_auth=auth, **options)


def _core_request(request: HTTPRequest, url: httpcore2.URL, host: bytes) -> httpcore2.Request:
    headers = [(b"host", host), (b"accept-encoding", ACCEPTED.encode())]
    headers += [(k.encode("ascii"), v.encode("latin-1")) for k, v in request.headers.items()]
    if request.body is not None:
        headers.append((b"content-length", b"%d" % len(request.body)))
    timeout = {"connect": request.connect, "pool": request.connect, "write": request.idle}
    return httpcore2.Request(
        request.method, url, headers=headers, content=request.body, extensions={"timeout": timeout}
    )


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for key, value in raw:
        name, text = key.decode("latin-1").lower(), value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


_CONNECT = (httpcore2.ConnectError, httpcore2.ConnectTimeout, httpcore2.PoolTimeout)
_CONNECT_X = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_ERRORS = (
    httpcore2.NetworkError,
    httpcore2.TimeoutException,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
    httpx2.TransportError,
    httpx2.InvalidURL,
    TimeoutError,
    OSError,
)
_TIMEOUTS = (httpcore2.TimeoutException, httpx2.TimeoutException, TimeoutError)


def _translate(error: BaseException, phase: str, url: str) -> LLMError:
    """Our error for one of the library's."""
    parts = urlsplit(url)
    where = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
    if isinstance(error, _CONNECT + _CONNECT_X):
        phase = "connect"
    reason = str(error) or type(error).__name__
    if isinstance(error, _TIMEOUTS):
        what = "no free connection to" if "Pool" in type(error).__name__ else "no answer from"
        return RequestTimeoutError(
            f"{what} {where} in time ({phase})", phase=phase, maybe_executed=phase != "connect"
        )
    failed: LLMError = TransportError(
        f"{where}: {reason}", phase=phase, maybe_executed=phase != "connect"
    )
    if "CERTIFICATE_VERIFY_FAILED" in reason or isinstance(error, httpcore2.UnsupportedProtocol):
        failed.retryable = False
    return failed


class _Body:
    """What both colours of response share: status, headers, decoding."""

    def __init__(self, status: int, raw: list[tuple[bytes, bytes]], url: str) -> None:
        self.status = status
        self.headers = _headers(raw)
        self._url = url
        self._decoder: Decoder | None = decoder(self.headers.get("content-encoding", ""))
        self._pieces: Iterator[bytes] = iter(())
        self.ended = False

    def _decode(self, chunk: bytes) -> bytes:
        """Decoded bytes of *chunk*; ``b""`` if there are none yet."""
        if self._decoder is None:
            return chunk
        self._pieces = self._decoder.feed(chunk)
        return next(self._pieces, b"")

    def _end(self) -> bytes:
        self.ended = True
        if self._decoder is not None:
            self._decoder.close()
        return b""


def _discard_if_spoiled(response: Any) -> None:
    """See to it that a connection with bytes after the end of *response* is not used again.

    They belong to no request. httpcore2 would take them for the answer to the next one, and give
    every later caller the answer of somebody else; it has no public way to ask.
    """
    stream = response.stream
    while inner := getattr(stream, "_stream", None) or getattr(stream, "_httpcore_stream", None):
        stream = inner
    state = getattr(getattr(stream, "_connection", None), "_h11_state", None)
    if state is not None and state.trailing_data[0]:
        state.send_failed()


class _SyncResponse(_Body):
    def __init__(
        self, response: Any, raw: Any, chunks: Iterator[bytes], status: int, url: str
    ) -> None:
        super().__init__(status, raw, url)
        self._response, self._chunks = response, chunks

    def read(self, deadline: float) -> bytes:
        if self._decoder is not None and (piece := next(self._pieces, b"")):
            return piece
        _deadline.at = deadline
        failure = None
        try:
            while chunk := next(self._chunks, b""):
                if piece := self._decode(chunk):
                    return piece
        except _ERRORS as error:
            failure = _translate(error, "body", self._url)
        if failure is not None:
            raise failure
        return self._end()

    def close(self) -> None:
        _discard_if_spoiled(self._response)
        self._response.close()


class HTTPTransport:
    """Blocking transport over process-wide pools, or over a caller's own httpx2 client."""

    def __init__(self, client: httpx2.Client | None = None) -> None:
        self._client = client

    def open(self, request: HTTPRequest) -> OpenResponse:
        """Send *request*; return when the head has come."""
        _deadline.at = request.deadline
        failure = None
        try:
            return self._open_client(request) if self._client else self._open_pool(request)
        except _ERRORS as error:
            failure = _translate(error, "head", request.url)
        raise failure

    @staticmethod
    def _open_pool(request: HTTPRequest) -> OpenResponse:
        url, host, proxy = _target(request.url)
        pool = _sync_pool(request.tls, proxy, url.scheme == b"https")
        response = pool.handle_request(_core_request(request, url, host))
        try:
            chunks = iter(response.stream)
            return _SyncResponse(response, response.headers, chunks, response.status, request.url)
        except BaseException:
            response.close()
            raise

    def _open_client(self, request: HTTPRequest) -> OpenResponse:
        assert self._client is not None
        left = request.deadline - time.monotonic()
        timeout = {"connect": request.connect, "pool": request.connect, "write": request.idle}
        response = self._client.send(
            _client_request(request, {**timeout, "read": None if left == float("inf") else left}),
            stream=True,
            follow_redirects=False,
        )
        chunks = response.iter_raw()
        status, raw = response.status_code, response.headers.raw
        return _SyncResponse(response, raw, chunks, status, request.url)


def _client_request(request: HTTPRequest, timeout: dict[str, float | None]) -> httpx2.Request:
    headers = {**request.headers, "accept-encoding": ACCEPTED}
    extensions = {"timeout": timeout}
    return httpx2.Request(
        request.method, request.url, headers=headers, content=request.body, extensions=extensions
    )


@lru_cache(maxsize=64)
def _sync_pool(tls: TLS | None, proxy: str | None, secure: bool) -> Any:
    return _pool(httpcore2.ConnectionPool, httpcore2.HTTPProxy, tls, proxy, secure)


# A forked child must not share its parent's connections.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_sync_pool.cache_clear)

Pools = dict[Any, Any]
_loop_pools: RunVar[tuple[Pools, AsyncGenerator[None, None]]] = RunVar("jackfield_pools")


async def _keeper(pools: Pools) -> AsyncGenerator[None, None]:
    """Closes the loop's pools when the loop shuts its async generators down."""
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            for pool in pools.values():
                await pool.aclose()


async def _async_pool(tls: TLS | None, proxy: str | None, secure: bool) -> Any:
    # Pooled connections belong to the event loop that opened them.
    kept = _loop_pools.get(None)
    if kept is None:
        pools: Pools = {}
        keeper = _keeper(pools)
        await anext(keeper)
        _loop_pools.set(kept := (pools, keeper))
    key = (tls, proxy, secure)
    if key not in kept[0]:
        kept[0][key] = _pool(
            httpcore2.AsyncConnectionPool, httpcore2.AsyncHTTPProxy, tls, proxy, secure
        )
    return kept[0][key]


def _seconds(deadline: float) -> float | None:
    return None if deadline == float("inf") else max(0.0, deadline - time.monotonic())


class _AsyncResponse(_Body):
    def __init__(
        self, response: Any, raw: Any, chunks: AsyncIterator[bytes], status: int, url: str
    ) -> None:
        super().__init__(status, raw, url)
        self._response, self._chunks = response, chunks

    async def read(self, deadline: float) -> bytes:
        if self._decoder is not None and (piece := next(self._pieces, b"")):
            return piece
        failure = None
        try:
            with anyio.fail_after(_seconds(deadline)):
                while chunk := await anext(self._chunks, b""):
                    if piece := self._decode(chunk):
                        return piece
        except _ERRORS as error:
            failure = _translate(error, "body", self._url)
        if failure is not None:
            raise failure
        return self._end()

    async def close(self) -> None:
        _discard_if_spoiled(self._response)
        await self._response.aclose()


class AsyncHTTPTransport:
    """Async transport over the event loop's pools, or over a caller's own httpx2 client."""

    def __init__(self, client: httpx2.AsyncClient | None = None) -> None:
        self._client = client

    async def open(self, request: HTTPRequest) -> AsyncOpenResponse:
        """Send *request*; return when the head has come."""
        failure = None
        opening = self._open_client if self._client else self._open_pool
        try:
            with anyio.fail_after(_seconds(request.deadline)):
                return await opening(request)
        except _ERRORS as error:
            failure = _translate(error, "head", request.url)
        raise failure

    @staticmethod
    async def _open_pool(request: HTTPRequest) -> AsyncOpenResponse:
        url, host, proxy = _target(request.url)
        pool = await _async_pool(request.tls, proxy, url.scheme == b"https")
        response = await pool.handle_async_request(_core_request(request, url, host))
        try:
            chunks = aiter(response.stream)
            return _AsyncResponse(response, response.headers, chunks, response.status, request.url)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await response.aclose()
            raise

    async def _open_client(self, request: HTTPRequest) -> AsyncOpenResponse:
        assert self._client is not None
        timeout = {"connect": request.connect, "pool": request.connect, "write": request.idle}
        sent = _client_request(request, {**timeout, "read": None})
        response = await self._client.send(sent, stream=True, follow_redirects=False)
        chunks = response.aiter_raw()
        status, raw = response.status_code, response.headers.raw
        return _AsyncResponse(response, raw, chunks, status, request.url)
