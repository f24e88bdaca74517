"""From the arguments of a client's methods to requests of its provider, and from results to objects."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

from attrs import evolve, frozen

from jackfield import (
    ChatResponse,
    ConfigError,
    EmbeddingResponse,
    InvalidRequestError,
    LLMProvider,
    ModelInfo,
    NotFoundError,
    Request,
    Timeout,
)
from jackfield.prompts import bad

from ..provider import OpenAICompatibleProvider
from ..server import (
    ChatBody,
    ChunkRenderer,
    EmbeddingBody,
    parse_chat_body,
    parse_embedding_body,
    render_embeddings,
    render_model,
    render_models,
    render_response,
)
from .arguments import CHAT, EMBEDDING, OURS, parse_timeout, plain, said, table
from .listings import CreateEmbeddingResponse, Model, ModelList
from .shapes import ChatCompletion

B = TypeVar("B", ChatBody, EmbeddingBody)

_OLD: Mapping[str, str] = {"functions": "pass tools", "function_call": "pass tool_choice"}


@frozen(kw_only=True)
class Caller:
    """A provider, and what every call of a client to it has."""

    provider: LLMProvider
    clock: Callable[[], datetime]
    model: str | None = None
    timeout: float | Timeout | None = None

    def chat(self, given: Mapping[str, Any]) -> ChatBody:
        """The chat that *given*, arguments of ``create``, ask for.

        Raises:
            InvalidRequestError: an argument is unknown or misshapen, or says what this
                provider cannot; ``param`` names it.
        """
        told = said("chat.completions.create", given, CHAT)
        for name in _OLD.keys() & told.keys():
            raise bad(name, "is the form of 2023, and the answer would not have it", _OLD[name])
        if isinstance(told.get("response_format"), type):
            raise bad("response_format", "is a class", "call chat.completions.parse")
        for name in ("messages", "tools"):
            if isinstance(told.get(name), Iterable) and not isinstance(told[name], str | Mapping):
                told[name] = [plain(item) for item in told[name]]
        body = {"model": self.model, **{n: v for n, v in told.items() if n not in OURS}}
        return self._whole(parse_chat_body(body, self._speakers()), told)

    def embedding(self, given: Mapping[str, Any]) -> EmbeddingBody:
        """The vectors that *given* ask for; raises as `chat`."""
        told = said("embeddings.create", given, EMBEDDING)
        body = {"model": self.model, **{n: v for n, v in told.items() if n not in OURS}}
        return self._whole(parse_embedding_body(body, self._speakers()), told)

    def _whole(self, body: B, told: Mapping[str, Any]) -> B:
        """*body*, its request with what is not in OpenAI's."""
        strict = told.get("strict")
        wanted = getattr(self.provider.config, "strict", None) if strict is None else strict
        if wanted and body.warnings:
            message = f"{self.provider.name} cannot do this as asked: {body.warnings[0]}"
            raise InvalidRequestError(message, param=body.warnings[0].subject, phase="build")
        extra, own = table(told, "extra_body"), table(told, "provider_options")
        names = [p.info.name for p in leaves(self.provider)]
        options = dict(body.request.provider_options)
        for more in (own, dict.fromkeys(names, extra) if extra else {}):
            options |= {name: {**options.get(name, {}), **more[name]} for name in more}
        timeout = parse_timeout(told.get("timeout", self.timeout))
        changes: Any = {"provider_options": options, "timeout": timeout, "strict": strict}
        return evolve(body, request=evolve(body.request, **changes))

    def limit(self, method: str, given: Mapping[str, Any]) -> Timeout | None:
        """The timeout that *given*, arguments of a *method* that has no others, or the client has."""
        return parse_timeout(said(method, given, {"timeout"}).get("timeout", self.timeout))

    def _speakers(self) -> Collection[str]:
        """The names of the providers that may answer, if all of them speak the dialect."""
        asked = leaves(self.provider)
        speak = all(isinstance(p, OpenAICompatibleProvider) for p in asked)
        return list(dict.fromkeys(p.info.name for p in asked)) if speak else ()

    def renderer(self, body: ChatBody) -> ChunkRenderer:
        """What writes the chunks of the answer to *body*."""
        return ChunkRenderer(
            created=self._now(),
            id=_made_id(),
            model=body.request.model,
            include_usage=body.include_usage,
            warnings=body.warnings,
        )

    def completion(self, body: ChatBody, response: ChatResponse) -> ChatCompletion:
        """The object for a whole answer to *body*."""
        told = evolve(response, warnings=(*body.warnings, *response.warnings))
        about: Any = {"created": self._now(), "id": _made_id(), "model": body.request.model}
        return ChatCompletion(**render_response(told, **about))

    def vectors(self, body: EmbeddingBody, response: EmbeddingResponse) -> CreateEmbeddingResponse:
        """The object for the vectors of *body*."""
        told = evolve(response, warnings=(*body.warnings, *response.warnings))
        return CreateEmbeddingResponse(
            **render_embeddings(told, body.encoding, model=body.request.model)
        )

    def models(self, found: Sequence[ModelInfo]) -> ModelList:
        """The object for a list of models."""
        return ModelList(**render_models(found, self.provider.name))

    def described(self, found: ModelInfo) -> Model:
        """The object for one model."""
        return Model(**render_model(found, self.provider.name))

    def listed(self, name: str, models: ModelList) -> Model:
        """The model called *name* of a list.

        Raises:
            NotFoundError: there is none.
        """
        for model in models:
            if model.id == name:
                return model
        message = f"there is no model {name!r}: models.list() has those that there are"
        raise NotFoundError(message, provider=self.provider.name, code="model_not_found")

    def performs(self, request: type[Request[Any]]) -> bool:
        """Whether the provider has this operation."""
        return request in self.provider.operations

    def _now(self) -> int:
        return int(self.clock().timestamp())


def leaves(provider: LLMProvider) -> list[LLMProvider]:
    """Who may answer for *provider*: itself, or the targets of a route."""
    targets = getattr(provider, "targets", ())
    return [leaf for t in targets for leaf in leaves(t.provider)] or [provider]


def closed(name: str) -> ConfigError:
    """The error for a call after the end."""
    return ConfigError(f"the client of {name} is closed: make a new one", provider=name)


def _made_id() -> str:
    return f"chatcmpl-{uuid4().hex}"
