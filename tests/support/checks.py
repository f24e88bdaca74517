"""The conformance suite's checks and pytest's options for it, as Markdown made from the code."""

import inspect
from collections.abc import Iterator
from typing import Any


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("``", "`")


def _table(head: list[str], rows: Iterator[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def checks() -> str:
    """Every check, in the groups of the source: its name, and what it asks for."""
    from jackfield.testing import ProviderConformance

    def rows(group: type[Any]) -> Iterator[list[str]]:
        for name, check in vars(group).items():
            if name.startswith("test_"):
                asked = (inspect.getdoc(check) or "").partition("\n\n")[0]
                where = "over HTTP" if _only(check, "issubclass") else ""
                yield [f"`{name.removeprefix('test_')}`", _cell(asked), where]

    parts = []
    for group in ProviderConformance.__bases__:
        title = (inspect.getdoc(group) or "").partition("\n")[0]
        made = _table(["`test_…`", "asks", "of providers"], rows(group))
        parts.append(f"### {title.partition(';')[0].rstrip('.')}\n\n{made}\n")
    return "\n".join(parts).rstrip()


def _only(check: Any, word: str) -> bool:
    needs = vars(check).get("needs")
    return needs is not None and word in needs.__code__.co_names


def options() -> str:
    """Pytest's options of ours, with their help."""
    from jackfield.testing.pytest_plugin import OPTIONS

    def rows() -> Iterator[list[str]]:
        for name, told in OPTIONS:
            value = f"={told['metavar']}" if "metavar" in told else ""
            yield [f"`{name}{value}`", _cell(told["help"])]

    return _table(["option", "does"], rows())
