"""Token counts of OpenAI's models with tiktoken, where its vocabularies are on this machine."""

from __future__ import annotations

from typing import Any

from jackfield import hookimpl

from . import counting
from .vocabulary import encoding, fill_cache


@hookimpl
def count_tokens(provider: str, model: str, request: Any) -> int | None:  # noqa: ARG001  # the hook's signature
    """How many tokens the messages and tools of *request* hold for *model*, nearly.

    None, so that the core guesses and says so, where *model* is none of OpenAI's, its vocabulary
    is not on this machine, or *request* has media, whose tokens no vocabulary tells.
    """
    messages = getattr(request, "messages", ())
    found = encoding(model) if messages else None
    if found is None:
        return None
    return counting.count(found, counting.rule_of(model), messages, getattr(request, "tools", ()))


__all__ = ["count_tokens", "encoding", "fill_cache"]
