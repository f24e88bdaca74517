"""A real llama.cpp server, under its own name: chats, tokens, counts, properties, slots, rankings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from jackfield import (
    ChatRequest,
    LLMProvider,
    Message,
    ModelInfoRequest,
    NotFoundError,
    Tool,
    ToolResult,
    UnsupportedOperationError,
    create_provider,
    fold,
)
from jackfield.operations import CompletionRequest
from jackfield_llamacpp_server import PropsRequest, SlotRequest, SlotsRequest, TemplateRequest
from support.llama_server import MODEL, NAME, RANK, llama_server, needs_llama_server
from support.tiny_bert import WIDTH, write

pytestmark = [pytest.mark.live, needs_llama_server]

GREEDY = {"temperature": 0, "max_tokens": 200}
STORY = "Tell me a story about a penguin named Nila"
TOOL = Tool(
    "get_weather",
    "Get the weather in a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
TALK = [
    Message("user", "What is the weather in Paris?"),
    Message("assistant", "It is sunny."),
    Message("user", "Ça va, Nila? 🐧"),
]


def made(url: str) -> LLMProvider:
    return create_provider("llamacpp-server", {"base_url": f"{url}/v1"})


@pytest.fixture(scope="module")
def server() -> Iterator[LLMProvider]:
    with llama_server() as url:
        yield made(url)


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LLMProvider]:
    model = write(tmp_path_factory.mktemp("models") / "vectors.gguf")
    with llama_server(model, "tiny-bert") as url:
        yield made(url)


@pytest.fixture(scope="module")
def rankings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LLMProvider]:
    model = write(tmp_path_factory.mktemp("models") / "rank.gguf", rank=True)
    with llama_server(model, "tiny-rank", RANK) as url:
        yield made(url)


def test_a_story_is_streamed_as_it_is_told_whole(server: LLMProvider) -> None:
    whole = server.execute(NAME, STORY, GREEDY)
    assert "Nila" in whole.text
    with server.stream_execute(NAME, STORY, GREEDY) as stream:
        events = list(stream)
    assert fold(events) == stream.response
    assert stream.response.text == whole.text


def test_a_tool_is_called_and_answered(server: LLMProvider) -> None:
    talk: list[Any] = [Message("user", "What is the weather in Paris?")]
    answer = server.execute(NAME, talk, GREEDY, tools=[TOOL])
    (call,) = answer.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Paris"})
    talk += [answer.message, Message("tool", ToolResult(call.id, "sunny, 24 degrees"))]
    assert "sunny" in server.execute(NAME, talk, GREEDY, tools=[TOOL]).text


def test_its_own_sampling_is_heard(server: LLMProvider) -> None:
    """A penalty under another server's name would be ignored without a word."""
    plain = server.execute(NAME, STORY, GREEDY).text
    assert server.execute(NAME, STORY, {**GREEDY, "repeat_penalty": 1.0}).text == plain
    assert server.execute(NAME, STORY, {**GREEDY, "repeat_penalty": 1.9}).text != plain


def test_a_grammar_goes_along(server: LLMProvider) -> None:
    own = {"llamacpp-server": {"grammar": 'root ::= "yes" | "no"'}}
    assert server.execute(NAME, STORY, GREEDY, provider_options=own).text in ("yes", "no")


@pytest.mark.parametrize("text", ["", "Nila the fox", "é🐧 日本", "<|im_start|>user"])
def test_a_text_becomes_tokens_and_a_text_again(server: LLMProvider, text: str) -> None:
    tokens = server.tokenize(NAME, text)
    assert server.detokenize(NAME, tokens.ids) == text
    assert len(tokens.texts) == len(tokens)
    if text.isascii():
        assert "".join(tokens.texts) == text


@pytest.mark.parametrize("tools", [[], [TOOL]])
@pytest.mark.parametrize("talk", [TALK[:1], TALK])
def test_a_count_is_what_a_chat_then_takes(
    server: LLMProvider, talk: list[Message], tools: list[Tool]
) -> None:
    counted = server.count_tokens(NAME, talk, tools=tools, system="Be kind.")
    answer = server.execute(NAME, talk, {"max_tokens": 1}, tools=tools, system="Be kind.")
    assert (counted.input_tokens, counted.estimated) == (answer.usage.input_tokens, False)
    messages = [Message("system", "Be kind."), *talk]
    shown = server.run(TemplateRequest(model=NAME, messages=messages, tools=tools))
    assert talk[-1].text in shown
    assert len(server.tokenize(NAME, shown)) == counted.input_tokens


def test_a_completion_goes_on(server: LLMProvider) -> None:
    request = CompletionRequest(model=NAME, prompt="<|im_start|>user\nHi<|im_end|>\n")
    assert server.run(request).usage.input_tokens


def test_the_model_and_the_server_say_what_they_are(server: LLMProvider) -> None:
    (listed,) = server.list_models()
    assert listed == server.run(ModelInfoRequest(model=NAME))
    props = server.run(PropsRequest())
    assert props.model_path == str(MODEL)
    assert listed.context_window == props.context_window
    assert props.vision is listed.capabilities.vision is False
    slots = server.run(SlotsRequest())
    assert len(slots) == props.slots
    assert {s.context_window for s in slots} == {props.context_window}
    with pytest.raises(NotFoundError, match=NAME):
        server.run(ModelInfoRequest(model="another"))


def test_what_it_was_not_started_for_is_a_typed_error(server: LLMProvider) -> None:
    with pytest.raises(UnsupportedOperationError, match="slot"):
        server.run(SlotRequest(slot=0, action="erase"))
    with pytest.raises(UnsupportedOperationError, match="rerank"):
        server.rerank(NAME, "who?", ["a"])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_its_endpoints_are_reached_on_either_event_loop(server: LLMProvider, backend: str) -> None:
    async def main() -> Any:
        counted = await server.acount_tokens(NAME, TALK)
        return counted, await server.arun(PropsRequest())

    assert anyio.run(main, backend=backend) == (
        server.count_tokens(NAME, TALK),
        server.run(PropsRequest()),
    )


def test_a_response_says_what_a_chat_says(server: LLMProvider) -> None:
    own = {"llamacpp-server": {"api": "responses"}}
    request = ChatRequest(model=NAME, messages=[Message("user", "Hi")], provider_options=own)
    assert server.run(request).text


def test_texts_have_their_vectors(vectors: LLMProvider) -> None:
    answer = vectors.embed("tiny-bert", ["a hen", "the gull flies"])
    assert [len(v) for v in answer.vectors] == [WIDTH, WIDTH]


def test_documents_are_ranked(rankings: LLMProvider) -> None:
    documents = ["a hen is in the sea", "the gull flies", "fish"]
    answer = rankings.rerank("tiny-rank", "who flies?", documents, top_n=2)
    assert len(answer.results) == 2
    assert answer.results[0].score >= answer.results[1].score
    assert [r.document for r in answer.results] == [documents[r.index] for r in answer.results]
