"""The HTTP transport: the only module that imports the HTTP library.

The seam is narrow: `open` takes method, URL, headers and body and gives a status,
headers and bytes in batches until `close`. Connections are pooled per process
(blocking) and per event loop (async) and shared by all providers; nothing opens a
client per call. Redirects are never followed, so a key stays with its origin.
Library errors end here, and are not chained: their frames hold headers.
"""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import AsyncGenerator, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import anyio
import h11
import httpcore2
import httpx2
from anyio.lowlevel import RunVar

from .decoding import ACCEPTED, Decoder, decoder
from .drivers.seam import TLS, AsyncOpenResponse, OpenResponse
from .errors import LLMError, RequestTimeoutError, TransportError
from .flow import HTTPRequest
from .proxies import environments_proxy, parsed_proxy
from .secret import Secret
from .sockets import DEADLINE, UNRESOLVED, Unsent, connect, left, seconds


class _Stream(Unsent, httpcore2.NetworkStream):
    """A socket each of whose reads and writes ends by the thread's deadline."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self.unsent:
            # A server may answer, and close, before it has read everything.
            with contextlib.suppress(httpcore2.WriteError):
                for piece in self.take():
                    self.stream.write(piece, left(None))
        data: bytes = self.stream.read(max_bytes, left(timeout))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.unsent.append(buffer)

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        return _Stream(self.stream.start_tls(ssl_context, server_hostname, timeout))


class _Backend(httpcore2.SyncBackend):
    """Makes `_Stream`s: neither a resolver nor a slow drip outlives the call's deadline."""

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *args: Any, **more: Any
    ) -> httpcore2.NetworkStream:
        to = super().connect_tcp
        way = connect(host, port, left(timeout), lambda a, t: to(a, port, t, *args, **more))
        return _Stream(way)


class _AsyncStream(Unsent, httpcore2.AsyncNetworkStream):
    """A socket of an event loop; deadlines are the loop's."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  # the library's interface
        if self.unsent:
            with contextlib.suppress(httpcore2.WriteError):
                for piece in self.take():
                    await self.stream.write(piece, timeout)
        data: bytes = await self.stream.read(max_bytes, timeout)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109  # the library's interface
        self.unsent.append(buffer)

    async def aclose(self) -> None:
        await self.stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # the library's interface
    ) -> httpcore2.AsyncNetworkStream:
        return _AsyncStream(await self.stream.start_tls(ssl_context, server_hostname, timeout))


class _AsyncBackend(httpcore2.AnyIOBackend):
    """Makes `_AsyncStream`s, under asyncio and trio."""

    async def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore2.AsyncNetworkStream:
        return _AsyncStream(await super().connect_tcp(*args, **kwargs))


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
def _target(url: str) -> tuple[httpcore2.URL, bytes, Secret | None]:
    """The parsed *url*, its Host header, and the proxy that the environment wants for it."""
    parsed = httpcore2.URL(url)
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    proxy = environments_proxy(parts.scheme, host)
    return parsed, host.encode("idna" if not host.isascii() else "ascii"), proxy


def _pool(
    kinds: tuple[Any, Any], backend: Any, tls: TLS | None, proxy: Secret | None, *, secure: bool
) -> Any:
    kind, proxied = kinds
    options: dict[str, Any] = {
        "ssl_context": _context(tls) if secure else None,
        "max_connections": 1000,
        "max_keepalive_connections": 100,
        "keepalive_expiry": 30.0,
        "network_backend": backend,
    }
    if proxy is None:
        return kind(**options)
    return proxied(**parsed_proxy(proxy), **options)


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


_CONNECT = (httpcore2.ConnectError, httpcore2.ConnectTimeout, httpcore2.PoolTimeout, *UNRESOLVED)
_ERRORS = (
    httpcore2.NetworkError,
    httpcore2.TimeoutException,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
    TimeoutError,
    OSError,
)
_TIMEOUTS = (httpcore2.TimeoutException, TimeoutError)


def _translate(error: BaseException, phase: str, url: str) -> LLMError:
    """Our error for one of the library's."""
    parts = urlsplit(url)
    where = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
    if isinstance(error, _CONNECT):
        phase = "connect"
    reason = str(error) or type(error).__name__
    if isinstance(error, _TIMEOUTS):
        busy = "Pool" in type(error).__name__  # all of ours are: the server is not to blame
        what, code = ("no free connection to", "pool") if busy else ("no answer from", None)
        said, executed = f"{what} {where} in time ({phase})", phase != "connect"
        return RequestTimeoutError(said, phase=phase, code=code, maybe_executed=executed)
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        reason += "; give the authority that signed its certificate as ca_file, if you trust it"
    failed: LLMError = TransportError(
        f"{where}: {reason}", phase=phase, maybe_executed=phase != "connect"
    )
    if "CERTIFICATE_VERIFY_FAILED" in reason or isinstance(error, httpcore2.UnsupportedProtocol):
        failed.retryable = False
    return failed


def _h11_state(response: Any) -> h11.Connection | None:
    """The protocol state below *response*: httpcore2 has no public way to it, so it may be absent."""
    stream = response.stream
    while inner := getattr(stream, "_stream", None):
        stream = inner
    return getattr(getattr(stream, "_connection", None), "_h11_state", None)


class _Body:
    """What both colours of response share: status, headers, decoding, and whole reads."""

    def __init__(self, response: Any, url: str) -> None:
        self.status: int = response.status
        self.headers = _headers(response.headers)
        self._response = response
        self._url = url
        self._decoder: Decoder | None = decoder(self.headers.get("content-encoding", ""))
        self._pieces: Iterator[bytes] = iter(())
        self._h11 = _h11_state(response)
        self._failure: LLMError | None = None
        self._over = False

    def _decode(self, chunk: bytes) -> bytes:
        """*chunk* and what was received with it, decoded; ``b""`` if that is nothing yet."""
        if self._h11 is not None:
            chunk = self._with_received(self._h11, chunk)
        if self._decoder is None:
            return chunk
        self._pieces = self._decoder.feed(chunk)
        return next(self._pieces, b"")

    def _with_received(self, state: h11.Connection, chunk: bytes) -> bytes:
        """*chunk* and what else is here already: the library hands out one HTTP chunk a call."""
        pieces = [chunk]
        try:
            while type(event := state.next_event()) is h11.Data:
                pieces.append(bytes(event.data))
            self._over = event is not h11.NEED_DATA
        except h11.RemoteProtocolError as error:
            self._failure = _translate(error, "body", self._url)
        return b"".join(pieces)

    def _end(self) -> bytes:
        if self._failure is not None:
            raise self._failure
        if self._decoder is not None:
            self._decoder.close()
        return b""

    def _discard_if_spoiled(self) -> None:
        """See to it that a connection with bytes after the response's end is not used again.

        They belong to no request. httpcore2 would take them for the answer to the next one, and
        give every later caller the answer of somebody else.
        """
        if self._h11 is not None and self._h11.trailing_data[0]:
            self._h11.send_failed()


class _SyncResponse(_Body):
    def __init__(self, response: Any, url: str) -> None:
        super().__init__(response, url)
        self._chunks: Iterator[bytes] = iter(response.stream)

    def read(self, deadline: float) -> bytes:
        if self._decoder is not None and (piece := next(self._pieces, b"")):
            return piece
        DEADLINE.at = deadline
        failure = self._failure
        try:
            while not (self._over or failure) and (chunk := next(self._chunks, b"")):
                if piece := self._decode(chunk):
                    return piece
        except _ERRORS as error:
            failure = _translate(error, "body", self._url)
        if failure is not None:
            raise failure
        return self._end()

    def close(self) -> None:
        self._discard_if_spoiled()
        self._response.close()


class HTTPTransport:
    """Blocking transport over process-wide pools."""

    def open(self, request: HTTPRequest) -> OpenResponse:
        """Send *request*; return when the head has come."""
        DEADLINE.at = request.deadline
        try:
            url, host, proxy = _target(request.url)
            pool = _sync_pool(request.tls, proxy, secure=url.scheme == b"https")
            response = pool.handle_request(_core_request(request, url, host))
        except _ERRORS as error:
            failure = _translate(error, "head", request.url)
        else:
            return self._opened(response, request.url)
        raise failure

    @staticmethod
    def _opened(response: Any, url: str) -> OpenResponse:
        try:
            return _SyncResponse(response, url)
        except BaseException:
            response.close()
            raise


@lru_cache(maxsize=64)
def _sync_pool(tls: TLS | None, proxy: Secret | None, secure: bool) -> Any:
    kinds = (httpcore2.ConnectionPool, httpcore2.HTTPProxy)
    return _pool(kinds, _Backend(), tls, proxy, secure=secure)


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


async def _async_pool(tls: TLS | None, proxy: Secret | None, secure: bool) -> Any:
    # Pooled connections belong to the event loop that opened them.
    kept = _loop_pools.get(None)
    if kept is None:
        pools: Pools = {}
        keeper = _keeper(pools)
        await anext(keeper)
        _loop_pools.set(kept := (pools, keeper))
    key = (tls, proxy, secure)
    if key not in kept[0]:
        kinds = (httpcore2.AsyncConnectionPool, httpcore2.AsyncHTTPProxy)
        kept[0][key] = _pool(kinds, _AsyncBackend(), tls, proxy, secure=secure)
    return kept[0][key]


class _AsyncResponse(_Body):
    def __init__(self, response: Any, url: str) -> None:
        super().__init__(response, url)
        self._chunks: AsyncGenerator[bytes, None] = aiter(response.stream)

    async def read(self, deadline: float) -> bytes:
        if self._decoder is not None and (piece := next(self._pieces, b"")):
            return piece
        failure = self._failure
        try:
            with anyio.fail_after(seconds(deadline)):
                while not (self._over or failure) and (chunk := await anext(self._chunks, b"")):
                    if piece := self._decode(chunk):
                        return piece
        except _ERRORS as error:
            failure = _translate(error, "body", self._url)
        if failure is not None:
            raise failure
        return self._end()

    async def close(self) -> None:
        self._discard_if_spoiled()
        # A generator left to the garbage collector is a ResourceWarning under trio.
        await self._chunks.aclose()
        await self._response.aclose()


class AsyncHTTPTransport:
    """Async transport over the event loop's pools."""

    async def open(self, request: HTTPRequest) -> AsyncOpenResponse:
        """Send *request*; return when the head has come."""
        failure = None
        try:
            with anyio.fail_after(seconds(request.deadline)):
                return await self._open(request)
        except _ERRORS as error:
            failure = _translate(error, "head", request.url)
        raise failure

    @staticmethod
    async def _open(request: HTTPRequest) -> AsyncOpenResponse:
        url, host, proxy = _target(request.url)
        pool = await _async_pool(request.tls, proxy, url.scheme == b"https")
        response = await pool.handle_async_request(_core_request(request, url, host))
        try:
            return _AsyncResponse(response, request.url)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await response.aclose()
            raise
