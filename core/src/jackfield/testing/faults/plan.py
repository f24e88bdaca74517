"""Which fault a request meets: one, a sequence of them, or every n-th time."""

from __future__ import annotations

import difflib
from collections.abc import Container, Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote

DEFAULT = "503"
"""The fault of ``every=3`` when none is named."""


@dataclass(frozen=True)
class Plan:
    """A path's first segment, read: ``503,429,ok`` (the last repeats), ``every=3:cut_rst``, one name.

    *text* is the plan as written, *tag* keeps the counts of tests apart.
    """

    text: str
    steps: tuple[str, ...]
    every: int = 0
    tag: str = ""

    def fault(self, nth: int) -> str:
        """The name of the fault for the *nth* request, from 0."""
        if self.every:
            return self.steps[0] if (nth + 1) % self.every == 0 else "ok"
        return self.steps[min(nth, len(self.steps) - 1)]

    @property
    def segment(self) -> str:
        """The path segment that says this plan."""
        return quote(f"{self.text}~{self.tag}" if self.tag else self.text, safe=",=:~")


def read(text: str, tag: str, known: Container[str]) -> Plan | None:
    """The plan that *text* says; None where it names something unknown."""
    every, names = 0, text
    if text.startswith("every="):
        number, _, names = text.removeprefix("every=").partition(":")
        if not number.isdecimal() or int(number) < 1:
            return None
        every, names = int(number), names or DEFAULT
    steps = tuple(names.split(","))
    if not all(step in known for step in steps):
        return None
    return Plan(text, steps, every, tag)


def from_path(target: str, known: Container[str]) -> tuple[Plan, str]:
    """The plan in *target*'s first segment (``ok`` where there is none), and the rest of the path."""
    path = target.partition("?")[0]
    segment, slash, rest = path.removeprefix("/").partition("/")
    text, _, tag = unquote(segment).partition("~")
    plan = read(text, tag, known)
    if plan is None:
        return Plan("ok", ("ok",)), path
    return plan, slash + rest


def checked(text: str, tag: str, known: Iterable[str]) -> Plan:
    """The plan that *text* says. Raises ValueError naming the nearest faults where one is unknown."""
    names = list(known)
    plan = read(text, tag, set(names))
    if plan is None:
        wrong = next((n for n in text.rpartition(":")[2].split(",") if n not in names), text)
        near = difflib.get_close_matches(wrong, names, 3)
        hint = (
            f"; did you mean {', '.join(near)}?"
            if near
            else "; jackfield.testing.faults.CATALOGUE has them all"
        )
        raise ValueError(f"no fault {wrong!r} in the plan {text!r}{hint}")
    return plan
