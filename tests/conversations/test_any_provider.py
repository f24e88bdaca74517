"""One conversation, any provider: what the next one cannot take is converted or told, never lost silently."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jackfield import (
    ChatRequest,
    InvalidRequestError,
    MediaPart,
    Message,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    Tool,
    ToolCall,
    ToolResult,
)
from support.everyone import NAMES, WAYS, made

settings.register_profile(
    "any", deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow]
)
ANY = settings.get_profile("any")

KINDS = [
    "image/png",
    "image/jpeg",
    "application/pdf",
    "audio/wav",
    "audio/mpeg",
    "video/mp4",
    "text/plain",
]


class Marks:
    """Words that occur nowhere else, each given out once."""

    def __init__(self) -> None:
        self.count = 0

    def new(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count:03d}zq"


def media(draw: Any, marks: Marks) -> MediaPart:
    kind, mark = draw(st.sampled_from(KINDS)), marks.new("media")
    if draw(st.booleans()):
        return MediaPart(
            kind, f"%%%{mark}%%%".encode(), name=draw(st.sampled_from([None, "a.bin"]))
        )
    return MediaPart(kind, url=f"https://{mark}.example/file")


def user(draw: Any, marks: Marks) -> Message:
    parts: list[Any] = [TextPart(marks.new("text"))]
    parts += [media(draw, marks) for _ in range(draw(st.integers(0, 2)))]
    parts += [TextPart(marks.new("text")) for _ in range(draw(st.integers(0, 1)))]
    return Message("user", tuple(parts))


def answered(draw: Any, marks: Marks, name: str) -> Iterator[Message]:
    """An answer as the provider *name* gives it, and what its tools say."""
    parts: list[Any] = []
    if draw(st.booleans()):
        own = {name: {"opaque": marks.new("opaque")}}
        parts.append(ReasoningPart(marks.new("thought"), "c2lnbmF0dXJl", provider_metadata=own))
    if draw(st.booleans()):
        parts.append(ProviderPart(name, {"type": "server_tool", "what": marks.new("server")}))
    parts.append(TextPart(marks.new("text")))
    if draw(st.booleans()):
        parts.append(RefusalPart(marks.new("refusal")))
    calls = [
        ToolCall(f"call_{marks.new('id')}", "look_up", json.dumps({"word": marks.new("argument")}))
        for _ in range(draw(st.integers(0, 2)))
    ]
    yield Message("assistant", (*parts, *calls))
    for call in calls:
        content: list[Any] = [TextPart(marks.new("result"))]
        content += [media(draw, marks)] if draw(st.booleans()) else []
        yield Message("tool", ToolResult(call.id, tuple(content), is_error=draw(st.booleans())))


@st.composite
def conversations(draw: Any) -> list[Message]:
    """Conversations that began on some other provider, every part with a mark of its own."""
    marks = Marks()
    said = [Message("system", marks.new("system"))] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 2))):
        said.append(user(draw, marks))
        said += answered(draw, marks, draw(st.sampled_from([*NAMES, "somebody-else"])))
    return [*said, user(draw, marks)]


def marked(messages: list[Message]) -> Iterator[tuple[str, str]]:
    """Each part's kind and how its mark would stand in a body."""
    for message in messages:
        for part in message.content:
            yield from _marks_of(part)


def _marks_of(part: Any) -> Iterator[tuple[str, str]]:
    match part:
        case TextPart(text) | ReasoningPart(text) | RefusalPart(text):
            yield type(part).__name__, text
        case MediaPart(data=None, url=url):
            yield "MediaPart", str(url)
        case MediaPart(data=data):
            yield "MediaPart", b64encode(data or b"").decode()
        case ToolCall(_, _, arguments):
            yield "ToolCall", json.loads(arguments)["word"]
        case ToolResult(_, content):
            for inner in content:
                yield from _marks_of(inner)
        case ProviderPart(_, data):
            yield "ProviderPart", str(data["what"])


def strings(value: Any) -> Iterator[str]:
    """Every string in *value*."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


TOOLS = [
    Tool(
        "look_up", "Looks a word up", {"type": "object", "properties": {"word": {"type": "string"}}}
    )
]


@pytest.mark.parametrize("way", WAYS)
@given(messages=conversations())
@settings(ANY)
def test_every_part_is_sent_or_told_or_the_call_refused(way: str, messages: list[Message]) -> None:
    try:
        plan = made(way).explain(ChatRequest(model="a-model", messages=messages, tools=TOOLS))
    except InvalidRequestError as error:
        assert error.phase == "build"  # noqa: PT017  # refusing is one of three right answers
        return
    body = "\n".join(strings(plan.body))
    plain = "%%%".join(_decoded(body))
    lost = [
        (kind, mark) for kind, mark in marked(messages) if mark not in body and mark not in plain
    ]
    told = [w for w in plan.warnings if w.kind in ("dropped", "emulated", "unsupported")]
    assert not lost or told, f"{lost} went without a word"


def _decoded(body: str) -> Iterator[str]:
    """Texts that were put into base64, or taken out of it, on the way."""
    yield body
    for line in body.splitlines():
        if "%%%media" in line:
            yield b64encode(line[line.index("%%%") : line.rindex("%%%") + 3].encode()).decode()


@pytest.mark.parametrize("way", WAYS)
@given(messages=conversations())
@settings(ANY)
def test_a_strict_call_sends_all_of_it_or_nothing(way: str, messages: list[Message]) -> None:
    request = ChatRequest(model="a-model", messages=messages, tools=TOOLS, strict=True)
    try:
        plan = made(way).explain(request)
    except InvalidRequestError:
        return
    body = "\n".join(strings(plan.body))
    plain = "%%%".join(_decoded(body))
    kinds = {kind for kind, mark in marked(messages) if mark not in body and mark not in plain}
    assert kinds == set()


@pytest.mark.parametrize("way", WAYS)
def test_a_plain_conversation_with_tools_goes_anywhere_without_a_compromise(way: str) -> None:
    """Text and tools are what all have in common."""
    messages = [
        Message("system", "Be kind."),
        Message("user", "What is a pelican?"),
        Message(
            "assistant",
            (TextPart("Let me see."), ToolCall("call_1", "look_up", '{"word":"pelican"}')),
        ),
        Message("tool", ToolResult("call_1", "a bird", name="look_up")),
        Message("assistant", "A bird."),
        Message("user", "Thanks!"),
    ]
    plan = made(way).explain(ChatRequest(model="a-model", messages=messages, tools=TOOLS))
    assert plan.warnings == ()
    body = "\n".join(strings(plan.body))
    assert all(
        text in body
        for text in ("Be kind.", "What is a pelican?", "Let me see.", "a bird", "A bird.")
    )
