"""Parameters, tools, thinking and formats on the wire."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import InvalidRequestError, ResponseFormat, Tool
from jackfield.params import EFFORTS
from jackfield.testing import strategies as jf
from jackfield_claude import ClaudeProvider

CLAUDE = ClaudeProvider({"api_key": "made-up"})
NEW, OLD, OLDEST = "claude-opus-4-8", "claude-haiku-4-5-20251001", "claude-3-haiku-20240307"
WEATHER = Tool("get_weather", "The weather of a city")
CLOCK = Tool("get_time")
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": False,
}


def body(model: str = NEW, parameters: Any = None, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = CLAUDE.explain(model, "Hi", parameters, **options).body
    return found


def warned(model: str = NEW, parameters: Any = None, **options: Any) -> list[tuple[str, str]]:
    explained = CLAUDE.explain(model, "Hi", parameters, **options)
    return [(w.kind, w.subject) for w in explained.warnings]


def test_parameters_go_under_the_apis_names() -> None:
    given: dict[str, Any] = {"max_tokens": 5, "temperature": 0.5, "top_p": 0.9, "top_k": 3}
    sent = body(OLD, {**given, "stop": ["END"]})
    assert {k: sent[k] for k in given} == given
    assert sent["stop_sequences"] == ["END"]


def test_what_the_api_does_not_have_is_said() -> None:
    asked = {"seed": 1, "min_p": 0.1, "context_length": 9, "presence_penalty": 1}
    assert set(warned(parameters=asked)) == {("unsupported", name) for name in asked}
    assert warned(parameters={"temperature": 1.7}) == [("clamped", "temperature")]


def test_fields_of_claudes_own_go_along_and_win() -> None:
    own = {"metadata": {"user_id": "u"}, "max_tokens": 7, "cache_control": {"type": "ephemeral"}}
    sent = body(provider_options={"claude": own})
    assert {k: sent[k] for k in own} == own


def test_a_typed_object_of_the_callers_replaces_ours() -> None:
    own = {"thinking": {"type": "adaptive", "display": "omitted"}}
    sent = body(OLD, {"reasoning_effort": "low"}, provider_options={"claude": own})
    assert sent["thinking"] == own["thinking"]
    merged = body(
        NEW,
        {"reasoning_effort": "low"},
        provider_options={"claude": {"output_config": {"task_budget": 9}}},
    )
    assert merged["output_config"] == {"effort": "low", "task_budget": 9}


def test_a_tool_is_its_name_description_and_schema() -> None:
    strict = Tool("add", "Adds.", PERSON, strict=True, provider_metadata={"claude": {"a": 1}})
    assert body(tools=[WEATHER, strict])["tools"] == [
        {
            "name": "get_weather",
            "description": "The weather of a city",
            "input_schema": {"type": "object", "properties": {}},
        },
        {"name": "add", "description": "Adds.", "input_schema": PERSON, "strict": True, "a": 1},
    ]


def test_a_tool_of_anthropics_own_is_what_its_metadata_says() -> None:
    search = {"type": "web_search_20250305", "max_uses": 2, "blocked_domains": None}
    toolset = {"type": "mcp_toolset", "mcp_server_name": "files", "name": None}
    tools = [
        Tool("web_search", provider_metadata={"claude": search}),
        Tool("files", provider_metadata={"claude": toolset}),
    ]
    assert body(tools=tools)["tools"] == [
        {"name": "web_search", "type": "web_search_20250305", "max_uses": 2},
        {"type": "mcp_toolset", "mcp_server_name": "files"},
    ]


def test_a_name_that_the_api_refuses_is_refused_at_once() -> None:
    with pytest.raises(InvalidRequestError, match="letters, digits") as caught:
        body(tools=[WEATHER, Tool("fs.read")])
    assert caught.value.param == "tools[1].name"


@pytest.mark.parametrize(
    ("choice", "parallel", "sent"),
    [
        ("auto", None, None),
        ("auto", False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("auto", True, {"type": "auto", "disable_parallel_tool_use": False}),
        ("none", None, {"type": "none"}),
        ("none", False, {"type": "none"}),
        ("required", None, {"type": "any"}),
        ("get_weather", None, {"type": "tool", "name": "get_weather"}),
        (
            "get_weather",
            False,
            {"type": "tool", "name": "get_weather", "disable_parallel_tool_use": True},
        ),
    ],
)
def test_the_choice_of_tools(choice: str, parallel: bool | None, sent: Any) -> None:
    parameters = {"parallel_tool_calls": parallel}
    found = body(parameters=parameters, tools=[WEATHER], tool_choice=choice)
    assert found.get("tool_choice") == sent


def test_a_choice_without_tools_is_dropped_aloud() -> None:
    assert "tool_choice" not in body(tool_choice="required")
    assert warned(tool_choice="required") == [("dropped", "tool_choice")]
    assert "tool_choice" not in body(parameters={"parallel_tool_calls": False})


def test_newer_models_think_as_much_as_a_word_says() -> None:
    sent = body(NEW, {"reasoning_effort": "max", "max_tokens": 100})
    assert sent["thinking"] == {"type": "adaptive"}
    assert sent["output_config"] == {"effort": "max"}
    assert sent["max_tokens"] == 100
    assert warned(NEW, {"reasoning_effort": "minimal"}) == [("clamped", "reasoning_effort")]


OLDER = [
    *(OLD, "m", "claude-opus-4-20250514", "claude-3-7-sonnet-latest", "claude-2.1"),
    *("anthropic/claude-sonnet-4", "anthropic/claude-opus-4.1", "claude-3.5-haiku"),
    *("claude-sonnet-4@20250514", "us.anthropic.claude-sonnet-4-20250514-v1:0"),
]


@pytest.mark.parametrize("model", OLDER)
def test_older_models_and_other_vendors_think_within_a_budget(model: str) -> None:
    sent = body(model, {"reasoning_effort": "low"})
    assert sent["thinking"] == {"type": "enabled", "budget_tokens": 2048}
    assert sent["max_tokens"] == 4096 + 2048
    assert "output_config" not in sent
    assert warned(model, {"reasoning_effort": "low"}) == []


@pytest.mark.parametrize("model", ["claude-opus-4-6", OLD])
def test_no_effort_is_no_thinking(model: str) -> None:
    sent = body(model, {"reasoning_effort": "none", "temperature": 0})
    assert sent["thinking"] == {"type": "disabled"}
    assert (sent["temperature"], sent["max_tokens"]) == (0, 4096)
    assert "output_config" not in sent


@given(st.sampled_from([e for e in EFFORTS if e != "none"]), st.integers(1, 100_000))
def test_a_budget_is_always_below_the_length_and_never_below_the_least(
    effort: str, most: int
) -> None:
    parameters = {"reasoning_effort": effort, "max_tokens": most}
    sent = body(OLD, parameters)
    assert sent["max_tokens"] == most
    if most <= 1024:
        assert "thinking" not in sent
        assert warned(OLD, parameters) == [("dropped", "reasoning_effort")]
    else:
        assert 1024 <= sent["thinking"]["budget_tokens"] < most


def test_sampling_that_thinking_forbids_is_dropped_aloud() -> None:
    asked = {"reasoning_effort": "low", "temperature": 0.3, "top_k": 5, "top_p": 0.5}
    sent = body(OLD, asked)
    assert not sent.keys() & {"temperature", "top_k", "top_p"}
    assert warned(OLD, asked) == [("dropped", n) for n in ("temperature", "top_p", "top_k")]
    assert body(OLD, {**asked, "temperature": 1, "top_p": 0.97})["top_p"] == 0.97


SAMPLED = {"temperature": 0.3, "top_k": 5, "top_p": 0.5}


@pytest.mark.parametrize("model", [*OLDER, "claude-opus-4-6", "claude-sonnet-4-6", "claude-opus-4"])
def test_models_up_to_opus_4_6_and_other_vendors_take_sampling(model: str) -> None:
    sent = body(model, SAMPLED)
    assert {k: sent[k] for k in SAMPLED} == SAMPLED
    assert warned(model, SAMPLED) == []


@pytest.mark.parametrize("model", [NEW, "claude-opus-4-7", "claude-sonnet-5", "claude-fable-5-1"])
def test_sampling_that_newer_models_refuse_is_dropped_aloud(model: str) -> None:
    assert not body(model, SAMPLED).keys() & SAMPLED.keys()
    assert warned(model, SAMPLED) == [("dropped", n) for n in ("temperature", "top_p", "top_k")]
    kept = {"temperature": 1, "top_p": 0.99}
    assert {k: body(model, kept)[k] for k in kept} == kept
    assert warned(model, kept) == []
    assert warned(model, {**SAMPLED, "reasoning_effort": "low"}) == warned(model, SAMPLED)
    with pytest.raises(InvalidRequestError, match="temperature"):
        body(model, SAMPLED, strict=True)


@pytest.mark.parametrize("choice", ["required", "get_weather"])
def test_who_must_call_a_tool_does_not_think(choice: str) -> None:
    options: dict[str, Any] = {"tools": [WEATHER], "tool_choice": choice}
    asked = {"reasoning_effort": "high"}
    assert "thinking" not in body(NEW, asked, **options)
    assert warned(NEW, asked, **options) == [("dropped", "reasoning_effort")]


def test_a_schema_is_sent_as_one_where_the_model_takes_it() -> None:
    for model in (NEW, OLD):
        sent = body(model, response_format=PERSON)
        assert sent["output_config"] == {"format": {"type": "json_schema", "schema": PERSON}}
        assert "tools" not in sent
    assert warned(response_format=PERSON) == []


@pytest.mark.parametrize("model", [OLDEST, "another-vendors-model", "anthropic/claude-sonnet-4"])
def test_a_schema_is_a_tool_that_must_be_called_elsewhere(model: str) -> None:
    options = {"response_format": ResponseFormat(type="json_schema", schema=PERSON, name="a b")}
    sent = body(model, **options)
    (tool,) = sent["tools"]
    assert (tool["name"], tool["input_schema"]) == ("a_b", PERSON)
    assert sent["tool_choice"] == {"type": "tool", "name": "a_b"}
    assert warned(model, **options) == [("emulated", "response_format")]


def test_any_json_is_a_tool_everywhere_and_other_tools_stay_on_offer() -> None:
    sent = body(tools=[WEATHER, Tool("answer")], response_format="json")
    assert [t["name"] for t in sent["tools"]] == ["get_weather", "answer", "answer_"]
    assert sent["tools"][-1]["input_schema"] == {"type": "object"}
    assert sent["tool_choice"] == {"type": "any"}
    alone = body(tools=[WEATHER], tool_choice="none", response_format="json")
    assert alone["tool_choice"] == {"type": "tool", "name": "answer"}
    named = body(tools=[WEATHER], tool_choice="get_weather", response_format="json")
    assert named["tool_choice"] == {"type": "tool", "name": "get_weather"}


def test_text_as_a_format_is_nothing_to_say() -> None:
    assert body(response_format="text") == body()


def test_a_schema_is_fitted_to_what_the_api_takes_and_the_rest_is_told_to_the_model() -> None:
    schema = {
        "type": "object",
        "properties": {
            "age": {"type": "integer", "minimum": 0, "description": "Years"},
            "tags": {"type": "array", "minItems": 2, "items": {"type": "string", "maxLength": 9}},
            "one": {"oneOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]},
        },
        "$defs": {"a": {"type": "object", "properties": {}, "additionalProperties": True}},
    }
    sent = body(response_format=schema)["output_config"]["format"]["schema"]
    assert sent == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "age": {"type": "integer", "description": "Years (minimum: 0)"},
            "tags": {
                "type": "array",
                "items": {"type": "string", "description": "maxLength: 9"},
                "description": "minItems: 2",
            },
            "one": {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]},
        },
        "$defs": {
            "a": {
                "type": "object",
                "properties": {},
                "additionalProperties": False,
                "description": "additionalProperties: True",
            }
        },
    }
    assert warned(response_format=schema) == [("emulated", "response_format")]


def test_a_strict_schema_is_sent_as_it_is() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 0}}}
    form = ResponseFormat(type="json_schema", schema=schema, strict=True)
    assert body(response_format=form)["output_config"]["format"]["schema"] == schema
    assert warned(response_format=form) == []


def test_a_schema_without_a_bottom_is_refused() -> None:
    schema: dict[str, Any] = {"type": "array"}
    schema["items"] = schema
    with pytest.raises(InvalidRequestError) as caught:
        body(response_format={"type": "json_schema", "json_schema": {"schema": schema}})
    assert caught.value.param == "response_format"


@given(jf.schemas())
def test_a_schema_that_fits_is_left_alone(schema: dict[str, Any]) -> None:
    assert body(response_format=schema)["output_config"]["format"]["schema"] == schema
    assert warned(response_format=schema) == []
