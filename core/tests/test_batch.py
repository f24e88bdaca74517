"""A batch gives what single calls give: in order, failures beside results, and on where it was left."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from attrs import evolve
from core_toy import BACKENDS, aio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jackfield import (
    ChatRequest,
    ChatResponse,
    ConfigError,
    InvalidRequestError,
    LLMError,
    RateLimitError,
    UnsupportedOperationError,
    create_provider,
)
from jackfield.manager.batch import BatchOutcome, aiter_batch, arun_batch, iter_batch, run_batch
from jackfield.manager.checkpoint import HEAD, Checkpoint
from jackfield.manager.executors import Recipe, ThreadExecutor
from jackfield.operations import BatchItem
from jackfield.testing import ScriptedProvider

MANY = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def chats(count: int, more: str = "") -> list[ChatRequest]:
    return [ChatRequest(model="m", messages=f"{n}{more}") for n in range(count)]


class Echo:
    """Says the prompt again; *wrong* prompts fail. Counts who asks, and how many at once."""

    def __init__(self, *wrong: str) -> None:
        self.wrong = set(wrong)
        self.asked: Counter[str] = Counter()
        self.now = self.most = 0
        self._lock = threading.Lock()

    def _enter(self, text: str) -> None:
        with self._lock:
            self.asked[text] += 1
            self.now += 1
            self.most = max(self.most, self.now)

    def _leave(self, text: str) -> ChatResponse:
        with self._lock:
            self.now -= 1
        if text in self.wrong:
            raise RateLimitError("too fast", provider="echo", status=429)
        if text == "bug":
            raise KeyError(text)
        return ScriptedProvider.of(text).execute("m", "?")

    def run(self, request: Any) -> ChatResponse:
        text = request.messages[-1].text
        self._enter(text)
        return self._leave(text)

    async def arun(self, request: Any) -> ChatResponse:
        text = request.messages[-1].text
        self._enter(text)
        await anyio.lowlevel.checkpoint()
        return self._leave(text)


def texts(outcome: BatchOutcome) -> list[str]:
    return [type(r.error).__name__ if r.error else r.response.text for r in outcome]


WAYS = ["threads", *BACKENDS]


def performed(way: str, call: Any, requests: Any, **options: Any) -> BatchOutcome:
    """The batch, blocking or on an event loop."""
    if way == "threads":
        return run_batch(call, requests, **options)
    return aio(lambda: arun_batch(call, requests, **options), way)


@pytest.mark.parametrize("way", WAYS)
@MANY
@given(
    count=st.integers(0, 30),
    concurrency=st.integers(1, 9),
    wrong=st.sets(st.integers(0, 29)),
)
def test_each_request_has_its_result_in_its_place(
    way: str, count: int, concurrency: int, wrong: set[int]
) -> None:
    echo = Echo(*map(str, wrong))
    outcome = performed(way, echo, chats(count), concurrency=concurrency)
    assert texts(outcome) == ["RateLimitError" if n in wrong else str(n) for n in range(count)]
    assert [r.index for r in outcome] == list(range(count))
    assert [r.key for r in outcome] == [f"request-{n}" for n in range(count)]
    assert echo.asked == Counter(map(str, range(count)))
    assert echo.most <= concurrency
    failed = len(wrong & set(range(count)))
    assert (outcome.progress.done, outcome.progress.failed) == (count, failed)
    assert len(outcome.failures) == failed


@pytest.mark.parametrize("ordered", [True, False])
def test_a_million_would_do_requests_are_taken_as_they_can_be_sent(ordered: bool) -> None:
    taken = 0

    def endless() -> Iterator[ChatRequest]:
        nonlocal taken
        while True:
            yield ChatRequest(model="m", messages=str(taken))
            taken += 1

    results = iter_batch(Echo(), endless(), concurrency=4, ordered=ordered)
    for number, result in zip(range(50), results, strict=False):
        assert taken - number <= 4 + (8 if ordered else 0)
        if ordered:
            assert result.index == number


@pytest.mark.parametrize("backend", BACKENDS)
def test_so_on_an_event_loop_and_who_leaves_early_cancels_the_rest(backend: str) -> None:
    class Slow(Echo):
        async def arun(self, request: Any) -> ChatResponse:
            text = request.messages[-1].text
            if int(text) >= 10:
                self.asked["late"] += 1
                await anyio.sleep_forever()
            return await super().arun(request)

    async def main() -> list[int]:
        slow, seen = Slow(), []
        with anyio.fail_after(20):
            async with aiter_batch(slow, iter(chats(10_000)), concurrency=3) as results:
                async for result in results:
                    seen.append(result.index)
                    if len(seen) == 10:
                        break
        assert slow.asked["late"] <= 3
        return sorted(seen)

    assert aio(main, backend) == list(range(10))


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_error_of_who_reads_is_raised_as_it_is(backend: str) -> None:
    async def main() -> None:
        async with aiter_batch(Echo(), chats(9)) as results:
            async for _ in results:
                raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        aio(main, backend)


@pytest.mark.parametrize("way", WAYS)
def test_the_first_failure_ends_the_batch_where_that_is_asked_for(way: str) -> None:
    echo = Echo("3")
    with pytest.raises(RateLimitError):
        performed(way, echo, iter(chats(1000)), on_error="raise", concurrency=2)
    assert echo.asked.total() <= 3 + 2 + 2


@pytest.mark.parametrize("way", WAYS)
def test_what_nobody_expected_is_a_failure_too(way: str) -> None:
    requests = [ChatRequest(model="m", messages=text) for text in ("a", "bug", "b")]
    outcome = performed(way, Echo(), requests)
    assert texts(outcome) == ["a", "LLMError", "b"]
    assert outcome.results[1].error is not None
    assert "unexpected KeyError" in outcome.results[1].error.message


@pytest.mark.parametrize("way", WAYS)
def test_what_is_no_request_is_told_with_its_place(way: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"requests\[2\]: str; pass requests"):
        performed(way, Echo(), [*chats(2), "Hello"])
    with pytest.raises(InvalidRequestError, match="concurrency"):
        performed(way, Echo(), chats(2), concurrency=0)


def test_progress_tells_what_is_known() -> None:
    told: list[Any] = []
    items = [BatchItem(custom_id=f"id-{n}", request=r) for n, r in enumerate(chats(5))]
    outcome = run_batch(ScriptedProvider.of("two words"), items, progress=told.append)
    assert [p.done for p in told] == [1, 2, 3, 4, 5]
    assert {p.total for p in told} == {5}
    assert outcome.progress == told[-1]
    assert (told[-1].input_tokens, told[-1].output_tokens) == (5, 10)
    assert outcome.progress.cost is None  # unknown, which is not 0
    assert [r.key for r in outcome] == [f"id-{n}" for n in range(5)]
    run_batch(ScriptedProvider.of("x"), iter(items), progress=told.append)
    assert told[-1].total is None


@pytest.mark.parametrize("way", WAYS)
@MANY
@given(data=st.data(), count=st.integers(1, 25), concurrency=st.integers(1, 5))
def test_a_batch_that_was_left_goes_on_and_asks_nothing_twice(
    way: str, tmp_path: Path, data: st.DataObject, count: int, concurrency: int
) -> None:
    path = tmp_path / "checkpoint"
    path.unlink(missing_ok=True)
    wrong = data.draw(st.sets(st.integers(0, count - 1)))
    echo = Echo(*map(str, wrong))
    left = data.draw(st.integers(0, count))
    first = []
    for _, result in zip(
        range(left),
        iter_batch(echo, chats(count), checkpoint=path, concurrency=concurrency),
        strict=False,
    ):
        first.append(result)
    echo.wrong.clear()
    outcome = performed(way, echo, chats(count), checkpoint=path, concurrency=concurrency)
    assert texts(outcome) == [str(n) for n in range(count)]
    good = {r.index: r.response for r in first if r.error is None}
    assert {r.index: r.response for r in outcome if r.index in good} == good
    again = sum(echo.asked.values()) - count
    assert again <= concurrency + len(wrong)
    assert outcome.progress.resumed >= len(good)
    whole = performed(way, echo, chats(count), checkpoint=path)
    assert texts(whole) == texts(outcome)
    assert [r.response for r in whole] == [r.response for r in outcome]
    assert all(r.resumed for r in whole)


def test_what_failed_is_kept_where_it_is_not_to_be_asked_again(tmp_path: Path) -> None:
    path, echo = tmp_path / "checkpoint", Echo("1")
    run_batch(echo, chats(3), checkpoint=path)
    echo.wrong.clear()
    kept = run_batch(echo, chats(3), checkpoint=path, retry_failed=False)
    assert texts(kept) == ["0", "RateLimitError", "2"]
    assert kept.results[1].error is not None
    assert (kept.results[1].error.status, kept.results[1].error.provider) == (429, "echo")
    assert texts(run_batch(echo, chats(3), checkpoint=path)) == ["0", "1", "2"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("retry", [True, False])
def test_a_request_that_failed_may_be_mended(tmp_path: Path, way: str, retry: bool) -> None:
    path = tmp_path / "checkpoint"
    run_batch(Echo("1"), chats(3), checkpoint=path)
    mended = [*chats(3)[:1], *chats(3, " more")[1:2], *chats(3)[2:]]
    outcome = performed(way, Echo(), mended, checkpoint=path, retry_failed=retry)
    assert texts(outcome) == ["0", "1 more", "2"]
    assert outcome.progress.resumed == 2
    assert texts(run_batch(Echo("0"), mended, checkpoint=path)) == ["0", "1 more", "2"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("lazily", [False, True], ids=["known", "unknown length"])
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (chats(3, " more"), "request 0 ('request-0') has changed"),
        (chats(2), "results of 3 requests, and only 2 came"),
        ([BatchItem(custom_id="x", request=r) for r in chats(3)], "was 'request-0' since"),
    ],
    ids=["another text", "fewer", "another name"],
)
def test_a_changed_input_is_told(
    tmp_path: Path, way: str, lazily: bool, changed: list[Any], said: str
) -> None:
    path = tmp_path / "checkpoint"
    run_batch(Echo(), chats(3), checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(ConfigError) as caught:
        performed(way, Echo(), iter(changed) if lazily else changed, checkpoint=path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before
    longer = performed(way, Echo(), chats(5), checkpoint=path)
    assert texts(longer) == [str(n) for n in range(5)]


@MANY
@given(cut=st.integers(0, 400))
def test_a_file_that_a_crash_cut_short_is_read_as_far_as_it_goes(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "checkpoint"
    path.unlink(missing_ok=True)
    whole = run_batch(Echo(), chats(4), checkpoint=path, concurrency=1)
    data = path.read_bytes()
    path.write_bytes(data[: max(0, len(data) - cut * 8)])
    kept = path.read_bytes().count(b"\n") - 1
    echo = Echo()
    again = run_batch(echo, chats(4), checkpoint=path)
    assert texts(again) == texts(whole)
    assert echo.asked.total() == 4 - max(0, kept)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"my notes, in one line", "no checkpoint"),
        (b'{"jackfield": "other"}\n', "no checkpoint"),
        (b'{"jackfield":"batch","version":1}\n{"index"\n{"index":1}\n', "line 2 is damaged"),
    ],
)
def test_a_file_that_is_something_else_is_left_as_it_is(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "checkpoint"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        run_batch(Echo(), chats(1), checkpoint=path)
    assert path.read_bytes() == content


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="files have no largest size here")
def test_a_disk_that_is_full_for_a_moment_damages_nothing(tmp_path: Path) -> None:
    """The file may not grow for one write, while other results are on their way."""
    script = """
import os, resource, signal, sys
from jackfield.manager.checkpoint import Checkpoint, Kept
from jackfield import LLMError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
kept = Checkpoint(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
for index in range(9):
    try:
        kept.write(index, Kept(key=str(index), digest="d", response="x" * 300))
    except OSError:
        print(index)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
kept.close()
"""
    path = tmp_path / "kept"
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], check=True, capture_output=True, text=True
    )
    (lost,) = map(int, done.stdout.split())
    kept = Checkpoint(path)
    found = [kept.find(index, str(index), "d") for index in range(9)]
    assert [index for index, one in enumerate(found) if one is None] == [lost]
    assert {len(one.response) for one in found if one is not None} == {300}
    kept.close()


@pytest.mark.parametrize(
    "line",
    [
        '{"job":"x"}',
        '{"index":"a","key":"k","digest":"d","response":1}',
        '{"index":0}',
        '{"index":-1,"key":"k","digest":"d","response":1}',
        '{"index":0,"key":"k","digest":"d"}',
    ],
)
def test_a_line_of_another_shape_is_told_as_damaged(tmp_path: Path, line: str) -> None:
    path = tmp_path / "kept"
    path.write_bytes(HEAD + line.encode() + b"\n")
    with pytest.raises(ConfigError, match="line 2 is damaged"):
        Checkpoint(path)


def test_what_only_middleware_reads_may_be_anything(tmp_path: Path) -> None:
    (request,) = chats(1)
    asked = evolve(request, metadata={"session": object()})
    (result,) = run_batch(Echo(), [asked], checkpoint=tmp_path / "kept")
    assert result.error is None


@pytest.mark.parametrize(
    "wrong", [{"native": "require"}, {"native": "perfer"}, {"on_error": "rasie"}]
)
def test_an_option_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidRequestError, match=next(iter(wrong))):
        run_batch(Echo(), chats(1), **wrong)


def test_on_an_event_loop_who_chooses_is_asked_on_it() -> None:
    class Chooses:
        async def aresolve(self, request: ChatRequest) -> tuple[Any, ChatRequest]:
            await anyio.lowlevel.checkpoint()
            return ScriptedProvider.of("chosen"), request

        def resolve(self, request: ChatRequest) -> tuple[Any, ChatRequest]:
            raise AssertionError("this would block the loop")

    async def main() -> BatchOutcome:
        return await arun_batch(Chooses(), chats(2))

    assert texts(anyio.run(main)) == ["chosen"] * 2


def test_two_batches_cannot_write_one_file(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    path = tmp_path / "checkpoint"
    results = iter_batch(Echo(), chats(2), checkpoint=path)
    next(results)
    with pytest.raises(ConfigError, match="is using this checkpoint"):
        run_batch(Echo(), chats(2), checkpoint=path)
    for _ in results:
        pass
    assert (path.stat().st_mode & 0o077) == 0


def test_long_stretches_of_kept_results_are_handed_out_as_they_are_read(tmp_path: Path) -> None:
    path, count = tmp_path / "checkpoint", 3_000
    kept = '{"index":%d,"key":"request-%d","digest":"%s","response":null}\n'
    from jackfield.manager.encoding import digest

    requests = chats(count)
    lines = [kept % (n, n, digest(r)) for n, r in enumerate(requests) if n not in (0, 2_990)]
    path.write_text('{"jackfield":"batch","version":1}\n' + "".join(lines))
    taken = 0

    def counted() -> Iterator[ChatRequest]:
        nonlocal taken
        for request in requests:
            taken += 1
            yield request

    echo = Echo()
    for number, _ in enumerate(iter_batch(echo, counted(), checkpoint=path, concurrency=1)):
        assert taken - number <= 1_002
    assert sorted(echo.asked) == ["0", "2990"]


def test_a_recipe_makes_its_provider_once_where_the_work_is_done() -> None:
    recipe = Recipe(create_provider, "scripted", {"answers": ["Hi."], "then": "fail"})
    outcome = run_batch(recipe, chats(2), concurrency=1, executor=ThreadExecutor())
    assert texts(outcome) == ["Hi.", "ConfigError"]
    with pytest.raises(ConfigError, match="must travel"):
        Recipe(lambda: None)


def test_who_chooses_among_providers_is_asked_for_each_request() -> None:
    class Chooser:
        def resolve(self, request: Any) -> Any:
            if request.messages[-1].text == "1":
                raise LLMError("nobody answers to that")
            return ScriptedProvider.of(f"{request.messages[-1].text}!"), request

    assert texts(run_batch(Chooser(), chats(3))) == ["0!", "LLMError", "2!"]
    assert texts(aio(lambda: arun_batch(Chooser(), chats(3)))) == [
        "0!",
        "LLMError",
        "2!",
    ]


def test_an_executor_by_name_must_be_installed() -> None:
    with pytest.raises(ConfigError, match="no executor 'cloud' is installed; have threads"):
        run_batch(Echo(), chats(1), executor="cloud")


def test_own_batches_are_for_providers_that_have_them(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedOperationError, match="scripted has no batches of its own"):
        run_batch(ScriptedProvider.of("x"), chats(2), native=True)
    assert texts(run_batch(ScriptedProvider.of("x"), chats(2), native="prefer")) == ["x", "x"]


def test_the_file_holds_a_line_of_json_for_each_result(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "checkpoint"
    run_batch(Echo(), chats(3), checkpoint=path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert sorted(line["index"] for line in lines[1:]) == [0, 1, 2]
