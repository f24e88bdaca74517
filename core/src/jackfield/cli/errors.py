"""What happens to an error on the command line: an exit code, one message, and what to do next."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import click

from ..errors import (
    AuthenticationError,
    ConfigError,
    ContextLengthExceededError,
    LLMError,
    NotFoundError,
    OverloadedError,
    QuotaExceededError,
    RateLimitError,
    StreamInterruptedError,
    TransportError,
    UnsupportedOperationError,
)
from .terminal import hide, note, safe, write_json

FAILED, USAGE, INTERRUPTED, STOPPED, NO_READER = 1, 2, 3, 130, 141

EXIT_CODES = """\b
Exit codes:
  0    done
  1    the provider said no, or the call failed
  2    wrong usage or configuration; nothing was sent
  3    the answer broke off; what had arrived was printed
  130  stopped with Ctrl-C
  141  nobody reads the output any more (as in `| head`)"""

NEXT: Mapping[type[LLMError], str] = {
    AuthenticationError: "`jackfield doctor {provider}` says where the key comes from",
    NotFoundError: "`jackfield models {provider}` lists the models that there are",
    QuotaExceededError: "the account has no credit left, or its plan does not allow this",
    ContextLengthExceededError: "shorten the prompt, or take a model with a larger context",
    RateLimitError: "wait a little, then run the command again",
    OverloadedError: "the provider is overloaded: try again later, or take another model",
    StreamInterruptedError: "what came is incomplete: run the command again",
    TransportError: "check its address and the network: `jackfield doctor {provider}`",
}
"""What to do next, by the class of the error or the nearest base."""

WORDS = {
    "go into provider_options": "are written -p PROVIDER.NAME=VALUE",
    "list_models() has them": "`jackfield models` has them",
    "pass MediaPart(media_type, data)": "name it after its type, as in photo.png",
}
"""What errors say to programmers, in the words of the command line."""


def exit_code(error: BaseException) -> int:
    """The exit code that tells what *error* was."""
    if isinstance(error, StreamInterruptedError) and error.partial_text:
        return INTERRUPTED
    if isinstance(error, ConfigError | UnsupportedOperationError):
        return USAGE
    return USAGE if isinstance(error, LLMError) and error.phase == "build" else FAILED


def advice(error: LLMError) -> str:
    """What to do next about *error*, if its message does not say it already."""
    if error.phase in ("build", "config") or error.code == "budget":
        return ""
    if error.retry_after is not None:
        return f"wait {error.retry_after:g} s, then run the command again"
    found = next((NEXT[kind] for kind in type(error).__mro__ if kind in NEXT), "")
    return found.format(provider=error.provider)


def report(error: BaseException) -> int:
    """Tell the person about *error*; return the exit code."""
    if isinstance(error, LLMError):
        next_step = advice(error)
        said = str(error)
        for theirs, ours in WORDS.items():
            said = said.replace(theirs, ours)
        note(f"Error: {said}" + (f"\nNext: {next_step}" if next_step else ""), 31)
    elif isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        hint = f"\nTry `{context.command_path} --help`." if context else ""
        note(f"Error: {error.format_message()}{hint}", 31)
        return error.exit_code
    elif isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        note(f"Error: {where}{error.strerror or error}", 31)
    else:
        said = f"{type(error).__name__}: {error}"
        note(f"Error: unexpected {said}\nNext: run it again with --debug, and report it", 31)
    return exit_code(error)


def show_traceback(error: BaseException) -> None:
    """The traceback of *error* without secrets: for ``--debug``."""
    import traceback

    print(safe(hide("".join(traceback.format_exception(error)))), file=sys.stderr)


def write_error(error: LLMError, *, lines: bool) -> None:
    """*error* as JSON on standard output, where a program waits for JSON."""
    facts: dict[str, Any] = {"type": type(error).__name__, "message": hide(error.message)}
    for name in ("provider", "model", "phase", "status", "code", "param", "request_id"):
        facts[name] = getattr(error, name) or None
    facts |= {"retryable": error.retryable, "retry_after": error.retry_after}
    if isinstance(error, StreamInterruptedError):
        facts["partial_text"] = error.partial_text
    write_json({"type": "error", "error": facts} if lines else {"error": facts}, lines=lines)


def drop_output() -> None:
    """Let what is still buffered go nowhere, so that leaving is quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
