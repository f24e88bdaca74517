"""A real model behind a translator that is not ours: each dialect that goes in says what the model says directly."""

from __future__ import annotations

import json

import anyio
import pytest

from jackfield import (
    ChatResponse,
    ContextLengthExceededError,
    FinishReason,
    LLMProvider,
    Message,
    ToolResult,
    fold,
)
from litellm_proxy.servers import STREAMED, WITH_THE_PROXY, Servers, heard
from support.llama_server import NAME

pytestmark = WITH_THE_PROXY

CHAT_DOORS = ["openai-compatible", "openai", "azure", "vllm", "gemini"]
"""The doors behind which a chat stays a chat, whatever stands upstream."""

DOORS = [*CHAT_DOORS, "openai-responses", "claude"]
MODELS = [NAME, "tiny-chat", "tiny-messages"]
"""One model, reached by OpenAI's dialects, by chats alone, and by Anthropic's Messages."""

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


@pytest.fixture(params=DOORS)
def provider(servers: Servers, request: pytest.FixtureRequest) -> LLMProvider:
    return servers.door(request.param)


def told(answer: ChatResponse) -> tuple[str, FinishReason, int | None, int | None]:
    """What an answer comes to, whichever way it came."""
    usage = answer.usage
    return answer.text, answer.finish_reason, usage.input_tokens, usage.output_tokens


@pytest.mark.parametrize("model", MODELS)
def test_an_answer_is_the_models_own_with_its_usage(
    servers: Servers, provider: LLMProvider, model: str
) -> None:
    answer = provider.execute(model, STORY, GREEDY, system="Be kind.")
    direct = servers.direct().execute(NAME, STORY, GREEDY, system="Be kind.")
    assert told(answer) == told(direct)
    assert direct.finish_reason is FinishReason.STOP
    assert answer.warnings == ()


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_says_what_the_whole_answer_says(provider: LLMProvider, model: str) -> None:
    whole = provider.execute(model, STORY, GREEDY)
    with provider.stream_execute(model, STORY, GREEDY) as stream:
        events = list(stream)
    assert fold(events) == stream.response
    assert "".join(map(str, events)) == whole.text
    assert told(stream.response) == told(whole)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_event_loop_hears_the_same(provider: LLMProvider, backend: str) -> None:
    async def main() -> tuple[str, str]:
        async with provider.astream_execute("tiny-messages", STORY, GREEDY) as stream:
            streamed = "".join([text async for text in stream.text()])
        return streamed, (await provider.aexecute("tiny-messages", STORY, GREEDY)).text

    whole = provider.execute("tiny-messages", STORY, GREEDY).text
    assert anyio.run(main, backend=backend) == (whole, whole)


@pytest.mark.parametrize("door", [door for door in CHAT_DOORS if door != "gemini"])
@STREAMED
def test_a_seed_reaches_the_model(servers: Servers, door: str, streamed: bool) -> None:
    """Through Gemini's door LiteLLM leaves it out."""
    wild = {"temperature": 1.5, "seed": 7, "max_tokens": 30}
    direct = servers.direct().execute(NAME, STORY, wild)
    provider = servers.door(door)
    answer = heard(provider, streamed, "tiny-chat", STORY, wild)
    assert told(answer) == told(direct)
    assert answer.text != provider.execute("tiny-chat", STORY, {**wild, "seed": 8}).text


@STREAMED
def test_a_limit_reaches_the_model_and_its_reason_comes_back(
    provider: LLMProvider, streamed: bool
) -> None:
    """By the Messages API: llama.cpp's Responses call an answer complete that was cut."""
    answer = heard(provider, streamed, "tiny-messages", STORY, {**GREEDY, "max_tokens": 20})
    assert answer.finish_reason is FinishReason.LENGTH
    assert answer.usage.output_tokens == 20


@pytest.mark.parametrize("model", MODELS)
@STREAMED
def test_a_tool_is_called_and_its_result_is_understood(
    provider: LLMProvider, model: str, streamed: bool
) -> None:
    talk = [Message("user", "What is the weather in Paris?")]
    answer = heard(provider, streamed, model, talk, GREEDY, tools=[TOOL])
    (call,) = answer.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Paris"})
    assert answer.finish_reason is FinishReason.TOOL_CALLS
    talk += [answer.message, Message("tool", ToolResult(call.id, "sunny, 24 degrees"))]
    final = heard(provider, streamed, model, talk, GREEDY, tools=[TOOL])
    assert final.text == "It is sunny in Paris."


@pytest.mark.parametrize("door", CHAT_DOORS)
@STREAMED
def test_an_answer_has_the_shape_that_was_asked_for(
    servers: Servers, door: str, streamed: bool
) -> None:
    shape = {
        "type": "object",
        "properties": {"animal": {"enum": ["fox", "owl"]}},
        "required": ["animal"],
        "additionalProperties": False,
    }
    provider = servers.door(door)
    answer = heard(provider, streamed, "tiny-chat", "A fox", GREEDY, response_format=shape)
    assert json.loads(answer.text) in ({"animal": "fox"}, {"animal": "owl"})


def test_a_format_that_got_lost_on_the_way_is_told(servers: Servers) -> None:
    """The tool that stands for it is offered, and nobody upstream insists on it."""
    schema = {**TOOL["parameters"], "additionalProperties": False}  # type: ignore[dict-item]  # a dict
    answer = servers.door("claude").execute(NAME, "A fox", GREEDY, response_format=schema)
    assert "dropped" in [w.kind for w in answer.warnings if w.subject == "response_format"]


@STREAMED
@pytest.mark.parametrize("model", MODELS)
def test_too_long_a_prompt_is_its_own_error(
    provider: LLMProvider, model: str, streamed: bool
) -> None:
    with pytest.raises(ContextLengthExceededError) as caught:
        heard(provider, streamed, model, "fox " * 9000, GREEDY)
    assert caught.value.status == 400


@pytest.mark.parametrize("door", ["openai", "openai-responses", "claude", "gemini"])
def test_tokens_are_counted_as_the_chat_reports_them(servers: Servers, door: str) -> None:
    counted = servers.door(door).count_tokens(NAME, "Hello!")
    answer = servers.direct().execute(NAME, "Hello!", GREEDY)
    assert (counted.input_tokens, counted.estimated) == (answer.usage.input_tokens, False)
