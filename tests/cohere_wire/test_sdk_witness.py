"""The official SDK as a witness: for the same call it and we send the same request, and read the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cohere
import httpx
import pytest

from cohere_wire.calls import CALLS, MODEL, Call
from cohere_wire.meaning import meaning
from jackfield import LLMProvider, create_provider
from jackfield.testing.faults import FaultServer

KEY = "made-up-key"


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


@pytest.fixture(scope="module")
def sdk(server: FaultServer, http: httpx.Client) -> Any:
    url = server.url("cohere", "ok", tag="sdk")
    return cohere.ClientV2(KEY, base_url=url, httpx_client=http)


@pytest.fixture(scope="module")
def ours(server: FaultServer) -> Iterator[LLMProvider]:
    url = server.url("cohere", "ok", tag="ours")
    with create_provider("cohere", {"api_key": KEY, "base_url": url}) as provider:
        yield provider


def last(server: FaultServer, tag: str) -> dict[str, Any]:
    """What of the last request of *tag* matters to the service."""
    seen = server.log.requests(tag)[-1]
    path = seen.path.partition(tag)[2] or seen.path
    headers = {name: seen.headers.get(name) for name in ("authorization", "content-type")}
    return {"method": seen.method, "path": path, "headers": headers, "body": meaning(seen.json)}


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_the_sdk_and_we_send_and_read_the_same(
    call: Call, server: FaultServer, sdk: Any, ours: LLMProvider
) -> None:
    told = sdk.chat(model=MODEL, **call.sdk)
    answer = ours.execute(MODEL, call.prompt, call.parameters, **call.options)
    assert last(server, "ours") == last(server, "sdk")
    blocks = told.message.content
    assert answer.text == "".join(b.text for b in blocks if b.type == "text")
    assert answer.reasoning == "".join(b.thinking for b in blocks if b.type == "thinking")
    calls = [(c.id, c.function.arguments) for c in told.message.tool_calls or ()]
    assert [(c.id, c.arguments) for c in answer.tool_calls] == calls
    assert answer.usage.output_tokens == told.usage.tokens.output_tokens
    assert answer.warnings == ()


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_the_sdk_and_we_stream_the_same(
    call: Call, server: FaultServer, sdk: Any, ours: LLMProvider
) -> None:
    events = list(sdk.chat_stream(model=MODEL, **call.sdk))
    answer = ours.stream_execute(MODEL, call.prompt, call.parameters, **call.options).drain()
    assert last(server, "ours") == last(server, "sdk")
    deltas = [e.delta.message.content.text for e in events if e.type == "content-delta"]
    assert answer.text == "".join(text or "" for text in deltas)
    (end,) = [e.delta.finish_reason for e in events if e.type == "message-end"]
    assert answer.raw_finish_reason == end


def test_the_sdk_and_we_embed_rank_and_tokenize_the_same(
    server: FaultServer, http: httpx.Client, sdk: Any, ours: LLMProvider
) -> None:
    said = {"input_type": "search_document", "embedding_types": ["float"]}
    theirs = sdk.embed(model="e", texts=["one", "zwei"], output_dimension=256, **said)
    vectors = ours.embed("e", ["one", "zwei"], dimensions=256).vectors
    assert last(server, "ours") == last(server, "sdk")
    assert [list(v) for v in vectors] == theirs.embeddings.float_
    ranked = sdk.rerank(model="r", query="birds", documents=["a stone", "a pelican"], top_n=1)
    results: Any = ours.rerank("r", "birds", ["a stone", "a pelican"], top_n=1).results
    assert last(server, "ours") == last(server, "sdk")
    assert [r.index for r in results] == [r.index for r in ranked.results]
    url = server.url("cohere", "ok", tag="sdk")
    first: Any = cohere.Client(KEY, base_url=url, httpx_client=http)
    tokens = first.tokenize(text="pelican", model="m", offline=False)
    counted: Any = ours.tokenize("m", "pelican")
    assert last(server, "ours") == last(server, "sdk")
    assert list(counted.ids) == tokens.tokens
