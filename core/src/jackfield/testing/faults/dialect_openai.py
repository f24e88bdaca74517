"""Chat completions, embeddings and models as OpenAI's API writes them.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from .dialects import EMBEDDING, MODELS, Dialect
from .values import Answer, Event, Json, Tokens, ToolUse

CREATED = 1_790_000_000

FINISH: Mapping[str, str] = {
    "stop": "stop",
    "tool": "tool_calls",
    "length": "length",
    "filter": "content_filter",
}

ERRORS: Mapping[str, tuple[str, str | None, str]] = {
    "invalid": ("invalid_request_error", None, "you must provide a model parameter"),
    "auth": ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    "payment": ("billing_error", "insufficient_credits", "Your account has no credit left."),
    "permission": (
        "permission_error",
        "unsupported_country_region_territory",
        "You may not do this.",
    ),
    "not_found": ("invalid_request_error", "model_not_found", "The model does not exist."),
    "too_large": ("invalid_request_error", "request_too_large", "The request is too large."),
    "context_length": (
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
    ),
    "filtered": (
        "invalid_request_error",
        "content_filter",
        "The response was filtered by the content policy.",
    ),
    "rate_limit": ("requests", "rate_limit_exceeded", "Rate limit reached for requests."),
    "quota": ("insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
    "conflict": ("conflict_error", None, "The resource was changed by another request."),
    "server": ("server_error", "internal_error", "The server had an error."),
    "loading": ("server_error", None, "Loading model"),
    "overloaded": ("server_error", "server_is_overloaded", "The server is overloaded."),
}


class OpenAI(Dialect):
    """The dialect that OpenAI and a dozen others speak."""

    name: ClassVar[str] = "openai"
    prefix: ClassVar[str] = "/v1"
    terminators: ClassVar[tuple[str, ...]] = ("finish", "usage", "end")
    routes: ClassVar[Mapping[tuple[str, str], str]] = {
        ("POST", "/chat/completions"): "chat",
        ("POST", "/embeddings"): "embed",
        ("GET", "/models"): "models",
    }

    def events(self, answer: Answer, request: Json) -> Sequence[Event]:
        """Role, reasoning, text, tool calls, finish; usage where the request asked for it; [DONE]."""
        events = [_chunk(answer, "start", {"role": "assistant", "content": ""})]
        events += [
            _chunk(answer, "reasoning", {"reasoning_content": piece}) for piece in answer.reasoning
        ]
        events += [self.delta(answer, piece) for piece in answer.pieces]
        for index, tool in enumerate(answer.tools):
            events += [
                _chunk(answer, "tool", {"tool_calls": [call]}) for call in _pieces(index, tool)
            ]
        if answer.finish is not None:
            events.append(_chunk(answer, "finish", {}, finish=_finish(answer)))
        if answer.usage and (request.get("stream_options") or {}).get("include_usage"):
            event = _chunk(answer, "usage", {})
            events.append(
                Event("usage", event.payload | {"choices": [], "usage": _usage(answer.usage)})
            )
        return (*events, Event("end", "[DONE]"))

    def delta(self, answer: Answer, text: str) -> Event:
        """A chunk with ``delta.content``."""
        return _chunk(answer, "text", {"content": text})

    def message(self, answer: Answer) -> Json:
        """A ``chat.completion``."""
        message: dict[str, Json] = {"role": "assistant", "content": answer.text or None}
        if answer.reasoning:
            message["reasoning_content"] = answer.thinking
        if answer.tools:
            message["tool_calls"] = [_call(tool) for tool in answer.tools]
        choice = {"index": 0, "message": message, "finish_reason": _finish(answer)}
        body = {
            "id": answer.id,
            "object": "chat.completion",
            "created": CREATED,
            "model": answer.model,
        }
        usage = {"usage": _usage(answer.usage)} if answer.usage else {}
        return {**body, "choices": [choice], **usage}

    def error(self, kind: str, message: str = "") -> Json:
        """``{"error": {message, type, param, code}}``."""
        type_, code, usual = ERRORS[kind]
        return {"error": {"message": message or usual, "type": type_, "param": None, "code": code}}

    def operation(self, name: str, request: Json) -> Json | Sequence[Event]:
        """``models`` and ``embed``."""
        if name == "models":
            data = [
                {"id": id_, "object": "model", "created": CREATED, "owned_by": "pelican"}
                for id_ in MODELS
            ]
            return {"object": "list", "data": data}
        given = request.get("input", "")
        texts = [given] if isinstance(given, str) else given
        vector: Json = list(EMBEDDING)
        if request.get("encoding_format") == "base64":
            vector = base64.b64encode(struct.pack(f"<{len(EMBEDDING)}f", *EMBEDDING)).decode()
        data = [{"object": "embedding", "index": i, "embedding": vector} for i in range(len(texts))]
        usage = {"prompt_tokens": 21, "total_tokens": 21}
        return {"object": "list", "data": data, "model": request.get("model", ""), "usage": usage}


def _chunk(answer: Answer, kind: str, delta: Json, finish: str | None = None) -> Event:
    head = {
        "id": answer.id,
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": answer.model,
    }
    return Event(kind, head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _finish(answer: Answer) -> str | None:
    if answer.finish is None:
        return None
    word = "tool" if answer.tools and answer.finish == "stop" else answer.finish
    return FINISH.get(word, word)


def _call(tool: ToolUse) -> Json:
    return {
        "id": tool.id,
        "type": "function",
        "function": {"name": tool.name, "arguments": tool.arguments},
    }


def _pieces(index: int, tool: ToolUse) -> Iterator[Json]:
    first = _call(tool) | {"function": {"name": tool.name, "arguments": ""}}
    yield {"index": index, **first}
    for piece in tool.pieces:
        yield {"index": index, "function": {"arguments": piece}}


def _usage(tokens: Tokens) -> Json:
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cached},
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
    }
