"""Answers of the API made after its official description: whatever it says may come."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from hypothesis import strategies as st

from jackfield.testing import strategies as jf
from support.specs import _lookup

Strategy = st.SearchStrategy
DEEPEST = 7
"""Objects in one another, beyond which nothing is told that need not be."""

WHOLE = st.integers(0, 2**31 - 1)
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001  # hypothesis wants naive bounds
    lambda time: f"{time:%Y-%m-%dT%H:%M:%S.%f}123Z"
)
FORMATS: dict[tuple[str, str], Strategy[Any]] = {
    ("string", "int64"): st.integers(0, 2**62).map(str),
    ("string", "date-time"): TIMES,
    ("string", "google-datetime"): TIMES,
    ("string", "google-duration"): st.integers(0, 10**6).map(lambda seconds: f"{seconds}.5s"),
    ("string", "byte"): st.sampled_from(["", "aGVsbG8=", "_-8="]),
    ("string", ""): jf.texts(max_size=8),
    ("integer", "int32"): WHOLE,
    ("number", "float"): st.floats(-1e6, 1e6, width=32),
    ("number", "double"): st.floats(-1e6, 1e6, width=32),
    ("boolean", ""): st.booleans(),
}


def schema(name: str) -> Any:
    """The schema called *name*."""
    return _lookup("gemini", ("components", "schemas", name))


def merged(told: Any) -> Any:
    """*told* with what it refers to and what it is made of in one."""
    if "$ref" in told:
        return merged(schema(told["$ref"].rpartition("/")[2]))
    found: dict[str, Any] = {}
    for piece in (*map(merged, told.get("allOf", ())), told):
        properties = {**found.get("properties", {}), **piece.get("properties", {})}
        found |= {k: v for k, v in piece.items() if k != "allOf"}
        if properties:
            found["properties"] = properties
    return found


def values(told: Any, depth: int = 0) -> Strategy[Any]:
    """Values of the schema *told*."""
    told = merged(told)
    if "enum" in told:
        return st.sampled_from(told["enum"])
    kind = told.get("type")
    if kind == "array":
        inner = values(told["items"], depth + 1)
        return st.lists(inner, max_size=0 if depth > DEEPEST else 2)
    if kind == "object":
        fields = told.get("properties", {})
        if not fields:
            return jf.json_objects()
        needed = set(told.get("required", ()))
        usual = {k: v for k, v in fields.items() if k in needed or depth < DEEPEST}
        made = {k: values(v, depth + 1) for k, v in usual.items()}
        return st.fixed_dictionaries(
            {k: v for k, v in made.items() if k in needed},
            optional={k: v for k, v in made.items() if k not in needed},
        )
    return FORMATS[kind, told.get("format", "")] if kind else jf.json_values()


@cache
def answers(name: str) -> Strategy[Any]:
    """Values of the schema called *name*."""
    return values(schema(name))


def undeclared(told: Any, value: Any, place: str = "$") -> list[str]:
    """Where *value* has fields that the schema *told* does not name."""
    told = merged(told)
    if isinstance(value, list) and told.get("type") == "array":
        inner = [undeclared(told["items"], v, f"{place}[{at}]") for at, v in enumerate(value)]
        return [wrong for found in inner for wrong in found]
    fields = told.get("properties", {})
    if not (isinstance(value, dict) and fields):
        return []
    wrong = [f"{place}.{name} is not described" for name in value.keys() - fields.keys()]
    for name in value.keys() & fields.keys():
        wrong += undeclared(fields[name], value[name], f"{place}.{name}")
    return wrong
