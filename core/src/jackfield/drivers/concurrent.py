"""The async driver, for asyncio and trio."""

from __future__ import annotations

import contextlib
import random
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from ..errors import LLMError
from ..flow import (
    Close,
    Defer,
    Flow,
    HTTPRequest,
    HTTPResponse,
    Invoke,
    Now,
    Random,
    Read,
    Sleep,
    Wait,
)
from .seam import DRAIN_BYTES, DRAIN_SECONDS, AsyncOpenResponse, AsyncTransport, BodyBuffer, Outcome

T = TypeVar("T")


class AsyncDriver:
    """Performs effects on the running event loop; owns what it opens until the call ends."""

    def __init__(
        self,
        transport: AsyncTransport | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._transport = self.own = transport
        self._clock, self._sleep, self._chance = clock, sleep, chance

    async def run(self, flow: Flow[T]) -> T:
        """Drive *flow* to its result; nobody listens to its events."""
        outcome: Outcome[T] = Outcome()
        async with contextlib.aclosing(self.drive(flow, outcome)) as driving:
            async for _ in driving:
                pass
        return outcome.value

    async def drive(self, flow: Flow[T], result: Outcome[T]) -> AsyncGenerator[Any, None]:
        """Drive *flow*, handing out its events one by one; leave its result in *result*.

        Closing the generator ends the flow and closes what it opened.
        """
        opened: list[Callable[[], Awaitable[Any]]] = []
        try:
            step = flow.send(None)
            while True:
                if type(step) is list:
                    for event in step:
                        yield event
                    step = flow.send(None)
                    continue
                try:
                    if type(step) is Read:
                        response = step.response
                        outcome = await response.handle.read(step.deadline)
                        response.at = self._clock()
                    elif type(step) is HTTPRequest:
                        outcome = await self._open(step, opened)
                    else:
                        outcome = await self._perform(step, opened)
                except Exception as error:  # noqa: BLE001  # the flow is told, whatever it is
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
        except StopIteration as stop:
            result.value, result.done = stop.value, True
        finally:
            flow.close()
            if opened:
                with anyio.CancelScope(shield=True):
                    for close in reversed(opened):
                        with contextlib.suppress(Exception):  # the next must be closed too
                            await close()

    async def _perform(self, effect: Any, opened: list[Callable[[], Awaitable[Any]]]) -> Any:
        match effect:
            case Now():
                return self._clock()
            case Random():
                return self._chance()
            case Invoke(function):
                # A cancelled call does not wait for a thread that may be long at work; what it
                # holds is told to stop by its `Defer`.
                return await anyio.to_thread.run_sync(function, abandon_on_cancel=True)
            case Close(response, drain):
                if drain:
                    await self._drain(response.handle)
                await response.handle.close()
            case Defer(function):
                opened.append(lambda: anyio.to_thread.run_sync(function))
            case Sleep(seconds):
                await self._sleep(seconds)
            case Wait():
                return await _wait(effect)
            case _:
                raise TypeError(f"a flow yielded {effect!r}, which is not an effect")
        return None

    async def _open(
        self, request: HTTPRequest, opened: list[Callable[[], Awaitable[Any]]]
    ) -> HTTPResponse:
        transport = request.via[1] or self._transport
        if transport is None:
            # The HTTP library is imported when the first request is sent, not before.
            from ..transport import AsyncHTTPTransport

            transport = self._transport = AsyncHTTPTransport()
        handle = await transport.open(request.opened())
        if request.stream and handle.status < 300:
            opened.append(handle.close)
            return HTTPResponse(handle.status, handle.headers, handle=handle, at=self._clock())
        try:
            body = await self._body(handle, request)
        finally:
            with anyio.CancelScope(shield=True):
                await handle.close()
        return HTTPResponse(handle.status, handle.headers, body, at=self._clock())

    async def _body(self, handle: AsyncOpenResponse, request: HTTPRequest) -> bytes:
        body = BodyBuffer(handle.status, request.max_body)
        try:
            while body.add(await handle.read(min(request.deadline, self._clock() + request.idle))):
                pass
        except LLMError:
            # The status of an error is worth more than the end of its body.
            if handle.status < 300:
                raise
        return body.join()

    async def _drain(self, handle: AsyncOpenResponse) -> None:
        """Read a finished stream to its end, if that comes at once and holds nothing more."""
        deadline, size = self._clock() + DRAIN_SECONDS, 0
        with contextlib.suppress(LLMError):  # the stream was complete: this is no news
            while (rest := await handle.read(deadline)) and not rest.strip() and size < DRAIN_BYTES:
                size += len(rest)


def _from_any_thread(call: Callable[[], object]) -> Callable[[], None]:
    """A function that has the running loop make *call*, whichever thread it is used in."""
    soon: Callable[..., object] | None = None
    if (trio := sys.modules.get("trio")) is not None:
        with contextlib.suppress(RuntimeError):  # not trio's loop: asyncio's
            soon = trio.lowlevel.current_trio_token().run_sync_soon
    if soon is None:
        import asyncio

        soon = asyncio.get_running_loop().call_soon_threadsafe

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits there
            soon(call)

    return wake


async def _wait(effect: Wait) -> bool:
    """Wait until its signal is raised, or its time is over."""
    raised = anyio.Event()
    wake = _from_any_thread(raised.set)
    effect.signal.subscribe(wake)
    try:
        with anyio.move_on_after(effect.seconds):
            await raised.wait()
        return raised.is_set()
    finally:
        effect.signal.unsubscribe(wake)
