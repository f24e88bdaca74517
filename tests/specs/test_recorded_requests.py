"""Requests that the real services accepted agree with the official descriptions, and the validator sees what does not."""

import json
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.specs import SHARED, UndescribedError, needs_specs, request_errors, response_errors

WIRE = SHARED / "wire"
pytestmark = [needs_specs, pytest.mark.wire]

# What a service accepted although its own description does not have it: the case, the place, the reason.
LENIENT = [
    ("anthropic/err-400--ellmer--anthropic-upload-file", "$.messages", "the file source is described in its beta form alone (the recorder kept no headers)"),
    ("anthropic/server-tools--pydantic-ai--test-anthropic-advisor-tool", "$.tools", "the advisor tool is described in its beta form alone"),
    ("anthropic/server-tools--rig--messages-preserve-system-role*", "$.messages", "a system message between messages is younger than the description"),
    ("anthropic/tool-call*--fantasy--computer-use*", "$.tools", "the computer tool is described in its beta form alone"),
    ("ollama/*", "$.format", "an empty format was sent by old clients"),
    ("ollama/*", "$.keep_alive", "an explicit null was sent by old clients"),
    ("ollama/structured-output--*", "$: Unevaluated", "a field that Ollama ignores"),
    ("ollama/models--crewai--*", "$: 'model' is a required", "`name` is the old word for `model`"),
    ("ollama/tool-call-stream--ruby-llm--*", "$: Unevaluated", "`enable_thinking` belongs to other servers; Ollama ignores it"),
    ("openai/responses-parallel-tools--llm--*", "$.tools", "`strict` may be left out of a function"),
    ("openai/responses-parallel-tools--ruby-llm--*", "$.input", "a reasoning item may lack its id"),
    ("openai/responses-server-tools-stream--pydantic-ai--*", "$.input", "an output item may lack its log probabilities"),
    ("openai/responses-structured-output--ellmer--*", "$.input", "an image may lack `detail`"),
    ("vllm/completion--llama-stack--*", "$: Unevaluated", "`extra_body` belongs to the Python SDK; the server ignores it"),
]  # fmt: skip

# Operations that the services have and their descriptions leave out.
UNDESCRIBED = {
    ("vllm", "/v1/models"): "the recording says POST where its client sent GET",
    ("anthropic", "/cancel"): "cancelling a batch takes no body",
}


def turns() -> Iterator[Any]:
    """Every recorded JSON request of the four services that was answered with success."""
    for path in sorted(
        path
        for spec in ("anthropic", "ollama", "openai", "vllm")
        for path in (WIRE / spec).glob("*.json")
    ):
        for number, turn in enumerate(json.loads(path.read_text("utf-8"))["interactions"]):
            if isinstance(turn["request"]["body"], dict) and turn["response"]["status"] < 300:
                yield pytest.param(
                    f"{path.parent.name}/{path.stem}",
                    turn["request"],
                    id=f"{path.parent.name}/{path.stem}-{number}",
                )


def errors_of(spec: str, request: dict[str, Any]) -> list[str]:
    path = urlsplit(request["url"]).path
    if spec == "ollama" and path.startswith("/v1"):
        spec = "openai"
    if "anthropic-beta" in request["headers"]:
        path += "?beta=true"
    return request_errors(spec, request["method"], path, request["body"], undeclared=True)


@pytest.mark.parametrize(("case", "request_"), list(turns()) or [("no recordings", {})])
def test_an_accepted_request_is_as_described_or_its_difference_is_listed(
    case: str, request_: dict[str, Any]
) -> None:
    spec = case.partition("/")[0]
    lenient = tuple(place for pattern, place, _ in LENIENT if fnmatch(case, pattern))
    try:
        errors = errors_of(spec, request_)
    except UndescribedError:
        assert any(spec == name and part in request_["url"] for name, part in UNDESCRIBED), (
            request_["url"]
        )
        return
    assert [error for error in errors if not error.startswith(lenient)] == []


def test_no_listed_difference_is_stale() -> None:
    found = {(case.values[0], error) for case in turns() for error in _errors_or_none(case.values)}
    unused = [
        row
        for row in LENIENT
        if not any(fnmatch(case, row[0]) and error.startswith(row[1]) for case, error in found)
    ]
    assert unused == []


def _errors_or_none(values: Any) -> list[str]:
    try:
        return errors_of(values[0].partition("/")[0], values[1])
    except UndescribedError:
        return []


CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
MESSAGES = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
SMALLEST = [
    ("openai", "/v1/chat/completions", CHAT),
    ("vllm", "/v1/chat/completions", CHAT),
    ("anthropic", "/v1/messages", MESSAGES),
    ("ollama", "/api/chat", CHAT),
]


@pytest.mark.parametrize(("spec", "path", "body"), SMALLEST)
def test_a_missing_required_field_is_named(spec: str, path: str, body: dict[str, Any]) -> None:
    for name in body:
        lacking = {key: value for key, value in body.items() if key != name}
        if spec == "vllm" and name == "model":
            continue  # a server with one model needs no name
        assert any(name in error for error in request_errors(spec, "POST", path, lacking)), name


@pytest.mark.parametrize(("spec", "path", "body"), SMALLEST)
@given(
    name=st.from_regex(r"\Azz_[a-z]{3,8}\Z"),
    value=st.none() | st.booleans() | st.integers() | st.text(),
)
def test_an_undeclared_field_is_named_when_asked_for(
    spec: str, path: str, body: dict[str, Any], name: str, value: Any
) -> None:
    assert request_errors(spec, "POST", path, body, undeclared=True) == []
    errors = request_errors(spec, "POST", path, body | {name: value}, undeclared=True)
    assert len(errors) == 1
    assert name in errors[0]


@pytest.mark.parametrize(("spec", "path", "body"), SMALLEST)
@given(wrong=st.sampled_from([3, True, {"a": 1}, ["x"]]))
def test_a_role_of_the_wrong_type_is_an_error(
    spec: str, path: str, body: dict[str, Any], wrong: Any
) -> None:
    assert request_errors(
        spec, "POST", path, body | {"messages": [{"role": wrong, "content": "hi"}]}
    )


def test_a_field_that_may_be_null_takes_null_and_its_type_and_nothing_else() -> None:
    for value, right in ((None, True), (0.5, True), ("hot", False), (9, False)):
        errors = request_errors(
            "openai", "POST", "/v1/chat/completions", CHAT | {"temperature": value}
        )
        assert (errors == []) is right, (value, errors)


def test_an_operation_that_is_not_described_is_an_error_of_its_own() -> None:
    with pytest.raises(UndescribedError, match="no POST /v1/nothing"):
        request_errors("openai", "POST", "/v1/nothing", {})


def test_a_streamed_event_is_judged_by_the_description_of_the_stream() -> None:
    event = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunk = event | {"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": None}]}
    path = "/v1/chat/completions"
    assert response_errors("openai", "POST", path, chunk, stream=True) == []
    assert any(
        "choices" in error for error in response_errors("openai", "POST", path, event, stream=True)
    )
    assert (
        response_errors(
            "ollama", "POST", "/api/chat", {"model": "m", "message": {"content": "hi"}}, stream=True
        )
        == []
    )
