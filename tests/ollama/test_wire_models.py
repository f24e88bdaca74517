"""Recorded lists, descriptions, vectors and pulls of Ollama's native API, read into values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from jackfield import (
    EmbeddingResponse,
    ModelInfo,
    Progress,
    ProviderError,
    PullRequest,
    StreamInterruptedError,
)
from jackfield.drivers.replay import AsyncReplayDriver, ReplayDriver
from jackfield_ollama import OllamaProvider
from support.ollama_reading import read_request
from support.recordings import WIRE, Turn, pieces, turns

TURNS = [t for t in turns("ollama") if t.status == 200]
COLOURS = ("sync", "asyncio", "trio")

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not TURNS, reason=f"no recordings at {WIRE / 'ollama'}"),
]


def of(*operations: str) -> pytest.MarkDecorator:
    """Run a test for each recorded turn of *operations*; say so where there is none."""
    found = [t for t in TURNS if t.operation in operations]
    why = f"no recording of {' or '.join(operations)}"
    none = pytest.param(None, id="none", marks=pytest.mark.skip(reason=why))
    return pytest.mark.parametrize("turn", found or [none], ids=str)


def run(turn: Turn, colour: str, chunks: Sequence[bytes] | None = None) -> Any:
    """The result of the recorded call, in one colour."""
    recorded = [turn.recorded(chunks)]
    backend = OllamaProvider(
        {"base_url": "http://127.0.0.1:11434"},
        driver=ReplayDriver(recorded),
        async_driver=AsyncReplayDriver(recorded),
    )
    request = read_request(turn)
    if colour == "sync":
        return backend.run(request)
    return anyio.run(backend.arun, request, backend=colour)


@of("GET /api/tags", "GET /api/ps")
@pytest.mark.parametrize("colour", COLOURS)
def test_a_list_has_every_model_with_its_size(turn: Turn, colour: str) -> None:
    (wire,) = turn.data()
    found = run(turn, colour)
    assert [m.id for m in found] == [m.get("model") or m["name"] for m in wire["models"] or ()]
    assert [m.size_bytes for m in found] == [m.get("size") for m in wire["models"] or ()]
    assert [m.provider_metadata["ollama"] for m in found] == (wire["models"] or [])


@of("POST /api/show")
@pytest.mark.parametrize("colour", COLOURS)
def test_a_description_has_the_context_and_the_capabilities(turn: Turn, colour: str) -> None:
    (wire,) = turn.data()
    found: ModelInfo = run(turn, colour, pieces(turn.payload, 1000))
    info = wire.get("model_info") or {}
    assert found.context_window == info.get(f"{info.get('general.architecture')}.context_length")
    names = wire.get("capabilities")
    assert found.capabilities.tools == (None if names is None else "tools" in names)
    assert found.provider_metadata["ollama"].get("model_info") == wire.get("model_info")


@of("POST /api/embed")
@pytest.mark.parametrize("colour", COLOURS)
def test_vectors_and_usage_are_the_recordings(turn: Turn, colour: str) -> None:
    (wire,) = turn.data()
    found: EmbeddingResponse = run(turn, colour)
    assert [list(v) for v in found.vectors] == wire["embeddings"]
    assert found.usage.input_tokens == wire.get("prompt_eval_count")


@of("POST /api/pull")
@pytest.mark.parametrize("size", [1, 100, 10**9])
def test_a_pull_tells_every_step_and_ends_as_recorded(turn: Turn, size: int) -> None:
    recorded = [turn.recorded(pieces(turn.payload, size))]
    backend = OllamaProvider({"base_url": "here"}, driver=ReplayDriver(recorded))
    steps, lines = [], turn.data()
    request = read_request(turn)
    assert isinstance(request, PullRequest)
    try:
        steps += list(backend.stream(request))
    except (ProviderError, StreamInterruptedError):
        assert lines[-1].get("status") != "success"
    else:
        assert lines[-1]["status"] == "success"
    told = [line for line in lines if "error" not in line]
    expected = [(x.get("status", ""), x.get("total"), x.get("completed")) for x in told]
    assert all(isinstance(s, Progress) for s in steps)
    assert [(s.status, s.total, s.completed or None) for s in steps] == [
        (status, total, completed or None) for status, total, completed in expected
    ]


@of("DELETE /api/delete")
@pytest.mark.parametrize("colour", COLOURS)
def test_a_delete_that_succeeded_returns_nothing(turn: Turn, colour: str) -> None:
    assert run(turn, colour) is None
