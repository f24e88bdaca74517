"""The fields that a request of the dialect may have, and what becomes of those that are OpenAI's alone."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from attrs import field, frozen

from jackfield import CallWarning
from jackfield.params import ALIASES, NAMES
from jackfield.prompts import bad

PARAMETERS = frozenset({*NAMES, *ALIASES})
COMMON = frozenset(
    "model messages stream stream_options tools tool_choice response_format metadata".split()
)
HINTS = frozenset(
    """logit_bias prediction prompt_cache_key prompt_cache_options
    prompt_cache_retention safety_identifier service_tier store user verbosity""".split()
)
"""What a provider may leave undone: it answers the same question without them."""

SHAPING = frozenset(
    """audio function_call functions logprobs modalities moderation n top_logprobs
    web_search_options""".split()
)
"""What changes the form of the answer: a program would miss it."""

FIELDS = PARAMETERS | COMMON | HINTS | SHAPING
NEUTRAL: Mapping[str, Any] = {
    "logit_bias": {},
    "logprobs": False,
    "modalities": ["text"],
    "n": 1,
    "service_tier": "auto",
    "store": False,
    "top_logprobs": 0,
}
"""What asks for nothing: the value that a field has where it is left out."""


@frozen
class Own:
    """Fields that only servers of the dialect have: sent to those of *names*, or told."""

    names: Collection[str]
    fields: dict[str, Any] = field(factory=dict)
    warnings: list[CallWarning] = field(factory=list)

    def add(self, name: str, value: Any) -> None:
        """Send the field on, tell that it is dropped, or refuse it."""
        if self.names:
            self.fields[name] = value
        elif name in HINTS:
            self.warnings.append(CallWarning("unsupported", name, "not sent"))
        elif name in SHAPING:
            fix = "leave it out, or ask a provider of OpenAI's dialect"
            raise bad(name, "is OpenAI's alone, and changes the answer's form", fix)
        else:
            near = difflib.get_close_matches(name, FIELDS, 1)
            hint = f"did you mean {near[0]}?" if near else "leave it out"
            raise bad(name, "is no field that every provider has", hint)

    def options(self) -> Mapping[str, Mapping[str, Any]]:
        """The fields for each of *names*."""
        return {name: dict(self.fields) for name in self.names} if self.fields else {}
