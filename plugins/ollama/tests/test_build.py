"""What a chat request becomes on the wire, and what it says about what it could not keep."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    ChatRequest,
    GenerationParams,
    InvalidRequestError,
    MediaPart,
    Message,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    ResponseFormat,
    TextPart,
    Tool,
    ToolCall,
    ToolResult,
)
from jackfield_ollama import OllamaProvider

OLLAMA = OllamaProvider({"base_url": "http://127.0.0.1:11434"})
PNG = b"\x89PNG\r\n\x1a\n and so on"
WEATHER = Tool("get_weather", "The weather of a city")
CLOCK = Tool("get_time")


def body(prompt: Any = "Hi", parameters: Any = None, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = OLLAMA.explain("pelican", prompt, parameters, **options).body
    return found


def warned(prompt: Any = "Hi", parameters: Any = None, **options: Any) -> list[tuple[str, str]]:
    explained = OLLAMA.explain("pelican", prompt, parameters, **options)
    return [(w.kind, w.subject) for w in explained.warnings]


def test_a_plain_call_says_model_messages_and_that_it_wants_no_stream() -> None:
    assert body() == {
        "model": "pelican",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": False,
    }


def test_parameters_go_into_options_under_ollamas_names() -> None:
    given: dict[str, Any] = {
        "max_tokens": 5,
        "temperature": 0,
        "top_p": 0.5,
        "top_k": 3,
        "min_p": 0.1,
        "seed": 7,
    }
    given |= {"stop": "x", "presence_penalty": 1, "frequency_penalty": 2, "repeat_penalty": 1.1}
    given |= {"ctx_size": 4096}
    assert body(parameters=given)["options"] == {
        "num_predict": 5, "temperature": 0, "top_p": 0.5, "top_k": 3, "min_p": 0.1, "seed": 7,
        "stop": ["x"], "presence_penalty": 1, "frequency_penalty": 2, "repeat_penalty": 1.1,
        "num_ctx": 4096,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("effort", "think", "kept"),
    [
        ("none", False, True),
        ("low", "low", True),
        ("medium", "medium", True),
        ("high", "high", True),
        ("max", "max", True),
        ("minimal", "low", False),
        ("xhigh", "high", False),
    ],
)
def test_effort_is_ollamas_think_and_a_level_it_lacks_is_the_nearest(
    effort: str, think: Any, kept: bool
) -> None:
    assert body(parameters={"reasoning_effort": effort})["think"] == think
    assert (warned(parameters={"reasoning_effort": effort}) == []) is kept


def test_what_ollama_has_no_parameter_for_is_a_warning() -> None:
    assert warned(parameters={"parallel_tool_calls": False}) == [
        ("unsupported", "parallel_tool_calls")
    ]


def test_the_callers_own_fields_are_merged_into_options() -> None:
    own = {"options": {"num_gpu": 1}, "keep_alive": 0, "think": True}
    made = body(parameters={"seed": 7}, provider_options={"ollama": own})
    assert made["options"] == {"seed": 7, "num_gpu": 1}
    assert made["keep_alive"] == 0
    assert made["think"] is True


def test_the_callers_own_fields_cannot_change_the_protocol() -> None:
    own = {"ollama": {"stream": True}}
    assert body(provider_options=own)["stream"] is False
    assert warned(provider_options=own) == [("dropped", "stream")]


def test_a_configured_keep_alive_goes_along_and_a_call_may_change_it() -> None:
    keeper = OllamaProvider({"base_url": "here", "keep_alive": "30m"})
    assert keeper.explain("any", "Hi").body["keep_alive"] == "30m"
    own = {"ollama": {"keep_alive": -1}}
    assert keeper.explain("any", "Hi", provider_options=own).body["keep_alive"] == -1


def test_images_are_base64_beside_the_text() -> None:
    prompt = Message("user", [TextPart("What is "), MediaPart("image/png", PNG), TextPart("this?")])
    (message,) = body(prompt)["messages"]
    assert message["content"] == "What is this?"
    assert [b64decode(i) for i in message["images"]] == [PNG]


def test_an_image_by_url_is_dropped_with_a_warning_and_refused_when_strict() -> None:
    prompt = Message(
        "user", [TextPart("What?"), MediaPart("image/png", url="https://x.test/a.png")]
    )
    assert "images" not in body(prompt)["messages"][0]
    assert warned(prompt) == [("dropped", "image/png")]
    with pytest.raises(InvalidRequestError, match="image/png"):
        body(prompt, strict=True)


def test_a_text_file_becomes_text_and_other_media_are_dropped() -> None:
    assert body("Sum up:", attachments=[MediaPart("text/plain", "Ä note. ".encode())])[
        "messages"
    ] == [{"role": "user", "content": "Ä note. Sum up:"}]
    assert warned("Sum up", attachments=[MediaPart("text/plain", b"note")]) == [
        ("emulated", "text/plain")
    ]
    assert warned("Sum up", attachments=[MediaPart("application/pdf", b"%PDF-")]) == [
        ("dropped", "application/pdf")
    ]


def test_a_conversation_with_tools_keeps_thinking_arguments_and_the_tools_name() -> None:
    asked = ToolCall("call_7", "get_weather", '{"city": "Paris", "days": 2}')
    prompt = [
        Message("user", "Weather?"),
        Message("assistant", [ReasoningPart("Hm."), asked]),
        Message("tool", ToolResult("call_7", "Sunny.")),
    ]
    _, assistant, tool = body(prompt)["messages"]
    function = {"name": "get_weather", "arguments": {"city": "Paris", "days": 2}}
    assert assistant == {
        "role": "assistant",
        "content": "",
        "thinking": "Hm.",
        "tool_calls": [{"id": "call_7", "type": "function", "function": function}],
    }
    assert tool == {
        "role": "tool",
        "content": "Sunny.",
        "tool_name": "get_weather",
        "tool_call_id": "call_7",
    }


def test_a_result_is_named_by_the_last_call_of_its_id() -> None:
    turns = [
        (Message("assistant", ToolCall("0", name)), Message("tool", ToolResult("0", name)))
        for name in ("first", "second")
    ]
    messages = body([m for turn in turns for m in turn])["messages"]
    assert [m["tool_name"] for m in messages if m["role"] == "tool"] == ["first", "second"]


def test_results_beside_other_parts_become_messages_of_their_own() -> None:
    call = Message("assistant", [ToolCall("a", "one"), ToolCall("b", "two")])
    picture = MediaPart("image/png", PNG)
    answer = Message("user", [ToolResult("a", "1"), ToolResult("b", [picture]), TextPart("Go on.")])
    messages = body([call, answer])["messages"]
    assert [(m["role"], m["content"]) for m in messages[1:]] == [
        ("tool", "1"),
        ("tool", ""),
        ("user", "Go on."),
    ]
    assert "images" in messages[2]


@pytest.mark.parametrize("arguments", ["[1]", "not JSON", '"text"', "3"])
def test_arguments_that_are_no_object_are_wrapped_and_told(arguments: str) -> None:
    prompt = [Message("user", "Hi"), Message("assistant", ToolCall("a", "one", arguments))]
    wire = body(prompt)["messages"][1]["tool_calls"][0]["function"]["arguments"]
    assert list(wire) == ["arguments"]
    assert warned(prompt) == [("emulated", "tool call")]


def test_parts_of_other_providers_are_told() -> None:
    parts = [RefusalPart("No."), ProviderPart("claude", {}), ReasoningPart("", redacted="xyz")]
    assert warned(Message("assistant", parts)) == [
        ("emulated", "refusal"),
        ("dropped", "ProviderPart"),
        ("dropped", "ReasoningPart"),
    ]
    failed = Message("tool", ToolResult("a", "no such city", is_error=True))
    assert warned([Message("assistant", ToolCall("a", "one")), failed]) == [
        ("dropped", "tool result")
    ]


def test_tools_are_functions_and_a_schema_that_must_hold_is_a_warning() -> None:
    (tool,) = body(tools=[WEATHER])["tools"]
    function = {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {}},
        "description": "The weather of a city",
    }
    assert tool == {"type": "function", "function": function}
    assert warned(tools=[Tool("held", strict=True)]) == [("unsupported", "tool held")]


@pytest.mark.parametrize(
    ("choice", "offered", "told"),
    [
        ("auto", ["get_weather", "get_time"], []),
        ("none", [], []),
        ("required", ["get_weather", "get_time"], [("unsupported", "tool_choice")]),
        ("get_time", ["get_time"], [("emulated", "tool_choice")]),
    ],
)
def test_a_tool_choice_decides_what_is_offered(choice: str, offered: Any, told: Any) -> None:
    options = {"tools": [WEATHER, CLOCK], "tool_choice": choice}
    assert [t["function"]["name"] for t in body(**options).get("tools", ())] == offered
    assert warned(**options) == told


def test_a_choice_of_a_tool_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="no tool 'other'"):
        body(tools=[WEATHER], tool_choice="other")


SCHEMA = {"type": "object", "properties": {"age": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        ("json", "json"),
        (SCHEMA, SCHEMA),
        (ResponseFormat(type="json_schema", schema=SCHEMA), SCHEMA),
        (ResponseFormat(type="json_schema"), "json"),
        ("text", None),
        (None, None),
    ],
)
def test_a_response_format_is_ollamas_format(wanted: Any, sent: Any) -> None:
    assert body(response_format=wanted).get("format") == sent


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists)))
def test_any_arguments_come_back_as_the_object_that_they_were(arguments: dict[str, Any]) -> None:
    import json

    request = ChatRequest(
        model="m", messages=[Message("assistant", ToolCall("a", "one", json.dumps(arguments)))]
    )
    wire = OLLAMA.explain(request).body["messages"][0]["tool_calls"][0]["function"]["arguments"]
    assert wire == arguments


@given(st.lists(st.sampled_from(["system", "user", "assistant"]), min_size=1), st.data())
def test_messages_keep_their_order_role_and_text(roles: list[str], data: st.DataObject) -> None:
    texts = [data.draw(st.text()) for _ in roles]
    prompt = [Message(r, t) for r, t in zip(roles, texts, strict=True)]
    request = ChatRequest(model="m", messages=prompt, params=GenerationParams(seed=1))
    wire = OLLAMA.explain(request).body["messages"]
    assert [(m["role"], m["content"]) for m in wire] == list(zip(roles, texts, strict=True))
