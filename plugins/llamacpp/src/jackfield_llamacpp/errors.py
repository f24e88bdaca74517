"""What can go wrong inside an engine, as one exception with a code.

The engines know nothing of the core: they raise `EngineError`, and the provider maps its code to
the error classes that users catch.
"""

from __future__ import annotations

from typing import Literal

ErrorCode = Literal[
    "bad_model_file",
    "context_length_exceeded",
    "engine_failed",
    "engine_missing",
    "invalid_options",
    "invalid_request",
    "load_failed",
    "model_not_found",
    "unsupported_operation",
]

EMPTY_PROMPT = "the chat template makes no prompt of this conversation; say something, or give another template"


class EngineError(Exception):
    """A failure that is understood: *code* for programs, the message for people, with what to do next."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code: ErrorCode = code


def context_exceeded(what: str, tokens: int, room: int) -> EngineError:
    """The error for *what*, whose *tokens* do not fit into a context with *room* for so many."""
    return EngineError(
        "context_length_exceeded",
        f"{what} has {tokens:,} tokens, but the context holds {room:,}; shorten it or raise n_ctx",
    )
