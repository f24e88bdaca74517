"""Running one request in every colour over recorded bytes, and writing down what came of it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from traceback import walk_tb
from typing import Any, NoReturn

import anyio
from attrs import field, fields, frozen, has

from ...drivers.concurrent import AsyncDriver
from ...drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from ...drivers.seam import OpenResponse
from ...drivers.sync import SyncDriver
from ...errors import LLMError, StreamInterruptedError
from ...flow import HTTPRequest
from ...provider import LLMProvider
from ...requests import Request
from ...types import ChatResponse

BACKENDS = ("asyncio", "trio")

NOBODYS = {"jackfield", "msgspec", "anyio", "trio", *sys.stdlib_module_names}
"""Packages whose lines say nothing about a plugin's mistake."""

FACTS = ("message", "phase", "status", "code", "param", "request_id", "retry_after", "retryable")


def comparable(value: Any) -> Any:
    """*value* as another may equal it: an error within, of a batch say, is its type and facts."""
    if isinstance(value, LLMError):
        return (type(value), _facts(value))
    if isinstance(value, list | tuple):
        return [comparable(item) for item in value]
    if has(type(value)):
        return (type(value), [comparable(getattr(value, f.name)) for f in fields(type(value))])
    return value


def _facts(error: LLMError) -> tuple[tuple[str, Any], ...]:
    return tuple((name, getattr(error, name)) for name in FACTS)


@frozen(kw_only=True)
class Outcome:
    """What came of a call: events and a result, or an error and what it kept."""

    events: tuple[Any, ...] = ()
    result: Any = field(default=None, eq=comparable)
    error: type[LLMError] | None = None
    facts: tuple[tuple[str, Any], ...] = ()
    partial: ChatResponse | None = None
    where: str = field(default="", eq=False)

    def __str__(self) -> str:
        if self.error is None:
            return f"{len(self.events)} events and {self.result!r}"
        return f"{len(self.events)} events and {self.error.__name__} {dict(self.facts)}{self.where}"


def failed(error: LLMError, events: Iterable[Any] = ()) -> Outcome:
    """The outcome of a call that raised *error* after *events*."""
    partial = error.partial if isinstance(error, StreamInterruptedError) else None
    return Outcome(
        events=tuple(events),
        error=type(error),
        facts=_facts(error),
        partial=partial,
        where=raised_in(error),
    )


def raised_in(error: BaseException) -> str:
    """The line of the plugin's own code where *error*, or what led to it, was raised; empty if it was in the core."""
    found: BaseException | None = error
    where = ""
    while found is not None:
        for frame, line in walk_tb(found.__traceback__):
            package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
            if package not in NOBODYS:
                where = f"\n  raised in {frame.f_code.co_filename}:{line}, {frame.f_code.co_name}"
        found = found.__cause__ or found.__context__
    return where


def observe(provider: LLMProvider, request: Request[Any], stream: bool) -> Outcome:
    """What comes of *request* in a blocking program."""
    events: list[Any] = []
    try:
        if not stream:
            return Outcome(result=provider.run(request))
        with provider.stream(request) as streaming:
            events.extend(streaming)
        return Outcome(events=tuple(events), result=streaming.response)
    except LLMError as error:
        return failed(error, events)


async def aobserve(provider: LLMProvider, request: Request[Any], stream: bool) -> Outcome:
    """What comes of *request* on the running event loop."""
    events: list[Any] = []
    try:
        if not stream:
            return Outcome(result=await provider.arun(request))
        async with provider.astream(request) as streaming:
            async for event in streaming:
                events.append(event)  # noqa: PERF401  # what came before an error counts
        return Outcome(events=tuple(events), result=streaming.response)
    except LLMError as error:
        return failed(error, events)


def observe_all(
    makers: Sequence[Any], request: Request[Any], stream: bool, backend: str
) -> list[Outcome]:
    """What comes of *request* on the event loop of *backend*, with each provider in turn."""

    async def main() -> list[Outcome]:
        return [await aobserve(make(), request, stream) for make in makers]

    return anyio.run(main, backend=backend)


class NoTransport:
    """A transport that nothing may be sent through."""

    def __init__(self) -> None:
        self.requests: list[HTTPRequest] = []

    def open(self, request: HTTPRequest) -> OpenResponse:
        """Refuse."""
        self.requests.append(request)
        what = f"the provider sent {request.method} {request.url}"
        complain(what, "refuse what cannot be asked for while building the request")


def silent(cls: type[LLMProvider], config: Any) -> LLMProvider:
    """A provider that cannot send anything."""
    transport: Any = NoTransport()
    return cls(config, driver=SyncDriver(transport), async_driver=AsyncDriver(transport))


def replaying(cls: type[LLMProvider], config: Any, recorded: Sequence[Recorded]) -> LLMProvider:
    """A provider whose requests *recorded* answers, in both colours."""
    return cls(config, driver=ReplayDriver(recorded), async_driver=AsyncReplayDriver(recorded))


class _Stalled:
    """A response that says its bytes and then nothing, for ever; notes that it was closed."""

    def __init__(self, recorded: Recorded, waiting: anyio.Event) -> None:
        self.status, self.headers = recorded.status, dict(recorded.headers)
        self._chunks = iter(recorded.chunks)
        self.closed = False
        self._waiting = waiting

    async def read(self, _deadline: float) -> bytes:
        """The next bytes, or no end."""
        for chunk in self._chunks:
            return chunk
        self._waiting.set()
        await anyio.sleep_forever()
        return b""

    async def close(self) -> None:
        """Note it."""
        self.closed = True


class StallingTransport:
    """Answers with *recorded*, whose end never comes."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded
        self.responses: list[_Stalled] = []
        self.waiting = anyio.Event()

    async def open(self, _request: HTTPRequest) -> _Stalled:
        """The response that stalls."""
        self.responses.append(_Stalled(self._recorded, self.waiting))
        return self.responses[-1]


def stalling(
    cls: type[LLMProvider], config: Any, recorded: Recorded
) -> tuple[LLMProvider, StallingTransport]:
    """A provider whose answers stall, and the transport that notes it; on a running loop."""
    transport = StallingTransport(recorded)
    return cls(config, async_driver=AsyncDriver(transport)), transport


@contextmanager
def refused(kind: type[LLMError], todo: str, said: str = "") -> Iterator[list[LLMError]]:
    """Fail with *todo* unless a *kind* of error comes out, whose message has *said*; it is put in the list."""
    __tracebackhide__ = True
    caught: list[LLMError] = []
    try:
        yield caught
    except kind as error:
        require(said in str(error), f"the error says {str(error)!r}, and nothing of {said!r}", todo)
        caught.append(error)
    else:
        complain(f"no {kind.__name__} was raised", todo)


@contextmanager
def collecting() -> Iterator[None]:
    """Collect the garbage that is made within it, and that alone: a suite that has run for long holds much else."""
    gc.freeze()
    try:
        yield
        gc.collect()
    finally:
        gc.unfreeze()


def require(ok: Any, what: str, todo: str) -> None:
    """Fail with *what* is wrong and what is to be done, unless *ok*."""
    __tracebackhide__ = True
    if not ok:
        complain(what, todo)


def complain(what: str, todo: str) -> NoReturn:
    """Fail with *what* is wrong and what is to be done."""
    __tracebackhide__ = True
    raise AssertionError(f"{what}\n  What to do: {todo}")
