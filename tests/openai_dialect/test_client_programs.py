"""Programs written for the ``openai`` package see the same through our client, whatever provider is behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anyio
import openai
import pytest

from jackfield import ChatRequest, LLMProvider, Usage, create_provider
from jackfield.testing.faults import FaultServer
from jackfield.testing.scripted import ScriptedProvider
from jackfield_dialect_openai.compat import AsyncOpenAIClient, OpenAIClient
from openai_dialect import programs
from openai_dialect.programs import ASYNC_PROGRAMS, MODEL, PROGRAMS

KEY = "made-up-key-1234"
DIALECTS = {
    "openai": "openai",
    "openai-compatible": "openai",
    "claude": "anthropic",
    "ollama": "ollama",
    "cohere": "cohere",
    "gemini": "gemini",
}


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


def provider(server: FaultServer, name: str, fault: str = "", tag: str = "") -> LLMProvider:
    if name == "scripted":
        return scripted(server)
    url = server.url(DIALECTS[name], fault, tag=tag)
    return create_provider(name, {"base_url": url, "api_key": KEY, "retry": {"attempts": 1}})


def scripted(server: FaultServer) -> LLMProvider:
    """One that says what the server says."""

    def answer(request: ChatRequest) -> dict[str, Any]:
        said = server.answer(tools=bool(request.tools))
        calls = [{"id": t.id, "name": t.name, "arguments": t.arguments} for t in said.tools]
        usage = Usage(input_tokens=21, output_tokens=34)
        told = {"text": said.text, "reasoning": said.thinking, "usage": usage}
        return {**told, "tool_calls": calls} if calls else told

    models = ("pelican-1", "pelican-1-mini", "fjord/gull:7b")
    return ScriptedProvider({"answers": [answer], "models": models})


def theirs(server: FaultServer, fault: str = "") -> openai.OpenAI:
    return openai.OpenAI(base_url=server.url("openai", fault), api_key=KEY, max_retries=0)


BEYOND = {
    # Claude has no embeddings, and the scripted provider's depend on the text.
    programs.embeddings: ("claude", "scripted"),
    programs.aembeddings: ("claude", "scripted"),
    # Their lists stand at OpenAI's path, and the server answers there as OpenAI.
    programs.models: ("cohere", "gemini"),
}
CASES = [
    (program, name)
    for program in PROGRAMS
    for name in (*DIALECTS, "scripted")
    if name not in BEYOND.get(program, ())
]


@pytest.mark.parametrize(
    ("program", "name"), CASES, ids=[f"{p.__name__}-{name}" for p, name in CASES]
)
def test_a_program_sees_the_same(server: FaultServer, program: Any, name: str) -> None:
    with theirs(server) as official, OpenAIClient(provider(server, name)) as client:
        assert program(client) == program(official)


ASYNC_CASES = [
    (program, name)
    for program in ASYNC_PROGRAMS
    for name in ("openai", "claude", "ollama", "scripted")
    if name not in BEYOND.get(program, ())
]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(
    ("program", "name"), ASYNC_CASES, ids=[f"{p.__name__}-{name}" for p, name in ASYNC_CASES]
)
def test_an_asynchronous_program_sees_the_same(
    server: FaultServer, program: Any, name: str, backend: str
) -> None:
    async def official() -> Any:
        url = server.url("openai")
        async with openai.AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0) as client:
            return await program(client)

    async def ours() -> Any:
        async with AsyncOpenAIClient(provider(server, name)) as client:
            return await program(client)

    assert anyio.run(ours, backend=backend) == anyio.run(official, backend="asyncio")


@pytest.mark.parametrize("name", ["openai", "claude"])
@pytest.mark.parametrize("fault", ["400", "401", "403", "404", "429"])
def test_an_error_has_the_class_of_the_same_name(
    server: FaultServer, fault: str, name: str
) -> None:
    with theirs(server, fault) as official:
        (said,) = programs.errors(official)
    with OpenAIClient(provider(server, name, fault)) as client:
        renamed = {"BadRequestError": "InvalidRequestError"}
        assert programs.errors(client) == [renamed.get(said, said)]


def test_what_the_dialect_cannot_say_goes_back_with_the_message(server: FaultServer) -> None:
    with OpenAIClient(provider(server, "claude", tag="signed")) as client:
        programs.tools(client)
    _, second = server.log.requests("signed")
    said = second.json["messages"][1]["content"]
    assert [block["type"] for block in said] == ["thinking", "text", "tool_use"]
    assert said[0]["signature"] == server.answer().signature


def test_a_refusal_of_a_streamed_call_is_raised_by_create(server: FaultServer) -> None:
    with OpenAIClient(provider(server, "claude", "401"), model=MODEL) as client:
        assert "Authentication" in _refusal(client)


def _refusal(client: OpenAIClient) -> str:
    try:
        client.chat.completions.create(messages=programs.ASKED, stream=True)
    except Exception as error:  # noqa: BLE001  # its class is what is asked for
        return type(error).__name__
    return ""
