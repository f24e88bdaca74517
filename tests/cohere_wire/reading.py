"""Recorded answers of Cohere, read without the plugin: plain dictionaries, of both versions."""

from __future__ import annotations

import json
from typing import Any

from attrs import define, field

from cohere_wire.traffic import operation
from support.recordings import Turn

Json = dict[str, Any]


@define
class Reading:
    """What one recorded answer says: an answer, *whole* or not, or an error."""

    id: str = ""
    blocks: dict[int, Json] = field(factory=dict)
    plan: str = ""
    calls: dict[int, Json] = field(factory=dict)
    citations: list[Any] = field(factory=list)
    usage: Json = field(factory=dict)
    stop: str | None = None
    error: Json | None = None
    whole: bool = True

    @property
    def texts(self) -> dict[int, str]:
        """The text of each block that has some."""
        return {n: b["text"] for n, b in self.blocks.items() if b.get("text")}

    @property
    def text(self) -> str:
        """All text."""
        return "".join(self.texts.values())

    @property
    def thinking(self) -> str:
        """All thinking."""
        return "".join(b.get("thinking", "") for b in self.blocks.values())

    @property
    def answered(self) -> bool:
        """Whether it is a whole answer."""
        return self.whole and self.error is None

    @property
    def arguments(self) -> list[tuple[str, Any]]:
        """The name and arguments of each call; none at all are an empty object."""
        return [(c["name"], parsed(c["arguments"]) or {}) for c in self.calls.values()]


def parsed(text: Any) -> Any:
    """The JSON in *text*, or the text where it is none."""
    try:
        return json.loads(text) if text.strip() else None
    except ValueError:
        return text


def read(turn: Turn) -> Reading:
    """What *turn* was answered."""
    if turn.status >= 300:
        body = parsed(turn.payload.decode("utf-8", "replace"))
        return Reading(error=body if isinstance(body, dict) else {"message": body})
    if turn.streamed:
        return _stream(turn) if operation(turn) == "chat" else _lines(turn)
    return _whole(json.loads(turn.payload))


def _whole(body: Json) -> Reading:
    found = Reading(id=body.get("generation_id") or body.get("id") or "")
    found.stop, found.usage = body.get("finish_reason"), body.get("usage") or body.get("meta") or {}
    message = body.get("message") or {}
    for at, block in enumerate(message.get("content") or ()):
        _add(found, at, block)
    found.plan = message.get("tool_plan") or ""
    for at, call in enumerate(message.get("tool_calls") or ()):
        found.calls[at] = {"id": call["id"], **call["function"]}
    found.citations = message.get("citations") or body.get("citations") or []
    _first_version(found, body)
    if found.stop == "ERROR" or body.get("error"):
        found.error = {"message": body.get("error"), "error_type": body.get("error_type")}
    return found


def _first_version(found: Reading, body: Json) -> None:
    if body.get("text"):
        _add(found, 0, {"text": body["text"]})
    for at, made in enumerate(body.get("generations") or ()):
        if made.get("index", at) == 0:
            _add(found, 0, {"text": made["text"]})
            found.stop = made.get("finish_reason", found.stop)
    for at, call in enumerate(body.get("tool_calls") or ()):
        found.calls[at] = {"name": call["name"], "arguments": json.dumps(call["parameters"])}


def _add(found: Reading, at: int, block: Json) -> None:
    for kind in ("text", "thinking"):
        if block.get(kind):
            kept = found.blocks.setdefault(at, {"type": kind, kind: ""})
            kept[kind] += block[kind]


def _stream(turn: Turn) -> Reading:
    found = Reading(whole=False)
    for event in turn.data():
        delta = event.get("delta")
        message = (delta.get("message") if isinstance(delta, dict) else None) or {}
        match event.get("type"):
            case "message-start":
                found.id = event.get("id") or ""
            case "content-start" | "content-delta":
                _add(found, event["index"], message["content"])
            case "tool-plan-delta":
                found.plan += message["tool_plan"]
            case "tool-call-start":
                call = message["tool_calls"]
                found.calls[event["index"]] = {"id": call["id"], **call["function"]}
            case "tool-call-delta":
                piece = message["tool_calls"]["function"]["arguments"]
                found.calls[event["index"]]["arguments"] += piece
            case "citation-start":
                found.citations.append(message["citations"])
            case "message-end":
                end = event["delta"]
                found.whole, found.stop = True, end.get("finish_reason")
                found.usage = end.get("usage") or {}
                if end.get("error") or found.stop == "ERROR":
                    found.error = {"message": end.get("error"), **end}
                break
    return found


def _lines(turn: Turn) -> Reading:
    texts, start = "", ""
    for line in turn.data():
        if line.get("event_type") == "stream-start":
            start = line.get("generation_id") or ""
        if line.get("is_finished"):
            found = _whole(line["response"])
            found.stop = line.get("finish_reason") or found.stop
            found.blocks, found.id = _text(texts), start or found.id
            if found.stop == "ERROR":
                found.error = {"message": line.get("error") or line["response"].get("error")}
            return found
        if line.get("event_type") in (None, "", "text-generation") and not line.get("index"):
            texts += line.get("text") or ""
    return Reading(id=start, blocks=_text(texts), whole=False)


def _text(text: str) -> dict[int, Json]:
    return {0: {"type": "text", "text": text}} if text else {}
