"""NVIDIA's own ways: input types, rankings elsewhere, and answers that come later."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from jackfield import (
    ChatRequest,
    ConfigError,
    EmbeddingRequest,
    Message,
    RequestTimeoutError,
    Timeout,
    create_provider,
)
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield.drivers.virtual import Scripted, VirtualDriver
from jackfield.flow import HTTPRequest
from jackfield.operations import RerankRequest
from jackfield_dialect_openai import testing as t
from jackfield_nvidia import NvidiaProvider

CONFIG = {"api_key": "made-up-key-1234", "retry": {"attempts": 1}}
ANSWER = json.dumps(t.whole({"content": "Hello"})).encode()
ASKED = ChatRequest(model="m", messages=[Message("user", "Hi")])
RANK = RerankRequest(model="nvidia/llama-3.2-rerank", query="Who?", documents=["Nobody", "Nila"])


@pytest.mark.parametrize(
    ("url", "wants"),
    [
        (None, True),
        ("https://ai.api.nvidia.com/v1", True),
        ("http://127.0.0.1:8000/v1", False),
        ("https://nim.example/v1", False),
        ("https://my-nvidia.com/v1", False),
    ],
)
def test_the_hosted_models_want_a_key_and_a_container_does_not(
    url: str | None, wants: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NVIDIA_API_KEY", raising=False)
    config = {"base_url": url} if url else {}
    keyless = create_provider("nvidia", config).validate_config()
    assert [issue.path for issue in keyless] == (["api_key"] if wants else [])
    assert not create_provider("nvidia", {**config, **CONFIG}).validate_config()


@pytest.mark.parametrize(("wanted", "wire"), [("query", "query"), ("document", "passage")])
def test_an_input_type_is_the_side_that_a_text_is_on(wanted: str, wire: str) -> None:
    asked = EmbeddingRequest(model="m", inputs="Hi", input_type=wanted)
    plan = NvidiaProvider(CONFIG).explain(asked)
    assert plan.body["input_type"] == wire
    assert plan.warnings == ()


def test_an_input_type_that_there_is_not_is_told() -> None:
    asked = EmbeddingRequest(model="m", inputs="Hi", input_type="clustering")
    (warning,) = NvidiaProvider(CONFIG).explain(asked).warnings
    assert (warning.kind, warning.subject) == ("unsupported", "input_type")


@pytest.mark.parametrize(
    ("config", "url"),
    [
        ({}, "https://ai.api.nvidia.com/v1/retrieval/nvidia/llama-3_2-rerank/reranking"),
        (
            {"base_url": "http://127.0.0.1:8000/v1", "rerank_url": "/ranking"},
            "http://127.0.0.1:8000/v1/ranking",
        ),
    ],
    ids=["hosted", "a container"],
)
def test_rankings_are_asked_for_where_they_are(config: dict[str, Any], url: str) -> None:
    body = b'{"rankings": [{"index": 0, "logit": -3.0}, {"index": 1, "logit": 2.5}]}'
    driver = ReplayDriver([Recorded(chunks=[body])])
    answer = create_provider("nvidia", {**CONFIG, **config}, driver=driver).run(RANK)
    assert [(r.index, r.score, r.document) for r in answer.results] == [
        (1, 2.5, "Nila"),
        (0, -3.0, "Nobody"),
    ]
    (sent,) = driver.transport.requests
    assert sent.url == url
    assert json.loads(sent.body or b"")["passages"] == [{"text": "Nobody"}, {"text": "Nila"}]


def test_a_key_does_not_go_to_a_ranking_in_the_clear() -> None:
    with pytest.raises(ConfigError, match="rerank_url"):
        create_provider("nvidia", {**CONFIG, "rerank_url": "http://far.example.com/x"}).run(RANK)


class Slow:
    """Answers when it was asked *times* times."""

    def __init__(self, times: int) -> None:
        self.times, self.sent = times, list[HTTPRequest]()

    def __call__(self, request: HTTPRequest, at: float) -> Scripted:
        self.sent.append(request)
        if len(self.sent) <= self.times:
            return Scripted(status=202, headers={"nvcf-reqid": "req/1"})
        return Scripted(pieces=((0.0, ANSWER),))


def test_an_answer_that_comes_later_is_waited_for() -> None:
    slow = Slow(3)
    driver = VirtualDriver(slow)
    assert driver.run(NvidiaProvider(CONFIG).call(ASKED)).text == "Hello"
    assert [(r.method, r.url.rpartition("/v1")[2]) for r in slow.sent] == [
        ("POST", "/chat/completions"),
        *[("GET", "/status/req%2F1")] * 3,
    ]
    assert len({r.headers["authorization"] for r in slow.sent}) == 1
    assert driver.now >= 3


def test_waiting_ends_with_the_deadline() -> None:
    request = ChatRequest(model="m", messages=ASKED.messages, timeout=Timeout(total=30.0))
    driver = VirtualDriver(Slow(10_000))
    with pytest.raises(RequestTimeoutError):
        driver.run(NvidiaProvider(CONFIG).call(request))
    assert driver.now <= 31


def test_both_colours_wait() -> None:
    answers = [Recorded(status=202, headers={"nvcf-reqid": "r"}), Recorded(chunks=[ANSWER])]
    loop = AsyncReplayDriver(answers)
    provider = create_provider("nim", CONFIG, async_driver=loop)
    assert anyio.run(provider.arun, ASKED, backend="trio").text == "Hello"
