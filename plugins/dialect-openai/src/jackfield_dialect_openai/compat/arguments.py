"""What the arguments of a client's methods say, whatever objects they are."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from jackfield import Timeout
from jackfield.config import total_timeout, wrong_timeouts
from jackfield.prompts import bad

from ..server.fields import FIELDS

OURS = frozenset({"extra_body", "provider_options", "strict", "timeout"})
CHAT = FIELDS | OURS
EMBEDDING = OURS | {"model", "input", "dimensions", "encoding_format", "input_type", "user"}
_ELSEWHERE: Mapping[str, str] = {
    "extra_headers": "headers belong to the provider's configuration: headers = {…}",
    "extra_query": "a provider's address is its own: set base_url",
}


def said(method: str, given: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """The arguments that say something; `openai.NOT_GIVEN` and its like say nothing."""
    told = {
        name: value
        for name, value in given.items()
        if value is not None and type(value).__name__ not in ("NotGiven", "Omit")
    }
    for name in told.keys() - known:
        if name in _ELSEWHERE and not told.pop(name):
            continue
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        fix = _ELSEWHERE.get(name, f"{hint}fields of the provider's own go into extra_body")
        raise bad(name, f"is no argument of {method}", fix)
    return told


def plain(value: Any) -> Any:
    """*value* with the objects in it as dicts: an answer's message may come back as it is."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.model_dump(exclude_none=True) if hasattr(value, "model_dump") else value


def table(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The table of a provider's own fields called *name*; ``provider_options`` has one a provider."""
    value = told.get(name) or {}
    inner = value.values() if isinstance(value, Mapping) and name == "provider_options" else ()
    if not isinstance(value, Mapping) or not all(isinstance(v, Mapping) for v in inner):
        raise bad(name, "is misshapen", "give a dict of the provider's own fields")
    return value


def parse_timeout(given: Any) -> Timeout | None:
    """A timeout from one, or from seconds in total."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        given = total_timeout(given)
    if given is not None and (not isinstance(given, Timeout) or wrong_timeouts(given)):
        fix = "pass seconds above 0 and at most a week, or a jackfield.Timeout of such"
        raise bad("timeout", f"{given!r} is none", fix)
    return given
