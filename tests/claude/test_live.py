"""A real server that speaks the Messages API: llama.cpp's, with the demo model, through the front door."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest

from jackfield import (
    ChatRequest,
    ContextLengthExceededError,
    FinishReason,
    InvalidRequestError,
    LLMProvider,
    Message,
    StreamStart,
    TextDelta,
    ToolResult,
    create_provider,
    fold,
)
from support.llama_server import NAME, llama_server, needs_llama_server

pytestmark = [pytest.mark.live, needs_llama_server]

GREEDY = {"temperature": 0, "max_tokens": 200}
STORY = "Tell me a story about a penguin."
WEATHER = {
    "name": "get_weather",
    "description": "Get the weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with llama_server() as running:
        yield running


@pytest.fixture(scope="module")
def claude(url: str) -> LLMProvider:
    return create_provider("claude", {"base_url": url})


def on(backend: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """What *function* returns on the event loop of *backend*."""
    return anyio.run(function, *arguments, backend=backend)


def test_a_chat_is_answered_in_words_with_its_usage(claude: LLMProvider) -> None:
    answer = claude.execute(NAME, "Hello!", GREEDY)
    assert "Hello" in answer.text
    assert answer.finish_reason is FinishReason.STOP
    assert answer.usage.input_tokens
    assert answer.usage.output_tokens
    assert answer.warnings == ()


def test_the_same_address_with_its_version_is_the_same_server(url: str) -> None:
    versioned = create_provider("claude", {"base_url": f"{url}/v1/"})
    assert versioned.list_models()


def test_a_stream_says_what_the_whole_answer_says(claude: LLMProvider) -> None:
    whole = claude.execute(NAME, STORY, GREEDY)
    with claude.stream_execute(NAME, STORY, GREEDY) as stream:
        events = list(stream)
    assert isinstance(events[0], StreamStart)
    assert sum(isinstance(e, TextDelta) for e in events) > 5
    assert "".join(map(str, events)) == whole.text
    assert fold(events) == stream.response
    assert stream.response.message == whole.message
    assert stream.response.finish_reason == whole.finish_reason


@BACKENDS
def test_an_event_loop_hears_the_same(claude: LLMProvider, backend: str) -> None:
    async def main() -> tuple[str, str]:
        async with claude.astream_execute(NAME, STORY, GREEDY) as stream:
            streamed = "".join([text async for text in stream.text()])
        return streamed, (await claude.aexecute(NAME, STORY, GREEDY)).text

    whole = claude.execute(NAME, STORY, GREEDY).text
    assert on(backend, main) == (whole, whole)


def test_a_system_prompt_is_counted_and_an_answer_is_cut_where_asked(claude: LLMProvider) -> None:
    with_system = claude.count_tokens(NAME, "Hello!", system="You are kind.")
    assert with_system.input_tokens > claude.count_tokens(NAME, "Hello!").input_tokens
    cut = claude.execute(NAME, STORY, {**GREEDY, "max_tokens": 3})
    assert (cut.finish_reason, cut.raw_finish_reason) == (FinishReason.LENGTH, "max_tokens")
    word = claude.execute(NAME, STORY, GREEDY).text.split()[2]
    stopped = claude.execute(NAME, STORY, {**GREEDY, "stop": [word]})
    assert word not in stopped.text
    assert stopped.finish_reason is FinishReason.STOP


@pytest.mark.parametrize("choice", ["auto", "required", "get_weather"])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_tool_is_called_and_its_result_is_understood(
    claude: LLMProvider, choice: str, streamed: bool
) -> None:
    asked = [Message("user", "What is the weather in Paris?")]
    options: dict[str, Any] = {"tools": [WEATHER], "tool_choice": choice}
    if streamed:
        answer = claude.stream_execute(NAME, asked, GREEDY, **options).drain()
    else:
        answer = claude.execute(NAME, asked, GREEDY, **options)
    (call,) = answer.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Paris"})
    assert answer.finish_reason is FinishReason.TOOL_CALLS
    result = ToolResult(call.id, json.dumps({"city": "Paris", "weather": "sunny"}))
    told = [*asked, answer.message, Message("tool", result)]
    assert "sunny" in claude.execute(NAME, told, GREEDY, tools=[WEATHER]).text


@BACKENDS
def test_a_tool_is_called_on_an_event_loop(claude: LLMProvider, backend: str) -> None:
    async def main() -> Any:
        asked = "What is the weather in Paris?"
        async with claude.astream_execute(NAME, asked, GREEDY, tools=[WEATHER]) as stream:
            return await stream.drain()

    (call,) = on(backend, main).tool_calls
    assert json.loads(call.arguments) == {"city": "Paris"}


def test_an_answer_in_a_format_comes_through_a_tool(claude: LLMProvider) -> None:
    schema = {**WEATHER["parameters"], "additionalProperties": False}  # type: ignore[dict-item]  # a dict
    asked = "What is the weather in Paris?"
    answer = claude.execute(NAME, asked, GREEDY, response_format=schema)
    assert json.loads(answer.text) == {"city": "Paris"}
    assert answer.finish_reason is FinishReason.STOP
    assert [(w.kind, w.subject) for w in answer.warnings] == [("emulated", "response_format")]
    streamed = claude.stream_execute(NAME, asked, GREEDY, response_format=schema).drain()
    assert json.loads(streamed.text) == {"city": "Paris"}
    assert streamed.warnings == answer.warnings


@BACKENDS
def test_tokens_are_counted_as_the_chat_reports_them(claude: LLMProvider, backend: str) -> None:
    async def main() -> int:
        counted = await claude.acount_tokens(NAME, "Hello!", tools=[WEATHER])
        assert not counted.estimated
        return counted.input_tokens

    counted = claude.count_tokens(NAME, "Hello!", tools=[WEATHER])
    assert counted.input_tokens == on(backend, main)
    assert counted.input_tokens > claude.count_tokens(NAME, "Hello!").input_tokens
    plain = claude.execute(NAME, "Hello!", GREEDY).usage.input_tokens
    assert claude.count_tokens(NAME, "Hello!").input_tokens == plain


def test_models_are_listed_and_the_configuration_is_fine(claude: LLMProvider) -> None:
    assert NAME in [model.id for model in claude.list_models()]
    assert claude.validate_config(probe=True) == []


def test_too_long_a_prompt_is_its_own_error(claude: LLMProvider) -> None:
    with pytest.raises(ContextLengthExceededError) as caught:
        claude.execute(NAME, "fox " * 9000, GREEDY)
    assert caught.value.status == 400
    with pytest.raises(InvalidRequestError):
        claude.stream_execute(NAME, "fox " * 9000, GREEDY).drain()


def busy(url: str) -> bool:
    """Whether the server still generates."""
    with urllib.request.urlopen(f"{url}/slots", timeout=5) as answer:
        return any(slot["is_processing"] for slot in json.load(answer))


def idle(url: str) -> bool:
    """Whether the server comes to rest."""
    until = time.monotonic() + 10
    while busy(url) and time.monotonic() < until:
        time.sleep(0.02)
    return not busy(url)


def test_leaving_a_stream_leaves_the_server_idle(claude: LLMProvider, url: str) -> None:
    request = claude.chat_request(NAME, STORY, {"max_tokens": 900})
    assert isinstance(request, ChatRequest)
    with claude.stream(request) as stream:
        next(text for event in stream if (text := str(event)))
    assert idle(url)
    assert claude.execute(NAME, "Hello!", GREEDY).text


@BACKENDS
def test_cancelling_a_task_leaves_the_server_idle(
    claude: LLMProvider, url: str, backend: str
) -> None:
    heard: list[str] = []

    async def main() -> None:
        async with anyio.create_task_group() as group:

            async def listen() -> None:
                async for text in claude.astream_execute(NAME, STORY, {"max_tokens": 900}).text():
                    heard.append(text)
                    group.cancel_scope.cancel()

            group.start_soon(listen)

    on(backend, main)
    assert heard
    assert idle(url)
    assert claude.execute(NAME, "Hello!", GREEDY).text
