"""Fields of a provider's own: of the right kind they reach the engine, of a wrong kind they are typed errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import ContextLengthExceededError, InvalidRequestError, Tool
from jackfield_llamacpp import LlamaCppProvider
from jackfield_llamacpp.errors import EngineError
from jackfield_llamacpp.fields import check_fields

Make = Callable[..., LlamaCppProvider]
MODEL = "tiny-demo"
GREEDY = {"temperature": 0}
KNOWN = (
    "temperature", "top_p", "min_p", "typical_p", "presence_penalty", "frequency_penalty", "mirostat_tau",
    "mirostat_eta", "seed", "top_k", "mirostat", "max_tokens", "max_completion_tokens", "repeat_penalty",
    "chat_template_kwargs", "grammar", "logit_bias", "response_format", "stop", "tools", "tool_choice",
)  # fmt: skip
WRONG: list[tuple[str, Any]] = [
    ("temperature", "hot"), ("temperature", float("nan")), ("top_p", True), ("seed", 1.5), ("top_k", "a"),
    ("max_tokens", 0), ("max_completion_tokens", -1), ("repeat_penalty", 0), ("stop", 5), ("stop", [5]),
    ("logit_bias", "abc"), ("logit_bias", {"x": 1}), ("logit_bias", {"2": float("-inf")}),
    ("grammar", 5), ("response_format", "json"), ("response_format", {"type": "banana"}), ("tools", "x"),
    ("tools", [5]), ("tools", [{"type": "function", "function": {}}]), ("tool_choice", 5),
    ("chat_template_kwargs", 5), ("chat_template_kwargs", {"messages": []}), ("new_field", {1, 2}),
]  # fmt: skip


def ask(provider: LlamaCppProvider, prompt: str = "What is 3 + 4?", **own: Any) -> str:
    return provider.execute(MODEL, prompt, GREEDY, provider_options={"llamacpp": own}).text


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_refused_before_an_engine_has_it(name: str, value: Any) -> None:
    with pytest.raises(EngineError) as caught:
        check_fields({name: value})
    assert caught.value.code == "invalid_request"
    assert name in str(caught.value) or name == "new_field"


@given(
    st.dictionaries(
        st.sampled_from(KNOWN),
        st.none() | st.booleans() | st.floats() | st.text(max_size=3) | st.lists(st.integers()),
    )
)
def test_any_value_passes_or_is_refused(body: dict[str, Any]) -> None:
    try:
        check_fields(body)
    except EngineError as error:
        assert error.code == "invalid_request"  # noqa: PT017 - both ways are right


def test_a_refusal_reaches_the_caller_typed(local: LlamaCppProvider) -> None:
    with pytest.raises(InvalidRequestError, match="logit_bias"):
        ask(local, logit_bias={"x": 1})
    assert ask(local, temperature=None, top_p=None, seed=None) == "3 + 4 = 7"


@pytest.mark.parametrize(
    "grammar",
    [
        "root ::= (",
        "nonsense",
        'x ::= "a"',
        "root ::= x",
        'root ::= root "a" | "a"',
        "root ::= root",
    ],
)
def test_a_grammar_that_is_none_is_an_error_and_does_not_end_the_process(
    local: LlamaCppProvider, grammar: str
) -> None:
    with pytest.raises(InvalidRequestError, match="grammar"):
        ask(local, grammar=grammar)
    assert ask(local, grammar='root ::= "ye" "s"') == "yes"


def test_a_schema_whose_grammar_cannot_be_read_is_an_error(local: LlamaCppProvider) -> None:
    # A quotation mark in a name is more than one of the two converters can write down.
    schema = {"type": "object", "properties": {'a"b\\c\n': {"type": "null"}}}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    try:
        assert ask(local, response_format=form)
    except InvalidRequestError as error:
        assert "grammar" in str(error)  # noqa: PT017 - both ways are right


def test_both_engines_show_a_tool_as_models_learned_it(local: LlamaCppProvider) -> None:
    tool = Tool("get_weather", "The weather in a city.", {"type": "object", "properties": {}})
    # Name, description, parameters: any other order has other tokens.
    counted = local.count_tokens(MODEL, "Hi", tools=[tool]).input_tokens
    texts = (
        '{"type": "function", "function": {"name": "get_weather", "description": "The weather in a city.", '
        '"parameters": {"type": "object", "properties": {}}}}'
    )
    system = (
        "You may call these tools:\n<tools>\n" + texts + "\n</tools>\nTo call one, answer with "
    )
    system += '<tool_call>\n{"name": ..., "arguments": ...}\n</tool_call>'
    assert counted == local.count_tokens(MODEL, "Hi", system=system).input_tokens


def test_half_a_surrogate_pair_is_refused_everywhere(local: LlamaCppProvider) -> None:
    for call in (local.execute, local.count_tokens, local.embed):
        with pytest.raises(InvalidRequestError, match=r"ud83e.*surrogate"):
            call(MODEL, "a \ud83e fox")
    assert local.execute(MODEL, "a \U0001f98a fox", GREEDY).text


@pytest.mark.parametrize(
    ("settings", "role"),
    [({"chat_template": "{{- '' -}}"}, "user"), ({"chat_format": "llama-2"}, "system")],
)
def test_a_template_that_makes_no_prompt_is_an_error_and_does_not_end_the_process(
    make: Make, settings: dict[str, Any], role: str
) -> None:
    with pytest.raises(InvalidRequestError, match="makes no prompt"):
        make(**settings).execute(MODEL, [{"role": role, "content": "Hi"}], GREEDY)


def test_a_prompt_that_is_too_long_is_no_broken_stream(local: LlamaCppProvider) -> None:
    stream = local.stream_execute(MODEL, "story " * 3000)
    with pytest.raises(ContextLengthExceededError):
        next(stream)
