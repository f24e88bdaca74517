"""Objects of embeddings and model lists."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from typing import Any

from .shape import Shape
from .shapes import Notice


class Embedding(Shape):
    """One vector: floats, or base64 of them where that was asked for."""

    object: str
    index: int
    embedding: list[float] | str


class EmbeddingUsage(Shape):
    """Tokens of the inputs; *cost* in US dollars, where it is known."""

    prompt_tokens: int
    total_tokens: int
    cost: float | None = None


class CreateEmbeddingResponse(
    Shape, shapes={"data": Embedding, "usage": EmbeddingUsage, "warnings": Notice}
):
    """Vectors in the order of the inputs."""

    object: str
    model: str
    data: list[Embedding]
    usage: EmbeddingUsage
    warnings: list[Notice] | None = None


class Model(Shape):
    """A model that the provider offers; limits in tokens."""

    id: str
    object: str
    created: int
    owned_by: str
    shutdown_date: str | None = None
    name: str | None = None
    context_length: int | None = None
    max_output_tokens: int | None = None


class ModelList(Shape, shapes={"data": Model}):
    """All models at once; iterate over it, or read *data*."""

    object: str
    data: list[Model]

    def __iter__(self) -> Iterator[Model]:
        return iter(self.data)

    async def __aiter__(self) -> AsyncIterator[Model]:
        for model in self.data:
            yield model


class AsyncModelList:
    """What will be a `ModelList`: await it, or iterate over it with ``async for``."""

    def __init__(self, fetch: Callable[[], Coroutine[Any, Any, ModelList]]) -> None:
        self._fetch = fetch

    def __await__(self) -> Generator[Any, Any, ModelList]:
        return self._fetch().__await__()

    async def __aiter__(self) -> AsyncIterator[Model]:
        for model in await self._fetch():
            yield model
