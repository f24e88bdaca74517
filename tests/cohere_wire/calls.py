"""The same calls in two words: what the official SDK is told, and what we are."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from attrs import field, frozen

from jackfield import MediaPart, Message, ReasoningPart, TextPart, ToolCall, ToolResult

MODEL = "command-a-03-2025"
PIXEL = b"\x89PNG\r\n\x1a\n a pixel"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
USER = [{"role": "user", "content": "Hi"}]
DOCUMENT = {"id": "birds", "data": {"title": "birds.txt", "text": "Pelicans have bills."}}
FUNCTION = {"name": "get_weather", "description": "Weather.", "parameters": SCHEMA}
TOOL = {"type": "function", "function": FUNCTION}
CITATION = {
    "start": 0,
    "end": 5,
    "text": "Sunny",
    "type": "TEXT_CONTENT",
    "content_index": 1,
    "sources": [{"type": "tool", "id": "call_1:0", "tool_output": {"sky": "sunny"}}],
}


@frozen(kw_only=True)
class Call:
    """One call: its name, the SDK's arguments, ours."""

    name: str
    sdk: dict[str, Any]
    prompt: Any = "Hi"
    parameters: dict[str, Any] = field(factory=dict)
    options: dict[str, Any] = field(factory=dict)

    def __str__(self) -> str:
        return self.name


LOOP = [
    {"role": "user", "content": "Weather in Paris?"},
    {
        "role": "assistant",
        "tool_plan": "I will look.",
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
            }
        ],
    },
    {
        "role": "tool",
        "tool_call_id": "call_1",
        "content": [{"type": "document", "document": {"data": {"sky": "sunny"}}}],
    },
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "It says so."},
            {"type": "text", "text": "Sunny."},
        ],
        "citations": [CITATION],
    },
    {"role": "user", "content": "And Rome?"},
]
OUR_LOOP = [
    Message("user", "Weather in Paris?"),
    Message(
        "assistant",
        [
            ReasoningPart("I will look.", provider_metadata={"cohere": {"type": "tool_plan"}}),
            ToolCall("call_1", "get_weather", '{"city": "Paris"}'),
        ],
    ),
    Message("tool", ToolResult("call_1", MediaPart("application/json", b'{"sky": "sunny"}'))),
    Message(
        "assistant",
        [
            ReasoningPart("It says so."),
            TextPart("Sunny.", provider_metadata={"cohere": {"citations": [CITATION]}}),
        ],
    ),
    Message("user", "And Rome?"),
]

CALLS = [
    Call(name="chat", sdk={"messages": USER}),
    Call(
        name="sampling and stops",
        sdk={
            "messages": USER,
            "max_tokens": 9,
            "temperature": 0.25,
            "p": 0.5,
            "k": 5,
            "seed": 7,
            "frequency_penalty": 0.5,
            "presence_penalty": 0.25,
            "stop_sequences": ["###", "END"],
        },
        parameters={
            "max_tokens": 9,
            "temp": 0.25,
            "top_p": 0.5,
            "top_k": 5,
            "seed": 7,
            "frequency_penalty": 0.5,
            "presence_penalty": 0.25,
            "stop": ["###", "END"],
        },
    ),
    Call(
        name="a system message, a picture and a document",
        sdk={
            "messages": [
                {"role": "system", "content": "Be brief."},
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "image_url",
                            "image_url": {
                                "url": f"data:image/png;base64,{b64encode(PIXEL).decode()}",
                                "detail": "low",
                            },
                        },
                        {"type": "text", "text": "Compare."},
                    ],
                },
            ],
            "documents": [DOCUMENT],
        },
        prompt=[
            Message("system", "Be brief."),
            Message(
                "user",
                [
                    MediaPart("image/png", PIXEL, provider_metadata={"cohere": {"detail": "low"}}),
                    MediaPart(
                        "text/plain",
                        b"Pelicans have bills.",
                        name="birds.txt",
                        provider_metadata={"cohere": {"id": "birds"}},
                    ),
                    TextPart("Compare."),
                ],
            ),
        ],
    ),
    Call(
        name="a tool loop with thinking, a plan and a citation",
        sdk={"messages": LOOP, "tools": [TOOL], "strict_tools": True},
        prompt=OUR_LOOP,
        options={"tools": [{**FUNCTION, "strict": True}]},
    ),
    Call(
        name="some tool",
        sdk={"messages": USER, "tools": [TOOL], "tool_choice": "REQUIRED"},
        options={"tools": [FUNCTION], "tool_choice": "required"},
    ),
    Call(
        name="no tool",
        sdk={"messages": USER, "tools": [TOOL], "tool_choice": "NONE"},
        options={"tools": [FUNCTION], "tool_choice": "none"},
    ),
    Call(
        name="thinking within a budget",
        sdk={"messages": USER, "thinking": {"type": "enabled", "token_budget": 8192}},
        parameters={"reasoning_effort": "medium"},
    ),
    Call(
        name="no thinking",
        sdk={"messages": USER, "thinking": {"type": "disabled"}},
        parameters={"reasoning_effort": "none"},
    ),
    Call(
        name="an answer in a schema",
        sdk={
            "messages": USER,
            "response_format": {"type": "json_object", "json_schema": SCHEMA},
        },
        options={"response_format": SCHEMA},
    ),
    Call(
        name="fields without a common name",
        sdk={
            "messages": USER,
            "documents": [DOCUMENT],
            "citation_options": {"mode": "ACCURATE"},
            "safety_mode": "STRICT",
        },
        options={
            "provider_options": {
                "cohere": {
                    "documents": [DOCUMENT],
                    "citation_options": {"mode": "ACCURATE"},
                    "safety_mode": "STRICT",
                }
            }
        },
    ),
]
