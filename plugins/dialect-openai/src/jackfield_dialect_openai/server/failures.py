"""Errors as the dialect's error objects; their status is `LLMError.http_status`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jackfield import errors
from jackfield.errors import LLMError, for_status

from ..provider import ERROR_CODES

_WORDS: Mapping[type[LLMError], tuple[str, str | None]] = {
    errors.AuthenticationError: ("authentication_error", "invalid_api_key"),
    errors.PermissionDeniedError: ("permission_error", None),
    errors.QuotaExceededError: ("insufficient_quota", "insufficient_quota"),
    errors.NotFoundError: ("not_found_error", "model_not_found"),
    errors.ContextLengthExceededError: ("invalid_request_error", "context_length_exceeded"),
    errors.ContentFilterError: ("invalid_request_error", "content_filter"),
    errors.RateLimitError: ("rate_limit_error", "rate_limit_exceeded"),
    errors.OverloadedError: ("unavailable_error", "server_is_overloaded"),
    errors.RequestTimeoutError: ("timeout_error", "timeout"),
}


def render_error(error: LLMError) -> dict[str, Any]:
    """*error* for a caller: ``message``, ``type``, ``param``, ``code``, and nothing of the provider's body.

    A provider's own code stays, where who reads the answer would make the same class of it.
    """
    kind = type(error)
    words = next((_WORDS[c] for c in kind.__mro__ if c in _WORDS), None)
    usual = "invalid_request_error" if error.http_status < 500 else "server_error"
    word, code = words or (usual, None)
    same = for_status(error.http_status, code, ERROR_CODES)
    if error.code and for_status(error.http_status, error.code, ERROR_CODES) is same:
        code = error.code
    told = {"message": error.message, "type": word, "param": error.param, "code": code}
    return {"error": told}
