"""Every recorded answer of the dialect says through the real plugins what its wire says."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from jackfield import ChatResponse, Finish, fold
from openai_dialect.reading import (
    Said,
    calls_of,
    numbered,
    parsed,
    parsed_calls,
    read_answers,
    read_cost,
    read_tokens,
    read_usage,
    read_vector,
    spoken,
)
from openai_dialect.replaying import COLOURS, input_count, sync
from openai_dialect.scope import documents, failed, inside, operation, plugin, whole
from support.outcomes import Outcome
from support.recordings import WIRE, Turn, pieces

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}: set JACKFIELD_WIRE"),
]

GOOD = [t for t in inside("chat") if not failed(t) and whole(t)]
STREAMS = [t for t in GOOD if t.streamed]
SMALL = 4096
"""Bytes up to which a payload is fed byte by byte."""


def random_pieces(turn: Turn, most: int = 400) -> list[bytes]:
    """The payload of *turn* cut anywhere, in the same way at each run."""
    chance, payload = random.Random(str(turn)), turn.payload
    found, at = [], 0
    while at < len(payload):
        size = chance.randint(1, most)
        found.append(payload[at : at + size])
        at += size
    return found


def told(answer: ChatResponse) -> list[Any]:
    """What *answer* says, in comparable form: each of its alternatives."""
    every: list[Any] = [answer, *answer.alternatives]
    return [
        (
            a.message.text,
            a.message.reasoning,
            [(c.name, c.arguments) for c in a.message.tool_calls],
            a.raw_finish_reason,
        )
        for a in every
    ]


def succeeded(outcome: Outcome) -> Any:
    if outcome.error is not None:
        raise outcome.error
    return outcome.result


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("turn", GOOD, ids=str)
def test_text_thinking_refusal_calls_and_last_word_are_the_wires(turn: Turn, colour: str) -> None:
    answer: ChatResponse = succeeded(COLOURS[colour](turn, None))
    wire = read_answers(documents(turn))
    first = wire.pop(0, Said())
    assert answer.text == str(answer) == first.text
    assert answer.reasoning == first.reasoning
    assert (answer.refusal or "") == first.refusal
    assert answer.raw_finish_reason == first.finish
    # A model that was cut off may leave its arguments unfinished.
    if first.finish == "length":
        assert [[c.name, c.arguments] for c in answer.tool_calls] == first.calls
    else:
        got = [(c.name, parsed(c.arguments)) for c in answer.tool_calls]
        assert got == parsed_calls(first)
    assert [a.message.text for a in answer.alternatives] == [
        s.text for _, s in sorted(wire.items())
    ]
    assert [a.raw_finish_reason for a in answer.alternatives] == [
        s.finish for _, s in sorted(wire.items())
    ]
    assert answer.warnings == ()


@pytest.mark.parametrize("turn", GOOD, ids=str)
def test_usage_is_the_wires_in_inclusive_totals(turn: Turn) -> None:
    usage = succeeded(sync(turn)).usage
    wire = read_usage(documents(turn))
    tokens = read_tokens(wire)
    assert usage.input_tokens == tokens.input
    assert usage.output_tokens == tokens.output
    assert usage.cache_read_tokens == tokens.cached
    assert usage.reasoning_tokens == tokens.reasoning
    assert usage.raw == (wire or {})
    assert (usage.reasoning_tokens or 0) <= (usage.output_tokens or 0)


@pytest.mark.parametrize("turn", GOOD, ids=str)
def test_a_cost_is_the_one_that_the_server_reports_or_none_of_its_own(turn: Turn) -> None:
    cost = succeeded(sync(turn)).cost
    reported = read_cost(read_usage(documents(turn)))
    if reported is None:
        # A plugin with a price list may be installed; it says that it computed.
        assert cost.source == ("unknown" if cost.amount is None else "computed")
    else:
        assert cost.source == "provider"
        assert cost.amount == reported


@pytest.mark.parametrize("turn", GOOD, ids=str)
def test_id_and_model_are_those_of_the_first_chunk_with_an_answer(turn: Turn) -> None:
    answer = succeeded(sync(turn))
    first = next(d for d in documents(turn) if d.get("id") or d.get("choices"))
    assert answer.id == str(first.get("id") or "")
    assert answer.model == (first.get("model") or "")


@pytest.mark.parametrize("turn", GOOD, ids=str)
def test_calls_keep_their_ids_and_each_has_one_of_its_own(turn: Turn) -> None:
    ids = [c.id for c in succeeded(sync(turn)).tool_calls]
    assert len(set(ids)) == len(ids)
    assert all(ids)
    given = {
        str(call["id"])
        for document in documents(turn)
        for at, choice in numbered(document)
        for call in calls_of(spoken(choice)[0])
        if call.get("id") not in (None, "") and at == 0
    }
    assert given <= set(ids)


@pytest.mark.parametrize("turn", GOOD, ids=str)
def test_log_probabilities_and_annotations_are_kept(turn: Turn) -> None:
    answer = succeeded(sync(turn))
    choices = [c for d in documents(turn) for at, c in numbered(d) if at == 0]
    tokens = [
        token
        for choice in choices
        for token in (
            choice["logprobs"].get("content") or []
            if isinstance(choice.get("logprobs"), dict)
            else []
        )
    ]
    name = plugin(turn)
    kept = answer.provider_metadata.get(name, {}).get("logprobs")
    if tokens:
        # One answer's, or each answer's under its number.
        assert kept.get(0, kept)["content"] == tokens
    notes = [note for choice in choices for note in spoken(choice)[0].get("annotations") or []]
    own = [getattr(p, "provider_metadata", {}).get(name, {}) for p in answer.message.content]
    assert [n for o in own for n in o.get("annotations", ())] == notes


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("turn", STREAMS, ids=str)
def test_the_events_of_a_stream_fold_into_its_response(turn: Turn, colour: str) -> None:
    outcome = COLOURS[colour](turn, random_pieces(turn))
    answer = succeeded(outcome)
    assert fold(outcome.events) == answer
    assert "".join(map(str, outcome.events)) == answer.text
    assert sum(type(e) is Finish and e.choice == 0 for e in outcome.events) == 1
    assert answer == succeeded(sync(turn))


@pytest.mark.parametrize("turn", [t for t in STREAMS if len(t.payload) <= SMALL], ids=str)
def test_a_stream_that_comes_byte_by_byte_is_the_same_stream(turn: Turn) -> None:
    assert succeeded(sync(turn, pieces(turn.payload, 1))) == succeeded(sync(turn))


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("turn", [t for t in GOOD if not t.streamed][::20], ids=str)
def test_a_whole_answer_is_the_same_in_any_pieces(turn: Turn, size: int) -> None:
    assert succeeded(sync(turn, pieces(turn.payload, size))) == succeeded(sync(turn))


@pytest.mark.parametrize("turn", STREAMS, ids=str)
def test_a_stream_with_other_line_ends_is_the_same_stream(turn: Turn) -> None:
    plain = turn.payload.replace(b"\r\n", b"\n")
    for end in (b"\n", b"\r\n"):
        payload = plain.replace(b"\n", end)
        assert told(succeeded(sync(turn, [payload]))) == told(succeeded(sync(turn)))


EMBEDDED = [t for t in inside("embeddings") if not failed(t)]


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("turn", EMBEDDED, ids=str)
def test_vectors_are_the_wires_in_the_order_of_the_inputs(turn: Turn, colour: str) -> None:
    answer = succeeded(COLOURS[colour](turn, random_pieces(turn, 5000)))
    (body,) = documents(turn)
    places = [i if row.get("index") is None else row["index"] for i, row in enumerate(body["data"])]
    ordered: Sequence[Any] = [
        body["data"][i] for i in sorted(range(len(places)), key=places.__getitem__)
    ]
    assert list(answer.vectors) == [read_vector(row["embedding"]) for row in ordered]
    assert len(answer.vectors) == input_count(turn)
    assert answer.model == (body.get("model") or "")
    assert answer.usage.input_tokens == read_tokens(body.get("usage")).input
    assert answer.warnings == ()


LISTS = [t for t in inside("models", "model") if not failed(t)]


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("turn", LISTS, ids=str)
def test_models_are_the_wires_in_its_order(turn: Turn, colour: str) -> None:
    answer = succeeded(COLOURS[colour](turn, random_pieces(turn, 5000)))
    (body,) = documents(turn)
    single = operation(turn) == "model"
    listed = body if single or isinstance(body, list) else body.get("data", body.get("models"))
    wire = [body] if single else listed or []
    models = [answer] if single else answer
    wire_names = ("id", "key", "name")
    assert [m.id for m in models] == [next(r[n] for n in wire_names if r.get(n)) for r in wire]
    for model, row in zip(models, wire, strict=True):
        names = ("context_length", "context_window", "max_context_length", "max_model_len")
        windows = [row[k] for k in names if row.get(k)]
        assert model.context_window in (windows or [model.context_window])
        kept = model.provider_metadata[plugin(turn)]
        assert {k: v for k, v in kept.items() if k in row} == row
