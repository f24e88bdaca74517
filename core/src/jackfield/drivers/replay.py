"""The replay driver: recorded exchanges through the real flows, without sockets or waiting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from attrs import field, frozen

from .. import errors
from ..errors import LLMError, RequestTimeoutError, TransportError
from ..flow import HTTPRequest
from .concurrent import AsyncDriver
from .sync import SyncDriver


@frozen(kw_only=True)
class Recorded:
    """One recorded response; *chunks* are its body as it is to arrive.

    *times* are the seconds between the request and the head, then each chunk; left out, nothing
    takes time. *failure* is what came after the last chunk, or, with status 0, in place of a head.
    """

    status: int = 200
    headers: dict[str, str] = field(factory=dict)
    chunks: Sequence[bytes] = ()
    times: Sequence[float] = ()
    failure: Failure | None = None


@frozen(kw_only=True)
class Failure:
    """How a connection failed: the name of the `LLMError` class, and what it says."""

    error: str = "TransportError"
    message: str = "the connection broke"
    phase: str = "body"
    maybe_executed: bool = True

    def made(self) -> LLMError:
        """The error, a new one."""
        kind: type[LLMError] = getattr(errors, self.error, TransportError)
        return kind(self.message, phase=self.phase, maybe_executed=self.maybe_executed)


class StillClock:
    """A clock that only sleeping, and waiting for what was recorded, moves."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        """Now."""
        return self.at

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.at += seconds

    async def asleep(self, seconds: float) -> None:
        """Move on, on an event loop."""
        self.at += seconds

    def until(self, time: float, deadline: float, phase: str) -> None:
        """Let *time* come, or fail at *deadline*."""
        self.at = max(self.at, min(time, deadline))
        if time > deadline:
            raise RequestTimeoutError("no more in time", phase=phase)


class _Open:
    def __init__(self, recorded: Recorded, clock: StillClock, deadline: float) -> None:
        self.status = recorded.status
        self.headers = dict(recorded.headers)
        self._chunks: Iterator[bytes] = iter(recorded.chunks)
        self._failure, self._clock, self._start = recorded.failure, clock, clock.at
        self._times: Iterator[float] = iter(recorded.times)
        self.closed = False
        self._wait(deadline, "head")
        if not self.status:
            self._fail()

    def _wait(self, deadline: float, phase: str) -> None:
        self._clock.until(self._start + next(self._times, 0.0), deadline, phase)

    def _fail(self) -> None:
        if self._failure is not None:
            raise self._failure.made()

    def read(self, deadline: float) -> bytes:
        """The next recorded bytes; ``b""`` at the end."""
        self._wait(deadline, "body")
        chunk = next(self._chunks, b"")
        if not chunk:
            self._fail()
        return chunk

    def close(self) -> None:
        """Note that the response was closed."""
        self.closed = True


class _AsyncOpen(_Open):
    async def read(self, deadline: float) -> bytes:  # type: ignore[override]  # the async colour
        return super().read(deadline)

    async def close(self) -> None:  # type: ignore[override]  # the async colour
        super().close()


class ReplayTransport:
    """Answers each request with the next recorded response; keeps the requests it got."""

    def __init__(self, recorded: Iterable[Recorded], clock: StillClock | None = None) -> None:
        self._recorded = iter(recorded)
        self._clock = clock or StillClock()
        self.requests: list[HTTPRequest] = []
        self.responses: list[_Open] = []

    def _next(self, request: HTTPRequest) -> Recorded:
        self.requests.append(request)
        found = next(self._recorded, None)
        if found is None:
            error = TransportError("the recording has no further response", phase="connect")
            error.retryable = False
            raise error
        return found

    def open(self, request: HTTPRequest) -> _Open:
        """The next recorded response."""
        self.responses.append(_Open(self._next(request), self._clock, request.deadline))
        return self.responses[-1]


class AsyncReplayTransport(ReplayTransport):
    """`ReplayTransport` for an event loop."""

    async def open(self, request: HTTPRequest) -> _AsyncOpen:  # type: ignore[override]  # the async colour
        """The next recorded response."""
        response = _AsyncOpen(self._next(request), self._clock, request.deadline)
        self.responses.append(response)
        return response


class ReplayDriver(SyncDriver):
    """A blocking driver over *recorded* responses; waiting takes no time."""

    def __init__(self, recorded: Iterable[Recorded]) -> None:
        clock = StillClock()
        self.transport = ReplayTransport(recorded, clock)
        super().__init__(self.transport, clock=clock, sleep=clock.sleep, chance=lambda: 0.5)


class AsyncReplayDriver(AsyncDriver):
    """An async driver over *recorded* responses; waiting takes no time."""

    def __init__(self, recorded: Iterable[Recorded]) -> None:
        clock = StillClock()
        self.transport = AsyncReplayTransport(recorded, clock)
        super().__init__(self.transport, clock=clock, sleep=clock.asleep, chance=lambda: 0.5)
