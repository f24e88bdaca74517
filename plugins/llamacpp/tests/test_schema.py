"""JSON schemas on their way to a grammar: what is rewritten, and what is admitted to be lost."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield_llamacpp.schema import (
    NEVER_ENFORCED,
    NUMBER_BOUNDS,
    for_grammar,
    integer_range,
    limits,
    requested_schema,
    unenforced,
)

BOUNDS = st.integers(-300, 300)
LEAVES = st.one_of(
    st.builds(
        lambda low, high: {"type": "integer", "minimum": low, "maximum": high}, BOUNDS, BOUNDS
    ),
    st.just({"type": "integer"}),
    st.just({"type": ["string", "null"], "maxLength": 5}),
    st.just({"type": ["integer", "boolean"], "minimum": 2, "maximum": 4}),
    st.just({"enum": ["a", 1, None]}),
    st.just({"type": ["string", "null"], "enum": ["x", None]}),
    st.just({"type": "boolean"}),
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda items: {"type": "array", "items": items, "maxItems": 2}),
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(
            lambda props: {
                "type": "object",
                "properties": props,
                "required": sorted(props),
                "additionalProperties": False,
            }
        ),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: {"anyOf": some}),
    ),
    max_leaves=6,
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-400, 400) | st.text("ax", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
    ),
    max_leaves=8,
)


def fits(value: Any, schema: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(schema).is_valid(value))


@given(schema=SCHEMAS, value=VALUES)
def test_a_rewritten_schema_allows_exactly_the_same_values(schema: Any, value: Any) -> None:
    empty_range = any(
        part.get("type") == "integer" and part.get("minimum", 0) > part.get("maximum", 0)
        for part in _parts(schema)
    )
    if not empty_range:  # no value fits; the converter would refuse an empty enumeration
        assert fits(value, for_grammar(schema)) == fits(value, schema)


def _parts(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [part for item in schema for part in _parts(item)]
    if not isinstance(schema, dict):
        return []
    return [schema, *(part for item in schema.values() for part in _parts(item))]


@given(low=BOUNDS, high=BOUNDS, kind=st.sampled_from(["", "exclusive"]))
def test_integers_between_bounds_are_those_that_the_schema_allows(
    low: int, high: int, kind: str
) -> None:
    names = ("minimum", "maximum") if not kind else ("exclusiveMinimum", "exclusiveMaximum")
    schema = {"type": "integer", names[0]: low, names[1]: high}
    values = integer_range(schema)
    step = 1 if kind else 0
    allowed = list(range(low + step, high - step + 1))
    if allowed and len(allowed) <= 512:
        assert values is not None
        assert list(values) == allowed
    else:
        assert values is None


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": 0},
        {"type": "integer", "minimum": 0, "maximum": 10**6},
        {"type": "number", "minimum": 0, "maximum": 3},
        {"type": "integer", "minimum": 0.5, "maximum": 3},
    ],
)
def test_bounds_that_are_no_near_integers_stay_and_are_reported(schema: Any) -> None:
    kept = for_grammar({"type": "object", "properties": {"n": schema}})
    assert set(unenforced(kept, NUMBER_BOUNDS)) == {
        f"properties.n.{key}" for key in schema if key in NUMBER_BOUNDS
    }


def test_what_no_grammar_holds_is_found_wherever_it_stands() -> None:
    schema = {
        "properties": {"list": {"type": "array", "uniqueItems": True, "items": {"not": {}}}},
        "anyOf": [{"minProperties": 1}],
        "$defs": {"x": {"multipleOf": 2}},
    }
    assert set(unenforced(schema)) == {
        "properties.list.uniqueItems",
        "properties.list.items.not",
        "anyOf[0].minProperties",
        "$defs.x.multipleOf",
    }


def test_a_property_that_is_called_like_a_keyword_is_no_keyword() -> None:
    schema = {"type": "object", "properties": {"not": {"type": "string"}, "if": {"type": "string"}}}
    assert unenforced(schema) == []


def test_a_limit_names_every_place_in_one_warning() -> None:
    (limit,) = limits({"uniqueItems": True, "not": {}}, NEVER_ENFORCED)
    assert (limit.kind, limit.what) == ("unsupported", "response_format")
    assert "uniqueItems, not" in limit.message
    assert limits({"type": "string"}) == []


@pytest.mark.parametrize(
    ("form", "schema"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, {"type": "object"}),
        ({"type": "json_object", "schema": {"type": "array"}}, {"type": "array"}),
        ({"type": "json_schema", "json_schema": {"name": "x", "schema": {"a": 1}}}, {"a": 1}),
        ({"type": "json_schema"}, {"type": "object"}),
    ],
)
def test_every_form_of_asking_for_json_leads_to_its_schema(form: Any, schema: Any) -> None:
    assert requested_schema({"response_format": form}) == schema
