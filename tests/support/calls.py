"""The calls that the results of tools answer: a conversation without them is refused before it is written."""

from __future__ import annotations

from collections.abc import Sequence

from jackfield import Message, ToolCall, ToolResult


def asked_for(said: Sequence[Message]) -> list[Message]:
    """*said* after the calls of each result in it."""
    ids = [p.tool_call_id for m in said for p in m.content if isinstance(p, ToolResult)]
    calls = [ToolCall(name, "look_up") for name in ids]
    return [Message("assistant", calls), *said] if calls else [*said]
