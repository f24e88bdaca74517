"""The blocking driver."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

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
from .seam import DRAIN_BYTES, DRAIN_SECONDS, BodyBuffer, OpenResponse, Outcome, Transport

T = TypeVar("T")


class SyncDriver:
    """Performs effects with blocking calls; owns every response it opens until the call ends."""

    def __init__(
        self,
        transport: Transport | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._transport = self.own = transport
        self._clock, self._sleep, self._chance = clock, sleep, chance

    def run(self, flow: Flow[T]) -> T:
        """Drive *flow* to its result; nobody listens to its events."""
        outcome: Outcome[T] = Outcome()
        for _ in self.drive(flow, outcome):
            pass
        return outcome.value

    def drive(self, flow: Flow[T], result: Outcome[T]) -> Generator[Any, None, None]:
        """Drive *flow*, handing out its events one by one; leave its result in *result*.

        Closing the generator ends the flow and closes what it opened.
        """
        opened: list[Callable[[], Any]] = []
        try:
            step = flow.send(None)
            while True:
                if type(step) is list:
                    yield from step
                    step = flow.send(None)
                    continue
                try:
                    if type(step) is Read:
                        response = step.response
                        outcome = response.handle.read(step.deadline)
                        response.at = self._clock()
                    elif type(step) is Now:
                        outcome = self._clock()
                    elif type(step) is HTTPRequest:
                        outcome = self._open(step, opened)
                    else:
                        outcome = self._perform(step, opened)
                except Exception as error:  # noqa: BLE001  # the flow is told, whatever it is
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
        except StopIteration as stop:
            result.value, result.done = stop.value, True
        finally:
            flow.close()
            for close in reversed(opened):
                with contextlib.suppress(Exception):  # the next must be closed all the same
                    close()

    def _perform(self, effect: Any, opened: list[Callable[[], Any]]) -> Any:
        match effect:
            case Now():
                return self._clock()
            case Random():
                return self._chance()
            case Invoke(function):
                return function()
            case Close(response, drain):
                if drain:
                    self._drain(response.handle)
                response.handle.close()
            case Defer(function):
                opened.append(function)
            case Sleep(seconds):
                self._sleep(seconds)
            case Wait():
                return _wait(effect)
            case _:
                raise TypeError(f"a flow yielded {effect!r}, which is not an effect")
        return None

    def _open(self, request: HTTPRequest, opened: list[Callable[[], Any]]) -> HTTPResponse:
        transport = request.via[0] or self._transport
        if transport is None:
            # The HTTP library is imported when the first request is sent, not before.
            from ..transport import HTTPTransport

            transport = self._transport = HTTPTransport()
        handle = transport.open(request.opened())
        if request.stream and handle.status < 300:
            opened.append(handle.close)
            return HTTPResponse(handle.status, handle.headers, handle=handle, at=self._clock())
        try:
            body = self._body(handle, request)
        finally:
            handle.close()
        return HTTPResponse(handle.status, handle.headers, body, at=self._clock())

    def _body(self, handle: OpenResponse, request: HTTPRequest) -> bytes:
        body = BodyBuffer(handle.status, request.max_body)
        try:
            while body.add(handle.read(min(request.deadline, self._clock() + request.idle))):
                pass
        except LLMError:
            # The status of an error is worth more than the end of its body.
            if handle.status < 300:
                raise
        return body.join()

    def _drain(self, handle: OpenResponse) -> None:
        """Read a finished stream to its end, if that comes at once and holds nothing more."""
        deadline, size = self._clock() + DRAIN_SECONDS, 0
        with contextlib.suppress(LLMError):  # the stream was complete: this is no news
            while (rest := handle.read(deadline)) and not rest.strip() and size < DRAIN_BYTES:
                size += len(rest)


def _wait(effect: Wait) -> bool:
    """Block until its signal is raised, or its time is over."""
    raised = threading.Event()
    effect.signal.subscribe(raised.set)
    try:
        return raised.wait(min(effect.seconds, threading.TIMEOUT_MAX))
    finally:
        effect.signal.unsubscribe(raised.set)
