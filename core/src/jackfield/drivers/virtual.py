"""The virtual-time driver: many flows on a clock that waits for nobody."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from attrs import field, frozen

from ..errors import LLMError, RequestTimeoutError, TransportError
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

T = TypeVar("T")


@frozen(kw_only=True)
class Scripted:
    """What a simulated server does: after *delay* seconds a head, then timed pieces.

    *pieces* are ``(seconds after the one before, bytes)``; with *cut* the
    connection breaks after them instead of ending. No *status*: no answer at all.
    """

    status: int | None = 200
    headers: dict[str, str] = field(factory=dict)
    delay: float = 0.0
    pieces: tuple[tuple[float, bytes], ...] = ()
    cut: bool = False


Server = Callable[[HTTPRequest, float], Scripted]
"""Answers a request that arrives at a time of the virtual clock."""


class _Body:
    def __init__(self, script: Scripted) -> None:
        self.pieces: Iterator[tuple[float, bytes]] = iter(script.pieces)
        self.cut = script.cut


class _Running:
    """A flow on its way: *turn* counts its steps, and tells a late wake-up from a due one."""

    __slots__ = ("deferred", "done", "flow", "result", "turn")

    def __init__(self, flow: Flow[Any]) -> None:
        self.flow = flow
        self.deferred: list[Callable[[], Any]] = []
        self.turn, self.done = 0, False
        self.result: Any = None


class VirtualDriver:
    """Performs effects in virtual time, deterministically from *seed*, without sockets."""

    own = None  # whoever answers is said by its server, and by no provider

    def __init__(self, server: Server | None = None, *, seed: int = 0, start: float = 0.0) -> None:
        self._server = server
        self._chance = random.Random(seed)
        self._ready: list[tuple[float, int, int, _Running, Any]] = []
        self._order = 0
        self.now = start

    def run(self, flow: Flow[T]) -> T:
        """Drive *flow* alone to its result."""
        (outcome,) = self.run_all([(self.now, flow)])
        if isinstance(outcome, Exception):
            raise outcome
        result: T = outcome
        return result

    def run_all(self, flows: Iterable[tuple[float, Flow[Any]]]) -> list[Any]:
        """Drive *flows* side by side from their start times; results (or errors) in their order.

        Raises:
            RuntimeError: some flow waits for a signal that nobody is left to raise.
        """
        running: list[_Running] = []
        for start, flow in flows:
            running.append(_Running(flow))
            self._schedule(running[-1], start, None)
        while self._ready:
            self.now, _, turn, task, outcome = heapq.heappop(self._ready)
            if turn == task.turn and not task.done:
                self._step(task, outcome)
        if stuck := sum(not task.done for task in running):
            raise RuntimeError(f"{stuck} flows wait for signals that nobody is left to raise")
        return [task.result for task in running]

    def play(self, flows: Iterable[tuple[float, Flow[Any]]]) -> Iterator[Any]:
        """As `run_all` for *flows* in the order of their starts: each is pulled when its time comes.

        Results (or errors) are handed out as they end, and nothing of them is kept.
        """
        coming, alive = iter(flows), 0
        following = next(coming, None)
        while following is not None or self._ready:
            if following is not None and (not self._ready or following[0] <= self._ready[0][0]):
                self._schedule(_Running(following[1]), following[0], None)
                alive, following = alive + 1, next(coming, None)
                continue
            self.now, _, turn, task, outcome = heapq.heappop(self._ready)
            if turn == task.turn and not task.done and self._step(task, outcome):
                alive -= 1
                yield task.result
        if alive:
            raise RuntimeError(f"{alive} flows wait for signals that nobody is left to raise")

    def _schedule(self, task: _Running, at: float, outcome: Any) -> None:
        """Have *task* go on at a time; what was due to it before is void once it has gone on."""
        self._order += 1
        heapq.heappush(self._ready, (at, self._order, task.turn, task, outcome))

    def _step(self, task: _Running, outcome: Any) -> bool:
        """Have *task* go on with *outcome*; whether that was the end of it."""
        task.turn += 1
        flow = task.flow
        try:
            step = flow.throw(outcome) if isinstance(outcome, LLMError) else flow.send(outcome)
            if isinstance(step, Wait):
                self._park(task, step)
                return False
            at, outcome = self._perform(step, task.deferred)
        except StopIteration as stop:
            task.result = stop.value
        except Exception as error:  # noqa: BLE001  # one flow's failure is its result
            task.result = error
        else:
            self._schedule(task, at, outcome)
            return False
        task.done = True
        for close in reversed(task.deferred):
            close()
        return True

    def _park(self, task: _Running, wait: Wait) -> None:
        """Let *task* go on when its signal is raised, or its time is up."""
        turn = task.turn

        def wake() -> None:
            if task.turn == turn:
                self._schedule(task, self.now, True)

        if wait.seconds < float("inf"):
            self._schedule(task, self.now + wait.seconds, False)
        wait.signal.subscribe(wake)

    def _perform(self, step: Any, deferred: list[Callable[[], Any]]) -> tuple[float, Any]:
        """When *step* is done, and its outcome."""
        match step:
            case list() | Close():
                return self.now, None
            case Now():
                return self.now, self.now
            case Random():
                return self.now, self._chance.random()
            case Sleep(seconds):
                return self.now + seconds, None
            case Invoke(function):
                return self.now, function()
            case Defer(function):
                deferred.append(function)
                return self.now, None
            case Read(response, deadline):
                return self._read(response, deadline)
            case HTTPRequest():
                return self._send(step)
        raise TypeError(f"a flow yielded {step!r}, which is not an effect")

    def _send(self, request: HTTPRequest) -> tuple[float, Any]:
        if self._server is None:
            raise TypeError("this VirtualDriver has no server to answer requests")
        script = self._server(request.opened(), self.now)
        at = self.now + script.delay
        if script.status is None or at > request.deadline:
            late = RequestTimeoutError("no answer in time", phase="head", maybe_executed=True)
            return min(request.deadline, at), late
        response = HTTPResponse(script.status, script.headers, handle=_Body(script), at=at)
        if request.stream and script.status < 300:
            return at, response
        body = b""
        while True:
            at, chunk = self._next(response, request.deadline, at)
            if isinstance(chunk, LLMError):
                return at, chunk
            if not chunk:
                response.body, response.at, response.handle = body, at, None
                return at, response
            body += chunk

    def _read(self, response: HTTPResponse, deadline: float) -> tuple[float, Any]:
        at, chunk = self._next(response, deadline, self.now)
        response.at = at
        return at, chunk

    @staticmethod
    def _next(response: HTTPResponse, deadline: float, at: float) -> tuple[float, Any]:
        wait, chunk = next(response.handle.pieces, (0.0, b""))
        if at + wait > deadline:
            return deadline, RequestTimeoutError("no more in time", phase="body")
        if not chunk and response.handle.cut:
            return at, TransportError("the connection broke", phase="body", maybe_executed=True)
        return at + wait, chunk
