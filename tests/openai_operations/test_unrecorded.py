"""Operations that few recordings have: answers as their services describe them, and any recorded, are read as what they say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from openai_operations.replaying import on_loop, sync
from openai_operations.scope import UNRECORDED, failed, inside, operation
from support.recordings import Turn

JOB = {"id": "ftjob-1", "object": "fine_tuning.job", "status": "succeeded", "model": "m",
       "created_at": 1, "fine_tuned_model": "ft:m:1", "training_file": "file-1"}  # fmt: skip
FILE = {"id": "file-1", "object": "file", "bytes": 3, "created_at": 1, "filename": "a.txt"}
BATCH = {"id": "batch_1", "object": "batch", "status": "completed", "created_at": 1,
         "request_counts": {"total": 2, "completed": 1, "failed": 1}}  # fmt: skip
DESCRIBED: list[tuple[str, str, str, Any, Any]] = [
    ("openai", "POST", "/v1/fine_tuning/jobs", {"model": "m", "training_file": "file-1"}, JOB),
    ("openai", "GET", "/v1/fine_tuning/jobs/ftjob-1", None, JOB),
    ("azure_openai", "POST", "/openai/v1/fine_tuning/jobs/ftjob-1/cancel", None, JOB),
    ("openai", "GET", "/v1/fine_tuning/jobs", None, {"data": [JOB], "has_more": False}),
    ("openai", "GET", "/v1/files", None, {"data": [FILE], "has_more": True}),
    ("azure_openai", "GET", "/openai/v1/batches", None, {"data": [BATCH], "has_more": True}),
    ("vllm", "POST", "/tokenize", {"model": "m", "prompt": "Hi"}, {"tokens": [7], "count": 1, "max_model_len": 9}),
    ("llamacpp", "POST", "/tokenize", {"content": "Hi"}, {"tokens": [{"id": 7, "piece": "Hi"}]}),
    ("vllm", "POST", "/detokenize", {"model": "m", "tokens": [7]}, {"prompt": "Hi"}),
    ("llamacpp", "POST", "/detokenize", {"tokens": [7]}, {"content": "Hi"}),
    ("llamacpp", "POST", "/apply-template", {"messages": []}, {"prompt": "<user>Hi"}),
    ("llamacpp", "GET", "/slots", None, [{"id": 0, "n_ctx": 512, "is_processing": True}]),
    ("vllm", "POST", "/score", {"model": "m", "text_1": "a", "text_2": ["b", "c"]},
     {"model": "m", "data": [{"index": 1, "score": 0.5}, {"index": 0, "score": 0.25}]}),
    ("openrouter", "GET", "/api/v1/credits", None, {"data": {"total_credits": 10.5, "total_usage": 2.25}}),
    ("openrouter", "GET", "/api/v1/generation", None,
     {"data": {"id": "gen-1", "model": "m", "native_tokens_completion": 7, "total_cost": 0.5}}),
]  # fmt: skip


def described(provider: str, method: str, path: str, asked: Any, told: Any) -> Turn:
    """A turn as the service describes it."""
    request = {"method": method, "url": f"https://example.com{path}", "body": asked}
    response = {"status": 200, "headers": {"content-type": "application/json"}, "body": told}
    return Turn(provider, f"described {method} {path}", 0, frozenset(), request, response)


TURNS = [*(described(*row) for row in DESCRIBED), *inside(*UNRECORDED)]


def good(*operations: str) -> pytest.MarkDecorator:
    """One test for each answered turn of *operations*."""
    found = [t for t in TURNS if operation(t) in operations and not failed(t)]
    return pytest.mark.parametrize("turn", found, ids=str)


def body(turn: Turn) -> Any:
    return turn.response["body"]


def test_there_is_an_answer_of_every_operation() -> None:
    assert {operation(t) for t in TURNS} == set(UNRECORDED)


@good("fine-tune", "fine-tuning job", "cancel fine-tuning")
def test_a_training_stands_where_the_wire_says(turn: Turn) -> None:
    job, wire = sync(turn).value(), body(turn)
    assert (job.id, job.raw_status) == (wire["id"], wire["status"])
    assert job.fine_tuned_model == wire.get("fine_tuned_model")


@good("files", "batches", "fine-tuning jobs")
def test_a_list_has_what_the_wire_lists(turn: Turn) -> None:
    assert [one.id for one in sync(turn).value()] == [told["id"] for told in body(turn)["data"]]


@good("tokenize")
def test_tokens_are_the_wires(turn: Turn) -> None:
    ids = [t["id"] if isinstance(t, dict) else t for t in body(turn)["tokens"]]
    assert list(sync(turn).value().ids) == ids


@good("detokenize", "template")
def test_a_servers_text_is_the_wires(turn: Turn) -> None:
    assert sync(turn).value() in body(turn).values()


@good("score")
def test_scores_are_the_wires_in_the_order_of_the_pairs(turn: Turn) -> None:
    wire = sorted(body(turn)["data"], key=lambda pair: int(pair["index"]))
    assert list(sync(turn).value().scores) == [pair["score"] for pair in wire]


@good("slots")
def test_slots_are_the_wires(turn: Turn) -> None:
    assert [slot.raw for slot in sync(turn).value()] == body(turn)


@good("credits")
def test_credits_are_the_wires(turn: Turn) -> None:
    told, found = body(turn)["data"], sync(turn).value()
    wanted = [Decimal(str(told[name])) for name in ("total_credits", "total_usage")]
    assert [found.bought, found.used] == wanted


@good("generation")
def test_a_generations_statistics_are_the_wires(turn: Turn) -> None:
    found, told = sync(turn).value(), body(turn)["data"]
    assert (found.id, found.model) == (told["id"], told["model"])
    assert found.usage.output_tokens == told["native_tokens_completion"]
    assert found.cost.amount == Decimal(str(told["total_cost"]))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_every_colour_reads_the_same(turn: Turn, backend: str) -> None:
    plain, there = sync(turn), on_loop(turn, backend)
    assert there.result == plain.result
    assert (type(there.error), str(there.error)) == (type(plain.error), str(plain.error))
