"""The official SDK as a witness: for the same call it sends the same request, and finds the same server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest

from jackfield import ChatRequest, GenerationParams, Message, TextPart, ToolCall, ToolResult
from jackfield.operations import CompletionRequest, LoadRequest
from jackfield_ollama import OllamaProvider, server_url
from support.ollama_reading import meaning

sdk = pytest.importorskip("ollama", reason="needs Ollama's official SDK (pip install ollama)")

Recorder = tuple[str, list[tuple[str, str, Any]]]

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "Its name"}},
            "required": ["city"],
        },
    },
}
SCHEMA = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
PNG = b"\x89PNG\r\n\x1a\n and so on"
HI = [{"role": "user", "content": "Hi"}]
SYSTEM = [{"role": "system", "content": "Be kind."}, *HI]

ASKED = {"function": {"name": "get_weather", "arguments": {"city": "Paris"}}}
CONVERSATION = [
    {"role": "user", "content": "Weather?"},
    {"role": "assistant", "content": "", "thinking": "Hm.", "tool_calls": [ASKED]},
    {"role": "tool", "content": "Sunny.", "tool_name": "get_weather"},
]
OURS = [
    {"role": "user", "content": "Weather?"},
    {
        "role": "assistant",
        "reasoning": "Hm.",
        "tool_calls": [
            {"id": "a", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "a", "content": "Sunny."},
]

Call = Callable[[Any], Any]
CALLS: Mapping[str, tuple[Call, Call]] = {
    "chat": (lambda c: c.chat("m", HI), lambda p: p.execute("m", "Hi")),
    "system": (
        lambda c: c.chat("m", SYSTEM),
        lambda p: p.execute("m", "Hi", system="Be kind."),
    ),
    "stream": (
        lambda c: list(c.chat("m", HI, stream=True)),
        lambda p: p.stream_execute("m", "Hi").drain(),
    ),
    "options": (
        lambda c: c.chat(
            "m",
            HI,
            options={
                "temperature": 0.5,
                "num_predict": 9,
                "num_ctx": 4096,
                "seed": 7,
                "top_k": 3,
                "top_p": 0.5,
                "min_p": 0.1,
                "stop": ["x"],
                "repeat_penalty": 1.1,
                "presence_penalty": 0.5,
                "frequency_penalty": 0.25,
            },
        ),
        lambda p: p.execute(
            "m",
            "Hi",
            {
                "temperature": 0.5,
                "max_tokens": 9,
                "context": 4096,
                "seed": 7,
                "top_k": 3,
                "top_p": 0.5,
                "min_p": 0.1,
                "stop": "x",
                "repeat_penalty": 1.1,
                "presence_penalty": 0.5,
                "frequency_penalty": 0.25,
            },
        ),
    ),
    "tools": (
        lambda c: c.chat("m", HI, tools=[WEATHER]),
        lambda p: p.execute("m", "Hi", tools=[WEATHER]),
    ),
    "tool result": (
        lambda c: c.chat("m", CONVERSATION, tools=[WEATHER]),
        lambda p: p.execute("m", OURS, tools=[WEATHER]),
    ),
    "json": (
        lambda c: c.chat("m", HI, format="json"),
        lambda p: p.execute("m", "Hi", response_format="json"),
    ),
    "schema": (
        lambda c: c.chat("m", HI, format=SCHEMA),
        lambda p: p.execute("m", "Hi", response_format=SCHEMA),
    ),
    "no thinking": (
        lambda c: c.chat("m", HI, think=False),
        lambda p: p.execute("m", "Hi", {"reasoning_effort": "none"}),
    ),
    "thinking": (
        lambda c: c.chat("m", HI, think="high"),
        lambda p: p.execute("m", "Hi", {"reasoning_effort": "high"}),
    ),
    "image": (
        lambda c: c.chat("m", [{"role": "user", "content": "What?", "images": [PNG]}]),
        lambda p: p.execute("m", "What?", attachments=[PNG]),
    ),
    "keep alive": (
        lambda c: c.chat("m", HI, keep_alive="30m"),
        lambda p: p.execute("m", "Hi", provider_options={"ollama": {"keep_alive": "30m"}}),
    ),
    "plain text": (
        lambda c: c.generate("m", "Once", suffix="end", options={"seed": 7}, raw=True),
        lambda p: p.complete(
            "m", "Once", {"seed": 7}, suffix="end", provider_options={"ollama": {"raw": True}}
        ),
    ),
    "streamed plain text": (
        lambda c: list(c.generate("m", "Once", think="low", stream=True)),
        lambda p: p.stream(
            CompletionRequest(
                model="m", prompt="Once", params=GenerationParams(reasoning_effort="low")
            )
        ).drain(),
    ),
    "load": (
        lambda c: c.chat("m", options={"num_ctx": 4096}),
        lambda p: p.run(LoadRequest(model="m", context_length=4096)),
    ),
    "unload": (lambda c: c.chat("m", keep_alive=0), lambda p: p.unload("m")),
    "embed": (
        lambda c: c.embed("m", ["one", "two"], dimensions=1),
        lambda p: p.embed("m", ["one", "two"], dimensions=1),
    ),
    "list": (lambda c: c.list(), lambda p: p.list_models()),
    "running": (lambda c: c.ps(), lambda p: p.running()),
    "show": (lambda c: c.show("m"), lambda p: p.show("m")),
    "pull": (lambda c: list(c.pull("m", stream=True)), lambda p: p.pull("m").drain()),
    "insecure pull": (
        lambda c: list(c.pull("m", insecure=True, stream=True)),
        lambda p: p.pull("m", provider_options={"ollama": {"insecure": True}}).drain(),
    ),
    "delete": (lambda c: c.delete("m"), lambda p: p.delete("m")),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_sdk_and_we_send_the_same_request(name: str, recorder: Recorder) -> None:
    url, sent = recorder
    theirs, ours = CALLS[name]
    with sdk.Client(host=url) as client:
        theirs(client)
    ours(OllamaProvider({"base_url": url}))
    witness, mine = ((method, path, said(body)) for method, path, body in sent)
    assert mine == witness


def said(body: Any) -> Any:
    """What a body means; the SDK spells out that a pull shall not be insecure."""
    found = meaning(body)
    return {k: v for k, v in found.items() if (k, v) != ("insecure", False)} if found else found


@pytest.mark.parametrize(
    "host",
    [
        "", "gpu-box", "gpu-box:8080", ":8080", "gpu-box/", "gpu-box:8080/path/", "1.2.3.4",
        "http://gpu-box", "https://gpu-box", "https://gpu-box:8443/path", "[::2]", "[::2]:8080",
        "https://[::2]/path",
    ],
)  # fmt: skip
def test_the_sdk_and_we_find_the_same_server(host: str) -> None:
    parse: Callable[[str], str] = pytest.importorskip("ollama._client")._parse_host
    ours, theirs = urlsplit(server_url(host)), urlsplit(parse(host))
    usual = {"http": 80, "https": 443}
    assert (ours.scheme, ours.hostname, ours.path) == (theirs.scheme, theirs.hostname, theirs.path)
    assert (ours.port or usual[ours.scheme]) == theirs.port


def test_an_answer_of_ours_can_be_sent_back_as_the_sdk_would(recorder: Recorder) -> None:
    url, sent = recorder
    call = ToolCall("a", "get_weather", '{"city": "Paris"}')
    messages = [
        Message("user", "Weather?"),
        Message("assistant", [TextPart("Wait."), call]),
        Message("tool", ToolResult("a", "Sunny.")),
    ]
    OllamaProvider({"base_url": url}).run(ChatRequest(model="m", messages=messages))
    parsed = [sdk.Message(**m) for m in sent[0][2]["messages"]]
    assert parsed[1].tool_calls[0].function.arguments == {"city": "Paris"}
    assert parsed[2].tool_name == "get_weather"
