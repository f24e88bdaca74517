"""Real servers of vectors and of rankings: llama.cpp's, with a model of random weights."""

from __future__ import annotations

import math
from collections.abc import Iterator

import anyio
import pytest

from jackfield import InvalidRequestError, LLMError, LLMProvider, create_provider
from jackfield.operations import RerankRequest
from support.llama_server import RANK, llama_server, needs_llama_server
from support.tiny_bert import WIDTH, write

pytestmark = [pytest.mark.live, needs_llama_server]

DOCUMENTS = ["a hen is in the sea", "the gull flies", "fish", "who is a pelican?"]
NAMES = ["openai-compatible", "openai", "vllm", "lmstudio"]


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    model = write(tmp_path_factory.mktemp("models") / "vectors.gguf")
    with llama_server(model, "tiny-bert") as url:
        yield url


@pytest.fixture(scope="module")
def rankings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    model = write(tmp_path_factory.mktemp("models") / "rank.gguf", rank=True)
    with llama_server(model, "tiny-rank", RANK) as url:
        yield url


def made(name: str, url: str) -> LLMProvider:
    return create_provider(name, {"base_url": f"{url}/v1", "api_key": "made-up-key-1234"})


def angle(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """The cosine of the angle between *a* and *b*."""
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


@pytest.mark.parametrize("name", NAMES)
def test_each_text_has_its_vector_in_its_place(vectors: str, name: str) -> None:
    provider = made(name, vectors)
    answer = provider.embed("tiny-bert", DOCUMENTS)
    assert [len(v) for v in answer.vectors] == [WIDTH] * len(DOCUMENTS)
    assert answer.usage.input_tokens
    for text, vector in zip(DOCUMENTS, answer.vectors, strict=True):
        (alone,) = provider.embed("tiny-bert", text).vectors
        assert angle(alone, vector) > 0.9999
    assert angle(answer.vectors[0], answer.vectors[1]) < 0.9999


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_vectors_come_on_either_event_loop(vectors: str, backend: str) -> None:
    provider = made("openai-compatible", vectors)

    async def main() -> tuple[float, ...]:
        return (await provider.aembed("tiny-bert", "the gull")).vectors[0]

    there = anyio.run(main, backend=backend)
    assert angle(there, provider.embed("tiny-bert", "the gull").vectors[0]) > 0.9999


def test_documents_are_ranked_and_the_best_comes_first(rankings: str) -> None:
    provider = made("openai-compatible", rankings)
    answer = provider.rerank("tiny-rank", "who flies?", DOCUMENTS)
    assert sorted(r.index for r in answer.results) == list(range(len(DOCUMENTS)))
    scores = [r.score for r in answer.results]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) > 1
    assert [r.document for r in answer.results] == [DOCUMENTS[r.index] for r in answer.results]
    assert (
        anyio.run(provider.arerank, "tiny-rank", "who flies?", DOCUMENTS).results == answer.results
    )


def test_the_best_ones_are_those_of_the_whole_ranking(rankings: str) -> None:
    provider = made("openai-compatible", rankings)
    whole = provider.rerank("tiny-rank", "who flies?", DOCUMENTS).results
    best = provider.rerank("tiny-rank", "who flies?", DOCUMENTS, top_n=2).results
    assert [r.index for r in best] == [r.index for r in whole[:2]]


def test_nothing_to_rank_is_a_typed_error(rankings: str) -> None:
    with pytest.raises(InvalidRequestError):
        made("openai-compatible", rankings).rerank("tiny-rank", "who?", [])


def test_a_server_that_cannot_rank_says_so(vectors: str) -> None:
    request = RerankRequest(model="tiny-bert", query="who?", documents=["a"])
    with pytest.raises(LLMError, match="rerank"):
        made("openai-compatible", vectors).run(request)
