"""The blocking client: ``openai.OpenAI`` in use, any provider behind it."""

from __future__ import annotations

from typing import Any, Literal, overload

from jackfield import ModelInfoRequest, ModelListRequest
from jackfield.closing import Closing

from .base import Client, Part
from .listings import CreateEmbeddingResponse, Model, ModelList
from .parsing import parsed, render_class
from .shapes import ChatCompletion
from .streams import Stream


class Completions(Part["OpenAIClient"]):
    """``client.chat.completions``."""

    @overload
    def create(self, *, stream: Literal[True], **given: Any) -> Stream: ...
    @overload
    def create(self, *, stream: Literal[False] | None = ..., **given: Any) -> ChatCompletion: ...
    @overload
    def create(self, *, stream: bool, **given: Any) -> ChatCompletion | Stream: ...
    def create(self, **given: Any) -> ChatCompletion | Stream:
        """An answer, or with *stream* its chunks; arguments as in OpenAI's API."""
        caller = self._client.caller
        body = caller.chat(given)
        if body.stream:
            return Stream(caller.provider.stream(body.request), caller.renderer(body)).begin()
        return caller.completion(body, caller.provider.run(body.request))

    def parse(self, *, response_format: Any = None, **given: Any) -> ChatCompletion:
        """An answer whose messages have ``parsed``, an object of the pydantic model *response_format*."""
        shape = render_class(response_format, given)
        answer = self.create(**given, response_format=shape)
        return parsed(answer, response_format, given.get("tools"))


class Embeddings(Part["OpenAIClient"]):
    """``client.embeddings``."""

    def create(self, **given: Any) -> CreateEmbeddingResponse:
        """A vector for each text of *input*; arguments as in OpenAI's API."""
        caller = self._client.caller
        body = caller.embedding(given)
        return caller.vectors(body, caller.provider.run(body.request))


class Models(Part["OpenAIClient"]):
    """``client.models``."""

    def list(self, **given: Any) -> ModelList:
        """The models that the provider offers now; *timeout* in seconds."""
        caller = self._client.caller
        timeout = caller.limit("models.list", given)
        return caller.models(caller.provider.run(ModelListRequest(timeout=timeout)))

    def retrieve(self, model: str, **given: Any) -> Model:
        """One model.

        Raises:
            NotFoundError: there is none of that name.
        """
        caller = self._client.caller
        if caller.performs(ModelInfoRequest):
            asked = ModelInfoRequest(model=model, timeout=caller.limit("models.retrieve", given))
            return caller.described(caller.provider.run(asked))
        return caller.listed(model, self.list(**given))


class Chat(Part["OpenAIClient"]):
    """``client.chat``."""

    @property
    def completions(self) -> Completions:
        """Chats."""
        return Completions(self._client)


class OpenAIClient(Client, Closing):
    """``openai.OpenAI`` in use, *provider* behind it.

    *model* and *timeout* (seconds, or a `Timeout`) are for calls that say none.
    Closing the client closes the provider, unless it is *shared*. Errors are
    Jackfield's own (`jackfield.LLMError`).
    """

    @property
    def chat(self) -> Chat:
        """Chats: ``chat.completions``."""
        return Chat(self)

    @property
    def embeddings(self) -> Embeddings:
        """Vectors for texts."""
        return Embeddings(self)

    @property
    def models(self) -> Models:
        """What the provider offers."""
        return Models(self)

    def close(self) -> None:
        """Refuse further calls."""
        self._closed = True
        if not self._shared:
            self.provider.close()
