"""Changing recorded bytes: where events end, and unknown fields added everywhere."""

from __future__ import annotations

import json
import re
from typing import Any

import attrs

from ...errors import LLMError
from ...types import ChatResponse
from ..recordings import Recording
from .observe import Outcome

EXTRA = {"x_conformance": {"nested": [1, {"deep": None}]}}
"""What no provider sends."""

_EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


def boundaries(recording: Recording) -> list[int]:
    """The offsets at which an event of the stream ends, the last one left out; and 0."""
    payload = recording.payload
    ends = _EVENT_END if recording.framing == "sse" else re.compile(rb"\n")
    found = {m.end() for m in ends.finditer(payload)}
    return sorted({0} | {at for at in found if payload[at:].strip()})


def inject(recording: Recording, opaque: frozenset[str]) -> Recording:
    """*recording* with unknown fields in every object that is not *opaque* data."""
    payload = recording.payload
    if recording.framing == "sse":
        lines = payload.splitlines(keepends=True)
        return recording.cut([b"".join(_line(line, opaque) for line in lines)])
    if recording.framing == "ndjson":
        lines = payload.splitlines(keepends=True)
        return recording.cut([b"".join(_document(line, opaque) for line in lines)])
    return recording.cut([_document(payload, opaque)])


def _line(line: bytes, opaque: frozenset[str]) -> bytes:
    return re.sub(
        rb"^(data: ?)(.*?)([\r\n]*)$",
        lambda m: m[1] + _document(m[2], opaque) + m[3],
        line,
        flags=re.DOTALL,
    )


def _document(text: bytes, opaque: frozenset[str]) -> bytes:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if not isinstance(value, dict | list):
        return text
    end = text[len(text.rstrip(b"\r\n")) :]
    return json.dumps(_extended(value, opaque), ensure_ascii=False).encode() + end


def _extended(value: Any, opaque: frozenset[str]) -> Any:
    if isinstance(value, list):
        return [_extended(item, opaque) for item in value]
    if not isinstance(value, dict):
        return value
    inner = {k: v if k in opaque else _extended(v, opaque) for k, v in value.items()}
    return {**inner, **EXTRA}


def essence(outcome: Outcome) -> Any:
    """What of *outcome* must not depend on unknown fields: not what is kept raw."""
    if outcome.error is not None:
        return (outcome.error, dict(outcome.facts)["status"], dict(outcome.facts)["code"])
    result = outcome.result
    if isinstance(result, ChatResponse):
        return (*said(outcome), result.usage.input_tokens, result.usage.output_tokens)
    return _without_raw(result)


def said(outcome: Outcome) -> tuple[Any, ...]:
    """What the answer of *outcome* says; what it cost may come after it, and be lost with its end."""
    result = outcome.result
    if not isinstance(result, ChatResponse):
        return (essence(outcome),)
    calls = [(c.name, _value(c.arguments)) for c in result.tool_calls]
    return (result.text, result.reasoning, calls, result.finish_reason)


def _without_raw(value: Any) -> Any:
    if isinstance(value, LLMError):
        return (type(value), value.status, value.code)
    if attrs.has(type(value)):
        value = {f.name: getattr(value, f.name) for f in attrs.fields(type(value))}
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if k not in ("provider_metadata", "raw")}
        return {name: _without_raw(item) for name, item in kept.items()}
    if isinstance(value, list | tuple):
        return [_without_raw(item) for item in value]
    return value


def _value(arguments: str) -> Any:
    """What *arguments* say, however they are spaced; the text itself where it is no JSON."""
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments
