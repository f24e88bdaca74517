"""Chat, embeddings, rerank and tokens as version 2 of Cohere's API writes them.

https://docs.cohere.com/reference/chat-stream
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from .dialects import EMBEDDING, Dialect
from .values import Answer, Event, Json, ToolUse

FINISH: Mapping[str, str] = {"stop": "COMPLETE", "tool": "TOOL_CALL", "length": "MAX_TOKENS"}

ERRORS: Mapping[str, str] = {
    "invalid": "invalid request: temprature is no field of it",
    "auth": "invalid api token",
    "payment": "please add or update your payment method to continue",
    "permission": "your key may not use this model",
    "not_found": "model 'pelican-9' not found, make sure the correct model ID was used",
    "too_large": "the request is too large",
    "context_length": "too many tokens: size limit exceeded by 4096 tokens.",
    "filtered": "the prompt was blocked",
    "rate_limit": "You are using a Trial key, which is limited to 20 API calls / minute.",
    "quota": "You are using a Trial key, which is limited to 1000 API calls / month.",
    "conflict": "the resource is being changed by another request",
    "server": "internal server error",
    "loading": "the model is being loaded",
    "overloaded": "the service is overloaded, try again later",
}


class Cohere(Dialect):
    """Cohere's API, version 2."""

    name: ClassVar[str] = "cohere"
    prefix: ClassVar[str] = ""
    terminators: ClassVar[tuple[str, ...]] = ("finish", "end")
    routes: ClassVar[Mapping[tuple[str, str], str]] = {
        ("POST", "/v2/chat"): "chat",
        ("POST", "/v2/embed"): "embed",
        ("POST", "/v2/rerank"): "rerank",
        ("POST", "/v1/tokenize"): "tokenize",
    }

    def events(self, answer: Answer, request: Json) -> Sequence[Event]:
        """message-start, a block of thinking, one of text, the calls of tools, message-end."""
        empty = {"content": [], "tool_plan": "", "tool_calls": [], "citations": []}
        start = _event("start", "message-start", message={"role": "assistant", **empty})
        events = [Event("start", {**start.payload, "id": answer.id}, name="message-start")]
        for index, (kind, pieces) in enumerate(_blocks(answer)):
            events.append(_event("open", "content-start", index, content={"type": kind, kind: ""}))
            role = "text" if kind == "text" else "reasoning"
            events += [
                _event(role, "content-delta", index, content={kind: piece}) for piece in pieces
            ]
            events.append(_event("close", "content-end", index))
        for index, tool in enumerate(answer.tools):
            events += _tool_events(index, tool)
        end = {"type": "message-end", "delta": _end(answer)}
        return (*events, Event("finish", end, name="message-end"), Event("end", "[DONE]"))

    def delta(self, answer: Answer, text: str) -> Event:
        """A ``content-delta`` of the block that carries the text."""
        index = 1 if answer.reasoning else 0
        return _event("text", "content-delta", index, content={"text": text})

    def message(self, answer: Answer) -> Json:
        """A whole answer."""
        content = [{"type": kind, kind: "".join(pieces)} for kind, pieces in _blocks(answer)]
        message: dict[str, Json] = {"role": "assistant", "content": content}
        if answer.tools:
            message["tool_calls"] = [_call(tool, tool.arguments) for tool in answer.tools]
        return {"id": answer.id, "message": message, **_end(answer)}

    def error(self, kind: str, message: str = "") -> Json:
        """``{"id", "message"}``, and a type where there is one."""
        told = {"error_type": "TOO_MANY_TOKENS"} if kind == "context_length" else {}
        return {"id": "request-pelican-1", "message": message or ERRORS[kind], **told}

    def error_event(self, kind: str) -> Event:
        """A ``message-end`` whose finish reason is ``ERROR``."""
        delta = {"finish_reason": "ERROR", "usage": {}, "error": ERRORS[kind]}
        return Event("error", {"type": "message-end", "delta": delta}, name="message-end")

    def operation(self, name: str, request: Json) -> Json | Sequence[Event]:
        """``embed``, ``rerank`` and ``tokenize``."""
        meta = {"meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 21}}}
        if name == "tokenize":
            return {"tokens": [1, 2, 3], "token_strings": ["pel", "i", "can"], **meta}
        if name == "rerank":
            count = len(request.get("documents", ()))
            ranked = [{"index": i, "relevance_score": 1 / (i + 2)} for i in range(count)]
            return {"id": "rerank-1", "results": ranked, **meta}
        vectors = [list(EMBEDDING) for _ in request.get("texts", ())]
        return {"id": "embed-1", "embeddings": {"float": vectors}, **meta}


def _blocks(answer: Answer) -> Iterator[tuple[str, tuple[str, ...]]]:
    if answer.reasoning:
        yield "thinking", answer.reasoning
    if answer.pieces:
        yield "text", answer.pieces


def _call(tool: ToolUse, arguments: str) -> Json:
    function = {"name": tool.name, "arguments": arguments}
    return {"id": tool.id, "type": "function", "function": function}


def _tool_events(index: int, tool: ToolUse) -> Iterator[Event]:
    yield _event("open", "tool-call-start", index, tool_calls=_call(tool, ""))
    for piece in tool.pieces:
        told = {"function": {"arguments": piece}}
        yield _event("tool", "tool-call-delta", index, tool_calls=told)
    yield _event("close", "tool-call-end", index)


def _event(kind: str, name: str, index: int | None = None, **message: Json) -> Event:
    inner = message.get("message", message)
    payload: dict[str, Json] = {"type": name}
    if index is not None:
        payload["index"] = index
    if inner:
        payload["delta"] = {"message": inner}
    return Event(kind, payload, name=name)


def _end(answer: Answer) -> dict[str, Json]:
    end: dict[str, Json] = {}
    if answer.finish is not None:
        word = "tool" if answer.tools and answer.finish == "stop" else answer.finish
        end["finish_reason"] = FINISH.get(word, word)
    if answer.usage:
        counts = {"input_tokens": answer.usage.input, "output_tokens": answer.usage.output}
        tokens = {**counts, "reasoning_tokens": answer.usage.reasoning}
        billed = {"billed_units": counts, "tokens": tokens}
        end["usage"] = {**billed, "cached_tokens": answer.usage.cached}
    return end
