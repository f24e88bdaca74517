"""Every body that the plugin builds is as Ollama's own description of its API says."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    ChatRequest,
    DeleteRequest,
    EmbeddingRequest,
    GenerationParams,
    ModelInfoRequest,
    PullRequest,
    Request,
    ToolChoice,
)
from jackfield.operations import CompletionRequest, LoadRequest, UnloadRequest
from jackfield.testing import strategies as jf
from jackfield_ollama import OllamaProvider
from support.specs import needs_specs, request_errors

pytestmark = needs_specs

OLLAMA = OllamaProvider({"base_url": "http://127.0.0.1:11434", "keep_alive": 300})
MODELS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1)


def errors(request: Request[Any], *, stream: bool = False) -> list[str]:
    """What Ollama's description has against the request that we build."""
    built = OLLAMA.build(OLLAMA.prepare(request, stream=stream))
    path = built.url.removeprefix("http://127.0.0.1:11434")
    body = json.loads(built.body or b"null")
    return request_errors("ollama", built.method, path, body, undeclared=True)


@settings(deadline=None)
@given(jf.chat_requests(with_media=True), st.booleans())
def test_any_chat_is_as_described(request: ChatRequest, stream: bool) -> None:
    assert errors(request, stream=stream) == []


@settings(deadline=None)
@given(jf.conversations(), jf.toolsets(), st.data())
def test_any_choice_among_tools_is_as_described(
    messages: Any, tools: Any, data: st.DataObject
) -> None:
    choices: list[ToolChoice] = ["auto", "none", "required", *(t.name for t in tools)]
    choice = data.draw(st.sampled_from(choices))
    request = ChatRequest(model="m", messages=messages, tools=tools, tool_choice=choice)
    assert errors(request) == []


@settings(deadline=None)
@given(MODELS, st.text(), st.none() | st.text(), jf.params(), st.booleans())
def test_any_prompt_is_as_described(
    model: str, prompt: str, suffix: str | None, params: GenerationParams, stream: bool
) -> None:
    request = CompletionRequest(model=model, prompt=prompt, suffix=suffix, params=params)
    assert errors(request, stream=stream) == []


@given(MODELS, st.none() | st.integers(1))
def test_loading_and_unloading_are_as_described(model: str, context: int | None) -> None:
    assert errors(LoadRequest(model=model, context_length=context)) == []
    assert errors(UnloadRequest(model=model)) == []


@given(MODELS, st.lists(st.text()), st.none() | st.integers(1), st.booleans())
def test_any_embedding_is_as_described(
    model: str, inputs: list[str], dimensions: int | None, strict: bool
) -> None:
    request = EmbeddingRequest(model=model, inputs=inputs, dimensions=dimensions, strict=strict)
    assert errors(request) == []


@given(MODELS, st.sampled_from([PullRequest, DeleteRequest, ModelInfoRequest]))
def test_what_is_asked_about_models_is_as_described(model: str, kind: Any) -> None:
    assert errors(kind(model=model)) == []


def test_the_validator_sees_what_is_wrong() -> None:
    wrong = ChatRequest(model="m", messages="Hi", provider_options={"ollama": {"think": "loudly"}})
    assert errors(wrong) != []
    odd = ChatRequest(model="m", messages="Hi", provider_options={"ollama": {"temprature": 1}})
    assert errors(odd) != []
