"""L9 and row 74: many callers on one provider, and code of others that raises in the middle."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest

from faults.callers import on
from faults.cases import KEY, MODEL, PROMPT, PROVIDERS
from jackfield import LLMProvider, create_provider, hookimpl, plugin_manager
from jackfield.testing.faults import DIALECTS, FaultServer

THREADS, CALLS = 32, 25


def provider(server: FaultServer, dialect: str, fault: str, tag: str = "") -> LLMProvider:
    config = {"base_url": server.url(dialect, fault, tag=tag), "api_key": KEY}
    return create_provider(PROVIDERS[dialect], config)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_threads_on_one_provider_each_get_their_own_answer(
    server: FaultServer, dialect: str
) -> None:
    backend = provider(server, dialect, "echo")

    def caller(number: int) -> list[tuple[str, str]]:
        wrong: list[tuple[str, str]] = []
        for turn in range(CALLS):
            prompt = f"thread {number} asks question {turn} " + "of many " * (number + turn)
            if turn % 2:
                text = backend.execute(MODEL, prompt).text
            else:
                text = "".join(backend.stream_execute(MODEL, prompt).text())
            wrong += [] if text.strip() == prompt.strip() else [(prompt, text)]
        return wrong

    with ThreadPoolExecutor(THREADS) as pool:
        assert [w for wrong in pool.map(caller, range(THREADS)) for w in wrong] == []


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_tasks_on_one_provider_each_get_their_own_answer(
    server: FaultServer, dialect: str, loop: str
) -> None:
    backend = provider(server, dialect, "echo")
    wrong: list[tuple[str, str]] = []

    async def caller(number: int) -> None:
        for turn in range(CALLS):
            prompt = f"task {number} asks question {turn}" + " and more" * (number + turn)
            if turn % 2:
                text = (await backend.aexecute(MODEL, prompt)).text
            else:
                text = (await backend.astream_execute(MODEL, prompt).drain()).text
            if text != prompt:
                wrong.append((prompt, text))

    async def scene() -> None:
        async with anyio.create_task_group() as group:
            for number in range(THREADS):
                group.start_soon(caller, number)

    on(loop, scene)
    assert wrong == []


class Clumsy:
    """Middleware with a mistake in it."""

    @hookimpl
    def wrap_call(self, provider: Any, request: Any) -> Callable[[Any], Any]:
        def wrapper(flow: Any) -> Any:
            outcome = None
            try:
                while True:
                    step = flow.send(outcome)
                    if type(step) is list:
                        raise ZeroDivisionError("a mistake in a plugin")
                    outcome = yield step
            finally:
                flow.close()

        return wrapper


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("loop", ["asyncio", "trio", "sync"])
def test_a_plugin_that_raises_mid_stream_is_seen_and_the_socket_closed(
    server: FaultServer, dialect: str, loop: str
) -> None:
    tag = f"clumsy-{dialect}-{loop}"
    url = server.url(dialect, "endless", tag=tag)
    clumsy = Clumsy()
    manager = plugin_manager()
    manager.register(clumsy)
    try:
        backend = create_provider(PROVIDERS[dialect], {"base_url": url, "api_key": KEY})

        async def drain() -> None:
            await backend.astream_execute(MODEL, PROMPT).drain()

        def call() -> None:
            if loop == "sync":
                backend.stream_execute(MODEL, PROMPT).drain()
            else:
                on(loop, drain)

        with pytest.raises(ZeroDivisionError, match="a mistake in a plugin"):
            call()
    finally:
        manager.unregister(clumsy)
    assert server.log.wait_gone(tag, 3.0)
    assert [request.outcome for request in server.log.requests(tag)] == ["gone"]
