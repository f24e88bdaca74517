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
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield_ollama import OllamaProvider
from support.ollama_answers import lines
from support.ollama_reading import native, read_request
from support.recordings import WIRE, Turn, pieces, turns

TURNS = [t for t in turns("ollama") if t.status == 200]
COLOURS = ("sync", "asyncio", "trio")

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not TURNS, reason=f"no recordings at {WIRE / 'ollama'}"),
]


def of(*operations: str) -> pytest.MarkDecorator:
    """Run a test for each recorded turn of *operations*; say so where there is none."""
    found = [t for t in TURNS if native(t)[1] in operations]
    why = f"no recording of {' or '.join(operations)}"
    none = pytest.param(None, id="none", marks=pytest.mark.skip(reason=why))
    return pytest.mark.parametrize("turn", found or [none], ids=str)


def run(turn: Turn, colour: str, chunks: Sequence[bytes] | None = None) -> Any:
    """The result of the recorded call, in one colour."""
    recorded = [turn.recorded(chunks)]
    if native(turn)[1] == "POST /api/embeddings":
        # It is asked where there is no /api/embed.
        recorded.insert(0, Recorded(status=404, chunks=[b"404 page not found"]))
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
    kind = info.get("general.architecture")
    own = [v for n, v in info.items() if n.endswith(".context_length")]
    alone = own[0] if kind is None and len(own) == 1 else None
    assert found.context_window == info.get(f"{kind}.context_length", alone)
    names = wire.get("capabilities")
    assert found.capabilities.tools == (None if names is None else "tools" in names)
    assert found.capabilities.vision == (None if names is None else "vision" in names)
    large = {"license", "modelfile", "tensors"}
    kept = {n: v for n, v in wire.items() if n not in large}
    assert found.provider_metadata == {"ollama": kept}


@of("POST /api/embed")
@pytest.mark.parametrize("colour", COLOURS)
def test_vectors_and_usage_are_the_recordings(turn: Turn, colour: str) -> None:
    (wire,) = turn.data()
    if wire.get("error"):
        with pytest.raises(ProviderError):
            run(turn, colour)
        return
    found: EmbeddingResponse = run(turn, colour)
    assert [list(v) for v in found.vectors] == wire["embeddings"]
    assert found.usage.input_tokens == wire.get("prompt_eval_count")


@of("POST /api/embeddings")
@pytest.mark.parametrize("colour", COLOURS)
def test_an_old_servers_vector_is_the_recordings(turn: Turn, colour: str) -> None:
    (wire,) = turn.data()
    found: EmbeddingResponse = run(turn, colour)
    assert [list(v) for v in found.vectors] == [wire["embedding"]]


@of("POST /api/pull")
@pytest.mark.parametrize("size", [1, 100, 10**9])
def test_a_pull_tells_every_step_and_ends_as_recorded(turn: Turn, size: int) -> None:
    recorded = [turn.recorded(pieces(turn.payload, size))]
    backend = OllamaProvider({"base_url": "here"}, driver=ReplayDriver(recorded))
    steps, told = [], progress(turn)
    request = read_request(turn)
    assert isinstance(request, PullRequest)
    try:
        for step in backend.stream(request):
            steps.append(step)  # noqa: PERF402  # those before an error count
    except (ProviderError, StreamInterruptedError):
        assert not told or told[-1].get("status") != "success"
    else:
        assert told[-1]["status"] == "success"
    expected = [(x.get("status", ""), x.get("total"), x.get("completed")) for x in told]
    assert all(isinstance(s, Progress) for s in steps)
    assert [(s.status, s.total, s.completed or None) for s in steps] == [
        (status, total, completed or None) for status, total, completed in expected
    ]


def progress(turn: Turn) -> list[Any]:
    """What a recorded pull told, to its end or its error."""
    found = lines(turn)
    ends = [i for i, x in enumerate(found) if x.get("error") or x.get("status") == "success"]
    whole = found[: ends[0] + 1] if ends else found
    return [line for line in whole if not line.get("error")]


@of("DELETE /api/delete")
@pytest.mark.parametrize("colour", COLOURS)
def test_a_delete_that_succeeded_returns_nothing(turn: Turn, colour: str) -> None:
    assert run(turn, colour) is None
