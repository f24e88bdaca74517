"""What programs do with the ``openai`` package's objects they can do with ours."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import openai
import openai.types as official
import pytest
from openai.lib._pydantic import to_strict_json_schema
from openai.types import chat, completion_usage
from openai.types.chat import chat_completion, chat_completion_chunk
from pydantic import BaseModel

from jackfield import InvalidRequestError, ProviderManager, Timeout
from jackfield.testing import ScriptedProvider
from jackfield_dialect_openai import compat
from jackfield_dialect_openai.compat import chunks, listings, shapes
from jackfield_dialect_openai.server import render_response

HI: list[Any] = [{"role": "user", "content": "Hi"}]
PAIRS: list[tuple[type[BaseModel], type[Any]]] = [
    (chat.ChatCompletion, shapes.ChatCompletion),
    (chat.ChatCompletionMessage, shapes.ChatCompletionMessage),
    (chat_completion.Choice, shapes.Choice),
    (chat_completion.ChoiceLogprobs, shapes.ChoiceLogprobs),
    (chat.ChatCompletionTokenLogprob, shapes.TokenLogprob),
    (chat.ChatCompletionChunk, chunks.ChatCompletionChunk),
    (chat_completion_chunk.Choice, chunks.ChunkChoice),
    (chat_completion_chunk.ChoiceDelta, chunks.ChoiceDelta),
    (chat_completion_chunk.ChoiceDeltaToolCall, chunks.ToolCallDelta),
    (official.CompletionUsage, shapes.CompletionUsage),
    (completion_usage.CompletionTokensDetails, shapes.TokensDetails),
    (completion_usage.PromptTokensDetails, shapes.TokensDetails),
    (official.Model, listings.Model),
    (official.Embedding, listings.Embedding),
    (official.CreateEmbeddingResponse, listings.CreateEmbeddingResponse),
]


def client(*answers: Any, **config: Any) -> compat.OpenAIClient:
    provider = ScriptedProvider({"answers": list(answers) or ["Hello."], "then": "cycle"})
    return compat.OpenAIClient(provider, model="m", **config)


def requests(made: compat.OpenAIClient) -> list[Any]:
    provider: Any = made.provider
    return list(provider.requests)


@pytest.mark.parametrize(("theirs", "ours"), PAIRS, ids=lambda t: t.__name__)
def test_every_field_of_the_packages_objects_can_be_read(
    theirs: type[BaseModel], ours: type[Any]
) -> None:
    optional = [n for n, field in theirs.model_fields.items() if not field.is_required()]
    assert [name for name in optional if not hasattr(ours, name)] == []
    assert [n for n in theirs.model_fields if n not in ours._fields] == []


def test_log_probabilities_citations_and_speech_are_objects() -> None:
    likely = {"token": "Hi", "logprob": -0.1, "bytes": [72], "top_logprobs": []}
    cited = {"start_index": 0, "end_index": 2, "title": "Sea", "url": "https://sea.example"}
    message = {
        "role": "assistant",
        "content": "Hi",
        "annotations": [{"type": "url_citation", "url_citation": cited}],
        "audio": {"id": "a", "data": "", "transcript": "Hi", "expires_at": 1},
    }
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    wire = {"id": "x", "object": "chat.completion", "created": 1, "model": "m"}
    told: Any = shapes.ChatCompletion(
        **wire, choices=[{**choice, "logprobs": {"content": [likely], "refusal": None}}]
    )
    (found,) = told.choices
    assert found.logprobs.content[0].token == "Hi"
    assert found.message.annotations[0].url_citation.url == "https://sea.example"
    assert found.message.audio.transcript == "Hi"
    assert chat.ChatCompletion.model_validate(told.to_dict()).to_dict() == told.to_dict()


# Objects of a class.


class Inner(BaseModel):
    default: str
    required: int


class Odd(BaseModel):
    """Its fields have the names of keywords."""

    properties: dict[str, int]
    items: list[Inner]
    title: str


INNER = {"default": "x", "required": 1}
ODD = {"properties": {"a": 1}, "items": [INNER], "title": "t"}


@pytest.mark.parametrize(("wanted", "told"), [(Inner, INNER), (Odd, ODD)])
def test_a_class_is_asked_for_as_the_package_does_whatever_its_fields_are_called(
    wanted: type[BaseModel], told: dict[str, Any]
) -> None:
    made = client(json.dumps(told))
    answer: Any = made.chat.completions.parse(messages=HI, response_format=wanted)
    assert requests(made)[-1].response_format.schema == to_strict_json_schema(wanted)
    assert answer.choices[0].message.parsed == wanted.model_validate(told)


@pytest.mark.parametrize("form", [lambda m: m, lambda m: m.to_dict(), lambda m: m.model_dump()])
def test_an_answer_that_was_parsed_is_sent_back_as_it_is(form: Any) -> None:
    made = client(json.dumps(INNER))
    answer: Any = made.chat.completions.parse(messages=HI, response_format=Inner)
    made.chat.completions.create(messages=[*HI, form(answer.choices[0].message), *HI])
    assert requests(made)[-1].messages[1].text == json.dumps(INNER)


def test_the_arguments_of_a_call_of_a_class_are_an_object_of_it() -> None:
    call = {"id": "c", "name": "Inner", "arguments": json.dumps(INNER)}
    made = client({"tool_calls": [call]})
    tools = [openai.pydantic_function_tool(Inner)]
    answer: Any = made.chat.completions.parse(messages=HI, tools=tools)
    (called,) = answer.choices[0].message.tool_calls
    assert called.function.parsed_arguments == Inner.model_validate(INNER)
    back = [*HI, answer.choices[0].message, {"role": "tool", "tool_call_id": "c", "content": "1"}]
    made.chat.completions.create(messages=back, tools=tools)
    assert requests(made)[-1].messages[1].tool_calls[0].arguments == json.dumps(INNER)
    plain: Any = made.chat.completions.create(messages=HI, tools=tools)
    assert plain.choices[0].message.tool_calls[0].function.parsed_arguments is None


class Day(BaseModel):
    day: date


def test_an_object_of_a_class_is_written_as_json() -> None:
    answer: Any = client('{"day": "2026-01-02"}').chat.completions.parse(
        messages=HI, response_format=Day
    )
    (choice,) = json.loads(answer.model_dump_json())["choices"]
    assert choice["message"]["parsed"] == {"day": "2026-01-02"}
    assert json.loads(answer.to_json()) == json.loads(json.dumps(answer.to_dict(mode="json")))
    assert answer.model_dump()["choices"][0]["message"]["parsed"] == {"day": date(2026, 1, 2)}


NAMES: list[dict[str, Any]] = [
    {"exclude": {"usage"}},
    {"exclude": {"usage": {"total_tokens"}}},
    {"exclude": {"choices": {"__all__": {"message": {"role"}}}}},
    {"include": {"id": True, "model": True}},
    {"include": {"usage": {"prompt_tokens"}, "id": True}},
    {"include": {"choices": {"__all__": {"index"}}}},
    {"exclude_none": True, "by_alias": True, "round_trip": True, "warnings": False},
]


@pytest.mark.parametrize("how", NAMES, ids=str)
def test_answers_are_dumped_as_the_packages_are(how: dict[str, Any]) -> None:
    made = client().provider
    wire = render_response(made.execute("m", "Hi"), created=1, id="made")
    theirs = chat.ChatCompletion.model_validate(wire)
    how = {"exclude_unset": True, **how}
    assert shapes.ChatCompletion(**wire).model_dump(**how) == theirs.model_dump(**how)


def test_a_copy_has_the_fields_that_it_is_told() -> None:
    made: Any = client().chat.completions.create(messages=HI)
    assert made.model_copy(update={"id": "other"}).id == "other"
    assert made.model_copy(deep=True) == made


# Clients.


def test_the_timeout_of_a_client_or_call_holds_for_models_and_vectors_too() -> None:
    made = client(timeout=3)
    made.models.list()
    made.with_options(timeout=4).models.list()
    made.models.list(timeout=5)
    made.models.retrieve("scripted", timeout=6)
    made.embeddings.create(input="x")
    given = [r.timeout for r in requests(made)]
    assert [t.total for t in given if isinstance(t, Timeout)] == [3, 4, 5, 6, 3]
    with pytest.raises(InvalidRequestError, match="limit"):
        made.models.list(limit=5)


def test_a_managers_client_can_be_had_again_after_it_was_closed() -> None:
    manager = ProviderManager()
    manager.add_provider("a", ScriptedProvider.of("Hello."))
    for _ in range(2):
        with manager.get_client("a") as made:
            assert made.chat.completions.create(model="m", messages=HI).choices
        assert made.is_closed()
    assert manager.get_client("a") is manager.get_client("a")


def test_what_a_client_does_not_have_is_told_with_what_it_has() -> None:
    made: Any = client()
    for group, name in ((made, "responses"), (made.chat.completions, "stream"), (made, "beta")):
        with pytest.raises(AttributeError, match=rf"no '{name}'.*chat\.completions\.create"):
            getattr(group, name)


# What is asked.

TOOL: dict[str, Any] = {"name": "f", "parameters": {"type": "object", "properties": {}}}
LOST: list[tuple[dict[str, Any], str]] = [
    ({"tools": [{"type": "function", "function": {**TOOL, "parameter": {}, "x": 1}}]}, "x"),
    ({"tools": [{"type": "function", "function": TOOL, "cache_control": {"a": 1}}]}, "cache"),
    ({"functions": [TOOL]}, "pass tools"),
    ({"function_call": "auto"}, "pass tool_choice"),
    ({"model": None}, "model: is missing"),
    ({"seed": 2**63}, r"to 2\*\*63"),
]


@pytest.mark.parametrize(("given", "hint"), LOST, ids=str)
def test_what_would_be_lost_is_refused(given: dict[str, Any], hint: str) -> None:
    made = compat.OpenAIClient(ScriptedProvider.of("Hello."))
    with pytest.raises(InvalidRequestError, match=hint):
        made.chat.completions.create(**{"model": "m", "messages": HI, **given})


def test_what_only_openai_has_words_for_is_told_as_lost() -> None:
    image = {"url": "https://sea.example/a.png", "detail": "low"}
    said = [{"type": "image_url", "image_url": image}, {"type": "text", "text": "Hi"}]
    messages: list[Any] = [{"role": "user", "name": "bob", "content": said}]
    told: Any = client().chat.completions.create(messages=messages)
    assert [w.subject for w in told.warnings] == [
        "messages[0].name",
        "messages[0].content[0].image_url.detail",
    ]
    with pytest.raises(InvalidRequestError, match="name"):
        client().chat.completions.create(messages=messages, strict=True)
