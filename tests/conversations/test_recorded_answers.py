"""Answers of every dialect, as they were recorded, go on with every other provider, and home again unharmed."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import attrs
import pytest

from jackfield import (
    ChatRequest,
    Explanation,
    InvalidRequestError,
    LLMProvider,
    MediaPart,
    Message,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
)
from support.everyone import WAYS, made
from support.recordings import WIRE
from support.speakers import SPEAKERS, Said, said

pytestmark = pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}")

PAIRS = [pytest.param(a, b, id=f"{a} to {b}") for a in SPEAKERS for b in WAYS if a != b]
ONCE = "Which bird was it?"
QUESTION, THANKS = Message("user", ONCE), Message("user", "Thanks!")


def strings(value: Any) -> Iterator[str]:
    """Every string in *value*, those inside of JSON texts too."""
    if isinstance(value, str):
        yield value
        if value[:1] in ("{", "["):
            with suppress(ValueError):
                yield from strings(json.loads(value))
    elif isinstance(value, dict):
        yield from (s for item in value.values() for s in strings(item))
    elif isinstance(value, list | tuple):
        yield from (s for item in value for s in strings(item))


def objects(value: Any) -> Iterator[Any]:
    """Every object in *value*, those that JSON texts say too."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        with suppress(ValueError):
            yield json.loads(value)
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for item in inner:
            yield from objects(item)


def answers_of(message: Message) -> list[Message]:
    """What the tools said that *message* asked for: an API refuses a call without its result."""
    return [Message("tool", ToolResult(call.id, "a pelican")) for call in message.tool_calls]


def go_on(provider: LLMProvider, *said_before: Message) -> Explanation:
    """What *provider* would send after *said_before*."""
    messages = [m for s in said_before for m in (QUESTION, s, *answers_of(s))]
    return provider.explain(ChatRequest(model="a-model", messages=[*messages, THANKS]))


def stands(part: Any, body: Any) -> bool:
    """Whether *body* has what *part* says."""
    texts = "\n".join(strings(body))
    match part:
        case TextPart(text) | ReasoningPart(text) | RefusalPart(text):
            return text.strip() in texts
        case MediaPart(_, data, url):
            return (b64encode(data).decode() if data else str(url)) in texts
        case ToolCall(_, name, arguments):
            try:
                wanted = json.loads(arguments or "{}")
            except ValueError:  # the answer was cut off
                return name in texts and arguments in texts
            return name in texts and any(found == wanted for found in objects(body))
        case ProviderPart(_, data):
            return any(found == data for found in objects(body))
    return False


@pytest.mark.parametrize(("origin", "other"), PAIRS)
def test_the_other_provider_is_sent_each_part_or_tells_what_it_is_not(
    origin: str, other: str
) -> None:
    """Each goes with a plain text alone, so that a warning can be about no other."""
    provider = made(other)
    for one in said(origin):
        for part in one.answer.message.content:
            try:
                plan = go_on(provider, Message("assistant", (TextPart("Well."), part)))
            except InvalidRequestError as error:
                assert error.phase == "build"  # noqa: PT017  # refusing is one of three right answers
                continue
            assert stands(part, plan.body) or plan.warnings, (str(one), part)


@pytest.mark.parametrize(("origin", "other"), PAIRS)
def test_texts_and_calls_of_tools_are_never_dropped(origin: str, other: str) -> None:
    """They are what all have in common."""
    provider = made(other)
    for one in said(origin):
        plan = go_on(provider, one.answer.message)
        for part in one.answer.message.content:
            if isinstance(part, TextPart | ToolCall):
                assert stands(part, plan.body), (str(one), part)


SEALED = re.compile(r"signature|encrypted|redacted", re.IGNORECASE)


def seals(value: Any, sealed: bool = False) -> Iterator[str]:
    """What is opaque in *value*, by the names of its fields: signatures, encrypted thinking."""
    if isinstance(value, str):
        if sealed and value:
            yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from seals(item, sealed or SEALED.search(key) is not None)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from seals(item, sealed)
    elif attrs.has(type(value)):
        yield from seals({f.name: getattr(value, f.name) for f in attrs.fields(type(value))})


def sealed(way: str) -> list[Said]:
    """The recorded answers of *way* with something opaque in them."""
    return [one for one in said(way) if list(seals(one.answer.message))]


@pytest.mark.parametrize("origin", SPEAKERS)
def test_what_is_sealed_returns_unharmed(origin: str) -> None:
    provider = made(origin)
    for one in sealed(origin):
        sent = set(strings(go_on(provider, one.answer.message).body))
        lost = [seal for seal in seals(one.answer.message) if seal not in sent]
        assert lost == [], str(one)


def test_the_recordings_have_sealed_answers_of_every_provider_that_seals() -> None:
    assert {way for way in SPEAKERS if sealed(way)} >= {
        "claude", "gemini", "openai api=responses", "openrouter"
    }  # fmt: skip


@pytest.mark.parametrize(("origin", "other"), PAIRS)
def test_what_is_sealed_goes_to_nobody_else(origin: str, other: str) -> None:
    """Another service refuses what it did not sign."""
    provider = made(other)
    if origin.partition(" ")[0] == provider.info.name:
        return
    for one in sealed(origin):
        try:
            sent = "\n".join(strings(go_on(provider, one.answer.message).body))
        except InvalidRequestError:
            continue
        assert [seal for seal in seals(one.answer.message) if seal in sent] == [], str(one)


@pytest.mark.parametrize(("origin", "other"), PAIRS)
def test_a_detour_changes_nothing_of_what_was_said_at_home(origin: str, other: str) -> None:
    """What home is sent of its own answer is the same with another's answer after it."""
    home = made(origin)
    guests = said(other) if other in SPEAKERS else ()
    if not guests:
        return
    for at, one in enumerate(said(origin)):
        guest = guests[at % len(guests)].answer.message
        alone = dict(go_on(home, one.answer.message).body)
        after = dict(go_on(home, one.answer.message, guest).body)
        key = next(k for k in ("messages", "contents", "input", "chat_history") if k in alone)
        own = alone[key][:-1]
        assert after[key][: len(own)] == own, str(one)
