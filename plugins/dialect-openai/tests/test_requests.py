"""Requests are written in the dialect, and whatever it cannot take is told in a warning."""

from __future__ import annotations

import base64
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    CallWarning,
    ChatRequest,
    InvalidRequestError,
    MediaPart,
    Message,
    ProviderInfo,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    ResponseFormat,
    TextPart,
    Tool,
    ToolCall,
    ToolResult,
)
from jackfield.params import GenerationParams
from jackfield.testing import strategies as jf
from jackfield_dialect_openai import PARAMS, SAMPLING, GenericProvider, OpenAICompatibleProvider

NAME = "openai-compatible"
PROVIDER = GenericProvider({"base_url": "http://127.0.0.1:8080/v1"})
PNG, PDF, WAV = b"\x89PNG\r\n\x1a\n", b"%PDF-1.4", b"RIFF....WAVE"


class Plain(OpenAICompatibleProvider):
    """A vendor that adjusts nothing."""

    info: ClassVar = ProviderInfo(name="plain", display_name="Plain", api_key_required=False)


PLAIN = Plain({"base_url": "http://127.0.0.1:8080/v1"})


def explained(*messages: Message, provider: Any = PROVIDER, **fields: Any) -> tuple[Any, Any]:
    """The body for *messages*, and the warnings."""
    said = provider.explain(ChatRequest(model="m", messages=messages, **fields))
    return said.body, said.warnings


def wire(*parts: Any, role: str = "user", provider: Any = PROVIDER) -> tuple[Any, Any]:
    """The one message that *parts* become, and the warnings."""
    body, warnings = explained(Message(role, parts), provider=provider)
    (message,) = body["messages"]
    assert message.pop("role") == role
    return message, warnings


def url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


PARTS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("user", (TextPart("Hi"),), {"content": "Hi"}),
    ("system", (TextPart("Be kind"),), {"content": "Be kind"}),
    ("user", (), {"content": ""}),
    (
        "user",
        (TextPart("a"), TextPart("b")),
        {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
    ),
    ("assistant", (TextPart("a"), TextPart("b")), {"content": "ab"}),
    (
        "user",
        (TextPart("See"), MediaPart("image/png", PNG)),
        {
            "content": [
                {"type": "text", "text": "See"},
                {"type": "image_url", "image_url": {"url": url("image/png", PNG)}},
            ]
        },
    ),
    (
        "user",
        (MediaPart("image/*", url="https://example.com/a.png"),),
        {"content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]},
    ),
    (
        "user",
        (MediaPart("image/png", PNG, provider_metadata={NAME: {"detail": "low"}}),),
        {
            "content": [
                {"type": "image_url", "image_url": {"url": url("image/png", PNG), "detail": "low"}}
            ]
        },
    ),
    (
        "user",
        (MediaPart("audio/wav", WAV),),
        {
            "content": [
                {
                    "type": "input_audio",
                    "input_audio": {"data": base64.b64encode(WAV).decode(), "format": "wav"},
                }
            ]
        },
    ),
    (
        "user",
        (MediaPart("application/pdf", PDF),),
        {
            "content": [
                {
                    "type": "file",
                    "file": {"filename": "document.pdf", "file_data": url("application/pdf", PDF)},
                }
            ]
        },
    ),
    (
        "user",
        (MediaPart("application/pdf", PDF, name="bill.pdf"),),
        {
            "content": [
                {
                    "type": "file",
                    "file": {"filename": "bill.pdf", "file_data": url("application/pdf", PDF)},
                }
            ]
        },
    ),
    (
        "user",
        (ProviderPart(NAME, {"type": "file", "file": {"file_id": "f1"}}),),
        {"content": [{"type": "file", "file": {"file_id": "f1"}}]},
    ),
    ("assistant", (RefusalPart("No."),), {"content": None, "refusal": "No."}),
    ("assistant", (ReasoningPart("Hm."), TextPart("Yes")), {"content": "Yes", "reasoning_content": "Hm."}),
    (
        "assistant",
        (ToolCall("c1", "add", '{"a": 1}'),),
        {
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
            ],
        },
    ),
    (
        "assistant",
        (MediaPart("audio/wav", WAV, provider_metadata={NAME: {"id": "a1"}}),),
        {"content": None, "audio": {"id": "a1"}},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("role", "parts", "expected"), PARTS)
def test_a_part_is_written_as_the_protocol_has_it(
    role: str, parts: tuple[Any, ...], expected: dict[str, Any]
) -> None:
    assert wire(*parts, role=role) == (expected, ())


LOSSES: list[tuple[str, Any, str, str]] = [
    ("user", MediaPart("audio/wav", url="https://example.com/a.wav"), "dropped", "audio/wav"),
    (
        "user",
        MediaPart("application/pdf", url="https://example.com/a.pdf"),
        "dropped",
        "application/pdf",
    ),
    ("user", ProviderPart("somebody", {"type": "x"}), "dropped", "ProviderPart"),
    ("assistant", MediaPart("image/png", PNG), "dropped", "image/png"),
    ("system", MediaPart("image/png", PNG), "dropped", "image/png"),
    ("assistant", ReasoningPart("Hm."), "dropped", "reasoning"),
]


@pytest.mark.parametrize(("role", "part", "kind", "subject"), LOSSES)
def test_what_the_dialect_cannot_take_is_a_warning_and_strict_an_error(
    role: str, part: Any, kind: str, subject: str
) -> None:
    message, (warning,) = wire(TextPart("Hi"), part, role=role, provider=PLAIN)
    assert message == {"content": "Hi"}
    assert (warning.kind, warning.subject) == (kind, subject)
    request = ChatRequest(model="m", messages=[Message(role, part)], strict=True)
    with pytest.raises(InvalidRequestError, match=subject) as caught:
        PLAIN.explain(request)
    assert caught.value.param == subject


def test_the_generic_provider_leaves_it_to_the_server_to_fetch_a_document() -> None:
    part = MediaPart("application/pdf", url="https://example.com/a.pdf")
    message, warnings = wire(part)
    assert message["content"][0]["file"]["file_data"] == "https://example.com/a.pdf"
    assert warnings == ()


CALLS = Message("assistant", [ToolCall("a", "look"), ToolCall("b", "look")])


def test_results_of_tools_are_messages_of_their_own() -> None:
    body, warnings = explained(
        CALLS, Message("tool", ToolResult("a", "one")), Message("tool", ToolResult("b", "two"))
    )
    assert body["messages"][1:] == [
        {"role": "tool", "tool_call_id": "a", "content": "one"},
        {"role": "tool", "tool_call_id": "b", "content": "two"},
    ]
    assert warnings == ()


@pytest.mark.parametrize("together", [True, False])
def test_media_of_tools_follow_the_last_of_their_results(together: bool) -> None:
    results = [
        ToolResult("a", [TextPart("one"), MediaPart("image/png", PNG)]),
        ToolResult("b", [MediaPart("image/png", PNG), TextPart("two"), TextPart("more")]),
    ]
    told = [Message("tool", results)] if together else [Message("tool", r) for r in results]
    body, warnings = explained(CALLS, *told, Message("user", "Go on"))
    image = {"type": "image_url", "image_url": {"url": url("image/png", PNG)}}
    several = [{"type": "text", "text": "two"}, {"type": "text", "text": "more"}]
    assert body["messages"][1:] == [
        {"role": "tool", "tool_call_id": "a", "content": "one"},
        {"role": "tool", "tool_call_id": "b", "content": several},
        {"role": "user", "content": [image, image]},
        {"role": "user", "content": "Go on"},
    ]
    assert [(w.kind, w.subject) for w in warnings] == [("emulated", "tool result")]


def test_that_a_tool_failed_cannot_be_marked() -> None:
    result = ToolResult("a", "no such city", is_error=True)
    body, (warning,) = explained(
        Message("assistant", ToolCall("a", "look")), Message("tool", result)
    )
    assert body["messages"][1]["content"] == "no such city"
    assert (warning.kind, warning.subject) == ("dropped", "tool result")


TOOL = Tool("add", "Adds numbers", {"type": "object", "properties": {"a": {"type": "integer"}}})


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", None),
        ("none", "none"),
        ("required", "required"),
        ("add", {"type": "function", "function": {"name": "add"}}),
    ],
)
def test_tools_and_the_choice_among_them(choice: str, expected: Any) -> None:
    tools = [TOOL, Tool("now", strict=True)]
    body, _ = explained(Message("user", "Hi"), tools=tools, tool_choice=choice)
    assert body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "add",
                "description": "Adds numbers",
                "parameters": TOOL.parameters,
            },
        },
        {
            "type": "function",
            "function": {
                "name": "now",
                "parameters": {"type": "object", "properties": {}},
                "strict": True,
            },
        },
    ]
    assert body.get("tool_choice") == expected


@pytest.mark.parametrize(
    ("choice", "warned"), [("auto", 0), ("none", 0), ("required", 1), ("add", 1)]
)
def test_a_choice_without_tools_is_told(choice: str, warned: int) -> None:
    params = GenerationParams(parallel_tool_calls=True)
    body, warnings = explained(Message("user", "Hi"), tool_choice=choice, params=params)
    assert body.keys() == {"model", "messages"}
    assert [(w.kind, w.subject) for w in warnings] == [("dropped", "tool_choice")] * warned


def test_tools_of_the_providers_own_can_be_chosen_from() -> None:
    own = {NAME: {"tools": [{"type": "web_search"}]}}
    body, warnings = explained(Message("user", "Hi"), tool_choice="required", provider_options=own)
    assert body["tools"] == [{"type": "web_search"}]
    assert body["tool_choice"] == "required"
    assert warnings == ()


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ResponseFormat(), {"type": "text"}),
        (ResponseFormat(type="json"), {"type": "json_object"}),
        (
            ResponseFormat(type="json_schema", schema={"type": "object"}),
            {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": {"type": "object"}},
            },
        ),
        (
            ResponseFormat(type="json_schema", schema={"type": "object"}, name="x", strict=True),
            {
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": {"type": "object"}, "strict": True},
            },
        ),
    ],
)
def test_the_shape_of_the_answer(wanted: ResponseFormat, expected: Any) -> None:
    body, _ = explained(Message("user", "Hi"), response_format=wanted)
    assert body["response_format"] == expected


TABLE = {**PARAMS, **SAMPLING}
WIRE_NAMES = {spec.wire for spec in TABLE.values()}


@given(params=jf.params())
def test_each_parameter_is_sent_clamped_or_told(params: GenerationParams) -> None:
    body, warnings = explained(Message("user", "Hi"), params=params, tools=[TOOL])
    warned = {w.subject: w.kind for w in warnings}
    for name in (f for f in GenerationParams.__annotations__ if getattr(params, f) is not None):
        value = getattr(params, name)
        if name not in TABLE:
            assert warned[name] == "unsupported"
            continue
        spec = TABLE[name]
        sent = body[spec.wire]
        if warned.get(name) == "clamped":
            assert sent in (spec.ge, spec.le)
        else:
            assert sent == (list(value) if isinstance(value, tuple) else value)
    unset = {spec.wire for name, spec in TABLE.items() if getattr(params, name) is None}
    assert body.keys() & unset == set()


@given(request=jf.chat_requests(with_media=True))
def test_any_request_can_be_written_and_unset_fields_are_left_out(request: ChatRequest) -> None:
    body, _ = explained(*request.messages, params=request.params, tools=request.tools)
    assert body["model"] == "m"
    assert None not in [value for key, value in body.items()]
    known = {"model", "messages", "tools", "tool_choice", "response_format"} | WIRE_NAMES
    assert body.keys() <= known


OWN = st.dictionaries(
    st.sampled_from(["logprobs", "metadata", "temperature", "response_format", "zz_new"]),
    jf.json_values(),
    max_size=4,
)


@given(own=OWN)
def test_fields_of_ones_own_win_and_objects_are_merged(own: dict[str, Any]) -> None:
    base: dict[str, Any] = {
        "params": GenerationParams(temperature=0.5),
        "response_format": ResponseFormat(type="json"),
    }
    plain, _ = explained(Message("user", "Hi"), **base)
    body, warnings = explained(Message("user", "Hi"), **base, provider_options={NAME: own})
    assert warnings == ()
    for key in plain.keys() | own.keys():
        if key not in own:
            assert body[key] == plain[key]
        elif isinstance(own[key], dict) and isinstance(plain.get(key), dict):
            assert body[key] == {**plain[key], **own[key]}
        else:
            assert body[key] == own[key]


def test_options_of_other_providers_are_left_out() -> None:
    others = {"claude": {"thinking": {"type": "enabled"}}}
    body, warnings = explained(Message("user", "Hi"), provider_options=others)
    assert body == {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    assert warnings == ()


def test_what_is_no_json_is_refused_before_it_is_sent() -> None:
    with pytest.raises(InvalidRequestError, match="JSON") as caught:
        explained(Message("user", "Hi"), provider_options={NAME: {"odd": object()}})
    assert caught.value.phase == "build"


def test_a_context_length_has_no_place_in_the_dialect() -> None:
    _, warnings = explained(Message("user", "Hi"), params=GenerationParams(context_length=4096))
    assert warnings == (CallWarning("unsupported", "context_length", "not sent"),)
