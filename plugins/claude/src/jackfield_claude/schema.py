"""A JSON Schema as structured output takes it: closed objects, and no limits on numbers or lengths.

https://docs.claude.com/en/docs/build-with-claude/structured-outputs
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jackfield.exchange import Call
from jackfield.prompts import bad

TOLD = {
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "maxItems", "uniqueItems", "contains", "minContains"),
    *("maxContains", "minProperties", "maxProperties", "propertyNames", "patternProperties"),
}
"""Keywords that the API refuses: the model is told them in the description instead."""

NAMED = ("properties", "$defs", "definitions")
LISTED = ("anyOf", "allOf")


def fit(call: Call[Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """*schema* as the API takes it; the call is told which keywords are no longer enforced."""
    told: set[str] = set()
    try:
        fitted: dict[str, Any] = _fit(schema, told)
    except RecursionError:
        raise bad("response_format", "the schema is too deep", "flatten it") from None
    if told:
        listed = ", ".join(sorted(told))
        call.warn("emulated", "response_format", f"{listed}: told to the model, not enforced")
    return fitted


def _fit(schema: Any, told: set[str]) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    fitted: dict[str, Any] = {}
    moved: dict[str, Any] = {}
    for key, value in schema.items():
        if key in TOLD or (key == "minItems" and value not in (0, 1)):
            moved[key] = value
        elif key in NAMED and isinstance(value, Mapping):
            fitted[key] = {name: _fit(inner, told) for name, inner in value.items()}
        elif key in (*LISTED, "oneOf") and isinstance(value, list):
            fitted["anyOf" if key == "oneOf" else key] = [_fit(inner, told) for inner in value]
        else:
            fitted[key] = _fit(value, told) if key == "items" else value
    if schema.get("type") == "object" or "properties" in schema:
        if schema.get("additionalProperties", False) is not False:
            moved["additionalProperties"] = schema["additionalProperties"]
        fitted["additionalProperties"] = False
    if moved:
        told.update(moved)
        limits = ", ".join(f"{key}: {value}" for key, value in moved.items())
        about = fitted.get("description")
        fitted["description"] = f"{about} ({limits})" if about else limits
    return fitted
