"""The repository's own source, as data for the tests that hold it to its rules."""

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from attrs import frozen

ROOT = Path(__file__).resolve().parents[2]


@frozen
class Package:
    """One distribution of the workspace."""

    folder: Path

    @property
    def pyproject(self) -> dict[str, Any]:
        """Its pyproject.toml."""
        return tomllib.loads((self.folder / "pyproject.toml").read_text("utf-8"))

    @property
    def name(self) -> str:
        """The distribution's name."""
        return str(self.pyproject["project"]["name"])

    @property
    def module(self) -> str:
        """The name it is imported by."""
        return self.name.replace("-", "_")

    @property
    def source(self) -> Path:
        """The folder of its import package."""
        return self.folder / "src" / self.module

    @property
    def dependencies(self) -> list[str]:
        """What it always needs, as written."""
        return list(self.pyproject["project"].get("dependencies", ()))

    @property
    def extras(self) -> dict[str, list[str]]:
        """What it needs for more, by the extra's name."""
        return dict(self.pyproject["project"].get("optional-dependencies", {}))

    @property
    def requirements(self) -> list[str]:
        """Everything that it may ask for, extras included."""
        return self.dependencies + [wanted for extra in self.extras.values() for wanted in extra]

    def __str__(self) -> str:
        return self.name


@frozen
class Module:
    """One source file."""

    path: Path

    @property
    def text(self) -> str:
        """Its text."""
        return self.path.read_text("utf-8")

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return len(self.text.splitlines())

    @property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return _parse(self.path)

    def imports(self) -> Iterator[str]:
        """The full names of the modules that it imports, relative ones left out."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                yield node.module

    def relative_imports(self) -> Iterator[str]:
        """The names of the modules of its own package that it imports, as it writes them."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.level:
                yield from [node.module] if node.module else [alias.name for alias in node.names]

    def functions(self) -> Iterator[tuple[str, int]]:
        """Every function's name and length in lines, decorators and docstring included."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                yield node.name, (node.end_lineno or first) - first + 1

    def __str__(self) -> str:
        return self.path.relative_to(ROOT).as_posix()


@cache
def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def modules(folder: Path) -> list[Module]:
    """Every Python file under *folder*."""
    return [
        Module(path) for path in sorted(folder.rglob("*.py")) if "__pycache__" not in path.parts
    ]


CORE = Package(ROOT / "core")
PLUGINS = [Package(p.parent) for p in sorted(ROOT.glob("plugins/*/pyproject.toml"))]
PACKAGES = [CORE, *PLUGINS]
SOURCES = [module for package in PACKAGES for module in modules(package.folder / "src")]


def tracked() -> list[Path]:
    """Every file that is or would be committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    return [
        path for name in listed.decode().split("\0") if name and (path := ROOT / name).is_file()
    ]
