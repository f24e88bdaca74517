"""What a whole answer says arrives whole: text, thinking, refusals, media, alternatives, odd fields."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    ContextLengthExceededError,
    FinishReason,
    LLMError,
    MediaPart,
    ProviderError,
    ProviderPart,
    RateLimitError,
    ReasoningPart,
    RefusalPart,
    ResponseFormatError,
    ServerError,
    TextPart,
    fold,
)
from jackfield.testing import strategies as jf

NAME = "openai-compatible"


ORDER = ("reasoning_content", "content", "refusal", "annotations")


def whole(
    message: dict[str, Any] | None, finish: str | None = "stop", **more: Any
) -> dict[str, Any]:
    """An answer of one choice."""
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"id": "c1", "model": "m1", "choices": [choice], **more}


def streamed(answer: dict[str, Any], cut: int = 2) -> list[Any]:
    """The events of a stream that say what *answer* says, its texts in pieces."""
    chunks: list[Any] = []
    for choice in answer["choices"]:
        at = choice.get("index", 0)
        message = choice["message"] or {}
        for field in (name for name in ORDER if name in message):
            value = message[field]
            pieces = [value[i : i + cut] for i in range(0, len(value), cut)] if value else []
            chunks += [{"choices": [{"index": at, "delta": {field: piece}}]} for piece in pieces]
        chunks.append(
            {"choices": [{"index": at, "delta": {}, "finish_reason": choice["finish_reason"]}]}
        )
    head = {"id": answer["id"], "model": answer["model"]}
    return [
        *({**head, **c} for c in chunks),
        {**head, "choices": [], "usage": answer.get("usage")},
        "[DONE]",
    ]


WORDS = st.fixed_dictionaries(
    {},
    optional={
        "reasoning_content": jf.texts(min_size=1),
        "content": jf.texts(),
        "refusal": jf.texts(min_size=1),
        "annotations": st.lists(jf.json_objects(), max_size=3),
    },
)


@given(message=WORDS, finish=st.sampled_from(["stop", "length", "content_filter", "odd word"]))
def test_a_stream_and_a_whole_answer_that_say_the_same_are_the_same(
    replayed: Any, message: dict[str, Any], finish: str
) -> None:
    answer = whole(message, finish, usage={"prompt_tokens": 3, "completion_tokens": 4})
    provider = replayed(answer, streamed(answer))
    plain = provider.execute("m", "Hi")
    stream = provider.stream_execute("m", "Hi")
    events = list(stream)
    assert stream.response == plain == fold(events)
    assert plain.text == message.get("content", "")
    assert plain.reasoning == message.get("reasoning_content", "")
    assert plain.refusal == message.get("refusal")
    assert plain.raw_finish_reason == finish


@given(
    texts=st.lists(jf.texts(min_size=1), min_size=1, max_size=4),
    order=st.permutations(range(4)),
)
def test_each_of_several_answers_is_kept_in_the_order_of_its_index(
    replayed: Any, texts: list[str], order: list[int]
) -> None:
    choices = [
        {"index": i, "message": {"content": text}, "finish_reason": "stop"}
        for i, text in enumerate(texts)
    ]
    answer = {"id": "c", "model": "m", "choices": choices}
    mixed = {**answer, "choices": [choices[i] for i in order if i < len(choices)]}
    provider = replayed(answer, mixed, streamed(mixed))
    own = {NAME: {"n": len(texts)}}
    plain = provider.execute("m", "Hi", provider_options=own)
    assert [plain.text, *(a.message.text for a in plain.alternatives)] == texts
    assert provider.execute("m", "Hi", provider_options=own) == plain
    assert provider.stream_execute("m", "Hi", provider_options=own).drain() == plain


@pytest.mark.parametrize(
    ("raw", "common"),
    [
        ("stop", FinishReason.STOP),
        ("eos", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("tool_calls", FinishReason.TOOL_CALLS),
        ("function_call", FinishReason.TOOL_CALLS),
        ("content_filter", FinishReason.CONTENT_FILTER),
        ("something new", FinishReason.OTHER),
        (None, FinishReason.OTHER),
    ],
)
def test_both_words_for_the_end_are_kept(replayed: Any, raw: Any, common: FinishReason) -> None:
    answer = replayed(whole({"content": "x"}, raw)).execute("m", "Hi")
    assert (answer.finish_reason, answer.raw_finish_reason) == (common, raw)


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_thinking_comes_before_the_text_under_either_name(replayed: Any, field: str) -> None:
    answer = replayed(whole({"content": "four", field: "2 + 2"})).execute("m", "Hi")
    assert answer.message.content == (ReasoningPart("2 + 2"), TextPart("four"))


def test_content_as_a_list_keeps_text_thinking_and_what_only_the_provider_knows(
    replayed: Any,
) -> None:
    odd = {"type": "reference", "reference_ids": [1, 2]}
    pieces = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "2 + "}, {"text": "2"}]},
        {"type": "thinking", "thinking": "!"},
        {"type": "text", "text": "fo"},
        odd,
        "ur",
        {"type": "refusal", "refusal": "no more"},
        {"type": "text", "text": ""},
    ]
    plain = replayed(whole({"content": pieces})).execute("m", "Hi")
    assert plain.message.content == (
        ReasoningPart("2 + 2!"),
        TextPart("four"),
        ProviderPart(NAME, odd),
        RefusalPart("no more"),
    )
    chunks = [{"id": "c1", "model": "m1", "choices": [{"delta": {"content": [p]}}]} for p in pieces]
    end = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    assert replayed([*chunks, end]).stream_execute("m", "Hi").drain() == plain


def test_pictures_of_the_model_arrive_as_media(replayed: Any) -> None:
    data = base64.b64encode(b"\x89PNG...").decode()
    images = [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]
    answer = replayed(whole({"content": "here", "images": images})).execute("m", "Hi")
    assert answer.message.content == (
        TextPart("here"),
        MediaPart("image/png", b"\x89PNG..."),
        MediaPart("image/*", url="https://example.com/a.png"),
    )


@pytest.mark.parametrize(
    ("form", "kind"),
    [("wav", "audio/wav"), ("mp3", "audio/mpeg"), ("pcm16", "audio/pcm"), ("opus", "audio/ogg")],
)
@given(data=st.binary(min_size=1), at=st.integers(0, 100))
def test_speech_arrives_as_media_with_its_transcript(
    replayed: Any, form: str, kind: str, data: bytes, at: int
) -> None:
    sound = base64.b64encode(data).decode()
    audio = {"id": "a1", "data": sound, "transcript": "Hello there", "expires_at": 9}
    own = {NAME: {"modalities": ["text", "audio"], "audio": {"voice": "x", "format": form}}}
    pieces = [
        {"id": "a1"},
        {"transcript": "Hello"},
        {"data": sound[:at]},
        {"transcript": " there", "data": sound[at:]},
        {"expires_at": 9},
    ]
    chunks = [{"id": "c1", "model": "m1", "choices": [{"delta": {"audio": p}}]} for p in pieces]
    end = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    provider = replayed(whole({"content": None, "audio": audio}), [*chunks, end])
    plain = provider.execute("m", "Hi", provider_options=own)
    (part,) = plain.message.content
    assert part.media_type == kind
    assert part.data == data
    about = {"id": "a1", "transcript": "Hello there", "expires_at": 9}
    assert part.provider_metadata == {NAME: about}
    assert provider.stream_execute("m", "Hi", provider_options=own).drain() == plain


@given(
    parts=st.lists(st.lists(st.integers(), max_size=3), max_size=4),
    refusals=st.lists(st.integers(), max_size=2),
)
def test_log_probabilities_of_the_chunks_are_joined(
    replayed: Any, parts: list[list[int]], refusals: list[int]
) -> None:
    chunks: list[Any] = [
        {"id": "c", "choices": [{"delta": {}, "logprobs": {"content": p, "refusal": None}}]}
        for p in parts
    ]
    last = {"content": None, "refusal": refusals} if refusals else None
    chunks.append(
        {"id": "c", "choices": [{"delta": {}, "logprobs": last, "finish_reason": "stop"}]}
    )
    answer = replayed(chunks).stream_execute("m", "Hi").drain()
    kept = answer.provider_metadata.get(NAME, {}).get("logprobs", {})
    assert (kept.get("content") or []) == [x for p in parts for x in p]
    assert (kept.get("refusal") or []) == refusals


def test_fields_of_some_servers_are_kept_beside_the_answer(replayed: Any) -> None:
    extras: dict[str, Any] = {
        "service_tier": "flex",
        "system_fingerprint": "fp_1",
        "citations": ["https://example.com"],
        "provider": "Somebody",
        "prompt_filter_results": [{"prompt_index": 0}],
    }
    body = whole({"content": "x"}, **extras)
    body["choices"][0].update(native_finish_reason="STOP", stop_reason=7, content_filter_results={})
    kept = replayed(body).execute("m", "Hi").provider_metadata[NAME]
    expected = {"native_finish_reason": "STOP", "stop_reason": 7, "content_filter_results": {}}
    assert kept == {**extras, **expected}


PIECES = [
    {"type": "reasoning.text", "index": 0, "text": "We ", "format": None},
    {"type": "reasoning.text", "index": 0, "text": "need", "format": "f"},
    {"type": "reasoning.text", "index": 0, "text": "", "signature": "sig"},
    {"type": "reasoning.encrypted", "index": 1, "data": "abc"},
]


def test_pieces_of_reasoning_details_are_made_one_block_again(replayed: Any) -> None:
    chunks = [{"id": "c", "choices": [{"delta": {"reasoning_details": [p]}}]} for p in PIECES]
    end = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    answer = replayed([*chunks, end]).stream_execute("m", "Hi").drain()
    (part,) = answer.message.content
    assert isinstance(part, ReasoningPart)
    assert part.provider_metadata[NAME]["reasoning_details"] == [
        {
            "type": "reasoning.text",
            "index": 0,
            "text": "We need",
            "format": "f",
            "signature": "sig",
        },
        {"type": "reasoning.encrypted", "index": 1, "data": "abc"},
    ]


ERRORS: list[tuple[Any, type[LLMError], str]] = [
    ({"error": {"message": "too fast", "code": 429}}, RateLimitError, "too fast"),
    ({"error": {"message": "down", "code": "server_error"}}, ServerError, "down"),
    ({"error": "odd"}, ProviderError, "odd"),
    ({"error": {"message": "half"}, "choices": []}, ProviderError, "half"),
    (
        {"object": "error", "message": "too long", "type": "context_length_exceeded", "code": 400},
        ContextLengthExceededError,
        "too long",
    ),
    ({"message": "slow down", "code": 429}, RateLimitError, "slow down"),
    (whole({"content": "x"}, "error"), ServerError, "ended its answer with an error"),
    (
        {"choices": [{"message": {"content": ""}, "error": {"message": "upstream", "code": 503}}]},
        LLMError,
        "upstream",
    ),
    ({}, ResponseFormatError, "choices"),
    ({"choices": []}, ResponseFormatError, "choices"),
    ({"choices": [{"index": 0, "finish_reason": "stop"}]}, ResponseFormatError, "choices"),
    ({"choices": "none"}, ResponseFormatError, r"\$\.choices"),
    (whole({"content": 7}), ResponseFormatError, r"\$\.choices\[0\]\.message\.content"),
    (whole({"content": [7]}), ResponseFormatError, "piece of content"),
    (b"<html>Bad gateway</html>", ResponseFormatError, "HTML page"),
    (b"", ResponseFormatError, "unexpected shape|JSON"),
    (b'{"choices": [', ResponseFormatError, "JSON"),
    (b"[]", ResponseFormatError, "expected|Expected"),
]


@pytest.mark.parametrize(("body", "kind", "said"), ERRORS)
def test_an_answer_that_is_none_is_a_typed_error_though_its_status_is_good(
    replayed: Any, body: Any, kind: type[LLMError], said: str
) -> None:
    with pytest.raises(kind, match=said):
        replayed(body).execute("m", "Hi")


@pytest.mark.parametrize("field", ["error", "usage", "id", "model", "choices"])
def test_null_is_the_same_as_absent(replayed: Any, field: str) -> None:
    body = {**whole({"content": "x"}), field: None}
    if field == "choices":
        with pytest.raises(ResponseFormatError):
            replayed(body).execute("m", "Hi")
    else:
        assert replayed(body).execute("m", "Hi").text == "x"


def test_an_answer_that_was_filtered_may_lack_its_message(replayed: Any) -> None:
    body = {"id": "c", "choices": [{"index": 0, "finish_reason": "content_filter"}]}
    answer = replayed(body).execute("m", "Hi")
    assert answer.finish_reason is FinishReason.CONTENT_FILTER
    assert answer.text == ""
