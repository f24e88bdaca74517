"""Conformance: a call leaves nothing behind, however it ends, and asks the same in every colour."""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import pytest
import trio

from ...drivers.replay import Recorded
from ...flow import HTTPRequest
from ...provider import LLMProvider
from ...requests import ChatRequest
from ..recordings import Recording
from .base import Base, http_only
from .observe import BACKENDS, Outcome, aobserve, collecting, observe, require, stalling

_CLOSE = "leave opening and closing to the core, or yield Defer(close) for what you open"


def sent(transport: Any, without: frozenset[str] = frozenset()) -> list[tuple[Any, ...]]:
    """What *transport* was given to send, but for some headers."""

    def told(request: HTTPRequest) -> tuple[Any, ...]:
        headers = {k: v for k, v in request.headers.items() if k not in without}
        return (request.method, request.url, request.body, headers, request.stream)

    return [told(request) for request in transport.requests]


class _LeftError(Exception):
    """Whoever reads a stream had enough."""


class TidinessTests(Base):
    """No response, task or thread outlives its call; every colour sends the same."""

    @http_only
    def test_a_call_leaves_no_response_and_no_thread(self, recording: Recording) -> None:
        """When a call has ended, well or not, its responses are closed and its threads are gone."""
        before = set(threading.enumerate())
        provider = self.replaying(recording)
        transport: Any = provider._driver._transport  # noqa: SLF001  # put there above
        observe(provider, recording.request(provider), recording.streamed)
        open_ = sum(not response.closed for response in transport.responses)
        require(not open_, f"{open_} of {len(transport.responses)} responses are open", _CLOSE)
        left = [thread.name for thread in set(threading.enumerate()) - before]
        require(not left, f"threads are left: {left}", "blocking work goes through yield Invoke")

    @http_only
    @pytest.mark.parametrize("backend", BACKENDS)
    def test_a_call_on_an_event_loop_leaves_no_response_and_no_task(
        self, recording: Recording, backend: str
    ) -> None:
        """When the call is awaited, the loop has the tasks that it had before, and nothing was forgotten."""

        async def main() -> tuple[int, int, list[bool]]:
            provider = self.replaying(recording)
            transport: Any = provider._async_driver._transport  # noqa: SLF001  # put there above
            before = _tasks(backend)
            await aobserve(provider, recording.request(provider), recording.streamed)
            return before, _tasks(backend), [r.closed for r in transport.responses]

        with warnings.catch_warnings(record=True) as told, collecting():
            warnings.simplefilter("always")
            before, after, closed = anyio.run(main, backend=backend)
        require(all(closed), f"open responses: {closed.count(False)} of {len(closed)}", _CLOSE)
        todo = "start no task: what takes several steps is a flow"
        require(after == before, f"{after - before} tasks are left", todo)
        lost = [str(w.message) for w in told if "never awaited" in str(w.message)]
        require(not lost, f"{lost}", "await it, or write it as a flow")

    @http_only
    @pytest.mark.parametrize("backend", BACKENDS)
    def test_leaving_a_stream_on_an_event_loop_closes_its_response(
        self, recording: Recording, backend: str
    ) -> None:
        """Closing it, leaving its ``async with``, and an error of the reader's reach the connection."""

        async def left(way: str) -> list[bool]:
            provider = self.replaying(recording)
            transport: Any = provider._async_driver._transport  # noqa: SLF001  # put there above
            stream = provider.astream(recording.request(provider))
            if recording.expect.get("error"):
                return []
            if way == "close":
                await anext(stream, None)
                await stream.aclose()
            else:
                try:
                    async with stream:
                        async for _ in stream:
                            if way == "error":
                                raise _LeftError  # noqa: TRY301  # as a reader would
                            break
                except _LeftError:
                    pass
            return [r.closed for r in transport.responses]

        for way in ("close", "break", "error"):
            closed = anyio.run(left, way, backend=backend)
            require(all(closed), f"after {way}, a response is still open", _CLOSE)

    @http_only
    @pytest.mark.parametrize("backend", BACKENDS)
    def test_cancelling_a_call_closes_its_response(self, backend: str) -> None:
        """A task that is cancelled while it waits for the rest of an answer lets go of it."""
        self.needs_chat_exchange()

        async def main() -> list[bool]:
            made = (self.provider, dict(self.config), Recorded(chunks=[b"{"]))
            provider, transport = stalling(*made)
            with anyio.fail_after(10):
                async with anyio.create_task_group() as group:
                    group.start_soon(provider.arun, provider.chat_request(self.model, "Hi"))
                    await transport.waiting.wait()
                    group.cancel_scope.cancel()
            return [r.closed for r in transport.responses]

        require(all(anyio.run(main, backend=backend)), "a cancelled call left it open", _CLOSE)

    @http_only
    def test_every_colour_sends_the_same(self, recording: Recording) -> None:
        """Blocking, asyncio and trio send equal requests, but for headers that differ each time."""
        first, again = (self._sent(recording) for _ in range(2))
        changing = frozenset(
            name
            for a, b in zip(first, again, strict=True)
            for name in a[3]
            if a[3][name] != b[3].get(name)
        )
        plain = self._sent(recording, changing)
        for backend in BACKENDS:
            there = self._sent(recording, changing, backend)
            what = f"{recording}: blocking sends {plain}\n  {backend} sends {there}"
            require(there == plain, what, "override no verb in one colour alone; write flows")

    def _sent(
        self, recording: Recording, without: frozenset[str] = frozenset(), backend: str = ""
    ) -> list[tuple[Any, ...]]:
        provider = self.replaying(recording)
        request = recording.request(provider)
        if backend:
            anyio.run(aobserve, provider, request, recording.streamed, backend=backend)
        else:
            observe(provider, request, recording.streamed)
        driver = provider._async_driver if backend else provider._driver  # noqa: SLF001  # ours
        return sent(driver._transport, without)  # noqa: SLF001  # ours

    @http_only
    def test_a_verb_does_what_its_request_does(self, recording: Recording) -> None:
        """`execute`, `stream_execute` and their twins are `run` and `stream` of the same request."""
        provider = self.replaying(recording)
        request = recording.request(provider)
        assert isinstance(request, ChatRequest)
        plain = observe(provider, request, recording.streamed)
        verb = "stream_execute" if recording.streamed else "execute"
        body = _bodies(provider, verb)
        for name in (verb, f"a{verb}"):
            made = self.replaying(recording)
            came = _verbally(made, name, recording)
            todo = f"inherit {name}, or have it call chat_request and run"
            require(came == plain, f"{name} gives {came}\n  its request {plain}", todo)
            there = _bodies(made, name)
            require(there == body, f"{name} sends {there}\n  its request {body}", todo)


def _bodies(provider: LLMProvider, verb: str) -> list[bytes | None]:
    """The bodies that *verb* had *provider* send."""
    driver = provider._async_driver if verb.startswith("a") else provider._driver  # noqa: SLF001  # ours
    transport: Any = driver._transport  # noqa: SLF001  # ours
    return [request.body for request in transport.requests]


def _verbally(provider: LLMProvider, name: str, recording: Recording) -> Outcome:
    """What comes of a call by the verb *name*."""
    given = (recording.model, recording.prompt, recording.parameters)
    call: Callable[[], Any] = partial(getattr(provider, name), *given, **recording.options)
    asked: Any = _Asked(call)
    if name.startswith("a"):
        return anyio.run(aobserve, asked, asked, recording.streamed)
    return observe(asked, asked, recording.streamed)


class _Asked:
    """A provider as far as `observe` uses one, whose every request is one call of a verb."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.run = self.stream = self.arun = self.astream = lambda _request: call()


def _tasks(backend: str) -> int:
    if backend == "trio":
        return trio.lowlevel.current_statistics().tasks_living
    return len(asyncio.all_tasks())
