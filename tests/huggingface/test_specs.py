"""Every body that the plugin builds is as the official descriptions have it: tasks, TGI, TEI."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huggingface.described import task_errors
from huggingface.traffic import of, operation, typed, whole
from jackfield import EmbeddingRequest, MediaPart, create_provider
from jackfield.drivers.replay import Recorded, ReplayDriver
from jackfield.operations import (
    CompletionRequest,
    DetokenizeRequest,
    ImageRequest,
    RerankRequest,
    SpeechRequest,
    TokenizeRequest,
    TranscriptionRequest,
)
from jackfield.testing import strategies as jf
from jackfield_huggingface import HuggingFaceProvider
from jackfield_huggingface.generation import GENERATION
from support.specs import needs_specs, request_errors

pytestmark = needs_specs

OPTIONS = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
KEY = {"api_key": "made-up-key-1234", "retry": {"attempts": 1}}
ROUTER = HuggingFaceProvider(KEY)
OWN = HuggingFaceProvider({**KEY, "base_url": "https://mine.example"})

NAMES = st.sampled_from(["org/m", "m"])
PNG = st.just(MediaPart("image/png", b"\x89PNG\r\n\x1a\n-"))
SOUND = st.just(MediaPart("audio/wav", b"RIFF\0\0\0\0WAVE"))
SIZES = st.none() | st.sampled_from(["64x32", "large", "x", "8x", "1024x1024"])
WRITES = st.builds(
    CompletionRequest,
    model=NAMES,
    prompt=jf.texts(),
    suffix=st.none() | jf.texts(),
    params=jf.params() | jf.params(GENERATION),
)
EMBEDS = st.builds(
    EmbeddingRequest,
    model=NAMES,
    inputs=st.lists(jf.texts(), min_size=1, max_size=3),
    dimensions=st.none() | st.integers(1, 4096),
    input_type=st.none() | st.just("query"),
)
RANKS = st.builds(RerankRequest, model=NAMES, query=jf.texts(), documents=st.lists(jf.texts()))
IMAGES = st.builds(
    ImageRequest,
    model=NAMES,
    prompt=jf.texts(),
    n=st.integers(1, 2),
    size=SIZES,
    seed=st.none() | st.integers(0, 9),
    negative_prompt=st.none() | jf.texts(),
    images=st.lists(PNG, max_size=1),
)
HEARD = st.builds(
    TranscriptionRequest,
    model=NAMES,
    audio=SOUND,
    temperature=st.none() | st.sampled_from([0.0, 0.5]),
    timestamps=st.lists(st.sampled_from(["segment", "word"])),
    language=st.none() | st.just("en"),
)
SPOKEN = st.builds(SpeechRequest, model=NAMES, text=jf.texts(), voice=st.none() | st.just("v"))


@OPTIONS
@given(WRITES)
def test_texts_to_be_written_on_are_described(asked: CompletionRequest) -> None:
    body = ROUTER.explain(asked).body
    assert task_errors("text-generation", body) == []
    assert request_errors("tgi", "POST", "/", body, undeclared=True) == []


@OPTIONS
@given(WRITES)
def test_streams_of_tokens_are_asked_for_as_described(asked: CompletionRequest) -> None:
    driver = ReplayDriver([Recorded(status=500)])
    provider = HuggingFaceProvider(KEY, driver=driver)
    with pytest.raises(Exception, match=r"500"):
        list(provider.stream(asked))
    body = json.loads(driver.transport.requests[0].body or b"")
    assert task_errors("text-generation", body) == []
    assert request_errors("tgi", "POST", "/", body, undeclared=True) == []
    assert body["stream"] is True


@OPTIONS
@given(EMBEDS)
def test_texts_to_embed_are_described(asked: EmbeddingRequest) -> None:
    assert task_errors("feature-extraction", ROUTER.explain(asked).body) == []
    body = OWN.explain(asked).body
    assert request_errors("tei", "POST", "/embed", body, undeclared=True) == []


@OPTIONS
@given(RANKS)
def test_rankings_are_described(asked: RerankRequest) -> None:
    assert task_errors("sentence-similarity", ROUTER.explain(asked).body) == []
    body = OWN.explain(asked).body
    assert request_errors("tei", "POST", "/rerank", body, undeclared=True) == []


@OPTIONS
@given(IMAGES)
def test_images_are_described(asked: ImageRequest) -> None:
    task = "image-to-image" if asked.images else "text-to-image"
    plan = ROUTER.explain(asked)
    if isinstance(plan.body, dict):
        assert task_errors(task, plan.body) == []


@OPTIONS
@given(HEARD)
def test_sounds_are_described_or_themselves(asked: TranscriptionRequest) -> None:
    body = ROUTER.explain(asked).body
    if isinstance(body, bytes):
        assert body == asked.audio.data
    else:
        assert task_errors("automatic-speech-recognition", body) == []


@OPTIONS
@given(SPOKEN)
def test_texts_to_be_spoken_are_described(asked: SpeechRequest) -> None:
    assert task_errors("text-to-speech", ROUTER.explain(asked).body) == []


@OPTIONS
@given(jf.texts(), st.lists(st.integers(0, 1000), min_size=1))
def test_tokens_are_asked_for_as_described(text: str, ids: list[int]) -> None:
    for spec, path, asked, answer in (
        ("tei", "/tokenize", TokenizeRequest(text=text), b"[]"),
        ("tgi", "/tokenize", TokenizeRequest(text=text), b"[]"),
        ("tei", "/decode", DetokenizeRequest(ids=ids), b'[""]'),
    ):
        driver = ReplayDriver([Recorded(chunks=[answer])])
        provider: Any = HuggingFaceProvider(
            {**KEY, "base_url": "https://mine.example"}, driver=driver
        )
        provider.run(asked)
        (sent,) = driver.transport.requests
        assert sent.url == f"https://mine.example{path}"
        assert (
            request_errors(spec, "POST", path, json.loads(sent.body or b""), undeclared=True) == []
        )


@OPTIONS
@given(jf.chat_requests())
def test_chats_are_as_an_inference_server_takes_them(asked: Any) -> None:
    body = create_provider("huggingface", KEY).explain(asked).body
    # The descriptions have an older form of schemas, another name for what tools take, and messages
    # that either speak or call.
    said = {k: v for k, v in body.items() if k != "response_format"}
    said["messages"] = [_silent(m) for m in body["messages"]]
    tools = [{**t, "function": _older(t["function"])} for t in said.get("tools", ())]
    assert request_errors("tgi", "POST", "/v1/chat/completions", {**said, "tools": tools}) == []
    assert task_errors("chat-completion", said) == []


def _silent(message: Any) -> Any:
    calls = message.get("tool_calls")
    return {k: v for k, v in message.items() if k != "content"} if calls else message


def _older(function: Any) -> Any:
    return {"arguments": function["parameters"], **function}


TASKS = {
    "embeddings": "feature-extraction",
    "rerank": "sentence-similarity",
    "image": "text-to-image",
    "speech": "text-to-speech",
    "completion": "text-generation",
}


@pytest.mark.wire
def test_recorded_requests_are_described_and_so_are_the_answers() -> None:
    for turn in of(*TASKS):
        body: Any = ROUTER.explain(typed(turn)).body
        task = TASKS[str(operation(turn))]
        assert task_errors(task, body) == [], turn
        if task == "text-generation" and turn.status < 300 and turn.body is not None:
            (answer,) = whole(turn)
            assert task_errors(task, answer, "output") == [], turn
