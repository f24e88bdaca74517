"""Every file says in its first line what it is about."""

import ast
import re

import pytest

from support.source import ROOT, SOURCES, Module, modules

TOOLS = [
    Module(ROOT / "dev.py"),
    Module(ROOT / "noxfile.py"),
    *modules(ROOT / "tests"),
    *modules(ROOT / "benchmarks"),
]


@pytest.mark.parametrize("module", SOURCES + TOOLS, ids=str)
def test_the_first_line_of_a_module_is_one_sentence(module: Module) -> None:
    docstring = ast.get_docstring(module.tree)
    assert docstring, "no docstring"
    first = docstring.splitlines()[0]
    assert first.endswith("."), first
    assert not re.search(r"[a-z][.!?] [A-Z]", first), f"more than one sentence: {first}"
