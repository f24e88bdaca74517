"""Where each setting of a configuration stands: the lines of TOML and JSON texts, and how a place is written."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

Step = str | int
Steps = tuple[Step, ...]
Lines = Mapping[Steps, int]

_TOKEN = re.compile(
    r'(?P<text>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\')'
    r"|(?P<comment>#[^\n]*)|(?P<mark>[\[\]{},=.:\n])|(?P<bare>[^\s\[\]{},=.:#\"']+)",
    re.DOTALL,
)
_STEP = re.compile(
    r"""\[(\d+|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")\]|"((?:\\.|[^"\\])*)"|([^.\[\]"]+)"""
)


def steps_of(path: str) -> Steps:
    """The steps of a *path* as issues have it: ``providers['a.b'].limits.models."x".wait``."""
    found = _STEP.finditer(path)
    return tuple(ast.literal_eval(m[1]) if m[1] else m[3] or m[2] for m in found)


def written(steps: Iterable[Step]) -> str:
    """*steps* as a person reads them: ``routes.main.targets[0]``."""
    path = ""
    for step in steps:
        shown = step if str(step).isprintable() and "/" not in str(step) else repr(step)
        path += f"[{step}]" if isinstance(step, int) else f".{shown or repr(step)}"
    return path.removeprefix(".")


def line_of(lines: Lines, steps: Steps) -> int | None:
    """The line of *steps*, or of the nearest table around them."""
    around = (steps[:n] for n in range(len(steps), 0, -1))
    return next((lines[place] for place in around if place in lines), None)


def json_lines(text: str) -> dict[Steps, int]:
    """The line of every key and item of *text*, which is JSON."""
    lines: dict[Steps, int] = {}
    _note(_tokens(text), (), ":", lines)
    return lines


def toml_lines(text: str) -> dict[Steps, int]:
    """The line of every table, key and item of *text*, which is TOML."""
    lines: dict[Steps, int] = {}
    counts: dict[Steps, int] = {}
    table: Steps = ()
    statement: list[tuple[str, str, int]] = []
    depth = 0
    for token in [*_tokens(text), ("mark", "\n", 0)]:
        depth += (token[1] in "[{") - (token[1] in "]}") if token[0] == "mark" else 0
        if token[1] != "\n" or depth > 0:
            statement.append(token)
        elif statement:
            table = _statement(statement, table, counts, lines)
            statement = []
    return lines


def _statement(
    tokens: list[tuple[str, str, int]],
    table: Steps,
    counts: dict[Steps, int],
    lines: dict[Steps, int],
) -> Steps:
    """Take in a TOML statement; the table that the next ones are in."""
    line = tokens[0][2]
    if tokens[0][1] != "[":
        end = next(n for n, token in enumerate(tokens) if token[:2] == ("mark", "="))
        keys = [_key(t) for kind, t, _ in tokens[:end] if kind != "mark"]
        for n in range(len(keys)):
            lines.setdefault((*table, *keys[: n + 1]), line)
        _note(tokens[end + 1 :], (*table, *keys), "=", lines)
        return table
    keys = [_key(t) for kind, t, _ in tokens if kind != "mark"]
    place: Steps = ()
    for n, key in enumerate(keys):
        place = (*place, key)
        lines.setdefault(place, line)
        if n == len(keys) - 1 and tokens[1][1] == "[":
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    lines.setdefault(place, line)
    return place


def _tokens(text: str) -> list[tuple[str, str, int]]:
    """Kind, text and line of each token, without comments and blanks."""
    tokens, line, at = [], 1, 0
    for found in _TOKEN.finditer(text):
        line, at = line + text.count("\n", at, found.start()), found.start()
        if found.lastgroup != "comment":
            tokens.append((str(found.lastgroup), found[0], line))
    return tokens


def _note(
    tokens: list[tuple[str, str, int]], path: Steps, assigns: str, lines: dict[Steps, int]
) -> None:
    """Note the lines of what is in the value *tokens* at *path*."""
    around: list[tuple[Steps, bool]] = []
    keys: list[str] = []
    for kind, text, line in tokens:
        if kind != "mark":
            keys.append(text)
            lines.setdefault(path, line)
        elif text in "[{":
            lines.setdefault(path, line)
            around.append((path, text == "["))
            path, keys = (*path, 0) if text == "[" else path, []
        elif text in "]}":
            path, keys = around.pop()[0], []
        elif text == "," and around:
            outer, listed = around[-1]
            last = path[-1]
            path, keys = (*outer, last + 1) if listed and isinstance(last, int) else outer, []
        elif text == assigns and around:
            path, keys = (*around[-1][0], *map(_key, keys)), []
            lines.setdefault(path, line)


def _key(text: str) -> str:
    """A key in plain letters."""
    if text[:1] not in ("'", '"'):
        return text
    try:
        plain: Any = json.loads(text) if text[0] == '"' else text[1:-1]
    except ValueError:  # an escape that is TOML's alone
        plain = tomllib.loads(f"key = {text}")["key"]
    return str(plain)
