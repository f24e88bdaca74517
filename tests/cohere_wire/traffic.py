"""The recorded turns with Cohere: each belongs to an operation, or has the reason why not."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from support.recordings import Turn, turns

OPERATIONS = {
    "chat": r"POST .*/v2/chat",
    "chat v1": r"POST .*(?<!compatibility)/v1/chat",
    "compatible chat": r"POST .*/compatibility/v1/chat/completions",
    "embed": r"POST .*/v[12]/embed",
    "rerank": r"POST .*/v[12]/rerank",
    "generate": r"POST .*/v1/generate",
    "tokenize": r"POST .*/v1/tokenize",
    "detokenize": r"POST .*/v1/detokenize",
    "transcription": r"POST .*/v2/audio/transcriptions",
    "models": r"GET .*/v1/models/?",
    "model": r"GET .*/v1/models/[^/]+",
}
OUT_OF_SCOPE = {
    r"POST .*/v1/(classify|summarize)": "the first version's own tasks, which Cohere has retired",
    r"\w+ .*/v[12]/(embed-jobs|batches|datasets|connectors|finetuning).*": "not promised of Cohere",
    r"\w+ .*/v1/check-api-key": "says nothing about models",
    r"POST /(generate|embed|rerank|chat|classify|summarize|tokenize)": "before there were versions",
    r"POST .*/compatibility/v1/embeddings": "OpenAI's dialect, which has a plugin of its own",
}
ALL = turns("cohere")


def operation(turn: Turn) -> str | None:
    """The operation of *turn*, if the plugin has it."""
    return next((o for o, p in OPERATIONS.items() if re.fullmatch(p, turn.operation)), None)


def reason(turn: Turn) -> str | None:
    """Why *turn* is out of scope, if it is."""
    return next((r for p, r in OUT_OF_SCOPE.items() if re.fullmatch(p, turn.operation)), None)


def of(*operations: str) -> list[Turn]:
    """The recorded turns of some operations; of all that the plugin has where none is named."""
    return [t for t in ALL if operation(t) in (operations or OPERATIONS)]


def each(found: Iterable[Turn]) -> pytest.MarkDecorator:
    """One test for each of the turns; one that says so where there are none."""
    missing = "no such turn is recorded; JACKFIELD_WIRE says where recordings are"
    none = pytest.param(None, marks=pytest.mark.skip(reason=missing))
    return pytest.mark.parametrize("turn", [pytest.param(t, id=str(t)) for t in found] or [none])
