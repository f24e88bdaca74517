"""Whatever is asked for, the bodies that are sent are as the services describe them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from jackfield import ChatRequest, EmbeddingRequest, MediaPart, TokenCountRequest, create_provider
from jackfield.operations import (
    CompletionRequest,
    FineTuneCreateRequest,
    ImageRequest,
    ModerationRequest,
    RerankRequest,
    SpeechRequest,
)
from jackfield.requests import Request
from jackfield.testing import strategies as jf
from support.specs import needs_specs, request_errors

pytestmark = needs_specs
settings.register_profile(
    "described", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
DESCRIBED = settings.get_profile("described")
TEXT = jf.texts(min_size=1)
OPENAI = create_provider("openai", {"api_key": "made-up-key-1234", "api": "responses"})
VENDORS = {
    "azure": ("azure", "/chat/completions"),
    "openrouter": ("openrouter", "/chat/completions"),
    "together": ("together", "/chat/completions"),
}


def body_of(request: Request[Any]) -> Any:
    """What OpenAI would be sent for *request*."""
    return OPENAI.explain(request).body


def errors(path: str, body: Any) -> list[str]:
    """What OpenAI's description says against *body*."""
    return request_errors("openai", "POST", f"/v1{path}", body, undeclared=True)


@given(request=jf.chat_requests(with_media=True))
@settings(DESCRIBED)
def test_a_response_is_asked_for_as_described(request: ChatRequest) -> None:
    assert errors("/responses", body_of(request)) == []


@given(request=jf.chat_requests())
@settings(DESCRIBED)
def test_tokens_are_counted_as_described(request: ChatRequest) -> None:
    counted = TokenCountRequest(model="m", messages=request.messages, tools=request.tools)
    assert errors("/responses/input_tokens", body_of(counted)) == []


@given(prompt=TEXT, params=jf.params(), suffix=st.none() | TEXT)
@settings(DESCRIBED)
def test_a_completion_is_asked_for_as_described(prompt: str, params: Any, suffix: Any) -> None:
    request = CompletionRequest(model="m", prompt=prompt, params=params, suffix=suffix)
    assert errors("/completions", body_of(request)) == []


@given(
    prompt=TEXT,
    n=st.integers(1, 10),
    size=st.sampled_from([None, "1024x1024", "1536x1024", "auto"]),
    quality=st.sampled_from([None, "low", "hd", "auto"]),
    background=st.sampled_from([None, "transparent", "opaque"]),
    output_format=st.sampled_from([None, "png", "jpeg", "webp"]),
)
@settings(DESCRIBED)
def test_images_are_asked_for_as_described(**fields: Any) -> None:
    assert errors("/images/generations", body_of(ImageRequest(model="gpt-image-1", **fields))) == []


@given(
    text=st.text(min_size=1, max_size=99),
    voice=st.sampled_from(["alloy", "nova"]),
    output_format=st.sampled_from([None, "mp3", "opus", "aac", "flac", "wav", "pcm"]),
    speed=st.none() | st.floats(0.25, 4),
    instructions=st.none() | st.text(max_size=99),
)
@settings(DESCRIBED)
def test_speech_is_asked_for_as_described(**fields: Any) -> None:
    assert errors("/audio/speech", body_of(SpeechRequest(model="gpt-4o-mini-tts", **fields))) == []


PICTURE = st.binary(min_size=1, max_size=9).map(lambda data: MediaPart("image/png", data))


@given(
    inputs=st.lists(TEXT, min_size=1, max_size=3) | st.lists(PICTURE | TEXT, min_size=2, max_size=3)
)
@settings(DESCRIBED)
def test_a_moderation_is_asked_for_as_described(inputs: Any) -> None:
    request = ModerationRequest(model="omni-moderation-latest", inputs=inputs)
    assert errors("/moderations", body_of(request)) == []


@given(
    suffix=st.none() | st.text(min_size=1, max_size=18), seed=st.none() | st.integers(0, 2**31 - 1)
)
@settings(DESCRIBED)
def test_a_fine_tuning_is_asked_for_as_it_is_documented(suffix: Any, seed: Any) -> None:
    """Its path is not in the description that there is: the fields are those of its page."""
    request = FineTuneCreateRequest(model="m", training_file="file-1", suffix=suffix, seed=seed)
    body = body_of(request)
    told = {"model": "m", "training_file": "file-1", "suffix": suffix, "seed": seed}
    assert body == {name: value for name, value in told.items() if value is not None}


@pytest.mark.parametrize("name", VENDORS)
@given(request=jf.chat_requests(with_media=True))
@settings(DESCRIBED)
def test_a_vendors_chat_is_as_it_describes_it(name: str, request: ChatRequest) -> None:
    spec, path = VENDORS[name]
    # Azure's description is older than the efforts of its newer models.
    assume(name != "azure" or request.params.reasoning_effort in (None, "low", "medium", "high"))
    base = {"base_url": "https://made-up.example"} if name == "azure" else {}
    provider = create_provider(name, {"api_key": "made-up-key-1234", **base})
    body = provider.explain(request).body
    if name == "together":
        # It has one shape for a call in an answer, a call that goes back and the choice of a tool.
        named = isinstance(body.get("tool_choice"), dict)
        assume(not named and not any(m.get("tool_calls") for m in body["messages"]))
    assert request_errors(spec, "POST", path, body) == []


@pytest.mark.parametrize("name", ["openrouter", "together"])
@given(
    query=TEXT,
    documents=st.lists(TEXT, min_size=1, max_size=4),
    top_n=st.none() | st.integers(1, 4),
)
@settings(DESCRIBED)
def test_a_vendors_ranking_is_as_it_describes_it(name: str, **fields: Any) -> None:
    provider = create_provider(name, {"api_key": "made-up-key-1234"})
    body = provider.explain(RerankRequest(model="m", **fields)).body
    assert request_errors(name, "POST", "/rerank", body) == []


@pytest.mark.parametrize("name", ["openrouter", "together"])
@given(inputs=st.lists(TEXT, min_size=1, max_size=4))
@settings(DESCRIBED)
def test_a_vendors_embeddings_are_as_it_describes_them(name: str, inputs: list[str]) -> None:
    provider = create_provider(name, {"api_key": "made-up-key-1234"})
    body = provider.explain(EmbeddingRequest(model="m", inputs=inputs)).body
    assert request_errors(name, "POST", "/embeddings", body) == []


@given(
    prompt=TEXT,
    n=st.integers(1, 4),
    size=st.sampled_from([None, "1024x768"]),
    seed=st.none() | st.integers(0, 999),
    negative_prompt=st.none() | TEXT,
)
@settings(DESCRIBED)
def test_togethers_images_are_as_it_describes_them(**fields: Any) -> None:
    provider = create_provider("together", {"api_key": "made-up-key-1234"})
    body = provider.explain(ImageRequest(model="black-forest-labs/FLUX.1-schnell", **fields)).body
    assert request_errors("together", "POST", "/images/generations", body) == []
