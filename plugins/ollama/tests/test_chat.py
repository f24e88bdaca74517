"""What becomes of Ollama's chat answers, whole and streamed, whatever pieces they come in."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    ChatResponse,
    FinishReason,
    InvalidRequestError,
    LLMError,
    MediaPart,
    NotFoundError,
    OverloadedError,
    ProviderError,
    RateLimitError,
    ResponseFormatError,
    ServerError,
    StreamInterruptedError,
    Usage,
    fold,
)
from jackfield.drivers.replay import Recorded
from jackfield_ollama import OllamaProvider

Replayed = Callable[..., OllamaProvider]
Json = dict[str, Any]

DATE = "2026-01-02T03:04:05.678901Z"
END: Json = {
    "model": "pelican:latest",
    "created_at": DATE,
    "message": {"role": "assistant", "content": ""},
    "done": True,
    "done_reason": "stop",
    "total_duration": 9,
    "prompt_eval_count": 12,
    "eval_count": 34,
}


def line(**message: Any) -> Json:
    message = {"role": "assistant", "content": "", **message}
    return {"model": "pelican:latest", "created_at": DATE, "message": message, "done": False}


def call(name: str, arguments: Any, **more: Any) -> Json:
    return {"function": {"name": name, "arguments": arguments}, **more}


def whole(**message: Any) -> Json:
    return {**END, "message": {"role": "assistant", "content": "", **message}}


def execute(replayed: Replayed, answer: Any) -> ChatResponse:
    return replayed(answer).execute("pelican", "Hi")


def test_a_whole_answer_is_text_thinking_calls_and_usage(replayed: Replayed) -> None:
    asked = call("get_weather", {"city": "Paris"}, id="call_7")
    answer = execute(replayed, whole(content="Hello.", thinking="Hm.", tool_calls=[asked]))
    assert (answer.text, answer.reasoning, answer.model) == ("Hello.", "Hm.", "pelican:latest")
    (found,) = answer.tool_calls
    assert (found.id, found.name) == ("call_7", "get_weather")
    assert json.loads(found.arguments) == {"city": "Paris"}
    assert answer.usage == Usage(
        input_tokens=12, output_tokens=34, raw={"prompt_eval_count": 12, "eval_count": 34}
    )
    assert answer.provider_metadata == {"ollama": {"created_at": DATE, "total_duration": 9}}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("stop", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("load", FinishReason.OTHER),
        ("unload", FinishReason.OTHER),
        ("a word of tomorrow", FinishReason.OTHER),
        (None, FinishReason.OTHER),
    ],
)
def test_a_finish_reason_keeps_both_words(
    replayed: Replayed, raw: str | None, reason: FinishReason
) -> None:
    answer = execute(replayed, {**whole(content="x"), "done_reason": raw})
    assert (answer.finish_reason, answer.raw_finish_reason) == (reason, raw)


def test_an_answer_with_calls_ends_for_them_although_ollama_says_stop(replayed: Replayed) -> None:
    answer = execute(replayed, whole(tool_calls=[call("one", {})]))
    assert (answer.finish_reason, answer.raw_finish_reason) == (FinishReason.TOOL_CALLS, "stop")
    cut = execute(replayed, {**whole(tool_calls=[call("one", {})]), "done_reason": "length"})
    assert cut.finish_reason is FinishReason.LENGTH


def test_counts_that_are_not_there_are_unknown_and_not_zero(replayed: Replayed) -> None:
    bare = {k: v for k, v in whole(content="x").items() if not k.endswith("_count")}
    assert execute(replayed, bare).usage == Usage()
    measured = execute(replayed, {**bare, "prompt_eval_count": 0, "eval_count": 0}).usage
    assert (measured.input_tokens, measured.output_tokens) == (0, 0)


def test_calls_without_ids_get_ids_of_their_own_that_stay(replayed: Replayed) -> None:
    answer = whole(tool_calls=[call("one", {}), call("one", {}), call("two", {})])
    first, again = (execute(replayed, answer).tool_calls for _ in range(2))
    assert [c.id for c in first] == [c.id for c in again]
    assert len({c.id for c in first}) == 3
    later = execute(replayed, {**answer, "created_at": "2026-01-02T03:05:00Z"}).tool_calls
    assert {c.id for c in first} & {c.id for c in later} == set()


def test_two_calls_of_one_id_are_told_apart(replayed: Replayed) -> None:
    answer = execute(replayed, whole(tool_calls=[call("one", {}, id="x"), call("two", {}, id="x")]))
    first, second = answer.tool_calls
    assert first.id == "x"
    assert second.id not in {"", "x"}


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        ('{"n": 1.0, "big": 123456789012345678901234567890}', None),
        ("null", "{}"),
        ('"{\\"a\\": 1}"', '{"a": 1}'),
        ('""', "{}"),
    ],
)
def test_arguments_are_the_text_that_the_server_wrote(
    replayed: Replayed, wire: str, text: str | None
) -> None:
    marked = json.dumps(whole(tool_calls=[call("one", "MARK")])).replace('"MARK"', wire)
    (found,) = execute(replayed, marked.encode()).tool_calls
    assert found.arguments == (wire if text is None else text)


def test_an_image_in_an_answer_is_a_media_part(replayed: Replayed) -> None:
    image = "iVBORw0KGgo="
    answer = execute(replayed, whole(content="Look:", images=[image, image]))
    parts = [p for p in answer.message.content if isinstance(p, MediaPart)]
    assert [p.media_type for p in parts] == ["image/png", "image/png"]


def test_log_probabilities_are_kept(replayed: Replayed) -> None:
    lines = [{**line(content=t), "logprobs": [{"token": t, "logprob": -1}]} for t in "ab"]
    with replayed([*lines, END]).stream_execute("pelican", "Hi") as stream:
        about = stream.drain().provider_metadata["ollama"]
    assert [p["token"] for p in about["logprobs"]] == ["a", "b"]


# Streams.

MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "content": st.text(),
        "thinking": st.text(),
        "tool_calls": st.lists(
            st.builds(call, st.text(min_size=1), st.dictionaries(st.text(), st.integers()))
        ),
    },
)


def cut(payload: bytes, at: list[int]) -> Recorded:
    places = sorted({0, len(payload), *(i % (len(payload) + 1) for i in at)})
    return Recorded(chunks=[payload[a:b] for a, b in pairwise(places)])


@given(st.lists(MESSAGES), st.lists(st.integers(0, 10_000)), st.booleans())
def test_a_stream_in_any_pieces_folds_to_what_its_lines_say(
    replayed: Replayed, messages: list[Json], at: list[int], newline: bool
) -> None:
    lines = [*(line(**m) for m in messages), END]
    payload = b"\n".join(json.dumps(x).encode() for x in lines) + b"\n" * newline
    stream = replayed(cut(payload, at)).stream_execute("pelican", "Hi")
    events = list(stream)
    answer = stream.response
    assert fold(events) == answer
    assert "".join(map(str, events)) == answer.text
    assert answer.text == "".join(m.get("content", "") for m in messages)
    assert answer.reasoning == "".join(m.get("thinking", "") for m in messages)
    asked = [c["function"] for m in messages for c in m.get("tool_calls", ())]
    assert [
        {"name": c.name, "arguments": json.loads(c.arguments)} for c in answer.tool_calls
    ] == asked
    assert len({c.id for c in answer.tool_calls}) == len(asked)


@given(MESSAGES)
def test_a_whole_answer_and_a_stream_of_it_are_the_same(replayed: Replayed, message: Json) -> None:
    answer = whole(**message)
    streamed = replayed([answer]).stream_execute("pelican", "Hi").drain()
    assert streamed == execute(replayed, answer)


@given(st.data())
def test_a_stream_cut_anywhere_is_an_interruption_with_what_had_come(
    replayed: Replayed, data: st.DataObject
) -> None:
    lines = [line(thinking="Hm."), line(content="Once "), line(content="upon."), END]
    payload = b"".join(json.dumps(x).encode() + b"\n" for x in lines)
    # The last line without its newline is whole.
    end = data.draw(st.integers(0, len(payload) - 2))
    stream = replayed(Recorded(chunks=[payload[:end]])).stream_execute("pelican", "Hi")
    seen = []
    with pytest.raises(StreamInterruptedError) as caught:
        seen += [str(event) for event in stream]
    error = caught.value
    assert error.partial_text == "Once upon."[: len(error.partial_text)]
    assert (error.provider, error.model, error.phase) == ("ollama", "pelican", "stream")


def test_what_follows_the_end_is_not_read(replayed: Replayed) -> None:
    late = line(content="late")
    answer = replayed([line(content="x"), END, late]).stream_execute("pelican", "Hi").drain()
    assert answer.text == "x"


def test_unknown_fields_and_odd_lines_are_tolerated(replayed: Replayed) -> None:
    lines = [{"new": {"a": 1}}, {**line(content="x"), "future": [1]}, END]
    assert replayed(lines).stream_execute("pelican", "Hi").drain().text == "x"


# Errors.


def test_an_error_line_after_text_is_an_interruption_that_knows_why(replayed: Replayed) -> None:
    lines = [line(content="Once"), {"error": "model runner has unexpectedly stopped"}]
    with pytest.raises(StreamInterruptedError, match="unexpectedly stopped") as caught:
        replayed(lines).stream_execute("pelican", "Hi").drain()
    assert caught.value.partial_text == "Once"
    assert isinstance(caught.value.__cause__, ProviderError)


def test_an_error_line_before_anything_is_the_providers_error(replayed: Replayed) -> None:
    with pytest.raises(ProviderError, match="stopped"):
        replayed([{"error": "stopped"}]).stream_execute("pelican", "Hi").drain()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequestError),
        (404, NotFoundError),
        (429, RateLimitError),
        (500, ServerError),
        (502, ServerError),
        (503, OverloadedError),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_a_status_has_its_class_and_the_servers_words(
    replayed: Replayed, status: int, kind: type[LLMError], stream: bool
) -> None:
    answer = Recorded(status=status, chunks=[b'{"error": "so it is"}'])
    provider = replayed(answer)
    request = provider.chat_request("pelican", "Hi")
    ask = provider.stream(request).drain if stream else lambda: provider.run(request)
    with pytest.raises(kind, match="so it is") as caught:
        ask()
    assert (caught.value.status, caught.value.model) == (status, "pelican")


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"done": True},
        {**END, "done": False},
        {k: v for k, v in END.items() if k != "done"},
        b"<html>Welcome</html>",
        b"",
        [line(content="x"), END],
        {**END, "message": "text"},
    ],
)
def test_a_body_that_is_no_whole_answer_is_never_one(replayed: Replayed, answer: Any) -> None:
    with pytest.raises(ResponseFormatError):
        execute(replayed, answer)


def test_an_error_in_a_plain_answer_of_200_is_an_error(replayed: Replayed) -> None:
    with pytest.raises(ProviderError, match="so it is"):
        execute(replayed, {"error": "so it is"})


@given(st.binary())
def test_any_bytes_are_an_answer_or_a_typed_error(replayed: Replayed, payload: bytes) -> None:
    answer = Recorded(chunks=[payload])
    with pytest.raises(LLMError):
        replayed(answer).stream_execute("pelican", "Hi").drain()
    with pytest.raises(LLMError):
        replayed(answer).execute("pelican", "Hi")
