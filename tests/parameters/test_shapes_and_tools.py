"""What is asked of an answer's shape and of tools is sent, told as not honoured, or refused, by every provider."""

from __future__ import annotations

from typing import Any

import pytest

from jackfield import ChatRequest, Explanation, InvalidRequestError, Message, ResponseFormat, Tool
from support.everyone import WAYS, made

SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
MODELS = ("a-model", "claude-opus-4-8", "gemini-3-pro", "gpt-5")
"""Some providers know that their models differ."""


def tools(**more: Any) -> dict[str, Any]:
    """A request with two tools, the first with *more*."""
    return {"tools": [Tool("add", "Adds.", SCHEMA, **more), Tool("sub", "Subtracts.", SCHEMA)]}


def shape(**more: Any) -> dict[str, Any]:
    """A request of an answer in a shape."""
    return {"response_format": ResponseFormat(type="json_schema", schema=SCHEMA, **more)}


ASKED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "any JSON": ({}, {"response_format": ResponseFormat(type="json")}),
    "a shape": ({}, shape()),
    "a shape, not any JSON": ({"response_format": ResponseFormat(type="json")}, shape()),
    "a described shape": (shape(), shape(description="What a pelican weighs")),
    "tools": ({}, tools()),
    "strict tools": (tools(), tools(strict=True)),
    "no call of the tools": (tools(), {**tools(), "tool_choice": "none"}),
    "a call of some tool": (tools(), {**tools(), "tool_choice": "required"}),
    "a call of one tool": ({**tools(), "tool_choice": "required"}, {**tools(), "tool_choice": "sub"}),
    "a call without tools": ({}, {"tool_choice": "required"}),
    "a shape beside tools": (tools(), {**tools(), **shape()}),
}  # fmt: skip
"""A request without something, and with it."""


def plan(way: str, model: str, asked: dict[str, Any]) -> Explanation | None:
    """What *way* would send; None if it refuses."""
    request = ChatRequest(model=model, messages=[Message("user", "Hi")], **asked)
    try:
        return made(way).explain(request)
    except InvalidRequestError as error:
        assert error.phase == "build"  # noqa: PT017  # refusing is one of three right answers
        return None


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("way", WAYS)
def test_it_is_sent_or_told_or_refused(way: str, asked: str) -> None:
    without, with_it = ASKED[asked]
    for model in MODELS:
        before, after = plan(way, model, without), plan(way, model, with_it)
        if after is not None and before is not None:
            assert after.body != before.body or after.warnings, model
