"""The same limits hold for 32 threads, and for tasks of asyncio and trio, on a real clock."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest
from core_limits import most_in_a_window
from core_toy import BACKENDS, aio

from jackfield import ChatResponse
from jackfield.flow import Flow
from jackfield.hookspecs import hookimpl
from jackfield.manager.settings import LimitSettings
from jackfield.middleware.limits import Limits
from jackfield.middleware.windows import Entry, Window
from jackfield.plugins import PluginManager
from jackfield.testing import ScriptedProvider


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, int]]:
    """The times at which attempts were let go, as they read them: the system may still hold them up."""
    noted: list[tuple[float, int]] = []
    start = Window.start

    def note(window: Window, entry: Entry, now: float) -> None:
        if window.rate.seconds == 1:
            noted.append((now, 1))
        start(window, entry, now)

    monkeypatch.setattr(Window, "start", note)
    return noted


Starts = list[tuple[float, int]]


class Watch:
    """Inside the limits: notes how many calls there were, and were on their way at once."""

    def __init__(self) -> None:
        self.calls = self.most = self._now = 0
        self._lock = threading.Lock()

    @hookimpl
    def wrap_attempt(self) -> Any:
        return self._watched

    def _watched(self, flow: Flow[Any]) -> Flow[Any]:
        with self._lock:
            self.calls += 1
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            return (yield from flow)
        finally:
            with self._lock:
                self._now -= 1


def world(limits: Limits, **config: Any) -> tuple[ScriptedProvider, Watch]:
    manager, watch = PluginManager(), Watch()
    manager.register(limits)
    manager.register(watch)
    return ScriptedProvider({"then": "echo", **config}, hook=manager.hook), watch


def made() -> Limits:
    own = LimitSettings(requests="40/second", concurrency=5)
    return Limits(LimitSettings(tokens="100000/minute"), {"scripted": own})


def idle(limits: Limits) -> bool:
    return all(
        s.waiting == 0 and (s.name != "concurrency" or s.used == 0) for s in limits.state().limits
    )


def test_32_threads_keep_the_limits_and_get_their_own_answers(starts: Starts) -> None:
    limits = made()
    provider, watch = world(limits, delay=0.002)
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda n: provider.execute("m", f"call {n}").text, range(120)))
    assert answers == [f"call {n}" for n in range(120)]
    assert most_in_a_window(starts, 1) <= 40
    assert watch.most <= 5
    assert idle(limits)


@pytest.mark.parametrize("backend", BACKENDS)
def test_tasks_keep_the_limits_and_what_cancelled_ones_held_is_free(
    backend: str, starts: Starts
) -> None:
    limits = made()
    provider, watch = world(limits, delay=0.002)
    done: list[ChatResponse] = []

    async def call(number: int) -> None:
        with anyio.move_on_after(0.001 if number % 3 == 0 else 60):
            done.append(await provider.aexecute("m", f"call {number}"))

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for number in range(120):
                group.start_soon(call, number)

    aio(main, backend)
    assert {r.text for r in done} >= {f"call {n}" for n in range(120) if n % 3}
    assert most_in_a_window(starts, 1) <= 40
    assert watch.most <= 5
    assert idle(limits)


def test_threads_and_tasks_share_the_limits(starts: Starts) -> None:
    limits = made()
    provider, watch = world(limits, delay=0.002)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(30):
                group.start_soon(provider.aexecute, "m", "Hi")

    with ThreadPoolExecutor(8) as pool:
        others = [pool.submit(provider.execute, "m", "Hi") for _ in range(30)]
        aio(main)
        assert all(other.result().text == "Hi" for other in others)
    assert len(starts) == watch.calls == 60
    assert most_in_a_window(starts, 1) <= 40
    assert watch.most <= 5


def test_a_stream_holds_its_place_until_it_is_closed() -> None:
    limits = Limits(None, {"scripted": LimitSettings(concurrency=1, wait=0)})
    provider, _ = world(limits)
    with provider.stream_execute("m", "one two three") as stream:
        next(stream)
        (state,) = limits.state().limits
        assert (state.used, state.available) == (1, 0)
    assert idle(limits)
    assert provider.execute("m", "Hi").text == "Hi"
