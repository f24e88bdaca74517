"""From messages to those of version 2 of Cohere's chat.

What the API cannot take is converted or dropped, and the call is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from attrs import define, field

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

from .media import Json, own, refuse, render_document, render_image


@define
class Conversation:
    """The messages of one call as they are written down, and the documents that were in them."""

    call: Call[Any]
    messages: list[Json] = field(factory=list)
    documents: list[Json] = field(factory=list)
    _media: list[Json] = field(factory=list)

    def add(self, at: int, message: Message) -> None:
        """Write message number *at*: the results of tools first, each for itself."""
        results = [p for p in message.content if isinstance(p, ToolResult)]
        rest = [p for p in message.content if not isinstance(p, ToolResult)]
        if not results:
            self.flush()
        for result in results:
            self.messages.append(self._result(result))
        if not rest and results:
            return
        self.flush()
        before = len(self.documents)
        if message.role is Role.ASSISTANT:
            wire = self._assistant(rest)
        else:
            wire = self._plain(message.role, rest)
        if len(wire) > 1:
            self.messages.append(wire)
        elif len(self.documents) == before:
            self.call.warn("dropped", f"messages[{at}]", "there is nothing in it to send")

    def flush(self) -> None:
        """Write the images of tools' results, which the API takes from the user alone."""
        if self._media:
            self.messages.append({"role": "user", "content": self._media})
            self._media = []

    def _plain(self, role: Role, parts: Sequence[Any]) -> Json:
        """A message of the user or the system."""
        content: list[Json] = []
        for part in parts:
            if isinstance(part, MediaPart) and role is not Role.SYSTEM:
                self._medium(part, content)
            else:
                content += self._text(part)
        name = "system" if role is Role.SYSTEM else "user"
        return {"role": name, "content": joined(content)} if content else {"role": name}

    def _medium(self, part: MediaPart, content: list[Json]) -> None:
        """An image stays in its place; a document goes beside the messages."""
        if (image := render_image(self.call, part)) is not None:
            content.append(image)
        elif (document := render_document(self.call, part)) is not None:
            self.documents.append(document)
        else:
            refuse(self.call, part)

    def _text(self, part: Any) -> list[Json]:
        """A part that is or becomes a block of text; nothing with a warning else."""
        name = self.call.provider.info.name
        match part:
            case TextPart(text):
                return [{"type": "text", "text": text}]
            case RefusalPart(text) if text:
                self.call.warn("emulated", "refusal", "it went as text")
                return [{"type": "text", "text": text}]
            case ProviderPart(provider, data) if provider == name:
                return [dict(data)]
            case ProviderPart(provider):
                self.call.warn("dropped", f"a part of {provider}", "only it understands it")
            case RefusalPart():
                pass
            case MediaPart(kind):
                self.call.warn("dropped", kind, "the API takes no media there")
            case _:
                self.call.warn("dropped", type(part).__name__, "only the assistant may say it")
        return []

    def _assistant(self, parts: Sequence[Any]) -> Json:
        """What the model said: text and thinking, its plan and calls, what it cited."""
        content: list[Json] = []
        plan: list[ReasoningPart] = []
        calls: list[Json] = []
        cited: list[Any] = []
        for part in parts:
            mine = own(self.call, part)
            at = len(content)
            match part:
                case ToolCall():
                    calls.append(self._tool_call(part))
                case ReasoningPart() if mine.get("type") == "tool_plan":
                    plan.append(part)
                case ReasoningPart(text) if text:
                    content.append({"type": "thinking", "thinking": text})
                case ReasoningPart():
                    self.call.warn("dropped", "reasoning", "there is no text in it to send back")
                case _:
                    content += self._text(part)
            cited += [placed(citation, at) for citation in mine.get("citations", ())]
        wire: Json = {"role": "assistant"}
        if plan and calls:
            wire["tool_plan"] = "".join(p.text for p in plan)
        elif plan:
            content = [*({"type": "thinking", "thinking": p.text} for p in plan), *content]
        if any(block.get("text") != "" for block in content):
            wire["content"] = joined(content)
        if calls:
            wire["tool_calls"] = calls
        if cited and len(wire) > 1:
            wire["citations"] = cited
        return wire

    def _tool_call(self, part: ToolCall) -> Json:
        text = part.arguments.strip()
        text = "{}" if text in ("", "null") else text
        if not is_object(text):
            why = "its arguments are no JSON object: sent as text"
            self.call.warn("emulated", f"call of {part.name}", why)
            text = msgspec.json.encode({"arguments": part.arguments}).decode()
        function = {"name": part.name, "arguments": text}
        return {"id": part.id, "type": "function", "function": function}

    def _result(self, result: ToolResult) -> Json:
        """What a tool answered: texts, and documents that can be cited."""
        if result.is_error:
            self.call.warn("dropped", "tool result", "the API has no mark for a failed tool")
        content: list[Json] = []
        for part in result.content:
            if isinstance(part, TextPart):
                content.append({"type": "text", "text": part.text})
            elif (document := render_document(self.call, part)) is not None:
                content.append({"type": "document", "document": document})
            elif (image := render_image(self.call, part)) is not None:
                self.call.warn("emulated", "tool result", "its images went into a user message")
                self._media.append(image)
            else:
                refuse(self.call, part)
        return {"role": "tool", "tool_call_id": result.tool_call_id, "content": joined(content)}


def is_object(text: str) -> bool:
    """Whether *text* is a JSON object."""
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False


def placed(citation: Any, at: int) -> Any:
    """*citation* of the block at *at*, where it counts blocks."""
    if isinstance(citation, dict) and isinstance(citation.get("content_index"), int):
        return {**citation, "content_index": at}
    return citation


def joined(content: list[Json]) -> Any:
    """*content*, as plain text where it is that and nothing more."""
    if not content:
        return ""
    alone = len(content) == 1 and content[0].keys() == {"type", "text"}
    return content[0]["text"] if alone and content[0]["type"] == "text" else content


def render_conversation(call: Call[Any], messages: Iterable[Message]) -> Conversation:
    """The messages, and the documents that the model may cite.

    Raises:
        InvalidRequestError: nothing is left to send.
    """
    said = Conversation(call)
    for at, message in enumerate(messages):
        said.add(at, message)
    said.flush()
    if not said.messages:
        raise bad("messages", "nothing is left to send", "add a user message that says something")
    return said
