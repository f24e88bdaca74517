r"""Filler in the place of texts: what people and models wrote goes, the protocol around it stays, byte for byte as long.

Of JSON, texts are filled unless they stand under a name in `STRUCTURE`; names of fields stay, and
numbers do, except under a name in `CODES`. White space stays. A character becomes one of the same
size in UTF-8, so that a stream breaks where it broke. JSON inside of a text (the arguments of a
tool call, in pieces as they come) is JSON afterwards.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, field

STRUCTURE = frozenset(
    "$ type object role id ids model models name names status state verb event code param finish_reason finishReason "
    "native_finish_reason stop_reason done_reason reason call_id callId tool_call_id tool_use_id item_id "
    "response_id responseId previous_response_id request_id requestId system_fingerprint service_tier created_at "
    "createdAt created updated_at expires_at expireTime createTime modelVersion modality mime_type mimeType media_type "
    "mediaType format encoding_format response_type blockReason category probability severity provider "
    "reasoning_effort effort verbosity detail tool_choice toolChoice mode required encoding generation_id "
    "phase level method billed_units cache_control ttl".split()
)
"""Names under which a text is a word of the protocol, or names a thing in it."""

CODES = frozenset(
    "bytes context token_ids tokens_ids token_logprobs embedding embeddings values vector".split()
)
"""Names under which numbers are a text in another form."""

_TOKEN = re.compile(
    r'"(?P<text>(?:[^"\\]|\\.)*)(?P<end>"\s*:|"|\\?\Z)'
    r"|(?P<number>-?\d[\d.eE+-]*)|(?P<open>[{\[])|(?P<close>[}\]])",
    re.DOTALL,
)
_UNIT = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL
)
_ARGUMENTS = re.compile(r'"type"\s*:\s*"[^"]*arguments')
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_STREAM = re.compile(r"(?:\A\ufeff?|[\r\n])(?:data|event):")
_LITERALS = ("true", "false", "null")


def fill_text(text: str) -> str:
    """*text* as filler: its white space, and a sign of the same size for every other."""
    return "".join(c if c.isspace() else _sign(ord(c)) for c in text)


def fill(value: Any) -> Any:
    """Plain data with filler in place of its texts."""
    text = json.dumps(value, ensure_ascii=False)
    return json.loads(Filler().json(text))


def fill_recording(document: Mapping[str, Any]) -> dict[str, Any]:
    """The recording *document* (see `jackfield.testing.recordings`) with filler in place of its texts.

    What it expects is left out: that is another now.
    """
    filled = {k: v for k, v in document.items() if k not in ("expect", "call")}
    if "call" in document:
        filled["call"] = fill(document["call"])
    filled["interactions"] = [_filled_turn(turn) for turn in document["interactions"]]
    return filled


def _filled_turn(turn: Mapping[str, Any]) -> dict[str, Any]:
    answer = _filled_body(turn["response"])
    if "failure" in answer:
        message = fill_text(answer["failure"]["message"])
        answer["failure"] = {**answer["failure"], "message": message}
    asked = turn.get("request")
    return {**turn, "response": answer, **({"request": _filled_body(asked)} if asked else {})}


def _filled_body(part: Mapping[str, Any]) -> dict[str, Any]:
    filled = dict(part)
    if "body" in part:
        filled["body"] = fill(part["body"])
    if "sse" in part:
        filled["sse"] = Filler().stream(part["sse"])
    if "body_text" in part:
        filled["body_text"] = Filler().lines(part["body_text"])
    if "body_base64" in part:
        filled["body_base64"] = b64encode(_filled_bytes(b64decode(part["body_base64"]))).decode()
    return filled


def _filled_bytes(payload: bytes) -> bytes:
    """A body that is no text: one with wrong bytes in it keeps them, any other is filler alone."""
    text = payload.decode(errors="surrogateescape")
    if text.lstrip()[:1] not in ("{", "[") and _STREAM.search(text) is None:
        return b"x" * len(payload)
    return Filler().lines(text).encode(errors="surrogateescape")


def _sign(code: int) -> str:
    """The sign that stands for the character *code*, as large in UTF-8; half a character stays."""
    if 0xD800 <= code < 0xE000:
        return chr(code)
    return "x" if code < 0x80 else "é" if code < 0x800 else "€" if code < 0x10000 else "😀"


def _unit(unit: str) -> str:
    """What stands for one character of a JSON text, as it is written there."""
    if not unit.startswith("\\"):
        return unit if unit.isspace() else _sign(ord(unit))
    if not unit.startswith("\\u"):
        return unit
    if len(unit) > 6:
        return "\\ud83d\\ude00"
    code = int(unit[2:6], 16)
    return unit if code <= 0x20 else f"\\u{ord(_sign(code)):04x}"


@define
class _Inner:
    """Where in a JSON text inside of a text one is: it may come in pieces."""

    depth: int = 0
    inside: bool = False
    escaped: bool = False
    hexadecimal: int = 0
    strings: int = 0
    fresh: bool = False
    word: str = ""
    last: str = ""

    def take(self, unit: str) -> str:
        """What stands for *unit*."""
        char = str(json.loads(f'"{unit}"', strict=False)) if len(unit) > 1 else unit
        return self._in_string(unit, char) if self.inside else self._outside(unit, char)

    def _outside(self, unit: str, char: str) -> str:
        exponent = char in "eE" and self.last.isdecimal()
        self.word = self.word + char if char.isalpha() and not exponent else ""
        self.last = char
        if char == '"':
            self.inside, self.fresh, self.strings = True, True, self.strings + 1
        elif char in "{[":
            self.depth += 1
        elif char in "}]":
            self.depth -= 1
            if self.depth <= 0:
                self.depth = self.strings = 0
        elif char.isdecimal():
            return "1"
        elif self.word and not any(literal.startswith(self.word) for literal in _LITERALS):
            return _unit(unit)
        kept = char in '{}[]:,.-+" \n\r\t' or self.word or exponent
        return unit if kept else _unit(unit)

    def _in_string(self, unit: str, char: str) -> str:
        if self.hexadecimal:
            self.hexadecimal -= 1
            return "0078"[3 - self.hexadecimal]
        if self.escaped:
            self.escaped = False
            self.hexadecimal = 4 if char == "u" else 0
            return unit
        if char == "\\":
            self.escaped = True
            return unit
        if char == '"':
            self.inside = False
            return unit
        filled = _unit(unit)
        if filled == "x" and self.fresh:  # names of one length stay apart
            filled = chr(ord("a") + self.strings % 26)
        self.fresh = False
        return filled


@define
class Filler:
    """Fills one body: what comes in pieces is one text."""

    _inner: dict[str, _Inner] = field(factory=dict)

    def stream(self, text: str) -> str:
        """A stream of server-sent events, filled; names of events stay."""
        mark = text[: text.startswith("\ufeff")]
        filled: list[str] = [mark]
        data: list[str] = []  # of one event: a line, its end, and so on
        for line, end in _LINE.findall(text[len(mark) :]):
            if line.startswith("data:"):
                data += [line.removeprefix("data:"), end]
            else:
                filled += [*self._data(data), self._line(line), end]
                data.clear()
        return "".join([*filled, *self._data(data)])

    def _data(self, lines: list[str]) -> Iterator[str]:
        """The data of an event: one text, whose lines may end in the middle of it."""
        if not lines:
            return
        told = lines[::2]
        whole = (
            told if "".join(told).strip() == "[DONE]" else self.lines("\n".join(told)).split("\n")
        )
        for line, end in zip(whole, lines[1::2], strict=True):
            yield f"data:{line}{end}"

    def _line(self, line: str) -> str:
        name, colon, _ = line.partition(":")
        if colon and name in ("event", "id", "retry"):
            return line
        return f":{fill_text(line[1:])}" if line.startswith(":") else self.lines(line)

    def lines(self, text: str) -> str:
        """JSON, lines of it, a stream of events, or another text, filled."""
        if text.lstrip()[:1] in ("{", "[", '"'):
            return self.json(text)
        return self.stream(text) if _STREAM.search(text) else fill_text(text)

    def json(self, text: str) -> str:
        """The JSON *text*, even a broken one, filled."""
        arguments = _ARGUMENTS.search(text) is not None
        return "".join(self._pieces(text, arguments))

    def _pieces(self, text: str, arguments: bool) -> Iterator[str]:
        above: list[tuple[str, str]] = []
        name, tag, at = "", "", 0
        for token in _TOKEN.finditer(text):
            yield from _between(text[at : token.start()])
            at = token.end()
            found = token[0]
            if token["open"]:
                above.append((name, tag))
                tag = ""
            elif token["close"]:
                name, tag = above.pop() if above else ("", "")
            elif token["number"]:
                found = re.sub(r"\d", "1", found) if name in CODES else found
            elif token["end"].endswith(":"):
                name = token["text"]
            elif token["text"] is not None:
                tag = token["text"] if name == "$" else tag
                kept = name in STRUCTURE or (name == "value" and tag not in ("", "bytes"))
                inside = token["text"] if kept else self._text(name, token["text"], arguments)
                found = f'"{inside}{token["end"]}'
            yield found
        yield from _between(text[at:])

    def _text(self, name: str, text: str, arguments: bool) -> str:
        units = _UNIT.findall(text)
        if name in ("arguments", "partial_json") or (name == "delta" and arguments):
            inner = self._inner.setdefault(name, _Inner())
            return "".join(map(inner.take, units))
        return "".join(map(_unit, units))


def _between(text: str) -> Iterator[str]:
    """What stands between tokens: commas, white space, literals; of anything else filler."""
    for word in re.findall(r"[^\W\d]+|[^\w]|\d", text):
        yield word if word in _LITERALS or word in ",: \n\r\t" else fill_text(word)
