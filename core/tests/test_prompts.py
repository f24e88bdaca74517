"""What people pass as prompts, tools and formats becomes typed values, or a named complaint."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from attrs import evolve
from core_toy import make, sent, whole
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    ChatRequest,
    InvalidRequestError,
    MediaPart,
    Message,
    ReasoningPart,
    RefusalPart,
    ResponseFormat,
    Role,
    TextPart,
    Timeout,
    TokenCountRequest,
    Tool,
    ToolCall,
    ToolResult,
)
from jackfield.prompts import parse_format, parse_prompt
from jackfield.testing import strategies as jf

TOY = make()
PNG = b"\x89PNG\r\n\x1a\n0000"
DATA_URL = f"data:image/png;base64,{b64encode(PNG).decode()}"


def request(
    prompt: Any = "Hi", *, model: Any = "m", parameters: Any = None, **options: Any
) -> ChatRequest:
    return TOY.chat_request(model, prompt, parameters, **options)


def refused(**call: Any) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as caught:
        request(**call)
    assert caught.value.phase == "build"
    assert not caught.value.retryable
    return caught.value


def test_a_text_is_the_users() -> None:
    assert request("Hi").messages == (Message(Role.USER, "Hi"),)


def test_a_message_or_a_list_of_messages_and_dicts_is_a_prompt() -> None:
    hello = Message("user", "Hi")
    assert request(hello).messages == (hello,)
    assert request([hello, {"role": "assistant", "content": "Yes?"}]).messages == (
        hello,
        Message("assistant", "Yes?"),
    )


def test_the_system_option_comes_first() -> None:
    assert request("Hi", system="Be kind.").messages[0] == Message("system", "Be kind.")


def test_an_openai_style_conversation_keeps_everything() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}
    messages = request(
        [
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": [{"type": "text", "text": "1+1?"}]},
            {"role": "assistant", "content": None, "reasoning_content": "Hm", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "2"},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No"}]},
        ]
    ).messages
    assert messages == (
        Message("system", "Be kind."),
        Message("user", "1+1?"),
        Message("assistant", (ReasoningPart("Hm"), ToolCall("c1", "add", '{"a":1}'))),
        Message("tool", ToolResult("c1", "2")),
        Message("assistant", RefusalPart("No")),
    )


@given(jf.conversations(with_media=True))
def test_typed_conversations_pass_as_they_are(messages: tuple[Message, ...]) -> None:
    assert request(messages).messages == messages


MEDIA: list[tuple[dict[str, Any], MediaPart]] = [
    ({"type": "image_url", "image_url": {"url": DATA_URL}}, MediaPart("image/png", PNG)),
    ({"type": "image_url", "image_url": DATA_URL}, MediaPart("image/png", PNG)),
    (
        {"type": "image_url", "image_url": {"url": "https://x.example/a"}},
        MediaPart("image/*", url="https://x.example/a"),
    ),
    (
        {
            "type": "input_audio",
            "input_audio": {"data": b64encode(b"RIFF").decode(), "format": "wav"},
        },
        MediaPart("audio/wav", b"RIFF"),
    ),
    (
        {
            "type": "file",
            "file": {"file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a.pdf"},
        },
        MediaPart("application/pdf", b"%PDF-", name="a.pdf"),
    ),
]


@pytest.mark.parametrize(("part", "typed"), MEDIA)
def test_media_parts_in_openais_form_are_understood(part: dict[str, Any], typed: MediaPart) -> None:
    (message,) = request([{"role": "user", "content": [part]}]).messages
    assert message.content == (typed,)


D = "prompt[0]"
CONTENT = f"{D}.content[0]"


def part(given: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [given]}]


BAD_PROMPTS: list[tuple[str, Any]] = [
    ("prompt", []),
    ("prompt", None),
    ("prompt", 5),
    ("prompt", b"Hi"),
    ("prompt", {"role": "user", "content": "Hi"}),
    (D, ["Hi"]),
    (D, [None]),
    (f"{D}.role", [{"role": "System", "content": "x"}]),
    (f"{D}.role", [{"role": "narrator", "content": "x"}]),
    (f"{D}.role", [{"role": None, "content": "x"}]),
    (f"{D}.role", [{"content": "x"}]),
    (f"{D}.content", [{"role": "user"}]),
    (f"{D}.content", [{"role": "user", "content": None}]),
    (f"{D}.content", [{"role": "user", "content": 5}]),
    (f"{D}.content", [{"role": "user", "content": b"x"}]),
    (f"{D}.content", [{"role": "user", "content": {"type": "text", "text": "x"}}]),
    (CONTENT, part({"type": "smell"})),
    (CONTENT, part({"text": "no type"})),
    (CONTENT, part({"type": "text"})),
    (CONTENT, part({"type": "text", "text": 5})),
    (CONTENT, part({"type": "text", "text": None})),
    (CONTENT, part({"type": "image_url"})),
    (CONTENT, part({"type": "image_url", "image_url": {}})),
    (CONTENT, part({"type": "image_url", "image_url": {"url": 5}})),
    (CONTENT, part({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}})),
    (CONTENT, part({"type": "image_url", "image_url": {"url": "data:image/png;base64,%%%"}})),
    (CONTENT, part({"type": "image_url", "image_url": {"url": "data:image/png,plain"}})),
    (CONTENT, part({"type": "input_audio", "input_audio": {"data": "x"}})),
    (CONTENT, part({"type": "input_audio", "input_audio": {"data": "%", "format": "wav"}})),
    (f"{CONTENT}.file.file_id", part({"type": "file", "file": {"file_id": "f1"}})),
    (CONTENT, part({"type": "file"})),
    (CONTENT, part(5)),
    (CONTENT, part(None)),
    (f"{D}.tool_call_id", [{"role": "tool", "content": "x"}]),
    (f"{D}.tool_call_id", [{"role": "tool", "content": "x", "tool_call_id": 5}]),
    (D, [{"role": "tool", "content": "x", "tool_call_id": "never asked"}]),
    (f"{D}.tool_calls[0]", [{"role": "assistant", "tool_calls": [{"id": "c"}]}]),
    (f"{D}.tool_calls[0]", [{"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}]),
    (f"{D}.tool_calls[0]", [{"role": "assistant", "tool_calls": ["c"]}]),
    (f"{D}.tool_calls", [{"role": "assistant", "tool_calls": 5}]),
    ("prompt[1].role", [{"role": "user", "content": "x"}, {"role": "bot", "content": "x"}]),
]


@pytest.mark.parametrize(("where", "prompt"), BAD_PROMPTS, ids=lambda v: ascii(v)[:70])
def test_a_misshapen_prompt_is_refused_with_its_place(where: str, prompt: Any) -> None:
    error = refused(prompt=prompt)
    assert error.param == where
    assert error.message.startswith(f"{where}: ")
    assert ";" in error.message, "what to do follows a semicolon"


@given(jf.json_values())
def test_any_data_is_a_prompt_or_refused(data: Any) -> None:
    try:
        request(data)
    except InvalidRequestError as error:
        assert error.param.startswith("prompt")  # type: ignore[union-attr]  # there is one  # noqa: PT017  # either is good


@given(jf.json_values())
def test_any_content_is_a_message_or_refused(data: Any) -> None:
    for role in ("user", "assistant", "system", "tool"):
        try:
            request([{"role": role, "content": data, "tool_call_id": "c", "tool_calls": data}])
        except InvalidRequestError as error:
            assert str(error.param).startswith("prompt[0]")  # noqa: PT017  # either is good


@pytest.mark.parametrize("text", ["a\ud800b", "\udfff"])
@pytest.mark.parametrize("where", ["prompt", "system"])
def test_a_text_that_cannot_be_encoded_is_refused(text: str, where: str) -> None:
    options: dict[str, Any] = {"system": text} if where == "system" else {}
    with pytest.raises(InvalidRequestError) as caught:
        make(whole("x")).execute("m", text if where == "prompt" else "Hi", **options)
    assert caught.value.phase == "build"


@pytest.mark.parametrize("text", ["a\0b", "\x07\x1b[2J", "\u2028", "𝔘", "a" * 100_000])
def test_any_other_text_arrives_as_it_is(text: str) -> None:
    provider = make(whole("x"))
    provider.execute("m", text)
    assert json.loads(sent(provider)[0].body or b"")["messages"][0]["content"] == text


@pytest.mark.parametrize("model", ["", "   ", "m" * 501, "a\nb", "a\0b", "\x1b[2J", None, 5, ["m"]])
def test_a_models_name_is_a_short_printable_text(model: Any) -> None:
    error = refused(model=model)
    assert error.param == "model"
    assert len(error.message) < 200
    assert "list_models()" in error.message


BAD_TOOLS: list[tuple[str, Any]] = [
    ("tools[0]", [{}]),
    ("tools[0]", [{"type": "function", "function": {}}]),
    ("tools[0]", ["add"]),
    ("tools[0]", [None]),
    ("tools[0]", [{"type": "function", "function": "add"}]),
    ("tools[0].name", [{"name": ""}]),
    ("tools[0].name", [{"name": "two words"}]),
    ("tools[0].name", [{"name": 5}]),
    ("tools[0].name", [{"name": "a/b"}]),
    ("tools[0].name", [Tool("añb c")]),
    ("tools[1].name", [Tool("a"), Tool("a")]),
    ("tools[0].parameters", [{"name": "a", "parameters": [1]}]),
    ("tools[0].parameters", [{"name": "a", "parameters": "none"}]),
    ("tools[0].description", [{"name": "a", "description": 5}]),
    ("tools", 5),
    ("tools", {"name": "a"}),
    ("tools", "add"),
]


@pytest.mark.parametrize(("where", "tools"), BAD_TOOLS, ids=lambda v: ascii(v)[:70])
def test_a_misshapen_tool_is_refused_with_its_place(where: str, tools: Any) -> None:
    assert refused(tools=tools).param == where


def test_tools_in_openais_form_and_typed_are_the_same() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    function = {"name": "add", "description": "Adds.", "parameters": schema, "strict": True}
    typed = Tool("add", "Adds.", schema, strict=True)
    given = [{"type": "function", "function": function}]
    assert request(tools=given).tools == request(tools=[function]).tools == (typed,)
    assert request(tools=[typed]).tools == (typed,)


@given(jf.json_values())
def test_any_data_is_tools_or_refused(data: Any) -> None:
    for tools in (data, [data], [{"name": "f", "parameters": data}]):
        try:
            request(tools=tools)
        except InvalidRequestError as error:
            assert str(error.param).startswith("tools")  # noqa: PT017  # either is good


@pytest.mark.parametrize(
    ("given", "choice"),
    [
        (None, "auto"),
        ("none", "none"),
        ("required", "required"),
        ("add", "add"),
        ({"type": "function", "function": {"name": "add"}}, "add"),
        ({"name": "add"}, "add"),
        ({"type": "required"}, "required"),
    ],
)
def test_the_choice_of_a_tool_is_a_word_or_a_name(given: Any, choice: str) -> None:
    assert request(tools=[Tool("add")], tool_choice=given).tool_choice == choice


@pytest.mark.parametrize("choice", [5, ["add"], {"function": "add"}, {}])
def test_a_misshapen_choice_is_refused(choice: Any) -> None:
    assert refused(tools=[Tool("add")], tool_choice=choice).param == "tool_choice"


def test_a_choice_of_a_tool_that_is_not_offered_is_refused() -> None:
    error = refused(tools=[Tool("add")], tool_choice="sub")
    assert error.param == "tool_choice"
    assert "add" in error.message


SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (None, None),
        ("text", ResponseFormat()),
        ("json", ResponseFormat(type="json")),
        ({"type": "text"}, ResponseFormat()),
        ({"type": "json_object"}, ResponseFormat(type="json")),
        (SCHEMA, ResponseFormat(type="json_schema", schema=SCHEMA)),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}},
            ResponseFormat(type="json_schema", schema=SCHEMA, name="n", strict=True),
        ),
        (
            {"type": "json_schema", "name": "n", "schema": SCHEMA},
            ResponseFormat(type="json_schema", schema=SCHEMA, name="n"),
        ),
        (ResponseFormat(type="json"), ResponseFormat(type="json")),
    ],
)
def test_a_format_is_a_word_a_schema_or_openais_form(given: Any, wanted: Any) -> None:
    assert request(response_format=given).response_format == wanted


@pytest.mark.parametrize(
    "given",
    ["xml", 5, True, [], {}, {"type": "json_schema"}, {"type": "json_schema", "json_schema": {}}],
)
def test_a_format_that_is_none_is_refused(given: Any) -> None:
    assert refused(response_format=given).param == "response_format"


@given(jf.json_values())
def test_any_data_is_a_format_or_refused(data: Any) -> None:
    try:
        request(response_format=data)
    except InvalidRequestError as error:
        assert error.param == "response_format"  # noqa: PT017  # either is good


@pytest.mark.parametrize(
    "timeout",
    [0, -1, 7 * 86400 + 1, float("nan"), float("inf"), "10", True, (1, 2), [5], Timeout(idle=-1)],
)
def test_a_timeout_is_above_zero_and_at_most_a_week(timeout: Any) -> None:
    assert refused(timeout=timeout).param == "timeout"


def test_a_timeout_is_seconds_or_a_timeout() -> None:
    assert request(timeout=2).timeout == Timeout(connect=2, first_chunk=2, idle=2, total=2)
    assert request(timeout=Timeout(idle=3)).timeout == Timeout(idle=3)


@pytest.mark.parametrize(
    ("options", "param", "hint"),
    [
        ({"toolz": []}, "toolz", "did you mean tools?"),
        ({"temperature": 1}, "temperature", 'parameters={"temperature": …}'),
        ({"max_length": 1}, "max_length", 'parameters={"max_length": …}'),
        ({"qqq": 1}, "qqq", "there are system"),
        ({"system": 5}, "system", "pass a str"),
        ({"provider_options": {"toy": 5}}, "provider_options", '{"toy": {…}}'),
        ({"provider_options": {"logprobs": True}}, "provider_options", '{"toy": {…}}'),
        ({"provider_options": 5}, "provider_options", '{"toy": {…}}'),
        ({"metadata": 5}, "metadata", "table"),
        ({"strict": "yes"}, "strict", "True or False"),
    ],
)
def test_a_wrong_option_is_refused_with_a_hint(
    options: dict[str, Any], param: str, hint: str
) -> None:
    error = refused(**options)
    assert error.param == param
    assert hint in error.message


def test_metadata_is_for_middleware_and_is_never_sent() -> None:
    provider = make(whole("x"))
    provider.execute("m", "Hi", metadata={"tenant": "canary-tenant"})
    assert b"canary-tenant" not in (sent(provider)[0].body or b"")


@given(jf.texts(min_size=1), st.lists(jf.messages(), min_size=1, max_size=3))
def test_nothing_in_a_prompt_is_interpolated_or_run(text: str, messages: list[Message]) -> None:
    tricky = f"${{HOME}} {{{{7*7}}}} %s {text}"
    assert request(tricky).messages[0].text == tricky
    assert request(messages).messages == tuple(messages)


def test_parts_may_be_strings_and_typed_parts_mixed_with_dicts() -> None:
    content = ["a", TextPart("b"), {"type": "text", "text": "c"}]
    (message,) = request([{"role": "user", "content": content}]).messages
    assert message.text == "abc"


@pytest.mark.parametrize(
    ("message", "where"),
    [
        ({"role": "user", "content": "Hi", "cache_control": {"type": "x"}}, "cache_control"),
        ({"role": "assistant", "content": "Hi", "reasoning_details": [{}]}, "reasoning_details"),
        (
            {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"a": 1}}]},
            "content[0].cache_control",
        ),
        (
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": "x", "size": 1}}],
            },
            "content[0].image_url.size",
        ),
    ],
)
def test_a_field_that_would_be_lost_is_refused_with_its_place(message: Any, where: str) -> None:
    error = refused(prompt=[message])
    assert error.param == f"prompt[0].{where}"
    assert "provider_metadata" in str(error)


def test_what_a_recorded_answer_leaves_empty_is_no_field() -> None:
    said: Any = {
        "role": "assistant",
        "content": "Hi",
        "refusal": None,
        "annotations": [],
        "audio": None,
    }
    (message,) = parse_prompt([said])
    assert message == Message("assistant", "Hi")


def test_a_refusal_goes_back_as_one() -> None:
    (message,) = parse_prompt([{"role": "assistant", "content": None, "refusal": "No."}])
    assert message.content == (RefusalPart("No."),)


def test_what_only_openais_dialect_knows_is_kept_for_it() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://a.example/b.png", "detail": "low"}}
    (message,) = parse_prompt([{"role": "user", "name": "anna", "content": [image]}])
    assert message.provider_metadata == {"openai": {"name": "anna"}}
    (part,) = message.content
    assert isinstance(part, MediaPart)
    assert part.provider_metadata == {"openai": {"detail": "low"}}


def test_a_described_shape_and_one_beside_a_json_object_are_kept() -> None:
    schema = {"type": "object", "properties": {}}
    wire = {"name": "n", "schema": schema, "description": "A shape", "strict": False}
    described = parse_format({"type": "json_schema", "json_schema": wire})
    assert described == ResponseFormat(
        type="json_schema", schema=schema, name="n", strict=False, description="A shape"
    )
    beside = parse_format({"type": "json_object", "schema": schema})
    assert beside == ResponseFormat(type="json_schema", schema=schema)


@pytest.mark.parametrize("kind", [ChatRequest, TokenCountRequest])
def test_a_typed_request_takes_what_a_verb_takes(kind: Any) -> None:
    said = [{"role": "user", "content": "Hi"}]
    assert kind(model="m", messages=said).messages == parse_prompt(said)
    assert kind(model="m", messages="Hi").messages == parse_prompt("Hi")
    assert kind(model="m", messages=(m for m in parse_prompt("Hi"))).messages == parse_prompt("Hi")


@pytest.mark.parametrize("messages", [None, 1, b"Hi", [1], [], {"role": "user", "content": "Hi"}])
def test_a_typed_request_refuses_what_a_verb_refuses(messages: Any) -> None:
    with pytest.raises(InvalidRequestError):
        ChatRequest(model="m", messages=messages)


UNFIT = [
    (),
    (Message("tool", ToolResult("1", "sunny")),),
    (Message("tool", ToolResult("1", "sunny")), Message("assistant", (ToolCall("1", "weather"),))),
    (Message("assistant", (ToolCall("1", "weather"),)), Message("tool", ToolResult("2", "sunny"))),
]


@pytest.mark.parametrize("kind", [ChatRequest, TokenCountRequest])
@pytest.mark.parametrize("messages", UNFIT)
def test_a_conversation_that_does_not_hold_is_refused_as_list_and_tuple_alike(
    kind: Any, messages: tuple[Message, ...]
) -> None:
    with pytest.raises(InvalidRequestError) as whole:
        kind(model="m", messages=messages)
    with pytest.raises(InvalidRequestError) as each:
        kind(model="m", messages=list(messages))
    assert (str(whole.value), whole.value.param) == (str(each.value), each.value.param)
    with pytest.raises(InvalidRequestError):
        evolve(kind(model="m", messages="Hi"), messages=messages)


ASKED = Message("assistant", (ToolCall("1", "weather"),))
NO_PARTS: list[tuple[tuple[Message, ...], str]] = [
    ((Message("user", ["Hi", "there"]),), "prompt[0].content[0]"),
    ((Message("user", [TextPart("Hi"), {"type": "text", "text": "Hi"}]),), "prompt[0].content[1]"),
    ((Message("user", b"Hi"),), "prompt[0].content[0]"),
    ((Message("user", TextPart(5)),), "prompt[0].content[0].text"),  # type: ignore[arg-type]  # the mistake
    ((Message("assistant", ToolCall("1", "w", {})),), "prompt[0].content[0].arguments"),  # type: ignore[arg-type]  # the mistake
    ((ASKED, Message("tool", ToolResult("1", 24))), "prompt[1].content[0].content[0]"),
    ((ASKED, Message("tool", ToolResult("1", {"a": 1}))), "prompt[1].content[0].content[0]"),
]


@pytest.mark.parametrize(("messages", "place"), NO_PARTS, ids=[place for _, place in NO_PARTS])
def test_what_is_no_part_of_a_message_is_refused_with_its_place(
    messages: tuple[Message, ...], place: str
) -> None:
    for given_as in (messages, list(messages)):
        with pytest.raises(InvalidRequestError) as caught:
            ChatRequest(model="m", messages=given_as)
        assert caught.value.param == place
        assert refused(prompt=given_as).param == place


@given(jf.conversations())
def test_messages_that_hold_are_kept_and_not_copied(messages: tuple[Message, ...]) -> None:
    request = ChatRequest(model="m", messages=messages)
    assert request.messages is messages
    assert evolve(request, model="n").messages is messages


def test_a_shape_with_a_schema_is_one_of_json() -> None:
    assert ResponseFormat(schema={"type": "object"}).type == "json_schema"
    assert ResponseFormat().type == "text"
