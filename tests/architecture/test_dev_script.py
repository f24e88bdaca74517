"""The newcomer's script: it parses where it must, finds what there is, and says what to do when it cannot go on."""

import ast
import importlib.util
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from support.source import PACKAGES, PLUGINS, ROOT

SCRIPT = ROOT / "dev.py"


@pytest.fixture
def dev() -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("dev", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_parses_under_a_python_that_is_too_old() -> None:
    ast.parse(SCRIPT.read_text("utf-8"), feature_version=(3, 6))


def test_it_imports_nothing_but_the_standard_library_of_an_old_python() -> None:
    tree = ast.parse(SCRIPT.read_text("utf-8"))
    names = {a.name for n in tree.body if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module for n in tree.body if isinstance(n, ast.ImportFrom) and n.module}
    assert names <= sys.stdlib_module_names - {"tomllib"}


def test_it_installs_every_package_and_the_groups_that_a_command_needs(
    dev: types.ModuleType,
) -> None:
    wanted = dev.requirements(("test",))
    folders = [Path(item.partition("[")[0]) for item in wanted if item.startswith(str(ROOT))]
    assert folders == [package.folder for package in PACKAGES]
    assert any(item.startswith("pytest") for item in wanted)
    assert not any(item.startswith("pytest") for item in dev.requirements(()))


def test_it_takes_the_command_line_and_the_fast_engine_along(dev: types.ModuleType) -> None:
    wanted = [item.rpartition("/")[2] for item in dev.requirements(())]
    assert "core[cli]" in wanted
    fast = [plugin.folder.name for plugin in PLUGINS if "fast" in plugin.extras]
    assert {f"{name}[fast]" for name in fast} <= set(wanted)


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("error: Failed to fetch; dns error", "HTTPS_PROXY"),
        ("Failed to establish a new connection", "HTTPS_PROXY"),
        ("OSError: No space left on device", "disk is full"),
        ("something else", "Remove .venv"),
    ],
)
def test_a_failed_installation_comes_with_advice(
    dev: types.ModuleType, said: str, hint: str
) -> None:
    assert hint in dev.advice(said)


def test_a_python_that_is_too_old_is_told_where_newer_ones_come_from(
    dev: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev, "OLDEST", (99, 0))
    monkeypatch.setattr(dev, "NEWER", ())
    with pytest.raises(dev.SetupError, match=r"needs Python 3\.11 or newer.*\n.*apt install"):
        dev.interpreter()


def test_without_a_venv_module_the_message_names_the_package_to_install(
    dev: types.ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(dev, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(dev, "PYTHON", str(tmp_path / "no-python"))
    monkeypatch.setattr(dev, "run", lambda *_: (1, "ensurepip is not available"))
    with pytest.raises(dev.SetupError, match="apt install python3-venv"):
        dev.make_venv()


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), (["nonsense"], 2), ([], 0)])
def test_without_a_command_it_shows_what_there_is(arguments: list[str], code: int) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=os.sep,
    )
    assert done.returncode == code
    assert "dev.py chat" in done.stdout
