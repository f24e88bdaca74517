"""What streams and whole answers of the Messages API become."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    FinishReason,
    LLMError,
    OverloadedError,
    PartMetadata,
    ProviderError,
    ProviderPart,
    ReasoningPart,
    ResponseFormatError,
    StreamInterruptedError,
    TextPart,
    ToolCall,
    Usage,
)
from jackfield.drivers.replay import Recorded
from jackfield.testing import strategies as jf
from jackfield_claude import ClaudeProvider
from jackfield_claude.usage import FINISH_REASONS, parse_usage

Replayed = Callable[..., ClaudeProvider]
Make = Callable[..., Any]

TEXT = {"type": "text", "text": ""}


def said(text: str) -> dict[str, str]:
    return {"type": "text_delta", "text": text}


def test_usage_counts_cached_input_as_input() -> None:
    wire = {
        "input_tokens": 4,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 20,
        "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 5},
        "service_tier": "standard",
    }
    assert parse_usage(wire) == Usage(
        input_tokens=124,
        output_tokens=9,
        cache_read_tokens=100,
        cache_write_tokens=20,
        reasoning_tokens=5,
        raw=wire,
    )
    assert parse_usage({}) == Usage(raw={})


@given(st.dictionaries(st.sampled_from(["input_tokens", "output_tokens"]), jf.json_values()))
def test_a_count_that_is_no_number_is_unknown(wire: dict[str, Any]) -> None:
    found = parse_usage(wire)
    for name, value in wire.items():
        whole = isinstance(value, int) and not isinstance(value, bool)
        assert getattr(found, name) == (value if whole else None)


@given(jf.json_values())
def test_details_of_another_shape_are_unknown(details: Any) -> None:
    assert parse_usage({"output_tokens_details": [details]}).reasoning_tokens is None
    assert parse_usage({"output_tokens_details": details}).raw["output_tokens_details"] == details


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("stop", [*FINISH_REASONS, "a_reason_of_tomorrow"])
def test_every_stop_reason_has_a_common_word_and_keeps_its_own(
    stop: str, streamed: bool, replayed: Replayed, stream: Make, message: Make
) -> None:
    if streamed:
        answer = replayed(stream([TEXT, said("Hi")], stop=stop)).stream_execute("m", "Hi").drain()
    else:
        answer = replayed(message({"type": "text", "text": "Hi"}, stop=stop)).execute("m", "Hi")
    assert answer.raw_finish_reason == stop
    assert answer.finish_reason == FINISH_REASONS.get(stop, FinishReason.OTHER)
    assert answer.text == "Hi"


def test_a_refusal_keeps_its_category(replayed: Replayed, message: Make) -> None:
    details = {"type": "refusal", "category": "bio", "explanation": "No."}
    answer = replayed(message(stop="refusal", stop_details=details)).execute("m", "Hi")
    assert answer.finish_reason is FinishReason.CONTENT_FILTER
    assert answer.provider_metadata == {"claude": {"stop_details": details}}
    assert answer.text == ""


def test_citations_gather_at_their_text(replayed: Replayed, stream: Make) -> None:
    one, two = {"type": "char_location", "n": 1}, {"type": "char_location", "n": 2}
    cite = [{"type": "citations_delta", "citation": c} for c in (one, two)]
    events = stream([TEXT, said("a"), cite[0], said("b"), cite[1]], [TEXT, said("c")])
    with replayed(events).stream_execute("m", "Hi") as found:
        metadata = [e for e in found if isinstance(e, PartMetadata)]
    assert [len(e.provider_metadata["claude"]["citations"]) for e in metadata] == [1, 2]
    assert found.response.message.content == (
        TextPart("ab", provider_metadata={"claude": {"citations": [one, two]}}),
        TextPart("c"),
    )


def test_blocks_of_a_new_kind_are_gathered_whatever_their_pieces(
    replayed: Replayed, stream: Make
) -> None:
    events = stream(
        [
            {"type": "compaction", "content": None},
            {"type": "compaction_delta", "content": "In short", "encrypted_content": "x"},
            {"type": "compaction_delta", "content": ": pelicans", "encrypted_content": None},
        ],
        [
            {"type": "poem", "text": "O ", "verses": 1},
            said("pelican"),
            {"type": "citations_delta", "citation": {"n": 1}},
            {"type": "verse_delta", "verses": 2},
        ],
        [TEXT, said("Hi")],
    )
    assert replayed(events).stream_execute("m", "Hi").drain().message.content == (
        ProviderPart(
            "claude",
            {"type": "compaction", "content": "In short: pelicans", "encrypted_content": "x"},
        ),
        ProviderPart(
            "claude",
            {"type": "poem", "text": "O pelican", "verses": 2, "citations": [{"n": 1}]},
        ),
        TextPart("Hi"),
    )


def test_the_input_of_a_server_tool_is_put_together_and_kept_as_text_where_it_was_cut(
    replayed: Replayed, stream: Make
) -> None:
    use = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    pieces = [{"type": "input_json_delta", "partial_json": p} for p in ('{"q": "pel', 'ican"}')]
    whole, cut = (
        replayed(stream([use, *pieces], [use, pieces[0]]))
        .stream_execute("m", "Hi")
        .drain()
        .message.content
    )
    assert isinstance(whole, ProviderPart)
    assert isinstance(cut, ProviderPart)
    assert whole.data["input"] == {"q": "pelican"}
    assert cut.data["input"] == '{"q": "pel'


@given(arguments=jf.json_texts(), at=st.integers(0, 5))
@settings(max_examples=50)
def test_arguments_arrive_to_the_letter_in_one_piece_or_in_several(
    replayed: Replayed, stream: Make, arguments: str, at: int
) -> None:
    use = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    pieces = [arguments[:at], arguments[at:], ""]
    deltas = [{"type": "input_json_delta", "partial_json": p} for p in pieces]
    answer = replayed(stream([use, *deltas])).stream_execute("m", "Hi").drain()
    assert answer.message.content == (ToolCall("t", "f", arguments),)
    body = f'{{"content": [{{"type": "tool_use", "id": "t", "name": "f", "input": {arguments}}}]}}'
    whole = replayed(Recorded(chunks=[body.encode()])).execute("m", "Hi")
    assert whole.tool_calls == answer.tool_calls


def test_arguments_that_come_with_the_start_of_a_block_count(
    replayed: Replayed, stream: Make
) -> None:
    use = {"type": "tool_use", "id": "t", "name": "f", "input": {"city": "Paris"}}
    (call,) = replayed(stream([use])).stream_execute("m", "Hi").drain().tool_calls
    assert json.loads(call.arguments) == {"city": "Paris"}


def test_who_called_a_tool_is_kept_unless_it_was_the_model_itself(
    replayed: Replayed, message: Make
) -> None:
    code = {"type": "code_execution_20250825", "tool_id": "srvtoolu_1"}
    use = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    one, two = (
        replayed(message({**use, "caller": {"type": "direct"}}, {**use, "caller": code}))
        .execute("m", "Hi")
        .tool_calls
    )
    assert one.provider_metadata == {}
    assert two.provider_metadata == {"claude": {"caller": code}}


def test_thinking_without_words_keeps_its_signature(replayed: Replayed, stream: Make) -> None:
    block = {"type": "thinking", "thinking": "", "signature": ""}
    events = stream([block, {"type": "signature_delta", "signature": "c2ln"}])
    answer = replayed(events).stream_execute("m", "Hi").drain()
    assert answer.message.content == (ReasoningPart("", "c2ln"),)


@pytest.mark.parametrize("streamed", [False, True])
def test_redacted_thinking_is_kept_as_it_came(
    streamed: bool, replayed: Replayed, stream: Make, message: Make
) -> None:
    block = {"type": "redacted_thinking", "data": "b3BhcXVl"}
    if streamed:
        answer = replayed(stream([block])).stream_execute("m", "Hi").drain()
    else:
        answer = replayed(message(block)).execute("m", "Hi")
    assert answer.message.content == (ReasoningPart("", redacted="b3BhcXVl"),)
    assert answer.reasoning == ""


@given(st.dictionaries(st.sampled_from(["index", "delta", "usage", "message"]), jf.json_values()))
@settings(max_examples=50)
def test_an_event_of_a_new_kind_says_nothing_whatever_it_holds(
    replayed: Replayed, stream: Make, fields: dict[str, Any]
) -> None:
    plain = stream([TEXT, said("Hi")])
    news = {**fields, "type": "weather_report"}
    found = replayed([plain[0], news, *plain[1:]]).stream_execute("m", "Hi").drain()
    assert found == replayed(plain).stream_execute("m", "Hi").drain()


@given(st.dictionaries(st.sampled_from(["text", "thinking", "mood"]), jf.json_values()))
@settings(max_examples=50)
def test_a_piece_of_a_new_kind_belongs_to_blocks_of_a_new_kind_alone(
    replayed: Replayed, stream: Make, fields: dict[str, Any]
) -> None:
    piece = {**fields, "type": "mood_delta"}
    events = stream([TEXT, said("Hi"), piece], [{"type": "mood"}, piece])
    text, mood = replayed(events).stream_execute("m", "Hi").drain().message.content
    assert text == TextPart("Hi")
    told = {k: v for k, v in fields.items() if v is not None}
    assert mood == ProviderPart("claude", {"type": "mood", **told})


def test_a_known_event_of_another_shape_is_no_answer(replayed: Replayed, stream: Make) -> None:
    events = stream([TEXT, {"type": "text_delta", "text": 7}])
    with pytest.raises(ResponseFormatError, match=r"\$\.delta\.text"):
        replayed(events).stream_execute("m", "Hi").drain()


def test_an_error_after_some_text_keeps_the_text(replayed: Replayed, stream: Make) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    events = [*stream([TEXT, said("Once upon")])[:3], error]
    with pytest.raises(StreamInterruptedError) as caught:
        replayed(events).stream_execute("m", "Hi").drain()
    assert caught.value.partial_text == "Once upon"
    assert caught.value.partial_usage.input_tokens == 5
    assert isinstance(caught.value.__cause__, OverloadedError)


@pytest.mark.parametrize(
    "event",
    [
        'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}',
        'data: {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}',
        'event: error\ndata: {"error": {"type": "overloaded_error", "message": "Busy"}}',
        'data: {"error": {"type": "overloaded_error", "message": "Busy"}}',
        'event: error\ndata: {"type": "overloaded_error", "message": "Busy"}',
    ],
)
@pytest.mark.parametrize("after", range(5))
def test_an_error_is_one_in_any_form_and_at_any_place_of_a_stream(
    event: str, after: int, replayed: Replayed, stream: Make
) -> None:
    before = [f"data: {json.dumps(e)}" for e in stream([TEXT, said("Hi")])[:after]]
    chunks = [f"{e}\n\n".encode() for e in (*before, event)]
    with pytest.raises(LLMError) as caught:
        replayed(Recorded(chunks=chunks)).stream_execute("m", "Hi").drain()
    error = caught.value
    if after >= 3:
        assert isinstance(error, StreamInterruptedError)
        assert error.partial_text == "Hi"
        assert isinstance(error.__cause__, OverloadedError)
        error = error.__cause__
    assert isinstance(error, OverloadedError)
    assert error.message == "Busy"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("Internal server error", "Internal server error"),
        ('{"type": "error", "message": "Busy"}', "Busy"),
        ('{"type": "error", "error": "Busy", "usage": 0}', "Busy"),
        ('{"type": "error", "index": "x", "error": {"message": "Busy"}}', "Busy"),
    ],
)
def test_an_error_event_of_another_shape_is_that_error(
    data: str, message: str, replayed: Replayed
) -> None:
    lines = f"event: error\ndata: {data}\n\n".encode()
    with pytest.raises(ProviderError) as caught:
        replayed(Recorded(chunks=[lines])).stream_execute("m", "Hi").drain()
    assert caught.value.message == message


@pytest.mark.parametrize("keep", [-1, None])
def test_the_terminator_of_another_dialect_says_nothing(
    keep: int | None, replayed: Replayed, stream: Make
) -> None:
    events = stream([TEXT, said("Hi")])[:keep]
    chunks = [f"data: {json.dumps(e)}\n\n".encode() for e in events]
    provider = replayed(Recorded(chunks=[*chunks, b"data: [DONE]\n\n"]))
    assert provider.stream_execute("m", "Hi").drain().text == "Hi"
    cut = replayed(Recorded(chunks=[*chunks[:3], b"data: [DONE]\n\n"]))
    with pytest.raises(StreamInterruptedError) as caught:
        cut.stream_execute("m", "Hi").drain()
    assert caught.value.partial_text == "Hi"


def test_what_a_stream_tells_at_its_start_is_not_lost(replayed: Replayed, stream: Make) -> None:
    events = stream([TEXT, said("Hi")], container=None)
    told = {"container": {"id": "c_1"}, "context_management": {"a": 1}, "diagnostics": {"b": 2}}
    events[0]["message"] |= {**told, "input_transformations": []}
    events[-2]["input_transformations"] = [{"type": "thinking_dropped"}]
    about = replayed(events).stream_execute("m", "Hi").drain().provider_metadata["claude"]
    assert about == {**told, "input_transformations": [{"type": "thinking_dropped"}]}


def test_an_empty_signature_is_none(replayed: Replayed, stream: Make) -> None:
    start = {"type": "thinking"}
    signed = {"type": "signature_delta", "signature": ""}
    thought = {"type": "thinking_delta", "thinking": "Hm"}
    answer = replayed(stream([start, thought, signed])).stream_execute("m", "Hi").drain()
    assert answer.message.content == (ReasoningPart("Hm"),)


def test_a_stop_reason_makes_a_stream_whole_without_its_terminator(
    replayed: Replayed, stream: Make
) -> None:
    events = stream([TEXT, said("Hi")])
    assert replayed(events[:-1]).stream_execute("m", "Hi").drain().text == "Hi"
    with pytest.raises(StreamInterruptedError):
        replayed(events[:-2]).stream_execute("m", "Hi").drain()


def test_an_answer_without_content_is_no_answer(replayed: Replayed) -> None:
    with pytest.raises(ResponseFormatError, match=r"\$\.content"):
        replayed({"id": "msg_1", "type": "message"}).execute("m", "Hi")


def test_an_error_with_a_good_status_is_an_error(replayed: Replayed) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    with pytest.raises(OverloadedError):
        replayed(error).execute("m", "Hi")


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_through_a_tool_is_text(
    streamed: bool, replayed: Replayed, stream: Make, message: Make
) -> None:
    use = {"type": "tool_use", "id": "t", "name": "answer", "input": {}}
    piece = {"type": "input_json_delta", "partial_json": '{"name": "Pelle"}'}
    if streamed:
        provider = replayed(stream([use, piece], stop="tool_use"))
        answer = provider.stream_execute("m", "Hi", response_format="json").drain()
    else:
        provider = replayed(message({**use, "input": {"name": "Pelle"}}, stop="tool_use"))
        answer = provider.execute("m", "Hi", response_format="json")
    assert json.loads(answer.text) == {"name": "Pelle"}
    assert answer.tool_calls == ()
    assert (answer.finish_reason, answer.raw_finish_reason) == (FinishReason.STOP, "tool_use")
    assert [(w.kind, w.subject) for w in answer.warnings] == [("emulated", "response_format")]


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_past_the_tool_says_that_its_form_is_anybodys_guess(
    streamed: bool, replayed: Replayed, stream: Make, message: Make
) -> None:
    if streamed:
        provider = replayed(stream([TEXT, said("Well …")]))
        answer = provider.stream_execute("m", "Hi", response_format="json").drain()
    else:
        provider = replayed(message({"type": "text", "text": "Well …"}))
        answer = provider.execute("m", "Hi", response_format="json")
    assert [w.kind for w in answer.warnings] == ["emulated", "dropped"]


def test_another_tool_called_instead_is_a_tool_call(replayed: Replayed, message: Make) -> None:
    use = {"type": "tool_use", "id": "t", "name": "get_time", "input": {}}
    provider = replayed(message(use, stop="tool_use"))
    tools = [{"name": "get_time"}]
    answer = provider.execute("m", "Hi", response_format="json", tools=tools)
    assert answer.finish_reason is FinishReason.TOOL_CALLS
    assert [w.kind for w in answer.warnings] == ["emulated"]
