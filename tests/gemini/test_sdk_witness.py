"""The official SDK as a witness: for the same call it and we send the same request, and read the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import types

from gemini.meaning import meaning
from jackfield import (
    LLMProvider,
    MediaPart,
    Message,
    TextPart,
    Tool,
    ToolCall,
    ToolResult,
    create_provider,
)
from jackfield.testing.faults import FaultServer

KEY, MODEL, PIXEL = "made-up-key", "gemini-2.5-flash", b"\x89PNG\r\n\x1a\n a pixel"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}
FUNCTION = {"name": "get_weather", "description": "Weather.", "parameters": SCHEMA}
DECLARED = {"name": "get_weather", "description": "Weather.", "parameters_json_schema": SCHEMA}
TOOLS = [{"function_declarations": [DECLARED]}]
SAFETY = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}]
SERVED = [
    Tool("search", provider_metadata={"gemini": {"googleSearch": {}}}),
    Tool("read", provider_metadata={"gemini": {"urlContext": {}}}),
    Tool("run", provider_metadata={"gemini": {"codeExecution": {}}}),
    Tool(
        "find",
        provider_metadata={
            "gemini": {"fileSearch": {"fileSearchStoreNames": ["fileSearchStores/a"]}}
        },
    ),
]
LOOP = [
    {"role": "user", "parts": [{"text": "Weather in Paris?"}]},
    {
        "role": "model",
        "parts": [
            {
                "function_call": {"id": "c1", "name": "get_weather", "args": {"city": "Paris"}},
                "thought_signature": b"signed",
            }
        ],
    },
    {
        "role": "user",
        "parts": [
            {"function_response": {"id": "c1", "name": "get_weather", "response": {"sky": "blue"}}}
        ],
    },
]
OUR_LOOP = [
    Message("user", "Weather in Paris?"),
    Message(
        "assistant",
        ToolCall(
            "c1",
            "get_weather",
            '{"city": "Paris"}',
            provider_metadata={"gemini": {"thoughtSignature": "c2lnbmVk"}},
        ),
    ),
    Message("tool", ToolResult("c1", '{"sky": "blue"}')),
]

CALLS: dict[str, tuple[Any, dict[str, Any], Any, dict[str, Any], dict[str, Any]]] = {
    "chat": ("Hi", {}, "Hi", {}, {}),
    "sampling": (
        "Hi",
        {"temperature": 0.25, "top_p": 0.5, "top_k": 5, "seed": 7, "max_output_tokens": 9}
        | {"stop_sequences": ["END"], "presence_penalty": 0.5, "frequency_penalty": 0.25},
        "Hi",
        {"temp": 0.25, "top_p": 0.5, "top_k": 5, "seed": 7, "max_tokens": 9, "stop": "END"}
        | {"presence_penalty": 0.5, "frequency_penalty": 0.25},
        {},
    ),
    "system and picture": (
        [types.Part.from_bytes(data=PIXEL, mime_type="image/png"), "Look"],
        {"system_instruction": "Be brief."},
        [
            Message("system", "Be brief."),
            Message("user", [MediaPart("image/png", PIXEL), TextPart("Look")]),
        ],
        {},
        {},
    ),
    "tools": (
        LOOP,
        {"tools": TOOLS, "tool_config": {"function_calling_config": {"mode": "ANY"}}},
        OUR_LOOP,
        {},
        {"tools": [FUNCTION], "tool_choice": "required"},
    ),
    "thinking": (
        "Hi",
        {"thinking_config": {"thinking_budget": 8192, "include_thoughts": True}},
        "Hi",
        {"reasoning_effort": "medium"},
        {},
    ),
    "sound, video and a PDF": (
        [
            types.Part.from_bytes(data=b"RIFF", mime_type="audio/wav"),
            types.Part.from_uri(file_uri="https://youtu.be/abc", mime_type="video/mp4"),
            types.Part.from_bytes(data=b"%PDF-1.7", mime_type="application/pdf"),
            "What is in these?",
        ],
        {},
        Message(
            "user",
            [
                MediaPart("audio/wav", b"RIFF"),
                MediaPart("video/mp4", url="https://youtu.be/abc"),
                MediaPart("application/pdf", b"%PDF-1.7"),
                TextPart("What is in these?"),
            ],
        ),
        {},
        {},
    ),
    "safety": (
        "Hi",
        {"safety_settings": SAFETY, "response_modalities": ["TEXT"]},
        "Hi",
        {},
        {
            "provider_options": {
                "gemini": {
                    "safetySettings": SAFETY,
                    "generationConfig": {"responseModalities": ["TEXT"]},
                }
            }
        },
    ),
    "tools of the service": (
        "Hi",
        {
            "tools": [
                {"google_search": {}},
                {"url_context": {}},
                {"code_execution": {}},
                {"file_search": {"file_search_store_names": ["fileSearchStores/a"]}},
            ]
        },
        "Hi",
        {},
        {"tools": SERVED},
    ),
    "a tool that must be called": (
        "Hi",
        {
            "tools": TOOLS,
            "tool_config": {
                "function_calling_config": {
                    "mode": "ANY",
                    "allowed_function_names": ["get_weather"],
                }
            },
        },
        "Hi",
        {},
        {"tools": [FUNCTION], "tool_choice": "get_weather"},
    ),
    "no tool now": (
        "Hi",
        {"tools": TOOLS, "tool_config": {"function_calling_config": {"mode": "NONE"}}},
        "Hi",
        {},
        {"tools": [FUNCTION], "tool_choice": "none"},
    ),
    "any JSON": (
        "Hi",
        {"response_mime_type": "application/json"},
        "Hi",
        {},
        {"response_format": "json"},
    ),
    "schema": (
        "Hi",
        {"response_mime_type": "application/json", "response_json_schema": SCHEMA},
        "Hi",
        {},
        {"response_format": SCHEMA},
    ),
}


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture(scope="module")
def sdk(server: FaultServer) -> Any:
    url = server.url("gemini", "ok", tag="sdk")
    return genai.Client(
        api_key=KEY, http_options=types.HttpOptions(base_url=url, api_version="v1beta")
    )


@pytest.fixture(scope="module")
def ours(server: FaultServer) -> Iterator[LLMProvider]:
    url = server.url("gemini", "ok", tag="ours")
    with create_provider("google", {"api_key": KEY, "base_url": url}) as provider:
        yield provider


def last(server: FaultServer, tag: str) -> dict[str, Any]:
    """What of the last request of *tag* matters to the service."""
    seen = server.log.requests(tag)[-1]
    path = seen.path.partition(tag)[2] or seen.path
    key = seen.headers.get("x-goog-api-key")
    return {"method": seen.method, "path": path, "key": key, "body": meaning(seen.json)}


@pytest.mark.parametrize("name", CALLS)
def test_the_sdk_and_we_send_and_read_the_same(
    name: str, server: FaultServer, sdk: Any, ours: LLMProvider
) -> None:
    contents, config, prompt, parameters, options = CALLS[name]
    config = {**config, "automatic_function_calling": {"disable": True}}
    told = sdk.models.generate_content(model=MODEL, contents=contents, config=config)
    answer = ours.execute(MODEL, prompt, parameters, **options)
    assert last(server, "ours") == last(server, "sdk")
    parts = told.candidates[0].content.parts
    assert answer.text == "".join(p.text for p in parts if p.text and not p.thought)
    assert answer.reasoning == "".join(p.text for p in parts if p.text and p.thought)
    assert [c.id for c in answer.tool_calls] == [c.id for c in told.function_calls or ()]
    assert answer.usage.total_tokens == told.usage_metadata.total_token_count
    assert answer.warnings == ()


@pytest.mark.parametrize("name", CALLS)
def test_the_sdk_and_we_stream_the_same(
    name: str, server: FaultServer, sdk: Any, ours: LLMProvider
) -> None:
    contents, config, prompt, parameters, options = CALLS[name]
    config = {**config, "automatic_function_calling": {"disable": True}}
    told = list(sdk.models.generate_content_stream(model=MODEL, contents=contents, config=config))
    answer = ours.stream_execute(MODEL, prompt, parameters, **options).drain()
    assert last(server, "ours") == last(server, "sdk")
    parts = [p for e in told for p in e.candidates[0].content.parts or ()]
    assert answer.text == "".join(p.text for p in parts if p.text and not p.thought)
    assert answer.raw_finish_reason == told[-1].candidates[0].finish_reason.value
