"""The two ways in which the API writes a stream: events, or one JSON array that grows.

Source: https://google.aip.dev/127 and https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
"""

from __future__ import annotations

import re

from jackfield import ResponseTooLargeError
from jackfield.framing import MAX_EVENT, SSE, Frame

STEP = re.compile(rb'[{}"\\\[\]]')
BLANK = b" \t\r\n,"


class Elements:
    """Cuts a JSON array that is not whole yet into its elements."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._at = 0
        self._depth = 0
        self._text = False

    def feed(self, chunk: bytes) -> list[Frame]:
        """The elements that *chunk* completes."""
        self._held += chunk
        frames: list[Frame] = []
        while (found := STEP.search(self._held, self._at)) is not None:
            mark = found[0]
            # What a backslash is before says nothing, even if it is yet to come.
            self._at = found.end() + (mark == b"\\")
            if mark == b'"':
                self._text = not self._text
            elif not self._text and mark in b"{[":
                self._depth += 1
                if self._depth == 1:
                    self._cut()
            elif not self._text and mark in b"}]":
                self._depth -= 1
                if self._depth == 1:
                    frames.append((b"", bytes(self._held[: self._at]).lstrip(BLANK)))
                    self._cut()
        self._at = max(self._at, len(self._held))
        if len(self._held) > MAX_EVENT:
            raise ResponseTooLargeError(f"a stream event is longer than {MAX_EVENT} bytes")
        return frames

    def _cut(self) -> None:
        del self._held[: self._at]
        self._at = 0

    def close(self) -> list[Frame]:
        """What is left over: nothing, or an element that was cut off."""
        rest = bytes(self._held).strip(BLANK)
        return [(b"", rest)] if self._depth > 0 and rest else []


class Stream:
    """Events; where the first byte opens an array, its elements."""

    def __init__(self) -> None:
        self._inner: SSE | Elements | None = None
        self._blanks = 0

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that *chunk* completes."""
        if self._inner is None:
            start = chunk.lstrip()
            if not start:
                self._blanks += len(chunk)
                if self._blanks > MAX_EVENT:
                    raise ResponseTooLargeError(f"a stream begins with {self._blanks} blanks")
                return []
            self._inner = Elements() if start.startswith(b"[") else SSE()
        return self._inner.feed(chunk)

    def close(self) -> list[Frame]:
        """What an end without its blank line leaves over."""
        return self._inner.close() if self._inner else []
