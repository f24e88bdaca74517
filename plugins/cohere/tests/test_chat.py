"""Chats: what of any conversation is sent, what of any answer is kept, which errors are which."""

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
    OverloadedError,
    ProviderError,
    ProviderPart,
    QuotaExceededError,
    RateLimitError,
    ReasoningPart,
    RefusalPart,
    ServerError,
    StreamInterruptedError,
    TextPart,
    Tool,
    ToolCall,
    ToolResult,
)
from jackfield.params import NAMES, GenerationParams
from jackfield.testing import strategies as jf
from jackfield_cohere.provider import PARAMS

USAGE = {"tokens": {"input_tokens": 3, "output_tokens": 4}}
ANSWER = {"id": "a", "message": {"role": "assistant", "content": [{"type": "text", "text": "Hi"}]}}


def explained(stand: Any, *messages: Message, **fields: Any) -> Any:
    said = messages or (Message("user", "Hi"),)
    return stand().provider.explain(ChatRequest(model="m", messages=said, **fields))


def told(plan: Any) -> list[tuple[str, str]]:
    return [(w.kind, w.subject) for w in plan.warnings]


@given(params=jf.params())
def test_no_parameter_is_lost_silently(stand: Any, params: GenerationParams) -> None:
    plan = explained(stand, params=params)
    subjects = {w.subject for w in plan.warnings}
    for name in NAMES:
        value = getattr(params, name)
        if value is None:
            continue
        sent = PARAMS[name].wire in plan.body if name in PARAMS else False
        assert sent or name in subjects


@pytest.mark.parametrize(
    ("status", "body", "kind", "retryable"),
    [
        (400, {"message": "invalid"}, InvalidRequestError, False),
        (400, {"error_type": "TOO_MANY_TOKENS", "message": "x"}, ContextLengthExceededError, False),
        (400, {"message": "too many tokens: total number exceeds"}, ContextLengthExceededError, False),
        (401, {"message": "invalid api token"}, AuthenticationError, False),
        (498, {"message": "invalid token"}, AuthenticationError, False),
        (499, {"message": "request cancelled"}, InvalidRequestError, False),
        (429, {"message": "You are using a Trial key, which is limited to 20 API calls / minute. You can"}, RateLimitError, True),
        (429, {"message": "You are using a Trial key, which is limited to 1000 API calls / month. You can"}, QuotaExceededError, False),
        (500, {"message": "internal"}, ServerError, True),
        (503, {"message": "overloaded"}, OverloadedError, True),
        (504, {"message": "timeout"}, ServerError, True),
    ],
    ids=str,
)  # fmt: skip
def test_an_error_is_what_its_status_and_type_say(
    stand: Any, status: int, body: Any, kind: type[LLMError], retryable: bool
) -> None:
    for call in ("execute", "stream_execute"):
        made = stand({"id": "request-1", **body}, status=status).provider
        with pytest.raises(LLMError) as caught:
            made.execute("m", "Hi") if call == "execute" else made.stream_execute("m", "Hi").drain()
        error = caught.value
        assert type(error) is kind
        assert (error.retryable, error.status, error.request_id) == (retryable, status, "request-1")
        assert error.message == body["message"]


@pytest.mark.parametrize("api", ["v2", "v1"])
def test_a_whole_answer_that_failed_is_an_error(stand: Any, api: str) -> None:
    first = {"generation_id": "a", "text": "half"}
    body = {**(ANSWER if api == "v2" else first), "finish_reason": "ERROR", "error": "out of it"}
    with pytest.raises(ProviderError, match="out of it"):
        stand(body, api=api).provider.execute("m", "Hi")


def test_an_error_at_a_streams_end_keeps_what_had_come(stand: Any) -> None:
    lines = [
        {"type": "message-start", "id": "a", "delta": {"message": {"content": []}}},
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hel"}}}},
        {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "broken"}},
    ]
    frames = "".join(f"data: {json.dumps(line)}\n\n" for line in lines)
    with pytest.raises(StreamInterruptedError) as caught:
        stand(frames.encode()).provider.stream_execute("m", "Hi").drain()
    assert caught.value.partial_text == "Hel"
    assert isinstance(caught.value.__cause__, ProviderError)
    assert caught.value.__cause__.message == "broken"


def test_a_stream_of_lines_that_is_cut_after_its_first_is_interrupted(stand: Any) -> None:
    start = {"event_type": "stream-start", "is_finished": False, "generation_id": "g"}
    with pytest.raises(StreamInterruptedError) as caught:
        stand(start, api="v1").provider.stream_execute("m", "Hi").drain()
    assert caught.value.partial is not None
    assert caught.value.partial.id == "g"


def test_a_block_of_a_new_kind_is_kept_whole_and_goes_back(stand: Any) -> None:
    block = {"type": "sketch", "svg": "<svg/>", "size": [1, 2]}
    content = [{"type": "text", "text": "Look: "}, block]
    whole = stand({"id": "a", "message": {"role": "assistant", "content": content}})
    answer = whole.provider.execute("m", "Hi")
    assert answer.message.content == (TextPart("Look: "), ProviderPart("cohere", block))
    events = [
        _event("content-delta", 0, {"text": "Look: "}),
        _event("content-start", 1, {"type": "sketch", "svg": "<sv"}),
        _event("content-delta", 1, {"svg": "g/>", "size": [1, 2]}),
        {"type": "content-end", "index": 1},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}},
    ]
    frames = "".join(f"data: {json.dumps(e)}\n\n" for e in events).encode()
    streamed = stand(frames).provider.stream_execute("m", "Hi").drain()
    assert streamed.message == answer.message
    plan = explained(stand, Message("user", "Hi"), answer.message)
    assert plan.body["messages"][1]["content"] == content


def _event(kind: str, index: int, content: Any) -> Any:
    return {"type": kind, "index": index, "delta": {"message": {"content": content}}}


def test_a_timeout_says_so_in_both_words(stand: Any) -> None:
    answer = stand({**ANSWER, "finish_reason": "TIMEOUT"}).provider.execute("m", "Hi")
    assert (answer.finish_reason, answer.raw_finish_reason) == (FinishReason.ERROR, "TIMEOUT")


@given(given_=st.sampled_from(["null", "", " null ", "{}"]))
def test_a_call_without_arguments_has_an_empty_object_of_them(stand: Any, given_: str) -> None:
    use = {"id": "1", "type": "function", "function": {"name": "now", "arguments": given_}}
    answer = stand({"message": {"tool_calls": [use]}}).provider.execute("m", "Hi")
    assert [json.loads(c.arguments) for c in answer.tool_calls] == [{}]


def test_a_citation_of_no_known_part_stays_with_the_answer(stand: Any) -> None:
    loose = {"start": 0, "end": 1, "text": "x", "content_index": 7}
    message = {**ANSWER["message"], "citations": [loose]}  # type: ignore[dict-item]  # a dict
    answer = stand({"id": "a", "message": message}).provider.execute("m", "Hi")
    assert answer.provider_metadata["cohere"]["citations"] == [loose]


def test_a_conversation_of_another_provider_is_converted_or_reported(stand: Any) -> None:
    plan = explained(
        stand,
        Message("user", [TextPart("Look"), MediaPart("application/pdf", b"%PDF-1.7")]),
        Message(
            "assistant",
            [
                ReasoningPart("Hm.", "c2lnbmVk"),
                ReasoningPart("", redacted="b3BhcXVl"),
                RefusalPart("No."),
                ProviderPart("claude", {"type": "server_tool_use"}),
                ToolCall("1", "add", "no json"),
            ],
        ),
        Message("tool", ToolResult("1", [TextPart("7"), MediaPart("image/png", b"\x89PNG")], is_error=True)),
        Message("user", "Go on"),
    )  # fmt: skip
    assert [m["role"] for m in plan.body["messages"]] == [
        "user",
        "assistant",
        "tool",
        "user",
        "user",
    ]
    asked = plan.body["messages"][1]
    assert asked["content"] == [
        {"type": "thinking", "thinking": "Hm."},
        {"type": "text", "text": "No."},
    ]
    assert json.loads(asked["tool_calls"][0]["function"]["arguments"]) == {"arguments": "no json"}
    assert told(plan) == [
        ("dropped", "application/pdf"),
        ("dropped", "reasoning"),
        ("emulated", "refusal"),
        ("dropped", "a part of claude"),
        ("emulated", "call of add"),
        ("dropped", "tool result"),
        ("emulated", "tool result"),
    ]


def test_one_tool_by_name_is_the_only_one_that_is_offered(stand: Any) -> None:
    tools = [Tool("add"), Tool("now", strict=True)]
    plan = explained(stand, tools=tools, tool_choice="now")
    assert [t["function"]["name"] for t in plan.body["tools"]] == ["now"]
    assert (plan.body["tool_choice"], plan.body["strict_tools"]) == ("REQUIRED", True)
    assert told(plan) == [("emulated", "tool_choice")]


def test_strictness_of_one_tool_is_that_of_all_and_is_told(stand: Any) -> None:
    plan = explained(stand, tools=[Tool("add"), Tool("now", strict=True)])
    assert plan.body["strict_tools"] is True
    assert told(plan) == [("emulated", "strict")]


def test_a_choice_without_tools_is_reported(stand: Any) -> None:
    assert told(explained(stand, tool_choice="required")) == [("dropped", "tool_choice")]


def test_version_1_is_one_setting_away_and_says_what_it_cannot(stand: Any) -> None:
    history = [
        Message("system", "Be kind."),
        Message("user", [TextPart("Add"), MediaPart("text/plain", b"One.", name="one.txt")]),
        Message("assistant", [ToolCall("1", "add", '{"a": 1}')]),
        Message("tool", ToolResult("1", "2")),
    ]
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 0}}}
    tools = [Tool("add", "Adds.", {**schema, "required": ["a"]})]
    params = GenerationParams(reasoning_effort="low", top_k=3)
    own = {"cohere": {"api": "v1"}}
    plan = explained(
        stand, *history, tools=tools, tool_choice="required", params=params, provider_options=own
    )
    use = {"name": "add", "parameters": {"a": 1}}
    assert plan.url.endswith("/v1/chat")
    assert plan.body == {
        "model": "m",
        "k": 3,
        "message": "",
        "tool_results": [{"call": use, "outputs": [{"text": "2"}]}],
        "chat_history": [
            {"role": "SYSTEM", "message": "Be kind."},
            {"role": "USER", "message": "Add"},
            {"role": "CHATBOT", "message": "", "tool_calls": [use]},
        ],
        "documents": [{"title": "one.txt", "text": "One."}],
        "tools": [
            {
                "name": "add",
                "description": "Adds.",
                "parameter_definitions": {"a": {"type": "int", "required": True}},
            }
        ],
    }
    assert told(plan) == [
        ("unsupported", "reasoning_effort"),
        ("unsupported", "tool_choice"),
        ("emulated", "tool add"),
    ]


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v2/"])
def test_the_address_may_have_the_version_or_not(stand: Any, ending: str) -> None:
    provider = stand(base_url=f"https://example.com{ending}").provider
    assert provider.explain("m", "Hi").url == "https://example.com/v2/chat"
