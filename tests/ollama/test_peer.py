"""The Ollama-shaped peer serves Ollama's official client, so that what it proves is worth something."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.llama_server import needs_llama_server
from support.ollama_shim import OllamaShim

sdk = pytest.importorskip("ollama", reason="needs Ollama's official SDK (pip install ollama)")

pytestmark = [pytest.mark.live, needs_llama_server]

HELLO = [{"role": "user", "content": "Hello"}]
GREEDY = {"temperature": 0, "num_predict": 60}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Get the weather in a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]


@pytest.fixture
def client(peer: OllamaShim) -> Iterator[Any]:
    with sdk.Client(host=peer.url) as found:
        yield found


def test_it_chats_whole_and_streamed(client: Any) -> None:
    whole = client.chat("tiny", HELLO, options=GREEDY)
    parts = list(client.chat("tiny", HELLO, options=GREEDY, stream=True))
    assert "".join(p.message.content for p in parts) == whole.message.content != ""
    assert (parts[-1].done, parts[-1].done_reason) == (True, "stop")
    assert parts[-1].eval_count == whole.eval_count > 0


def test_it_calls_tools_and_holds_to_schemas(client: Any) -> None:
    asked = [{"role": "user", "content": "What is the weather in Paris?"}]
    for parts in (
        [client.chat("tiny", asked, tools=TOOLS, options=GREEDY)],
        client.chat("tiny", asked, tools=TOOLS, options=GREEDY, stream=True),
    ):
        (call,) = [c for p in parts for c in p.message.tool_calls or ()]
        assert call.function.arguments == {"city": "Paris"}
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    made = client.chat("tiny", HELLO, format=schema, options=GREEDY).message.content
    assert isinstance(json.loads(made)["n"], int)


def test_it_embeds_lists_shows_pulls_and_deletes(client: Any) -> None:
    assert len(client.embed("tiny", ["a fox", "an owl"]).embeddings) == 2
    assert client.show("tiny").capabilities == ["completion", "tools"]
    steps = [step.status for step in client.pull("other", stream=True)]
    assert steps[-1] == "success"
    assert {m.model for m in client.list().models} == {"tiny:latest", "other:latest"}
    client.delete("other")
    assert {m.model for m in client.list().models} == {"tiny:latest"}
    assert client.ps().models == []


def test_it_does_not_find_what_is_not_there(client: Any) -> None:
    with pytest.raises(sdk.ResponseError, match="not found") as caught:
        client.chat("nope", HELLO)
    assert caught.value.status_code == 404


def test_it_writes_on_whole_and_streamed(client: Any) -> None:
    whole = client.generate("tiny", "Once upon", options=GREEDY)
    parts = list(client.generate("tiny", "Once upon", options=GREEDY, stream=True))
    assert "".join(p.response for p in parts) == whole.response != ""
    assert (parts[-1].done, parts[-1].eval_count) == (True, whole.eval_count)
