"""Every body that the plugin builds is as the official description has it."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cohere_wire.meaning import explained
from cohere_wire.replays import replaying
from cohere_wire.traffic import each, of
from cohere_wire.typed import typed
from jackfield import (
    ChatRequest,
    EmbeddingRequest,
    GenerationParams,
    InvalidRequestError,
    MediaPart,
    Message,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    ResponseFormat,
    TextPart,
    ToolCall,
    ToolResult,
)
from jackfield.operations import CompletionRequest, RerankRequest
from jackfield.testing import strategies as jf
from support.calls import asked_for
from support.recordings import Turn
from support.specs import needs_specs, request_errors

pytestmark = needs_specs

OPTIONS = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
PLAN = {"cohere": {"type": "tool_plan"}}
FOREIGN = st.one_of(
    st.builds(ReasoningPart, jf.texts(), st.none() | st.text("abc=", min_size=1)),
    st.builds(ReasoningPart, jf.texts(min_size=1), provider_metadata=st.just(PLAN)),
    st.builds(ReasoningPart, st.just(""), redacted=st.text("abc=", min_size=1)),
    st.builds(RefusalPart, jf.texts()),
    st.builds(ProviderPart, st.just("somebody-else"), jf.json_objects()),
    st.builds(TextPart, jf.texts()),
    st.builds(ToolCall, jf.texts(), st.just("add"), jf.json_texts() | jf.texts()),
)
MEDIA = st.builds(
    MediaPart,
    st.sampled_from(
        ["image/png", "image/*", "image/bmp", "application/pdf", "text/csv", "application/json"]
    ),
    st.binary(min_size=1, max_size=9) | st.sampled_from([b"\x89PNG\r\n\x1a\n", b'{"a": 1}']),
    name=st.none() | jf.texts(min_size=1),
)
RESULTS = st.builds(
    ToolResult,
    jf.texts(),
    st.lists(st.builds(TextPart, jf.texts()) | MEDIA, max_size=3),
    st.booleans(),
)
SAID = st.lists(MEDIA | st.builds(TextPart, jf.texts()), max_size=3)
STRANGE = st.lists(
    st.one_of(
        st.lists(FOREIGN, max_size=4).map(lambda parts: Message("assistant", parts)),
        st.lists(RESULTS, max_size=3).map(lambda parts: Message("tool", parts)),
        SAID.map(lambda parts: Message("user", parts)),
        SAID.map(lambda parts: Message("system", parts)),
    ),
    max_size=5,
).map(asked_for)


def errors(body: dict[str, Any], path: str = "/v2/chat") -> list[str]:
    """What the description says is wrong with *body*."""
    return request_errors("cohere", "POST", path, body, undeclared=True)


@OPTIONS
@given(request=jf.chat_requests(with_media=True))
def test_any_usual_request_has_a_body_as_described(request: ChatRequest) -> None:
    assume(any(message.text for message in request.messages))
    assert errors(replaying().explain(evolve(request, model="a-model")).body) == []


@OPTIONS
@given(
    said=STRANGE, params=jf.params(), form=st.none() | jf.response_formats(), tools=jf.toolsets()
)
def test_whatever_is_in_a_conversation_its_body_is_as_described(
    said: list[Message], params: GenerationParams, form: ResponseFormat, tools: Any
) -> None:
    messages = [*said, Message("user", "Go on")]
    request = ChatRequest(
        model="a-model", messages=messages, params=params, response_format=form, tools=tools
    )
    assert errors(replaying().explain(request).body) == []


@OPTIONS
@given(said=STRANGE, params=jf.params(), tools=jf.toolsets())
def test_a_chat_of_version_1_is_as_described(
    said: list[Message], params: GenerationParams, tools: Any
) -> None:
    messages = [*said, Message("user", "Go on")]
    own = {"cohere": {"api": "v1"}}
    request = ChatRequest(
        model="a-model", messages=messages, params=params, tools=tools, provider_options=own
    )
    assert errors(replaying().explain(request).body, "/v1/chat") == []


@OPTIONS
@given(prompt=jf.texts(min_size=1), params=jf.params())
def test_a_completion_is_as_described(prompt: str, params: GenerationParams) -> None:
    request = CompletionRequest(model="a-model", prompt=prompt, params=params)
    assert errors(replaying().explain(request).body, "/v1/generate") == []


@OPTIONS
@given(texts=st.lists(jf.texts(), min_size=1, max_size=4), size=st.none() | st.integers(1, 2000))
def test_embeddings_and_rankings_are_asked_for_as_described(texts: list[str], size: Any) -> None:
    embed = EmbeddingRequest(model="a-model", inputs=texts, dimensions=size)
    assert errors(replaying().explain(embed).body, "/v2/embed") == []
    rank = RerankRequest(model="a-model", query="birds", documents=texts, top_n=size)
    assert errors(replaying().explain(rank).body, "/v2/rerank") == []


@pytest.mark.wire
@each(
    [t for t in of("chat", "chat v1", "embed", "rerank", "tokenize") if t.body and t.status < 300]
)
def test_a_recorded_request_is_no_less_as_described_when_we_send_it(turn: Turn) -> None:
    plan = replaying().explain(typed(turn))
    leave = explained(plan.warnings)
    theirs = {k: v for k, v in turn.body.items() if v is not None and k != "stream"}
    ours = [e for e in errors(plan.body, turn.path) if not any(f in e for f in leave)]
    assert len(ours) <= len(errors(theirs, turn.path))


def test_what_says_nothing_is_refused_before_sending() -> None:
    silent = [Message("assistant", []), Message("system", [ProviderPart("somebody-else", {})])]
    with pytest.raises(InvalidRequestError, match="nothing is left to send"):
        replaying().explain(ChatRequest(model="a-model", messages=silent))


def test_the_judge_finds_what_is_wrong() -> None:
    said = [{"role": "user", "content": [{"type": "a new one"}]}]
    assert errors({"model": "m", "messages": said}) != []
    assert errors({"model": "m", "messages": [], "unheard_of": 1}) != []
