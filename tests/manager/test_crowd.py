"""Many callers on one manager: nobody gets another's answer, limits are fair, and nothing is left behind."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest

from faults.cases import PACE
from jackfield import (
    ChatRequest,
    ChatResponse,
    LLMError,
    LLMProvider,
    Message,
    OverloadedError,
    ProviderInfo,
    ProviderManager,
    Usage,
    fold,
    hookimpl,
    replay,
)
from jackfield.flow import Flow, Invoke, Sleep
from jackfield.middleware.usage import usage
from jackfield.requests import Request
from jackfield.testing.faults import DIALECTS, FaultServer
from manager.worlds import made, provider_table, table

THREADS, TASKS = 32, 1000

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer(pace=PACE) as running:
        yield running


def tables(folder: Path, **limits: Any) -> str:
    """A cache of a hundred answers, a ledger, health, and *limits* of everything."""
    return "".join(
        [
            table("limits", {"wait": 3600.0, "concurrency": 100_000, **limits}),
            table("cache", {"entries": 100}),
            table("ledger", {"path": folder / "ledger.sqlite", "durability": "process"}),
            table("health", {"failures": 3}),
        ]
    )


def echoing(server: FaultServer, folder: Path, **limits: Any) -> ProviderManager:
    """A route that balances over every dialect, each of which echoes."""
    text = table("routes.main", {"kind": "balance", "targets": list(DIALECTS)})
    for dialect in DIALECTS:
        text += provider_table(dialect, dialect, server.url(dialect, "echo"))
    return made(folder, text + tables(folder, **limits))


def test_threads_on_one_manager_each_get_their_own_answer(
    server: FaultServer, tmp_path: Path
) -> None:
    def caller(number: int) -> list[tuple[str, str]]:
        wrong = []
        for turn in range(30):
            prompt = f"thread {number} asks question {turn} " + "of many " * (number + turn)
            if turn % 2:
                text = manager.execute("main", "m", prompt).text
            else:
                text = "".join(manager.stream_execute("main", "m", prompt).text())
            wrong += [] if text.strip() == prompt.strip() else [(prompt, text)]
        return wrong

    with echoing(server, tmp_path) as manager, ThreadPoolExecutor(THREADS) as pool:
        assert [w for wrong in pool.map(caller, range(THREADS)) for w in wrong] == []
        assert settled(manager) == THREADS * 30


def test_a_thousand_tasks_on_one_manager_each_get_their_own_answer(
    server: FaultServer, tmp_path: Path
) -> None:
    wrong: list[tuple[str, str]] = []

    async def caller(manager: ProviderManager, number: int) -> None:
        for turn in range(2):
            prompt = f"task {number} asks question {turn}" + " and more" * (number % 50)
            if turn % 2:
                text = (await manager.aexecute("main", "m", prompt)).text
            else:
                text = (await manager.astream_execute("main", "m", prompt).drain()).text
            wrong.extend([] if text == prompt else [(prompt, text)])

    async def scene() -> None:
        async with (
            echoing(server, tmp_path, concurrency=64) as manager,
            anyio.create_task_group() as group,
        ):
            for number in range(TASKS):
                group.start_soon(caller, manager, number)
        assert settled(manager) == TASKS * 2

    anyio.run(scene)
    assert wrong == []


def settled(manager: ProviderManager) -> int:
    """Check that nothing is on its way in *manager*; how many attempts there were."""
    for route in manager.routes.values():
        assert [state.occupancy for state in route._states] == [0] * len(route.targets)  # type: ignore[attr-defined]  # what nobody else can see
    for state in manager.around.limits.state().limits:
        assert (state.waiting, state.used if state.name == "concurrency" else 0) == (0, 0)
    gate = manager.around.limits._gate
    assert all(leaf.alive == 0 for leaf in gate._leaves.values())
    assert manager.around.cache is not None
    assert manager.around.cache._flights == {}
    assert manager.around.ledger is not None
    (whole,) = usage(manager.around.ledger.store)
    assert whole.open == 0
    return int(whole.attempts)


# Limits. The backend is in this process, so that only the manager takes time.


class Echo(LLMProvider):
    """Answers with the last message after a moment, fails where that says so, and counts who is there."""

    info: ClassVar = ProviderInfo(name="echo", display_name="Echo", api_key_required=False)
    operations = frozenset({ChatRequest})

    def __init__(self, pause: float = 0.0) -> None:
        super().__init__({"retry": {"attempts": 1}})
        self.pause = pause
        self.hold: threading.Event | None = None
        self.started: list[str] = []
        self.now = self.most = 0
        self.lock = threading.Lock()

    def flow(self, request: Request[Any], *, stream: bool, deadline: float) -> Flow[Any]:
        assert isinstance(request, ChatRequest)
        text = request.messages[-1].text
        with self.lock:
            self.started.append(text)
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            if self.hold is not None:
                yield Invoke(self.hold.wait)
            yield Sleep(self.pause)
            if text.startswith("fail"):
                raise OverloadedError("as asked")
            answer = ChatResponse(
                model=request.model,
                message=Message("assistant", text),
                usage=Usage(input_tokens=1, output_tokens=1),
            )
            events = replay(answer)
            for event in events:
                yield [event]
            return fold(events)
        finally:
            with self.lock:
                self.now -= 1


class Door:
    """Middleware outside the limits: notes who comes."""

    def __init__(self) -> None:
        self.came: list[str] = []

    @hookimpl
    def wrap_attempt(self, request: Request[Any]) -> Any:
        def noted(flow: Flow[Any]) -> Flow[Any]:
            assert isinstance(request, ChatRequest)
            self.came.append(request.messages[-1].text)
            return (yield from flow)

        return noted


def inside(folder: Path, pause: float, **limits: Any) -> tuple[ProviderManager, Echo, Door]:
    """A manager of one `Echo` behind a route, its backend, and its door."""
    door, echo = Door(), Echo(pause)
    text = table("providers.a", {"provider": "scripted", "answers": []})
    text += table("routes.main", {"targets": ["a"], "retry": {"attempts": 1}})
    manager = made(folder, text + tables(folder, **limits), middleware=[door])
    manager.add_provider("a", echo)
    return manager, echo, door


def test_a_thousand_tasks_start_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    manager, echo, door = inside(tmp_path, 0.002, concurrency=16)

    async def scene() -> None:
        async with manager, anyio.create_task_group() as group:
            for number in range(TASKS):
                group.start_soon(manager.aexecute, "main", "m", f"task {number}")

    anyio.run(scene)
    assert (len(echo.started), echo.most) == (TASKS, 16)
    # Those who start together come in any order to the ledger, and so to the backend.
    place = {text: at for at, text in enumerate(door.came)}
    assert max(abs(place[text] - at) for at, text in enumerate(echo.started)) <= 2 * 16
    assert settled(manager) == TASKS


def test_threads_start_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    manager, echo, _ = inside(tmp_path, 0.0, concurrency=1)
    echo.hold = threading.Event()
    names = ["first", *(f"thread {number}" for number in range(THREADS))]
    with manager, ThreadPoolExecutor(THREADS + 1) as pool:
        for waiting, name in enumerate(names, -1):
            pool.submit(manager.execute, "main", "m", name)
            while len(echo.started) < 1 or waiting_now(manager) < waiting:
                time.sleep(0.001)
        echo.hold.set()
    assert echo.started == names
    assert settled(manager) == THREADS + 1


def waiting_now(manager: ProviderManager) -> int:
    return max(state.waiting for state in manager.around.limits.state().limits)


def test_every_thread_has_its_turns_and_no_limit_is_exceeded(tmp_path: Path) -> None:
    manager, echo, _ = inside(tmp_path, 0.002, concurrency=4)

    def caller(number: int) -> None:
        for turn in range(30):
            manager.execute("main", "m", f"thread {number} turn {turn}")

    with manager, ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(caller, range(THREADS)))
    assert (len(echo.started), echo.most) == (THREADS * 30, 4)
    assert settled(manager) == THREADS * 30


# Leaks.

ROUNDS, EACH = 5, 10_000


def memory() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def use(manager: ProviderManager, number: int, turn: int) -> None:
    """One call of many kinds: whole, streamed, left early, failing, known to the cache."""
    kind = turn % 8
    prompt = {5: "fail", 6: "known", 7: "fail at once"}.get(kind, "say") + f" {number} {turn}"
    with suppress(LLMError):
        if kind in (0, 1, 5):
            manager.execute("main", "m", prompt)
        elif kind == 6:
            manager.execute("main", "m", "known")
        elif kind == 2:
            with manager.stream_execute("main", "m", prompt) as stream:
                next(iter(stream))
        else:
            manager.stream_execute("main", "m", prompt).drain()


async def auses(manager: ProviderManager, number: int) -> None:
    """A task's calls."""
    for turn in range(EACH // 2 // TASKS):
        await ause(manager, number + turn)


async def ause(manager: ProviderManager, turn: int) -> None:
    """As `use`, and cancelled at times."""
    prompt = f"{'fail' if turn % 7 == 0 else 'say'} {turn}"
    with suppress(LLMError):
        if turn % 5 == 0:
            with anyio.move_on_after(0):
                await manager.aexecute("main", "m", prompt)
        elif turn % 2:
            await manager.aexecute("main", "m", prompt)
        else:
            async with manager.astream_execute("main", "m", prompt) as stream:
                async for _ in stream:
                    break


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system has no /proc")
@pytest.mark.timeout(300)
def test_fifty_thousand_calls_leave_nothing_behind(
    server: FaultServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL", "jackfield")
    manager, echo, door = inside(tmp_path, 0.0, concurrency=64)
    url = server.url("openai", "every=4:503", tag="leak")
    manager.add_provider(
        "b", {"provider": "openai-compatible", "base_url": url, "retry": {"attempts": 1}}
    )

    def caller(number: int) -> None:
        for turn in range(EACH // 2 // THREADS):
            use(manager, number, turn)
        with suppress(LLMError):
            manager.execute("b", "m", f"over a socket {number}")

    async def crowd() -> None:
        async with anyio.create_task_group() as group:
            for number in range(TASKS):
                group.start_soon(auses, manager, number)

    seen = []
    for _ in range(ROUNDS):
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(caller, range(THREADS)))
        anyio.run(crowd)
        for kept in (echo.started, door.came, server.log._requests):
            kept.clear()
        settled(manager)
        gc.collect()
        seen.append((len(gc.get_objects()), memory(), threading.active_count(), descriptors()))
    assert echo.now == 0
    objects, size, threads, files = zip(*seen, strict=True)
    assert objects[-1] - objects[1] < 3000
    assert size[-1] - size[1] < 32 * 1024 * 1024
    assert threads[-1] <= threads[1] + 4
    assert files[-1] <= files[1] + THREADS
    manager.close()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # names are all that is needed
