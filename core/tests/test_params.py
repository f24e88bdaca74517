"""Parameters: their common names, checked values, and what a provider's table makes of them."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from core_toy import make, sent, whole
from hypothesis import given
from hypothesis import strategies as st

from jackfield import CallWarning, GenerationParams, InvalidRequestError, Param
from jackfield.params import ALIASES, EFFORTS, NAMES, normalize, parse_params
from jackfield.testing import strategies as jf
from jackfield.testing.conformance.parameters import EXAMPLES

MISSION = {
    "temperature": ["temperature", "temp"],
    "top_p": ["top_p", "nucleus_sampling"],
    "max_tokens": ["max_tokens", "max_length"],
    "context_length": ["context", "context_length", "ctx_size"],
}


@pytest.mark.parametrize(("name", "words"), MISSION.items())
def test_the_promised_aliases_mean_the_same(name: str, words: list[str]) -> None:
    for word in words:
        assert parse_params({word: EXAMPLES[name]}) == GenerationParams(**{name: EXAMPLES[name]})


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_every_alias_leads_to_a_name(alias: str, name: str) -> None:
    assert alias not in NAMES
    assert getattr(parse_params({alias: EXAMPLES[name]}), name) == EXAMPLES[name]


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_a_name_beside_its_alias_is_refused(alias: str, name: str) -> None:
    with pytest.raises(InvalidRequestError, match="given twice"):
        parse_params({name: EXAMPLES[name], alias: EXAMPLES[name]})


@given(jf.params())
def test_valid_parameters_pass_as_they_are(params: GenerationParams) -> None:
    assert parse_params(params) == params
    given_ = {n: getattr(params, n) for n in NAMES if getattr(params, n) is not None}
    assert parse_params(given_) == params


def test_none_is_unset() -> None:
    assert parse_params(None) == parse_params({}) == parse_params({"temperature": None})


WRONG: dict[str, tuple[Any, ...]] = {
    "max_tokens": (0, -1, 1.5, "5", True, 2**63, math.nan),
    "context_length": (0, -1, 1.5, "5", True, 2**63, math.nan),
    "temperature": ("0.7", math.nan, math.inf, True, []),
    "top_p": ("0.7", math.nan, math.inf, True, []),
    "seed": ("7", 1.5, True, 2**63, -(2**63) - 1),
    "top_k": (-1, 1.5, "3"),
    "stop": ("", [""], [1], 5, {"a": 1}, [None]),
    "reasoning_effort": ("enormous", 5, ["low"]),
    "parallel_tool_calls": ("yes", 1, 0),
    "presence_penalty": ("x", math.nan),
}
BAD = [(name, value) for name, values in WRONG.items() for value in values]


@pytest.mark.parametrize(("name", "value"), BAD, ids=str)
def test_a_value_of_the_wrong_kind_is_refused_with_its_name(name: str, value: Any) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_params({name: value})
    assert caught.value.param == name
    assert caught.value.message.startswith(f"parameter {name} ")
    assert caught.value.phase == "build"


def test_typed_parameters_are_checked_too() -> None:
    with pytest.raises(InvalidRequestError, match="temperature"):
        parse_params(GenerationParams(temperature=math.nan))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("temprature", "did you mean temperature?"),
        ("max_token", "did you mean max_token"),
        ("n", "provider_options"),
    ],
)
def test_an_unknown_parameter_comes_with_a_hint(name: str, hint: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_params({name: 1})
    assert caught.value.param == name
    assert hint in caught.value.message


@pytest.mark.parametrize("given_", ["temperature=1", 5, ["temperature"], [("temperature", 1)]])
def test_parameters_that_are_no_table_are_refused(given_: Any) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_params(given_)
    assert caught.value.param == "parameters"


@given(jf.json_values())
def test_any_data_is_parameters_or_refused(data: Any) -> None:
    for name in NAMES:
        try:
            parse_params({name: data})
        except InvalidRequestError as error:
            assert error.param == name  # noqa: PT017  # either is good


def test_a_stop_may_be_one_text_or_several() -> None:
    assert parse_params({"stop": "x"}).stop == ("x",)
    assert parse_params({"stop_sequences": ["x", "y"]}).stop == ("x", "y")
    assert parse_params({"stop": []}).stop is None


# What a table makes of them

TABLE = {
    "max_tokens": Param("max_tokens", ge=1, le=1000, default=100),
    "temperature": Param("options.temperature", ge=0, le=1),
    "seed": Param("options.seed"),
    "stop": Param("stops", most=2, convert=list),
    "reasoning_effort": Param("effort", values={"low": "L", "high": "H"}),
}


def test_a_wire_name_may_be_a_path() -> None:
    wire, _ = normalize(TABLE, GenerationParams(temperature=0.5, seed=7))
    assert wire["options"] == {"temperature": 0.5, "seed": 7}


def test_a_default_of_the_table_is_sent_where_nothing_is_asked() -> None:
    assert normalize(TABLE, GenerationParams())[0] == {"max_tokens": 100}
    assert normalize(TABLE, GenerationParams(max_tokens=5))[0] == {"max_tokens": 5}


@pytest.mark.parametrize(
    ("asked", "wire", "warning"),
    [
        (
            {"temperature": 9},
            {"options": {"temperature": 1}},
            CallWarning("clamped", "temperature", "9 became 1"),
        ),
        (
            {"temperature": -0.5},
            {"options": {"temperature": 0.0}},
            CallWarning("clamped", "temperature", "-0.5 became 0.0"),
        ),
        (
            {"stop": ("a", "b", "c")},
            {"stops": ["a", "b"]},
            CallWarning("clamped", "stop", "only the first 2 were sent"),
        ),
        (
            {"reasoning_effort": "medium"},
            {"effort": "H"},
            CallWarning("clamped", "reasoning_effort", "medium became high"),
        ),
        (
            {"reasoning_effort": "max"},
            {"effort": "H"},
            CallWarning("clamped", "reasoning_effort", "max became high"),
        ),
        ({"top_k": 5}, {}, CallWarning("unsupported", "top_k", "not sent")),
    ],
)
def test_a_compromise_is_made_and_told(
    asked: dict[str, Any], wire: dict[str, Any], warning: CallWarning
) -> None:
    sent_, warnings = normalize(TABLE, GenerationParams(**asked))
    assert sent_ == {"max_tokens": 100, **wire}
    assert warnings == [warning]


@given(jf.params())
def test_each_parameter_is_sent_or_has_a_warning_and_never_neither(
    params: GenerationParams,
) -> None:
    wire, warnings = normalize(TABLE, params)
    flat = {**wire, **wire.get("options", {})}
    warned = {w.subject for w in warnings}
    for name in NAMES:
        if getattr(params, name) is None:
            continue
        spec = TABLE.get(name)
        assert name in warned or (spec is not None and spec.wire.rpartition(".")[2] in flat)


@given(st.floats(-1e6, 1e6), st.integers(1, 10**6))
def test_what_is_sent_is_always_within_the_limits(temperature: float, tokens: int) -> None:
    wire, _ = normalize(TABLE, GenerationParams(temperature=temperature, max_tokens=tokens))
    assert 0 <= wire["options"]["temperature"] <= 1
    assert 1 <= wire["max_tokens"] <= 1000


@given(st.sampled_from(list(EFFORTS)))
def test_an_effort_becomes_the_nearest_that_there_is(effort: str) -> None:
    wire, warnings = normalize(TABLE, GenerationParams(reasoning_effort=effort))
    assert wire["effort"] in {"L", "H"}
    assert bool(warnings) == (effort not in {"low", "high"})


def test_warnings_ride_on_the_answer_and_strict_refuses_before_sending() -> None:
    provider = make(whole("Hello"))
    answer = provider.execute("m", "Hi", {"temperature": 9, "top_k": 5})
    assert [(w.kind, w.subject) for w in answer.warnings] == [
        ("clamped", "temperature"),
        ("unsupported", "top_k"),
    ]
    with pytest.raises(InvalidRequestError, match="9 became 2") as caught:
        provider.execute("m", "Hi", {"temperature": 9}, strict=True)
    assert caught.value.param == "temperature"
    assert len(sent(provider)) == 1


def test_strict_in_the_configuration_can_be_eased_for_one_call() -> None:
    provider = make(whole("Hello"), strict=True)
    with pytest.raises(InvalidRequestError):
        provider.execute("m", "Hi", {"top_k": 5})
    assert provider.execute("m", "Hi", {"top_k": 5}, strict=False).warnings


def test_the_wire_gets_what_explain_shows() -> None:
    provider = make(whole("Hello"))
    asked = {"temp": 1, "max_length": 5, "stop": ["a", "b", "c"], "ctx_size": 99}
    plan = provider.explain("m", "Hi", asked)
    answer = provider.execute("m", "Hi", asked)
    assert json.loads(sent(provider)[0].body or b"") == plan.body
    assert plan.body["options"] == {"num_ctx": 99}
    assert answer.warnings == plan.warnings
