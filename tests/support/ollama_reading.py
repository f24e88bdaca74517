"""Recorded traffic of Ollama's native API, read without the plugin that is to be tested.

Two directions: from a recorded body back to the typed request that says the same, and from a
recorded answer to what any reader of it must find.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define, field, frozen

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

LENGTHS = {"num_predict", "num_ctx"}

KNOWN = {"model", "messages", "tools", "stream", "format", "options", "think"}
SAID = {"role", "content", "thinking", "images", "tool_calls", "tool_name", "tool_call_id"}
NO_PARAMETERS: Json = {"type": "object", "properties": {}}


def beyond(body: Any) -> set[str]:
    """The fields of recorded messages that the common vocabulary has no word for."""
    messages = body.get("messages") or () if isinstance(body, dict) else ()
    return {name for m in messages for name, value in m.items() if value is not None} - SAID


# Requests.


def read_request(turn: Turn) -> Request[Any]:
    """The typed request that says what the recorded one says."""
    body = turn.body if isinstance(turn.body, dict) else {}
    model = body.get("model") or body.get("name") or "a-model"
    match turn.operation:
        case "POST /api/chat":
            return read_chat(body, model)
        case "POST /api/embed":
            return EmbeddingRequest(
                model=model,
                inputs=body.get("input", [""] * len(_embeddings(turn))),
                dimensions=body.get("dimensions"),
                provider_options=_own(body, {"model", "input", "dimensions"}),
            )
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
    raise LookupError(turn.operation)


def _embeddings(turn: Turn) -> list[Any]:
    return turn.data()[0].get("embeddings") or [] if turn.status == 200 else [""]


def _own(body: Json, known: Iterable[str], more: Json | None = None) -> dict[str, Json]:
    """What the common vocabulary has no word for."""
    own = {k: v for k, v in body.items() if k not in known and v is not None} | (more or {})
    return {"ollama": own} if own else {}


def read_chat(body: Json, model: str) -> ChatRequest:
    """A chat request; what is only Ollama's goes into its provider options."""
    own: Json = {}
    given = {n: v for n, v in (body.get("options") or {}).items() if v is not None}
    # Lengths below one ("without end", "fill the context") are Ollama's own.
    common = {n for n, v in given.items() if n in OPTIONS and not (n in LENGTHS and v < 1)}
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
    return ChatRequest(
        model=model,
        messages=_Conversation().read(body.get("messages") or [{"role": "user", "content": ""}]),
        params=GenerationParams(**params),
        tools=[_tool(t) for t in body.get("tools") or ()],
        response_format=_format(body.get("format")),
        provider_options=_own(body, KNOWN, own),
    )


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


@define
class _Conversation:
    """Gives the calls of a conversation ids, since recorded ones have none."""

    waiting: list[ToolCall] = field(factory=list)
    made: int = 0

    def read(self, wire: Iterable[Json]) -> list[Message]:
        return [self._message(m) for m in wire]

    def _message(self, wire: Json) -> Message:
        if wire["role"] == "tool":
            return Message("tool", self._result(wire))
        parts: list[Any] = []
        if wire.get("thinking"):
            parts.append(ReasoningPart(wire["thinking"]))
        parts += [MediaPart("image/png", b64decode(i)) for i in wire.get("images") or ()]
        if wire.get("content"):
            parts.append(TextPart(wire["content"]))
        parts += [self._call(c) for c in wire.get("tool_calls") or ()]
        return Message(wire["role"], parts)

    def _call(self, wire: Json) -> ToolCall:
        self.made += 1
        arguments = wire["function"].get("arguments") or {}
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        given = wire.get("id") or f"made-{self.made}"
        self.waiting.append(ToolCall(given, wire["function"]["name"], text))
        return self.waiting[-1]

    def _result(self, wire: Json) -> ToolResult:
        """The result, its name left to be found where the call that it answers is known."""
        name = wire.get("tool_name")
        parts: list[Any] = [MediaPart("image/png", b64decode(i)) for i in wire.get("images") or ()]
        parts += [TextPart(wire["content"])] if wire.get("content") else []
        for call in self.waiting:
            if name == call.name and wire.get("tool_call_id") in (None, call.id):
                self.waiting.remove(call)
                return ToolResult(call.id, parts)
        return ToolResult(wire.get("tool_call_id") or "", parts, name=name)


def streams(turn: Turn) -> bool:
    """Whether the answer to a recorded chat was asked for as a stream: Ollama's default."""
    body = turn.body if isinstance(turn.body, dict) else {}
    return bool(turn.streamed or body.get("stream", bool(body)))


def meaning(body: Any) -> Any:
    """A body without what says nothing: explicit nulls, empty lists and options, made-up ids."""
    if not isinstance(body, dict):
        return body
    said = {k: v for k, v in body.items() if v not in (None, [], "") or k == "messages"}
    said |= {"model": said.pop("name")} if "name" in said and "model" not in said else {}
    options = {n: v for n, v in (said.pop("options", None) or {}).items() if v is not None}
    if isinstance(options.get("stop"), str):
        options["stop"] = [options["stop"]]
    said |= {"options": options} if options else {}
    for kind, clean in (("messages", _plain_message), ("tools", _plain_tool)):
        if kind in said:
            said[kind] = [clean(item) for item in said[kind]]
    return said


def _plain_message(message: Json) -> Json:
    said = {k: v for k, v in message.items() if v not in (None, [], "") and k != "tool_call_id"}
    if "tool_calls" in said:
        said["tool_calls"] = [
            {
                "name": call["function"]["name"],
                "arguments": _object(call["function"].get("arguments") or {}),
            }
            for call in said["tool_calls"]
        ]
    return said


def _object(arguments: Any) -> Any:
    return json.loads(arguments) if isinstance(arguments, str) else arguments


def _plain_tool(tool: Json) -> Json:
    """A tool's function; some clients write its name outside as well."""
    return {"parameters": NO_PARAMETERS} | {
        k: v for k, v in tool["function"].items() if v not in (None, "")
    }


# Answers.


@frozen
class Truth:
    """What a recorded chat answer says, whoever reads it."""

    text: str
    thinking: str
    calls: list[tuple[str, Any]]
    done: bool
    reason: str | None
    prompt: int | None
    output: int | None
    model: str
    error: str | None


def read_chat_answer(turn: Turn) -> Truth:
    """The answer, by plain JSON reading of its lines."""
    lines = turn.data()
    messages = [line.get("message") or {} for line in lines]
    calls = [c["function"] for m in messages for c in m.get("tool_calls") or ()]
    last = lines[-1]
    return Truth(
        text="".join(m.get("content") or "" for m in messages),
        thinking="".join(m.get("thinking") or "" for m in messages),
        calls=[(c["name"], _object(c.get("arguments") or {})) for c in calls],
        done=last.get("done") is True,
        reason=last.get("done_reason"),
        prompt=last.get("prompt_eval_count"),
        output=last.get("eval_count"),
        model=lines[0].get("model") or "",
        error=next((line["error"] for line in lines if line.get("error")), None),
    )
