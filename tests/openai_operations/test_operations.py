"""Every recorded answer of the other operations becomes the typed value that its wire says."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from jackfield import ChatResponse, LLMError, fold
from jackfield.operations import BatchJob, JobStatus, RemoteFile
from openai_operations.replaying import MARKS, on_loop, sync
from openai_operations.scope import ANY, OPERATIONS, SERVICES, UNRECORDED, failed, inside, operation
from support.recordings import Turn, pieces, turns

pytestmark = MARKS

CHATS = ("responses", "input tokens")
EVERY = [t for t in inside(*OPERATIONS, *UNRECORDED, ANY) if operation(t) not in CHATS]
# Creating a batch is two exchanges: test_batches has it.
ONE = [t for t in EVERY if operation(t) != "create batch"]


def good(*operations: str) -> list[Turn]:
    """The turns of *operations* that were answered."""
    return [t for t in inside(*operations) if not failed(t)]


def body(turn: Turn) -> Any:
    return turn.response.get("body")


@pytest.mark.parametrize("turn", good("completions"), ids=str)
def test_a_completion_is_its_texts_and_ends(turn: Turn) -> None:
    outcome = sync(turn)
    answer: ChatResponse = outcome.value()
    documents = turn.data() if turn.streamed else [body(turn)]
    texts: dict[int, str] = {}
    ends: dict[int, Any] = {}
    for choice in (c for d in documents for c in d.get("choices") or ()):
        at = choice.get("index") or 0
        texts[at] = texts.get(at, "") + (choice.get("text") or "")
        ends[at] = choice.get("finish_reason") or ends.get(at)
    every: list[Any] = [answer, *answer.alternatives]
    assert [a.message.text for a in every] == [texts[at] for at in sorted(texts)]
    assert [a.raw_finish_reason for a in every] == [ends[at] for at in sorted(ends)]
    told: Any = next((d["usage"] for d in reversed(documents) if d.get("usage")), {})
    assert answer.usage.input_tokens == told.get("prompt_tokens")
    assert answer.usage.output_tokens == told.get("completion_tokens")
    if turn.streamed:
        assert fold(outcome.events) == answer
        assert sync(turn, pieces(turn.payload, 1)) == outcome


@pytest.mark.parametrize("turn", good("images"), ids=str)
def test_images_are_the_wires_bytes_or_addresses(turn: Turn) -> None:
    answer, wire = sync(turn).value(), body(turn)["data"]
    assert len(answer.images) == len(wire)
    for image, told in zip(answer.images, wire, strict=True):
        assert image.media_type.startswith("image/")
        if told.get("b64_json"):
            assert image.data == b64decode(told["b64_json"])
        else:
            assert image.url == told["url"]
    assert list(answer.revised_prompts) == [w.get("revised_prompt") for w in wire]
    assert answer.usage.output_tokens == (body(turn).get("usage") or {}).get("output_tokens")


@pytest.mark.parametrize("turn", good("speech"), ids=str)
def test_speech_is_the_wires_bytes(turn: Turn) -> None:
    audio = sync(turn).value().audio
    kind = turn.response["headers"]["content-type"]
    if kind.startswith("audio/"):
        assert (audio.data, audio.media_type) == (turn.payload, kind.partition(";")[0])
    else:
        assert audio.data == b64decode(body(turn)["audio_data"])
        assert audio.media_type.startswith("audio/")


@pytest.mark.parametrize("turn", good("transcription"), ids=str)
def test_a_transcript_is_the_wires_words(turn: Turn) -> None:
    answer, wire = sync(turn).value(), body(turn)
    if isinstance(wire, str):
        assert answer.text == wire.strip()
        return
    assert answer.text == str(answer) == wire["text"]
    assert answer.language == wire.get("language")
    assert [s.text for s in answer.segments] == [s["text"] for s in wire.get("segments") or ()]
    assert [(w.text, w.start) for w in answer.words] == [
        (w["word"], w["start"]) for w in wire.get("words") or ()
    ]
    assert answer.usage.raw == (wire.get("usage") or {})


@pytest.mark.parametrize("turn", good("moderation"), ids=str)
def test_verdicts_are_the_wires(turn: Turn) -> None:
    answer, wire = sync(turn).value(), body(turn)
    assert [r.flagged for r in answer.results] == [r["flagged"] for r in wire["results"]]
    assert answer.flagged is any(r["flagged"] for r in wire["results"])
    assert [dict(r.categories) for r in answer.results] == [
        r["categories"] for r in wire["results"]
    ]
    scores = [r["category_scores"] for r in wire["results"]]
    assert [dict(r.scores) for r in answer.results] == scores


@pytest.mark.parametrize("turn", good("rerank"), ids=str)
def test_documents_are_ranked_as_the_wire_scores_them(turn: Turn) -> None:
    answer, wire = sync(turn).value(), body(turn)
    ranked = wire["results"] if "results" in wire else wire["rankings"]
    scores = {r["index"]: r.get("relevance_score", r.get("logit")) for r in ranked}
    assert {r.index: r.score for r in answer.results} == scores
    order = [r.score for r in answer.results]
    assert order == sorted(order, reverse=True)
    cost = (wire.get("usage") or {}).get("cost")
    assert answer.cost.amount == (None if cost is None else Decimal(str(cost)))


@pytest.mark.parametrize("turn", good("upload", "file"), ids=str)
def test_a_file_is_what_the_wire_says(turn: Turn) -> None:
    found, wire = sync(turn).value(), body(turn)
    assert isinstance(found, RemoteFile)
    assert (found.id, found.name) == (wire["id"], wire["filename"])
    assert (found.size_bytes, found.status) == (wire["bytes"], wire.get("status"))
    assert found.created_at == datetime.fromtimestamp(wire["created_at"], UTC)


@pytest.mark.parametrize("turn", good("file content"), ids=str)
def test_a_files_content_is_its_bytes(turn: Turn) -> None:
    assert sync(turn).value() == turn.payload


@pytest.mark.parametrize("turn", good("batch", "cancel batch"), ids=str)
def test_a_batch_stands_where_the_wire_says(turn: Turn) -> None:
    job, wire = sync(turn).value(), body(turn)
    assert isinstance(job, BatchJob)
    assert (job.id, job.raw_status) == (wire["id"], wire["status"])
    assert job.status is not JobStatus.OTHER
    assert job.total == wire["request_counts"]["total"]
    assert job.status.ended is (wire["status"] in ("completed", "failed", "expired", "cancelled"))


@pytest.mark.parametrize("turn", [t for t in ONE if failed(t)], ids=str)
def test_an_error_is_typed_and_says_what_the_service_says(turn: Turn) -> None:
    error = sync(turn).error
    assert isinstance(error, LLMError)
    assert error.status == turn.status
    told = body(turn)
    if isinstance(told, dict) and isinstance(told.get("error"), dict):
        assert error.message == told["error"]["message"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("turn", [*EVERY, *inside("input tokens")], ids=str)
def test_every_colour_reads_the_same(turn: Turn, backend: str) -> None:
    plain, there = sync(turn), on_loop(turn, backend)
    assert (there.result, there.events) == (plain.result, plain.events)
    assert (type(there.error), str(there.error)) == (type(plain.error), str(plain.error))


@pytest.mark.parametrize("turn", [t for t in ONE if isinstance(body(t), dict)], ids=str)
def test_unknown_fields_are_tolerated(turn: Turn) -> None:
    more = {**body(turn), "tomorrow": {"a": [1, None]}}
    changed = Turn(
        turn.provider, turn.case, turn.number, turn.behaviours, turn.request,
        {**turn.response, "body": more, "body_text": json.dumps(more)},
    )  # fmt: skip
    plain, there = sync(turn), sync(changed)
    assert type(there.error) is type(plain.error)
    assert type(there.result) is type(plain.result)


@pytest.mark.parametrize("name", [n for n in OPERATIONS if n != "file"])
def test_every_operation_is_proved_by_a_recording(name: str) -> None:
    assert good(name)


def test_services_without_turns_here_are_none_by_mistake() -> None:
    assert {s for s in SERVICES if turns(s)} == set(SERVICES)
