"""Each parameter of the common set is sent, changed with a warning, or refused with one, by every provider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jackfield import ChatRequest, Explanation, LLMProvider, Message, Tool, plugin_manager
from jackfield.operations import CompletionRequest
from jackfield.params import EFFORTS, NAMES, GenerationParams, parse_params
from support.everyone import WAYS, made

ANY = settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))

NUMBERS = st.floats(-5, 5, allow_nan=False).map(lambda x: round(x, 2))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "max_tokens": st.integers(1, 10**7),
    "temperature": NUMBERS,
    "top_p": NUMBERS,
    "top_k": st.integers(0, 10**5),
    "min_p": NUMBERS,
    "seed": st.integers(-(2**62), 2**62),
    "stop": st.lists(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), min_size=1, unique=True),
    "presence_penalty": NUMBERS,
    "frequency_penalty": NUMBERS,
    "repeat_penalty": NUMBERS,
    "reasoning_effort": st.sampled_from(EFFORTS),
    "context_length": st.integers(1, 10**7),
    "parallel_tool_calls": st.booleans(),
}
"""Values of each parameter, with many that some provider does not take."""

NEUTRAL = {"top_p": 1.0, "top_k": 0, "min_p": 0.0, "repeat_penalty": 1.0}
"""Values that ask for what is done without them: a wire that has no word for them may say nothing."""


def leaves(value: Any) -> Iterator[Any]:
    """Every value inside of *value* that holds no others."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)
    else:
        yield value


def idle(name: str, value: Any, without: Explanation) -> bool:
    """Whether asking for *value* changes nothing: it is neutral, or what *without* it is sent anyhow."""
    sent = [(type(leaf), leaf) for leaf in leaves(without.body)]
    return value == NEUTRAL.get(name) or (type(value), value) in sent


TOOLS = [Tool("add", "Adds.", {"type": "object", "properties": {}})]
ASKED = [(way, kind) for way in WAYS for kind in ("chat", "completion")]


def test_there_is_a_strategy_for_every_parameter() -> None:
    assert set(VALUES) == set(NAMES)


def plan(provider: LLMProvider, kind: str, params: GenerationParams) -> Explanation:
    """What *provider* would send with *params*; with a tool, as some say nothing without one."""
    if kind == "chat":
        messages = [Message("user", "Hi")]
        request = ChatRequest(model="a-model", messages=messages, tools=TOOLS, params=params)
        return provider.explain(request)
    return provider.explain(CompletionRequest(model="a-model", prompt="Hi", params=params))


def can(way: str, kind: str) -> bool:
    """Whether *way* has that operation."""
    wanted = ChatRequest if kind == "chat" else CompletionRequest
    return wanted in made(way).operations


POSSIBLE = [pytest.param(*asked, id="-".join(asked)) for asked in ASKED if can(*asked)]


@pytest.mark.parametrize(("way", "kind"), POSSIBLE)
@given(data=st.data())
@ANY
def test_it_is_sent_or_told(way: str, kind: str, data: st.DataObject) -> None:
    """Two values that both go without a word go differently: neither became the other."""
    provider = made(way)
    bare = plan(provider, kind, GenerationParams())
    for name in NAMES:
        one, other = (data.draw(VALUES[name], label=name) for _ in range(2))
        silent = []
        for value in (one, other):
            asked = plan(provider, kind, parse_params({name: value}))
            told = [w for w in asked.warnings if w.subject == name]
            assert [w for w in asked.warnings if w not in told] == []
            if not told:
                assert asked.body != bare.body or idle(name, value, bare)
                silent.append(asked.body)
        assert one == other or len(silent) < 2 or silent[0] != silent[1], (name, one, other)


@pytest.mark.parametrize(("way", "kind"), POSSIBLE)
@given(data=st.data())
@ANY
def test_all_together_none_is_lost(way: str, kind: str, data: st.DataObject) -> None:
    """Taking one away from a whole set changes what is sent, or what is told."""
    provider = made(way)
    values = {name: data.draw(VALUES[name], label=name) for name in NAMES}
    whole = plan(provider, kind, parse_params(values))
    told = {w.subject for w in whole.warnings}
    for name in NAMES:
        rest = parse_params({n: v for n, v in values.items() if n != name})
        without = plan(provider, kind, rest)
        changed = (without.body, without.warnings) != (whole.body, whole.warnings)
        assert changed or name in told or idle(name, values[name], without), (name, values)


@pytest.mark.parametrize("way", WAYS)
def test_every_dialect_has_a_word_for_the_effort_of_thinking(way: str) -> None:
    provider = made(way)
    cls = plugin_manager().provider_class(provider.info.name)
    assert "reasoning_effort" in cls.params
