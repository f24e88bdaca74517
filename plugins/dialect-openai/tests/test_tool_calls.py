"""Tool calls are put together again, however a server numbers, names and cuts them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.testing import strategies as jf

Call = tuple[str, str]
Piece = dict[str, Any]
NAMES = st.sampled_from(["add", "get_weather", "look_up"])
CALLS = st.lists(st.tuples(NAMES, jf.json_texts()), min_size=1, max_size=4)
CHANCE = st.integers(0, 2**16).map(random.Random)


def cut(text: str, chance: random.Random) -> list[str]:
    """*text* in one to four pieces, none of them empty."""
    edges = sorted({0, len(text), *(chance.randint(0, len(text)) for _ in range(3))})
    return [text[a:b] for a, b in pairwise(edges)]


def piece(arguments: str, **fields: Any) -> Piece:
    """A piece of a call; *name* goes into its function."""
    name = fields.pop("name", None)
    function = {"arguments": arguments} if name is None else {"name": name, "arguments": arguments}
    return {"function": function, **fields}


def sequential(per_call: list[list[Piece]], chance: random.Random) -> list[Piece]:
    """All of a call before the next begins."""
    return [p for pieces in per_call for p in pieces]


def interleaved(per_call: list[list[Piece]], chance: random.Random) -> list[Piece]:
    """The calls begin in order; after that, any of them may go on."""
    queues = [list(pieces) for pieces in per_call]
    begun, found = 0, []
    while any(queues):
        ready = [q for q in queues[:begun] if q]
        if begun < len(queues) and (not ready or chance.random() < 0.5):
            ready, begun = [queues[begun]], begun + 1
        found.append(chance.choice(ready).pop(0))
    return found


def standard(calls: list[Call], chance: random.Random, **changes: Any) -> list[list[Piece]]:
    """Pieces as OpenAI numbers them: index always, id and name once."""
    return [
        [
            piece(text, index=i, **({"id": f"id_{i}", "name": name} if n == 0 else {}))
            for n, text in enumerate(["", *cut(arguments, chance)])
        ]
        for i, (name, arguments) in enumerate(calls)
    ]


def without(pieces: list[list[Piece]], *names: str) -> list[list[Piece]]:
    return [[{k: v for k, v in p.items() if k not in names} for p in call] for call in pieces]


def everywhere(pieces: list[list[Piece]], name: str) -> list[list[Piece]]:
    """*pieces* with the first one's *name* in each."""
    return [[{**p, name: call[0][name]} for p in call] for call in pieces]


def named(pieces: list[list[Piece]]) -> list[list[Piece]]:
    """*pieces* with the function's name in each."""
    return [
        [{**p, "function": {**p["function"], "name": call[0]["function"]["name"]}} for p in call]
        for call in pieces
    ]


def numbered(pieces: list[list[Piece]], number: Callable[[int], Any]) -> list[list[Piece]]:
    return [[{**p, "index": number(i)} for p in call] for i, call in enumerate(pieces)]


Order = Callable[[list[list[Piece]], random.Random], list[Piece]]
Style = tuple[Callable[[list[list[Piece]]], list[list[Piece]]], Order]

# A server's habit, and how it may mix the pieces of several calls.
STYLES: dict[str, Style] = {
    "as OpenAI": (lambda p: p, interleaved),
    "no index": (lambda p: without(p, "index"), sequential),
    "index always null": (lambda p: numbered(p, lambda _: None), sequential),
    "index always 0": (lambda p: numbered(p, lambda _: 0), sequential),
    "index from 1": (lambda p: numbered(p, lambda i: i + 1), interleaved),
    "sparse index": (lambda p: numbered(p, lambda i: 7 * i + 3), interleaved),
    "falling index": (lambda p: numbered(p, lambda i: 9 - i), interleaved),
    "no id": (lambda p: without(p, "id"), interleaved),
    "empty ids": (lambda p: [[{**x, "id": ""} for x in call] for call in p], interleaved),
    "id everywhere": (lambda p: everywhere(p, "id"), interleaved),
    "id everywhere, no index": (lambda p: without(everywhere(p, "id"), "index"), interleaved),
    "id everywhere, index 0": (
        lambda p: numbered(everywhere(p, "id"), lambda _: 0),
        interleaved,
    ),
    "name everywhere": (named, interleaved),
    "name and id everywhere": (lambda p: named(everywhere(p, "id")), interleaved),
    "name and id everywhere, no index": (
        lambda p: without(named(everywhere(p, "id")), "index"),
        interleaved,
    ),
    "name everywhere, no id": (lambda p: without(named(p), "id"), interleaved),
    "ids are numbers": (
        lambda p: [[{**x, "id": i + 1} for x in call] for i, call in enumerate(p)],
        interleaved,
    ),
    "one id for all": (
        lambda p: [[{**x, "id": "same"} if "id" in x else x for x in call] for call in p],
        interleaved,
    ),
    "no index and no id": (lambda p: without(p, "index", "id"), sequential),
    "index 0 and no id": (lambda p: numbered(without(p, "id"), lambda _: 0), sequential),
}


def chunk(pieces: list[Piece]) -> dict[str, Any]:
    return {"id": "c1", "model": "m", "choices": [{"index": 0, "delta": {"tool_calls": pieces}}]}


END = {"id": "c1", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}


@pytest.mark.parametrize("style", STYLES)
@given(calls=CALLS, chance=CHANCE)
def test_streamed_calls_are_put_together_whatever_their_numbering(
    replayed: Any, style: str, calls: list[Call], chance: random.Random
) -> None:
    change, order = STYLES[style]
    pieces = order(change(standard(calls, chance)), chance)
    together = chance.random() < 0.3
    chunks = [chunk(pieces)] if together else [chunk([p]) for p in pieces]
    answer = replayed([*chunks, END, "[DONE]"]).stream_execute("m", "Hi").drain()
    assert [(c.name, json.loads(c.arguments)) for c in answer.tool_calls] == [
        (name, json.loads(arguments)) for name, arguments in calls
    ]
    ids = [c.id for c in answer.tool_calls]
    assert len(set(ids)) == len(ids)
    assert all(ids)
    if style == "as OpenAI":
        assert ids == [f"id_{i}" for i in range(len(calls))]


WHOLE: dict[str, Callable[[int], dict[str, Any]]] = {
    "index and id": lambda i: {"index": i, "id": f"id_{i}"},
    "id": lambda i: {"id": f"id_{i}"},
    "index 0": lambda _: {"index": 0},
    "one id": lambda _: {"id": "0"},
    "the number 0 as every id": lambda _: {"id": 0},
    "nothing": lambda _: {},
}


@pytest.mark.parametrize("style", WHOLE)
@pytest.mark.parametrize("as_object", [False, True])
@given(calls=CALLS)
def test_whole_calls_are_told_apart_and_arguments_may_be_an_object(
    replayed: Any, style: str, as_object: bool, calls: list[Call]
) -> None:
    listed = [
        {
            **WHOLE[style](i),
            "type": "function",
            "function": {"name": n, "arguments": json.loads(a) if as_object else a},
        }
        for i, (n, a) in enumerate(calls)
    ]
    message = {"role": "assistant", "content": None, "tool_calls": listed}
    body = {"id": "c", "choices": [{"message": message, "finish_reason": "tool_calls"}]}
    answer = replayed(body).execute("m", "Hi")
    assert [(c.name, json.loads(c.arguments)) for c in answer.tool_calls] == [
        (name, json.loads(arguments)) for name, arguments in calls
    ]
    assert len({c.id for c in answer.tool_calls}) == len(calls)


@pytest.mark.parametrize("as_object", [False, True])
@given(calls=CALLS)
def test_a_stream_may_bring_each_call_in_one_piece(
    replayed: Any, as_object: bool, calls: list[Call]
) -> None:
    pieces = [
        {
            "index": 0,
            "id": 0,
            "function": {"name": n, "arguments": json.loads(a) if as_object else a},
        }
        for n, a in calls
    ]
    answer = replayed([*(chunk([p]) for p in pieces), END]).stream_execute("m", "Hi").drain()
    assert [(c.name, json.loads(c.arguments)) for c in answer.tool_calls] == [
        (name, json.loads(arguments)) for name, arguments in calls
    ]


@pytest.mark.parametrize("nothing", ["", None, " "])
def test_a_call_without_arguments_has_an_empty_object_of_them(replayed: Any, nothing: Any) -> None:
    call = {"index": 0, "id": "a", "function": {"name": "now", "arguments": nothing}}
    answer = replayed([chunk([call]), END]).stream_execute("m", "Hi").drain()
    assert [(c.name, json.loads(c.arguments)) for c in answer.tool_calls] == [("now", {})]


def test_made_up_ids_differ_between_the_answers_of_a_conversation(replayed: Any) -> None:
    def body(name: str) -> dict[str, Any]:
        calls = [{"function": {"name": "now", "arguments": "{}"}}]
        return {"id": name, "choices": [{"message": {"tool_calls": calls}}]}

    provider = replayed(body("one"), body("two"), body("one"))
    ids = [provider.execute("m", "Hi").tool_calls[0].id for _ in range(3)]
    assert ids[0] == ids[2]
    assert ids[0] != ids[1]


@given(arguments=jf.json_texts(), chance=CHANCE)
def test_the_old_way_of_calling_a_function_is_a_tool_call(
    replayed: Any, arguments: str, chance: random.Random
) -> None:
    pieces: list[dict[str, Any]] = [{"name": "add", "arguments": ""}]
    pieces += [{"arguments": text} for text in cut(arguments, chance)]
    chunks = [{"id": "c", "choices": [{"index": 0, "delta": {"function_call": p}}]} for p in pieces]
    end = {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "function_call"}]}
    call = {"name": "add", "arguments": arguments}
    whole = {
        "id": "c",
        "choices": [{"message": {"function_call": call}, "finish_reason": "function_call"}],
    }
    provider = replayed([*chunks, end, "[DONE]"], whole)
    streamed = provider.stream_execute("m", "Hi").drain()
    plain = provider.execute("m", "Hi")
    assert streamed == plain
    assert [(c.name, c.arguments) for c in plain.tool_calls] == [("add", arguments)]
    assert plain.tool_calls[0].id
    assert plain.finish_reason == "tool_calls"
    assert plain.raw_finish_reason == "function_call"
