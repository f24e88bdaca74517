"""Recorded answers of the Messages API, read without the plugin: plain dictionaries, block by block."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from attrs import define, field

from support.recordings import Turn

Block = dict[str, Any]


ABOUT = (
    *("stop_sequence", "stop_details", "container"),
    *("context_management", "diagnostics", "input_transformations"),
)
KNOWN = ("text", "thinking", "redacted_thinking", "tool_use")


@define
class Reading:
    """What one recorded answer says: an answer, *whole* or not, or an error, or nothing *legible*."""

    blocks: list[Block] = field(factory=list)
    start: dict[str, Any] = field(factory=dict)
    end: dict[str, Any] = field(factory=dict)
    usage: dict[str, Any] = field(factory=dict)
    error: dict[str, Any] | None = None
    whole: bool = True
    legible: bool = True

    def of(self, kind: str) -> list[Block]:
        """The blocks of one type."""
        return [b for b in self.blocks if b["type"] == kind]

    @property
    def answered(self) -> bool:
        """Whether it is a whole answer."""
        return self.legible and self.whole and self.error is None

    @property
    def text(self) -> str:
        """All text."""
        return "".join(b.get("text", "") for b in self.of("text"))

    @property
    def thinking(self) -> str:
        """All visible thinking."""
        return "".join(b.get("thinking", "") for b in self.of("thinking"))

    @property
    def about(self) -> dict[str, Any]:
        """What is said about the answer, wherever it is said; the last word counts."""
        return {
            name: told[name]
            for told in (self.start, self.end)
            for name in ABOUT
            if told.get(name) is not None
        }

    @property
    def input_tokens(self) -> int | None:
        """Everything that was read: fresh, from the cache, into the cache."""
        counts = [
            self.usage.get(f"{c}input_tokens") for c in ("", "cache_read_", "cache_creation_")
        ]
        return None if counts[0] is None else sum(c or 0 for c in counts)


def read(turn: Turn) -> Reading:
    """What *turn* was answered."""
    if turn.streamed and turn.status < 300:
        return _read_stream(turn)
    body = parsed(turn.payload.decode("utf-8", "replace"))
    if turn.status >= 300:
        return Reading(error=_error(body))
    if not isinstance(body, dict):
        return Reading(legible=False)
    if body.get("error") is not None:
        return Reading(error=_error(body))
    if not isinstance(body.get("content"), list):
        return Reading(legible=False)
    found = Reading(blocks=body["content"], start=body, end=body)
    _count(found, body)
    return found


def parsed(text: str) -> Any:
    """The JSON in *text*, or the text where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _error(body: Any) -> dict[str, Any]:
    found = body.get("error") or body if isinstance(body, dict) else {}
    return found if isinstance(found, dict) else {"message": found}


def _read_stream(turn: Turn) -> Reading:
    found = Reading(whole=False)
    blocks: dict[int, Block] = {}
    inputs: dict[int, str] = {}
    for event in turn.data():
        if event.get("type") == "error" or event.get("error") is not None:
            found.error = _error(event)
            break
        match event.get("type"):
            case "message_start":
                found.start = event["message"]
                _count(found, event["message"])
            case "content_block_start":
                blocks[event["index"]] = dict(event["content_block"])
            case "content_block_delta":
                _add(blocks[event["index"]], event["delta"], inputs, event["index"])
            case "message_delta":
                found.end |= {k: v for k, v in event["delta"].items() if v is not None}
                found.end |= {k: v for k, v in event.items() if k in ABOUT and v is not None}
                _count(found, event)
            case "message_stop":
                found.whole = True
                break
    found.whole = found.whole or bool(found.end.get("stop_reason"))
    for index, text in inputs.items():
        if text:
            blocks[index]["input"] = parsed(text)
    found.blocks = [blocks[index] for index in sorted(blocks)]
    return found


def _count(found: Reading, holder: dict[str, Any]) -> None:
    found.usage |= {k: v for k, v in (holder.get("usage") or {}).items() if v is not None}


def _add(block: Block, delta: Block, inputs: dict[int, str], index: int) -> None:
    match delta["type"]:
        case "citations_delta":
            block["citations"] = [*(block.get("citations") or []), delta["citation"]]
        case "input_json_delta":
            inputs[index] = inputs.get(index, "") + delta["partial_json"]
        case "signature_delta" if block["type"] in KNOWN:
            block["signature"] = delta["signature"]
        case kind if block["type"] not in KNOWN or kind in ("text_delta", "thinking_delta"):
            for key, value in delta.items():
                if isinstance(value, str) and isinstance(block.get(key), str | None):
                    block[key] = block[key] if key == "type" else (block.get(key) or "") + value
                elif value is not None:
                    block[key] = value


def others(found: Reading) -> Iterator[Block]:
    """The blocks that only Claude understands."""
    return (b for b in found.blocks if b["type"] not in KNOWN)
