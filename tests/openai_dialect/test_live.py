"""A real server of the dialect: llama.cpp's, with the demo model, under each of the three providers."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest

from jackfield import (
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

NAMES = ["openai", "openai-compatible", "vllm"]
GREEDY = {"temperature": 0, "max_tokens": 200}
STORY = "Tell me a story about a penguin."
WEATHER = "What is the weather in Paris?"
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL = {"name": "get_weather", "description": "Get the weather in a city.", "parameters": CITY}
ANIMAL = {
    "type": "object",
    "properties": {
        "animal": {"enum": ["fox", "owl"]},
        "age": {"type": "integer", "minimum": 1, "maximum": 12},
    },
    "required": ["animal", "age"],
    "additionalProperties": False,
}
BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with llama_server() as running:
        yield running


@pytest.fixture(scope="module", params=NAMES)
def provider(url: str, request: pytest.FixtureRequest) -> LLMProvider:
    config = {"base_url": f"{url}/v1", "api_key": "made-up-key-1234"}
    return create_provider(request.param, config)


def on(backend: str, function: Callable[..., Any]) -> Any:
    """What *function* returns on the event loop of *backend*."""
    return anyio.run(function, backend=backend)


def test_a_chat_is_answered_in_words_with_its_usage(provider: LLMProvider) -> None:
    answer = provider.execute(NAME, "Hello!", GREEDY, system="You are kind.")
    assert "Hello" in answer.text
    assert answer.finish_reason is FinishReason.STOP
    assert answer.usage.input_tokens
    assert answer.usage.output_tokens
    assert answer.id
    assert answer.warnings == ()


def test_a_stream_says_what_the_whole_answer_says(provider: LLMProvider) -> None:
    whole = provider.execute(NAME, STORY, GREEDY)
    with provider.stream_execute(NAME, STORY, GREEDY) as stream:
        events = list(stream)
    assert isinstance(events[0], StreamStart)
    assert sum(isinstance(e, TextDelta) for e in events) > 5
    assert "".join(map(str, events)) == whole.text
    assert fold(events) == stream.response
    assert stream.response.message == whole.message
    assert stream.response.finish_reason == whole.finish_reason
    assert stream.response.usage.output_tokens == whole.usage.output_tokens


@BACKENDS
def test_an_event_loop_hears_the_same(provider: LLMProvider, backend: str) -> None:
    async def main() -> tuple[str, str]:
        async with provider.astream_execute(NAME, STORY, GREEDY) as stream:
            streamed = "".join([text async for text in stream.text()])
        return streamed, (await provider.aexecute(NAME, STORY, GREEDY)).text

    whole = provider.execute(NAME, STORY, GREEDY).text
    assert on(backend, main) == (whole, whole)


def test_limits_stops_and_seeds_are_kept(provider: LLMProvider) -> None:
    cut = provider.execute(NAME, STORY, {**GREEDY, "max_tokens": 3})
    assert (cut.finish_reason, cut.raw_finish_reason) == (FinishReason.LENGTH, "length")
    assert cut.usage.output_tokens == 3
    word = provider.execute(NAME, STORY, GREEDY).text.split()[2]
    stopped = provider.execute(NAME, STORY, {**GREEDY, "stop": [word]})
    assert word not in stopped.text
    assert stopped.finish_reason is FinishReason.STOP
    wild = {"temperature": 1.5, "seed": 7, "max_tokens": 30}
    first, second = (provider.execute(NAME, STORY, wild).text for _ in range(2))
    assert first == second


def test_several_answers_come_as_alternatives(provider: LLMProvider) -> None:
    own = {provider.info.name: {"n": 2}}
    wild = {"temperature": 1.5, "max_tokens": 30}
    whole = provider.execute(NAME, STORY, wild, provider_options=own)
    streamed = provider.stream_execute(NAME, STORY, wild, provider_options=own).drain()
    for answer in (whole, streamed):
        (other,) = answer.alternatives
        assert answer.text
        assert other.message.text
        assert other.raw_finish_reason in ("stop", "length")


@pytest.mark.parametrize("choice", ["auto", "required", "get_weather"])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_tool_is_called_and_its_result_is_understood(
    provider: LLMProvider, choice: str, streamed: bool
) -> None:
    asked = [Message("user", WEATHER)]
    options: dict[str, Any] = {"tools": [TOOL], "tool_choice": choice}
    if streamed:
        answer = provider.stream_execute(NAME, asked, GREEDY, **options).drain()
    else:
        answer = provider.execute(NAME, asked, GREEDY, **options)
    (call,) = answer.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Paris"})
    result = ToolResult(call.id, json.dumps({"city": "Paris", "weather": "sunny"}))
    told = [*asked, answer.message, Message("tool", result)]
    assert "sunny" in provider.execute(NAME, told, GREEDY, tools=[TOOL]).text


@BACKENDS
def test_a_tool_is_called_on_an_event_loop(provider: LLMProvider, backend: str) -> None:
    async def main() -> Any:
        async with provider.astream_execute(NAME, WEATHER, GREEDY, tools=[TOOL]) as stream:
            return await stream.drain()

    (call,) = on(backend, main).tool_calls
    assert json.loads(call.arguments) == {"city": "Paris"}


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_has_the_shape_that_was_asked_for(provider: LLMProvider, streamed: bool) -> None:
    params = {"seed": 3, "max_tokens": 80}
    if streamed:
        stream = provider.stream_execute(NAME, "An animal", params, response_format=ANIMAL)
        answer = stream.drain()
    else:
        answer = provider.execute(NAME, "An animal", params, response_format=ANIMAL)
    found = json.loads(answer.text)
    assert found.keys() == {"animal", "age"}
    assert found["animal"] in ("fox", "owl")
    assert 1 <= found["age"] <= 12
    assert answer.warnings == ()


def test_each_text_has_its_vector_on_every_loop(provider: LLMProvider) -> None:
    texts = ["a fox", "an owl", "once upon a time"]
    together = provider.embed(NAME, texts)
    assert len(together.vectors) == len(set(together.vectors)) == len(texts)
    assert {len(vector) for vector in together.vectors} == {len(together.vectors[0])}
    assert together.usage.input_tokens
    assert together.warnings == ()

    async def main() -> Any:
        return await provider.aembed(NAME, texts)

    # How the server batches moves its numbers: that they arrive unharmed is proved elsewhere.
    for backend in ("asyncio", "trio"):
        there = on(backend, main)
        assert list(map(len, there.vectors)) == list(map(len, together.vectors))
        assert there.usage.input_tokens == together.usage.input_tokens


def test_models_are_listed_and_the_configuration_is_fine(provider: LLMProvider) -> None:
    assert [model.id for model in provider.list_models()] == [NAME]
    assert provider.validate_config(probe=True) == []


def test_too_long_a_prompt_is_its_own_error(provider: LLMProvider) -> None:
    with pytest.raises(ContextLengthExceededError) as caught:
        provider.execute(NAME, "fox " * 9000, GREEDY)
    assert caught.value.status == 400
    with pytest.raises(InvalidRequestError):
        provider.stream_execute(NAME, "fox " * 9000, GREEDY).drain()


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


@pytest.mark.parametrize("leave", ["with", "close", "drop"])
def test_leaving_a_stream_leaves_the_server_idle(
    provider: LLMProvider, url: str, leave: str
) -> None:
    stream = provider.stream_execute(NAME, STORY, {"max_tokens": 900})
    next(text for event in stream if (text := str(event)))
    if leave == "close":
        stream.close()
    elif leave == "with":
        with stream:
            pass
    del stream
    assert idle(url)
    assert provider.execute(NAME, "Hello!", GREEDY).text


@BACKENDS
def test_cancelling_a_task_leaves_the_server_idle(
    provider: LLMProvider, url: str, backend: str
) -> None:
    heard: list[str] = []

    async def main() -> None:
        async with anyio.create_task_group() as group:

            async def listen() -> None:
                async for text in provider.astream_execute(NAME, STORY, {"max_tokens": 900}).text():
                    heard.append(text)
                    group.cancel_scope.cancel()

            group.start_soon(listen)

    on(backend, main)
    assert heard
    assert idle(url)
    assert provider.execute(NAME, "Hello!", GREEDY).text


QUESTIONS = [
    f"Tell me a story about a {animal}." for animal in ("fox", "owl", "penguin", "cat")
] * 3


def test_threads_share_a_provider(provider: LLMProvider) -> None:
    def ask(question: str) -> str:
        return "".join(provider.stream_execute(NAME, question, GREEDY).text())

    alone = {question: ask(question) for question in dict.fromkeys(QUESTIONS)}
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, QUESTIONS))
    assert [words(a) > 3 for a in answers] == [True] * len(QUESTIONS)
    assert all(
        a.split()[:2] == alone[q].split()[:2] for q, a in zip(QUESTIONS, answers, strict=True)
    )


@BACKENDS
def test_tasks_share_a_provider(provider: LLMProvider, backend: str) -> None:
    answers: dict[int, str] = {}

    async def ask(number: int, question: str) -> None:
        async with provider.astream_execute(NAME, question, GREEDY) as stream:
            answers[number] = (await stream.drain()).text

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for number, question in enumerate(QUESTIONS):
                group.start_soon(ask, number, question)

    on(backend, main)
    assert sorted(answers) == list(range(len(QUESTIONS)))
    assert all(words(text) > 3 for text in answers.values())


def words(text: str) -> int:
    return len(text.split())
