"""Providers that speak the dialect: the base to derive from, and the generic one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from attrs import frozen

from jackfield import (
    HTTPConfig,
    HTTPProvider,
    LLMError,
    ModelInfo,
    Param,
    ProviderInfo,
    Request,
    errors,
)
from jackfield.exchange import Call, Exchange, Procedure
from jackfield.flow import HTTPResponse
from jackfield.http import Exchanges
from jackfield.params import ParamTable
from jackfield.requests import ChatRequest, EmbeddingRequest, ModelInfoRequest, ModelListRequest

from .catalogue import parse_embeddings, parse_model, parse_model_info, parse_models
from .operations import EVERYTHING
from .parse import chunk_parser, parse_chat
from .render import build_chat, build_embeddings, build_model, build_models
from .responses import RESPONSES

PARAMS: ParamTable = {
    "max_tokens": Param("max_tokens", ge=1),
    "temperature": Param("temperature", ge=0, le=2),
    "top_p": Param("top_p", ge=0, le=1),
    "seed": Param("seed"),
    "stop": Param("stop", convert=list),
    "presence_penalty": Param("presence_penalty", ge=-2, le=2),
    "frequency_penalty": Param("frequency_penalty", ge=-2, le=2),
    "reasoning_effort": Param("reasoning_effort"),
    "parallel_tool_calls": Param("parallel_tool_calls"),
}
"""The common parameters that every server of the dialect takes."""

SAMPLING: ParamTable = {
    "top_k": Param("top_k", ge=0),
    "min_p": Param("min_p", ge=0, le=1),
    "repeat_penalty": Param("repetition_penalty", ge=0),
}
"""What servers of open models take beside them."""

_CODES: Mapping[type[LLMError], str] = {
    errors.AuthenticationError: """authentication_error invalid_api_key
        no_db_connection""",  # the last is LiteLLM's for a key that it does not know
    errors.QuotaExceededError: """billing_hard_limit_reached billing_not_active insufficient_quota
        credit_balance_exhausted organization_spend_limit_exceeded project_spend_limit_exceeded
        organization_usage_limit_exceeded""",
    errors.ContentFilterError: "content_filter content_policy_violation",
    errors.ContextLengthExceededError: """context_length_exceeded exceed_context_size_error
        string_above_max_length""",
    errors.NotFoundError: "model_not_found",
    errors.RateLimitError: "rate_limit_exceeded slow_down",
    errors.ServerError: "server_error",
    errors.OverloadedError: "server_is_overloaded unavailable_error",
}
ERROR_CODES: Mapping[str, type[LLMError]] = {
    code: kind for kind, codes in _CODES.items() for code in codes.split()
}

TOO_LONG = re.compile(
    r"(?:maximum|max) context length|exceeds? the (?:available )?context (?:size|window|length)"
    r"|`inputs` tokens \+ `max_new_tokens` must be|maximum model length"
    r"|^litellm\.ContextWindowExceededError: "
)
"""Most servers refuse a text that is too long without a code of its own; these are their words."""

EXCHANGES: Exchanges = {
    ChatRequest: Exchange(build=build_chat, parse=parse_chat, stream=chunk_parser),
    EmbeddingRequest: Exchange(build=build_embeddings, parse=parse_embeddings),
    ModelListRequest: Exchange(build=build_models, parse=parse_models),
    ModelInfoRequest: Exchange(build=build_model, parse=parse_model_info),
}


class OpenAICompatibleProvider(HTTPProvider):
    """Derive from this, say who you are, and adjust what your server does otherwise.

    ``chat_path`` is where chats go below the base URL; ``reasoning_history`` names
    the message field in which the server takes earlier thinking back, if it does;
    ``files`` says whether its chats take documents, ``file_urls`` whether it fetches them by
    URL, ``file_ids`` whether it takes those that it keeps by their ids.
    """

    params: ClassVar[ParamTable] = PARAMS
    error_codes: ClassVar[Mapping[str, type[LLMError]]] = ERROR_CODES
    exchanges: ClassVar[Exchanges] = EXCHANGES
    chat_path: ClassVar[str] = "/chat/completions"
    reasoning_history: ClassVar[str | None] = None
    files: ClassVar[bool] = True
    file_urls: ClassVar[bool] = False
    file_ids: ClassVar[bool] = False

    def exchange_for(self, request: Request[Any]) -> Exchange[Any, Any] | Procedure[Any, Any]:
        """How to perform *request*; a chat by the API that it or the configuration names."""
        own = request.provider_options.get(self.info.name, {})
        named = own.get("api") or getattr(self.config, "api", "chat")
        if named == "responses" and isinstance(request, ChatRequest):
            return RESPONSES
        return super().exchange_for(request)

    def prepare(self, request: Request[Any], stream: bool = False) -> Call[Any]:
        """The call for *request*; which API it goes to is not sent."""
        call = super().prepare(request, stream)
        call.options = {k: v for k, v in call.options.items() if k != "api"}
        return call

    def make_error(self, response: HTTPResponse) -> LLMError:
        """The typed error; that a text is too long may be told in words alone."""
        error = super().make_error(response)
        if type(error) is errors.InvalidRequestError and TOO_LONG.search(error.message):
            return errors.ContextLengthExceededError(error.message, **error.__dict__)
        return error

    def parse_model(self, wire: Mapping[str, Any]) -> ModelInfo:
        """A model as the server describes it."""
        return parse_model(wire, self.info.name)


@frozen(kw_only=True)
class GenericConfig(HTTPConfig):
    """*base_url* is required; *stream_usage* asks for usage in streams (turn it off where refused).

    *api* is what chats go through; one call goes another way with
    ``provider_options={"openai-compatible": {"api": "responses"}}``.
    """

    base_url: str
    stream_usage: bool = True
    api: Literal["chat", "responses"] = "chat"


class GenericProvider(OpenAICompatibleProvider):
    """Any server of the dialect, by its base URL (usually ending in ``/v1``)."""

    info = ProviderInfo(
        name="openai-compatible",
        display_name="OpenAI-compatible server",
        docs_url="https://platform.openai.com/docs/api-reference/chat",
        api_key_env="OPENAI_COMPATIBLE_API_KEY",
        api_key_required=False,
    )
    Config: ClassVar[type[Any]] = GenericConfig
    exchanges: ClassVar[Exchanges] = {**EXCHANGES, **EVERYTHING}
    params: ClassVar[ParamTable] = {**PARAMS, **SAMPLING}
    reasoning_history = "reasoning_content"
    file_urls = True  # whether it does is between the user and the server
