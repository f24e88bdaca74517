"""Answers that must fit a JSON schema, whatever is in it: characters, definitions, circles, bounds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jackfield_llamacpp import LlamaCppProvider

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema, which judges, is not installed")
MODEL = "tiny-demo"


def table(**properties: Any) -> dict[str, Any]:
    names = list(properties)
    return {
        "type": "object",
        "properties": properties,
        "required": names,
        "additionalProperties": False,
    }


def asked(local: LlamaCppProvider, schema: Any, **params: Any) -> Any:
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    params = {"temperature": 1, "max_tokens": 200, **params}
    return local.execute(
        MODEL,
        "Make a JSON object.",
        params,
        provider_options={"llamacpp": {"response_format": form}},
    )


NODE = {
    "type": "object",
    "properties": {"next": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/node"}]}},
    "required": ["next"],
    "additionalProperties": False,
}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    "schema",
    [
        table(word={"enum": ['quo"te', "back\\slash", "nl\n", "é漢🦊", 1, None]}),
        table(word={"const": '"\\" 🦊'}),
        table(**{'a"b': {"type": "null"}, "größe": {"type": "boolean"}, "c\\d\n": {"type": "null"}}),
        table(deep=table(list={"type": "array", "items": table(n={"enum": [1, 2]}), "maxItems": 2})),
        {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2},
        {**table(item={"type": "boolean"}, x={"$ref": "#/$defs/item"}), "$defs": {"item": {"type": "null"}}},
        table(any={"title": "Any", "description": "What you like."}),
        {"$ref": "#/$defs/pair", "$defs": {"pair": table(a={"type": "null"})}},
    ],
    ids=["enum", "const", "names", "nested", "list", "definition", "any", "root"],
)  # fmt: skip
def test_an_answer_fits_its_schema(local: LlamaCppProvider, schema: Any, seed: int) -> None:
    answer = asked(local, schema, seed=seed)
    assert answer.warnings == ()
    jsonschema.validate(json.loads(answer.text), schema)


def test_texts_hold_no_bare_line_ends(local: LlamaCppProvider) -> None:
    schema = table(text={"type": "string", "maxLength": 40})
    for seed in range(12):
        answer = asked(local, schema, seed=seed, temperature=2.0)
        jsonschema.validate(json.loads(answer.text), schema)


def test_a_schema_that_holds_itself_makes_a_grammar(local: LlamaCppProvider) -> None:
    answer = asked(local, {"$ref": "#/$defs/node", "$defs": {"node": NODE}}, max_tokens=40)
    assert answer.text.replace(" ", "").startswith('{"next":')


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6),
    value=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
    | st.booleans()
    | st.integers(-9, 9),
)
def test_every_name_and_value_can_be_asked_for(
    local: LlamaCppProvider, name: str, value: Any
) -> None:
    answer = asked(local, table(**{name: {"const": value}}))
    assert json.loads(answer.text) == {name: value}


@pytest.mark.parametrize("kind", ["number", ["number", "null"], None])
def test_bounds_of_numbers_that_need_not_be_whole_are_a_warning(
    local: LlamaCppProvider, kind: Any
) -> None:
    part = {"minimum": 0, "maximum": 1} | ({} if kind is None else {"type": kind})
    (warning,) = asked(local, table(x=part), max_tokens=20).warnings
    assert "properties.x." in warning.detail
    assert "minimum" in warning.detail
