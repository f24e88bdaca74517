"""Bytes of tokens to text that may be shown: whole characters, and nothing of a stop string."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


def held_back(text: str, marks: Sequence[str]) -> int:
    """How many characters at the end of *text* could be the beginning of one of *marks*."""
    longest = min(len(text), max((len(mark) for mark in marks), default=1) - 1)
    for length in range(longest, 0, -1):
        tail = text[-length:]
        if any(mark.startswith(tail) for mark in marks):
            return length
    return 0


class TextStream:
    """Decodes UTF-8 that arrives in pieces and ends at the first of *stops*, which is not shown."""

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.stopped = False

    def feed(self, data: bytes, *, final: bool = False) -> str:
        """The text that *data* makes certain; with *final*, everything that was held back too."""
        if self.stopped:
            return ""
        text = self._held + self._decode(data, final)
        self._held = ""
        cuts = [at for at in (text.find(stop) for stop in self._stops) if at >= 0]
        if cuts:
            self.stopped = True
            return text[: min(cuts)]
        keep = 0 if final else held_back(text, self._stops)
        if keep:
            text, self._held = text[:-keep], text[-keep:]
        return text
