"""The provider: who Gemini is, its parameters and errors, and its operations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import msgspec

from jackfield import (
    AuthenticationError,
    Capabilities,
    ChatRequest,
    ConfigIssue,
    ContextLengthExceededError,
    EmbeddingRequest,
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
    Secret,
    ServerError,
    TokenCountRequest,
)
from jackfield.exchange import Exchange, Procedure
from jackfield.failures import event_error
from jackfield.flow import HTTPResponse
from jackfield.http import Exchanges
from jackfield.params import EFFORTS, ParamTable

from . import catalogue
from .chat import build_chat
from .config import BASE_URL, GeminiConfig
from .framing import Stream
from .operations import OPERATIONS
from .operations.embeddings import EMBED_MANY, MOST
from .parse import answer_parser, parse_chat

PARAMS: ParamTable = {
    "max_tokens": Param("generationConfig.maxOutputTokens", ge=1, le=2**31 - 1),
    "temperature": Param("generationConfig.temperature", ge=0, le=2),
    "top_p": Param("generationConfig.topP", ge=0, le=1),
    "top_k": Param("generationConfig.topK", ge=0, le=2**31 - 1),
    "seed": Param("generationConfig.seed", ge=-(2**31), le=2**31 - 1),
    "stop": Param("generationConfig.stopSequences", most=5, convert=list),
    "presence_penalty": Param("generationConfig.presencePenalty", ge=-2, le=2),
    "frequency_penalty": Param("generationConfig.frequencyPenalty", ge=-2, le=2),
    # Each model takes it as a budget, as a level or not at all: see facts.py.
    "reasoning_effort": Param(
        "generationConfig.thinkingConfig", values={word: word for word in EFFORTS}
    ),
}


ERROR_CODES: Mapping[str, type[LLMError]] = {
    "ABORTED": ServerError,
    "ALREADY_EXISTS": InvalidRequestError,
    "DATA_LOSS": ServerError,
    "DEADLINE_EXCEEDED": ServerError,
    "FAILED_PRECONDITION": InvalidRequestError,
    "INTERNAL": ServerError,
    "INVALID_ARGUMENT": InvalidRequestError,
    "NOT_FOUND": NotFoundError,
    "OUT_OF_RANGE": InvalidRequestError,
    "PERMISSION_DENIED": PermissionDeniedError,
    "RESOURCE_EXHAUSTED": RateLimitError,
    "UNAUTHENTICATED": AuthenticationError,
    "UNAVAILABLE": OverloadedError,
    "UNIMPLEMENTED": InvalidRequestError,
    "UNKNOWN": ServerError,
    "no_db_connection": AuthenticationError,  # LiteLLM's proxy for a key that it does not know
}

REASONS: Mapping[str, type[LLMError]] = {
    "ACCESS_TOKEN_EXPIRED": AuthenticationError,
    "API_KEY_EXPIRED": AuthenticationError,
    "API_KEY_INVALID": AuthenticationError,
    "BILLING_DISABLED": QuotaExceededError,
    "CREDENTIALS_MISSING": AuthenticationError,
    "SERVICE_DISABLED": PermissionDeniedError,
}
"""What an ``ErrorInfo`` says, which is more than the status does.

Source: https://ai.google.dev/gemini-api/docs/troubleshooting and https://google.aip.dev/193
"""

TOO_LONG = re.compile(
    r"The input token count( \(\d+\))? exceeds the maximum number of tokens allowed \(?\d+\)?\.?"
    r"|litellm\.ContextWindowExceededError: (?s:.*)"
)
"""The API has no code for this case alone; this is its whole message, numbers and all."""

FACTS = ("phase", "status", "code", "param", "request_id", "retry_after", "maybe_executed")


def _details(body: Any) -> Iterator[Mapping[str, Any]]:
    """The details of the error in *body*, if they are as the API writes them."""
    if isinstance(body, list) and body:
        body = body[0]
    error = body.get("error") if isinstance(body, Mapping) else None
    details = error.get("details") if isinstance(error, Mapping) else None
    if isinstance(details, list):
        yield from (d for d in details if isinstance(d, Mapping))


def _seconds(text: Any) -> float | None:
    """The seconds in ``"23.5s"``."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)s", text) if isinstance(text, str) else None
    return float(found[1]) if found else None


def _daily(detail: Mapping[str, Any]) -> bool:
    violations = detail.get("violations")
    told = [v for v in violations if isinstance(v, Mapping)] if isinstance(violations, list) else []
    return any("PerDay" in str(v.get("quotaId")) for v in told)


def explained(error: LLMError, body: Any) -> LLMError:
    """*error* with what the details of its *body* say: its class, and when to come back."""
    kind: type[LLMError] | None = None
    for detail in _details(body):
        wait = _seconds(detail.get("retryDelay"))
        if wait is not None and error.retry_after is None:
            error.retry_after = wait
        kind = kind or REASONS.get(str(detail.get("reason")))
        if _daily(detail):
            kind = QuotaExceededError
    if type(error) is InvalidRequestError and TOO_LONG.fullmatch(error.message):
        kind = kind or ContextLengthExceededError
    if kind is None or kind is type(error):
        return error
    return kind(error.message, **{name: getattr(error, name) for name in FACTS})


def plain(body: bytes) -> Any:
    """The JSON in *body*, or None."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


class GeminiProvider(HTTPProvider):
    """Gemini, through the Generative Language API. https://ai.google.dev/api."""

    batch_share = Decimal("0.5")  # https://ai.google.dev/gemini-api/docs/batch-api
    info = ProviderInfo(
        name="gemini",
        display_name="Gemini",
        docs_url="https://ai.google.dev/gemini-api/docs",
        api_key_env="GEMINI_API_KEY",
        other_key_envs=("GOOGLE_API_KEY",),
        capabilities=Capabilities(
            streaming=True, tools=True, vision=True, reasoning=True, structured_output=True
        ),
        models=("gemini-*", "gemma-*", "imagen-*", "text-embedding-00*"),
    )
    Config = GeminiConfig
    params: ClassVar[ParamTable] = PARAMS
    error_codes: ClassVar[Mapping[str, type[LLMError]]] = ERROR_CODES
    exchanges: ClassVar[Exchanges] = {
        ChatRequest: Exchange(
            build=build_chat, parse=parse_chat, stream=answer_parser, framing=Stream
        ),
        TokenCountRequest: Exchange(build=catalogue.build_count, parse=catalogue.parse_count),
        ModelListRequest: Procedure(perform=catalogue.list_models),
        ModelInfoRequest: Exchange(build=catalogue.build_model, parse=catalogue.parse_model_info),
        **OPERATIONS,
    }

    def exchange_for(self, request: Request[Any]) -> Exchange[Any, Any] | Procedure[Any, Any]:
        """How to perform *request*; more texts than a request takes are several requests."""
        if isinstance(request, EmbeddingRequest) and len(request.inputs) > MOST:
            return EMBED_MANY
        return super().exchange_for(request)

    def auth_headers(self, key: Secret | None) -> Mapping[str, str]:
        """The key, in a header of its own and never in a URL."""
        return {"x-goog-api-key": key.reveal()} if key else {}

    def check_config(self) -> Sequence[ConfigIssue]:
        """A missing key is an issue at Google's own address alone."""
        needed = self.config.base_url == BASE_URL
        return [i for i in super().check_config() if needed or i.path != "api_key"]

    def make_error(self, response: HTTPResponse) -> LLMError:
        """The typed error; when to come back, and what is used up, stand in the body."""
        return explained(super().make_error(response), plain(response.body))

    def stream_failure(self, body: Any) -> LLMError:
        """The typed error that an event of a stream tells, or an item of a batch."""
        return explained(event_error(body, self.error_codes), body)
