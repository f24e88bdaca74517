"""Recorded truth: every recorded answer of Cohere becomes the typed values that the wire says."""

from __future__ import annotations

import json
import random
import re
from base64 import b64decode
from itertools import pairwise
from typing import Any

import pytest

from cohere_wire.reading import parsed, read
from cohere_wire.replays import on_loop, replay, replaying, streams, whole
from cohere_wire.traffic import ALL, each, of, operation, reason
from cohere_wire.typed import typed
from jackfield import (
    ContextLengthExceededError,
    FinishReason,
    InvalidRequestError,
    LLMError,
    Message,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ReasoningPart,
    StreamInterruptedError,
    fold,
)
from jackfield.errors import for_status
from support.recordings import Turn, pieces

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not ALL, reason="no recordings: set JACKFIELD_WIRE"),
]

REASONS = {
    "COMPLETE": FinishReason.STOP,
    "STOP_SEQUENCE": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "TOOL_CALL": FinishReason.TOOL_CALLS,
    "TIMEOUT": FinishReason.ERROR,
    "ERROR_LIMIT": FinishReason.LENGTH,
    "ERROR_TOXIC": FinishReason.CONTENT_FILTER,
}
CLASSES: dict[str, type[LLMError]] = {
    "TOO_MANY_TOKENS": ContextLengthExceededError,
    "INVALID_TOOL_GENERATION": ProviderError,
}
ASKED = [t for t in of() if operation(t) != "compatible chat"]
ANSWERS = [t for t in of("chat", "chat v1", "generate") if read(t).answered]
SECOND = [t for t in ANSWERS if operation(t) == "chat"]
STREAMED = [t for t in ANSWERS if streams(t)]
FAILED = [t for t in ASKED if t.status >= 300 or (t.streamed and read(t).error)]


def test_every_recorded_turn_is_replayed_or_has_its_reason() -> None:
    assert [str(t) for t in ALL if (operation(t) is None) == (reason(t) is None)] == []
    left = [t for t in ALL if operation(t) is None]
    assert len(left) <= 0.03 * len(ALL)


@each(ANSWERS)
def test_text_and_thinking_are_the_wires(turn: Turn) -> None:
    wire, response = read(turn), whole(turn)
    assert response.text == wire.text
    kept = [p for p in response.message.content if isinstance(p, ReasoningPart)]
    plans = [p for p in kept if p.provider_metadata.get("cohere", {}).get("type") == "tool_plan"]
    assert "".join(p.text for p in plans) == wire.plan
    assert "".join(p.text for p in kept if p not in plans) == wire.thinking
    assert response.id == wire.id


@each(ANSWERS)
def test_tool_calls_are_the_wires(turn: Turn) -> None:
    wire, response = read(turn), whole(turn)
    assert [(c.name, parsed(c.arguments)) for c in response.tool_calls] == wire.arguments
    ids = [c.id for c in response.tool_calls]
    assert len(set(ids)) == len(ids)
    assert all(
        c.id == w.get("id", c.id)
        for c, w in zip(response.tool_calls, wire.calls.values(), strict=True)
    )


@each(ANSWERS)
def test_every_citation_is_kept_once(turn: Turn) -> None:
    wire, response = read(turn), whole(turn)
    found = [
        c
        for holder in (*response.message.content, response)
        for c in getattr(holder, "provider_metadata", {}).get("cohere", {}).get("citations", ())
    ]
    assert sorted(map(json.dumps, found)) == sorted(map(json.dumps, wire.citations))


@each(ANSWERS)
def test_usage_is_the_wires_in_inclusive_totals(turn: Turn) -> None:
    wire, usage = read(turn).usage, whole(turn).usage
    tokens, billed = wire.get("tokens") or {}, wire.get("billed_units") or {}
    seen = tokens if "input_tokens" in tokens else billed
    counts = [seen.get("input_tokens"), tokens.get("image_tokens")]
    known = [n for n in counts if n is not None]
    assert usage.input_tokens == (sum(known) if known else None)
    wrote = tokens.get("output_tokens", billed.get("output_tokens"))
    assert usage.output_tokens == wrote
    assert usage.cache_read_tokens == wire.get("cached_tokens")
    assert usage.reasoning_tokens == tokens.get("reasoning_tokens")
    assert usage.raw == wire


@each(ANSWERS)
def test_both_words_for_the_end_are_kept(turn: Turn) -> None:
    wire, response = read(turn), whole(turn)
    assert response.raw_finish_reason == wire.stop
    usual = REASONS.get(str(wire.stop), FinishReason.OTHER)
    called = wire.calls and usual is FinishReason.STOP
    assert response.finish_reason == (FinishReason.TOOL_CALLS if called else usual)


@each(STREAMED)
def test_the_events_of_a_stream_fold_into_its_response(turn: Turn) -> None:
    outcome = replay(turn)
    assert fold(outcome.events) == outcome.result
    assert "".join(map(str, outcome.events)) == outcome.result.text


@each([t for t in ANSWERS if not streams(t)])
def test_a_whole_answer_to_a_streaming_call_is_the_same_answer(turn: Turn) -> None:
    assert replay(turn, stream=True).result == whole(turn)


def scattered(turn: Turn) -> list[bytes]:
    """The payload of *turn* in pieces of chance sizes, the same in each run."""
    chance, payload = random.Random(str(turn)), turn.payload
    edges = sorted({0, len(payload), *(chance.randrange(len(payload) + 1) for _ in range(40))})
    return [payload[a:b] for a, b in pairwise(edges)]


@each(ASKED)
def test_however_the_bytes_arrive_and_in_every_colour_the_outcome_is_the_same(turn: Turn) -> None:
    told = replay(turn).facts()
    assert replay(turn, scattered(turn)).facts() == told
    if len(turn.payload) < 20_000:
        assert replay(turn, pieces(turn.payload, 1)).facts() == told
    for backend in ("asyncio", "trio"):
        assert on_loop(turn, scattered(turn), backend).facts() == told


def ended(turn: Turn, received: bytes) -> bool:
    """Whether *received* holds the end of the answer."""
    words = rb'"type": ?"message-end"|"is_finished": ?true'
    return re.search(words, received) is not None


def cuts(turn: Turn) -> list[int]:
    """Where events end; of very many some, and the last."""
    between = rb"\r?\n\r?\n" if operation(turn) == "chat" else rb"\r?\n"
    ends = [match.end() for match in re.finditer(between, turn.payload)]
    return [*ends[: -5 : 1 + len(ends) // 150], *ends[-5:]]


@each(STREAMED)
def test_a_stream_that_is_cut_is_whole_only_after_its_end(turn: Turn) -> None:
    complete = whole(turn)
    for cut in cuts(turn):
        received = turn.payload[:cut]
        outcome = replay(turn, [received])
        if ended(turn, received):
            assert outcome.result == complete
        else:
            assert isinstance(outcome.error, StreamInterruptedError)
            assert complete.text.startswith(outcome.error.partial_text)


def expected(turn: Turn, wire: dict[str, Any]) -> type[LLMError]:
    """The class that the wire's type or status names, or its words where there is neither."""
    if turn.status < 300:
        return CLASSES.get(str(wire.get("error_type")), ProviderError)
    usual = for_status(turn.status, None, {})
    words = str(wire.get("message"))
    if usual is RateLimitError and "API calls / month" in words:
        return QuotaExceededError
    if usual is InvalidRequestError and words.startswith("too many tokens: "):
        return ContextLengthExceededError
    return CLASSES.get(str(wire.get("error_type")), usual)


@each(FAILED)
def test_an_error_has_its_class_and_its_facts(turn: Turn) -> None:
    wire = read(turn).error or {}
    error = replay(turn).error
    assert isinstance(error, LLMError)
    inside = error if turn.status >= 300 or error.__cause__ is None else error.__cause__
    assert type(inside) is expected(turn, wire)
    assert isinstance(inside, LLMError)
    assert inside.message == (wire.get("message") or inside.message)
    assert inside.code == wire.get("error_type", inside.code)
    if turn.status >= 300:
        assert error.status == turn.status
        assert error.request_id == wire.get("id", error.request_id)
    elif isinstance(error, StreamInterruptedError):
        assert error.partial is not None
        assert error.partial.reasoning == read(turn).plan + read(turn).thinking


@each([t for t in of("embed") if t.status < 300])
def test_vectors_are_the_wires_of_every_type(turn: Turn) -> None:
    response, wire = whole(turn), json.loads(turn.payload)
    forms = wire["embeddings"]
    forms = {"float": forms} if isinstance(forms, list) else {k: v for k, v in forms.items() if v}
    about = response.provider_metadata["cohere"]
    if forms.keys() != {"float"}:
        kept = {
            k: [v if k == "base64" else list(v) for v in vs]
            for k, vs in about["embeddings"].items()
        }
        assert kept == forms
    usual = next(
        forms[k] for k in ("float", "base64", "int8", "uint8", "binary", "ubinary") if k in forms
    )
    if isinstance(usual[0], list):
        assert [list(v) for v in response.vectors] == usual
    else:
        assert [len(v) * 4 for v in response.vectors] == [len(b64decode(v)) for v in usual]
    billed = (wire.get("meta") or {}).get("billed_units") or {}
    known = [billed[k] for k in ("input_tokens", "image_tokens") if k in billed]
    assert response.usage.input_tokens == (sum(known) if known else None)
    assert about["id"] == wire["id"]


@each([t for t in of("rerank") if t.status < 300])
def test_a_ranking_is_the_wires(turn: Turn) -> None:
    response, wire = whole(turn), json.loads(turn.payload)
    said: Any = typed(turn)
    assert [(r.index, r.score) for r in response.results] == [
        (w["index"], w["relevance_score"]) for w in wire["results"]
    ]
    assert [r.document for r in response.results] == [
        said.documents[w["index"]] for w in wire["results"]
    ]
    assert response.usage.raw == (wire.get("meta") or {})


@each([t for t in of("tokenize") if t.status < 300])
def test_tokens_are_the_wires_and_a_count_of_them_says_that_it_is_an_estimate(turn: Turn) -> None:
    tokens, wire = whole(turn), json.loads(turn.payload)
    assert (list(tokens.ids), list(tokens.texts)) == (wire["tokens"], wire["token_strings"])
    provider = replaying(turn.recorded())
    counted = provider.count_tokens("a-model", [Message("user", "Hi")])
    assert (counted.input_tokens, counted.estimated) == (len(wire["tokens"]), True)


@each([t for t in of("model", "models") if t.status < 300])
def test_a_model_is_the_wires(turn: Turn) -> None:
    wire = json.loads(turn.payload)
    found = whole(turn)
    listed = found if operation(turn) == "models" else [found]
    for model, said in zip(listed, wire.get("models", [wire]), strict=True):
        assert (model.id, model.context_window) == (said["name"], said.get("context_length"))
        assert model.provider_metadata["cohere"] == said


@each([t for t in of("transcription") if t.status < 300])
def test_a_transcript_is_the_wires(turn: Turn) -> None:
    assert whole(turn).text == json.loads(turn.payload)["text"]


@each([t for t in of("detokenize") if t.status < 300])
def test_a_text_of_tokens_is_the_wires(turn: Turn) -> None:
    assert whole(turn) == json.loads(turn.payload)["text"]


@each([t for t in of("compatible chat") if t.status < 300])
def test_the_compatible_address_is_one_for_the_compatible_provider(turn: Turn) -> None:
    chunks = turn.data() if turn.streamed else [json.loads(turn.payload)]
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    said = [(c.get("delta") or c.get("message") or {}).get("content") or "" for c in choices]
    response = whole(turn)
    assert response.text == "".join(said)
    assert response.raw_finish_reason in {c.get("finish_reason") for c in choices}
