"""The recorded turns with Gemini: each belongs to an operation, or has the reason why not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import pytest

from support.recordings import Turn, turns

OPERATIONS = {
    "chat": r"POST /v1\w*/(models|tunedModels)/[^/]+:(generateContent|streamGenerateContent)",
    "embed": r"POST /v1\w*/models/[^/]+:(embedContent|batchEmbedContents)",
    "count": r"POST /v1\w*/models/[^/]+:countTokens",
    "models": r"GET /v1\w*/models/?",
    "model": r"GET /v1\w*/models/[^/:]+",
    "upload": r"POST /upload/v1\w*/files",
    "files": r"GET /v1\w*/files",
    "file": r"GET /v1\w*/files/[^/:]+",
    "delete file": r"DELETE /v1\w*/files/[^/:]+",
    "batch": r"POST /v1\w*/models/[^/]+:batchGenerateContent",
    "batch info": r"GET /v1\w*/batches/[^/:]+",
}
OUT_OF_SCOPE = {
    r"\w+ /v1\w*/(cachedContents|fileSearchStores|corpora|tunedModels|interactions).*": "resources "
    "beside the mission's operations: their names go into a chat by provider_options",
    r"POST /v1\w*/models/[^/]+:(predict|predictLongRunning)": "Imagen and Veo have an API of Vertex's",
}
ALL = turns("gemini")


def operation(turn: Turn) -> str | None:
    """The operation of *turn*, if the plugin has it."""
    return next((o for o, p in OPERATIONS.items() if re.fullmatch(p, turn.operation)), None)


def reason(turn: Turn) -> str | None:
    """Why *turn* is out of scope, if it is."""
    return next((r for p, r in OUT_OF_SCOPE.items() if re.fullmatch(p, turn.operation)), None)


def of(*operations: str) -> list[Turn]:
    """The recorded turns of some operations; of all that the plugin has where none is named."""
    return [t for t in ALL if operation(t) in (operations or OPERATIONS)]


def model(turn: Turn) -> str:
    """The model that *turn* names in its path."""
    return turn.path.rpartition("/")[2].partition(":")[0]


def streams(turn: Turn) -> bool:
    """Whether *turn* asked for a stream."""
    return turn.path.endswith(":streamGenerateContent")


def answered(turn: Turn) -> list[Any]:
    """The JSON documents of the answer, one or several, read independently of ours."""
    if turn.streamed:
        return turn.data()
    told = json.loads(turn.payload)
    return told if isinstance(told, list) else [told]


def each(found: Iterable[Turn]) -> pytest.MarkDecorator:
    """One test for each of the turns; one that says so where there are none."""
    missing = "no such turn is recorded; JACKFIELD_WIRE says where recordings are"
    none = pytest.param(None, marks=pytest.mark.skip(reason=missing))
    return pytest.mark.parametrize("turn", [pytest.param(t, id=str(t)) for t in found] or [none])
