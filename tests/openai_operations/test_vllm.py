"""What vLLM is asked beside chats is as its own description of its server says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jackfield import ChatRequest, Message, TokenCountRequest, create_provider
from jackfield.operations import (
    CompletionRequest,
    DetokenizeRequest,
    RerankRequest,
    TokenizeRequest,
)
from jackfield.params import parse_params
from jackfield.requests import Request
from jackfield.testing import strategies as jf
from jackfield_vllm import ScoreRequest
from openai_dialect.asking import PARAMETERS
from openai_operations.scope import inside
from support.recordings import Turn
from support.specs import needs_specs, request_errors

pytestmark = needs_specs
settings.register_profile(
    "described", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
SENT_ANYHOW = ("stream", "stream_options")
DESCRIBED = settings.get_profile("described")
TEXT = jf.texts(min_size=1)
VLLM = create_provider("vllm", {"base_url": "http://127.0.0.1:8000/v1"})


def errors(request: Request[Any]) -> list[str]:
    """What vLLM's description says against what it would be sent for *request*."""
    plan = VLLM.explain(request)
    path = plan.url.removeprefix("http://127.0.0.1:8000")
    return request_errors("vllm", plan.method, path, plan.body, undeclared=True)


@given(prompt=TEXT, params=jf.params(), suffix=st.none() | TEXT)
@settings(DESCRIBED)
def test_a_completion_is_asked_for_as_described(**fields: Any) -> None:
    assert errors(CompletionRequest(model="m", **fields)) == []


@given(query=TEXT, documents=st.lists(TEXT, min_size=1), top_n=st.none() | st.integers(1, 4))
@settings(DESCRIBED)
def test_a_ranking_is_asked_for_as_described(**fields: Any) -> None:
    assert errors(RerankRequest(model="m", **fields)) == []


@given(first=TEXT | st.lists(TEXT, min_size=1), second=TEXT | st.lists(TEXT, min_size=1))
@settings(DESCRIBED)
def test_scores_are_asked_for_as_described(**fields: Any) -> None:
    assert errors(ScoreRequest(model="m", **fields)) == []


@given(text=st.text(), ids=st.lists(st.integers(0, 2**18)))
@settings(DESCRIBED)
def test_tokens_are_asked_for_as_described(text: str, ids: list[int]) -> None:
    assert errors(TokenizeRequest(model="m", text=text)) == []
    assert errors(DetokenizeRequest(model="m", ids=ids)) == []


@given(request=jf.chat_requests(with_media=True))
@settings(DESCRIBED)
def test_tokens_of_a_conversation_are_counted_as_described(request: ChatRequest) -> None:
    counted = TokenCountRequest(model="m", messages=request.messages, tools=request.tools)
    assert errors(counted) == []


GUIDES = st.sampled_from(
    [
        {"regex": "[A-Z][a-z]+"},
        {"choice": ["joy", "sadness"]},
        {"json": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        {"grammar": 'root ::= "yes" | "no"'},
        {"json_object": True},
    ]
)


@given(guide=GUIDES, request=jf.chat_requests())
@settings(DESCRIBED)
def test_guided_decoding_goes_along_as_described(guide: Any, request: ChatRequest) -> None:
    own = {"vllm": {"structured_outputs": guide, "include_reasoning": False}}
    asked = ChatRequest(model="m", messages=request.messages, provider_options=own)
    assert VLLM.explain(asked).body["structured_outputs"] == guide
    assert errors(asked) == []
    assert errors(CompletionRequest(model="m", prompt="x", provider_options=own)) == [
        "$: Unevaluated properties are not allowed ('include_reasoning' was unexpected)"
    ]


@pytest.mark.wire
@pytest.mark.parametrize(
    "turn", [t for t in inside("completions") if t.provider == "vllm"] or [None], ids=str
)
def test_a_recorded_completion_is_asked_for_again(turn: Turn | None) -> None:
    if turn is None:
        pytest.skip("no recordings: set JACKFIELD_WIRE")
    given = {k: v for k, v in turn.body.items() if v is not None and k not in SENT_ANYHOW}
    own = given.pop("extra_body", {})  # where the recorder kept the fields of vLLM's own
    named = {k: PARAMETERS[k][0] for k in given if k in PARAMETERS}
    own |= {k: v for k, v in given.items() if k not in {*named, "model", "prompt"}}
    prompt = given["prompt"] if isinstance(given["prompt"], str) else given["prompt"][0]
    request = CompletionRequest(
        model=given["model"],
        prompt=prompt,
        params=parse_params({named[k]: given[k] for k in named}),
        provider_options={"vllm": own},
    )
    expected = {k: v for k, v in given.items() if k in named} | own
    assert VLLM.explain(request).body == {**expected, "model": given["model"], "prompt": prompt}


def test_a_question_about_an_answers_form_is_as_described() -> None:
    plan = VLLM.explain("m", [Message("user", "Hi")], None, response_format={"type": "json_object"})
    assert request_errors("vllm", "POST", "/v1/chat/completions", plan.body, undeclared=True) == []
