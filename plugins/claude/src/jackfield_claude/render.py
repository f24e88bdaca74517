"""From messages to the Messages API's blocks.

What the API cannot take is converted or dropped, and the call is told. The metadata
``{"claude": {…}}`` of a part or tool goes into its block: ``cache_control``, say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jackfield import (
    MediaPart,
    Message,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    Role,
    TextPart,
    ToolCall,
    ToolResult,
)
from jackfield.exchange import Call
from jackfield.prompts import bad

from .media import render_media
from .toolcalls import tool_input, tool_use_id

Json = dict[str, Any]


def own(call: Call[Any], thing: Any) -> Json:
    """What *thing* says to this provider alone."""
    metadata: Mapping[str, Any] = getattr(thing, "provider_metadata", {})
    mine = dict(metadata.get(call.provider.info.name, {}))
    if isinstance(cited := mine.get("citations"), list):
        # Answers name the file, requests must not.
        mine["citations"] = [{k: v for k, v in c.items() if k != "file_id"} for c in cited]
    return mine


def render_conversation(call: Call[Any], messages: Iterable[Message]) -> Json:
    """The fields ``system`` and ``messages``.

    System messages go to the front, but for one whose metadata says ``{"role":
    "system"}``: newer models take it where it stands. The results of parallel
    calls go into one message, as the API wants them.
    """
    system: list[Json] = []
    wire: list[Json] = []
    after_tool = False
    for at, message in enumerate(messages):
        mine = own(call, message)
        assistant = message.role is Role.ASSISTANT
        role = mine.pop("role", "assistant" if assistant else "user")
        blocks = render_parts(call, message.content)
        if not blocks:
            call.warn("dropped", f"messages[{at}]", "there is nothing in it to send")
            continue
        blocks[-1].update(mine)
        if message.role is Role.SYSTEM and role != "system":
            if wire:
                call.warn("emulated", "system message", "it went to the front")
            system += _texts(call, blocks)
            continue
        if after_tool and message.role is Role.TOOL:
            blocks = wire.pop()["content"] + blocks
        after_tool = message.role is Role.TOOL
        if not assistant:
            # Results come first, or the API refuses the message.
            blocks.sort(key=lambda b: b.get("type") != "tool_result")
        wire.append({"role": role, "content": blocks})
    if not wire:
        raise bad("messages", "nothing is left to send", "add a user message that says something")
    return {"system": system, "messages": wire} if system else {"messages": wire}


def _texts(call: Call[Any], blocks: list[Json]) -> list[Json]:
    """The text of a system message: the API takes nothing else there."""
    texts = [b for b in blocks if b.get("type") == "text"]
    if len(texts) < len(blocks):
        call.warn("dropped", "system message", "only its text can be sent")
    return texts


def render_parts(call: Call[Any], parts: Sequence[Any]) -> list[Json]:
    """A block for each part that the API can take."""
    blocks = ((_block(call, part), own(call, part)) for part in parts)
    return [{**block, **mine} for block, mine in blocks if block is not None]


def _block(call: Call[Any], part: Any) -> Json | None:
    match part:
        case TextPart(text):
            # The API refuses blank text.
            return {"type": "text", "text": text} if text.strip() else None
        case MediaPart():
            return render_media(call, part)
        case ReasoningPart(provider_metadata=by) if by and call.provider.info.name not in by:
            call.warn("dropped", "reasoning", "another provider signed it")
        case ReasoningPart(redacted=str() as data):
            return {"type": "redacted_thinking", "data": data}
        case ReasoningPart(text, signature=str() as signature):
            return {"type": "thinking", "thinking": text, "signature": signature}
        case ReasoningPart():
            call.warn("dropped", "reasoning", "without Claude's signature it cannot be sent back")
        case ToolCall(id, name, arguments):
            use = {"type": "tool_use", "id": tool_use_id(id), "name": name}
            return {**use, "input": tool_input(call, name, arguments)}
        case ToolResult():
            return _result(call, part)
        case RefusalPart(text) if text.strip():
            call.warn("emulated", "refusal", "it went as text")
            return {"type": "text", "text": text}
        case ProviderPart(provider, data) if provider == call.provider.info.name:
            return dict(data)
        case ProviderPart(provider):
            call.warn("dropped", f"a part of {provider}", "only its own provider understands it")
    return None


def _result(call: Call[Any], part: ToolResult) -> Json:
    block: Json = {"type": "tool_result", "tool_use_id": tool_use_id(part.tool_call_id)}
    content = render_parts(call, part.content)
    if content:
        plain = len(content) == 1 and content[0].keys() == {"type", "text"}
        block["content"] = content[0]["text"] if plain else content
    return {**block, "is_error": True} if part.is_error else block
