"""What the reference says of the recordings: for each service its cases, how many are replayed, and which are not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from wire.cases import CASES, NOBODYS, PLUGINS, Case
from wire.takers import takers


def digest() -> str:
    """A word for the names of all cases: a page with another one is of other recordings."""
    names = "\n".join(sorted(map(str, CASES)))
    return hashlib.sha256(names.encode()).hexdigest()[:12]


def render() -> str:
    """The table of the services, the cases that are left out, and the word for the recordings."""
    ours = [case for case in CASES if case.provider in PLUGINS]
    taken = sum(case.taken for case in ours)
    named = [case for case in ours if case.named]
    shares = f"Of {len(ours)} cases {taken} are replayed whole: {taken / len(ours):.1%}."
    those = f"Of {len(named)} with a chat, a stream, a tool, an embedding or a reranking, "
    those += f"{sum(case.taken for case in named)} are."
    refused = [bool(takers(turn)) for case in ours for turn in case.turns if turn.status >= 300]
    errors = f"Of {len(refused)} answers that are errors by their status, {sum(refused)} are."
    lines = [
        "| service | plugin | cases | replayed | left out |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [*_rows(), "", *_left_out(), "", shares, those, errors]
    return "\n".join([*lines, f"<!-- recordings: {digest()} -->"])


def _rows() -> Iterator[str]:
    for provider in sorted({case.provider for case in CASES}):
        cases = [case for case in CASES if case.provider == provider]
        taken = sum(case.taken for case in cases)
        plugin = f"`{PLUGINS[provider]}`" if provider in PLUGINS else f"none: {NOBODYS}"
        out = len(cases) - taken
        yield f"| `{provider}` | {plugin} | {len(cases)} | {taken} | {out or ''} |"


def _left_out() -> Iterator[str]:
    for case in CASES:
        if case.provider in PLUGINS and not case.taken:
            yield f"- `{case}`, {_share(case)}: {_why(case.reasons)}."


def _share(case: Case) -> str:
    out, whole = len(case.left_out), len(case.turns)
    return "all of it" if out == whole else f"{out} of its {whole} exchanges"


def _why(reasons: Sequence[str | None]) -> str:
    return "; ".join(reason or "for no reason that is told" for reason in reasons)
