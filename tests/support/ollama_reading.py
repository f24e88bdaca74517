"""Recorded requests to Ollama's native API, read back into the typed ones that say the same.

Read without the plugin that is to be tested. `support.ollama_answers` reads the answers.
"""

from __future__ import annotations

import binascii
import json
import math
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define, field

from jackfield import (
    ChatRequest,
    DeleteRequest,
    EmbeddingRequest,
    GenerationParams,
    MediaPart,
    Message,
    ModelInfoRequest,
    ModelListRequest,
    PullRequest,
    ReasoningPart,
    Request,
    ResponseFormat,
    TextPart,
    Tool,
    ToolCall,
    ToolResult,
)
from jackfield.operations import CompletionRequest
from jackfield_ollama import RunningModelsRequest
from support.recordings import Turn

Json = dict[str, Any]

OPTIONS: Mapping[str, str] = {
    "num_predict": "max_tokens",
    "num_ctx": "context_length",
    **{n: n for n in ("temperature", "top_p", "top_k", "min_p", "seed", "stop")},
    **{n: n for n in ("presence_penalty", "frequency_penalty", "repeat_penalty")},
}
"""Ollama's options and the common parameters that mean them."""

LOWEST: Mapping[str, float] = {
    "num_predict": 1,
    "num_ctx": 1,  # below: without end, fill the context
    **dict.fromkeys(("temperature", "top_p", "top_k", "min_p", "repeat_penalty"), 0),
}
HIGHEST: Mapping[str, float] = {"top_p": 1, "min_p": 1}
"""What lies outside has no common meaning: it is Ollama's own."""

KNOWN = {"model", "messages", "tools", "stream", "format", "options", "think"}
SAID = {"role", "content", "thinking", "images", "tool_calls", "tool_name", "tool_call_id"}
ROLES = {"system", "user", "assistant", "tool"}
NO_PARAMETERS: Json = {"type": "object", "properties": {}}


def native(turn: Turn) -> tuple[str, str]:
    """What stands before the API's own path in a recorded one (a proxy's prefix), and the operation."""
    before, found, path = turn.path.partition("/api/")
    known = found and not before.endswith("/v1")
    return (before, f"{turn.request['method']} /api/{path}") if known else ("", turn.operation)


def beyond(body: Json) -> set[str]:
    """What a recorded body says that the common vocabulary has no word for."""
    if not (body.get("model") or body.get("name")):
        return {"no model"}
    messages = body.get("messages") or ()
    fields = {name for m in messages for name, value in m.items() if value is not None} - SAID
    fields |= {f"the role {m.get('role')}" for m in messages if m.get("role") not in ROLES}
    odd = [m for m in messages if not isinstance(m.get("content") or "", str)]
    fields |= {"content that is no text"} if odd else set()
    images = [i for m in messages for i in m.get("images") or ()]
    if not fields and "user" in {m.role for m in _results(messages)}:
        fields = {"a result of no call"}
    return fields | ({"images that are no base64"} if not all(map(_is_base64, images)) else set())


def _results(messages: Iterable[Json]) -> list[Message]:
    """What is read of the messages with results."""
    read = zip(messages, _Conversation().read(messages), strict=True)
    return [ours for wire, ours in read if wire["role"] == "tool"]


def _is_base64(image: Any) -> bool:
    try:
        return bool(b64encode(b64decode(image, validate=True)).decode() == image)
    except (binascii.Error, ValueError, TypeError):
        return False


# Requests.


def read_request(turn: Turn) -> Request[Any]:
    """The typed request that says what the recorded one says."""
    body = turn.body if isinstance(turn.body, dict) else {}
    model = body.get("model") or body.get("name") or "a-model"
    operation = native(turn)[1]
    match operation:
        case "POST /api/chat":
            return read_chat(body, model)
        case "POST /api/generate":
            return read_completion(body, model)
        case "POST /api/embed" | "POST /api/embeddings":
            single = [body["prompt"]] if "prompt" in body else [""] * _vectors(turn)
            return EmbeddingRequest(
                model=model,
                inputs=body.get("input", single),
                dimensions=body.get("dimensions"),
                provider_options=_own(body, {"model", "input", "prompt", "dimensions"}),
            )
    return _about_models(operation, body, model)


def _about_models(operation: str, body: Json, model: str) -> Request[Any]:
    match operation:
        case "GET /api/tags":
            return ModelListRequest()
        case "GET /api/ps":
            return RunningModelsRequest()
        case "POST /api/show":
            own = _own(body, {"model", "name"})
            return ModelInfoRequest(model=model, provider_options=own)
        case "POST /api/pull":
            own = _own(body, {"model", "name", "stream"})
            return PullRequest(model=model, provider_options=own)
        case "DELETE /api/delete":
            return DeleteRequest(model=model)
    raise LookupError(operation)


def _vectors(turn: Turn) -> int:
    """How many inputs an answer published without its request had."""
    return len(turn.data()[0].get("embeddings") or [""]) if turn.status == 200 else 1


def _own(body: Json, known: Iterable[str], more: Json | None = None) -> dict[str, Json]:
    """What the common vocabulary has no word for."""
    own = {k: v for k, v in body.items() if k not in known and v is not None} | (more or {})
    return {"ollama": own} if own else {}


def read_chat(body: Json, model: str) -> ChatRequest:
    """A chat request; what is only Ollama's goes into its provider options."""
    params, own = _parameters(body)
    return ChatRequest(
        model=model,
        messages=_Conversation().read(_messages(body)),
        params=params,
        tools=[_tool(t) for t in body.get("tools") or ()],
        response_format=_format(body.get("format")),
        provider_options=_own(body, KNOWN, own),
    )


def read_completion(body: Json, model: str) -> CompletionRequest:
    """A request to write on; system prompt, template, format and images are only Ollama's."""
    params, own = _parameters(body)
    return CompletionRequest(
        model=model,
        prompt=body.get("prompt") or "",
        suffix=body.get("suffix"),
        params=params,
        provider_options=_own(body, {"model", "prompt", "suffix", *PARAMETERS}, own),
    )


PARAMETERS = {"stream", "options", "think"}


def _parameters(body: Json) -> tuple[GenerationParams, Json]:
    """The common parameters, and those that are only Ollama's."""
    own: Json = {}
    given = {n: v for n, v in (body.get("options") or {}).items() if v is not None}
    common = {n for n, v in given.items() if n in OPTIONS and _has_a_meaning(n, v)}
    params: Json = {OPTIONS[n]: given[n] for n in common}
    if "stop" in params:
        stop = params["stop"]
        params["stop"] = (stop,) if isinstance(stop, str) else tuple(stop)
    if rest := {n: v for n, v in given.items() if n not in common}:
        own["options"] = rest
    match body.get("think"):
        case False:
            params["reasoning_effort"] = "none"
        case "low" | "medium" | "high" | "max" as level:
            params["reasoning_effort"] = level
        case other if other is not None:
            own["think"] = other
    return GenerationParams(**params), own


def _has_a_meaning(name: str, value: Any) -> bool:
    if name == "stop":
        return bool(value)
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return numeric and LOWEST.get(name, -math.inf) <= value <= HIGHEST.get(name, math.inf)


def _messages(body: Json) -> list[Json]:
    """The recorded messages; one that says nothing where the request was not published."""
    found = body.get("messages", [{"role": "user", "content": ""}])
    return found or []


def _tool(wire: Json) -> Tool:
    function = wire["function"]
    schema = function.get("parameters") or NO_PARAMETERS
    return Tool(function["name"], function.get("description") or "", schema)


def _format(wire: Any) -> ResponseFormat | None:
    if not wire:
        return None
    return (
        ResponseFormat(type="json")
        if wire == "json"
        else ResponseFormat(type="json_schema", schema=wire)
    )


def _said(wire: Json) -> list[Any]:
    """Images and text of a message."""
    images = [i for i in wire.get("images") or () if _is_base64(i)]
    content = wire.get("content") or ""
    text = content if isinstance(content, str) else json.dumps(content)
    parts: list[Any] = [MediaPart("image/png", b64decode(i)) for i in images]
    return [*parts, TextPart(text)] if text else parts


@define
class _Conversation:
    """Gives the calls of a conversation ids, since recorded ones have none."""

    waiting: list[ToolCall] = field(factory=list)
    known: set[Any] = field(factory=set)
    made: int = 0

    def read(self, wire: Iterable[Json]) -> list[Message]:
        return [self._message(m) for m in wire]

    def _message(self, wire: Json) -> Message:
        if wire["role"] == "tool":
            result = self._result(wire)
            # A result of no call has no common words: see `beyond`.
            return Message("tool", result) if result else Message("user", _said(wire))
        parts: list[Any] = []
        if wire.get("thinking"):
            parts.append(ReasoningPart(wire["thinking"]))
        parts += _said(wire)
        parts += [self._call(c) for c in wire.get("tool_calls") or ()]
        return Message(wire["role"] if wire["role"] in ROLES else "user", parts)

    def _call(self, wire: Json) -> ToolCall:
        self.made += 1
        arguments = wire["function"].get("arguments") or {}
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        given = wire.get("id") or f"made-{self.made}"
        self.known.add(given)
        self.waiting.append(ToolCall(given, wire["function"]["name"], text))
        return self.waiting[-1]

    def _result(self, wire: Json) -> ToolResult | None:
        """The result, its name left to be found where the call that it answers is known."""
        name = wire.get("tool_name")
        parts = _said(wire)
        for call in self.waiting:
            if name == call.name and wire.get("tool_call_id") in (None, call.id):
                self.waiting.remove(call)
                return ToolResult(call.id, parts)
        given = wire.get("tool_call_id")
        return ToolResult(str(given), parts, name=name) if given in self.known else None


def streams(turn: Turn) -> bool:
    """Whether a recorded answer was asked for as a stream: Ollama's default."""
    body = turn.body if isinstance(turn.body, dict) else {}
    return bool(turn.streamed or body.get("stream", bool(body)))


NOTHING: tuple[Any, ...] = (None, [], {}, "")


def meaning(body: Any) -> Any:
    """A body without what says nothing: nulls, what is empty, made-up ids, fields that no server reads."""
    if not isinstance(body, dict):
        return body
    said = {k: v for k, v in body.items() if v not in NOTHING or k == "messages"}
    said |= {"model": said.pop("name")} if "name" in said and "model" not in said else {}
    options = {n: v for n, v in (said.pop("options", None) or {}).items() if v not in NOTHING}
    if isinstance(options.get("stop"), str):
        options["stop"] = [options["stop"]]
    said |= {"options": options} if options else {}
    if "messages" in said:
        said["messages"] = [_plain_message(m) for m in _named(said["messages"] or [])]
    if "tools" in said:
        said["tools"] = [_plain_tool(t) for t in said["tools"]]
    return said


def _named(messages: Iterable[Json]) -> Iterable[Json]:
    """The messages, each tool's result with the name of the call that its id answers."""
    names: dict[str, str] = {}
    for message in messages:
        calls = message.get("tool_calls") or ()
        names |= {c["id"]: c["function"]["name"] for c in calls if c.get("id")}
        answered = names.get(message.get("tool_call_id") or "")
        yield {"tool_name": answered, **message} if answered else message


def _plain_message(message: Json) -> Json:
    said = {k: v for k, v in message.items() if v not in NOTHING and k != "tool_call_id"}
    if "tool_calls" in said:
        said["tool_calls"] = [
            {
                "name": call["function"]["name"],
                "arguments": plain_arguments(call["function"].get("arguments") or {}),
            }
            for call in said["tool_calls"]
        ]
    return said


def plain_arguments(arguments: Any) -> Any:
    """The object that a call's arguments are, whether they came as one or as its text."""
    return json.loads(arguments or "{}") if isinstance(arguments, str) else arguments


def _plain_tool(tool: Json) -> Json:
    """What servers read of a tool: some clients write its name outside as well, or OpenAI's ``strict``."""
    read = ("name", "description", "parameters")
    return {"parameters": NO_PARAMETERS} | {
        k: v for k, v in tool["function"].items() if k in read and v not in NOTHING
    }
