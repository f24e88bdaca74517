"""Nothing that is committed names a machine, a package registry's host, or a real key."""

import ast
import re

import pytest

from support.source import CORE, ROOT, Module, modules, tracked

# Written in pieces, so that this file is not its own first finding.
PATHS = re.compile(r"(?<![\w.])/(?:root|work|Users/\w+|home/(?!me\b|you\b|user\b)\w+)/")
HOSTS = re.compile(
    "|".join(
        [
            "pypi" + r"\.org",
            "pythonhosted" + r"\.org",
            "npmjs" + r"\.(?:org|com)",
            "deb" + r"\.debian",
        ]
    )
)
KEYS = re.compile(
    r"\bsk-(?:ant-|proj-|or-)?[A-Za-z0-9]{32,}|\bAIza[A-Za-z0-9_-]{35}|\bhf_[A-Za-z0-9]{34}|\bgh[pos]_[A-Za-z0-9]{36}"
)
TEXT = {
    ".cfg",
    ".ini",
    ".json",
    ".md",
    ".py",
    ".sh",
    ".toml",
    ".txt",
    ".yaml",
    ".yml",
    "",
    ".jinja",
}
# Names of models and families of models: facts about them are data, never a branch.
MODELS = re.compile(
    r"\b(?:gpt-?\d|o[134](?:-mini)?\b|claude-|sonnet|opus|haiku|gemini|llama-?\d|qwen|mistral|deepseek|gemma|phi-?\d)",
    re.IGNORECASE,
)

FILES = [path for path in tracked() if path.suffix in TEXT]


@pytest.mark.parametrize(("what", "pattern"), [("path", PATHS), ("host", HOSTS), ("key", KEYS)])
def test_no_tracked_file_holds_a(what: str, pattern: re.Pattern[str]) -> None:
    found = {
        f"{path.relative_to(ROOT)}:{number}": match.group()
        for path in FILES
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if (match := pattern.search(line))
    }
    assert found == {}


@pytest.mark.parametrize(
    "module", [m for m in modules(CORE.source) if "testing" not in m.path.parts], ids=str
)
def test_no_model_name_decides_a_branch_in_the_core(module: Module) -> None:
    documents = {
        id(node.body[0].value)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    strings = [
        node.value
        for test in ast.walk(module.tree)
        if isinstance(test, ast.Compare | ast.Call | ast.match_case | ast.If | ast.IfExp)
        for node in ast.walk(test)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documents
    ]
    assert [text for text in strings if MODELS.search(text)] == []


def test_no_file_is_larger_than_two_megabytes() -> None:
    assert {str(p): p.stat().st_size for p in tracked() if p.stat().st_size > 2_000_000} == {}
