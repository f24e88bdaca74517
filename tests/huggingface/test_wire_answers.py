"""Every recorded answer of Hugging Face says through the plugin what its wire says."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from huggingface.replays import COLOURS, replay
from huggingface.traffic import ALL, WIRED, each, of, operation, whole
from jackfield import ChatResponse, LLMError, StreamInterruptedError, fold
from jackfield.errors import for_status
from jackfield_huggingface import HuggingFaceProvider
from openai_dialect.reading import Said, parsed, parsed_calls, read_answers, read_tokens, read_usage
from openai_dialect.scope import documents
from openai_dialect.scope import whole as ended
from support.outcomes import Outcome
from support.recordings import Turn, pieces

pytestmark = WIRED

FAILED = [t for t in of() if t.status >= 300]


def good(*operations: str) -> list[Turn]:
    return [t for t in of(*operations) if t.status < 300]


def result(outcome: Outcome) -> Any:
    if outcome.error is not None:
        raise outcome.error
    return outcome.result


def test_every_recorded_turn_is_of_an_operation_of_ours() -> None:
    rows = Counter(f"{operation(t)}{', an error' if t.status >= 300 else ''}" for t in ALL)
    print("", *(f"{n:4} {row}" for row, n in sorted(rows.items())), sep="\n")  # noqa: T201  # for reading
    assert [str(t) for t in ALL if operation(t) is None] == []
    assert rows.total() == len(ALL) > 0


@each(of())
def test_each_colour_and_each_cutting_says_the_same(turn: Turn) -> None:
    plain = replay(turn).facts()
    for name, colour in COLOURS.items():
        assert colour(turn).facts() == plain, name
    for size in (7, 1000):
        assert replay(turn, pieces(turn.payload, size)).facts() == plain


@each(good("chat"))
def test_a_chat_is_what_its_wire_says(turn: Turn) -> None:
    answer: ChatResponse = result(replay(turn))
    said = read_answers(documents(turn)).get(0, Said())
    assert (answer.text, answer.reasoning) == (said.text, said.reasoning)
    assert answer.raw_finish_reason == said.finish
    calls = [(c.name, parsed(c.arguments)) for c in answer.tool_calls]
    assert calls == parsed_calls(said)
    assert len({c.id for c in answer.tool_calls}) == len(calls)
    usage = read_usage(documents(turn))
    tokens = read_tokens(usage)
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (tokens.input, tokens.output)
    assert answer.usage.cache_read_tokens == tokens.cached
    assert answer.usage.raw == (usage or {})
    assert answer.warnings == ()


@each([t for t in good("chat") if t.streamed])
def test_a_stream_folds_into_its_response_and_is_never_cut_unnoticed(turn: Turn) -> None:
    outcome = replay(turn)
    answer = result(outcome)
    assert ended(turn)
    assert fold(outcome.events) == answer
    for share in range(1, 12):
        part = turn.payload[: len(turn.payload) * share // 12]
        cut = replay(turn, [part])
        if cut.error is None:
            assert (cut.result.text, cut.result.tool_calls) == (answer.text, answer.tool_calls)
        else:
            assert isinstance(cut.error, StreamInterruptedError)
            assert answer.text.startswith(cut.error.partial_text)


@each(good("completion"))
def test_a_generated_text_is_the_wires(turn: Turn) -> None:
    answer = result(replay(turn))
    (body,) = whole(turn)
    assert answer.text == body["generated_text"]
    details = body.get("details") or {}
    reason = str(details.get("finish_reason", ""))
    assert (answer.raw_finish_reason or "") == reason
    common = {"length": "length", "eos_token": "stop", "stop_sequence": "stop"}
    assert answer.finish_reason == common.get(reason, "other")
    assert answer.usage.output_tokens == details.get("generated_tokens")
    prompt = turn.response["headers"].get("x-prompt-tokens")
    assert answer.usage.input_tokens == (int(prompt) if prompt else None)
    others = details.get("best_of_sequences") or []
    assert [a.message.text for a in answer.alternatives] == [o["generated_text"] for o in others]


def means(body: Any) -> list[list[float]]:
    """The vectors of *body*, one a text, however deep they are."""
    rows = [body] if not isinstance(body[0], list) else body
    found = []
    for row in rows:
        inner = row
        while isinstance(inner[0], list) and isinstance(inner[0][0], list):
            (inner,) = inner
        tokens = inner if isinstance(inner[0], list) else [inner]
        found.append([sum(x) / len(tokens) for x in zip(*tokens, strict=True)])
    return found


@each(good("embeddings"))
def test_vectors_are_the_wires_or_means_with_a_warning(turn: Turn) -> None:
    answer = result(replay(turn))
    body = whole(turn)
    assert [list(v) for v in answer.vectors] == means(body)
    pooled = not isinstance(body[0], list) or not isinstance(body[0][0], list)
    assert [w.kind for w in answer.warnings] == ([] if pooled else ["emulated"])


@each(good("rerank"))
def test_scores_are_the_wires_in_falling_order(turn: Turn) -> None:
    body = whole(turn)
    wire = [(r["index"], r["score"]) if isinstance(r, dict) else (i, r) for i, r in enumerate(body)]
    got = [(r.index, r.score) for r in result(replay(turn)).results]
    assert sorted(got) == sorted(wire)
    assert [s for _, s in got] == sorted((s for _, s in wire), reverse=True)


@each(good("transcription"))
def test_a_transcript_is_the_wires(turn: Turn) -> None:
    assert result(replay(turn)).text == whole(turn)["text"]


@each(good("image", "speech"))
def test_made_media_are_the_wires_bytes(turn: Turn) -> None:
    made = result(replay(turn))
    part = made.images[0] if operation(turn) == "image" else made.audio
    assert part.data == turn.payload
    assert part.media_type == turn.response["headers"]["content-type"]


@each(good("task"))
def test_a_tasks_answer_is_the_wires(turn: Turn) -> None:
    answer = result(replay(turn))
    assert answer.data == whole(turn)
    assert answer.media is None


@each(good("hub", "models"))
def test_a_model_is_the_wires(turn: Turn) -> None:
    found, body = result(replay(turn)), whole(turn)
    listed, wire = ([found], [body]) if operation(turn) == "hub" else (found, body["data"])
    assert [m.id for m in listed] == [w["id"] for w in wire]
    assert [m.provider_metadata["huggingface"] for m in listed] == wire
    tasks = {s["task"] for w in wire for s in w.get("inferenceProviderMapping", {}).values()}
    if "text-to-image" in tasks:
        assert found.capabilities.image_generation
    if "automatic-speech-recognition" in tasks:
        assert found.capabilities.transcription


@each(FAILED)
def test_an_error_has_its_class_and_facts(turn: Turn) -> None:
    error: Any = replay(turn).error
    assert isinstance(error, LLMError)
    body = whole(turn)
    told = body if isinstance(body, dict) else {}
    code = told.get("error_type")
    kind = for_status(turn.status, code, HuggingFaceProvider.error_codes)
    too_long = "must be <=" in str(told.get("error"))
    assert isinstance(error, kind)
    assert (type(error).__name__ == "ContextLengthExceededError") == too_long
    assert error.message
    assert error.message.split("`")[0] in turn.payload.decode()
    assert (error.status, error.code) == (turn.status, code)
    assert error.retry_after == told.get("estimated_time")
    assert error.retryable == (turn.status == 503)
    assert error.request_id == turn.response["headers"].get("x-request-id")


def grown(value: Any) -> Any:
    """*value* with a field that nobody knows in each of its objects."""
    if isinstance(value, dict):
        return {**{k: grown(v) for k, v in value.items()}, "x_new": {"deep": [1, None]}}
    return [grown(v) for v in value] if isinstance(value, list) else value


@each(
    [
        t
        for t in good("chat", "completion", "embeddings", "rerank", "transcription")
        if not t.streamed
    ]
)
def test_fields_that_nobody_knows_change_nothing(turn: Turn) -> None:
    plain, more = (
        result(replay(turn)),
        result(replay(turn, [json.dumps(grown(whole(turn))).encode()])),
    )
    for name in ("text", "vectors", "results", "raw_finish_reason"):
        assert getattr(more, name, None) == getattr(plain, name, None)


@pytest.mark.parametrize(
    "broken", [b"", b"{", b"null", b"<html>busy</html>", b'"x"', b"[[[[[[1]]]]]]"]
)
@each(
    [
        next(iter(good(name)))
        for name in ("completion", "embeddings", "transcription", "hub")
        if good(name)
    ]
)
def test_an_answer_that_is_none_is_a_typed_error(turn: Turn, broken: bytes) -> None:
    assert isinstance(replay(turn, [broken]).error, LLMError)
