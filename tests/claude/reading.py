"""Recorded answers of the Messages API, read without the plugin: plain dictionaries, block by block."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from attrs import define, field

from support.recordings import Turn

Block = dict[str, Any]


@define
class Reading:
    """What one recorded answer says."""

    blocks: list[Block] = field(factory=list)
    start: dict[str, Any] = field(factory=dict)
    end: dict[str, Any] = field(factory=dict)
    usage: dict[str, Any] = field(factory=dict)
    error: dict[str, Any] | None = None
    whole: bool = True

    def of(self, kind: str) -> list[Block]:
        """The blocks of one type."""
        return [b for b in self.blocks if b["type"] == kind]

    @property
    def text(self) -> str:
        """All text."""
        return "".join(b["text"] for b in self.of("text"))

    @property
    def thinking(self) -> str:
        """All visible thinking."""
        return "".join(b["thinking"] for b in self.of("thinking"))

    @property
    def input_tokens(self) -> int | None:
        """Everything that was read: fresh, from the cache, into the cache."""
        counts = [
            self.usage.get(f"{c}input_tokens") for c in ("", "cache_read_", "cache_creation_")
        ]
        return None if counts[0] is None else sum(c or 0 for c in counts)


def read(turn: Turn) -> Reading:
    """What *turn* was answered."""
    if turn.streamed:
        return _read_stream(turn)
    body = parsed(turn.payload.decode("utf-8", "replace"))
    if turn.status >= 300 or not isinstance(body, dict) or "error" in body:
        return Reading(error=_error(body))
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
    found = body.get("error", body) if isinstance(body, dict) else {}
    return found if isinstance(found, dict) else {"message": found}


def _read_stream(turn: Turn) -> Reading:
    found = Reading(whole=False)
    blocks: dict[int, Block] = {}
    inputs: dict[int, str] = {}
    for event in turn.data():
        match event["type"]:
            case "message_start":
                found.start = event["message"]
                _count(found, event["message"])
            case "content_block_start":
                blocks[event["index"]] = dict(event["content_block"])
            case "content_block_delta":
                _add(blocks[event["index"]], event["delta"], inputs, event["index"])
            case "message_delta":
                found.end |= event["delta"]
                _count(found, event)
            case "error":
                found.error = event["error"]
            case "message_stop":
                found.whole = True
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
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] = delta["signature"]
        case "citations_delta":
            block["citations"] = [*(block.get("citations") or []), delta["citation"]]
        case "input_json_delta":
            inputs[index] = inputs.get(index, "") + delta["partial_json"]
        case "compaction_delta":
            told = {k: v for k, v in delta.items() if k != "type" and v is not None}
            block |= {k: (block.get(k) or "") + v for k, v in told.items()}


KNOWN = ("text", "thinking", "redacted_thinking", "tool_use")


def others(found: Reading) -> Iterator[Block]:
    """The blocks that only Claude understands."""
    return (b for b in found.blocks if b["type"] not in KNOWN)
