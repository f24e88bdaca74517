"""OpenAI's official SDK as a witness: for the same call, it and we send requests of one meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import anyio
import openai
import pytest
from attrs import field, frozen

from jackfield import (
    LLMProvider,
    MediaPart,
    Message,
    ModelInfoRequest,
    TextPart,
    Tool,
    ToolCall,
    ToolResult,
    create_provider,
)
from openai_dialect.asking import same_meaning
from openai_dialect.recorder import MODELS, VECTOR, Recorder, Seen, recorder

T = TypeVar("T")
KEY = "made-up-key-1234"
NAMES = ["openai", "openai-compatible", "vllm"]
SCHEMA = {
    "type": "object",
    "properties": {"age": {"type": "integer"}},
    "required": ["age"],
    "additionalProperties": False,
}
PNG = b"\x89PNG\r\n\x1a\n...."
PNG_URL = "data:image/png;base64,iVBORw0KGgouLi4u"
TOOL = Tool("get_age", "The age of an animal", SCHEMA)
TOOL_WIRE = {
    "type": "function",
    "function": {"name": "get_age", "description": "The age of an animal", "parameters": SCHEMA},
}
CALL_WIRE = {"id": "c1", "type": "function", "function": {"name": "get_age", "arguments": "{}"}}
HI = {"role": "user", "content": "Hi"}


OPENED: list[Any] = []
"""Clients of either side, to be closed at the end."""


def opened(client: T) -> T:
    """*client*, noted to be closed."""
    OPENED.append(client)
    return client


@pytest.fixture(scope="module")
def notes() -> Iterator[Recorder]:
    with recorder() as running:
        yield running
        while OPENED:
            OPENED.pop().close()


@frozen
class Same:
    """One call, as a user of the SDK writes it and as a user of ours does."""

    sdk: dict[str, Any]
    prompt: Any = "Hi"
    params: dict[str, Any] = field(factory=dict)
    options: dict[str, Any] = field(factory=dict)


CALLS = {
    "a chat": Same({"messages": [HI]}),
    "a system prompt": Same(
        {"messages": [{"role": "system", "content": "Be kind."}, HI]},
        options={"system": "Be kind."},
    ),
    "every common parameter": Same(
        {
            "messages": [HI],
            "max_completion_tokens": 9,
            "temperature": 0.5,
            "top_p": 0.9,
            "seed": 7,
            "stop": ["a", "b"],
            "presence_penalty": 0.1,
            "frequency_penalty": -0.1,
            "reasoning_effort": "low",
        },
        params={
            "max_tokens": 9,
            "temperature": 0.5,
            "top_p": 0.9,
            "seed": 7,
            "stop": ["a", "b"],
            "presence_penalty": 0.1,
            "frequency_penalty": -0.1,
            "reasoning_effort": "low",
        },
    ),
    "tools": Same(
        {"messages": [HI], "tools": [TOOL_WIRE], "parallel_tool_calls": False},
        params={"parallel_tool_calls": False},
        options={"tools": [TOOL]},
    ),
    "a tool that must be called": Same(
        {"messages": [HI], "tools": [TOOL_WIRE], "tool_choice": "required"},
        options={"tools": [TOOL], "tool_choice": "required"},
    ),
    "a tool by its name": Same(
        {
            "messages": [HI],
            "tools": [TOOL_WIRE],
            "tool_choice": {"type": "function", "function": {"name": "get_age"}},
        },
        options={"tools": [TOOL], "tool_choice": "get_age"},
    ),
    "a tool's result": Same(
        {
            "messages": [
                HI,
                {"role": "assistant", "content": None, "tool_calls": [CALL_WIRE]},
                {"role": "tool", "tool_call_id": "c1", "content": "3"},
            ],
            "tools": [TOOL_WIRE],
        },
        prompt=[
            Message("user", "Hi"),
            Message("assistant", ToolCall("c1", "get_age", "{}")),
            Message("tool", ToolResult("c1", "3")),
        ],
        options={"tools": [TOOL]},
    ),
    "an answer of a shape": Same(
        {
            "messages": [HI],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": SCHEMA},
            },
        },
        options={"response_format": SCHEMA},
    ),
    "an answer in JSON": Same(
        {"messages": [HI], "response_format": {"type": "json_object"}},
        options={"response_format": "json"},
    ),
    "a picture": Same(
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is it?"},
                        {"type": "image_url", "image_url": {"url": PNG_URL}},
                    ],
                }
            ]
        },
        prompt=Message("user", [TextPart("What is it?"), MediaPart("image/png", PNG)]),
    ),
}


def ours(notes: Recorder, name: str) -> LLMProvider:
    return opened(create_provider(name, {"base_url": notes.url, "api_key": KEY}))


def sdk(notes: Recorder) -> openai.OpenAI:
    return opened(openai.OpenAI(base_url=notes.url, api_key=KEY, max_retries=0))


def both(notes: Recorder, theirs: Callable[[], Any], mine: Callable[[], Any]) -> tuple[Any, Any]:
    """The answers to both calls; their requests agree in all but the body's spelling."""
    (their_answer, their_request), (answer, request) = (
        (call(), notes.seen[-1]) for call in (theirs, mine)
    )
    assert (request.method, request.path) == (their_request.method, their_request.path)
    for header in ("authorization", "content-type"):
        assert request.headers.get(header) == their_request.headers.get(header)
    assert meaning(request) == meaning(their_request)
    return their_answer, answer


def meaning(seen: Seen) -> Any:
    """What a request's body means."""
    if seen.path.endswith("/chat/completions"):
        return {**same_meaning(seen.body), "stream_options": seen.body.get("stream_options")}
    if seen.path.endswith("/embeddings"):
        given = seen.body["input"]
        plain = {k: v for k, v in seen.body.items() if k != "encoding_format"}
        return {**plain, "input": [given] if isinstance(given, str) else given}
    return seen.body


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("call", CALLS)
def test_a_chat_is_asked_and_read_like_the_sdk_does(notes: Recorder, call: str, name: str) -> None:
    same = CALLS[call]
    theirs, answer = both(
        notes,
        lambda: sdk(notes).chat.completions.create(model="m", **same.sdk),
        lambda: ours(notes, name).execute("m", same.prompt, same.params, **same.options),
    )
    assert answer.warnings == ()
    assert answer.text == theirs.choices[0].message.content
    assert answer.raw_finish_reason == theirs.choices[0].finish_reason
    assert answer.usage.total_tokens == theirs.usage.total_tokens
    assert (answer.id, answer.model) == (theirs.id, theirs.model)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("call", CALLS)
def test_a_stream_is_asked_and_read_like_the_sdk_does(
    notes: Recorder, call: str, name: str
) -> None:
    same = CALLS[call]
    wanted: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
    chunks, answer = both(
        notes,
        lambda: list(sdk(notes).chat.completions.create(model="m", **same.sdk, **wanted)),
        lambda: (
            ours(notes, name).stream_execute("m", same.prompt, same.params, **same.options).drain()
        ),
    )
    said = [c.choices[0].delta.content or "" for c in chunks if c.choices]
    assert answer.text == "".join(said)
    assert answer.usage.total_tokens == chunks[-1].usage.total_tokens


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("call", CALLS)
def test_an_event_loop_asks_the_same(notes: Recorder, call: str, backend: str) -> None:
    same = CALLS[call]
    provider = ours(notes, "openai")

    async def main() -> None:
        async with ours(notes, "openai") as other:
            await other.aexecute("m", same.prompt, same.params, **same.options)

    anyio.run(main, backend=backend)
    there = notes.seen[-1]
    provider.execute("m", same.prompt, same.params, **same.options)
    here = notes.seen[-1]
    assert (here.method, here.path, here.body) == (there.method, there.path, there.body)
    assert here.headers.keys() == there.headers.keys()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("given", ["one text", ["two", "texts"]])
def test_vectors_are_asked_for_like_the_sdk_does(notes: Recorder, given: Any, name: str) -> None:
    theirs, answer = both(
        notes,
        lambda: sdk(notes).embeddings.create(model="e", input=given, dimensions=2),
        lambda: ours(notes, name).embed("e", given, dimensions=2),
    )
    assert answer.vectors == tuple(tuple(row.embedding) for row in theirs.data)
    assert answer.vectors[0] == tuple(VECTOR)


@pytest.mark.parametrize("name", NAMES)
def test_models_are_asked_for_like_the_sdk_does(notes: Recorder, name: str) -> None:
    theirs, models = both(
        notes, lambda: list(sdk(notes).models.list()), lambda: ours(notes, name).list_models()
    )
    assert [m.id for m in models] == [m.id for m in theirs] == [m["id"] for m in MODELS]


# vLLM's server has no page for each model, as its description says: it is looked up in the list.
@pytest.mark.parametrize("name", [n for n in NAMES if n != "vllm"])
def test_a_model_is_asked_for_like_the_sdk_does(notes: Recorder, name: str) -> None:
    their_one, one = both(
        notes,
        lambda: sdk(notes).models.retrieve("org/b"),
        lambda: ours(notes, name).run(ModelInfoRequest(model="org/b")),
    )
    assert one.id == their_one.id


def test_whom_to_bill_is_said_like_the_sdk_does(notes: Recorder) -> None:
    billed: dict[str, Any] = {"organization": "org-1", "project": "proj-1"}
    opened(openai.OpenAI(base_url=notes.url, api_key=KEY, **billed)).models.list()
    theirs = notes.seen[-1].headers
    settings = {"base_url": notes.url, "api_key": KEY, **billed}
    opened(create_provider("openai", settings)).list_models()
    mine = notes.seen[-1].headers
    for header in ("openai-organization", "openai-project"):
        assert mine[header] == theirs[header]
