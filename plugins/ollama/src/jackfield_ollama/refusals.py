"""What an error of Ollama means: it has words and a status, and seldom a code.

https://docs.ollama.com/api/errors
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from jackfield import (
    ContextLengthExceededError,
    InvalidRequestError,
    LLMError,
    NotFoundError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from jackfield.failures import event_error

UNSPECIFIC = {ProviderError, InvalidRequestError, ServerError}
"""What a refusal is by its status, or without one, where its words may tell more."""

WORDS: tuple[tuple[re.Pattern[str], frozenset[type[LLMError]], type[LLMError]], ...] = (
    (
        re.compile(r"(exceed\w*|longer than|larger than) [\w' ]*context (length|size|window)"),
        frozenset(UNSPECIFIC),
        ContextLengthExceededError,
    ),
    (re.compile(r"usage limit"), frozenset({RateLimitError, ProviderError}), QuotaExceededError),
    (
        re.compile(r"^pull model manifest: file does not exist|^model .{1,300} not found"),
        frozenset({ProviderError, ServerError}),
        NotFoundError,
    ),
)
"""The words of a refusal, the classes that its status may have given it, and what it is."""


def specified(error: LLMError) -> LLMError:
    """*error*, in the class that its words name where its status says less."""
    for words, vague, kind in WORDS:
        if type(error) in vague and words.search(error.message):
            return kind(error.message, **error.__dict__)
    return error


def refused(body: bytes, codes: Mapping[str, type[LLMError]]) -> LLMError:
    """The typed error for an error told after a 200; what the cloud told has its status in it."""
    told = msgspec.json.decode(body)
    status = told.get("StatusCode")
    known = isinstance(status, int) and 400 <= status <= 599
    return specified(event_error(told, codes, status=status if known else None))
