"""Each kind of part, in each place of a conversation, is sent by every provider, told, or refused."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from jackfield import (
    ChatRequest,
    Explanation,
    InvalidRequestError,
    MediaPart,
    Message,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
)
from support.everyone import NAMES, WAYS, made

MARK = "markzq"
DATA = f"%%%{MARK}%%%".encode()
KINDS = (
    "image/png image/jpeg image/* image/tiff application/pdf application/json application/zip "
    "audio/wav audio/mpeg audio/ogg video/mp4 text/plain text/csv"
).split()

PARTS: dict[str, Any] = {
    **{f"{kind} by bytes": MediaPart(kind, DATA, name="a.bin") for kind in KINDS},
    **{f"{kind} by address": MediaPart(kind, url=f"https://{MARK}.example/a") for kind in KINDS},
    "thought": ReasoningPart(MARK),
    "signed thought": ReasoningPart(MARK, "c2ln", provider_metadata={"somebody": {"id": "1"}}),
    "hidden thought": ReasoningPart("", redacted=MARK, provider_metadata={"somebody": {}}),
    "refusal": RefusalPart(MARK),
    **{f"{name}'s own": ProviderPart(name, {"type": "odd", "what": MARK}) for name in NAMES},
}
PLACES = ("user", "assistant", "system", "tool")


def conversation(part: Any, place: str) -> list[Message]:
    """One with *part* at *place*, a text before it."""
    said = (TextPart("Well."), part)
    messages = [Message("user", said if place == "user" else "Hello")]
    if place == "system":
        messages.insert(0, Message("system", said))
    if place == "assistant":
        messages.append(Message("assistant", said))
    if place == "tool":
        messages.append(Message("assistant", ToolCall("call_1", "look", "{}")))
        messages.append(Message("tool", ToolResult("call_1", said)))
    return [*messages, Message("user", "Thanks!")]


def sent(way: str, part: Any, place: str) -> Explanation | None:
    """What *way* would send; None if it refuses."""
    request = ChatRequest(model="a-model", messages=conversation(part, place))
    try:
        return made(way).explain(request)
    except InvalidRequestError as error:
        assert error.phase == "build"  # noqa: PT017  # refusing is one of three right answers
        return None


def strings(value: Any) -> Iterator[str]:
    """Every string in *value*."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("way", WAYS)
def test_a_part_is_sent_or_told_or_refused(way: str, place: str) -> None:
    for name, part in PARTS.items():
        if place == "tool" and not isinstance(part, MediaPart):
            continue  # a tool's result holds texts and media
        plan = sent(way, part, place)
        if plan is not None:
            body = "\n".join(strings(plan.body))
            there = MARK in body or b64encode(DATA).decode() in body
            assert there or plan.warnings, name


@pytest.mark.parametrize("way", WAYS)
def test_what_only_one_provider_understands_goes_to_no_other(way: str) -> None:
    for name in NAMES:
        if name != made(way).info.name:
            part = ProviderPart(name, {"type": "odd", "what": MARK})
            for place in ("user", "assistant"):
                plan = sent(way, part, place)
                assert plan is None or MARK not in "\n".join(strings(plan.body)), name


KEPT = {
    "claude": "file_011markzq",
    "openai": "file-markzq123",
    "gemini": "files/markzq",
}
"""The ids of files that services keep, as they look."""

TAKEN = {"claude": {"claude"}, "openai": {"openai"}}
"""Whose ids a chat takes, of those that look different: of the rest a file has an address."""


@pytest.mark.parametrize("place", ["user", "tool"])
@pytest.mark.parametrize("kind", ["application/pdf", "image/png"])
@pytest.mark.parametrize("way", WAYS)
def test_the_id_of_a_file_is_no_address(way: str, kind: str, place: str) -> None:
    """Its own service takes it as what it is; to any other it says nothing, and the caller is told."""
    for keeper, kept in KEPT.items():
        plan = sent(way, MediaPart(kind, url=kept), place)
        if plan is None:
            continue
        found = [place for place in paths(plan.body) if place[-1] == kept]
        if found:
            assert {place[-2] for place in found} == {"file_id"}
            assert keeper in TAKEN.get(plan.provider, {"openai"})
        else:
            assert {w.kind for w in plan.warnings} & {"dropped", "unsupported"}, keeper


def paths(value: Any, *above: Any) -> Iterator[tuple[Any, ...]]:
    """Each leaf of *value*, after the names that lead to it."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(item, *above, key)
    else:
        yield (*above, value)


@pytest.mark.parametrize("way", ["claude", "openai", "openai api=responses"])
def test_a_service_is_given_its_own_files_by_their_ids(way: str) -> None:
    kept = KEPT[way.partition(" ")[0]]
    plan = sent(way, MediaPart("application/pdf", url=kept), "user")
    assert plan is not None
    assert plan.warnings == ()
    assert kept in {place[-1] for place in paths(plan.body) if place[-2] == "file_id"}
