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
from jackfield_claude.config import FILES_BETA
from openai_operations.forms import form_fields, form_files

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


# The SDK leaves it to its caller to switch the beta of files on.
BETAS = [FILES_BETA]
PAIRS: dict[str, tuple[Any, Any]] = {
    "a file goes up": (
        lambda sdk: sdk.beta.files.upload(file=("a.txt", b"Hello", "text/plain"), betas=BETAS),
        lambda claude: claude.upload_file(b"Hello", "a.txt"),
    ),
    "the files": (
        lambda sdk: list(sdk.beta.files.list(limit=1000, betas=BETAS)),
        lambda claude: claude.list_files(),
    ),
    "one file": (
        lambda sdk: sdk.beta.files.retrieve_metadata("file_1", betas=BETAS),
        lambda claude: claude.get_file("file_1"),
    ),
    "a file's bytes": (
        lambda sdk: sdk.beta.files.download("file_1", betas=BETAS),
        lambda claude: claude.download_file("file_1"),
    ),
    "a file goes": (
        lambda sdk: sdk.beta.files.delete("file_1", betas=BETAS),
        lambda claude: claude.delete_file("file_1"),
    ),
    "a batch": (
        lambda sdk: sdk.messages.batches.create(
            requests=[
                {
                    "custom_id": "request-0",
                    "params": {
                        "model": MODEL,
                        "max_tokens": 4096,
                        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
                    },
                }
            ]
        ),
        lambda claude: claude.create_batch([claude.chat_request(MODEL, "Hi")]),
    ),
    "the batches": (
        lambda sdk: list(sdk.messages.batches.list(limit=1000)),
        lambda claude: claude.list_batches(),
    ),
    "one batch": (
        lambda sdk: sdk.messages.batches.retrieve("msgbatch_1"),
        lambda claude: claude.get_batch("msgbatch_1"),
    ),
    "a batch is stopped": (
        lambda sdk: sdk.messages.batches.cancel("msgbatch_1"),
        lambda claude: claude.cancel_batch("msgbatch_1"),
    ),
}


def operation(seen: Seen) -> dict[str, Any]:
    """What of a file's or batch's request matters: the beta is a header, and a form is its parts."""
    path, _, query = seen.path.partition("?")
    form = seen.body if isinstance(seen.body, str) else ""
    headers = {n: seen.headers.get(n) for n in ("authorization", "anthropic-version")}
    return {
        "method": seen.method,
        "path": path,
        "headers": headers,
        "query": query.replace("beta=true", "").strip("&"),
        "beta": seen.headers.get("anthropic-beta"),
        "body": (form_files(form), form_fields(form)) if form else seen.body,
    }


@pytest.mark.parametrize("name", PAIRS)
def test_the_sdk_and_we_ask_the_same_of_files_and_batches(
    name: str, server: Witness, sdk: anthropic.Anthropic, claude: LLMProvider
) -> None:
    theirs, ours = PAIRS[name]
    theirs(sdk)
    seen = operation(server.last())
    ours(claude)
    assert operation(server.last()) == seen


def test_the_sdk_and_we_list_the_same_models(
    server: Witness, sdk: anthropic.Anthropic, claude: LLMProvider
) -> None:
    theirs = [model.id for model in sdk.models.list(limit=1000)]
    seen = essence(server.last())
    assert [model.id for model in claude.list_models()] == theirs
    # The SDK names a content type although it sends no content.
    seen["headers"]["content-type"] = None
    assert essence(server.last()) == seen
