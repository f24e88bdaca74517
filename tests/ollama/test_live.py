"""Against a live server of Ollama's API with real tokens: every operation, in every colour."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pytest

from jackfield import (
    ChatResponse,
    FinishReason,
    GenerationParams,
    InvalidRequestError,
    Message,
    NotFoundError,
    Progress,
    ProviderError,
    StreamEvent,
    ToolResult,
    UnsupportedOperationError,
    fold,
)
from jackfield.operations import CompletionRequest, LoadRequest, UnloadRequest
from jackfield_ollama import OllamaProvider
from support.llama_server import needs_llama_server
from support.ollama_shim import SIZE, UNKNOWN, OllamaShim

pytestmark = [pytest.mark.live, needs_llama_server]

COLOURS = ("sync", "asyncio", "trio")
STORY = "Tell me a story about an owl."
GREEDY = {"temperature": 0, "max_tokens": 200}
WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "Get the weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}


def execute(colour: str, provider: OllamaProvider, *args: Any, **options: Any) -> ChatResponse:
    """A whole answer, in one colour."""
    if colour == "sync":
        return provider.execute("tiny", *args, **options)

    async def run() -> ChatResponse:
        return await provider.aexecute("tiny", *args, **options)

    return anyio.run(run, backend=colour)


def stream(
    colour: str, provider: OllamaProvider, *args: Any, **options: Any
) -> tuple[list[StreamEvent], ChatResponse]:
    """The events of an answer and what they come to, in one colour."""
    if colour == "sync":
        with provider.stream_execute("tiny", *args, **options) as events:
            return list(events), events.response

    async def run() -> tuple[list[StreamEvent], ChatResponse]:
        async with provider.astream_execute("tiny", *args, **options) as events:
            return [event async for event in events], events.response

    return anyio.run(run, backend=colour)


def post(url: str, body: Any) -> Any:
    """What a server answers, asked without the plugin."""
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


@pytest.mark.parametrize("colour", COLOURS)
def test_a_chat_is_the_models_own_words(ollama: OllamaProvider, upstream: str, colour: str) -> None:
    answer = execute(colour, ollama, STORY, GREEDY)
    messages = [{"role": "user", "content": STORY}]
    body = {"model": "tiny", "messages": messages, "temperature": 0, "max_tokens": 200}
    found = post(f"{upstream}/v1/chat/completions", body)
    assert answer.text == found["choices"][0]["message"]["content"] != ""
    counted = (answer.usage.input_tokens, answer.usage.output_tokens)
    assert counted == (found["usage"]["prompt_tokens"], found["usage"]["completion_tokens"])
    assert (answer.finish_reason, answer.raw_finish_reason) == (FinishReason.STOP, "stop")
    assert answer.warnings == ()


@pytest.mark.parametrize("colour", COLOURS)
def test_a_stream_folds_to_the_same_answer(ollama: OllamaProvider, colour: str) -> None:
    events, answer = stream(colour, ollama, STORY, GREEDY)
    whole = execute(colour, ollama, STORY, GREEDY)
    assert len(events) > 20
    assert fold(events) == answer
    assert "".join(map(str, events)) == answer.text == whole.text
    assert answer.usage == whole.usage
    assert answer.finish_reason is whole.finish_reason


def test_a_limit_on_tokens_and_a_stop_word_reach_the_model(ollama: OllamaProvider) -> None:
    cut = ollama.execute("tiny", STORY, {"temperature": 0, "max_tokens": 5})
    assert (cut.finish_reason, cut.usage.output_tokens) == (FinishReason.LENGTH, 5)
    stopped = ollama.execute("tiny", STORY, {"temperature": 0, "stop": "owl"})
    assert stopped.text
    assert "owl" not in stopped.text


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("streamed", [True, False])
def test_a_tool_is_called_and_its_result_goes_back(
    ollama: OllamaProvider, peer: OllamaShim, colour: str, streamed: bool
) -> None:
    question = Message("user", "What is the weather in Paris?")
    options = {"tools": [WEATHER]}
    if streamed:
        _, answer = stream(colour, ollama, question, GREEDY, **options)
    else:
        answer = execute(colour, ollama, question, GREEDY, **options)
    (call,) = answer.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Paris"})
    assert answer.finish_reason is FinishReason.TOOL_CALLS
    result = Message("tool", ToolResult(call.id, '{"weather": "sunny"}'))
    final = execute(colour, ollama, [question, answer.message, result], GREEDY, **options)
    assert final.text
    assert peer.seen[-1][2]["messages"][-1]["tool_name"] == "get_weather"


@pytest.mark.parametrize("colour", COLOURS)
def test_a_prompt_is_written_on_in_the_models_own_words(
    ollama: OllamaProvider, upstream: str, colour: str
) -> None:
    async def written() -> list[ChatResponse]:
        return [
            await ollama.acomplete("tiny", STORY, CUT),
            await ollama.astream(request).drain(),
        ]

    request = CompletionRequest(model="tiny", prompt=STORY, params=GenerationParams(**CUT))
    if colour == "sync":
        whole, streamed = ollama.complete("tiny", STORY, CUT), ollama.stream(request).drain()
    else:
        whole, streamed = anyio.run(written, backend=colour)
    body = {"model": "tiny", "prompt": STORY, **CUT}
    found = post(f"{upstream}/v1/completions", body)
    assert whole.text == streamed.text == found["choices"][0]["text"] != ""
    assert whole.usage.output_tokens == found["usage"]["completion_tokens"]
    assert streamed.usage == whole.usage
    assert whole.finish_reason is streamed.finish_reason


CUT: dict[str, Any] = {"temperature": 0, "max_tokens": 12}

SCHEMA = {
    "type": "object",
    "properties": {
        "animal": {"enum": ["fox", "owl"]},
        "age": {"type": "integer", "minimum": 1, "maximum": 12},
    },
    "required": ["animal", "age"],
}


@pytest.mark.parametrize("colour", COLOURS)
def test_an_answer_fits_its_schema(ollama: OllamaProvider, colour: str) -> None:
    made = json.loads(execute(colour, ollama, "Give me JSON.", GREEDY, response_format=SCHEMA).text)
    assert set(made) == {"animal", "age"}
    assert made["animal"] in {"fox", "owl"}
    assert 1 <= made["age"] <= 12
    free = ollama.execute("tiny", "Give me a JSON object.", GREEDY, response_format="json")
    assert isinstance(json.loads(free.text), dict)


@pytest.mark.parametrize("colour", COLOURS)
def test_vectors_are_the_models_own(ollama: OllamaProvider, upstream: str, colour: str) -> None:
    texts = ["a fox", "an owl"]
    if colour == "sync":
        answer = ollama.embed("tiny", texts)
    else:
        answer = anyio.run(ollama.aembed, "tiny", texts, backend=colour)
    found = post(f"{upstream}/v1/embeddings", {"model": "tiny", "input": texts})
    assert [list(v) for v in answer.vectors] == [e["embedding"] for e in found["data"]]
    assert answer.usage.input_tokens == found["usage"]["prompt_tokens"]


def test_models_are_listed_shown_loaded_and_unloaded(ollama: OllamaProvider) -> None:
    (found,) = ollama.list_models()
    assert (found.id, found.size_bytes) == ("tiny:latest", SIZE)
    shown = ollama.show("tiny")
    assert shown.context_window == 1024
    assert (shown.capabilities.tools, shown.capabilities.vision) == (True, False)
    assert ollama.validate_config(probe=True) == []
    assert ollama.running() == []
    ollama.load("tiny", "30m")
    assert [m.id for m in ollama.running()] == ["tiny:latest"]
    ollama.unload("tiny")
    assert ollama.running() == []


@pytest.mark.parametrize("colour", COLOURS)
def test_a_stay_in_memory_begins_and_ends_in_every_colour(
    ollama: OllamaProvider, peer: OllamaShim, colour: str
) -> None:
    load = LoadRequest(model="tiny", context_length=512)

    async def stay() -> list[list[str]]:
        told = []
        for step in (load, UnloadRequest(model="tiny")):
            await ollama.arun(step)
            told.append([m.id for m in await ollama.arunning()])
        await ollama.aload("tiny", -1)
        told.append([m.id for m in await ollama.arunning()])
        await ollama.aunload("tiny")
        return [*told, [m.id for m in await ollama.arunning()]]

    if colour == "sync":
        ollama.run(load)
        assert [m.id for m in ollama.running()] == ["tiny:latest"]
        ollama.run(UnloadRequest(model="tiny"))
        assert ollama.running() == []
    else:
        told = anyio.run(stay, backend=colour)
        assert told == [["tiny:latest"], [], ["tiny:latest"], []]
    bodies = [body for _, path, body in peer.seen if path == "/api/chat"]
    assert bodies[0]["options"] == {"num_ctx": 512}
    assert bodies[1]["keep_alive"] == 0


def test_a_model_that_is_not_there_is_not_loaded(ollama: OllamaProvider) -> None:
    for request in (LoadRequest(model="nope"), UnloadRequest(model="nope")):
        with pytest.raises(NotFoundError, match="jackfield pull ollama/nope"):
            ollama.run(request)
    assert ollama.running() == []


def test_a_ranking_is_refused_before_anything_is_sent(
    ollama: OllamaProvider, peer: OllamaShim
) -> None:
    """Ollama's API has no such call, whatever a model can do."""
    with pytest.raises(UnsupportedOperationError, match="RerankRequest"):
        ollama.rerank("tiny", "who flies?", ["the gull"])
    assert peer.seen == []
    assert not ollama.info.capabilities.rerank


async def _all(steps: AsyncIterator[Progress]) -> list[Progress]:
    return [step async for step in steps]


@pytest.mark.parametrize("colour", COLOURS)
def test_a_model_is_pulled_with_its_progress_and_deleted(
    ollama: OllamaProvider, colour: str
) -> None:
    async def apull() -> list[Progress]:
        async with ollama.apull("other") as pulling:
            return await _all(aiter(pulling))

    steps = list(ollama.pull("other")) if colour == "sync" else anyio.run(apull, backend=colour)
    assert (steps[0].status, steps[-1].status) == ("pulling manifest", "success")
    assert [(s.completed, s.total) for s in steps if s.total] == [
        (0, SIZE),
        (SIZE // 2, SIZE),
        (SIZE, SIZE),
    ]
    assert "other:latest" in [m.id for m in ollama.list_models()]
    ollama.delete("other")
    assert "other:latest" not in [m.id for m in ollama.list_models()]
    with pytest.raises(NotFoundError):
        ollama.delete("other")


def test_a_pull_of_an_unknown_name_is_the_registrys_no(ollama: OllamaProvider) -> None:
    with pytest.raises(ProviderError, match="file does not exist"):
        ollama.pull(UNKNOWN).drain()
    assert [m.id for m in ollama.list_models()] == ["tiny:latest"]


@pytest.mark.parametrize("colour", COLOURS)
def test_a_model_that_was_not_pulled_is_not_found(ollama: OllamaProvider, colour: str) -> None:
    async def ask() -> ChatResponse:
        return await ollama.aexecute("nope", "Hi")

    with pytest.raises(NotFoundError, match="jackfield pull ollama/nope"):
        ollama.execute("nope", "Hi") if colour == "sync" else anyio.run(ask, backend=colour)


def test_what_the_model_cannot_do_is_the_servers_no(ollama: OllamaProvider) -> None:
    with pytest.raises(InvalidRequestError, match="does not support thinking"):
        ollama.execute("tiny", "Hi", {"reasoning_effort": "high"})
    with pytest.raises(InvalidRequestError, match="does not support vision"):
        ollama.execute("tiny", "Hi", attachments=[b"\x89PNG\r\n\x1a\n"])


@pytest.mark.parametrize(
    ("colour", "leave"),
    [
        ("sync", "break"),
        ("asyncio", "break"),
        ("asyncio", "cancel"),
        ("trio", "break"),
        ("trio", "cancel"),
    ],
)
def test_leaving_a_stream_stops_the_generation(
    upstream: str, until: Callable[[Callable[[], bool]], bool], colour: str, leave: str
) -> None:
    with OllamaShim(upstream, pace=0.02) as peer:
        provider = OllamaProvider({"base_url": peer.url})

        async def begin_and_leave() -> None:
            with anyio.CancelScope() as scope:
                async with provider.astream_execute("tiny", STORY, GREEDY) as events:
                    async for event in events:
                        if str(event) and leave == "break":
                            break
                        if str(event):
                            scope.cancel()

        if colour == "sync":
            with provider.stream_execute("tiny", STORY, GREEDY) as events:
                assert any(str(event) for event in events)
        else:
            anyio.run(begin_and_leave, backend=colour)
        assert until(lambda: peer.generating == 0)
        assert peer.left == 1
