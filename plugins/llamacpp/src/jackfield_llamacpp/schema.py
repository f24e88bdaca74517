"""JSON schemas as llama.cpp's grammars can hold them, and the parts of a schema that they cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .engine import Limit

NEVER_ENFORCED = frozenset({
    "contains", "dependentRequired", "dependentSchemas", "else", "if", "maxContains", "maxProperties", "minContains",
    "minProperties", "multipleOf", "not", "patternProperties", "propertyNames", "then", "unevaluatedItems",
    "unevaluatedProperties", "uniqueItems",
})  # fmt: skip
"""Keywords that neither engine's grammar expresses."""
NUMBER_BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
_LARGEST_ENUM = 512
_MAPS_OF_SCHEMAS = ("properties", "$defs", "definitions")
_LISTS_OF_SCHEMAS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SCHEMAS = ("items", "additionalProperties")


def requested_schema(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema that *body*'s `response_format` asks for; any object for JSON without a schema."""
    form = body.get("response_format") or {}
    if form.get("type") == "json_schema":
        schema = (form.get("json_schema") or {}).get("schema")
        return schema if isinstance(schema, Mapping) else {"type": "object"}
    if form.get("type") == "json_object":
        schema = form.get("schema")
        return schema if isinstance(schema, Mapping) else {"type": "object"}
    return None


def unenforced(schema: Any, keywords: frozenset[str] = NEVER_ENFORCED) -> list[str]:
    """Where *schema* asks for what a grammar with gaps at *keywords* does not enforce, as paths.

    Neither grammar has bounds of numbers that need not be whole.
    """
    return [
        f"{path}.{key}".lstrip(".")
        for path, part in _walk(schema, "")
        for key in part
        if key in keywords or (key in NUMBER_BOUNDS and _may_be_broken(part))
    ]


def _may_be_broken(schema: Mapping[str, Any]) -> bool:
    """Whether *schema* allows numbers that are not whole."""
    kinds = schema.get("type", "number")
    listed = not {"enum", "const"}.isdisjoint(schema)
    return not listed and "number" in (kinds if isinstance(kinds, list) else [kinds])


def limits(schema: Any, keywords: frozenset[str] = NEVER_ENFORCED) -> list[Limit]:
    """The same, as something to warn of."""
    if not (where := unenforced(schema, keywords)):
        return []
    message = f"not enforced while generating: {', '.join(where)}; check the answer"
    return [Limit(kind="unsupported", what="response_format", message=message)]


def _walk(schema: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(schema, Mapping):
        return
    yield path, schema
    for key in _MAPS_OF_SCHEMAS:
        if isinstance(inner := schema.get(key), Mapping):
            for name, value in inner.items():
                yield from _walk(value, f"{path}.{key}.{name}")
    for key in _LISTS_OF_SCHEMAS:
        if isinstance(inner := schema.get(key), list):
            for at, value in enumerate(inner):
                yield from _walk(value, f"{path}.{key}[{at}]")
    for key in _SCHEMAS:
        yield from _walk(schema.get(key), f"{path}.{key}")


def for_grammar(schema: Any) -> Any:
    """*schema* rewritten so that llama-cpp-python's converter loses less of it.

    Integers between near bounds become an enumeration (the converter ignores bounds), a list of
    types with further keywords becomes `anyOf` (it would ignore those), `true` becomes `{}`.
    """
    if schema is True:
        return {}
    if not isinstance(schema, Mapping):
        return schema
    out = dict(schema)
    for key in _MAPS_OF_SCHEMAS:
        if isinstance(inner := out.get(key), Mapping):
            out[key] = {name: for_grammar(value) for name, value in inner.items()}
    for key in _LISTS_OF_SCHEMAS:
        if isinstance(inner := out.get(key), list):
            out[key] = [for_grammar(value) for value in inner]
    if "items" in out:
        out["items"] = for_grammar(out["items"])
    if isinstance(out.get("additionalProperties"), Mapping):
        out["additionalProperties"] = for_grammar(out["additionalProperties"])
    return _one_type(_bounded(out))


def _bounded(schema: dict[str, Any]) -> dict[str, Any]:
    values = integer_range(schema)
    if values is None:
        return schema
    rest = {key: value for key, value in schema.items() if key not in NUMBER_BOUNDS | {"type"}}
    return {**rest, "enum": list(values)}


def integer_range(schema: Mapping[str, Any]) -> range | None:
    """The integers that *schema* allows, when its type is integer and its bounds are near each other."""
    if schema.get("type") != "integer" or "enum" in schema or "const" in schema:
        return None
    lows = [schema["minimum"]] if _whole(schema.get("minimum")) else []
    highs = [schema["maximum"]] if _whole(schema.get("maximum")) else []
    if _whole(schema.get("exclusiveMinimum")):
        lows.append(schema["exclusiveMinimum"] + 1)
    if _whole(schema.get("exclusiveMaximum")):
        highs.append(schema["exclusiveMaximum"] - 1)
    if not lows or not highs:
        return None
    values = range(int(max(lows)), int(min(highs)) + 1)
    return values if 0 < len(values) <= _LARGEST_ENUM else None


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _one_type(schema: dict[str, Any]) -> dict[str, Any]:
    types = schema.get("type")
    if not isinstance(types, list) or len(schema) == 1:
        return schema
    if "enum" in schema or "const" in schema:  # the values say more than their types
        return {key: value for key, value in schema.items() if key != "type"}
    common = {
        key: value for key, value in schema.items() if key not in {"type", "$defs", "definitions"}
    }
    kept: dict[str, Any] = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    return {
        **kept,
        "anyOf": [for_grammar({**_fitting(common, kind), "type": kind}) for kind in types],
    }


_FOR_TYPE = {
    "object": {"properties", "required", "additionalProperties", "allOf", "anyOf", "oneOf"},
    "array": {"items", "prefixItems", "minItems", "maxItems"},
    "string": {"pattern", "format", "minLength", "maxLength"},
    "integer": set(NUMBER_BOUNDS),
    "number": set(NUMBER_BOUNDS),
}


def _fitting(schema: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key in _FOR_TYPE.get(kind, set())}
