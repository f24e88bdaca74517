"""What an answer of the dialect says, read from its JSON without any of the code under test."""

from __future__ import annotations

import json
import struct
from base64 import b64decode
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define, field, frozen

CACHED = (
    ("prompt_tokens_details", "cached_tokens"),
    ("cached_tokens",),
    ("prompt_cache_hit_tokens",),
)


@define
class Said:
    """One answer: its text, thinking and refusal, its calls (name and arguments), its last word."""

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    calls: list[list[str]] = field(factory=list)
    finish: str | None = None


@frozen
class Tokens:
    """Inclusive totals, as far as they were reported."""

    input: int | None
    output: int | None
    cached: int | None
    reasoning: int | None


def read_answers(documents: Iterable[Any]) -> dict[int, Said]:
    """The answers of the *documents* (chunks, or one whole answer) by their index."""
    answers: dict[int, Said] = {}
    numbers: dict[tuple[int, Any], int] = {}
    for document in documents:
        for choice in document.get("choices") or []:
            at = choice.get("index") or 0
            said = answers.setdefault(at, Said())
            said.finish = choice.get("finish_reason") or said.finish
            message = choice.get("delta", choice.get("message")) or {}
            _read_content(said, message.get("content"))
            said.reasoning += message.get("reasoning_content") or message.get("reasoning") or ""
            said.refusal += message.get("refusal") or ""
            for call in message.get("tool_calls") or []:
                _read_call(said, call, at, numbers, whole="delta" not in choice)
    return answers


def _read_content(said: Said, content: Any) -> None:
    if isinstance(content, str):
        said.text += content
    for piece in content if isinstance(content, list) else []:
        said.text += piece.get("text") or ""
        thought = piece.get("thinking") or []
        said.reasoning += "".join(t.get("text", "") for t in thought)


def _read_call(
    said: Said, call: Mapping[str, Any], at: int, numbers: dict[Any, int], *, whole: bool
) -> None:
    """A call begins with its name; what has no name goes on with the last call of its index."""
    function = call.get("function") or {}
    arguments = function.get("arguments") or ""
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments)
    where = (at, call.get("index"))
    if whole or (function.get("name") and (where not in numbers or call.get("id"))):
        numbers[where] = len(said.calls)
        said.calls.append([function["name"], ""])
    said.calls[numbers[where]][1] += arguments


def parsed_calls(said: Said) -> list[tuple[str, Any]]:
    """The calls with their arguments as values."""
    return [(name, json.loads(arguments or "{}")) for name, arguments in said.calls]


def read_usage(documents: Iterable[Any]) -> Mapping[str, Any] | None:
    """The last usage that was told."""
    told = [d.get("usage") or (d.get("x_groq") or {}).get("usage") for d in documents]
    return next((usage for usage in reversed(told) if usage), None)


def read_tokens(usage: Mapping[str, Any] | None) -> Tokens:
    """The totals of *usage*; reasoning that is told beside the completion is counted into it."""
    if usage is None:
        return Tokens(None, None, None, None)
    thought = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens")
    given, made, total = (usage.get(f"{n}_tokens") for n in ("prompt", "completion", "total"))
    if thought and total is not None and made is not None and total - given - made == thought:
        made += thought
    return Tokens(given, made, _cached(usage), thought)


def _cached(usage: Mapping[str, Any]) -> int | None:
    for path in CACHED:
        value: Any = usage
        for key in path:
            value = (value or {}).get(key)
        if value is not None:
            return int(value)
    return None


def read_vector(embedding: Any) -> tuple[float, ...]:
    """The numbers of an embedding, from JSON or base64 of little-endian floats."""
    if isinstance(embedding, str):
        data = b64decode(embedding)
        return struct.unpack(f"<{len(data) // 4}f", data)
    return tuple(float(x) for x in embedding)
