"""Cancelled calls let go of their connections, and no number of them wears the pools out."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import pytest
from core_toy import BACKENDS, Toy, aio, live

from jackfield import ChatResponse
from jackfield.testing.faults import FaultServer, Pace

ROUNDS, ABREAST = 100, 30


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer(pace=Pace(gap=0.02, hold=15.0), limit=30) as running:
        yield running


def toy(server: FaultServer, fault: str, tag: str) -> Toy:
    return live(server.url("openai", fault, tag=tag), timeout=20)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("fault", ["no_head", "no_body", "silence"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_cancelled_call_closes_its_connection(
    server: FaultServer, backend: str, fault: str, stream: bool
) -> None:
    tag = f"{backend}-{fault}-{stream}"
    provider = toy(server, fault, tag)

    async def ask() -> None:
        if stream:
            await provider.astream_execute("m", "Hi").drain()
        else:
            await provider.aexecute("m", "Hi")

    async def main() -> bool:
        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            arrived = await anyio.to_thread.run_sync(server.log.wait_requests, tag, 1, 5)
            assert arrived
            await anyio.sleep(0.1)
            group.cancel_scope.cancel()
        return await anyio.to_thread.run_sync(server.log.wait_gone, tag, 5)

    assert aio(main, backend), "the connection is still open"


@pytest.mark.parametrize("backend", BACKENDS)
def test_after_thousands_of_cancelled_calls_every_healthy_one_succeeds(
    server: FaultServer, backend: str
) -> None:
    tag = f"churn-{backend}"
    busy, healthy = toy(server, "paced", tag), toy(server, "echo", tag)

    async def one_round() -> None:
        async with anyio.create_task_group() as group:
            for n in range(ABREAST):
                group.start_soon(busy.aexecute if n % 2 else drained, "m", "Hi")
            await anyio.sleep(0.01)
            group.cancel_scope.cancel()

    async def drained(model: str, prompt: str) -> ChatResponse:
        return await busy.astream_execute(model, prompt).drain()

    async def main() -> list[str]:
        for _ in range(ROUNDS):
            await one_round()
        return [(await healthy.aexecute("m", f"{n}")).text for n in range(20)]

    assert aio(main, backend) == [str(n) for n in range(20)]
    of_these = [r.connection for r in server.log.requests(tag)]
    assert server.log.wait(lambda: not any(c.open for c in of_these), 10), "sockets leaked"


@pytest.mark.parametrize("backend", BACKENDS)
def test_cancelling_one_call_leaves_its_neighbours_alone(server: FaultServer, backend: str) -> None:
    slow = toy(server, "no_body", f"slow-{backend}")
    quick = toy(server, "echo", f"quick-{backend}")

    async def main() -> list[str]:
        answers: list[str] = []

        async def ask(n: int) -> None:
            answers.append((await quick.aexecute("m", f"{n}")).text)

        async with anyio.create_task_group() as group:
            with anyio.move_on_after(0.1):
                await slow.aexecute("m", "Hi")
            for n in range(10):
                group.start_soon(ask, n)
        return answers

    assert sorted(aio(main, backend)) == [str(n) for n in range(10)]
