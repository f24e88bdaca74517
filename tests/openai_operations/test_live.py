"""A real server of the Responses API and of completions: llama.cpp's, with the demo model."""

from __future__ import annotations

import json
from collections.abc import Iterator

import anyio
import pytest

from jackfield import FinishReason, LLMProvider, Message, ToolResult, create_provider, fold
from support.llama_server import NAME, llama_server, needs_llama_server

pytestmark = [pytest.mark.live, needs_llama_server]

GREEDY = {"temperature": 0, "max_tokens": 200}
STORY = "Tell me a story about a penguin named Nila"
TOOL = {
    "name": "get_weather",
    "description": "Get the weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with llama_server() as running:
        yield running


@pytest.fixture(params=["openai", "openai-compatible", "lmstudio"])
def provider(url: str, request: pytest.FixtureRequest) -> LLMProvider:
    config = {"base_url": f"{url}/v1", "api_key": "made-up-key-1234", "api": "responses"}
    return create_provider(request.param, config)


@pytest.fixture
def chats(url: str) -> LLMProvider:
    return create_provider("openai-compatible", {"base_url": f"{url}/v1"})


def test_a_response_says_what_a_chat_says(provider: LLMProvider, chats: LLMProvider) -> None:
    answer = provider.execute(NAME, STORY, GREEDY)
    assert answer.text == chats.execute(NAME, STORY, GREEDY).text
    assert answer.finish_reason is FinishReason.STOP
    assert answer.usage.output_tokens


def test_a_stream_says_the_same_and_folds_into_it(provider: LLMProvider) -> None:
    events = []
    with provider.stream_execute(NAME, STORY, GREEDY) as stream:
        events = list(stream)
    assert fold(events) == stream.response
    assert len(events) > 10
    assert stream.response.text == provider.execute(NAME, STORY, GREEDY).text


def test_a_tool_is_called_and_its_result_is_told(provider: LLMProvider) -> None:
    talk = [Message("user", "What is the weather in Paris?")]
    answer = provider.execute(NAME, talk, GREEDY, tools=[TOOL])
    (call,) = answer.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Paris"})
    assert answer.finish_reason is FinishReason.TOOL_CALLS
    talk += [answer.message, Message("tool", ToolResult(call.id, "sunny, 24 degrees"))]
    assert "sunny" in provider.execute(NAME, talk, GREEDY, tools=[TOOL]).text


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_speaks_on_either_event_loop(url: str, backend: str) -> None:
    config = {"base_url": f"{url}/v1", "api_key": "made-up-key-1234", "api": "responses"}
    provider = create_provider("openai", config)

    async def main() -> str:
        async with provider.astream_execute(NAME, STORY, GREEDY) as stream:
            said = [str(event) async for event in stream]
        return "".join(said)

    assert anyio.run(main, backend=backend) == provider.execute(NAME, STORY, GREEDY).text


def test_a_completion_writes_on(chats: LLMProvider) -> None:
    answer = chats.complete(NAME, "Once upon a", {**GREEDY, "max_tokens": 8})
    assert answer.text.strip()
    assert answer.finish_reason in (FinishReason.LENGTH, FinishReason.STOP)
    assert answer.usage.output_tokens in range(1, 9)


def test_leaving_a_stream_early_frees_the_server(provider: LLMProvider) -> None:
    for _ in range(6):
        with provider.stream_execute(NAME, STORY, GREEDY) as stream:
            next(iter(stream))
    assert provider.execute(NAME, "Hello!", GREEDY).text
