"""Clients in the form of the ``openai`` package's do with any provider what they are asked, or say why not."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime
from typing import Any, ClassVar

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    ConfigError,
    ContextLengthExceededError,
    InvalidRequestError,
    LLMError,
    ModelInfoRequest,
    NotFoundError,
    RateLimitError,
    ResponseFormatError,
    StreamInterruptedError,
    Timeout,
    ToolCall,
    ToolResult,
)
from jackfield.testing import strategies as jf
from jackfield.testing.answers import Answer
from jackfield.testing.scripted import ScriptedProvider
from jackfield_dialect_openai import EXCHANGES, GenericProvider
from jackfield_dialect_openai.compat import (
    AsyncOpenAIClient,
    ChatCompletion,
    ChatCompletionChunk,
    OpenAIClient,
)

HI: list[Any] = [{"role": "user", "content": "Hi"}]


def scripted(*answers: Any, **config: Any) -> ScriptedProvider:
    return ScriptedProvider({"answers": list(answers) or ["Hello there."], **config})


def client(*answers: Any, **config: Any) -> OpenAIClient:
    return OpenAIClient(scripted(*answers, **config), model="m")


def asked(made: OpenAIClient) -> Any:
    """The last request that the scripted provider behind *made* got."""
    provider: Any = made.provider
    return provider.requests[-1]


# What is asked.


def test_arguments_become_common_values() -> None:
    made = client()
    made.chat.completions.create(
        messages=HI,
        temperature=0.5,
        max_completion_tokens=9,
        seed=7,
        stop="x",
        reasoning_effort="low",
        parallel_tool_calls=False,
        tools=[{"type": "function", "function": {"name": "f"}}],
        tool_choice={"type": "function", "function": {"name": "f"}},
        response_format={"type": "json_object"},
        metadata={"tenant": "me"},
        timeout=3,
    )
    request = asked(made)
    params = request.params
    assert (params.temperature, params.max_tokens, params.seed, params.stop) == (0.5, 9, 7, ("x",))
    assert (params.reasoning_effort, params.parallel_tool_calls) == ("low", False)
    assert (request.tools[0].name, request.tool_choice, request.response_format.type) == (
        "f",
        "f",
        "json",
    )
    assert (request.metadata, request.timeout.total) == ({"tenant": "me"}, 3)


class NotGiven:
    """What the official package passes for nothing."""


def test_what_says_nothing_is_left_out() -> None:
    made = client()
    answer = made.chat.completions.create(
        messages=HI, tools=NotGiven(), stop=None, n=1, extra_headers={}, extra_query=None
    )
    assert answer.warnings is None
    assert asked(made).tools == ()


def test_the_calls_own_model_and_timeout_come_before_the_clients() -> None:
    made = OpenAIClient(scripted(), model="usual", timeout=9).with_options(timeout=5)
    made.chat.completions.create(messages=HI)
    assert (asked(made).model, asked(made).timeout.total) == ("usual", 5)
    timeout = Timeout(total=2)
    made.embeddings.create(input="a", model="other", timeout=timeout)
    assert (asked(made).model, asked(made).timeout) == ("other", timeout)


def test_fields_of_the_providers_own_go_to_it() -> None:
    made = client()
    more = {"claude": {"b": 2}, "scripted": {"a": 0, "c": 3}}
    made.chat.completions.create(messages=HI, extra_body={"a": 1}, provider_options=more)
    assert asked(made).provider_options == {"claude": {"b": 2}, "scripted": {"a": 1, "c": 3}}


def test_openais_own_fields_go_to_a_server_of_the_dialect(replayed: Any, body_of: Any) -> None:
    choices = [
        {"index": i, "message": {"content": str(i)}, "finish_reason": "stop"} for i in (0, 1)
    ]
    provider = replayed({"id": "c", "model": "m", "choices": choices})
    made = OpenAIClient(provider, model="m")
    answer = made.chat.completions.create(messages=HI, n=2, user="me", extra_body={"x": 1})
    assert [c.message.content for c in answer.choices] == ["0", "1"]
    sent = body_of(provider)
    assert (sent["n"], sent["user"], sent["x"]) == (2, "me", 1)


def test_hints_for_others_are_dropped_with_a_warning_and_refused_where_strict() -> None:
    answer = client().chat.completions.create(messages=HI, user="me", store=True)
    assert [str(w) for w in answer.warnings or []] == [
        "unsupported user: not sent",
        "unsupported store: not sent",
    ]
    chunk = next(iter(client().chat.completions.create(messages=HI, user="me", stream=True)))
    assert chunk.warnings == answer.warnings[:1]  # type: ignore[index]  # just seen
    with pytest.raises(InvalidRequestError, match="user") as caught:
        client().chat.completions.create(messages=HI, user="me", strict=True)
    assert caught.value.param == "user"


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({}, "messages", "at least one"),
    ({"messages": HI, "model": NotGiven()}, "", ""),
    ({"messages": "Hi"}, "messages", "list"),
    ({"messages": HI, "temprature": 1}, "temprature", "did you mean temperature"),
    ({"messages": HI, "best_of": 2}, "best_of", "extra_body"),
    ({"messages": HI, "n": 2}, "n", "OpenAI's dialect"),
    ({"messages": HI, "logprobs": True}, "logprobs", "OpenAI's dialect"),
    ({"messages": HI, "functions": [{"name": "f"}]}, "functions", "pass tools"),
    ({"messages": HI, "extra_headers": {"a": "b"}}, "extra_headers", "configuration"),
    ({"messages": HI, "extra_query": {"a": "b"}}, "extra_query", "base_url"),
    ({"messages": HI, "extra_body": 7}, "extra_body", "dict"),
    ({"messages": HI, "provider_options": {"claude": 7}}, "provider_options", "dict"),
    ({"messages": HI, "timeout": -1}, "timeout", "seconds"),
    ({"messages": HI, "timeout": "soon"}, "timeout", "seconds"),
    ({"messages": HI, "response_format": dict}, "response_format", "parse"),
    ({"messages": [{"role": "user", "content": [{"type": "video"}]}]}, "messages[0].content[0]", "video"),
]  # fmt: skip


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("given_arguments", "param", "hint"), WRONG)
def test_wrong_arguments_are_refused_with_what_to_do(
    given_arguments: dict[str, Any], param: str, hint: str, stream: bool
) -> None:
    made = client()
    if not param:
        made.chat.completions.create(**given_arguments)
        return
    with pytest.raises(InvalidRequestError, match=hint) as caught:
        made.chat.completions.create(stream=stream, **given_arguments)
    assert caught.value.param == param
    provider: Any = made.provider
    assert provider.requests == []


def test_a_model_must_be_named_somewhere() -> None:
    with pytest.raises(InvalidRequestError, match="model"):
        OpenAIClient(scripted()).chat.completions.create(messages=HI)


# What comes back.


def test_an_answer_has_the_attributes_and_methods_of_the_package() -> None:
    then = datetime(2030, 1, 2, tzinfo=UTC)
    made = OpenAIClient(scripted("Hello."), model="m", clock=lambda: then)
    answer = made.chat.completions.create(messages=HI)
    assert answer.choices[0].message.content == "Hello."
    assert (answer.object, answer.created, answer.model) == (
        "chat.completion",
        int(then.timestamp()),
        "m",
    )
    assert answer.choices[0].message.tool_calls is None
    assert answer.usage is not None
    assert answer.usage.total_tokens == 2
    assert json.loads(answer.model_dump_json()) == answer.model_dump()
    assert json.loads(answer.to_json()) == answer.to_dict()
    assert "tool_calls" in answer.choices[0].message.model_dump()
    assert "tool_calls" not in answer.choices[0].message.to_dict()
    assert "refusal" not in answer.choices[0].message.model_dump(exclude_none=True)
    assert "content" not in answer.choices[0].message.model_dump(exclude={"content"})
    assert "ChatCompletionMessage(role='assistant', content='Hello.'" in repr(answer)
    with pytest.raises(AttributeError, match="no_such_field"):
        answer.no_such_field  # type: ignore[attr-defined]  # noqa: B018  # that is what is asked


@given(told=jf.json_objects())
def test_objects_are_values(told: dict[str, Any]) -> None:
    first = ChatCompletion(
        id="a", choices=[{"index": 0, "message": {"content": "x", "more": told}}]
    )
    pickled = pickle.loads(pickle.dumps(first))  # noqa: S301  # our own
    for again in (copy.deepcopy(first), pickled, ChatCompletion(**first.to_dict())):
        assert again == first
    assert first != ChatCompletion(id="b")
    first.choices[0].message.content = "y"
    assert first.to_dict()["choices"][0]["message"]["content"] == "y"


def test_a_message_goes_back_as_it_is() -> None:
    call = {"id": "c1", "name": "f", "arguments": '{"a": 1}'}
    made = client({"text": "Let me see.", "tool_calls": [call]}, "Done.")
    message = made.chat.completions.create(messages=HI).choices[0].message
    for form in (message, message.model_dump(), message.to_dict()):
        result = {"role": "tool", "tool_call_id": "c1", "content": "2"}
        made.chat.completions.create(messages=(m for m in [*HI, form, result]))
        _, said, told = asked(made).messages
        assert (said.text, said.tool_calls) == ("Let me see.", (ToolCall("c1", "f", '{"a": 1}'),))
        assert told.content == (ToolResult("c1", "2"),)


@given(text=jf.texts(min_size=1), thought=jf.texts(), usage=st.booleans())
def test_a_stream_says_what_an_answer_says(text: str, thought: str, usage: bool) -> None:
    made = client(Answer(text, reasoning=thought))
    options = {"include_usage": True} if usage else None
    chunks = list(made.chat.completions.create(messages=HI, stream=True, stream_options=options))
    whole = made.chat.completions.create(messages=HI)
    said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert said == whole.choices[0].message.content
    assert [c.usage for c in chunks if c.usage] == ([whole.usage] if usage else [])
    assert {(c.id, c.model, c.object) for c in chunks} == {
        (chunks[0].id, "m", "chat.completion.chunk")
    }
    assert sum(1 for c in chunks for choice in c.choices if choice.finish_reason) == 1


def test_a_stream_ends_where_it_is_left() -> None:
    with client("one two three").chat.completions.create(messages=HI, stream=True) as chunks:
        assert isinstance(next(chunks), ChatCompletionChunk)
    assert list(chunks) == []
    chunks.close()


def test_what_a_provider_refuses_is_raised_by_create_and_what_breaks_by_the_stream() -> None:
    refused = client({"error": "RateLimitError"})
    with pytest.raises(RateLimitError):
        refused.chat.completions.create(messages=HI, stream=True)
    chunks = client({"text": "one two three", "cut_after": 2}).chat.completions.create(
        messages=HI, stream=True
    )
    with pytest.raises(StreamInterruptedError) as caught:
        list(chunks)
    assert caught.value.partial_text == "one two "
    assert list(chunks) == []


def test_errors_are_jackfields_with_their_facts() -> None:
    with pytest.raises(LLMError) as caught:
        client(
            {"error": ContextLengthExceededError("Too long", status=400, code="too_long")}
        ).chat.completions.create(messages=HI)
    assert (type(caught.value), caught.value.status, caught.value.code) == (
        ContextLengthExceededError,
        400,
        "too_long",
    )


def test_vectors_and_models() -> None:
    made = client(models=("a", "b"))
    vectors = made.embeddings.create(input=["one", "two"], dimensions=4)
    assert [(row.index, len(row.embedding)) for row in vectors.data] == [(0, 4), (1, 4)]
    assert vectors.usage.prompt_tokens == 2
    packed = made.embeddings.create(input="one", dimensions=4, encoding_format="base64")
    assert isinstance(packed.data[0].embedding, str)
    assert [m.id for m in made.models.list()] == ["a", "b"]
    assert (made.models.retrieve("a").id, made.models.retrieve("a").owned_by) == ("a", "scripted")


class ListOnly(GenericProvider):
    """A server without a page for each model."""

    exchanges: ClassVar = {k: v for k, v in EXCHANGES.items() if k is not ModelInfoRequest}


def test_a_model_is_looked_up_where_a_provider_describes_none(replayed: Any) -> None:
    listed = {"data": [{"id": "a"}]}
    made = OpenAIClient(ListOnly(replayed().config, driver=replayed(listed, listed)._driver))
    assert made.models.retrieve("a").id == "a"
    with pytest.raises(NotFoundError, match="no model 'b'"):
        made.models.retrieve("b")


# Answers as objects.


class Person:
    """What of a pydantic model is needed."""

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def model_json_schema(cls) -> dict[str, Any]:
        name = {"type": "string", "default": "x"}
        return {"type": "object", "properties": {"name": name}}

    @classmethod
    def model_validate_json(cls, text: str) -> Person:
        return cls(json.loads(text)["name"])


def test_an_answer_can_be_parsed_into_a_class() -> None:
    made = client('{"name": "Nila"}')
    answer: Any = made.chat.completions.parse(messages=HI, response_format=Person)
    assert answer.choices[0].message.parsed.name == "Nila"
    wanted = asked(made).response_format
    assert (wanted.name, wanted.strict) == ("Person", True)
    assert wanted.schema == {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(("reason", "hint"), [("stop", "no Person"), ("length", "cut off")])
def test_an_answer_that_is_no_such_object_is_an_error(reason: Any, hint: str) -> None:
    made = client({"text": '{"na', "finish_reason": reason})
    with pytest.raises(ResponseFormatError, match=hint):
        made.chat.completions.parse(messages=HI, response_format=Person)


@pytest.mark.parametrize(
    "wrong", [{"response_format": int}, {"response_format": Person, "stream": True}]
)
def test_what_cannot_be_parsed_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        client().chat.completions.parse(messages=HI, **wrong)


# Closing, and event loops.


@pytest.mark.parametrize("shared", [False, True])
def test_a_closed_client_refuses_calls_and_a_shared_provider_stays_open(shared: bool) -> None:
    provider = scripted()
    with OpenAIClient(provider, model="m", shared=shared) as made:
        with made.with_options(timeout=3):
            pass
        made.chat.completions.create(messages=HI)
    with pytest.raises(ConfigError, match="closed"):
        made.chat.completions.create(messages=HI)
    if shared:
        assert provider.execute("m", "Hi").text
    else:
        with pytest.raises(ConfigError, match="closed"):
            provider.execute("m", "Hi")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_asynchronous_client_does_the_same(backend: str) -> None:
    async def main() -> None:
        async with AsyncOpenAIClient(scripted("one two", models=("a",)), model="m") as made:
            whole = await made.chat.completions.create(messages=HI)
            stream = await made.chat.completions.create(messages=HI, stream=True)
            said = [c.choices[0].delta.content or "" async for c in stream]
            assert "".join(said) == whole.choices[0].message.content == "one two"
            async with await made.chat.completions.create(messages=HI, stream=True) as left:
                await anext(left)
            assert [m.id for m in await made.models.list()] == ["a"]
            assert [m.id async for m in made.models.list()] == ["a"]
            assert (await made.models.retrieve("a")).id == "a"
            assert (await made.embeddings.create(input="x", dimensions=3)).data[0].index == 0
            with pytest.raises(InvalidRequestError):
                await made.with_options(timeout=3).chat.completions.create(messages=HI, n=2)
        refused = AsyncOpenAIClient(scripted({"error": "RateLimitError"}), model="m")
        with pytest.raises(RateLimitError):
            await refused.chat.completions.create(messages=HI, stream=True)
        parsed: Any = await AsyncOpenAIClient(
            scripted('{"name": "Nila"}'), model="m"
        ).chat.completions.parse(messages=HI, response_format=Person)
        assert parsed.choices[0].message.parsed.name == "Nila"
        with pytest.raises(ConfigError, match="closed"):
            await made.chat.completions.create(messages=HI)

    anyio.run(main, backend=backend)
