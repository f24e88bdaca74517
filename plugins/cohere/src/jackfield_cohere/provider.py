"""The provider: who Cohere is, its parameters and errors, and its operations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from jackfield import (
    AuthenticationError,
    ChatRequest,
    ContextLengthExceededError,
    HTTPProvider,
    InvalidRequestError,
    LLMError,
    Param,
    ProviderError,
    ProviderInfo,
    QuotaExceededError,
    RateLimitError,
    Request,
)
from jackfield.exchange import Call, Exchange, Procedure
from jackfield.failures import make_error
from jackfield.flow import HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import CompletionRequest
from jackfield.params import ParamTable, normalize

from .catalogue import MODELS
from .chat import build_chat
from .config import CohereConfig
from .operations import OPERATIONS, generate
from .operations.version1 import CHAT_V1
from .parse import message_parser, parse_chat
from .wire import normalized

PARAMS: ParamTable = {
    "max_tokens": Param("max_tokens", ge=1),
    "temperature": Param("temperature", ge=0, le=1),
    "top_p": Param("p", ge=0.01, le=0.99),
    "top_k": Param("k", ge=0, le=500),
    "seed": Param("seed", ge=0),
    "stop": Param("stop_sequences", most=5, convert=list),
    "presence_penalty": Param("presence_penalty", ge=0, le=1),
    "frequency_penalty": Param("frequency_penalty", ge=0, le=1),
    "reasoning_effort": Param(
        "thinking",
        values={
            "none": {"type": "disabled"},
            "minimal": {"type": "enabled", "token_budget": 512},
            "low": {"type": "enabled", "token_budget": 2048},
            "medium": {"type": "enabled", "token_budget": 8192},
            "high": {"type": "enabled", "token_budget": 16384},
            "xhigh": {"type": "enabled", "token_budget": 24576},
            "max": {"type": "enabled"},
        },
    ),
}
"""Where Cohere takes the common parameters. https://docs.cohere.com/reference/chat."""

ERROR_CODES: Mapping[str, type[LLMError]] = {
    "TOO_MANY_TOKENS": ContextLengthExceededError,
    # The model wrote a call that is none: asking in other words may help, asking again may not.
    "INVALID_TOOL_GENERATION": ProviderError,
    "no_db_connection": AuthenticationError,  # LiteLLM's proxy for a key that it does not know
}

MONTHLY = re.compile(
    r"You are using a (Trial|Evaluation) key, which is limited to \d+ API calls / month\b.*",
    re.DOTALL,
)
TOO_LONG = re.compile(r"too many tokens: .*", re.DOTALL)
"""A trial's month that is used up, and a prompt that is too long: older answers have no type."""


class CohereProvider(HTTPProvider):
    """Command, Embed and Rerank. https://docs.cohere.com."""

    info = ProviderInfo(
        name="cohere",
        display_name="Cohere",
        docs_url="https://docs.cohere.com",
        api_key_env="COHERE_API_KEY",
        models=("command-*", "command", "c4ai-*", "embed-*", "rerank-*"),
    )
    Config = CohereConfig
    params: ClassVar[ParamTable] = PARAMS
    error_codes: ClassVar[Mapping[str, type[LLMError]]] = ERROR_CODES
    exchanges: ClassVar[Exchanges] = {
        ChatRequest: Exchange(build=build_chat, parse=parse_chat, stream=message_parser),
        **MODELS,
        **OPERATIONS,
    }

    def exchange_for(self, request: Request[Any]) -> Exchange[Any, Any] | Procedure[Any, Any]:
        """How to perform *request*; a chat in the version that it or the configuration names."""
        own = request.provider_options.get(self.info.name, {})
        if isinstance(request, ChatRequest) and (own.get("api") or self.config.api) == "v1":
            return CHAT_V1
        return super().exchange_for(request)

    def prepare(self, request: Request[Any], stream: bool = False) -> Call[Any]:
        """The call for *request*; which version it goes to is not sent."""
        call = super().prepare(request, stream)
        if isinstance(request, CompletionRequest):
            call.wire, call.warnings = normalize(generate.PARAMS, request.params)
        if "api" in call.options:
            call.memo["api"] = call.options["api"]
            call.options = {k: v for k, v in call.options.items() if k != "api"}
        return call

    def make_error(self, response: HTTPResponse) -> LLMError:
        """The typed error; what Cohere calls its type, and its id, are in the body."""
        return read_error(response, self.error_codes)


def read_error(response: HTTPResponse, codes: Mapping[str, type[LLMError]]) -> LLMError:
    """The typed error for a response that is not a success; its id is in the body."""
    try:
        body = msgspec.json.decode(response.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        body = None
    plain = body if isinstance(body, dict) else {}
    if "error_type" in plain:
        body = msgspec.json.encode(normalized(plain))
        response = HTTPResponse(response.status, response.headers, body)
    error = make_error(response, codes)
    if type(error) is InvalidRequestError and TOO_LONG.fullmatch(error.message):
        error = ContextLengthExceededError(error.message, **error.__dict__)
    if type(error) is RateLimitError and MONTHLY.fullmatch(error.message):
        error = QuotaExceededError(error.message, **error.__dict__)
    told = plain.get("id")
    trace = response.headers.get("x-debug-trace-id")
    return error.add(request_id=told if isinstance(told, str) and told else trace)
