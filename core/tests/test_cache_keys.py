"""A kept answer's key covers everything that the answer depends on, and gives nothing of it away."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from attrs import evolve, fields
from core_toy import KEY, Toy
from hypothesis import given

from jackfield import (
    ChatRequest,
    EmbeddingRequest,
    GenerationParams,
    MediaPart,
    Message,
    ProviderInfo,
    ResponseFormat,
    TextPart,
    Timeout,
    Tool,
    ToolCall,
    ToolResult,
)
from jackfield.middleware import cache_keys
from jackfield.middleware.cache_keys import Keys
from jackfield.operations import RerankRequest
from jackfield.provider import LLMProvider
from jackfield.requests import Request
from jackfield.testing import strategies as jf
from jackfield.testing.scripted import ScriptedProvider

KEYS = Keys(bytes(32))
SCRIPTED = ScriptedProvider()
CHAT = ChatRequest(
    model="m",
    messages=[
        Message("user", [TextPart("Hi"), MediaPart("image/png", b"picture")]),
        Message("assistant", [ToolCall("1", "add", '{"a": 1}')]),
        Message("tool", [ToolResult("1", "2")]),
    ],
    params=GenerationParams(temperature=0.5),
    tools=[Tool("add", "Adds", {"type": "object", "properties": {"a": {"type": "integer"}}})],
    provider_options={"scripted": {"nested": {"deep": [1, 2]}}},
)


def key(request: Request[Any], provider: LLMProvider = SCRIPTED) -> bytes:
    found = KEYS.key(provider, request)
    assert found is not None
    return found


def with_first(**changes: Any) -> ChatRequest:
    first, *others = CHAT.messages
    return evolve(CHAT, messages=(evolve(first, **changes), *others))


def others() -> Iterator[ChatRequest]:
    """Requests that differ from `CHAT`, and from each other, in one thing."""
    yield evolve(CHAT, model="n")
    yield evolve(CHAT, strict=True)
    yield evolve(CHAT, strict=False)
    yield evolve(CHAT, tools=())
    yield evolve(CHAT, tools=[evolve(CHAT.tools[0], description="Subtracts")])
    yield evolve(CHAT, tools=[evolve(CHAT.tools[0], strict=True)])
    yield evolve(CHAT, tools=[evolve(CHAT.tools[0], parameters={"type": "object"})])
    yield evolve(CHAT, tools=[evolve(CHAT.tools[0], provider_metadata={"claude": {"a": 1}})])
    yield evolve(CHAT, tool_choice="none")
    yield evolve(CHAT, tool_choice="add")
    yield evolve(CHAT, response_format=ResponseFormat(type="json"))
    yield evolve(CHAT, response_format=ResponseFormat(schema={"type": "object"}))
    yield evolve(CHAT, provider_options={})
    yield evolve(CHAT, provider_options={"scripted": {"nested": {"deep": [2, 1]}}})
    yield evolve(CHAT, provider_options={"scripted": {"nested": {"deep": [1, True]}}})
    yield evolve(CHAT, metadata={"tenant": "a"})
    yield evolve(CHAT, metadata={"tenant": "b"})
    yield evolve(CHAT, messages=CHAT.messages[:1])
    yield evolve(CHAT, messages=CHAT.messages[:1] * 2)
    yield with_first(role="system")
    yield with_first(provider_metadata={"claude": {"cache": True}})
    yield with_first(content=[TextPart("Hi"), MediaPart("image/png", b"Picture")])
    yield with_first(content=[TextPart("Hi"), MediaPart("image/gif", b"picture")])
    yield with_first(content=[TextPart("Hi"), MediaPart("image/png", url="https://a.example/b")])
    yield with_first(content=[TextPart("Hi"), MediaPart("image/png", b"picture", name="a.png")])
    yield with_first(content=[TextPart("Hi", provider_metadata={"claude": {}})])
    yield with_first(content=[TextPart("Hi"), TextPart("")])
    yield with_first(content=[TextPart("H"), TextPart("i")])
    given = {"stop": ("a",), "reasoning_effort": "low", "parallel_tool_calls": False}
    for name in (f.name for f in fields(GenerationParams)):
        for value in (given.get(name, 7), None):
            if getattr(CHAT.params, name) != value:
                yield evolve(CHAT, params=evolve(CHAT.params, **{name: value}))


def test_requests_that_differ_in_any_one_thing_have_different_keys() -> None:
    every = [CHAT, *others()]
    assert len({key(request) for request in every}) == len(every)


def test_the_list_above_changes_every_field() -> None:
    changed = {f.name for r in others() for f in fields(ChatRequest) if _differs(r, f.name)}
    assert changed == {f.name for f in fields(ChatRequest)} - {"timeout"}


def _differs(request: ChatRequest, name: str) -> bool:
    return bool(getattr(request, name) != getattr(CHAT, name))


@given(jf.chat_requests(with_media=True), jf.chat_requests(with_media=True))
def test_keys_are_the_same_for_equal_requests_and_for_no_others(
    one: ChatRequest, other: ChatRequest
) -> None:
    assert key(one) == key(copy.deepcopy(one))
    assert (key(one) == key(other)) == (one == other)


def test_neither_the_order_of_tables_nor_the_way_to_write_a_number_makes_a_difference() -> None:
    def ask(temperature: float, options: dict[str, int]) -> ChatRequest:
        params = GenerationParams(temperature=temperature)
        return ChatRequest(messages="Hi", params=params, provider_options={"scripted": options})

    assert key(ask(1, {"a": 1, "b": 2})) == key(ask(1.0, {"b": 2, "a": 1}))


def test_neither_timeouts_nor_tags_make_a_difference() -> None:
    other = evolve(CHAT, timeout=Timeout(total=1), metadata={"tags": ["a"], "cache": "refresh"})
    assert key(other) == key(CHAT)


def test_operations_have_keys_of_their_own() -> None:
    embedding = EmbeddingRequest(model="m", inputs=["Hi"])
    ranking = RerankRequest(model="m", query="Hi", documents=["Hi"])
    found = [
        key(r)
        for r in (
            embedding,
            evolve(embedding, dimensions=2),
            evolve(embedding, input_type="query"),
            evolve(embedding, inputs=["Ho"]),
            ranking,
            evolve(ranking, top_n=1),
        )
    ]
    assert len(set(found)) == len(found)


# What the provider is.


class Other(Toy):
    info = ProviderInfo(name="other", display_name="Other")


def toy(kind: type[Toy] = Toy, **config: Any) -> Toy:
    return kind({"base_url": "https://toy.example", "api_key": KEY, **config})


def test_the_key_covers_who_is_asked_and_with_which_credentials() -> None:
    providers = [
        SCRIPTED,
        toy(),
        toy(Other),
        toy(api_key="sk-toy-another-0123456789"),
        toy(base_url="https://other.example"),
        toy(headers={"x-account": "secret-account-1"}),
        toy(headers={"x-account": "secret-account-2"}),
        toy(strict=True),
    ]
    assert len({key(CHAT, provider) for provider in providers}) == len(providers)


def test_a_key_from_the_environment_counts_as_one_from_the_configuration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = {"base_url": "https://toy.example"}
    monkeypatch.setenv("TOY_API_KEY", "sk-toy-environment-1")
    one = Toy(config)
    key(CHAT, one)
    monkeypatch.setenv("TOY_API_KEY", "sk-toy-environment-2")
    assert key(CHAT, one) != key(CHAT, Toy(config))


def test_instances_that_ask_the_same_have_the_same_key_whatever_their_names_and_timeouts() -> None:
    renamed = Toy(toy().config, name="work")
    assert (
        key(CHAT, toy()) == key(CHAT, renamed) == key(CHAT, toy(timeout=5, retry={"attempts": 1}))
    )


class Target:
    def __init__(self, provider: LLMProvider, model: str | None = None) -> None:
        self.provider, self.model = provider, model


class Targets(ScriptedProvider):
    info: ClassVar = ProviderInfo(name="targets", display_name="Targets")

    def __init__(self, *targets: Target) -> None:
        super().__init__()
        self.targets = targets


def test_a_route_is_its_targets_and_theirs() -> None:
    routes = [
        Targets(Target(toy())),
        Targets(Target(toy(), "m")),
        Targets(Target(toy()), Target(toy(Other))),
        Targets(Target(toy(api_key="sk-toy-another-0123456789"))),
        Targets(Target(Targets(Target(toy())))),
        Targets(Target(Targets(Target(toy(api_key="sk-toy-another-0123456789"))))),
    ]
    assert len({key(CHAT, route) for route in routes}) == len(routes)
    assert key(CHAT, Targets(Target(toy()))) == key(CHAT, Targets(Target(toy())))


def test_a_provider_may_say_itself_what_its_answers_depend_on() -> None:
    class Told(ScriptedProvider):
        def __init__(self, scope: Any) -> None:
            super().__init__()
            self._scope = scope

        def cache_scope(self) -> Any:
            return self._scope

    assert key(CHAT, Told({"file": "a"})) == key(CHAT, Told({"file": "a"}))
    assert key(CHAT, Told({"file": "a"})) != key(CHAT, Told({"file": "b"}))


def test_a_provider_that_is_told_functions_shares_with_nobody_but_itself() -> None:
    one, other = (ScriptedProvider({"answers": [lambda _: "Hi"]}) for _ in range(2))
    assert key(CHAT, one) == key(CHAT, one)
    assert key(CHAT, one) != key(CHAT, other)


@pytest.mark.parametrize("odd", [object(), "\ud800", {"a": object()}])
def test_what_no_wire_can_carry_has_no_key(odd: Any) -> None:
    assert KEYS.key(SCRIPTED, evolve(CHAT, provider_options={"scripted": {"odd": odd}})) is None


# The digest.


def test_each_store_and_each_format_has_keys_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(CHAT)
    assert Keys(b"another salt").key(SCRIPTED, CHAT) != before
    monkeypatch.setattr(cache_keys, "FORMAT", cache_keys.FORMAT + 1)
    assert key(CHAT) != before


PRINT = """
from jackfield import ChatRequest, create_provider
from jackfield.middleware.cache_keys import Keys
config = {"answers": ["Hi"], "strict": True}
request = ChatRequest(model="m", messages="Hi", provider_options={"a": {c: c for c in "xyzuvw"}})
print(Keys(bytes(32)).key(create_provider("scripted", config), request).hex())
"""


def test_a_key_is_the_same_in_every_process() -> None:
    printed = {
        subprocess.run(
            [sys.executable, "-c", PRINT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1
    assert len(printed.pop().strip()) == 64
