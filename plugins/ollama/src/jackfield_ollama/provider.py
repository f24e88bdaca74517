"""The provider: Ollama's parameters and operations, its patience, and errors that advise."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar, cast
from urllib.parse import urlsplit

from attrs import evolve

from jackfield import (
    AuthenticationError,
    ChatRequest,
    ConfigIssue,
    DeleteRequest,
    EmbeddingRequest,
    HTTPProvider,
    LLMError,
    ModelInfoRequest,
    ModelListRequest,
    NotFoundError,
    Param,
    ProviderError,
    ProviderInfo,
    PullRequest,
    Request,
    Secret,
    StreamInterruptedError,
    Timeout,
    TransportError,
)
from jackfield.config import is_loopback
from jackfield.exchange import Exchange
from jackfield.flow import NOW, Flow, HTTPResponse
from jackfield.framing import NDJSON
from jackfield.http import Exchanges
from jackfield.params import ParamTable

from . import config, models
from .models import RunningModelsRequest
from .operations import COMPLETIONS, MEMORY
from .parse import chat_parser, parse_chat
from .refusals import specified
from .render import build_chat
from .verbs import ModelVerbs

R = TypeVar("R")

PARAMS: ParamTable = {
    "max_tokens": Param("options.num_predict", ge=1),
    "temperature": Param("options.temperature", ge=0),
    "top_p": Param("options.top_p", ge=0, le=1),
    "top_k": Param("options.top_k", ge=0),
    "min_p": Param("options.min_p", ge=0, le=1),
    "seed": Param("options.seed"),
    "stop": Param("options.stop", convert=list),
    "presence_penalty": Param("options.presence_penalty"),
    "frequency_penalty": Param("options.frequency_penalty"),
    "repeat_penalty": Param("options.repeat_penalty", ge=0),
    "context_length": Param("options.num_ctx", ge=1),
    "reasoning_effort": Param(
        "think",
        values={"none": False, "low": "low", "medium": "medium", "high": "high", "max": "max"},
    ),
}
"""Where Ollama takes the common parameters."""

EXCHANGES: Exchanges = {
    **COMPLETIONS,
    **MEMORY,
    ChatRequest: Exchange(build=build_chat, parse=parse_chat, stream=chat_parser, framing=NDJSON),
    EmbeddingRequest: Exchange(build=models.build_embed, parse=models.parse_embed),
    ModelListRequest: Exchange(build=models.build_list, parse=models.parse_list),
    RunningModelsRequest: Exchange(build=models.build_running, parse=models.parse_list),
    ModelInfoRequest: Exchange(build=models.build_show, parse=models.parse_show),
    DeleteRequest: Exchange(build=models.build_delete, parse=models.parse_nothing),
    PullRequest: Exchange(
        build=models.build_pull,
        parse=models.parse_nothing,
        stream=models.pull_parser,
        framing=NDJSON,
    ),
}

PULL_SILENCE, PULL_TOTAL = 600.0, 86400.0
"""Seconds that a pull may be silent (checking a large file) and may take, at least."""


class OllamaProvider(ModelVerbs, HTTPProvider):
    """A local or remote Ollama server, or ollama.com. https://docs.ollama.com/api."""

    info = ProviderInfo(
        name="ollama",
        display_name="Ollama",
        docs_url="https://docs.ollama.com/api",
        api_key_env="OLLAMA_API_KEY",
        api_key_required=False,
    )
    Config = config.OllamaConfig
    prefill = MappingProxyType({})
    params: ClassVar[ParamTable] = PARAMS
    exchanges: ClassVar[Exchanges] = EXCHANGES

    # The configuration.

    @cached_property
    def key(self) -> Secret | None:
        """The configured key; the environment's, which is ollama.com's, not in the clear."""
        url = self.config.base_url
        kept = self.config.api_key is None and urlsplit(url).scheme == "http"
        return None if kept and not is_loopback(url) else super().key

    def check_config(self) -> Sequence[ConfigIssue]:
        """A key in the clear, the address of another API, a duration that is none."""
        return [*super().check_config(), *config.check(self.config)]

    # The flows.

    def flow(self, request: Request[R], *, stream: bool, deadline: float) -> Flow[R]:
        """One attempt at *request*; errors say what to do next."""
        asked: Request[Any] = request
        performed: Flow[Any] = super().flow(request, stream=stream, deadline=deadline)
        try:
            if isinstance(asked, PullRequest):
                performed = self._pull(asked)
            elif isinstance(asked, EmbeddingRequest):
                performed = self._embed(asked, performed, deadline)
            return cast("R", (yield from performed))
        except LLMError as error:
            raise self._advised(error, request)  # noqa: B904  # the same error

    def _pull(self, request: Request[R]) -> Flow[R]:
        """A pull, with the patience it needs. The server's own no is no interruption."""
        usual = self.config.timeout
        timeout = request.timeout or Timeout(
            connect=usual.connect,
            first_chunk=max(usual.first_chunk, PULL_SILENCE),
            idle=max(usual.idle, PULL_SILENCE),
            total=max(usual.total, PULL_TOTAL),
        )
        deadline = (yield NOW) + timeout.total
        patient = evolve(request, timeout=timeout)
        try:
            return (yield from super().flow(patient, stream=True, deadline=deadline))
        except StreamInterruptedError as error:
            if isinstance(error.__cause__, ProviderError):
                raise error.__cause__ from None
            raise

    def _embed(self, request: EmbeddingRequest, usual: Flow[Any], deadline: float) -> Flow[Any]:
        """The *usual* flow; where the server has no such path, the one of old servers."""
        try:
            return (yield from usual)
        except NotFoundError as error:
            if error.param != "base_url":
                raise
            unknown = error
        call = self.prepare(request)
        call.timeout, call.deadline = request.timeout or self.config.timeout, deadline
        try:
            return (yield from models.embed_singly(call))
        except NotFoundError as error:
            raise (unknown if error.param == "base_url" else error) from None

    def make_error(self, response: HTTPResponse) -> LLMError:
        """The typed error for a response that is not a success, with what to do next."""
        error = specified(super().make_error(response))
        if isinstance(error, NotFoundError) and not response.body.lstrip().startswith(b"{"):
            error.add(param="base_url")
            return _with(error, "base_url must be the address of an Ollama server, up to its /api")
        if isinstance(error, AuthenticationError) and b'"signin_url"' in response.body:
            return _with(error, 'run "ollama signin" where the server runs')
        if isinstance(error, AuthenticationError) and self.key is None:
            return _with(error, f"set api_key, or {self.info.api_key_env} in the environment")
        return error

    def _advised(self, error: LLMError, request: Request[Any]) -> LLMError:
        """*error* with what to do about a missing model, or a server that is not there."""
        asked = request.model and not isinstance(request, PullRequest | DeleteRequest)
        if isinstance(error, NotFoundError) and error.param is None and asked:
            error.add(param="model")
            pull = f'"jackfield pull {self.name}/{request.model}"'
            pull += f' or provider.pull("{request.model}")'
            return _with(error, f"fetch it with {pull}; list_models() has what is there")
        if isinstance(error, NotFoundError) and isinstance(request, PullRequest):
            return _with(error, "https://ollama.com/library has the names that there are")
        if isinstance(error, TransportError) and error.phase == "connect" and error.retryable:
            hint = 'is Ollama running there? Start it with "ollama serve", or set base_url'
            return _with(error, f"{hint} (or OLLAMA_HOST)")
        return error


def _with(error: LLMError, hint: str) -> LLMError:
    """*error* with *hint* at the end of its message."""
    error.args = (f"{error.message}; {hint}", *error.args[1:])
    return error
