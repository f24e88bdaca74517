"""The manager's promises once more over real sockets: every dialect, every fault that may be repeated, in both colours."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest

from faults.cases import PACE
from jackfield import LLMError, ProviderManager, StreamInterruptedError, TextDelta
from jackfield.middleware.usage import attempts
from jackfield.testing.faults import CATALOGUE, DIALECTS, FaultServer
from manager.worlds import NEVER, everything, made, provider_table, table

FAULTS = (
    *("402", "408", "409", "429", "500", "502", "503", "504", "529", "no_money", "html_502"),
    *("refused", "reset_on_accept", "rst_no_head", "fin_no_head", "rst_in_head", "rst_in_body"),
    *("no_head", "body_cut", "body_cut_chunked", "no_event", "no_text", "loading"),
)
"""What one backend may suffer while another answers."""

TURNS = 5
"""Calls of each route in each mode: as many as a breaker takes to open."""


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer(pace=PACE) as running:
        yield running


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "jackfield")  # thousands of failures are meant


Job = tuple[str, bool]
"""A route, and whether its answer is streamed."""


def jobs(faults: tuple[str, ...]) -> list[Job]:
    return [
        (f"{dialect}-{fault}-{'s' if stream else 'p'}", stream)
        for dialect in DIALECTS
        for fault in faults
        for stream in (False, True)
        if CATALOGUE[fault].concerns(dialect, stream=stream)
    ]


def manager(
    server: FaultServer, folder: Path, faults: tuple[str, ...], run: str
) -> ProviderManager:
    """A route for each job: a first target that fails, and a healthy one of another dialect."""
    text = everything(folder)
    for at, dialect in enumerate(DIALECTS):
        healthy = server.url(dialect, "ok", tag=f"{run}-well-{dialect}")
        text += provider_table(f"{dialect}-well", dialect, healthy)
        other = DIALECTS[at - 1]
        for name, _ in jobs(faults):
            if not name.startswith(f"{dialect}-"):
                continue
            fault = name.split("-")[1]
            # One that says nothing is given up soon; a busy machine needs its time for the others.
            patience = 0.5 if fault == "no_head" else 20.0
            url = server.url(dialect, fault, tag=f"{run}-{name}")
            text += provider_table(f"{name}-bad", dialect, url, timeout={"total": patience})
            text += table(f"routes.{name}", {"targets": [f"{name}-bad", f"{other}-well"]})
    return made(folder, text)


def call(managed: ProviderManager, name: str, stream: bool, prompt: str) -> Any:
    try:
        if stream:
            return managed.stream_execute(name, "m", prompt).drain()
        return managed.execute(name, "m", prompt)
    except LLMError as error:
        return error


async def acall(managed: ProviderManager, name: str, stream: bool, prompt: str) -> Any:
    try:
        if stream:
            return await managed.astream_execute(name, "m", prompt).drain()
        return await managed.aexecute(name, "m", prompt)
    except LLMError as error:
        return error


def outcomes(managed: ProviderManager, colour: str, asked: list[tuple[Job, str]]) -> list[Any]:
    """What came of each job and prompt, many at once."""
    if colour == "sync":
        with ThreadPoolExecutor(16) as pool:
            return list(pool.map(lambda a: call(managed, a[0][0], a[0][1], a[1]), asked))
    found: dict[int, Any] = {}

    async def one(at: int, limit: anyio.CapacityLimiter) -> None:
        async with limit:
            (name, stream), prompt = asked[at]
            found[at] = await acall(managed, name, stream, prompt)

    async def everyone() -> None:
        limit = anyio.CapacityLimiter(32)
        async with anyio.create_task_group() as group:
            for at in range(len(asked)):
                group.start_soon(one, at, limit)

    anyio.run(everyone)
    return [found[at] for at in range(len(asked))]


def turns(given: list[Job], times: int) -> list[tuple[Job, str]]:
    return [(job, f"Turn {turn} of {job}") for turn in range(times) for job in given]


@pytest.mark.slow
@pytest.mark.parametrize("colour", ["sync", "asyncio"])
def test_more_than_a_thousand_calls_meet_every_fault_and_all_are_answered(
    server: FaultServer, tmp_path: Path, colour: str
) -> None:
    with manager(server, tmp_path, FAULTS, colour) as managed:
        asked = turns(jobs(FAULTS), TURNS)
        assert len(asked) >= 1000
        found = outcomes(managed, colour, asked)
        said = Counter(f.text if not isinstance(f, LLMError) else repr(f) for f in found)
        assert said == {server.answer().text: len(asked)}
        by = {f.provider_metadata["jackfield"]["provider"].partition("-")[2] for f in found}
        assert by == {"well"}
        rows = list(attempts(managed.around.ledger.store))  # type: ignore[union-attr]  # it has one
    sent = Counter(r.tag for r in server.log.requests() if r.tag.startswith(f"{colour}-"))
    # M6: a row for each request, and for those that reached nobody. Who says nothing is given up so
    # soon that a busy machine may not have asked at all.
    nowhere = ("refused", "reset_on_accept", "-no_head-")
    reached = [r for r in rows if not any(w in r["provider"] for w in nowhere)]
    silent = sum("-no_head-" in r["provider"] for r in rows)
    asked_in_vain = sum(sent.pop(tag) for tag in [*sent] if "-no_head-" in tag)
    assert len(reached) == sum(sent.values())
    assert 0 < asked_in_vain <= silent
    well = [r for r in rows if r["provider"].endswith("-well")]
    assert {r["status"] for r in well} == {"ok"}
    assert (sum(r["input_tokens"] for r in well), sum(r["output_tokens"] for r in well)) == (
        21 * len(asked),
        34 * len(asked),
    )
    assert all(r["status"] != "started" for r in rows)


@pytest.mark.parametrize("colour", ["sync", "asyncio"])
def test_what_would_fail_everywhere_is_sent_once(
    server: FaultServer, tmp_path: Path, colour: str
) -> None:
    run = f"never{colour}"
    with manager(server, tmp_path, NEVER, run) as managed:
        asked = turns(jobs(NEVER), 2)
        assert all(isinstance(f, LLMError) for f in outcomes(managed, colour, asked))
    sent = Counter(r.tag for r in server.log.requests() if r.tag.startswith(f"{run}-"))
    assert sent == {f"{run}-{name}": 2 for name, _ in jobs(NEVER)}


CUTS = ("cut_clean", "cut_fin", "cut_rst", "cut_in_json", "error_overloaded")


@pytest.mark.parametrize("colour", ["sync", "asyncio"])
def test_nobody_else_is_asked_after_the_first_token(
    server: FaultServer, tmp_path: Path, colour: str
) -> None:
    run = f"cuts{colour}"
    with manager(server, tmp_path, CUTS, run) as managed:
        given = [job for job in jobs(CUTS) if job[1]]
        found = outcomes(managed, colour, turns(given, 1))
    partial = "".join(server.answer().pieces[:3])
    assert {type(f) for f in found} == {StreamInterruptedError}
    assert {f.partial_text for f in found} == {partial}
    assert not [r for r in server.log.requests() if r.tag.startswith(f"{run}-well")]


@pytest.mark.parametrize("colour", ["sync", "asyncio"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_hundred_identical_misses_ask_once(
    server: FaultServer, tmp_path: Path, dialect: str, colour: str
) -> None:
    tag = f"same-{dialect}-{colour}"
    url = server.url(dialect, "ok", tag=tag)
    text = provider_table("a", dialect, url) + table("routes.main", {"targets": ["a"]})
    with made(tmp_path, text + everything(tmp_path)) as managed:
        asked = [(("main", at % 2 == 0), "The same") for at in range(100)]
        found = outcomes(managed, colour, asked)
        assert {f.text for f in found} == {server.answer().text}
        assert managed.around.cache is not None
        assert managed.around.cache.statistics.misses == 1
    assert len(server.log.requests(tag)) == 1


@pytest.mark.parametrize("dialect", DIALECTS)
def test_twenty_thousand_deltas_pass_each_for_itself(
    server: FaultServer, tmp_path: Path, dialect: str
) -> None:
    url = server.url(dialect, "tiny_events", tag=f"tiny-{dialect}")
    text = provider_table("a", dialect, url) + table("routes.main", {"targets": ["a"]})
    with made(tmp_path, text + everything(tmp_path)) as managed:
        stream = managed.stream_execute("main", "m", "Many, please")
        deltas = [event.text for event in stream if isinstance(event, TextDelta)]
    assert deltas == list(server.answer("tiny_events").pieces)
