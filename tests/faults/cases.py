"""The cases of the fault matrix: every entry of the catalogue x dialect x mode, and how to call it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jackfield.testing.faults import CATALOGUE, DIALECTS, Answer, Fault, FaultServer, Pace

KEY = "canary-7f3a-pelican-c2e9"
"""The key of every call. It looks like no vendor's, so that only knowing it helps to hide it."""

PROVIDERS = {
    "openai": "openai-compatible",
    "responses": "openai-compatible",
    "anthropic": "claude",
    "ollama": "ollama",
    "cohere": "cohere",
    "gemini": "gemini",
}
COLOURS = ("sync", "asyncio", "trio")
MODEL = "pelican-1"
PROMPT = "A tale of a pelican, please"

TIMEOUT = {"connect": 1.0, "first_chunk": 2.5, "idle": 2.5, "total": 6.0}
"""Seconds; the law is that a call returns by the total and a little."""

MARGIN = 6.0
"""Seconds on top, for a machine that is busy with forty calls at once."""

PACE = Pace(gap=0.02, drip=0.1, hold=30.0)

TOOL: dict[str, Any] = {
    "name": "get_weather",
    "description": "The weather of a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    },
}


@dataclass(frozen=True)
class Case:
    """One entry, met by one dialect in one mode."""

    fault: Fault
    dialect: str
    stream: bool

    def __str__(self) -> str:
        return f"{self.fault.row}.{self.fault.name}-{'stream' if self.stream else 'plain'}"

    @property
    def expected(self) -> frozenset[str]:
        """The verdicts allowed."""
        return self.fault.expected(self.dialect, stream=self.stream)

    @property
    def heavy(self) -> bool:
        """Whether a call takes so much work that only a few should run at once."""
        return bool(self.fault.upload) or self.fault.answer in ("giant", "tiny", "flood")

    @property
    def timeout(self) -> dict[str, float]:
        """Seconds; more of them where nothing but a busy machine could use them up.

        Only where nothing else ends the attempt to connect need that be soon.
        """
        late = "timeout" in self.expected
        found = {name: seconds * (1 if late else 5) for name, seconds in TIMEOUT.items()}
        stuck = late and self.fault.origin != "http"
        return found if stuck else {**found, "connect": found["total"]}

    @property
    def prompt(self) -> str:
        """What to ask; long where the entry is about uploads."""
        return "pelican " * (self.fault.upload // 8) if self.fault.upload else PROMPT

    @property
    def tools(self) -> tuple[dict[str, Any], ...]:
        """The tools to offer."""
        return (TOOL,)

    def answer(self, server: FaultServer) -> Answer:
        """The whole answer that the server means to give."""
        return server.answer(self.fault.name, tools=True)

    def config(self, server: FaultServer, tag: str, **more: Any) -> dict[str, Any]:
        """The configuration of a provider that shall meet the entry."""
        retry = {"attempts": 2 if self.fault.calls > 1 else 1, "initial": 0.01}
        url = server.url(self.dialect, self.fault.name, tag=tag)
        config = {"base_url": url, "api_key": KEY, "timeout": self.timeout, "retry": retry}
        if self.fault.origin == "tls_wrong_name":
            config["ca_file"] = server.ca_file
        second = {"api": "responses"} if self.dialect == "responses" else {}
        return {**config, **second, "allow_insecure_http": True, **more}


def cases(dialect: str, *, big: bool = False) -> Sequence[Case]:
    """The cases of *dialect*: those for a process of their own, or all others."""
    return [
        Case(fault, dialect, stream)
        for fault in CATALOGUE.values()
        for stream in (True, False)
        if fault.big is big and fault.concerns(dialect, stream=stream)
    ]


__all__ = ["COLOURS", "DIALECTS", "KEY", "MODEL", "PACE", "PROVIDERS", "Case", "cases"]
