"""Messages, token counts and models as Anthropic's API writes them.

https://docs.claude.com/en/api/messages
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from .dialects import MODELS, Dialect
from .values import Answer, Event, Json, ToolUse

FINISH: Mapping[str, str] = {
    "stop": "end_turn",
    "tool": "tool_use",
    "length": "max_tokens",
    "filter": "refusal",
}

ERRORS: Mapping[str, tuple[str, str]] = {
    "invalid": ("invalid_request_error", "max_tokens: Field required"),
    "auth": ("authentication_error", "invalid x-api-key"),
    "payment": ("billing_error", "Your credit balance is too low."),
    "permission": ("permission_error", "Your key may not use this model."),
    "not_found": ("not_found_error", "model: pelican-9"),
    "too_large": ("request_too_large", "Request exceeds the maximum size"),
    "context_length": (
        "invalid_request_error",
        "prompt is too long: 212345 tokens > 200000 maximum",
    ),
    "filtered": ("invalid_request_error", "Output blocked by content filtering policy"),
    "rate_limit": ("rate_limit_error", "This request would exceed your rate limit."),
    "quota": ("rate_limit_error", "Your organization has reached its spend limit."),
    "conflict": ("conflict_error", "The resource is being changed by another request"),
    "server": ("api_error", "Internal server error"),
    "loading": ("overloaded_error", "The model is being loaded"),
    "overloaded": ("overloaded_error", "Overloaded"),
}


class Anthropic(Dialect):
    """Claude's Messages API."""

    name: ClassVar[str] = "anthropic"
    prefix: ClassVar[str] = ""
    terminators: ClassVar[tuple[str, ...]] = ("finish", "end")
    routes: ClassVar[Mapping[tuple[str, str], str]] = {
        ("POST", "/messages/count_tokens"): "count",
        ("POST", "/messages"): "chat",
        ("GET", "/models"): "models",
    }

    def events(self, answer: Answer, request: Json) -> Sequence[Event]:
        """message_start, one block for thinking, text and each tool, message_delta, message_stop."""
        start = self.message(answer) | {"content": [], "stop_reason": None}
        if answer.usage:
            start["usage"] = start["usage"] | {"output_tokens": 1}
        events = [_event("start", "message_start", message=start)]
        for index, block in enumerate(_blocks(answer)):
            events += _block_events(index, block)
            if index == 0:
                events.insert(2, _event("ping", "ping"))
        delta = {"stop_reason": _finish(answer), "stop_sequence": None}
        usage = {"usage": {"output_tokens": answer.usage.output}} if answer.usage else {}
        events.append(_event("finish", "message_delta", delta=delta, **usage))
        return (*events, _event("end", "message_stop"))

    def delta(self, answer: Answer, text: str) -> Event:
        """A ``text_delta`` of the block that carries the text."""
        index = 1 if answer.reasoning else 0
        return _event(
            "text", "content_block_delta", index=index, delta={"type": "text_delta", "text": text}
        )

    def message(self, answer: Answer) -> Json:
        """A ``message``."""
        body = {"id": answer.id, "type": "message", "role": "assistant", "model": answer.model}
        content = [_whole(block) for block in _blocks(answer)]
        stop = {"stop_reason": _finish(answer), "stop_sequence": None}
        if answer.usage is None:
            return {**body, "content": content, **stop}
        usage = {
            "input_tokens": answer.usage.input - answer.usage.cached,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": answer.usage.cached,
            "output_tokens": answer.usage.output,
        }
        return {**body, "content": content, **stop, "usage": usage}

    def error(self, kind: str, message: str = "") -> Json:
        """``{"type": "error", "error": {type, message}, "request_id"}``."""
        type_, usual = ERRORS[kind]
        error: dict[str, Json] = {"type": type_, "message": message or usual}
        if kind == "quota":
            error["details"] = {"error_code": "enforced_spend_limit_reached"}
        return {"type": "error", "error": error, "request_id": "req_pelican_1"}

    def error_event(self, kind: str) -> Event:
        """``event: error``."""
        return Event("error", self.error(kind), name="error")

    def operation(self, name: str, request: Json) -> Json | Sequence[Event]:
        """``models`` and ``count``."""
        if name == "count":
            return {"input_tokens": 21}
        date = "2026-01-02T03:04:05Z"
        data = [
            {"type": "model", "id": id_, "display_name": id_.title(), "created_at": date}
            for id_ in MODELS
        ]
        return {"data": data, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]}


Block = tuple[str, tuple[str, ...], ToolUse | None, str]


def _blocks(answer: Answer) -> Iterator[Block]:
    if answer.reasoning:
        yield "thinking", answer.reasoning, None, answer.signature
    if answer.pieces:
        yield "text", answer.pieces, None, ""
    for tool in answer.tools:
        yield "tool_use", tool.pieces, tool, ""


def _whole(block: Block) -> Json:
    kind, pieces, tool, signature = block
    if tool is not None:
        return {"type": "tool_use", "id": tool.id, "name": tool.name, "input": tool.value}
    if kind == "thinking":
        return {"type": "thinking", "thinking": "".join(pieces), "signature": signature}
    return {"type": "text", "text": "".join(pieces)}


_DELTAS: Mapping[str, tuple[str, str, str]] = {
    "thinking": ("reasoning", "thinking_delta", "thinking"),
    "text": ("text", "text_delta", "text"),
    "tool_use": ("tool", "input_json_delta", "partial_json"),
}


def _block_events(index: int, block: Block) -> Iterator[Event]:
    kind, pieces, tool, signature = block
    empty = (
        {"type": "tool_use", "id": tool.id, "name": tool.name, "input": {}}
        if tool
        else _whole((kind, (), None, ""))
    )
    yield _event("open", "content_block_start", index=index, content_block=empty)
    role, type_, field = _DELTAS[kind]
    for piece in pieces:
        yield _event(role, "content_block_delta", index=index, delta={"type": type_, field: piece})
    if signature:
        delta = {"type": "signature_delta", "signature": signature}
        yield _event("reasoning", "content_block_delta", index=index, delta=delta)
    yield _event("close", "content_block_stop", index=index)


def _event(kind: str, name: str, **fields: Json) -> Event:
    return Event(kind, {"type": name, **fields}, name=name)


def _finish(answer: Answer) -> str | None:
    if answer.finish is None:
        return None
    word = "tool" if answer.tools and answer.finish == "stop" else answer.finish
    return FINISH.get(word, word)
