"""Calls without I/O: a *flow* describes a call, drivers perform it.

A flow is a generator that yields *effects* and is sent their outcomes; it may
yield lists of stream events on the way, and returns the result. It is written
once and runs blocking, under asyncio, under trio, from a recording, and in
virtual time. An effect that fails is thrown into the flow as an `LLMError`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeVar, cast

from attrs import evolve, field, frozen

from .errors import InvalidRequestError
from .secret import Headers

T = TypeVar("T")

MAX_BODY = 32 * 1024 * 1024
"""Bytes of a whole response body, after decompression."""


@frozen(kw_only=True)
class HTTPRequest:
    """Effect: send this; the outcome is an `HTTPResponse`.

    With *stream*, a successful response comes open, to be `Read`; any other
    response is read whole. *deadline* is a time of the driver's clock by which
    the head (and, unless streamed, the body) must have come; *connect* and
    *idle* are seconds; *tls* chooses a connection pool (see `transport.TLS`).
    *seal* holds the credentials and the hosts that are allowed, until it is sent.
    *via* are transports, of both colours, that go before the driver's own.
    """

    method: str = "POST"
    url: str
    headers: Mapping[str, str] = field(factory=Headers, converter=Headers)
    body: bytes | None = field(default=None, repr=lambda b: f"<{len(b or b'')} bytes>")
    stream: bool = False
    deadline: float = float("inf")
    connect: float = 5.0
    idle: float = 60.0
    max_body: int = MAX_BODY
    tls: Any = None
    seal: Any = None
    via: tuple[Any, Any] = field(default=(None, None), repr=False, eq=False)

    def opened(self) -> HTTPRequest:
        """The request as a driver sends it; HostRefusedError where it must not go there."""
        return self if self.seal is None else cast("HTTPRequest", self.seal.open(self))


class HTTPResponse:
    """A response: whole, or open (then *body* is what was read so far, usually nothing)."""

    __slots__ = ("at", "body", "handle", "headers", "status")

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        handle: Any = None,
        at: float = 0.0,
    ) -> None:
        self.status = status
        self.headers = headers or {}
        self.body = body
        self.handle = handle
        self.at = at
        """The driver's clock when the last bytes came."""

    def __repr__(self) -> str:
        return f"<HTTPResponse {self.status}, {len(self.body)} bytes>"


class Read:
    """Effect: the next bytes of an open response by *deadline*; ``b""`` at its end."""

    # One is made for every read of every stream: cheaper than an attrs class.
    __match_args__ = ("response", "deadline")
    __slots__ = ("deadline", "response")

    def __init__(self, response: HTTPResponse, deadline: float = float("inf")) -> None:
        self.response = response
        self.deadline = deadline


@frozen
class Close:
    """Effect: close an open response; *drain* keeps the connection if its end comes at once."""

    response: HTTPResponse
    drain: bool = False


@frozen
class Invoke:
    """Effect: call *function*, which may block; the outcome is what it returns."""

    function: Callable[[], Any]


@frozen
class Defer:
    """Effect: call *function* when the whole call ends, however it ends."""

    function: Callable[[], Any]


@frozen
class Sleep:
    """Effect: wait this many seconds."""

    seconds: float


class Signal:
    """A flag that is raised once; flows wait for it, and any thread may raise it."""

    __slots__ = ("_callbacks", "_lock", "raised")

    def __init__(self) -> None:
        self.raised = False
        self._lock = threading.RLock()  # a flow that is collected while it is held unsubscribes
        self._callbacks: list[Callable[[], object]] = []

    def set(self) -> None:
        """Raise it: whoever waits goes on."""
        with self._lock:
            self.raised = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def subscribe(self, callback: Callable[[], object]) -> None:
        """Have *callback* called when it is raised, at once if it is: in whatever thread that is."""
        with self._lock:
            if not self.raised:
                self._callbacks.append(callback)
                return
        callback()

    def unsubscribe(self, callback: Callable[[], object]) -> None:
        """Forget *callback*."""
        with self._lock:
            if callback in self._callbacks:
                self._callbacks.remove(callback)


@frozen
class Wait:
    """Effect: wait for *signal*, at most so many *seconds*; the outcome says whether it was raised."""

    signal: Signal
    seconds: float = float("inf")


class Now:
    """Effect: the driver's monotonic clock, in seconds."""


class Random:
    """Effect: a number in [0, 1) from the driver's source of randomness."""


NOW = Now()
RANDOM = Random()

Effect = HTTPRequest | Read | Close | Invoke | Defer | Sleep | Wait | Now | Random
Flow = Generator[Any, Any, T]
"""Yields an `Effect` or a ``list`` of stream events; is sent the effect's outcome."""

Wrapper = Callable[[Flow[Any]], Flow[Any]]
"""Middleware: a function from flow to flow."""


def send(request: HTTPRequest) -> Flow[HTTPResponse]:
    """Send *request*."""
    response: HTTPResponse = yield request
    return response


def read(response: HTTPResponse, deadline: float = float("inf")) -> Flow[bytes]:
    """The next bytes of *response*; ``b""`` at its end."""
    chunk: bytes = yield Read(response, deadline)
    return chunk


def invoke(function: Callable[[], T]) -> Flow[T]:
    """Call *function*, off the event loop if there is one."""
    outcome: T = yield Invoke(function)
    return outcome


def sleep(seconds: float) -> Flow[None]:
    """Wait."""
    yield Sleep(seconds)


def wait(signal: Signal, seconds: float = float("inf")) -> Flow[bool]:
    """Wait for *signal*; False when *seconds* passed first."""
    raised: bool = yield Wait(signal, seconds)
    return raised


def now() -> Flow[float]:
    """The driver's monotonic clock."""
    clock: float = yield NOW
    return clock


def random() -> Flow[float]:
    """A number in [0, 1)."""
    number: float = yield RANDOM
    return number


def tap(
    flow: Flow[T],
    seen: Callable[[Any, Any], object] = lambda _step, _outcome: None,
    *,
    change: Callable[[Any], Any] = lambda step: step,
) -> Flow[T]:
    """*flow*, each step as *change* makes it, and *seen* after it: the effect and its outcome, or events and None.

    A step that is changed to None is not passed on. What either raises goes to
    whoever runs the flow, and not into it.
    """
    try:
        step = flow.send(None)
        while True:
            if (step := change(step)) is None:
                step = flow.send(None)
                continue
            try:
                outcome = yield step
            except Exception as error:  # noqa: BLE001  # the flow is told, whatever it is
                step = flow.throw(error)
            else:
                seen(step, outcome)
                step = flow.send(outcome)
    except StopIteration as stop:
        return cast("T", stop.value)
    finally:
        flow.close()


def performed(flow: Flow[T], perform: Callable[[Any], Flow[Any]]) -> Flow[T]:
    """*flow*, each step done by *perform*, a flow; what that raises is thrown into *flow*."""
    try:
        step = flow.send(None)
        while True:
            try:
                outcome = yield from perform(step)
            except Exception as error:  # noqa: BLE001  # the flow is told, whatever it is
                step = flow.throw(error)
            else:
                step = flow.send(outcome)
    except StopIteration as stop:
        return cast("T", stop.value)
    finally:
        flow.close()


def with_header(request: HTTPRequest, name: str, value: str) -> HTTPRequest:
    """*request* with a header set; refuses values that would break out of it."""
    if any(c in value for c in "\r\n\0"):
        raise InvalidRequestError(
            f"header {name} holds a line break or NUL: remove it", param=name, phase="build"
        )
    return evolve(request, headers={**request.headers, name.lower(): value})
