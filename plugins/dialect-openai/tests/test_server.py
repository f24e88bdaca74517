"""The dialect's server side agrees with its client side: what one writes, the other reads as the same values."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    CallWarning,
    ChatRequest,
    ChatResponse,
    Cost,
    EmbeddingRequest,
    EmbeddingResponse,
    FinishReason,
    InvalidRequestError,
    LLMError,
    MediaPart,
    Message,
    ModelInfo,
    ReasoningPart,
    RefusalPart,
    ServerError,
    StreamInterruptedError,
    StreamRestart,
    StreamStart,
    TextDelta,
    TextPart,
    ToolCall,
    ToolResult,
    Usage,
    errors,
    replay,
)
from jackfield.drivers.replay import Recorded
from jackfield.testing import strategies as jf
from jackfield_dialect_openai import GenericProvider
from jackfield_dialect_openai.server import (
    PARTS,
    ChunkRenderer,
    parse_chat_body,
    parse_embedding_body,
    render_embeddings,
    render_error,
    render_message,
    render_models,
    render_response,
)
from jackfield_dialect_openai.server.fields import FIELDS

NAME = "openai-compatible"
PROVIDER = GenericProvider({"base_url": "http://127.0.0.1:8080/v1"})
HI = [{"role": "user", "content": "Hi"}]


def written(request: Any, stream: bool = False) -> Any:
    """The body that our client side sends for *request*."""
    built = PROVIDER.build(PROVIDER.prepare(request, stream))
    return json.loads(built.body or b"")


def sayable(request: ChatRequest) -> ChatRequest:
    """*request* without what the dialect has no place for; the client side's own tests tell its warnings."""
    params = evolve(request.params, context_length=None)
    if not request.tools:
        params = evolve(params, parallel_tool_calls=None)
    messages = [
        evolve(
            m, content=[evolve(p, name=None) if isinstance(p, ToolResult) else p for p in m.content]
        )
        for m in request.messages
    ]
    choice = request.tool_choice if request.tools else "auto"
    return evolve(request, params=params, messages=tuple(messages), tool_choice=choice)


@given(request=jf.chat_requests(), stream=st.booleans())
def test_a_chat_is_read_as_the_request_it_was_written_for(
    request: ChatRequest, stream: bool
) -> None:
    asked = parse_chat_body(written(request, stream))
    assert asked.request == sayable(request)
    assert (asked.stream, asked.include_usage, asked.warnings) == (stream, stream, ())


@given(request=jf.chat_requests(with_media=True))
def test_a_chat_with_media_that_was_read_is_written_again_to_the_letter(
    request: ChatRequest,
) -> None:
    body = written(request)
    assert written(parse_chat_body(body).request) == body


OWN = st.fixed_dictionaries(
    {},
    optional={
        "user": jf.texts(min_size=1),
        "n": st.integers(1, 3),
        "logprobs": st.booleans(),
        "logit_bias": st.dictionaries(st.sampled_from("12"), st.integers(-100, 100)),
        "chat_template_kwargs": jf.json_objects(),
    },
)


@given(request=jf.chat_requests(), own=OWN)
def test_fields_of_the_dialect_alone_go_on_to_servers_of_the_dialect(
    request: ChatRequest, own: Any
) -> None:
    request = evolve(sayable(request), provider_options={NAME: own} if own else {})
    assert parse_chat_body(written(request), passes=[NAME]).request == request


@given(inputs=st.lists(jf.texts(), min_size=1, max_size=3), size=st.none() | st.integers(1, 9))
def test_vectors_are_asked_for_alike(inputs: list[str], size: int | None) -> None:
    request = EmbeddingRequest(model="m", inputs=inputs, dimensions=size)
    assert parse_embedding_body(written(request)).request == request


def assistant_parts() -> st.SearchStrategy[list[Any]]:
    """Parts of an answer, pictures and sounds among them."""
    media = st.builds(MediaPart, st.sampled_from(["image/png", "audio/wav"]), st.binary(min_size=1))
    linked = st.just(MediaPart("image/*", url="https://example.com/a.png"))
    return st.lists(jf.assistant_parts() | media | linked, max_size=5)


@given(parts=assistant_parts())
def test_an_answers_message_sent_back_is_the_same_value(parts: list[Any]) -> None:
    said = Message("assistant", [p for p in parts if p != TextPart("")])
    wire = json.loads(json.dumps(render_message(said)))
    calls = [{"role": "tool", "tool_call_id": c.id, "content": ""} for c in said.tool_calls]
    asked = parse_chat_body({"model": "m", "messages": [*HI, wire, *calls]})
    assert asked.request.messages[1] == said
    assert asked.warnings == ()


def test_only_what_the_dialect_cannot_say_has_its_parts_beside_it() -> None:
    plain = [
        ReasoningPart("Hm"),
        TextPart("Yes"),
        ToolCall("c", "f", "{}"),
        MediaPart("image/png", b"p"),
    ]
    assert PARTS not in render_message(Message("assistant", plain))
    assert PARTS in render_message(Message("assistant", [ReasoningPart("Hm", signature="s")]))


def test_a_message_that_was_changed_counts_as_it_is_and_the_caller_is_told() -> None:
    wire = render_message(
        Message("assistant", [ReasoningPart("Hm", signature="s"), TextPart("Yes")])
    )
    asked = parse_chat_body({"model": "m", "messages": [*HI, {**wire, "content": "No"}]})
    assert asked.request.messages[1].content == (ReasoningPart("Hm"), TextPart("No"))
    assert [w.kind for w in asked.warnings] == ["dropped"]


# Answers.


@st.composite
def spoken(draw: st.DrawFn) -> Message:
    """Messages whose parts the dialect can say, in its order."""
    parts: list[Any] = [ReasoningPart(t) for t in draw(st.lists(jf.texts(min_size=1), max_size=1))]
    parts += [TextPart(t) for t in draw(st.lists(jf.texts(min_size=1), max_size=1))]
    parts += [RefusalPart(t) for t in draw(st.lists(jf.texts(min_size=1), max_size=1))]
    arguments = draw(st.lists(jf.json_texts(), max_size=3))
    parts += [ToolCall(f"call_{i}", "look_up", a) for i, a in enumerate(arguments)]
    parts += draw(st.lists(st.just(MediaPart("image/png", b"png")), max_size=1))
    return Message("assistant", parts)


REASONS = ["stop", "length", "tool_calls", "content_filter"]


@st.composite
def answers(draw: st.DrawFn) -> ChatResponse:
    """Answers that the dialect can say whole."""
    word = draw(st.sampled_from(REASONS))
    cost = draw(
        st.just(Cost())
        | st.decimals(0, 9, places=4).map(lambda d: Cost(amount=d, source="provider"))
    )
    usage = draw(jf.usages())
    known = usage.input_tokens is not None
    return ChatResponse(
        id=draw(jf.texts(min_size=1)),
        model="m",
        message=draw(spoken()),
        finish_reason=FinishReason(word),
        raw_finish_reason=word,
        usage=usage,
        cost=cost if known else Cost(),
    )


def heard(response: ChatResponse) -> ChatResponse:
    """*response* without the wire's own words for its usage."""
    return evolve(response, usage=evolve(response.usage, raw={}))


@given(response=answers())
def test_an_answer_is_read_as_the_value_it_was_written_for(
    replayed: Any, response: ChatResponse
) -> None:
    wire = render_response(response, created=1)
    assert heard(replayed(wire).execute("m", "Hi")) == response


@given(response=answers())
def test_a_stream_is_read_as_the_value_it_was_written_for(
    replayed: Any, response: ChatResponse
) -> None:
    renderer = ChunkRenderer(created=1, include_usage=True)
    chunks = [*renderer.render(replay(response)), *renderer.close(), "[DONE]"]
    assert heard(replayed(chunks).stream_execute("m", "Hi").drain()) == response


@given(events=jf.events())
def test_chunks_say_what_the_events_say(events: list[Any]) -> None:
    events = [e for e in events if getattr(e, "finish_reason", None) is not FinishReason.ERROR]
    chunks = ChunkRenderer(created=1).render(events)
    deltas = [(c["index"], c["delta"]) for chunk in chunks for c in chunk["choices"]]
    said = "".join(d.get("content") or "" for at, d in deltas if at == 0)
    assert said == "".join(map(str, events))
    assert {c["id"] for c in chunks} == {events[0].id}
    assert all("usage" not in chunk for chunk in chunks)


@given(response=jf.responses())
def test_any_answer_can_be_written_as_json_with_every_warning(response: ChatResponse) -> None:
    reasons = {response.finish_reason, *(a.finish_reason for a in response.alternatives)}
    if FinishReason.ERROR in reasons:
        with pytest.raises(ServerError, match="the model failed"):
            render_response(response, created=1)
        return
    wire = json.loads(json.dumps(render_response(response, created=1, id="made")))
    assert wire["id"] == (response.id or "made")
    assert len(wire["choices"]) == 1 + len(response.alternatives)
    assert [CallWarning(**w) for w in wire.get("warnings", [])] == list(response.warnings)
    raw = response.raw_finish_reason
    assert raw in (
        None,
        wire["choices"][0]["finish_reason"],
        wire["choices"][0].get("native_finish_reason"),
    )


FAILED = ChatResponse(
    message=Message("assistant", "Half"),
    finish_reason=FinishReason.ERROR,
    raw_finish_reason="MALFORMED",
)


def test_a_model_that_failed_is_an_error() -> None:
    with pytest.raises(ServerError, match="MALFORMED") as caught:
        render_response(FAILED, created=1)
    assert (caught.value.status, caught.value.code) == (502, "MALFORMED")


def test_a_model_that_failed_in_a_stream_is_an_error_that_keeps_what_came() -> None:
    with pytest.raises(StreamInterruptedError, match="MALFORMED") as caught:
        ChunkRenderer(created=1).render(replay(FAILED))
    assert (caught.value.code, caught.value.partial_text) == ("MALFORMED", "Half")


def test_logprobs_and_citations_of_the_dialect_are_told(replayed: Any) -> None:
    logprobs = {
        "content": [{"token": "Hi", "logprob": -0.1, "bytes": [1], "top_logprobs": []}],
        "refusal": None,
    }
    cited = {
        "type": "url_citation",
        "url_citation": {
            "url": "https://example.com",
            "title": "",
            "start_index": 0,
            "end_index": 1,
        },
    }
    message = {"role": "assistant", "content": "Hi", "refusal": None, "annotations": [cited]}
    choice = {"index": 0, "message": message, "logprobs": logprobs, "finish_reason": "stop"}
    answer = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
    }
    answer |= {"system_fingerprint": "fp_1", "service_tier": "default"}
    read = replayed(answer).execute("m", "Hi")
    again = render_response(read, created=1)
    again["choices"][0]["message"].pop(PARTS, None)
    assert again == answer
    renderer = ChunkRenderer(created=1)
    chunks = [*renderer.render(replay(read)), "[DONE]"]
    assert replayed(chunks).stream_execute("m", "Hi").drain() == read


def test_a_new_beginning_is_no_matter_before_anything_was_said_and_an_error_after() -> None:
    start, restart = StreamStart(id="a", model="m"), StreamRestart(reason="a cut", provider="p")
    chunks = ChunkRenderer(created=1).render([start, restart, StreamStart(id="b"), TextDelta("Hi")])
    assert [c["id"] for c in chunks] == ["a", "b"]
    with pytest.raises(StreamInterruptedError, match="began anew after a cut") as caught:
        ChunkRenderer(created=1).render([start, TextDelta("Half"), restart])
    assert caught.value.provider == "p"


def test_counts_that_nobody_knows_are_told() -> None:
    response = ChatResponse(message=Message("assistant", "Hi"), usage=Usage(input_tokens=3))
    wire = render_response(response, created=1)
    assert (wire["usage"]["total_tokens"], wire["warnings"][0]["kind"]) == (3, "emulated")
    assert "usage" not in render_response(evolve(response, usage=Usage()), created=1)
    vectors = render_embeddings(EmbeddingResponse(vectors=((1.0,),)))
    assert vectors["warnings"][0]["subject"] == "usage"


# Embeddings, models, errors.

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(
    vectors=st.lists(st.lists(NUMBERS, min_size=1, max_size=4).map(tuple), min_size=1, max_size=3)
)
@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_vectors_are_read_as_they_were_written(replayed: Any, vectors: Any, encoding: Any) -> None:
    response = EmbeddingResponse(model="m", vectors=tuple(vectors), usage=Usage(input_tokens=2))
    read = replayed(render_embeddings(response, encoding)).embed("m", ["a"] * len(vectors))
    assert (read.vectors, read.model, read.usage.input_tokens) == (response.vectors, "m", 2)


MODELS = st.builds(
    ModelInfo,
    id=jf.texts(min_size=1),
    display_name=jf.texts(),
    context_window=st.none() | st.integers(1, 10**6),
    max_output_tokens=st.none() | st.integers(1, 10**6),
)


@given(models=st.lists(MODELS, max_size=3))
def test_models_are_read_as_they_were_written(replayed: Any, models: list[ModelInfo]) -> None:
    read = replayed(render_models(models, "me")).list_models()
    assert [evolve(m, provider_metadata={}) for m in read] == models


def kinds(kind: type[LLMError]) -> list[type[LLMError]]:
    return [kind, *(k for below in kind.__subclasses__() for k in kinds(below))]


TOLD = [
    k
    for k in kinds(errors.ProviderError)
    if k is not errors.ProviderError and k.__module__ == errors.__name__
]


@pytest.mark.parametrize("code", [None, "a_word_of_theirs"])
@pytest.mark.parametrize("kind", TOLD)
def test_an_error_is_read_as_the_class_it_was_written_for(
    replayed: Any, kind: type[LLMError], code: str | None
) -> None:
    error = kind("It did not work", code=code, param="model")
    told = json.dumps(render_error(error)).encode()
    provider = replayed(Recorded(status=error.http_status, chunks=[told]))
    with pytest.raises(LLMError) as caught:
        provider.execute("m", "Hi")
    assert type(caught.value) is kind
    assert (caught.value.message, caught.value.param) == ("It did not work", "model")


# Bad input.

BODIES: list[tuple[Any, str]] = [
    ([], "body"),
    ({"messages": HI}, "model"),
    ({"model": "", "messages": HI}, "model"),
    ({"model": "m"}, "messages"),
    ({"model": "m", "messages": "Hi"}, "messages"),
    ({"model": "m", "messages": [{"role": "wizard"}]}, "messages[0].role"),
    ({"model": "m", "messages": [*HI, {"role": "assistant", "content": 3}]}, "messages[1].content"),
    ({"model": "m", "messages": [*HI, {"role": "assistant", PARTS: [{"type": "x"}]}]}, f"messages[1].{PARTS}"),
    ({"model": "m", "messages": [*HI, {"role": "assistant", PARTS: 7}]}, f"messages[1].{PARTS}"),
    ({"model": "m", "messages": [*HI, {"role": "assistant", "audio": 7}]}, "messages[1].audio"),
    ({"model": "m", "messages": [*HI, {"role": "assistant", "images": [7]}]}, "messages[1].images"),
    ({"model": "m", "messages": [{"role": "tool", "tool_call_id": "c", "content": ""}]}, "messages[0]"),
    ({"model": "m", "messages": HI, "temperature": "hot"}, "temperature"),
    ({"model": "m", "messages": HI, "max_tokens": 1, "max_completion_tokens": 2}, "max_completion_tokens"),
    ({"model": "m", "messages": HI, "temprature": 1}, "temprature"),
    ({"model": "m", "messages": HI, "n": 2}, "n"),
    ({"model": "m", "messages": HI, "logprobs": True}, "logprobs"),
    ({"model": "m", "messages": HI, "stream": "yes"}, "stream"),
    ({"model": "m", "messages": HI, "stream_options": {"usage": True}}, "stream_options.usage"),
    ({"model": "m", "messages": HI, "stream_options": 1}, "stream_options"),
    ({"model": "m", "messages": HI, "metadata": "x"}, "metadata"),
    ({"model": "m", "messages": HI, "tools": [{"type": "web_search"}]}, "tools[0].type"),
    ({"model": "m", "messages": HI, "tools": "all"}, "tools"),
    ({"model": "m", "messages": HI, "tool_choice": "f"}, "tool_choice"),
    ({"model": "m", "messages": HI, "response_format": {"type": "xml"}}, "response_format"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "param"), BODIES)
def test_a_misshapen_chat_is_refused_with_where_and_what(body: Any, param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_chat_body(body)
    assert caught.value.param == param
    assert caught.value.phase == "build"
    assert param in caught.value.message


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "m"}, "input"),
        ({"model": "m", "input": []}, "input"),
        ({"model": "m", "input": [1, 2]}, "input[0]"),
        ({"model": "m", "input": "a", "encoding_format": "int8"}, "encoding_format"),
        ({"model": "m", "input": "a", "dimensions": 0}, "dimensions"),
        ({"model": "m", "input": "a", "dimension": 3}, "dimension"),
    ],
)
def test_misshapen_inputs_are_refused_with_where_and_what(body: Any, param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_embedding_body(body)
    assert caught.value.param == param


ANYTHING = st.dictionaries(st.sampled_from(sorted(FIELDS)), jf.json_values(), max_size=4)
PARTLY = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "system"]) | jf.json_values()},
    optional={
        name: jf.json_values() | st.lists(jf.json_objects(), max_size=2)
        for name in ("content", "tool_calls", "tool_call_id", "audio", "images", PARTS)
    },
)


@given(body=ANYTHING, messages=st.lists(PARTLY, max_size=2), passes=st.sampled_from([(), (NAME,)]))
def test_any_body_is_read_or_refused(body: Any, messages: Any, passes: Any) -> None:
    for given_body in (body, {"messages": messages, "model": "m", **body}):
        try:
            parse_chat_body(given_body, passes)
        except InvalidRequestError as error:
            assert error.param  # noqa: PT017  # refused or read: both are fine


def test_hints_are_dropped_with_a_warning_where_nobody_takes_them() -> None:
    body = {"model": "m", "messages": HI, "user": "me", "n": 1, "store": False, "logprobs": None}
    asked = parse_chat_body(body)
    assert asked.warnings == (CallWarning("unsupported", "user", "not sent"),)
    assert asked.request.provider_options == {}


def test_tools_of_a_server_of_the_dialect_go_to_it_as_they_are() -> None:
    function = {"type": "function", "function": {"name": "f"}}
    tools = [function, {"type": "custom", "custom": {"name": "c"}}]
    choice = {"type": "custom", "custom": {"name": "c"}}
    body = {"model": "m", "messages": HI, "tools": tools, "tool_choice": choice}
    request = parse_chat_body(body, passes=[NAME]).request
    sent = written(request)
    assert (sent["tools"], sent["tool_choice"]) == (tools, choice)


def test_metadata_is_for_middleware_and_goes_on_with_what_is_stored() -> None:
    body = {"model": "m", "messages": HI, "metadata": {"tags": ["a"]}}
    asked = parse_chat_body(body, passes=[NAME]).request
    assert (asked.metadata, asked.provider_options) == ({"tags": ["a"]}, {})
    stored = parse_chat_body({**body, "store": True}, passes=[NAME]).request
    assert stored.provider_options == {NAME: {"store": True, "metadata": {"tags": ["a"]}}}


def test_a_kept_file_is_asked_about_by_its_id() -> None:
    part = {"type": "file", "file": {"file_id": "file-1"}}
    body = {"model": "m", "messages": [{"role": "user", "content": [part, "What is it?"]}]}
    media, text = parse_chat_body(body).request.messages[0].content
    assert (media, text) == (MediaPart("application/pdf", url="file-1"), TextPart("What is it?"))
