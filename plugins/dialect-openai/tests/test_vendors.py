"""What single vendors do otherwise is read as what it means: custom tools, ends, costs, lists, errors."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    ContextLengthExceededError,
    InvalidRequestError,
    Message,
    ServerError,
    StreamInterruptedError,
    ToolResult,
)
from jackfield.drivers.replay import Recorded
from jackfield.testing import strategies as jf

NAME = "openai-compatible"


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"id": "c", "choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


def interrupted(provider: Any) -> StreamInterruptedError:
    with pytest.raises(StreamInterruptedError) as caught:
        provider.stream_execute("m", "Hi").drain()
    return caught.value


@given(text=jf.texts(), cut=st.integers(0, 20))
def test_a_custom_tool_gets_free_text_whole_streamed_and_back(
    replayed: Any, body_of: Any, text: str, cut: int
) -> None:
    pieces = [{"name": "shell", "input": text[:cut]}, {"input": text[cut:]}]
    chunks: list[Any] = [
        delta(tool_calls=[{"index": 0, "custom": p, **({"id": "a"} if n == 0 else {})}])
        for n, p in enumerate(pieces)
    ]
    call = {"id": "a", "type": "custom", "custom": {"name": "shell", "input": text}}
    choice = {"index": 0, "message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}
    provider = replayed([*chunks, delta("tool_calls"), "[DONE]"], {"id": "c", "choices": [choice]})
    streamed = provider.stream_execute("m", "Hi").drain()
    assert streamed == provider.execute("m", "Hi")
    (asked,) = streamed.tool_calls
    assert (asked.id, asked.name, json.loads(asked.arguments)) == ("a", "shell", {"input": text})
    again = replayed({"id": "d", "choices": [choice]})
    again.execute(
        "m", [Message("user", "Hi"), streamed.message, Message("tool", ToolResult("a", "done"))]
    )
    assert body_of(again)["messages"][1]["tool_calls"] == [call]


def test_a_terminator_is_no_end_for_half_a_call(replayed: Any) -> None:
    half = {"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x": 1'}}
    rest = {"index": 0, "function": {"arguments": "}"}}
    error = interrupted(replayed([delta(content="Hm"), delta(tool_calls=[half]), "[DONE]"]))
    assert error.partial is not None
    assert (error.partial.text, error.partial.tool_calls) == ("Hm", ())
    chunks = [delta(tool_calls=[half]), delta(tool_calls=[rest]), "[DONE]"]
    (call,) = replayed(chunks).stream_execute("m", "Hi").drain().tool_calls
    assert json.loads(call.arguments) == {"x": 1}


@pytest.mark.parametrize("word", ["error", "abort", "insufficient_system_resource"])
def test_an_answer_that_its_server_gave_up_is_no_success(replayed: Any, word: str) -> None:
    error = interrupted(replayed([delta(content="Hel"), delta(word), "[DONE]"]))
    assert error.partial_text == "Hel"
    assert isinstance(error.__cause__, ServerError)
    assert word in str(error)


@pytest.mark.parametrize("data", [{"detail": "boom"}, {"message": "boom", "code": 503}])
def test_a_chunk_that_only_explains_is_an_error(replayed: Any, data: Any) -> None:
    error = interrupted(replayed([delta(content="Hel"), data, delta("stop"), "[DONE]"]))
    assert error.partial_text == "Hel"
    assert "boom" in str(error)


def test_groqs_reason_to_stop_counts_beside_usage_too(replayed: Any) -> None:
    told = {**delta("stop"), "usage": {"prompt_tokens": 1}, "x_groq": {"error": "over_capacity"}}
    assert "over_capacity" in str(interrupted(replayed([delta(content="Hel"), told])))


@pytest.mark.parametrize("number", [int, float])
def test_whole_numbers_may_have_a_point(replayed: Any, number: Any) -> None:
    call = {"index": number(0), "id": "a", "function": {"name": "f", "arguments": "{}"}}
    chunk = delta("tool_calls", tool_calls=[call])
    chunk["choices"][0]["index"] = number(0)
    answer = replayed([chunk]).stream_execute("m", "Hi").drain()
    assert [c.name for c in answer.tool_calls] == ["f"]
    assert answer.alternatives == ()


def test_answers_without_an_index_are_told_apart_by_their_place(replayed: Any) -> None:
    choices = [{"message": {"content": text}, "finish_reason": "stop"} for text in "ab"]
    answer = replayed({"id": 7, "choices": choices}).execute("m", "Hi")
    assert answer.id == "7"
    assert [answer.text, *(a.message.text for a in answer.alternatives)] == ["a", "b"]


def test_sound_is_counted_apart(replayed: Any) -> None:
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 8,
        "prompt_tokens_details": {"audio_tokens": 5},
        "completion_tokens_details": {"audio_tokens": 4},
    }
    choice = {"message": {"content": "x"}, "finish_reason": "stop"}
    told = replayed({"id": "c", "choices": [choice], "usage": usage}).execute("m", "Hi").usage
    assert (told.audio_input_tokens, told.audio_output_tokens) == (5, 4)


@given(ticks=st.integers(0, 10**14))
def test_a_cost_in_ticks_is_exact(replayed: Any, ticks: int) -> None:
    choice = {"message": {"content": "x"}, "finish_reason": "stop"}
    body = {"id": "c", "choices": [choice], "usage": {"cost_in_usd_ticks": ticks}}
    cost = replayed(body).execute("m", "Hi").cost
    assert (cost.amount, cost.source) == (Decimal(ticks).scaleb(-10), "provider")


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (400, "This model's maximum context length is 10 tokens.", ContextLengthExceededError),
        (400, "prompt too long; exceeded max context length by 3", ContextLengthExceededError),
        (422, "`inputs` tokens + `max_new_tokens` must be <= 5", ContextLengthExceededError),
        (400, "litellm.ContextWindowExceededError: too much", ContextLengthExceededError),
        (400, "no such role", InvalidRequestError),
    ],
)
def test_that_a_text_is_too_long_may_be_told_in_words(
    replayed: Any, status: int, said: str, kind: Any
) -> None:
    body = json.dumps({"error": {"message": said, "code": None}}).encode()
    with pytest.raises(InvalidRequestError, match=re.escape(said)) as caught:
        replayed(Recorded(status=status, chunks=[body])).execute("m", "Hi")
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.message) == (status, said)


def test_a_model_may_go_by_its_name_and_its_limits_stand_with_who_serves_it(replayed: Any) -> None:
    served = {"id": "a", "top_provider": {"max_completion_tokens": 50}}
    models = replayed({"data": [{"name": "b"}, served]}).list_models()
    assert [m.id for m in models] == ["b", "a"]
    assert [m.max_output_tokens for m in models] == [None, 50]
