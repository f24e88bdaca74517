"""The guards that come along, and what they look at: every text of a request or an answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar, cast

import attrs

from ..errors import ConfigError, ContentFilterError
from ..secret import KEYLIKE
from ..types import ConfigIssue

T = TypeVar("T")

EMAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b")
"""Addresses of mail."""

KEYS = KEYLIKE
"""What looks like a key."""

# What names things is no text, and neither is what returns to a provider verbatim.
_NAMES = frozenset({
    "model", "metadata", "params", "timeout", "id", "tool_call_id", "custom_id", "job_id", "file_id", "name",
    "tool_choice", "media_type", "signature", "redacted", "provider", "raw_finish_reason", "type",
})  # fmt: skip
_OPAQUE = re.compile(r"[A-Za-z0-9+/=_-]{200,}")
_CONTEXT, _TRIMMED = 256, 16_384


def map_texts(value: T, change: Callable[[str], str]) -> T:
    """*value* with every text in it changed: in attrs classes, tuples, lists and mappings.

    Names, identifiers and long strings in base64 are no texts. What has none that
    changes is returned itself. An object that changes loses its
    ``provider_metadata``, which may quote the text as it was.
    """
    return cast("T", _mapped(value, change))


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if type(value) is str:
        new = value if _OPAQUE.fullmatch(value) else change(value)
        return value if new == value else new
    if isinstance(value, tuple | list):
        items = [_mapped(item, change) for item in value]
        same = all(a is b for a, b in zip(items, value, strict=True))
        return value if same else type(value)(items)
    if isinstance(value, Mapping):
        pairs = {key: _mapped(item, change) for key, item in value.items() if key not in _NAMES}
        same = all(value[key] is item for key, item in pairs.items())
        return value if same else {**value, **pairs}
    if not attrs.has(type(value)):
        return value
    found = {f.name: getattr(value, f.name) for f in attrs.fields(type(value)) if f.init}
    pairs = {name: _mapped(item, change) for name, item in found.items() if name not in _NAMES}
    changed = {name: item for name, item in pairs.items() if item is not found[name]}
    if not changed:
        return value
    if found.get("provider_metadata"):
        changed["provider_metadata"] = {}
    return attrs.evolve(value, **changed)


def refusal(guard: str) -> ContentFilterError:
    """The error with which the guard of that name refuses; it says nothing of what it saw."""
    message = f"the guardrail {guard!r} refused this: change what is asked, or the guardrail"
    return ContentFilterError(message, code="guardrail", phase="guardrail")


class Feeder(Protocol):
    """Guards one streamed answer as it comes; *part* says to which of its parts a text belongs."""

    def feed(self, text: str, part: object) -> str:
        """What may be released now that *text* has come; raises to refuse."""
        ...

    def end(self, part: object) -> str:
        """What was kept back of *part*, which has ended."""
        ...


class _Window:
    """Hands a text on once no match of *pattern*, at most *longest* characters, can reach into it."""

    def __init__(self, pattern: re.Pattern[str], longest: int, act: Callable[[], str]) -> None:
        self._pattern, self._longest, self._act = pattern, longest, act
        self._text, self._at = "", 0

    def feed(self, more: str) -> str:
        if self._at > _TRIMMED:  # what is left of it is there to be looked behind at
            self._text, self._at = self._text[self._at - _CONTEXT :], _CONTEXT
        self._text += more
        return self._release(len(self._text) - self._longest)

    def end(self) -> str:
        return self._release(len(self._text))

    def _release(self, until: int) -> str:
        released: list[str] = []
        place = self._at
        while place < until and (match := self._pattern.search(self._text, place)):
            if match.start() >= until:
                break
            place = match.end()
            if match.end() == match.start():  # nothing is nothing to act on
                place += 1
                continue
            released += self._text[self._at : match.start()], self._act()
            self._at = match.end()
        if until > self._at:
            released.append(self._text[self._at : until])
            self._at = until
        return "".join(released)


class _Chain:
    """A text goes through a window for each pattern, each part through its own."""

    def __init__(self, windows: Callable[[], list[_Window]]) -> None:
        self._windows = windows
        self._parts: dict[object, list[_Window]] = {}

    def feed(self, text: str, part: object) -> str:
        if part not in self._parts:
            self._parts[part] = self._windows()
        for window in self._parts[part]:
            text = window.feed(text)
        return text

    def end(self, part: object) -> str:
        text = ""
        for window in self._parts.pop(part, ()):
            text = window.feed(text) + window.end()
        return text


class PatternGuard:
    """Acts on what matches *patterns*: `forbid` and `redact` make it. It guards both ways.

    It can guard a stream as it comes where *longest* says how many characters a match
    may have; so many are kept back.
    """

    def __init__(
        self,
        name: str,
        patterns: Iterable[str | re.Pattern[str]],
        longest: int | None,
        act: Callable[[], str],
    ) -> None:
        self.name, self.longest = name, longest
        self._patterns, self._act = _compiled(name, patterns), act
        if longest is not None and longest < 1:
            raise ConfigError(f"{name}: longest must be 1 or more, not {longest!r}; leave it out")

    def __call__(self, request: T, response: Any = None) -> Any:
        """*request*, or *response* where there is one, as it may go on."""
        return map_texts(request if response is None else response, self._whole)

    def _windows(self, longest: int) -> list[_Window]:
        return [_Window(pattern, longest, self._act) for pattern in self._patterns]

    def _whole(self, text: str) -> str:
        chain = _Chain(partial(self._windows, 0))
        return chain.feed(text, None) + chain.end(None)

    def begin(self) -> Feeder | None:
        """A guard for one stream; None where only whole answers can be judged."""
        return None if self.longest is None else _Chain(partial(self._windows, self.longest))


def _compiled(name: str, patterns: Iterable[str | re.Pattern[str]]) -> list[re.Pattern[str]]:
    given = [patterns] if isinstance(patterns, str | re.Pattern) else list(patterns)
    issues: list[ConfigIssue] = []
    found: list[re.Pattern[str]] = []
    for n, pattern in enumerate(given):
        try:
            found.append(re.compile(pattern))
        except (re.error, TypeError) as error:
            fix = "write one of Python's, or re.escape a text"
            issue = ConfigIssue(f"patterns[{n}]", f"is no regular expression: {error}", fix)
            issues.append(issue)
    if not given:
        issues.append(ConfigIssue("patterns", "are none", "name what to look for"))
    if issues:
        raise ConfigError(f"{name} cannot guard:", issues)
    return found


def forbid(
    patterns: Iterable[str | re.Pattern[str]], *, longest: int | None = None, name: str = "forbid"
) -> PatternGuard:
    """A guard that refuses what matches one of *patterns* (regular expressions), before or after.

    Raises:
        ConfigError: a pattern is none.
    """

    def refuse() -> str:
        raise refusal(name)

    return PatternGuard(name, patterns, longest, refuse)


def redact(
    patterns: Iterable[str | re.Pattern[str]] = (EMAIL, KEYS),
    replacement: str = "[removed]",
    *,
    longest: int | None = None,
    name: str = "redact",
) -> PatternGuard:
    """A guard that puts *replacement* for what matches *patterns*: addresses and keys, unless told.

    Raises:
        ConfigError: a pattern is none.
    """
    return PatternGuard(name, patterns, longest, lambda: replacement)


class LengthGuard:
    """Refuses more than *most* characters: `limit_length` makes it. It guards both ways, and streams."""

    def __init__(self, most: Any, name: str) -> None:
        if not isinstance(most, int) or isinstance(most, bool) or most < 0:
            raise ConfigError(f"{name}: must be a number of characters, not {most!r}")
        self.name, self.most = name, most

    def __call__(self, request: T, response: Any = None) -> None:
        """Refuse *request*, or *response* where there is one, if it is longer."""
        counter = _Counter(self)
        if response is None:
            map_texts(request, partial(counter.feed, part=None))
            return
        answers = [response.message, *(other.message for other in response.alternatives)]
        for part in (part for message in answers for part in message.content):
            for name in ("text", "arguments"):  # as they come in a stream
                counter.feed(getattr(part, name, ""), part)

    def begin(self) -> Feeder:
        """A guard for one stream."""
        return _Counter(self)


class _Counter:
    def __init__(self, guard: LengthGuard) -> None:
        self._guard, self._left = guard, guard.most

    def feed(self, text: str, part: object) -> str:
        self._left -= len(text)
        if self._left < 0:
            raise refusal(self._guard.name)
        return text

    def end(self, part: object) -> str:
        return ""


def limit_length(most: int, *, name: str = "limit_length") -> LengthGuard:
    """A guard that refuses requests, or answers, of more than *most* characters in all their texts.

    Raises:
        ConfigError: *most* is no number of characters.
    """
    return LengthGuard(most, name)
