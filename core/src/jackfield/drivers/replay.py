"""The replay driver: recorded exchanges through the real flows, without sockets or waiting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from attrs import field, frozen

from ..errors import TransportError
from ..flow import HTTPRequest
from .concurrent import AsyncDriver
from .sync import SyncDriver


@frozen(kw_only=True)
class Recorded:
    """One recorded response; *chunks* are its body as it is to arrive."""

    status: int = 200
    headers: dict[str, str] = field(factory=dict)
    chunks: Sequence[bytes] = ()


class _Open:
    def __init__(self, recorded: Recorded) -> None:
        self.status = recorded.status
        self.headers = dict(recorded.headers)
        self._chunks: Iterator[bytes] = iter(recorded.chunks)
        self.closed = False

    def read(self, deadline: float) -> bytes:
        """The next recorded bytes; ``b""`` at the end."""
        return next(self._chunks, b"")

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

    def __init__(self, recorded: Iterable[Recorded]) -> None:
        self._recorded = iter(recorded)
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
        self.responses.append(_Open(self._next(request)))
        return self.responses[-1]


class AsyncReplayTransport(ReplayTransport):
    """`ReplayTransport` for an event loop."""

    async def open(self, request: HTTPRequest) -> _AsyncOpen:  # type: ignore[override]  # the async colour
        """The next recorded response."""
        response = _AsyncOpen(self._next(request))
        self.responses.append(response)
        return response


class _Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds

    async def asleep(self, seconds: float) -> None:
        self.at += seconds


class ReplayDriver(SyncDriver):
    """A blocking driver over *recorded* responses; waiting takes no time."""

    def __init__(self, recorded: Iterable[Recorded]) -> None:
        self.transport = ReplayTransport(recorded)
        clock = _Clock()
        super().__init__(self.transport, clock=clock, sleep=clock.sleep, chance=lambda: 0.5)


class AsyncReplayDriver(AsyncDriver):
    """An async driver over *recorded* responses; waiting takes no time."""

    def __init__(self, recorded: Iterable[Recorded]) -> None:
        self.transport = AsyncReplayTransport(recorded)
        clock = _Clock()
        super().__init__(self.transport, clock=clock, sleep=clock.asleep, chance=lambda: 0.5)
