"""The asynchronous client: ``openai.AsyncOpenAI`` in use, any provider behind it."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal, overload

from jackfield import ModelInfoRequest, ModelListRequest
from jackfield.closing import AsyncClosing

from .base import Client, Part
from .listings import AsyncModelList, CreateEmbeddingResponse, Model, ModelList
from .parsing import parsed, render_class
from .shapes import ChatCompletion
from .streams import AsyncStream


class AsyncCompletions(Part["AsyncOpenAIClient"]):
    """``client.chat.completions``."""

    @overload
    async def create(self, *, stream: Literal[True], **given: Any) -> AsyncStream: ...
    @overload
    async def create(
        self, *, stream: Literal[False] | None = ..., **given: Any
    ) -> ChatCompletion: ...
    @overload
    async def create(self, *, stream: bool, **given: Any) -> ChatCompletion | AsyncStream: ...
    async def create(self, **given: Any) -> ChatCompletion | AsyncStream:
        """An answer, or with *stream* its chunks; arguments as in OpenAI's API."""
        caller = self._client.caller
        body = caller.chat(given)
        if body.stream:
            events = caller.provider.astream(body.request)
            return await AsyncStream(events, caller.renderer(body)).begin()
        return caller.completion(body, await caller.provider.arun(body.request))

    async def parse(self, *, response_format: Any = None, **given: Any) -> ChatCompletion:
        """An answer whose messages have ``parsed``, an object of the pydantic model *response_format*."""
        shape = render_class(response_format, given)
        answer = await self.create(**given, response_format=shape)
        return parsed(answer, response_format, given.get("tools"))


class AsyncEmbeddings(Part["AsyncOpenAIClient"]):
    """``client.embeddings``."""

    async def create(self, **given: Any) -> CreateEmbeddingResponse:
        """A vector for each text of *input*; arguments as in OpenAI's API."""
        caller = self._client.caller
        body = caller.embedding(given)
        return caller.vectors(body, await caller.provider.arun(body.request))


class AsyncModels(Part["AsyncOpenAIClient"]):
    """``client.models``."""

    def list(self, **given: Any) -> AsyncModelList:
        """The models that the provider offers now: await them, or iterate with ``async for``."""
        return AsyncModelList(partial(self._list, **given))

    async def _list(self, **given: Any) -> ModelList:
        caller = self._client.caller
        timeout = caller.limit("models.list", given)
        return caller.models(await caller.provider.arun(ModelListRequest(timeout=timeout)))

    async def retrieve(self, model: str, **given: Any) -> Model:
        """One model.

        Raises:
            NotFoundError: there is none of that name.
        """
        caller = self._client.caller
        if caller.performs(ModelInfoRequest):
            asked = ModelInfoRequest(model=model, timeout=caller.limit("models.retrieve", given))
            return caller.described(await caller.provider.arun(asked))
        return caller.listed(model, await self.list(**given))


class AsyncChat(Part["AsyncOpenAIClient"]):
    """``client.chat``."""

    @property
    def completions(self) -> AsyncCompletions:
        """Chats."""
        return AsyncCompletions(self._client)


class AsyncOpenAIClient(Client, AsyncClosing):
    """``openai.AsyncOpenAI`` in use, *provider* behind it.

    *model* and *timeout* (seconds, or a `Timeout`) are for calls that say none.
    Closing the client closes the provider, unless it is *shared*. Errors are
    Jackfield's own (`jackfield.LLMError`).
    """

    @property
    def chat(self) -> AsyncChat:
        """Chats: ``chat.completions``."""
        return AsyncChat(self)

    @property
    def embeddings(self) -> AsyncEmbeddings:
        """Vectors for texts."""
        return AsyncEmbeddings(self)

    @property
    def models(self) -> AsyncModels:
        """What the provider offers."""
        return AsyncModels(self)

    async def close(self) -> None:
        """Refuse further calls."""
        self._closed = True
        if not self._shared:
            await self.provider.aclose()

    aclose = close
