"""Configuration files as they are read: text, tables in our own form, and the place of everything in them."""

from __future__ import annotations

import json
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from ..types import ConfigIssue
from .formats import Translation, translate
from .places import Lines, Steps, json_lines, line_of, steps_of, toml_lines, written

MAX_SIZE = 1024 * 1024
DEEPEST = 100
"""Tables within tables."""


@frozen(kw_only=True)
class Document:
    """A configuration as tables of our own form, whatever form it was written in.

    *renamed* leads from our places to the file's. *issues* are what keeps the file
    from being read, with their places; *warnings* what was passed over in it.
    """

    path: Path | None = None
    tables: Mapping[str, Any] = field(factory=dict, repr=False)
    lines: Lines = field(factory=dict, repr=False)
    renamed: Mapping[Steps, Steps] = field(factory=dict, repr=False)
    issues: tuple[ConfigIssue, ...] = ()
    warnings: tuple[ConfigIssue, ...] = ()

    def place(self, steps: Steps) -> str:
        """Where *steps* of our form are written: file, line, and the file's own name for it."""
        return self._named(self._theirs(steps))

    def _theirs(self, steps: Steps) -> Steps:
        for n in range(len(steps), 0, -1):
            if steps[:n] in self.renamed:
                return (*self.renamed[steps[:n]], *steps[n:])
        return steps

    def _named(self, steps: Steps) -> str:
        if self.path is None:
            return written(steps)
        line = line_of(self.lines, steps)
        return f"{self.path}{f':{line}' if line else ''}: {written(steps)}"

    def located(self, issue: ConfigIssue, base: Steps = ()) -> ConfigIssue:
        """*issue*, whose path is below *base*, with its place in the file."""
        return evolve(issue, path=self.place((*base, *steps_of(issue.path))))

    def line(self, issue: ConfigIssue, base: Steps = ()) -> int:
        """The line of *issue*, whose path is below *base*; 0 where there is none."""
        return line_of(self.lines, self._theirs((*base, *steps_of(issue.path)))) or 0

    def told(self, found: Translation) -> Document:
        """This document with what *found*, the translation of its tables, says."""
        issues = tuple(evolve(i, path=self._named(steps)) for steps, i in found.issues)
        warnings = tuple(evolve(i, path=self._named(steps)) for steps, i in found.warnings)
        return evolve(
            self, tables=found.tables, renamed=found.renamed, issues=issues, warnings=warnings
        )


_OTHER = "name a file with --config or JACKFIELD_CONFIG, or neither"


def open_document(path: Path, env: Mapping[str, str] | None, other: str = _OTHER) -> Document:
    """The file at *path*; never raises, but lists issues. *other* is the fix where there is no file.

    Without *env* it is no configuration of a manager, and its tables stay as they are.
    """
    try:
        text = _read(path, other)
    except ValueError as error:
        return Document(path=path, issues=(ConfigIssue(str(path), *error.args),))
    as_json = path.suffix.lower() == ".json" or text.lstrip().startswith("{")
    try:
        data = _parsed(text, as_json)
    except RecursionError:
        problem, fix = "is nested too deeply", "that is no configuration"
    except ValueError as error:
        problem, fix = _unreadable(text, as_json, error)
    else:
        lines = json_lines(text) if as_json else toml_lines(text)
        if isinstance(data, dict) and env is None:
            return Document(path=path, lines=lines, tables=data)
        listed = as_json and isinstance(data, list) and data
        if env is not None and (isinstance(data, dict) or listed):
            return Document(path=path, lines=lines).told(translate(data, as_json, env))
        problem, fix = "is not a JSON object", 'write {"NAME": {…}, …}'
    found = re.search(r"line (\d+)", problem)
    where = f"{path}:{found[1]}" if found else str(path)
    return Document(path=path, issues=(ConfigIssue(where, problem, fix),))


def _parsed(text: str, as_json: bool) -> Any:
    data = json.loads(text, object_pairs_hook=_unique) if as_json else tomllib.loads(text)
    if _deeper(data, DEEPEST):
        raise RecursionError
    return data


def _deeper(value: Any, than: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return than < 0 or any(_deeper(item, than - 1) for item in inner)


def from_mapping(tables: Mapping[str, Any], env: Mapping[str, str]) -> Document:
    """The document for data from code, in any of the forms that files have."""
    return Document().told(translate(tables, True, env))


def _read(path: Path, other: str) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ValueError("is not a file", other)
        with path.open("rb") as file:
            content = file.read(MAX_SIZE + 1)
        if len(content) > MAX_SIZE:
            raise ValueError("is larger than 1 MiB", "that is no configuration")
        text = content.decode("utf-8-sig")
    except FileNotFoundError:
        raise ValueError("does not exist", other) from None
    except OSError as error:
        raise ValueError(
            error.strerror or "cannot be read", "check it and its permissions"
        ) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line} is not UTF-8", "save the file as UTF-8") from None
    if not text.strip():
        fix = "`jackfield config init` writes one to start with; or remove it"
        raise ValueError("is empty", fix if other == _OTHER else other)
    return text


def _unreadable(text: str, as_json: bool, error: ValueError) -> tuple[str, str]:
    """What is wrong with *text*, and what to do."""
    if len(error.args) == 2:  # our own, from `_unique`
        return error.args[0], error.args[1]
    said = str(error) if re.search(r"line |\(at ", str(error)) else "a number has too many digits"
    if as_json:
        return f"is not JSON: {said}", "mend that line"
    likely = re.search(r"^[\w-]+:(\s|$)", text, re.MULTILINE)
    fix = "that looks like YAML: write TOML, as in [providers.NAME]" if likely else "mend that line"
    return f"is not TOML: {said}", fix


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys are there once."""
    names = [name for name, _ in pairs]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"has {twice[0]!r} twice", "remove one")
    return dict(pairs)
