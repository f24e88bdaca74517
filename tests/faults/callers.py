"""Making the calls: blocking, on asyncio, and on trio, as a user would."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import anyio

from faults.cases import MODEL, PROVIDERS, Case
from faults.outcomes import Outcome, shown, told
from jackfield import LLMProvider, create_provider
from jackfield.testing.faults import FaultServer

ABREAST = 24
"""How many calls run at once."""


def provider(case: Case, server: FaultServer, tag: str, **more: Any) -> LLMProvider:
    """A provider that shall meet the case's entry."""
    return create_provider(PROVIDERS[case.dialect], case.config(server, tag, **more))


def call(case: Case, backend: LLMProvider) -> Outcome:
    """One blocking call, whatever it comes to."""
    outcome, began = Outcome(), time.monotonic()
    try:
        if case.stream:
            with backend.stream_execute(MODEL, case.prompt, tools=case.tools) as stream:
                for event in stream:
                    outcome.streamed += str(event)
            outcome.response = stream.response
        else:
            outcome.response = backend.execute(MODEL, case.prompt, tools=case.tools)
    except Exception as error:  # noqa: BLE001  # anything: what it is is the question
        outcome.error = error
    outcome.seconds = time.monotonic() - began
    outcome.told, outcome.shown = told(outcome.error), shown(outcome.error)
    return outcome


async def acall(case: Case, backend: LLMProvider) -> Outcome:
    """One call on the running event loop, whatever it comes to."""
    outcome, began = Outcome(), time.monotonic()
    try:
        if case.stream:
            async with backend.astream_execute(MODEL, case.prompt, tools=case.tools) as stream:
                async for event in stream:
                    outcome.streamed += str(event)
            outcome.response = stream.response
        else:
            outcome.response = await backend.aexecute(MODEL, case.prompt, tools=case.tools)
    except Exception as error:  # noqa: BLE001  # anything: what it is is the question
        outcome.error = error
    outcome.seconds = time.monotonic() - began
    outcome.told, outcome.shown = told(outcome.error), shown(outcome.error)
    return outcome


Judged = TypeVar("Judged")
Judge = Callable[[Case, Sequence[Outcome]], Judged]
"""What is kept of a case's outcomes. It is asked when no call is on its way, for it takes its time."""


def parted(cases: Sequence[Case]) -> Iterator[tuple[int, Sequence[Case]]]:
    """The cases that run abreast, the heavy ones, and those that leave stale connections behind."""
    yield ABREAST, [case for case in cases if not case.heavy and case.fault.calls == 1]
    yield 2, [case for case in cases if case.heavy]
    yield 1, [case for case in cases if case.fault.calls > 1]


def run_sync(
    cases: Sequence[Case], server: FaultServer, tag: str, judge: Judge[Judged]
) -> dict[Case, Judged]:
    """All *cases* in threads."""

    def one(case: Case) -> Sequence[Outcome]:
        backend = provider(case, server, f"{tag}-{case}")
        return [call(case, backend) for _ in range(case.fault.calls)]

    results: dict[Case, Judged] = {}
    for abreast, part in parted(cases):
        with ThreadPoolExecutor(abreast) as pool:
            outcomes = zip(part, pool.map(one, part), strict=True)
        results |= _judged(judge, outcomes)
    return results


async def run_async(
    cases: Sequence[Case], server: FaultServer, tag: str, judge: Judge[Judged]
) -> dict[Case, Judged]:
    """All *cases* as tasks of one loop."""
    results: dict[Case, Judged] = {}
    outcomes: dict[Case, Sequence[Outcome]] = {}

    async def one(case: Case, limit: anyio.CapacityLimiter) -> None:
        async with limit:
            backend = provider(case, server, f"{tag}-{case}")
            outcomes[case] = [await acall(case, backend) for _ in range(case.fault.calls)]

    for abreast, part in parted(cases):
        limit = anyio.CapacityLimiter(abreast)
        async with anyio.create_task_group() as group:
            for case in part:
                group.start_soon(one, case, limit)
        results |= _judged(judge, outcomes.items())
        outcomes.clear()
    return results


def _judged(
    judge: Judge[Judged], outcomes: Iterable[tuple[Case, Sequence[Outcome]]]
) -> dict[Case, Judged]:
    return {case: judge(case, made) for case, made in outcomes}


def run(
    colour: str, cases: Sequence[Case], server: FaultServer, tag: str, judge: Judge[Judged]
) -> dict[Case, Judged]:
    """What *judge* says of all *cases* in one colour: ``sync``, ``asyncio`` or ``trio``."""
    if colour == "sync":
        return run_sync(cases, server, tag, judge)
    return anyio.run(run_async, cases, server, tag, judge, backend=colour)


def on(colour: str, function: Callable[..., Awaitable[Any]], *args: Any) -> Any:
    """Run an async *function* on one of the loops."""
    return anyio.run(function, *args, backend=colour)
