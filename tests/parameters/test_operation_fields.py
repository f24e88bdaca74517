"""Each field of each operation is sent, told as not honoured, or refused; and what is told can be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import attrs
import pytest

from jackfield import (
    ChatRequest,
    InvalidRequestError,
    MediaPart,
    Message,
    Request,
    ResponseFormat,
    Tool,
    UnsupportedOperationError,
)
from jackfield.exchange import Exchange
from jackfield.operations import BatchItem
from jackfield.params import GenerationParams
from support.everyone import WAYS, made

PICTURE = MediaPart("image/png", b"\x89PNG\r\n\x1a\n", name="a.png")
CHAT = ChatRequest(model="a-model", messages=[Message("user", "Hi")])

NEEDED: dict[str, Any] = {
    "messages": CHAT.messages,
    "inputs": ("one", "two"),
    "text": "one two",
    "ids": (1, 2),
    "query": "Who?",
    "documents": ("A hen", "A gull"),
    "prompt": "A pelican",
    "audio": MediaPart("audio/wav", b"RIFF", name="a.wav"),
    "language": "en",
    "data": b"Hello",
    "name": "a.txt",
    "items": (BatchItem(custom_id="one", request=CHAT),),
    "file_id": "file-1",
    "job_id": "job-1",
    "training_file": "file-1",
    "generation_id": "gen-1",
    "first": "one",
    "second": ("two",),
    "slot": 1,
    "action": "erase",
}
"""What fields without a default are given."""

ALWAYS = {"language"}
"""Fields that some providers cannot do without."""

ASKED: dict[str, Any] = {
    "tools": (Tool("add", "Adds."),),
    "response_format": ResponseFormat(type="json_schema", schema={"type": "object"}),
    "params": GenerationParams(max_tokens=17),
    "dimensions": 16,
    "input_type": "query",
    "suffix": "the end",
    "voice": "a-voice",
    "output_format": "wav",
    "speed": 1.5,
    "instructions": "Softly",
    "language": "de",
    "prompt": "Another pelican",
    "temperature": 0.5,
    "timestamps": "word",
    "translate": True,
    "media_type": "text/plain",
    "purpose": "assistants",
    "n": 2,
    "size": "1024x1536",
    "quality": "high",
    "background": "transparent",
    "negative_prompt": "A hen",
    "seed": 17,
    "images": (PICTURE,),
    "mask": PICTURE,
    "context_length": 4321,
    "validation_file": "file-2",
    "limit": 3,
    "items": NEEDED["items"],
    "filename": "slot.bin",
    "parameters": {"top_k": 3},
    "task": "fill-mask",
    "model": "another-model",
}
"""Values of the others, none of them a default."""

HELD_HERE = {
    "top_n": "the best are taken from the answer where the wire cannot be told",
    "tool_choice": "says nothing without tools; the dialects' own tests have it",
}


def fields(kind: type[Any]) -> list[attrs.Attribute[Any]]:
    """The fields of *kind* that a user fills."""
    shared = {f.name for f in attrs.fields(Request)} - {"model"}
    return [f for f in attrs.fields(kind) if f.name not in shared]


def least(kind: type[Any]) -> Any:
    """A request of *kind* with what it needs."""
    needed = [f.name for f in fields(kind) if f.default is attrs.NOTHING or f.name in ALWAYS]
    return kind(**{"model": "a-model", **{name: NEEDED[name] for name in needed}})


def single(way: str) -> Iterator[type[Any]]:
    """The operations of *way* that are one request: only those can be explained."""
    provider: Any = made(way)
    for kind in sorted(provider.operations, key=lambda k: str(k.__name__)):
        if isinstance(provider.exchange_for(least(kind)), Exchange):
            yield kind


OPERATIONS = [pytest.param(way, k, id=f"{way} {k.__name__}") for way in WAYS for k in single(way)]


def result_of(kind: type[Any]) -> Any:
    """What running a request of *kind* returns."""
    for base in (b for c in kind.__mro__ for b in getattr(c, "__orig_bases__", ())):
        if get_args(base):
            return get_args(base)[0]
    raise AssertionError(f"{kind.__name__} does not say what it returns")


@pytest.mark.parametrize(("way", "kind"), OPERATIONS)
def test_a_field_is_sent_or_told_or_refused(way: str, kind: type[Any]) -> None:
    provider = made(way)
    bare = provider.explain(least(kind))
    assert provider.explain(least(kind)) == bare, "nothing differs by chance"
    for field in fields(kind):
        if field.default is attrs.NOTHING or field.name in {"model", *HELD_HERE}:
            continue
        try:
            asked = provider.explain(attrs.evolve(least(kind), **{field.name: ASKED[field.name]}))
        except (InvalidRequestError, UnsupportedOperationError) as error:
            assert field.name in (*str(error).split(), error.param)  # noqa: PT017  # refusing is right, too
            continue
        sent = (asked.url, asked.body) != (bare.url, bare.body)
        assert sent or field.name in {w.subject for w in asked.warnings}, field.name
        if asked.warnings:
            result = result_of(kind)
            assert attrs.has(result), f"{field.name}: {result} cannot carry {asked.warnings}"
            assert "warnings" in attrs.fields_dict(result), field.name
