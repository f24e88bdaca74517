"""The official SDK as a witness: for the same call it and we send the same request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from claude.calls import CACHED, CALLS, MODEL, SEARCH, Call
from claude.meaning import meaning
from claude.witness import Seen, Witness, witness
from jackfield import LLMProvider, Tool, create_provider

KEY = "made-up-key"
ESSENTIAL = ("x-api-key", "authorization", "anthropic-version", "anthropic-beta", "content-type")


@pytest.fixture(scope="module")
def server() -> Iterator[Witness]:
    with witness() as running:
        yield running


@pytest.fixture(scope="module")
def sdk(server: Witness) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key=KEY, base_url=server.url, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def claude(server: Witness, sdk: anthropic.Anthropic) -> LLMProvider:
    # The SDK speaks a newer version of the API, in which the key is a bearer token.
    version = sdk.default_headers["anthropic-version"]
    config = {"api_key": KEY, "base_url": server.url, "version": version, "bearer": True}
    return create_provider("anthropic", config)


def essence(seen: Seen) -> dict[str, Any]:
    """What of a request matters to the service."""
    headers = {name: seen.headers.get(name) for name in ESSENTIAL}
    body = None if seen.body is None else meaning(seen.body)
    return {"method": seen.method, "path": seen.path, "headers": headers, "body": body}


def ours(call: Call) -> dict[str, Any]:
    """Our arguments for *call*; what only metadata can say is put onto its tools."""
    options = dict(call.options)
    if "tools" in options:
        options["tools"] = [_tool(t, call) for t in options["tools"]]
    return {"model": call.model, "prompt": call.prompt, "parameters": call.parameters, **options}


def _tool(given: dict[str, Any], call: Call) -> Tool:
    if given is SEARCH:
        return Tool(given["name"], provider_metadata={"claude": given})
    cached = any("cache_control" in tool for tool in call.sdk["tools"])
    own = {"claude": CACHED} if cached else {}
    strict = given.get("strict")
    schema = given["parameters"]
    return Tool(given["name"], given["description"], schema, strict=strict, provider_metadata=own)


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_the_sdk_and_we_send_the_same(
    call: Call, streamed: bool, server: Witness, sdk: anthropic.Anthropic, claude: LLMProvider
) -> None:
    resource: Any = sdk.beta.messages if call.betas else sdk.messages
    answered = resource.create(model=call.model, stream=streamed, **call.sdk)
    if streamed:
        assert [event.type for event in answered][-1] == "message_stop"
    theirs = server.last()
    if streamed:
        answer = claude.stream_execute(**ours(call)).drain()
    else:
        answer = claude.execute(**ours(call))
    assert essence(server.last()) == essence(theirs)
    assert answer.text == "Hello"
    assert answer.warnings == ()


@pytest.mark.parametrize("call", [c for c in CALLS if c.model == MODEL and not c.betas], ids=str)
def test_the_sdk_and_we_count_the_same(
    call: Call, server: Witness, sdk: anthropic.Anthropic, claude: LLMProvider
) -> None:
    counted = ("messages", "system", "tools")
    told = {name: value for name, value in call.sdk.items() if name in counted}
    resource: Any = sdk.messages
    assert resource.count_tokens(model=call.model, **told).input_tokens == 3
    theirs = server.last()
    asked = ours(call)
    options = {"tools": asked["tools"]} if "tools" in asked else {}
    assert claude.count_tokens(call.model, call.prompt, **options).input_tokens == 3
    assert essence(server.last()) == essence(theirs)


def test_the_sdk_and_we_list_the_same_models(
    server: Witness, sdk: anthropic.Anthropic, claude: LLMProvider
) -> None:
    theirs = [model.id for model in sdk.models.list(limit=1000)]
    seen = essence(server.last())
    assert [model.id for model in claude.list_models()] == theirs
    # The SDK names a content type although it sends no content.
    seen["headers"]["content-type"] = None
    assert essence(server.last()) == seen
