"""A model whose vectors mean something, all-MiniLM-L6-v2, behind a server and in this process: what is alike is near."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import anyio
import pytest

from jackfield import LLMProvider, create_provider
from jackfield_llamacpp.engine import KINDS, installed
from support.llama_server import llama_server, needs_llama_server
from support.minilm import NAME, WIDTH, needs_minilm, write
from support.ollama_shim import OllamaShim

pytestmark = [pytest.mark.live, needs_llama_server, needs_minilm]

PAIRS = {
    "A pelican dives for fish.": "A seabird plunges into the water to catch its prey.",
    "The train to Zürich is late.": "Passengers wait because the railway has delays.",
    "She plays the violin in an orchestra.": "A woman makes music on a string instrument.",
    "Bread rises because of yeast.": "The dough grows when it is left to ferment.",
    "The stock market fell sharply today.": "Share prices dropped a lot.",
    "He repaired the broken bicycle.": "A man fixed his bike.",
}
SERVERS = ["openai-compatible", "openai", "vllm", "lmstudio", "llamacpp-server", "ollama"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("models") / f"{NAME}.gguf")


@pytest.fixture(scope="module")
def url(model: Path) -> Iterator[str]:
    with llama_server(model, NAME) as running:
        yield running


@pytest.fixture(params=[*SERVERS, *KINDS])
def provider(request: pytest.FixtureRequest, url: str, model: Path) -> Iterator[LLMProvider]:
    name = request.param
    with ExitStack() as stack:
        if name in KINDS:
            if not installed(KINDS[name]):
                pytest.skip(f"the engine {name} is not installed: {KINDS[name].install}")
            yield create_provider("llamacpp", {"engine": name, "model_path": str(model)})
        elif name == "ollama":
            shim = stack.enter_context(OllamaShim(url))
            shim.models.add(f"{NAME}:latest")
            yield create_provider(name, {"base_url": shim.url})
        else:
            yield create_provider(name, {"base_url": f"{url}/v1", "api_key": "made-up-key-1234"})


def near(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine of two vectors of length 1."""
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_what_is_alike_is_near_in_whatever_order_it_is_asked(provider: LLMProvider) -> None:
    texts = [*PAIRS, *PAIRS.values()]
    random.Random(7).shuffle(texts)
    answer = provider.embed(NAME, texts)
    vectors = dict(zip(texts, answer.vectors, strict=True))
    assert {len(vector) for vector in answer.vectors} == {WIDTH}
    assert {round(near(vector, vector), 4) for vector in answer.vectors} == {1}
    for text, meant in PAIRS.items():
        others = [t for t in texts if t != text]
        assert max(others, key=lambda other: near(vectors[text], vectors[other])) == meant
    assert answer.usage.input_tokens


def test_every_way_to_the_model_gives_its_vectors(provider: LLMProvider, url: str) -> None:
    reference = create_provider("openai-compatible", {"base_url": f"{url}/v1"})
    texts = list(PAIRS)
    expected = reference.embed(NAME, texts)
    answer = provider.embed(NAME, texts)
    for there, here in zip(answer.vectors, expected.vectors, strict=True):
        assert near(there, here) > 0.9999
    assert answer.usage.input_tokens == expected.usage.input_tokens


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_vectors_are_the_same_on_either_event_loop(provider: LLMProvider, backend: str) -> None:
    async def main() -> Sequence[Sequence[float]]:
        return (await provider.aembed(NAME, list(PAIRS))).vectors

    there = anyio.run(main, backend=backend)
    for one, other in zip(there, provider.embed(NAME, list(PAIRS)).vectors, strict=True):
        assert near(one, other) > 0.9999
