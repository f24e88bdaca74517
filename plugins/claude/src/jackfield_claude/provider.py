"""The provider: who Claude is, its parameters and errors, and its operations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar, cast

import msgspec
from attrs import evolve
from msgspec import Struct

from jackfield import (
    AuthenticationError,
    ChatRequest,
    ConfigIssue,
    ContextLengthExceededError,
    HTTPProvider,
    InvalidRequestError,
    LLMError,
    ModelInfoRequest,
    ModelListRequest,
    NotFoundError,
    OverloadedError,
    Param,
    PermissionDeniedError,
    ProviderInfo,
    QuotaExceededError,
    RateLimitError,
    Request,
    ResponseFormatError,
    Secret,
    ServerError,
    TokenCountRequest,
)
from jackfield.exchange import Exchange, decode
from jackfield.flow import Flow, HTTPResponse
from jackfield.http import Exchanges
from jackfield.params import EFFORTS, ParamTable

from . import catalogue
from .chat import build_chat
from .config import BASE_URL, ClaudeConfig
from .facts import MAX_TOKENS
from .operations import OPERATIONS
from .parse import message_parser, parse_chat

R = TypeVar("R")

PARAMS: ParamTable = {
    "max_tokens": Param("max_tokens", ge=1, default=MAX_TOKENS),
    "temperature": Param("temperature", ge=0, le=1),
    "top_p": Param("top_p", ge=0, le=1),
    "top_k": Param("top_k", ge=0),
    "stop": Param("stop_sequences", convert=list),
    # Older models take it as thinking.budget_tokens instead: see facts.py.
    "reasoning_effort": Param("output_config.effort", values={word: word for word in EFFORTS}),
    "parallel_tool_calls": Param(
        "tool_choice.disable_parallel_tool_use", convert=lambda several: not several
    ),
}

ERROR_CODES: Mapping[str, type[LLMError]] = {
    "api_error": ServerError,
    "authentication_error": AuthenticationError,
    "billing_error": QuotaExceededError,
    "contract_spend_limit_reached": QuotaExceededError,
    "enforced_spend_limit_reached": QuotaExceededError,
    "exceed_context_size_error": ContextLengthExceededError,  # llama.cpp's server
    "invalid_request_error": InvalidRequestError,
    "linked_organization_billing_unavailable": QuotaExceededError,
    "linked_organization_spend_limit_reached": QuotaExceededError,
    "no_db_connection": AuthenticationError,  # LiteLLM's proxy for a key that it does not know
    "not_found_error": NotFoundError,
    "organization_on_hold": PermissionDeniedError,
    "overloaded_error": OverloadedError,
    "permission_error": PermissionDeniedError,
    "rate_limit_error": RateLimitError,
    "request_too_large": InvalidRequestError,
    "timeout_error": ServerError,
    "unavailable_error": OverloadedError,  # llama.cpp's server while it loads
}


TOO_LONG = re.compile(
    r"prompt is too long: \d+ tokens > \d+ maximum"
    r"|input length and `max_tokens` exceed context limit: \d+ \+ \d+ > \d+.*"
    r"|litellm\.ContextWindowExceededError: (?s:.*)"
)
"""The API has no code for this case alone; these are its whole messages, numbers and all."""


class Failure(Struct):
    """What an error's body says beside the error."""

    request_id: str | None = None


FAILURE = msgspec.json.Decoder(Failure)


class ClaudeProvider(HTTPProvider):
    """Claude, or any server that speaks its Messages API. https://docs.claude.com/en/api."""

    # https://platform.claude.com/docs/build-with-claude/batch-processing
    batch_share = Decimal("0.5")
    info = ProviderInfo(
        name="claude",
        display_name="Claude",
        docs_url="https://docs.claude.com",
        api_key_env="ANTHROPIC_API_KEY",
        models=("claude-*",),
    )
    Config = ClaudeConfig
    prefill = MappingProxyType({})
    params: ClassVar[ParamTable] = PARAMS
    error_codes: ClassVar[Mapping[str, type[LLMError]]] = ERROR_CODES
    exchanges: ClassVar[Exchanges] = {
        **OPERATIONS,
        ChatRequest: Exchange(build=build_chat, parse=parse_chat, stream=message_parser),
        TokenCountRequest: Exchange(build=catalogue.build_count, parse=catalogue.parse_count),
        ModelListRequest: Exchange(build=catalogue.build_models, parse=catalogue.parse_models),
        ModelInfoRequest: Exchange(build=catalogue.build_model, parse=catalogue.parse_model_info),
    }

    def auth_headers(self, key: Secret | None) -> Mapping[str, str]:
        """The key, in a header of its own unless the configuration says otherwise."""
        if self.config.bearer:
            return super().auth_headers(key)
        return {"x-api-key": key.reveal()} if key else {}

    def check_config(self) -> Sequence[ConfigIssue]:
        """A missing key is an issue at Anthropic's own address alone."""
        own = self.config.base_url == BASE_URL
        return [i for i in super().check_config() if own or i.path != "api_key"]

    def make_error(self, response: HTTPResponse) -> LLMError:
        """The typed error; the request's id may be in the body alone."""
        error = super().make_error(response)
        if type(error) is InvalidRequestError and TOO_LONG.fullmatch(error.message):
            error = ContextLengthExceededError(error.message, **error.__dict__)
        if "request-id" not in response.headers:
            with suppress(ResponseFormatError):
                # It beats the id that a proxy gave.
                error.request_id = decode(FAILURE, response.body).request_id or error.request_id
        return error

    def flow(self, request: Request[R], *, stream: bool, deadline: float) -> Flow[R]:
        """One attempt; a list of models is read page by page."""
        result: Any = yield from super().flow(request, stream=stream, deadline=deadline)
        found, page, seen = result, result, set[str]()
        if not isinstance(page, catalogue.Page):
            return cast("R", result)
        mine = request.provider_options.get(self.info.name, {})
        while page.following is not None:
            if page.following in seen:
                raise ResponseFormatError("the list of models comes round again (at $.last_id)")
            seen.add(page.following)
            own = {self.info.name: {**mine, "after_id": page.following}}
            following: Request[Any] = evolve(request, provider_options=own)
            page = yield from super().flow(following, stream=False, deadline=deadline)
            found = [*found, *page]
        return cast("R", found)
