"""A plugin that was built for the first contract, and is never edited, runs in this core."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jackfield.plugins import CONTRACT
from support.dists import build

HERE = Path(__file__).parent
FIRST = HERE / "first"
DIGEST = "a0f93b400081340ad9cda66be0fb55031a1f7f5489beb60e93fc7e1afcf3e193"
"""Of the plugin's files. It is what others wrote years ago: a change that breaks it, breaks them."""


def digest(folder: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(
        p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts
    ):
        name = path.relative_to(folder).as_posix()
        whole.update(f"{name}\0".encode() + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return whole.hexdigest()


def run(site: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("JACKFIELD_", "PYTHON"))}  # fmt: skip
    environment |= {"PYTHONPATH": str(site), "FIRST_API_KEY": "a-key-of-the-first", **more}
    return subprocess.run(
        [sys.executable, *command], cwd=site, env=environment, capture_output=True, text=True, check=False
    )  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where the plugin's wheel is installed."""
    folder = tmp_path_factory.mktemp("first")
    build(FIRST, folder / "dist", ("wheel",))
    (wheel,) = (folder / "dist").iterdir()
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--target",
    ]
    subprocess.run([*command, str(folder / "site"), str(wheel)], check=True)
    return folder / "site"


def test_the_plugin_is_what_it_was() -> None:
    assert digest(FIRST) == DIGEST


def test_it_does_in_this_core_what_it_did_in_the_first(site: Path) -> None:
    done = run(site, str(HERE / "use_first.py"))
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told == {
        "plain": ["Hello", 5, "0.000013"],
        "warnings": ["max_tokens", "seed"],
        "urls": ["https://tokens.first.example/new", "https://api.first.example/v1/chat/m"],
        "credentials": ["a-key-of-the-first", "t0ken"],
        "body": {"model": "m", "said": [["user", "Hi"]], "limit": 100, "heat": 0.5, "stream": False},
        "stream": ["Hello", '{"a":1}'],
        "asyncio": "Hello",
        "trio": "Hello",
        "models": ["a", "b"],
        "vectors": [[1.0, 2.0]],
        "count": 42,
        "error": ["first-http", 400, "too_fast"],
        "issues": ["token_url: is nowhere (name a server)"],
        "local": ["a b ", "echo"],
        "strategy": 2,
        "executor": [[0, "1"], [1, "2"]],
        "guard": "A B ",
        "hooks": ["wrap_attempt", "wrap_call"],
        "price": "1",
    }  # fmt: skip


def test_the_command_line_takes_it_as_it_is(site: Path) -> None:
    listed = json.loads(run(site, "-m", "jackfield", "plugins", "list", "--json").stdout)
    mine = {one["name"]: one for one in listed if one["distribution"] == "jackfield-first"}
    assert {one["kind"] for one in mine.values()} == {"providers", "plugins", "strategies", "executors", "guards"}  # fmt: skip
    assert {(one["state"], one["contract"]) for one in mine.values()} == {("ok", 1)}
    assert CONTRACT >= 1
    checked = run(site, "-m", "jackfield", "plugins", "check", "--json")
    states = {one["name"]: one for one in json.loads(checked.stdout) if one["name"] in mine}
    assert {name: one["reason"] for name, one in states.items()} == dict.fromkeys(mine, "")
    assert run(site, "-m", "jackfield", "first").stdout == "kept\n"
    said = run(site, "-m", "jackfield", "chat", "-m", "first-local/echo", "a b")
    assert said.stdout.split() == ["a", "b"]


def test_importing_it_warns_of_nothing(site: Path) -> None:
    script = "from jackfield.plugins import plugin_manager as m; m().provider_class('first-http')"
    assert run(site, "-W", "error", "-c", script).stderr == ""
