"""A provider's own batches give the values that single calls give, and are found again after a crash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    ChatRequest,
    ChatResponse,
    ConfigError,
    InvalidRequestError,
    OverloadedError,
    ProviderError,
    RateLimitError,
)
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield.manager.batch import arun_batch, iter_batch, run_batch
from jackfield.manager.native import Polling
from jackfield.plugins import create_provider
from jackfield.testing import ScriptedProvider
from manager.batch_services import HOUR, Claude, OpenAI, Service
from support.recordings import turns

SERVICES = [OpenAI, Claude]


def chats(count: int, model: str = "m") -> list[ChatRequest]:
    return [ChatRequest(model=model, messages=f"text {n}") for n in range(count)]


def values(outcome: Any) -> list[Any]:
    """Responses, and the classes and messages of errors."""
    return [r.response if r.error is None else (type(r.error), r.error.message) for r in outcome]


def plain(value: Any) -> Any:
    """*value* without what tells how it was sent."""
    return evolve(value, provider_metadata={}) if isinstance(value, ChatResponse) else value


@pytest.mark.parametrize("kind", SERVICES)
@settings(max_examples=25, deadline=None)
@given(count=st.integers(1, 12), size=st.integers(1, 5), wrong=st.sets(st.integers(0, 11)))
def test_the_values_are_those_of_single_calls(
    kind: type[Service], count: int, size: int, wrong: set[int]
) -> None:
    failing = {f"text {n}" for n in wrong}
    service = kind(failing=failing)
    alone = run_batch(kind(failing=failing).provider(), chats(count), concurrency=1)
    own = run_batch(service.provider(), chats(count), native=True, native_size=size, concurrency=1)
    assert list(map(plain, values(own))) == list(map(plain, values(alone)))
    assert service.singles == 0
    assert [len(items) for _, items in service.jobs.values()] == [
        min(size, count - at) for at in range(0, count, size)
    ]


@pytest.mark.parametrize("kind", SERVICES)
def test_a_batch_is_looked_after_less_and_less_often(kind: type[Service]) -> None:
    service = kind()
    run_batch(service.provider(), chats(2), native=True)
    pauses = [b - a for a, b in zip(service.polls, service.polls[1:], strict=False)][:-1]
    assert 30 < len(service.polls) < 60
    assert all(5 <= pause <= 375 for pause in pauses)
    assert service.driver.now - 3 * HOUR <= 375


@pytest.mark.parametrize("kind", SERVICES)
def test_an_outage_while_it_runs_is_waited_out(kind: type[Service]) -> None:
    service = kind()
    service.outages = 9
    assert [r.error for r in run_batch(service.provider(), chats(2), native=True)] == [None, None]


@pytest.mark.parametrize("kind", SERVICES)
def test_a_batch_that_cannot_be_watched_is_found_again(kind: type[Service], tmp_path: Path) -> None:
    path, service = tmp_path / "checkpoint", kind()
    service.outages = 10
    with pytest.raises(OverloadedError):
        run_batch(service.provider(), chats(4), native=True, checkpoint=path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line.get("job") for line in lines] == [None, "batch_1"]
    outcome = run_batch(service.provider(), chats(6), native=True, checkpoint=path)
    assert [r.response.text for r in outcome] == [f"text {n}!" for n in range(6)]
    assert [len(items) for _, items in service.jobs.values()] == [4, 2]
    again = run_batch(service.provider(), chats(6), native=True, checkpoint=path)
    assert values(again) == values(outcome)
    assert len(service.jobs) == 2


def test_what_was_handed_in_is_waited_for_even_where_that_is_no_longer_asked_for(
    tmp_path: Path,
) -> None:
    path, service = tmp_path / "checkpoint", OpenAI()
    service.outages = 10
    with pytest.raises(OverloadedError):
        run_batch(service.provider(), chats(3), native=True, checkpoint=path)
    outcome = run_batch(service.provider(), chats(3), checkpoint=path)
    assert [r.response.text for r in outcome] == [f"text {n}!" for n in range(3)]
    assert service.singles == 0


def test_nobody_else_can_tell_what_came_of_it(tmp_path: Path) -> None:
    path, service = tmp_path / "checkpoint", OpenAI()
    service.outages = 10
    with pytest.raises(OverloadedError):
        run_batch(service.provider(), chats(3), native=True, checkpoint=path)
    with pytest.raises(ConfigError, match="batch_1 was handed in to openai; have openai answer"):
        run_batch(Claude().provider(), chats(3), native=True, checkpoint=path)


def test_what_failed_is_handed_in_again(tmp_path: Path) -> None:
    path, service = tmp_path / "checkpoint", OpenAI(failing={"text 1"}, lost={"text 2"})
    first = run_batch(service.provider(), chats(4), native=True, checkpoint=path)
    kinds = [type(r.error) for r in first]
    assert kinds == [type(None), RateLimitError, ProviderError, type(None)]
    assert "ended as completed without a result" in str(first.results[2].error)
    service.failing, service.lost = set(), set()
    second = run_batch(service.provider(), chats(4), native=True, checkpoint=path)
    assert [r.response.text for r in second] == [f"text {n}!" for n in range(4)]
    assert [len(items) for _, items in service.jobs.values()] == [4, 2]


def test_a_batch_that_its_service_gives_up_is_a_failure_of_each_request() -> None:
    service = OpenAI()
    service.ends = "failed"
    outcome = run_batch(service.provider(), chats(2), native=True)
    said = "batch batch_1 ended as failed without a result for it: line 1: no such model"
    assert [e.message for r in outcome if (e := r.error)] == [said, said]


def test_a_batch_that_is_not_accepted_is_a_failure_of_each_request() -> None:
    class Refusing(OpenAI):
        def serve(self, method: str, path: str, *more: Any) -> tuple[int, Any]:
            if path.endswith("batches"):
                return 400, {"error": {"message": "too many batches"}}
            return super().serve(method, path, *more)

    outcome = run_batch(Refusing().provider(), chats(2), native=True)
    assert [type(r.error) for r in outcome] == [InvalidRequestError, InvalidRequestError]


def test_a_batch_is_of_one_model_of_one_provider() -> None:
    service, scripted = OpenAI(), ScriptedProvider.of("scripted")

    class Chooser:
        def resolve(self, request: Any) -> Any:
            return (scripted if request.model == "c" else openai), request

    openai = service.provider()
    mixed = [ChatRequest(model="abc"[n % 3], messages=f"text {n}") for n in range(9)]
    outcome = run_batch(Chooser(), mixed, native="prefer", concurrency=1)
    texts = [f"text {n}!" if n % 3 < 2 else "scripted" for n in range(9)]
    assert [r.response.text for r in outcome] == texts
    models = [{i["body"]["model"] for i in items} for _, items in service.jobs.values()]
    assert models == [{"a"}, {"b"}]


def test_leaving_early_leaves_the_batch_to_be_found(tmp_path: Path) -> None:
    path, service = tmp_path / "checkpoint", OpenAI()
    results = iter_batch(
        service.provider(), chats(6), native=True, native_size=3, checkpoint=path, concurrency=1
    )
    assert next(results).index == 0
    del results
    outcome = run_batch(service.provider(), chats(6), native=True, checkpoint=path)
    assert [r.response.text for r in outcome] == [f"text {n}!" for n in range(6)]


CASE = "batch--ruby-llm--batch-with-openai-gpt-5-nano-answers-staged-chats-and-appends-th"
RECORDED = [t for t in turns("openai") if t.case == CASE]


@pytest.mark.wire
@pytest.mark.skipif(not RECORDED, reason="no recordings: set JACKFIELD_SHARED")
@pytest.mark.parametrize("backend", ["", "asyncio", "trio"])
def test_a_recorded_batch_answers_what_it_answered(backend: str) -> None:
    upload, create, info, content = RECORDED
    asked = [json.loads(x) for x in upload.request["body"].splitlines() if x.startswith("{")]
    requests = [
        ChatRequest(model=a["body"]["model"], messages=a["body"]["input"][0]["content"])
        for a in asked
    ]
    ended = {**info.response["body"], "status": "completed", "output_file_id": "file-2"}
    named = content.payload.replace(b'"custom_id": "', b'"custom_id": "request-')
    answers = [t.recorded() for t in (upload, create, info)]
    answers += [Recorded(chunks=[json.dumps(ended).encode()])] * 2 + [Recorded(chunks=[named])]
    provider = create_provider(
        "openai",
        {"api_key": "made-up", "api": "responses"},
        driver=ReplayDriver(answers),
        async_driver=AsyncReplayDriver(answers),
    )
    polling = Polling(initial=0.001)
    if backend:

        async def main() -> Any:
            return await arun_batch(provider, requests, native=True, polling=polling)

        outcome = anyio.run(main, backend=backend)
    else:
        outcome = run_batch(provider, requests, native=True, polling=polling)
    lines = [json.loads(line) for line in content.payload.decode().splitlines() if line.strip()]
    told = {x["custom_id"]: x["response"]["body"] for x in lines}
    for n, result in enumerate(outcome):
        (message,) = [o for o in told[str(n)]["output"] if o["type"] == "message"]
        assert result.response.text == message["content"][0]["text"]
        assert result.response.usage.output_tokens == told[str(n)]["usage"]["output_tokens"]
