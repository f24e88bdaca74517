"""An answer's text taken apart as it arrives: what to show, what the model thought, its tool calls."""

from __future__ import annotations

from .text import held_back
from .toolcalls import CallReader, Delta, ToolFormat

THINK, THOUGHT = "<think>", "</think>"


class AnswerReader:
    """Turns text into OpenAI deltas: `content`, `reasoning_content` and `tool_calls`.

    Marks are recognised wherever the pieces of text are cut, and never shown. What stands between
    the marks of a call but is no call is given back as content, marks included: nothing is lost.

    Args:
        tools: the format in which calls may come; None when no tools are on offer.
        thinking: whether the prompt ended inside the model's thoughts.
    """

    def __init__(self, tools: ToolFormat | None = None, *, thinking: bool = False) -> None:
        self._tools = tools
        self._state = "think" if thinking else "start"
        self._held = ""
        self._trim = thinking  # whether white space at the beginning of what comes next is layout
        self._calls: CallReader | None = None
        self.call_count = 0

    @property
    def at_call(self) -> bool:
        """Whether a tool call has just been opened, and nothing of it was written yet."""
        return self._state == "call" and self._calls is not None and self._calls.is_empty

    def feed(self, text: str) -> list[Delta]:
        """The deltas that *text* makes certain."""
        self._held += text
        out: list[Delta] = []
        while self._step(out, final=False):
            pass
        return out

    def close(self) -> list[Delta]:
        """The rest, at the end of the answer."""
        out: list[Delta] = []
        while self._step(out, final=True):
            pass
        if self._state == "call":
            self._end_call(out, closed=False)
        return out

    def _step(self, out: list[Delta], *, final: bool) -> bool:
        """Move one mark further; False when more text is needed."""
        if self._state == "start":
            return self._start(final=final)
        if self._state == "think":
            return self._until(out, (THOUGHT,), "reasoning_content", final=final)
        if self._state == "call":
            end = self._tools.end if self._tools else ""
            return self._until(out, (end,) if end else (), "", final=final)
        start = self._tools.start if self._tools else ""
        return self._until(out, (start,) if start else (), "content", final=final)

    def _start(self, *, final: bool) -> bool:
        """At the very start an answer may open with thoughts, or be a bare call."""
        text = self._held.lstrip()
        if not text and not final:
            return False
        if text.startswith(THINK):
            self._held, self._state, self._trim = text[len(THINK) :], "think", True
        elif THINK.startswith(text) and not final:
            return False
        elif self._tools is not None and not self._tools.start and text.startswith(("{", "[")):
            self._held = text
            self._begin_call()
        else:
            self._state = "text"
        return True

    def _until(self, out: list[Delta], marks: tuple[str, ...], kind: str, *, final: bool) -> bool:
        """Give what comes before the first of *marks*; True when there was one."""
        found = min(
            ((at, mark) for mark in marks if (at := self._held.find(mark)) >= 0), default=None
        )
        if found is not None:
            before, self._held = self._held[: found[0]], self._held[found[0] + len(found[1]) :]
        else:
            keep = 0 if final else held_back(self._held, marks)
            before, self._held = (
                self._held[: len(self._held) - keep],
                self._held[len(self._held) - keep :],
            )
        self._give(out, before, kind, marked=found is not None)
        if found is not None:
            self._pass_mark(out)
        return found is not None

    def _give(self, out: list[Delta], text: str, kind: str, *, marked: bool) -> None:
        if self._calls is not None:
            out.extend(self._calls.feed(text))
            return
        if self._trim:
            text = text.lstrip()
            self._trim = not text
        # White space between a sentence and a call is layout.
        if text and (text.strip() or not marked or kind != "content"):
            out.append({kind: text})

    def _pass_mark(self, out: list[Delta]) -> None:
        if self._state == "think":
            self._state, self._trim = "text", True
        elif self._state == "call":
            self._end_call(out, closed=True)
        else:
            self._begin_call()

    def _begin_call(self) -> None:
        self._state, self._calls = "call", CallReader(self.call_count)

    def _end_call(self, out: list[Delta], *, closed: bool) -> None:
        assert self._calls is not None
        assert self._tools is not None
        deltas, raw = self._calls.close()
        out.extend(deltas)
        self.call_count += self._calls.count
        if raw:
            out.append({"content": self._tools.start + raw + (self._tools.end if closed else "")})
        self._calls, self._state, self._trim = None, "text", not raw
