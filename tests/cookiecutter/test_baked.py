"""A package baked from the template works at once: built, installed beside the core's wheel, and held to the contract."""

import ast
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import frozen

from support.baking import Environment, bake, environment, files, run, succeeds
from support.dists import members
from support.markdown import blocks

SHAPES: dict[str, dict[str, str]] = {
    "openai-compatible": {"name": "acme"},
    "http": {"name": "pelican-db", "licence": "MIT", "base_url": "http://localhost:8080/api"},
    "local": {
        "name": "302ai",
        "licence": "BSD-3-Clause",
        "author": "Ada O'Neill <ada@example.com>",
    },
}
LICENCES = {"acme": "Apache License", "pelican-db": "MIT License", "302ai": "BSD 3-Clause License"}


@frozen
class Baked:
    """A baked package, installed."""

    name: str
    folder: Path
    environment: Environment

    @property
    def module(self) -> Path:
        """Its one module."""
        (path,) = self.folder.glob("src/*/__init__.py")
        return path

    def python(self, code: str) -> str:
        """What *code* prints there."""
        return succeeds(self.folder, self.environment.program("python"), "-W", "error", "-c", code)


@pytest.fixture(scope="module", params=SHAPES)
def baked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Baked:
    shape = str(request.param)
    folder = tmp_path_factory.mktemp(shape)
    package = bake(folder, shape=shape, **SHAPES[shape])
    made = environment(folder)
    made.add(package)
    return Baked(SHAPES[shape]["name"], package, made)


def test_it_keeps_the_contract(baked: Baked) -> None:
    pytest_there = baked.environment.program("pytest")
    printed = succeeds(baked.folder, pytest_there, "-q", "-p", "no:cacheprovider", "-W", "error")
    assert " passed" in printed
    assert "no such recording" not in printed


def test_it_keeps_the_contract_without_its_own_tests(baked: Baked) -> None:
    options = ["-q", "-p", "no:cacheprovider", f"--jackfield-provider={baked.name}"]
    printed = succeeds(baked.folder, baked.environment.program("pytest"), *options)
    assert " passed" in printed


def test_it_is_typed_and_in_order(baked: Baked) -> None:
    ruff = [sys.executable, "-m", "ruff"]
    succeeds(baked.folder, *ruff, "check", "--no-cache", ".")
    succeeds(baked.folder, *ruff, "format", "--no-cache", "--check", ".")
    there = ["--python-executable", baked.environment.program("python")]
    # A cache beside it: the core is read once a run, not once a shape.
    succeeds(baked.folder, sys.executable, "-m", "mypy", *there, "--cache-dir", "../types")


def test_it_is_found_by_its_name(baked: Baked) -> None:
    made = f"from jackfield import create_provider as c; p = c({baked.name!r}, {{}}); print(p.get_info().name)"
    assert baked.python(made).strip() == baked.name
    listed = succeeds(baked.folder, baked.environment.program("jackfield"), "providers", "--json")
    assert baked.name in {one["name"] for one in json.loads(listed)}


def test_the_snippet_in_its_readme_runs(baked: Baked) -> None:
    code = [b.text for b in blocks(baked.folder / "README.md") if b.info == "python"]
    assert len(code) == 1
    assert "pelican" in baked.python(code[0])


def test_its_wheel_has_what_belongs_into_it(baked: Baked) -> None:
    package = baked.module.parent.name
    (wheel,) = baked.environment.wheels.glob(f"{package}-*.whl")
    inside = {name for name, _ in members(wheel) if name.startswith(f"{package}/")}
    names = ("__init__.py", "capabilities.json", "jackfield.toml", "py.typed")
    assert inside == {f"{package}/{name}" for name in names}
    assert any(name.endswith("/licenses/LICENSE") for name, _ in members(wheel))


def test_its_licence_is_the_chosen_one(baked: Baked) -> None:
    text = (baked.folder / "LICENSE").read_text("utf-8")
    assert text.lstrip().startswith(LICENCES[baked.name])
    if baked.name != "acme":
        assert SHAPES["local"]["author"] in text or "The jackfield-pelican-db authors" in text


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_of_the_template_is_left(shape: str, tmp_path: Path) -> None:
    found = files(bake(tmp_path, shape=shape, **SHAPES[shape]))
    left = [n for n, text in found.items() if "{{" in text or "cookiecutter" in text.lower()]
    assert left == []
    assert [n for n in found if n.startswith("_")] == []


def test_its_example_for_ci_is_well_formed_and_runs_the_suite(baked: Baked) -> None:
    text = (baked.folder / ".github/workflows/ci.yml").read_text("utf-8")
    steps = yaml.safe_load(text)["jobs"]["test"]["steps"]
    commands = "\n".join(step.get("run", "") for step in steps)
    for wanted in ("ruff check", "mypy", "pytest", f"--jackfield-provider={baked.name}"):
        assert wanted in commands


def _code(module: Path) -> list[str]:
    """The lines of *module* that are neither empty nor part of a docstring or comment, a call being one line."""
    tree = ast.parse(module.read_text("utf-8"))
    lines: set[Any] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and not (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ):
            lines |= {node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))}
    return sorted(lines)


def test_a_provider_of_the_dialect_is_a_dozen_lines(tmp_path: Path) -> None:
    package = bake(tmp_path, name="acme")
    (module,) = package.glob("src/*/__init__.py")
    assert len(_code(module)) <= 12


NAMES = {
    "x": "Xprovider's",
    "wal-mart-2": "Wal Mart – zwei",
    "import": "import",
    "7": "Seven",
    "a-name-as-long-as-a-name-may-get": "Ÿ 鹈鹕",
}


def test_whatever_it_is_called_it_works(tmp_path: Path) -> None:
    made = environment(tmp_path)
    shapes = list(SHAPES)
    for at, (name, title) in enumerate(NAMES.items()):
        package = bake(tmp_path, name=name, display_name=title, shape=shapes[at % 3])
        succeeds(package, sys.executable, "-m", "ruff", "check", "--no-cache", ".")
        succeeds(package, sys.executable, "-m", "ruff", "format", "--no-cache", "--check", ".")
        project = tomllib.loads((package / "pyproject.toml").read_text("utf-8"))["project"]
        assert list(project["entry-points"]["jackfield.providers"]) == [name]
        made.add(package)
    code = (
        "import sys; from jackfield import create_provider as c\n"
        "for name in sys.argv[1:]: print(c(name, {}).get_info().display_name)"
    )
    done = run(tmp_path, made.program("python"), "-W", "error", "-c", code, *NAMES, PYTHONUTF8="1")
    assert done.stdout.splitlines() == list(NAMES.values()), done.stderr
