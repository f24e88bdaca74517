"""The same calls in two words: what the official SDK is told, and what we are."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from attrs import field, frozen

from jackfield import (
    MediaPart,
    Message,
    ProviderPart,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
)

MODEL = "claude-opus-4-8"
OLDER = "claude-haiku-4-5"
PIXEL = b"\x89PNG\r\n\x1a\n a pixel"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
CACHED = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
USER = [{"role": "user", "content": "Hi"}]
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}


@frozen(kw_only=True)
class Call:
    """One call: its name, the SDK's arguments, ours."""

    name: str
    sdk: dict[str, Any]
    prompt: Any = "Hi"
    parameters: dict[str, Any] = field(factory=dict)
    options: dict[str, Any] = field(factory=dict)
    model: str = MODEL
    betas: bool = False

    def __str__(self) -> str:
        return self.name


def _tool(**more: Any) -> dict[str, Any]:
    return {"name": "get_weather", "description": "Weather.", "input_schema": SCHEMA, **more}


TOOL = {"name": "get_weather", "description": "Weather.", "parameters": SCHEMA}
TOOL_LOOP = [
    {"role": "user", "content": "Weather in Paris and Rome?"},
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "Two calls.", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "b3BhcXVl"},
            {"type": "text", "text": "I'll look."},
            {
                "type": "tool_use",
                "id": "toolu_1",
                "name": "get_weather",
                "input": {"city": "Paris"},
            },
            {"type": "tool_use", "id": "toolu_2", "name": "get_weather", "input": {"city": "Rome"}},
        ],
    },
    {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "sunny"},
            {
                "type": "tool_result",
                "tool_use_id": "toolu_2",
                "is_error": True,
                "content": [
                    {"type": "text", "text": "no sensor"},
                    {
                        "type": "image",
                        "source": {
                            "type": "base64",
                            "media_type": "image/png",
                            "data": b64encode(PIXEL).decode(),
                        },
                    },
                ],
            },
        ],
    },
]
OUR_LOOP = [
    Message("user", "Weather in Paris and Rome?"),
    Message(
        "assistant",
        [
            ReasoningPart("Two calls.", "c2ln"),
            ReasoningPart("", redacted="b3BhcXVl"),
            TextPart("I'll look."),
            ToolCall("toolu_1", "get_weather", '{"city": "Paris"}'),
            ToolCall("toolu_2", "get_weather", '{"city": "Rome"}'),
        ],
    ),
    Message("tool", ToolResult("toolu_1", "sunny")),
    Message(
        "tool",
        ToolResult(
            "toolu_2", [TextPart("no sensor"), MediaPart("image/png", PIXEL)], is_error=True
        ),
    ),
]
SEEN_TOGETHER = [
    {
        "role": "user",
        "content": [
            {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
            {
                "type": "document",
                "title": "report.pdf",
                "source": {
                    "type": "base64",
                    "media_type": "application/pdf",
                    "data": b64encode(b"%PDF-1.7").decode(),
                },
                "citations": {"enabled": True},
            },
            {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "plain"},
            },
            {"type": "text", "text": "Compare.", **CACHED},
        ],
    }
]
OUR_DOCUMENTS = Message(
    "user",
    [
        MediaPart("image/png", url="https://example.com/a.png"),
        MediaPart(
            "application/pdf",
            b"%PDF-1.7",
            name="report.pdf",
            provider_metadata={"claude": {"citations": {"enabled": True}}},
        ),
        MediaPart("application/pdf", url="https://example.com/a.pdf"),
        MediaPart("text/markdown", b"plain"),
        TextPart("Compare.", provider_metadata={"claude": CACHED}),
    ],
)
FOUND = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"},
}

CALLS = [
    Call(name="chat", sdk={"messages": USER, "max_tokens": 4096}),
    Call(
        name="sampling, stops and the older models' parameters",
        sdk={
            "messages": USER,
            "max_tokens": 9,
            "stop_sequences": ["###", "END"],
            "extra_body": {"temperature": 0.2, "top_p": 0.9, "top_k": 5},
        },
        parameters={"max_tokens": 9, "stop": ["###", "END"], "temp": 0.2, "top_p": 0.9, "top_k": 5},
        model=OLDER,
    ),
    Call(
        name="system prompts, one of them cached",
        sdk={
            "messages": USER,
            "max_tokens": 4096,
            "system": [
                {"type": "text", "text": "Be kind.", **CACHED},
                {"type": "text", "text": "Be brief."},
            ],
        },
        prompt=[
            Message("system", [TextPart("Be kind.", provider_metadata={"claude": CACHED})]),
            Message("system", "Be brief."),
            Message("user", "Hi"),
        ],
    ),
    Call(
        name="pictures and documents",
        sdk={"messages": SEEN_TOGETHER, "max_tokens": 4096},
        prompt=OUR_DOCUMENTS,
    ),
    Call(
        name="a tool loop with thinking",
        sdk={
            "messages": TOOL_LOOP,
            "max_tokens": 4096,
            "tools": [_tool(strict=True, **CACHED)],
            "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        },
        prompt=OUR_LOOP,
        parameters={"parallel_tool_calls": False},
        options={"tools": [{**TOOL, "strict": True}]},
    ),
    Call(
        name="a forced tool",
        sdk={
            "messages": USER,
            "max_tokens": 4096,
            "tools": [_tool()],
            "tool_choice": {"type": "tool", "name": "get_weather"},
        },
        options={"tools": [TOOL], "tool_choice": "get_weather"},
    ),
    Call(
        name="any tool",
        sdk={
            "messages": USER,
            "max_tokens": 4096,
            "tools": [_tool()],
            "tool_choice": {"type": "any"},
        },
        options={"tools": [TOOL], "tool_choice": "required"},
    ),
    Call(
        name="no tool",
        sdk={
            "messages": USER,
            "max_tokens": 4096,
            "tools": [_tool()],
            "tool_choice": {"type": "none"},
        },
        options={"tools": [TOOL], "tool_choice": "none"},
    ),
    Call(
        name="adaptive thinking",
        sdk={
            "messages": USER,
            "max_tokens": 9000,
            "thinking": {"type": "adaptive"},
            "output_config": {"effort": "medium"},
        },
        parameters={"reasoning_effort": "medium", "max_tokens": 9000},
    ),
    Call(
        name="thinking within a budget",
        model=OLDER,
        sdk={
            "messages": USER,
            "max_tokens": 20000,
            "thinking": {"type": "enabled", "budget_tokens": 8192},
        },
        parameters={"reasoning_effort": "medium", "max_tokens": 20000},
    ),
    Call(
        name="an answer in a schema",
        sdk={
            "messages": USER,
            "max_tokens": 4096,
            "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
        },
        options={"response_format": SCHEMA},
    ),
    Call(
        name="betas and fields without a common name",
        betas=True,
        sdk={
            "messages": USER,
            "max_tokens": 4096,
            "betas": ["files-api-2025-04-14", "context-1m-2025-08-07"],
            "metadata": {"user_id": "u-1"},
            "service_tier": "auto",
        },
        options={
            "provider_options": {
                "claude": {
                    "betas": ["files-api-2025-04-14", "context-1m-2025-08-07"],
                    "metadata": {"user_id": "u-1"},
                    "service_tier": "auto",
                }
            }
        },
    ),
    Call(
        name="blocks of Claude's own",
        sdk={
            "max_tokens": 4096,
            "messages": [*USER, {"role": "assistant", "content": [FOUND]}, *USER],
            "tools": [SEARCH],
        },
        prompt=[
            Message("user", "Hi"),
            Message("assistant", [ProviderPart("claude", FOUND)]),
            Message("user", "Hi"),
        ],
        options={"tools": [SEARCH]},
    ),
]
