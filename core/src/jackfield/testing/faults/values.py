"""The values of the fault server: answers, events, the pace of a script, and one row of the catalogue.

Standard library only, and nothing here does I/O: a fault is data beside the function that injects it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .reply import Reply
    from .script import Action

Json = Any
"""Anything that ``json.dumps`` takes."""

DIALECTS = ("openai", "responses", "anthropic", "ollama", "cohere", "gemini")

VERDICTS: Mapping[str, str] = {
    "equal": "success: the whole answer, no error; `Fault.answer` names it",
    "echo": "success: the text of the request's last message",
    "replaced": "success: the whole answer, with U+FFFD where the bytes were no UTF-8",
    "interrupted": "typed error that keeps the partial text; sent once, never retried silently",
    "malformed": "an answer arrived that nobody can read",
    "transport": "no (whole) answer arrived: the connection failed",
    "timeout": "one of the four timeouts fired; what had arrived is kept",
    "too_large": "a bound on sizes fired, and memory stayed flat",
    "retryable": "any typed error with `retryable` true: nothing had reached the caller",
    "error": "any typed error; success would be a silent loss",
    "filtered": "a content-filter error, or a success whose finish reason says so",
    "failed": "a success whose finish reason says that the model failed, never that it stopped",
    "context_length": "the error for a prompt that does not fit",
    "quota": "the error for an account without money; not retried",
    "status:NNN": "a provider error that carries this status; `Fault.retryable` says whether to retry",
}
"""What a client may make of a fault. Alternatives are joined with ``|``."""


@dataclass(frozen=True)
class ToolUse:
    """A call of a tool, its arguments as the pieces of JSON text in which they are streamed."""

    id: str
    name: str
    pieces: tuple[str, ...]

    @property
    def arguments(self) -> str:
        """The arguments as text."""
        return "".join(self.pieces)

    @property
    def value(self) -> Json:
        """The parsed arguments, or the raw text where it is not JSON."""
        try:
            return json.loads(self.arguments)
        except ValueError:
            return self.arguments


@dataclass(frozen=True)
class Tokens:
    """Token counts as inclusive totals; *cached* is part of *input*, *reasoning* of *output*."""

    input: int = 21
    output: int = 34
    cached: int = 5
    reasoning: int = 8


@dataclass(frozen=True)
class Answer:
    """What a provider means to say, before any dialect gives it a form.

    *finish* is one of the neutral words ``stop length tool filter``, a word of no dialect
    (rendered as it is), or None (not sent). *usage* None is not sent either.
    """

    pieces: tuple[str, ...]
    reasoning: tuple[str, ...] = ()
    tools: tuple[ToolUse, ...] = ()
    usage: Tokens | None = field(default_factory=Tokens)
    finish: str | None = "stop"
    id: str = "answer-1"
    model: str = "pelican-1"
    signature: str = "c2lnbmVkIGJ5IGEgcGVsaWNhbg=="

    @property
    def text(self) -> str:
        """The visible text."""
        return "".join(self.pieces)

    @property
    def thinking(self) -> str:
        """The reasoning."""
        return "".join(self.reasoning)


@dataclass(frozen=True)
class Event:
    """One event of a stream: its role in the answer, its payload, and its SSE event name.

    *kind* is one of ``start open ping reasoning text tool close finish usage end other``;
    a str *payload* goes out as it is, everything else as JSON.
    """

    kind: str
    payload: Json
    name: str = ""

    @property
    def data(self) -> str:
        """The payload as text."""
        if isinstance(self.payload, str):
            return self.payload
        return json.dumps(self.payload, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class Pace:
    """Seconds: *gap* between heartbeats and deltas, *drip* between slow bytes, *hold* for silence."""

    gap: float = 0.03
    drip: float = 0.2
    hold: float = 30.0


@dataclass(frozen=True)
class Situation:
    """What a script may depend on beside the healthy reply.

    *nth* counts the requests of this fault and tag from 0, *on_connection* those of them that
    came on this connection; *origins* maps the names of the server's listeners to their URLs.
    """

    path: str = "/"
    nth: int = 0
    on_connection: int = 0
    origins: Mapping[str, str] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def key(self) -> str:
        """The caller's API key, from whichever header carries it; ``""`` without one."""
        names = ("authorization", "x-api-key", "x-goog-api-key")
        return next((self.headers[n] for n in names if n in self.headers), "").removeprefix(
            "Bearer "
        )


Injector = Callable[["Reply", Situation], "Iterable[Action]"]


@dataclass(frozen=True)
class Fault:
    """One entry of the catalogue.

    *row* is its number in the catalogue of faults; *stream* and *plain* are the verdicts
    expected of a streamed and of a plain call (``""``: the entry does not concern that mode);
    *special* replaces both for single dialects. *origin* names the listener that a client must
    be pointed at. *calls* is how many calls a test should make for the fault to show, *upload*
    asks for a request body of at least that many bytes, *truth* names the answer that a client
    shall see where it is not *answer*, *big* for a process of its own in which
    memory is measured, *hint* is the pause in seconds that the answer asks for.
    """

    name: str
    row: int
    description: str
    inject: Injector
    stream: str = ""
    plain: str = ""
    dialects: tuple[str, ...] = DIALECTS
    answer: str = "healthy"
    truth: str = ""
    origin: str = "http"
    special: Mapping[str, str] = field(default_factory=dict, hash=False)
    retryable: bool | None = None
    hint: float | None = None
    calls: int = 1
    upload: int = 0
    big: bool = False
    early: bool = False
    """The script starts before the request's body was read."""

    def concerns(self, dialect: str, *, stream: bool) -> bool:
        """Whether this entry means something for *dialect* in this mode."""
        return dialect in self.dialects and bool(self.stream if stream else self.plain)

    def expected(self, dialect: str, *, stream: bool) -> frozenset[str]:
        """The verdicts allowed for *dialect* in this mode."""
        usual = self.stream if stream else self.plain
        return frozenset(self.special.get(dialect, usual).split("|"))
