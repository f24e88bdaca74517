"""What whole answers and streams of the API become, and its errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    AuthenticationError,
    ChatRequest,
    ContextLengthExceededError,
    FinishReason,
    InvalidRequestError,
    LLMError,
    MediaPart,
    Message,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderPart,
    QuotaExceededError,
    RateLimitError,
    ReasoningPart,
    ResponseFormatError,
    ServerError,
    StreamInterruptedError,
    TextPart,
    ToolCall,
)
from jackfield.drivers.replay import Recorded, ReplayDriver
from jackfield.testing import strategies as jf
from jackfield_gemini import GeminiProvider
from jackfield_gemini.usage import FINISH_REASONS, NUMBERED

MODEL = "gemini-2.5-flash"
SIGNATURES = st.none() | st.sampled_from(["c2lnbmVk", "YW5vdGhlcg=="])


def answer(*parts: Any, stop: Any = "STOP", **more: Any) -> dict[str, Any]:
    """An answer, or a piece of one."""
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    return {"candidates": [candidate | ({"finishReason": stop} if stop else {})], **more}


def events(*answers: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(a).encode() + b"\n\n" for a in answers)


def read(stand: Any, told: Any) -> Any:
    return stand(told).provider.execute(MODEL, "Hi")


@st.composite
def parts(draw: st.DrawFn) -> dict[str, Any]:
    """A part that an answer may have."""
    kind = draw(st.sampled_from(["text", "thought", "call", "picture", "code"]))
    told: dict[str, dict[str, Any]] = {
        "text": {"text": draw(jf.texts())},
        "thought": {"text": draw(jf.texts(min_size=1)), "thought": True},
        "call": {"functionCall": {"id": "c", "name": "add", "args": draw(jf.json_objects())}},
        "picture": {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}},
        "code": {"executableCode": {"language": "PYTHON", "code": draw(jf.texts())}},
    }
    signature = draw(SIGNATURES)
    return told[kind] | ({"thoughtSignature": signature} if signature else {})


def joined(told: list[Any]) -> list[Any]:
    """*told* with neighbouring texts, and thoughts, in one where nothing is signed between."""
    found: list[Any] = []
    for part in told:
        if part == {"text": ""}:
            continue
        before = found[-1] if found else {}
        plain = {"text"}, {"text", "thought"}
        if part.keys() in plain and part.keys() == before.keys():
            found[-1] = {**before, "text": before["text"] + part["text"]}
        else:
            found.append(part)
    return found


@given(told=st.lists(parts(), max_size=6))
def test_what_came_goes_back_as_it_came(stand: Any, told: list[Any]) -> None:
    """Signatures stay with their parts, in whatever order they came."""
    said = read(stand, answer(*told)).message
    if not said.content:
        assert joined(told) == []
        return
    asked = ChatRequest(model=MODEL, messages=[Message("user", "Hi"), said])
    plan = stand().provider.explain(asked)
    assert plan.warnings == ()
    assert plan.body["contents"][1]["parts"] == joined(told)


@given(told=st.lists(parts(), min_size=1, max_size=6), data=st.data())
def test_a_stream_says_what_the_whole_answer_says(
    stand: Any, told: list[Any], data: st.DataObject
) -> None:
    used = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
    whole = read(stand, answer(*told, usageMetadata=used, modelVersion=MODEL, responseId="r"))
    pieces = [answer(part, stop=None, modelVersion=MODEL, responseId="r") for part in told]
    body = events(*pieces, answer(usageMetadata=used))
    array = json.dumps([*pieces, answer(usageMetadata=used)]).encode()
    for payload in (body, array):
        chunks = data.draw(jf.cuts(payload))
        driver = ReplayDriver([Recorded(chunks=chunks)])
        provider = GeminiProvider({"api_key": "made-up"}, driver=driver)
        assert provider.stream_execute(MODEL, "Hi").drain() == whole


@pytest.mark.parametrize(("word", "reason"), FINISH_REASONS.items())
def test_why_an_answer_ended_is_told_in_both_words(
    stand: Any, word: str, reason: FinishReason
) -> None:
    found = read(stand, answer({"text": "Hi"}, stop=word))
    assert (found.finish_reason, found.raw_finish_reason) == (reason, word)
    numbers = [at for at, known in enumerate(NUMBERED) if known == word]
    for number in numbers:
        assert read(stand, answer({"text": "Hi"}, stop=number)) == found


@given(word=st.text("ABCDEFGHIJ_", min_size=1).filter(lambda w: w not in FINISH_REASONS))
def test_a_new_reason_is_told_as_it_came(stand: Any, word: str) -> None:
    found = read(stand, answer({"text": "Hi"}, stop=word))
    assert (found.finish_reason, found.raw_finish_reason) == (FinishReason.OTHER, word)


@pytest.mark.parametrize(
    "word", ["SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "OTHER"]
)
def test_a_blocked_prompt_is_an_answer_that_was_filtered(stand: Any, word: str) -> None:
    ratings = [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "HIGH", "blocked": True}]
    told = {"promptFeedback": {"blockReason": word, "safetyRatings": ratings}}
    whole = read(stand, told)
    streamed = stand(events(told)).provider.stream_execute(MODEL, "Hi").drain()
    for found in (whole, streamed):
        assert found.finish_reason is FinishReason.CONTENT_FILTER
        assert (found.raw_finish_reason, found.message.content) == (word, ())
        assert found.provider_metadata["gemini"]["promptFeedback"]["safetyRatings"] == ratings


def test_what_the_service_says_about_an_answer_is_kept(stand: Any) -> None:
    about: dict[str, Any] = {
        "safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "LOW"}],
        "groundingMetadata": {"webSearchQueries": ["pelican"]},
        "citationMetadata": {"citationSources": [{"uri": "https://example.com"}]},
        "avgLogprobs": -0.5,
    }
    told = answer({"text": "Hi"})
    told["candidates"][0] |= about
    assert read(stand, told).provider_metadata["gemini"] == about


def test_parts_have_their_types(stand: Any) -> None:
    found = read(
        stand,
        answer(
            {"text": "Hm.", "thought": True},
            {"text": "Look:"},
            {"inlineData": {"mimeType": "image/png", "data": "iVBORw"}},
            {"fileData": {"mimeType": "video/mp4", "fileUri": "https://example.com/a"}},
            {"functionCall": {"name": "add", "args": {"a": 1}}},
            {"executableCode": {"language": "PYTHON", "code": "1"}},
        ),
    )
    kinds = [type(part) for part in found.message.content]
    assert kinds == [ReasoningPart, TextPart, MediaPart, MediaPart, ToolCall, ProviderPart]
    assert found.message.content[2].data == b"\x89PNG"
    assert found.finish_reason is FinishReason.TOOL_CALLS
    assert found.tool_calls[0].id  # the older models give none: then it is ours


counts = st.none() | st.integers(0, 10**6)


@given(prompt=counts, said=counts, thought=counts, tools=counts, cached=counts)
def test_usage_is_in_whole_totals(
    stand: Any, prompt: Any, said: Any, thought: Any, tools: Any, cached: Any
) -> None:
    told = {"promptTokenCount": prompt, "candidatesTokenCount": said, "thoughtsTokenCount": thought,
            "toolUsePromptTokenCount": tools, "cachedContentTokenCount": cached}  # fmt: skip
    wire = {name: value for name, value in told.items() if value is not None}
    usage = read(stand, answer({"text": "Hi"}, usageMetadata=wire)).usage
    reading, writing = [prompt, tools], [said, thought]
    assert usage.input_tokens == (sum(n or 0 for n in reading) if reading != [None] * 2 else None)
    assert usage.output_tokens == (sum(n or 0 for n in writing) if writing != [None] * 2 else None)
    assert (usage.reasoning_tokens, usage.cache_read_tokens) == (thought, cached)
    assert usage.raw == wire


def failure(code: int, status: str, *details: Any, message: str = "No.") -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


DAILY = {"@type": "type.googleapis.com/google.rpc.QuotaFailure",
         "violations": [{"quotaId": "GenerateRequestsPerDayPerProject"}]}  # fmt: skip
MINUTE = {**DAILY, "violations": [{"quotaId": "GenerateRequestsPerMinutePerProject"}]}
RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "23.5s"}
BAD_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
LONG = "The input token count (9000) exceeds the maximum number of tokens allowed (4096)."
ERRORS: list[tuple[dict[str, Any], type[LLMError], bool]] = [
    (failure(400, "INVALID_ARGUMENT"), InvalidRequestError, False),
    (failure(400, "INVALID_ARGUMENT", BAD_KEY), AuthenticationError, False),
    (failure(400, "INVALID_ARGUMENT", message=LONG), ContextLengthExceededError, False),
    (failure(400, "FAILED_PRECONDITION"), InvalidRequestError, False),
    (failure(401, "UNAUTHENTICATED"), AuthenticationError, False),
    (failure(403, "PERMISSION_DENIED"), PermissionDeniedError, False),
    (failure(404, "NOT_FOUND"), NotFoundError, False),
    (failure(429, "RESOURCE_EXHAUSTED", RETRY, MINUTE), RateLimitError, True),
    (failure(429, "RESOURCE_EXHAUSTED", RETRY, DAILY), QuotaExceededError, False),
    (failure(500, "INTERNAL"), ServerError, True),
    (failure(503, "UNAVAILABLE"), OverloadedError, True),
    (failure(504, "DEADLINE_EXCEEDED"), ServerError, True),
]


@pytest.mark.parametrize(("told", "kind", "retryable"), ERRORS)
def test_an_error_is_what_its_status_and_details_say(
    stand: Any, told: Any, kind: type[LLMError], retryable: bool
) -> None:
    error = told["error"]
    with pytest.raises(LLMError) as caught:
        stand(told, status=error["code"]).provider.execute(MODEL, "Hi")
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.code) == (error["code"], error["status"])
    assert (caught.value.message, caught.value.retryable) == (error["message"], retryable)
    assert caught.value.retry_after == (23.5 if RETRY in error["details"] else None)


@pytest.mark.parametrize(("told", "kind", "retryable"), ERRORS)
def test_an_error_inside_of_a_stream_keeps_what_had_come(
    stand: Any, told: Any, kind: type[LLMError], retryable: bool
) -> None:
    body = events(answer({"text": "Half"}, stop=None), told)
    with pytest.raises(StreamInterruptedError) as caught:
        stand(body).provider.stream_execute(MODEL, "Hi").drain()
    assert caught.value.partial_text == "Half"
    assert type(caught.value.__cause__) is kind


@pytest.mark.parametrize("told", [{}, {"candidates": []}, {"usageMetadata": {}}, [], "x", None])
def test_an_answer_without_an_answer_is_none(stand: Any, told: Any) -> None:
    with pytest.raises(ResponseFormatError):
        read(stand, told)
