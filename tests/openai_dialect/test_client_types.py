"""The ``openai`` package's own models read every answer that we write in its dialect, and lose nothing of it."""

from __future__ import annotations

from typing import Any

import openai.types
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from jackfield import (
    ChatRequest,
    ChatResponse,
    EmbeddingResponse,
    FinishReason,
    LLMError,
    MediaPart,
    Message,
    ModelInfo,
    TextPart,
    Usage,
    replay,
)
from jackfield.testing import strategies as jf
from jackfield_dialect_openai import compat
from jackfield_dialect_openai.server import (
    ChunkRenderer,
    parse_chat_body,
    render_embeddings,
    render_models,
    render_response,
)
from support.recordings import WIRE
from support.speakers import SPEAKERS, said


def failed(response: ChatResponse) -> bool:
    """Whether the model failed: the dialect has no word for that, and an error is raised."""
    reasons = (response.finish_reason, *(a.finish_reason for a in response.alternatives))
    return FinishReason.ERROR in reasons


ANSWERS = jf.responses().filter(lambda response: not failed(response))


def chunks_of(events: list[Any]) -> list[dict[str, Any]]:
    renderer = ChunkRenderer(created=1, id="made", include_usage=True)
    return [*renderer.render(events), *renderer.close()]


def checked(response: ChatResponse) -> ChatCompletion:
    """The answer as the official model reads it, strictly; ours has the same fields."""
    wire = render_response(response, created=1, id="made")
    official = ChatCompletion.model_validate(wire, strict=True)
    assert official.to_dict() == wire
    assert compat.ChatCompletion(**wire).to_dict() == wire
    return official


@given(response=ANSWERS)
def test_an_answer_is_a_chat_completion(response: ChatResponse) -> None:
    official = checked(response)
    message = official.choices[0].message
    assert (message.content or "") == response.text
    assert [c.id for c in message.tool_calls or []] == [c.id for c in response.tool_calls]


@given(response=ANSWERS)
def test_a_stream_is_chunks_that_the_official_accumulator_puts_together(
    response: ChatResponse,
) -> None:
    state = ChatCompletionStreamState()
    for wire in chunks_of(replay(response)):
        chunk = ChatCompletionChunk.model_validate(wire, strict=True)
        assert chunk.to_dict() == wire
        assert compat.ChatCompletionChunk(**wire).to_dict() == wire
        state.handle_chunk(chunk)
    whole, plain = state.current_completion_snapshot, checked(response)
    assert whole.usage == plain.usage
    for streamed, choice in zip(whole.choices, plain.choices, strict=True):
        assert streamed.finish_reason == choice.finish_reason
        assert (streamed.message.content or "") == (choice.message.content or "")
        calls = [c.to_dict() for c in choice.message.tool_calls or []]
        told = [c.to_dict() for c in streamed.message.tool_calls or []]
        assert [_called(c) for c in told] == [_called(c) for c in calls]


def _called(call: Any) -> tuple[str, str, str]:
    return call["id"], call["function"]["name"], call["function"]["arguments"]


@given(events=jf.events())
def test_events_of_several_answers_are_chunks(events: list[Any]) -> None:
    told = [e for e in events if getattr(e, "finish_reason", None) is not FinishReason.ERROR]
    for wire in chunks_of(told):
        ChatCompletionChunk.model_validate(wire, strict=True)


def test_media_are_read() -> None:
    parts = [TextPart("Hi"), MediaPart("audio/wav", b"RIFF"), MediaPart("image/png", b"png")]
    response = ChatResponse(id="c", model="m", message=Message("assistant", parts))
    official = checked(response)
    assert official.choices[0].message.audio is not None
    for wire in chunks_of(replay(response)):
        ChatCompletionChunk.model_validate(wire, strict=True)


NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
VECTORS = st.lists(st.lists(NUMBERS, max_size=4).map(tuple), max_size=3).map(tuple)


@given(vectors=VECTORS, usage=jf.usages())
def test_vectors_are_a_create_embedding_response(vectors: Any, usage: Usage) -> None:
    wire = render_embeddings(EmbeddingResponse(model="m", vectors=vectors, usage=usage))
    official = openai.types.CreateEmbeddingResponse.model_validate(wire, strict=True)
    assert [tuple(row.embedding) for row in official.data] == list(vectors)
    assert official.to_dict() == wire == compat.CreateEmbeddingResponse(**wire).to_dict()


@given(
    models=st.lists(st.builds(ModelInfo, id=jf.texts(min_size=1), display_name=jf.texts())),
)
def test_models_are_models(models: list[ModelInfo]) -> None:
    wire = render_models(models, "me")
    official = [openai.types.Model.model_validate(m, strict=True) for m in wire["data"]]
    assert [m.id for m in official] == [m.id for m in models]
    assert [m.to_dict() for m in official] == compat.ModelList(**wire).to_dict()["data"]


@pytest.mark.wire
@pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}: set JACKFIELD_WIRE")
@pytest.mark.parametrize("way", SPEAKERS)
def test_recorded_answers_of_every_provider_are_read_and_go_back_as_they_were(way: str) -> None:
    for one in said(way):
        answer = one.answer
        if failed(answer):
            with pytest.raises(LLMError, match="the model failed"):
                render_response(answer, created=1)
            continue
        message = checked(answer).choices[0].message.to_dict()
        results = [{"role": "tool", "tool_call_id": c.id, "content": ""} for c in answer.tool_calls]
        body = {"model": "m", "messages": [message, *results, {"role": "user", "content": "And?"}]}
        request: ChatRequest = parse_chat_body(body).request
        heard = [p for p in answer.message.content if p != TextPart("")]
        assert list(request.messages[0].content) == heard, str(one)
        for wire in chunks_of(replay(answer)):
            ChatCompletionChunk.model_validate(wire, strict=True)
