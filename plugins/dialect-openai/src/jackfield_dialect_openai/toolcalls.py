"""Telling the tool calls of one answer apart, whatever the server numbers them.

The protocol gives each piece of a call an ``index``, and the first one an ``id`` and
a ``name``. Servers leave indexes out, number everything 0, repeat ids and names with
each piece, give two calls one id, or give none. What still holds: a call has a name,
and its arguments are one JSON object.
"""

from __future__ import annotations

from zlib import crc32

import msgspec
from attrs import define, field

from jackfield import ToolCallDelta

from .wire import Function, ToolCallWire


@define
class _Open:
    """A call that was begun: the id it goes by here, its name, and its arguments so far."""

    id: str
    name: str
    custom: bool = False
    pieces: list[str] = field(factory=list)
    renamed: bool = False

    def is_whole(self) -> bool:
        """Whether the arguments are complete already."""
        try:
            return isinstance(msgspec.json.decode("".join(self.pieces)), dict)
        except msgspec.MsgspecError:
            return False


@define
class Calls:
    """The tool calls of one answer; *answer* names it in the ids that are made up."""

    answer: str = ""
    opened: list[_Open] = field(factory=list)
    _by_index: dict[int, int] = field(factory=dict)
    _by_id: dict[str, int] = field(factory=dict)

    def add(self, wire: ToolCallWire, choice: int, *, whole: bool) -> ToolCallDelta:
        """The event for one call (*whole*), or for one piece of a call.

        What a custom tool is given is free text, and is told when it is whole.
        """
        function = wire.function or Function()
        if wire.custom is not None:
            function = Function(wire.custom.name, wire.custom.input)
        key = "" if wire.id is None else str(wire.id)
        index = None if wire.index is None else int(wire.index)
        name = function.name or ""
        arguments = _text(function.arguments)
        at = None if whole else self._find(index, key, name, arguments)
        given = ""
        if at is None:
            at = len(self.opened)
            given = key if key and all(key != c.id for c in self.opened) else self._make_id(at)
            self.opened.append(_Open(given, name, wire.custom is not None))
        if index is not None:
            self._by_index[index] = at
        if key:
            self._by_id[key] = at
        call = self.opened[at]
        call.renamed = call.renamed or bool(name and call.pieces and call.name)
        call.name = call.name or name
        call.pieces.append(arguments)
        return ToolCallDelta(at, given, name, "" if call.custom else arguments, choice)

    def _find(self, index: int | None, key: str, name: str, arguments: str) -> int | None:
        """The call that a piece goes on with; None if it begins one."""
        known = self._by_id.get(key) if key else None
        if index is not None:
            numbered = self._by_index.get(index)
        elif known is not None or (key and name):
            numbered = known
        else:
            numbered = len(self.opened) - 1 if self.opened else None
        if not name:
            return numbered if known is None else known
        if numbered is None:
            return None
        if known is not None:
            numbered = known
        call = self.opened[numbered]
        if key and known is None and call.name:
            return None
        return numbered if self._goes_on(call, key, name, arguments) else None

    @staticmethod
    def _goes_on(call: _Open, key: str, name: str, arguments: str) -> bool:
        """Whether a piece that says a name may belong to *call*."""
        if call.name != name:
            return not call.name
        if not call.is_whole():
            return True
        # Whole arguments take no more. A bare name said again is a new call, unless
        # this server says the name (or the same id) with every piece.
        return not arguments.strip() and (bool(key) or call.renamed or len(call.pieces) == 1)

    def _make_id(self, at: int) -> str:
        """An id that no other call of this conversation is likely to have."""
        taken = {call.id for call in self.opened}
        made = f"call_{crc32(self.answer.encode()):08x}_{at}"
        while made in taken:
            made += "_"
        return made

    def is_cut(self) -> bool:
        """Whether a call lacks the end of its arguments."""
        return any(not (call.custom or call.is_whole()) for call in self.opened)

    def close(self, choice: int, provider: str) -> list[ToolCallDelta]:
        """Empty arguments for the calls that were given none, and what custom tools are given."""
        due = []
        for at, call in enumerate(self.opened):
            said = "".join(call.pieces)
            if call.custom:
                given = msgspec.json.encode({"input": said}).decode()
                own = {provider: {"type": "custom"}}
                due.append(ToolCallDelta(at, "", "", given, choice, own))
            elif not said.strip():
                due.append(ToolCallDelta(at, "", "", "{}", choice))
        return due


def _text(arguments: str | dict[str, object] | None) -> str:
    """The arguments as JSON text, from a server that sends them as an object too."""
    if isinstance(arguments, dict):
        return msgspec.json.encode(arguments).decode()
    return arguments or ""
