"""What the API's errors mean: their types, their statuses, and the two that only their words tell.

Source: https://docs.cohere.com/reference/errors and https://docs.cohere.com/docs/rate-limits
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from jackfield import (
    ContextLengthExceededError,
    InvalidRequestError,
    LLMError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
)
from jackfield.failures import make_error
from jackfield.flow import HTTPResponse

ERROR_CODES: Mapping[str, type[LLMError]] = {
    "TOO_MANY_TOKENS": ContextLengthExceededError,
    # The model wrote a call that is none: asking in other words may help, asking again may not.
    "INVALID_TOOL_GENERATION": ProviderError,
}

MONTHLY = re.compile(
    r"You are using a (Trial|Evaluation) key, which is limited to \d+ API calls / month\b.*",
    re.DOTALL,
)
TOO_LONG = re.compile(r"too many tokens: .*", re.DOTALL)
"""A trial's month that is used up, and a prompt that is too long: older answers have no type."""


def normalized(body: Any) -> Any:
    """*body* with the error's type where the core looks for it."""
    if not isinstance(body, Mapping) or not isinstance(body.get("error_type"), str):
        return body
    said = body.get("error") or body.get("message")
    return {"error": {"message": said if isinstance(said, str) else "", "type": body["error_type"]}}


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
