"""The blocks of an answer: those with a common meaning, and those that only Claude understands.

The latter are put together from their pieces and kept whole, whatever they hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from attrs import define, field
from msgspec import Raw, Struct

from jackfield import ProviderPart


class Kind(Struct):
    """What kind of block one is."""

    type: str


class Text(Struct):
    """Text, with its sources where the model cited."""

    text: str = ""
    citations: list[Any] | None = None


class Thinking(Struct):
    """Visible thinking, or none with only its signature."""

    thinking: str = ""
    signature: str | None = None


class RedactedThinking(Struct):
    """Encrypted thinking."""

    data: str


class ToolUse(Struct):
    """A call of one of the caller's tools; *input* is kept as the JSON text that came."""

    id: str
    name: str
    input: Raw = Raw(b"{}")
    caller: dict[str, Any] | None = None


KIND = msgspec.json.Decoder(Kind)
BLOCKS: Mapping[str, msgspec.json.Decoder[Any]] = {
    "text": msgspec.json.Decoder(Text),
    "thinking": msgspec.json.Decoder(Thinking),
    "redacted_thinking": msgspec.json.Decoder(RedactedThinking),
    "tool_use": msgspec.json.Decoder(ToolUse),
}


@define
class WholeBlock:
    """A block of any type under construction: a server tool's call, a search's results, a new kind."""

    data: dict[str, Any]
    _pieces: list[str] = field(factory=list)

    def add(self, delta: dict[str, Any]) -> None:
        """Add a piece: text grows, lists of citations too, anything else is replaced."""
        for key, value in delta.items():
            before = self.data.get(key)
            if key == "partial_json":
                self._pieces.append(value)
            elif key == "citation":
                self.data["citations"] = [*(self.data.get("citations") or ()), value]
            elif isinstance(value, str) and isinstance(before, str) and key != "type":
                self.data[key] = before + value
            elif value is not None and key != "type":
                self.data[key] = value

    def build(self, provider: str) -> ProviderPart:
        """The part for *provider*; an input that was cut stays the text that came."""
        if text := "".join(self._pieces):
            try:
                self.data["input"] = msgspec.json.decode(text)
            except msgspec.DecodeError:
                self.data["input"] = text
        return ProviderPart(provider, self.data)
