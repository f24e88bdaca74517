"""Real conversations with the demo model, on each engine that is installed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import pytest

from jackfield import (
    ContextLengthExceededError,
    EventStream,
    Finish,
    FinishReason,
    InvalidRequestError,
    MediaPart,
    Message,
    NotFoundError,
    ResponseFormat,
    StreamStart,
    TextDelta,
    TextPart,
    ToolCallDelta,
    fold,
)
from jackfield_llamacpp import LlamaCppProvider

Make = Callable[..., LlamaCppProvider]
Tools = list[dict[str, Any]]
GREEDY = {"temperature": 0}
MODEL = "tiny-demo"
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 12},
        "animal": {"enum": ["fox", "owl"]},
        "age": {"type": "integer", "minimum": 3, "maximum": 9},
    },
    "required": ["name", "animal", "age"],
    "additionalProperties": False,
}


def as_schema(schema: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


def test_it_adds(local: LlamaCppProvider) -> None:
    answer = local.execute(MODEL, "What is 3 + 4?", GREEDY)
    assert answer.text == "3 + 4 = 7"
    assert answer.finish_reason is FinishReason.STOP
    assert (answer.model, answer.warnings) == (MODEL, ())


def test_it_greets_and_remembers_a_name(local: LlamaCppProvider) -> None:
    turns: Sequence[Any] = [
        {"role": "user", "content": "Hello! My name is Maya."},
        {"role": "assistant", "content": "Hello, Maya! How can I help you today?"},
        {"role": "user", "content": "What is my name?"},
    ]
    assert local.execute(MODEL, turns, GREEDY).text == "Your name is Maya."


def test_it_tells_a_story_of_the_animal_that_was_asked_for(local: LlamaCppProvider) -> None:
    story = local.execute(MODEL, "Tell me a story about a fox.", {"temperature": 0.7, "seed": 1})
    assert "fox" in story.text.split(".")[0]
    assert len(story.text) > 150
    assert story.finish_reason is FinishReason.STOP


def test_a_system_prompt_reaches_the_model(local: LlamaCppProvider) -> None:
    plain = local.count_tokens(MODEL, "Who are you?")
    told = local.count_tokens(MODEL, "Who are you?", system="You are Tiny.")
    assert told.input_tokens > plain.input_tokens
    assert "Tiny" in local.execute(MODEL, "Who are you?", GREEDY, system="You are Tiny.").text


def test_a_stream_folds_into_the_whole_answer(local: LlamaCppProvider) -> None:
    events = list(local.stream_execute(MODEL, "What is 5 + 6?", GREEDY))
    whole = local.execute(MODEL, "What is 5 + 6?", GREEDY)
    folded = fold(events)
    assert isinstance(events[0], StreamStart)
    assert isinstance(events[-1], Finish)
    assert len([event for event in events if isinstance(event, TextDelta)]) > 3
    assert (folded.text, folded.finish_reason) == (whole.text, whole.finish_reason)
    assert folded.usage.output_tokens == whole.usage.output_tokens


def test_usage_counts_the_prompt_and_the_answer(local: LlamaCppProvider) -> None:
    usage = local.execute(MODEL, "What is 3 + 4?", GREEDY).usage
    counted = local.count_tokens(MODEL, "What is 3 + 4?")
    assert usage.input_tokens == counted.input_tokens == 16
    assert usage.output_tokens == 8
    assert not counted.estimated
    assert usage.cache_read_tokens is not None


def test_one_seed_gives_one_answer_and_another_seed_another(local: LlamaCppProvider) -> None:
    def story(seed: int) -> str:
        wishes = {"temperature": 1.0, "seed": seed}
        return local.execute(MODEL, "Tell me a story.", wishes).text

    first, other = story(5), story(6)
    assert story(5) == first
    assert story(6) == other
    assert first != other


@pytest.mark.parametrize("seed", [0, -1, 2**32 - 1, 2**40, -(2**62)])
def test_every_whole_number_is_a_seed(local: LlamaCppProvider, seed: int) -> None:
    wishes = {"temperature": 1.0, "seed": seed, "max_tokens": 40}
    first, second = (local.execute(MODEL, "Tell me a story.", wishes).text for _ in range(2))
    assert first == second


def test_a_configured_seed_is_for_calls_without_one(make: Make) -> None:
    seeded = make(seed=5)
    hot = {"temperature": 1.0}
    once, again = (seeded.execute(MODEL, "Tell me a story.", hot).text for _ in range(2))
    own = seeded.execute(MODEL, "Tell me a story.", {**hot, "seed": 6}).text
    assert once == again
    assert own != once


def test_max_tokens_and_stop_strings_end_an_answer(local: LlamaCppProvider) -> None:
    short = local.execute(MODEL, "Tell me a story.", {**GREEDY, "max_tokens": 5})
    assert (short.usage.output_tokens, short.finish_reason) == (5, FinishReason.LENGTH)
    whole = local.execute(MODEL, "Tell me a story.", GREEDY).text
    stopped = local.execute(MODEL, "Tell me a story.", {**GREEDY, "stop": ["named"]})
    assert stopped.text == whole[: whole.index("named")]
    assert stopped.finish_reason is FinishReason.STOP


@pytest.mark.parametrize("choice", ["auto", "required", "get_weather"])
def test_a_tool_is_called_with_the_arguments(
    local: LlamaCppProvider, tools: Tools, choice: str
) -> None:
    asked = "What is the weather in Paris?"
    answer = local.execute(MODEL, asked, GREEDY, tools=tools, tool_choice=choice)
    (call,) = answer.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Paris"})
    assert call.id
    assert answer.text == ""
    assert answer.finish_reason is FinishReason.TOOL_CALLS


def test_a_tool_call_streams_in_pieces_and_its_marks_are_never_shown(
    local: LlamaCppProvider, tools: Tools
) -> None:
    asked = "What is the weather in Paris?"
    events = list(local.stream_execute(MODEL, asked, GREEDY, tools=tools))
    pieces = [event for event in events if isinstance(event, ToolCallDelta)]
    assert len(pieces) > 3
    assert "".join(map(str, events)) == ""
    assert "".join(piece.arguments for piece in pieces) == '{"city": "Paris"}'


def test_a_named_tool_is_called_even_if_another_would_fit(
    local: LlamaCppProvider, tools: Tools
) -> None:
    asked = "What is the weather in Paris?"
    (call,) = local.execute(MODEL, asked, GREEDY, tools=tools, tool_choice="add").tool_calls
    assert call.name == "add"
    assert set(json.loads(call.arguments)) == {"a", "b"}


def test_no_tool_is_called_when_none_is_allowed(local: LlamaCppProvider, tools: Tools) -> None:
    asked = "What is the weather in Paris?"
    answer = local.execute(MODEL, asked, GREEDY, tools=tools, tool_choice="none")
    assert answer.tool_calls == ()
    assert "<tool_call>" not in answer.text


def test_tools_that_are_not_needed_are_not_called(local: LlamaCppProvider, tools: Tools) -> None:
    answer = local.execute(MODEL, "Hello!", GREEDY, tools=tools)
    assert answer.tool_calls == ()
    assert answer.text.startswith(("Hello", "Hi"))


def test_the_result_of_a_tool_becomes_an_answer(local: LlamaCppProvider, tools: Tools) -> None:
    asked: Any = Message("user", "What is the weather in Paris?")
    called = local.execute(MODEL, [asked], GREEDY, tools=tools)
    (call,) = called.tool_calls
    result = {"role": "tool", "tool_call_id": call.id, "content": '{"weather": "sunny"}'}
    turns: Sequence[Any] = [asked, called.message, result]
    assert local.execute(MODEL, turns, GREEDY, tools=tools).text == "It is sunny in Paris."


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_answer_fits_the_json_schema(local: LlamaCppProvider, seed: int) -> None:
    wishes = {"temperature": 1.0, "seed": seed}
    asked = "Give me a JSON object with the keys name, animal, age."
    answer = local.execute(MODEL, asked, wishes, response_format=as_schema(PERSON))
    made = json.loads(answer.text)
    assert list(made) == ["name", "animal", "age"]
    assert made["animal"] in {"fox", "owl"}
    assert 3 <= made["age"] <= 9
    assert len(made["name"]) <= 12


def test_json_without_a_schema_is_an_object(local: LlamaCppProvider) -> None:
    asked = "Give me a JSON object with the keys name, age."
    answer = local.execute(MODEL, asked, GREEDY, response_format={"type": "json_object"})
    assert set(json.loads(answer.text)) == {"name", "age"}


def test_what_a_grammar_cannot_hold_is_a_warning_and_with_strict_an_error(
    local: LlamaCppProvider,
) -> None:
    schema = {"type": "array", "items": {"type": "boolean"}, "maxItems": 2, "uniqueItems": True}
    answer = local.execute(MODEL, "Hi", GREEDY, response_format=as_schema(schema))
    (warning,) = answer.warnings
    assert (warning.kind, warning.subject) == ("unsupported", "response_format")
    assert "uniqueItems" in warning.detail
    with pytest.raises(InvalidRequestError, match="uniqueItems"):
        local.execute(MODEL, "Hi", GREEDY, response_format=as_schema(schema), strict=True)


def test_a_grammar_of_the_users_own_is_obeyed(local: LlamaCppProvider) -> None:
    own = {"llamacpp": {"grammar": 'root ::= "yes" | "no"'}}
    assert local.execute(MODEL, "Is it?", GREEDY, provider_options=own).text in {"yes", "no"}


def test_what_describes_a_shape_is_for_the_prompt(local: LlamaCppProvider) -> None:
    shape = ResponseFormat(schema=PERSON, description="Whoever flies best")
    (warning,) = local.explain(MODEL, "Hi", GREEDY, response_format=shape).warnings
    assert (warning.kind, warning.subject) == ("unsupported", "response_format")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"response_format": as_schema({"type": "wat"})}, "wat"),
        ({"attachments": [b"\x89PNG\r\n\x1a\n"]}, "text"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason(
    local: LlamaCppProvider, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidRequestError, match=told):
        local.execute(MODEL, "Hi", GREEDY, **options)


def test_a_conversation_that_does_not_fit_is_refused_with_both_lengths(
    local: LlamaCppProvider,
) -> None:
    with pytest.raises(ContextLengthExceededError, match=r"3,?011 tokens.*1,?024") as caught:
        local.execute(MODEL, "story " * 3000)
    assert (caught.value.provider, caught.value.model) == ("llamacpp", MODEL)
    assert local.execute(MODEL, "What is 3 + 4?", GREEDY).text == "3 + 4 = 7"


def test_a_context_length_is_obeyed_and_clamped_to_what_was_trained(
    local: LlamaCppProvider,
) -> None:
    with pytest.raises(ContextLengthExceededError, match="256"):
        local.execute(MODEL, "story " * 300, {"context_length": 200})
    answer = local.execute(MODEL, "What is 3 + 4?", {**GREEDY, "context_length": 9999})
    (warning,) = answer.warnings
    assert (warning.kind, warning.subject) == ("clamped", "context_length")
    assert answer.text == "3 + 4 = 7"


def test_an_unknown_model_is_refused_with_what_there_is(local: LlamaCppProvider) -> None:
    with pytest.raises(NotFoundError, match=r"models_dir.*tiny-demo"):
        local.execute("qwen3-8b", "Hi")


def test_explain_tells_the_body_and_the_compromises_and_loads_nothing(
    local: LlamaCppProvider,
) -> None:
    told = local.explain(MODEL, "Hi", {"top_k": 3, "context_length": 9999})
    assert told.body == {
        "model": MODEL,
        "messages": [{"role": "user", "content": "Hi"}],
        "top_k": 3,
    }
    assert [warning.subject for warning in told.warnings] == ["context_length"]
    assert told.url.endswith(f"{MODEL}.gguf")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_async_calls_answer_and_several_take_turns(local: LlamaCppProvider, backend: str) -> None:
    answers: dict[int, str] = {}

    async def add(number: int) -> None:
        asked = f"What is {number} + 2?"
        answers[number] = (await local.aexecute(MODEL, asked, GREEDY)).text

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for number in range(5):
                group.start_soon(add, number)
        streamed = [
            str(event) async for event in local.astream_execute(MODEL, "What is 3 + 4?", GREEDY)
        ]
        assert "".join(streamed) == "3 + 4 = 7"

    anyio.run(main, backend=backend)
    assert answers == {number: f"{number} + 2 = {number + 2}" for number in range(5)}


def test_leaving_a_stream_frees_the_model_for_the_next_call(local: LlamaCppProvider) -> None:
    stream: EventStream[Any, Any]
    with local.stream_execute(MODEL, "Tell me a story.", {"max_tokens": 900}) as stream:
        for _, _ in zip(stream, range(4), strict=False):
            pass
    assert local.execute(MODEL, "What is 3 + 4?", GREEDY).text == "3 + 4 = 7"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_cancelling_a_task_stops_its_generation(local: LlamaCppProvider, backend: str) -> None:
    async def main() -> str:
        with anyio.CancelScope() as scope:
            async with local.astream_execute(MODEL, "Tell me a story.", {"seed": 1}) as stream:
                async for _ in stream:
                    scope.cancel()
        assert scope.cancelled_caught
        return (await local.aexecute(MODEL, "What is 3 + 4?", GREEDY)).text

    assert anyio.run(main, backend=backend) == "3 + 4 = 7"


def test_a_call_in_the_middle_of_a_stream_does_not_hang(local: LlamaCppProvider) -> None:
    stream = local.stream_execute(MODEL, "Tell me a story.", GREEDY)
    next(stream)
    assert local.execute(MODEL, "What is 3 + 4?", GREEDY).text == "3 + 4 = 7"
    assert len(stream.drain().text) > 150


def test_both_ways_of_asking_agree_about_the_prompt(local: LlamaCppProvider, tools: Tools) -> None:
    asked = "What is the weather in Paris?"
    used = local.execute(MODEL, asked, GREEDY, tools=tools).usage.input_tokens
    assert local.count_tokens(MODEL, asked, tools=tools).input_tokens == used


@pytest.mark.parametrize("kind", ["image/png", "application/pdf", "audio/wav", "video/mp4"])
@pytest.mark.parametrize("inline", [True, False], ids=["bytes", "url"])
def test_media_are_refused_or_left_out_aloud(
    local: LlamaCppProvider, kind: str, inline: bool
) -> None:
    part = MediaPart(kind, b"....") if inline else MediaPart(kind, url="https://a.example/b")
    asked = [Message("user", (TextPart("Hello!"), part))]
    try:
        answer = local.execute(MODEL, asked, GREEDY)
    except InvalidRequestError as error:
        assert "text" in error.message  # noqa: PT017  # either is good
    else:
        assert [w.subject for w in answer.warnings] == [kind]
