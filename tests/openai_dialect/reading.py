"""What an answer of the dialect says, read from its JSON without any of the code under test."""

from __future__ import annotations

import json
import struct
from base64 import b64decode
from collections.abc import Iterable, Mapping
from decimal import Decimal
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


def read_answers(documents: Iterable[Any], *, closed: bool = True) -> dict[int, Said]:
    """The answers of the *documents* (chunks, or one whole answer) by their index.

    What a custom tool is given is known to be all of it when the answer is *closed*.
    """
    answers: dict[int, Said] = {}
    numbers: dict[tuple[int, Any], int] = {}
    for document in documents:
        for at, choice in numbered(document):
            said = answers.setdefault(at, Said())
            said.finish = choice.get("finish_reason") or said.finish
            message, whole = spoken(choice)
            _read_content(said, message.get("content"))
            said.reasoning += _thought(message)
            said.refusal += message.get("refusal") or ""
            for call in calls_of(message):
                _read_call(said, call, at, numbers, whole=whole)
    for said in answers.values() if closed else ():
        said.calls = [[n, _input(t[1:]) if t[:1] == CUSTOM else t] for n, t in said.calls]
    return answers


def _thought(message: Mapping[str, Any]) -> str:
    """The thinking that *message* shows, in the details where it says it nowhere else."""
    details = [d for d in message.get("reasoning_details") or [] if isinstance(d, dict)]
    shown = "".join(d.get("text") or d.get("summary") or "" for d in details)
    return message.get("reasoning_content") or message.get("reasoning") or shown


CUSTOM = "\0"
"""Begins what a custom tool is given, which is free text."""


def _input(text: str) -> str:
    return json.dumps({"input": text.replace(CUSTOM, "")})


def numbered(document: Any) -> list[tuple[int, Any]]:
    """The choices of *document* with their index; without one, their place counts."""
    listed = (document.get("choices") if isinstance(document, dict) else None) or []
    return [
        (int(place if c.get("index") is None else c["index"]), c) for place, c in enumerate(listed)
    ]


def spoken(choice: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """What a choice says, and whether it is a whole message."""
    whole = choice.get("delta") is None
    return (choice.get("message") if whole else choice["delta"]) or {}, whole


def calls_of(message: Mapping[str, Any]) -> list[Any]:
    """The tool calls of a message or delta; the older way of calling is one call more."""
    told = message.get("tool_calls") or []
    listed = list(told) if isinstance(told, list) else [told]
    older = message.get("function_call")
    return [*listed, {"index": 0, "function": older}] if older else listed


def _read_content(said: Said, content: Any) -> None:
    if isinstance(content, str):
        said.text += content
    for piece in content if isinstance(content, list) else []:
        told = {"text": piece} if isinstance(piece, str) else piece
        said.text += told.get("text") or ""
        said.refusal += told.get("refusal") or ""
        thought = told.get("thinking") or []
        listed = [{"text": thought}] if isinstance(thought, str) else thought
        said.reasoning += "".join(t.get("text", "") for t in listed)


def _read_call(
    said: Said, call: Mapping[str, Any], at: int, numbers: dict[Any, int], *, whole: bool
) -> None:
    """A call begins with its name; what has no name goes on with the last call of its index.

    A server may say name and id again with each piece, until the arguments are complete.
    """
    own = call.get("custom")
    function = call.get("function") or {}
    if own is not None:
        function = {"name": own.get("name"), "arguments": CUSTOM + (own.get("input") or "")}
    arguments = function.get("arguments") or ""
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments)
    where, name, key = (at, call.get("index")), function.get("name"), (at, "id", call.get("id"))
    if whole or (name and (where not in numbers or call.get("id"))):
        again = numbers.get(key) if call.get("id") else None
        if whole or again is None or said.calls[again][0] != name or complete(said.calls[again][1]):
            again = len(said.calls)
            said.calls.append([name or "", ""])
        numbers[where] = numbers[key] = again
    said.calls[numbers[where]][1] += arguments


def complete(arguments: str) -> bool:
    """Whether *arguments* are a JSON object and nothing is missing."""
    try:
        return isinstance(json.loads(arguments), dict)
    except ValueError:
        return False


def parsed_calls(said: Said) -> list[tuple[str, Any]]:
    """The calls with their arguments as values; what is no JSON object stays the model's own text."""
    return [(name, parsed(arguments)) for name, arguments in said.calls]


def parsed(arguments: str) -> Any:
    """*arguments* as a value, or as they are where the model wrote no JSON object."""
    text = arguments.strip() or "{}"
    return json.loads(text) if complete(text) else arguments


def read_usage(documents: Iterable[Any]) -> Mapping[str, Any] | None:
    """The last usage that was told."""
    told = [
        d.get("usage") or (d.get("x_groq") or {}).get("usage")
        for d in documents
        if isinstance(d, dict)
    ]
    return next((usage for usage in reversed(told) if usage), None)


def read_tokens(usage: Mapping[str, Any] | None) -> Tokens:
    """The totals of *usage*; reasoning that is told beside the completion is counted into it."""
    if usage is None:
        return Tokens(None, None, None, None)
    thought = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens")
    given, made = (
        next((usage[f"{n}_tokens"] for n in names if usage.get(f"{n}_tokens") is not None), None)
        for names in (("prompt", "input"), ("completion", "output"))
    )
    if thought and given is not None and made is not None:
        apart = usage.get("total_tokens") == given + made + thought
        made += thought if apart or thought > made else 0
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
    numbers = embedding[0] if len(embedding) == 1 and isinstance(embedding[0], list) else embedding
    return tuple(float(x) for x in numbers)


def read_cost(usage: Mapping[str, Any] | None) -> Decimal | None:
    """What the server says that the call cost, in USD."""
    told = usage or {}
    if told.get("cost") is not None:
        return Decimal(str(told["cost"]))
    ticks = told.get("cost_in_usd_ticks")
    return None if ticks is None else Decimal(ticks) / 10_000_000_000
