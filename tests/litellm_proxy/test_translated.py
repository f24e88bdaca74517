"""LiteLLM reads the fault server's healthy answers and its errors as our own plugins read them."""

from __future__ import annotations

import json
from itertools import product

import pytest

from jackfield import ChatResponse, LLMProvider, ProviderError
from litellm_proxy.servers import FAULTS, STREAMED, UPSTREAM, WITH_THE_PROXY, Servers, heard

pytestmark = WITH_THE_PROXY

ASKED = "A tale of a pelican, please"
PARAMS = {"max_tokens": 99}
TOOL = {
    "name": "get_weather",
    "description": "The weather of a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    },
}
DOORS = ["openai-compatible", "openai-responses", "claude", "gemini"]
ERRORS = [
    (dialect, door, fault)
    for dialect, door, fault in product(UPSTREAM, DOORS, FAULTS)
    # LiteLLM does not know Ollama's words for a text that is too long: to it this is any bad request.
    if (dialect, fault) != ("ollama", "context_length")
]


def ours(servers: Servers, dialect: str, fault: str = "") -> LLMProvider:
    """Our own plugin for *dialect*, without the proxy."""
    _, name, path = UPSTREAM[dialect]
    more = {"api": "responses"} if dialect == "responses" else {}
    url = servers.faults.url(dialect, fault) + path
    return servers.direct(name, url, **more, retry={"attempts": 1})


def told(answer: ChatResponse) -> tuple[object, ...]:
    """What an answer says, in words that no dialect adds to."""
    calls = [(call.name, json.loads(call.arguments)) for call in answer.tool_calls]
    usage = answer.usage
    return answer.text, calls, answer.finish_reason, usage.input_tokens, usage.output_tokens


@pytest.mark.parametrize("dialect", UPSTREAM)
@pytest.mark.parametrize("door", DOORS)
@STREAMED
def test_an_answer_says_the_same_through_the_translator_and_without(
    servers: Servers, dialect: str, door: str, streamed: bool
) -> None:
    through = heard(servers.door(door), streamed, dialect, ASKED, PARAMS, tools=[TOOL])
    direct = heard(ours(servers, dialect), streamed, "pelican-1", ASKED, PARAMS, tools=[TOOL])
    assert told(through) == told(direct)
    assert through.text == servers.faults.answer(tools=True).text
    assert through.tool_calls


@pytest.mark.parametrize(("dialect", "door", "fault"), ERRORS)
def test_an_error_upstream_has_the_same_class_through_the_translator(
    servers: Servers, dialect: str, door: str, fault: str
) -> None:
    with pytest.raises(ProviderError) as direct:
        heard(ours(servers, dialect, fault), False, "pelican-1", ASKED, PARAMS, tools=[TOOL])
    with pytest.raises(ProviderError) as through:
        heard(servers.door(door), False, f"{dialect}-{fault}", ASKED, PARAMS, tools=[TOOL])
    assert type(through.value) is type(direct.value)
    assert through.value.status == direct.value.status
    assert through.value.retryable is direct.value.retryable
