"""Row 72: leaving a call early closes its socket, in every colour, and pools survive any number of it."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import pytest

from faults.callers import on
from faults.cases import KEY, MODEL, PROMPT, PROVIDERS
from jackfield import LLMProvider, create_provider
from jackfield.testing.faults import DIALECTS, FaultServer

LOOPS = ("asyncio", "trio")
SOON = 3.0
"""Seconds within which a busy machine must notice; the promise is a quarter of a second."""

TIMEOUT = {"connect": 5.0, "first_chunk": 20.0, "idle": 20.0, "total": 20.0}
ROUNDS, ABREAST = 100, 30


def provider(dialect: str, url: str) -> LLMProvider:
    config = {"base_url": url, "api_key": KEY, "timeout": TIMEOUT, "retry": {"attempts": 1}}
    return create_provider(PROVIDERS[dialect], config)


def left(server: FaultServer, tag: str) -> list[str]:
    """How the scripts of *tag* ended, once none runs any more."""
    assert server.log.wait_gone(tag, SOON), "the connection is still open"
    return [request.outcome for request in server.log.requests(tag)]


def broken_off(backend: LLMProvider) -> None:
    with backend.stream_execute(MODEL, PROMPT) as stream:
        for event in stream:
            if str(event):
                break


def closed(backend: LLMProvider) -> None:
    stream = backend.stream_execute(MODEL, PROMPT)
    next(stream)
    stream.close()


def dropped(backend: LLMProvider) -> None:
    stream = backend.stream_execute(MODEL, PROMPT)
    next(stream)
    del stream
    gc.collect()


def iterator_dropped(backend: LLMProvider) -> None:
    for event in backend.stream_execute(MODEL, PROMPT):
        if str(event):
            break
    gc.collect()


def raised(backend: LLMProvider) -> None:
    with suppress(ZeroDivisionError), backend.stream_execute(MODEL, PROMPT) as stream:
        for _ in stream:
            raise ZeroDivisionError


@pytest.mark.parametrize("leave", [broken_off, closed, dropped, iterator_dropped, raised])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_leaving_a_blocking_stream_closes_its_socket(
    server: FaultServer, dialect: str, leave: Callable[[LLMProvider], None]
) -> None:
    tag = f"sync-{leave.__name__}-{dialect}"
    leave(provider(dialect, server.url(dialect, "endless", tag=tag)))
    assert left(server, tag) == ["gone"]


async def abroken_off(backend: LLMProvider) -> None:
    async with backend.astream_execute(MODEL, PROMPT) as stream:
        async for event in stream:
            if str(event):
                break


async def aclosed(backend: LLMProvider) -> None:
    stream = backend.astream_execute(MODEL, PROMPT)
    await anext(stream)
    await stream.aclose()


async def araised(backend: LLMProvider) -> None:
    with suppress(ZeroDivisionError):
        async with backend.astream_execute(MODEL, PROMPT) as stream:
            async for _ in stream:
                raise ZeroDivisionError


async def acancelled(backend: LLMProvider) -> None:
    with anyio.CancelScope() as scope:
        async with backend.astream_execute(MODEL, PROMPT) as stream:
            async for event in stream:
                if str(event):
                    scope.cancel()


@pytest.mark.parametrize("leave", [abroken_off, aclosed, araised, acancelled])
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_leaving_an_async_stream_closes_its_socket(
    server: FaultServer, dialect: str, loop: str, leave: Callable[[LLMProvider], Awaitable[None]]
) -> None:
    tag = f"{loop}-{leave.__name__}-{dialect}"
    backend = provider(dialect, server.url(dialect, "endless", tag=tag))

    async def scene() -> list[str]:
        await leave(backend)
        # The loop lives on: it is not its end that closes the socket.
        return await anyio.to_thread.run_sync(left, server, tag)

    assert on(loop, scene) == ["gone"]


@pytest.mark.parametrize("fault", ["no_head", "loris_head", "no_body", "silence", "paced"])
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_cancelled_task_closes_its_socket_whatever_it_waits_for(
    server: FaultServer, dialect: str, loop: str, stream: bool, fault: str
) -> None:
    tag = f"cancel-{loop}-{fault}-{stream}-{dialect}"
    backend = provider(dialect, server.url(dialect, fault, tag=tag))

    async def call() -> None:
        if stream:
            async for _ in backend.astream_execute(MODEL, PROMPT):
                pass
        else:
            await backend.aexecute(MODEL, PROMPT)

    async def scene() -> list[str]:
        async with anyio.create_task_group() as group:
            group.start_soon(call)
            await anyio.to_thread.run_sync(server.log.wait_requests, tag, 1, SOON)
            await anyio.sleep(0.1)
            group.cancel_scope.cancel()
        return await anyio.to_thread.run_sync(left, server, tag)

    assert on(loop, scene) == ["gone"]


@asynccontextmanager
async def crowd(size: int, call: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """*size* calls under way, cancelled at the end."""
    async with anyio.create_task_group() as group:
        for _ in range(size):
            group.start_soon(call)
        yield
        group.cancel_scope.cancel()


@pytest.mark.slow
@pytest.mark.parametrize("loop", LOOPS)
def test_a_pool_is_healthy_after_three_thousand_cancellations(
    server: FaultServer, loop: str
) -> None:
    tag = f"churn-{loop}"
    backend = provider("openai", server.url("openai", "endless", tag=tag))
    healthy = provider("openai", server.url("openai", tag=f"{tag}-healthy"))

    async def call() -> None:
        async for _ in backend.astream_execute(MODEL, PROMPT):
            pass

    async def scene() -> list[str]:
        for turn in range(ROUNDS):
            async with crowd(ABREAST, call):
                await anyio.sleep(0.002 * (turn % 25))
        answers = [await healthy.aexecute(MODEL, PROMPT) for _ in range(20)]
        await anyio.to_thread.run_sync(server.log.wait_gone, tag, 10.0)
        return [answer.text for answer in answers]

    assert on(loop, scene) == [server.answer().text] * 20
    assert {request.outcome for request in server.log.requests(tag)} <= {"gone"}


@pytest.mark.slow
def test_a_pool_is_healthy_after_three_thousand_broken_off_streams(server: FaultServer) -> None:
    backend = provider("openai", server.url("openai", "endless", tag="churn-sync"))
    healthy = provider("openai", server.url("openai", tag="churn-sync-healthy"))
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(broken_off, [backend] * (ROUNDS * ABREAST)))
    answers = [healthy.execute(MODEL, PROMPT).text for _ in range(20)]
    assert answers == [server.answer().text] * 20
    assert set(left(server, "churn-sync")) == {"gone"}


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_that_ends_leaves_no_connection_open(loop: str) -> None:
    with FaultServer() as own:
        backend = provider("openai", own.url("openai"))

        async def scene() -> None:
            async with anyio.create_task_group() as group:
                for _ in range(10):
                    group.start_soon(backend.aexecute, MODEL, PROMPT)

        on(loop, scene)
        assert own.log.wait(lambda: not own.log.open_connections(), SOON)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_slow_consumer_holds_the_provider_back(server: FaultServer, loop: str) -> None:
    tag = f"slow-{loop}"
    backend = provider("openai", server.url("openai", "torrent", tag=tag))

    async def scene() -> list[int]:
        sent = []
        async with backend.astream_execute(MODEL, PROMPT) as stream:
            await anext(stream)
            (request,) = server.log.requests(tag)
            for _ in range(2):
                await anyio.sleep(0.7)
                sent.append(request.connection.sent)
        return sent

    first, second = on(loop, scene)
    assert first == second


def test_a_slow_blocking_consumer_holds_the_provider_back(server: FaultServer) -> None:
    tag = "slow-sync"
    backend = provider("openai", server.url("openai", "torrent", tag=tag))
    with backend.stream_execute(MODEL, PROMPT) as stream:
        next(stream)
        (request,) = server.log.requests(tag)
        sent = []
        for _ in range(2):
            server.log.wait(lambda: False, 0.7)
            sent.append(request.connection.sent)
    assert sent[0] == sent[1]


def test_an_async_stream_that_is_dropped_closes_its_socket(server: FaultServer) -> None:
    backend = provider("openai", server.url("openai", "endless", tag="dropped-async"))

    async def scene() -> list[str]:
        async for event in backend.astream_execute(MODEL, PROMPT):
            if str(event):
                break
        gc.collect()
        return await anyio.to_thread.run_sync(left, server, "dropped-async")

    assert on("asyncio", scene) == ["gone"]
