"""Every body that the plugin builds is as the official description has it."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from claude import traffic
from claude.calls import CALLS, Call
from claude.meaning import explained
from claude.reading import read
from claude.replays import asked, each, replaying
from jackfield import (
    ChatRequest,
    GenerationParams,
    MediaPart,
    Message,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    ResponseFormat,
    Role,
    TextPart,
    TokenCountRequest,
    ToolCall,
    ToolResult,
)
from jackfield.testing import strategies as jf
from support.calls import asked_for
from support.recordings import Turn
from support.specs import needs_specs, request_errors

pytestmark = needs_specs

MODELS = st.sampled_from(
    [
        "claude-3-haiku-20240307",
        "claude-sonnet-4-20250514",
        "claude-haiku-4-5",
        "claude-opus-4-8",
        "claude-of-tomorrow",
        "another-vendors-model",
    ]
)
OWN = st.sampled_from([{}, {"claude": {"cache_control": {"type": "ephemeral"}}}])
FOREIGN = st.one_of(
    st.builds(ReasoningPart, jf.texts(), st.none() | st.text("abc=", min_size=1)),
    st.builds(ReasoningPart, st.just(""), redacted=st.text("abc=", min_size=1)),
    st.builds(RefusalPart, jf.texts()),
    st.builds(ProviderPart, st.just("somebody-else"), jf.json_objects()),
    st.builds(TextPart, jf.texts(), provider_metadata=OWN),
    st.builds(ToolCall, jf.texts(), st.just("add"), jf.json_texts() | jf.texts()),
)
MEDIA = st.builds(
    MediaPart,
    st.sampled_from(
        ["image/png", "image/*", "image/bmp", "application/pdf", "text/csv", "audio/wav"]
    ),
    st.binary(min_size=1, max_size=9) | st.just(b"\x89PNG\r\n\x1a\n"),
    name=st.none() | jf.texts(min_size=1),
)
RESULTS = st.builds(
    ToolResult,
    jf.texts(),
    st.lists(st.builds(TextPart, jf.texts()) | MEDIA, max_size=3),
    st.booleans(),
)
STRANGE = st.lists(
    st.one_of(
        st.lists(FOREIGN, max_size=4).map(lambda parts: Message("assistant", parts)),
        st.lists(RESULTS, max_size=3).map(lambda parts: Message("tool", parts)),
        st.lists(MEDIA | st.builds(TextPart, jf.texts()), max_size=3).map(
            lambda parts: Message("user", parts)
        ),
        st.lists(MEDIA | st.builds(TextPart, jf.texts()), max_size=2).map(
            lambda parts: Message("system", parts)
        ),
    ),
    max_size=5,
).map(asked_for)
OPTIONS = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


def errors(body: dict[str, Any], path: str = "/v1/messages") -> list[str]:
    """What the description says is wrong with *body*."""
    return request_errors("anthropic", "POST", path, body, undeclared=True)


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_the_bodies_of_the_witnessed_calls_are_as_described(call: Call) -> None:
    tools = [t for t in call.options.get("tools", ()) if "parameters" in t]
    options = {**call.options, "tools": tools}
    plan = replaying().explain(call.model, call.prompt, call.parameters, **options)
    assert errors(plan.body, "/v1/messages?beta=true" if call.betas else "/v1/messages") == []


@OPTIONS
@given(model=MODELS, request=jf.chat_requests(with_media=True))
def test_any_usual_request_has_a_body_as_described(model: str, request: ChatRequest) -> None:
    said = [p for m in request.messages if m.role is not Role.SYSTEM for p in m.content]
    assume(any(getattr(part, "text", "not a text").strip() for part in said))
    assert errors(replaying().explain(evolve(request, model=model)).body) == []


@OPTIONS
@given(
    model=MODELS,
    said=STRANGE,
    params=jf.params(),
    form=st.none() | jf.response_formats(),
    tools=jf.toolsets(),
)
def test_whatever_is_in_a_conversation_its_body_is_as_described(
    model: str, said: list[Message], params: GenerationParams, form: ResponseFormat, tools: Any
) -> None:
    messages = [*said, Message("user", "Go on")]
    request = ChatRequest(
        model=model, messages=messages, params=params, response_format=form, tools=tools
    )
    assert errors(replaying().explain(request).body) == []


@OPTIONS
@given(said=STRANGE, tools=jf.toolsets())
def test_whatever_is_counted_its_body_is_as_described(said: list[Message], tools: Any) -> None:
    messages = [*said, Message("user", "Go on")]
    request = TokenCountRequest(model="a-model", messages=messages, tools=tools)
    body = replaying().explain(request).body
    assert errors(body, "/v1/messages/count_tokens") == []


@pytest.mark.wire
@each([t for t in traffic.of(traffic.CHAT) if isinstance(t.body, dict) and read(t).answered])
def test_a_recorded_request_is_no_less_as_described_when_we_send_it(turn: Turn) -> None:
    plan = replaying().explain(asked(turn))
    wire = {k: v for k, v in turn.body.items() if k != "stream"}
    leave = explained(plan.warnings)
    ours = [e for e in errors(plan.body) if not any(e.startswith(f"$.{f}") for f in leave)]
    assert len(ours) <= len(errors(wire))
