"""A model that ranks, in this process and behind a server: the same scores.

Its weights are chance, so that its scores mean nothing: no trained model that ranks, small enough,
could be had from the package registries. That scores are those of the right pairs is what is
shown, by two engines and a server that agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from jackfield import (
    ContextLengthExceededError,
    InvalidRequestError,
    LLMProvider,
    ModelInfoRequest,
    create_provider,
)
from jackfield_llamacpp import LlamaCppProvider
from jackfield_llamacpp.engine import KINDS, installed
from support.llama_server import RANK, llama_server, needs_llama_server
from support.tiny_bert import write

pytestmark = [pytest.mark.live, needs_llama_server]

QUERY = "who flies?"
DOCUMENTS = ["a hen is in the sea", "the gull flies", "", "fish", "who is a pelican?", "é 🐧 zzz"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("models") / "tiny-rank.gguf", rank=True)


@pytest.fixture(scope="module")
def server(model: Path) -> Iterator[LLMProvider]:
    with llama_server(model, "tiny-rank", RANK) as url:
        yield create_provider("llamacpp-server", {"base_url": url})


@pytest.fixture(params=list(KINDS))
def local(model: Path, request: pytest.FixtureRequest) -> Iterator[LlamaCppProvider]:
    kind = KINDS[request.param]
    if not installed(kind):
        pytest.skip(f"the engine {kind.name} is not installed: {kind.install}")
    with LlamaCppProvider({"engine": kind.name, "model_path": str(model)}) as provider:
        yield provider


@pytest.mark.parametrize("top_n", [None, 1, 3, 99])
def test_a_ranking_in_this_process_is_the_servers(
    local: LlamaCppProvider, server: LLMProvider, top_n: int | None
) -> None:
    here = local.rerank("tiny-rank", QUERY, DOCUMENTS, top_n=top_n)
    there = server.rerank("tiny-rank", QUERY, DOCUMENTS, top_n=top_n)
    assert [r.index for r in here.results] == [r.index for r in there.results]
    scores = [r.score for r in there.results]
    assert [r.score for r in here.results] == pytest.approx(scores, abs=2e-3)
    assert here.usage.input_tokens == there.usage.input_tokens
    assert [r.document for r in here.results] == [DOCUMENTS[r.index] for r in here.results]


def test_a_document_has_its_score_alone_and_among_others(local: LlamaCppProvider) -> None:
    together = {r.index: r.score for r in local.rerank("tiny-rank", QUERY, DOCUMENTS).results}
    for at, document in enumerate(DOCUMENTS):
        (alone,) = local.rerank("tiny-rank", QUERY, [document]).results
        assert alone.score == pytest.approx(together[at], abs=2e-3)
    assert len(set(together.values())) == len(DOCUMENTS)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_ranks_on_either_event_loop(local: LlamaCppProvider, backend: str) -> None:
    answer = anyio.run(local.arerank, "tiny-rank", QUERY, DOCUMENTS, backend=backend)
    assert answer.results == local.rerank("tiny-rank", QUERY, DOCUMENTS).results


def test_what_cannot_be_ranked_is_refused(local: LlamaCppProvider) -> None:
    with pytest.raises(ContextLengthExceededError, match="document 1 has"):
        local.rerank("tiny-rank", QUERY, ["fish", "sea " * 400])
    with pytest.raises(InvalidRequestError, match="no documents"):
        local.rerank("tiny-rank", QUERY, [])
    with pytest.raises(InvalidRequestError, match="top_n"):
        local.rerank("tiny-rank", QUERY, DOCUMENTS, top_n=0)


def test_a_model_tells_whether_it_ranks(local: LlamaCppProvider) -> None:
    known = {model.id: model.capabilities.rerank for model in local.list_models()}
    assert known["tiny-rank"] is not False
    for name, ranks in (("tiny-rank", True), ("tiny-demo", False)):
        told = local.run(ModelInfoRequest(model=name))
        assert told.capabilities.rerank is ranks
