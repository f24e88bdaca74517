"""`jackfield plugins` with wheels that are really installed: listed unimported, locked, and caught when they change."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.commandline import Cli
from support.dists import build
from support.source import ROOT

FIRST = ROOT / "tests" / "contract" / "first"
LOCK = "jackfield-plugins.lock"
Install = Callable[..., dict[str, str]]


@pytest.fixture
def install(cli: Cli, tmp_path: Path) -> Install:
    """Build the first plugin, changed or not, and install its wheel; the environment that finds it."""

    def put(*changes: tuple[str, str, str]) -> dict[str, str]:
        source, site = tmp_path / "source", cli.folder / "site"
        for folder in (source, site, tmp_path / "dist"):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(FIRST, source)
        for name, old, new in changes:
            file = next(source.rglob(name))
            assert old in file.read_text()
            file.write_text(file.read_text().replace(old, new))
        build(source, tmp_path / "dist", ("wheel",))
        (wheel,) = (tmp_path / "dist").iterdir()
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps"]
        subprocess.run([*command, "--target", str(site), str(wheel)], check=True)
        return {"PYTHONPATH": str(site)}

    return put


def states(cli: Cli, env: dict[str, str], command: str = "check") -> dict[str, Any]:
    done = cli("plugins", command, "--json", env=env)
    found = json.loads(done.stdout)
    if command == "check":
        assert done.returncode == any(one["state"] == "quarantined" for one in found)
    mine = [one for one in found if one["distribution"] == "jackfield-first"]
    return {f"{one['kind']}/{one['name']}": one for one in mine}


def test_what_is_installed_is_listed_with_what_it_may_do_and_not_imported(
    cli: Cli, install: Install
) -> None:
    env = install(
        ("http.py", "import json", "raise SystemExit(3)"),
        ("hooks.py", "import click", "raise SystemExit(3)"),
    )
    listed = cli("plugins", "list", env=env)
    assert (listed.returncode, listed.stderr) == (0, "")
    row = next(line for line in listed.stdout.splitlines() if "providers/first-http" in line)
    assert row.split()[:4] == ["ok", "providers/first-http", "jackfield-first", "1.0"]
    assert "reaches api.first.example, tokens.first.example; reads FIRST_API_KEY" in row
    found = states(cli, env)["providers/first-http"]
    assert found["state"] == "quarantined"
    assert "cannot be imported: SystemExit: 3" in found["reason"]


def test_a_blocked_plugin_is_listed_as_such_and_not_checked(cli: Cli, install: Install) -> None:
    env = install() | {"JACKFIELD_BLOCK": "first-http"}
    found = states(cli, env, "list")["providers/first-http"]
    assert (found["state"], found["reason"]) == ("blocked", "JACKFIELD_BLOCK leaves it out")
    assert "providers/first-http" not in states(cli, env)


def test_a_lock_of_what_is_there_holds_until_something_changes(cli: Cli, install: Install) -> None:
    env = install()
    assert "There is no lock" in cli("plugins", "check", env=env).stderr
    assert cli("plugins", "lock", env=env).stdout.startswith(LOCK)
    assert {one["reason"] for one in states(cli, env).values()} == {""}
    env = install()  # once more, the same
    assert {one["reason"] for one in states(cli, env).values()} == {""}
    env = install(
        ("pyproject.toml", 'version = "1.0"', 'version = "1.1"'),
        ("jackfield.toml", '["api.first', '["evil.example", "api.first'),
        ("jackfield.toml", '["FIRST_API_KEY"]', '["FIRST_API_KEY", "OPENAI_API_KEY"]'),
    )
    told = states(cli, env)["providers/first-http"]["reason"]
    assert "a new host, evil.example: " in told
    assert "a new secret, OPENAI_API_KEY: " in told
    assert "jackfield-first 1.1 instead of jackfield-first 1.0" in told
    cli("plugins", "lock", env=env)
    assert {one["reason"] for one in states(cli, env).values()} == {""}
    shutil.rmtree(cli.folder / "site")
    gone = states(cli, {})["providers/first-local"]["reason"]
    assert gone.startswith("it is in the lock and not installed: install jackfield-first 1.1")


def test_with_a_lock_what_changed_is_set_aside_and_the_rest_works(
    cli: Cli, install: Install
) -> None:
    env = install()
    cli("plugins", "lock", env=env)
    env = install(("local.py", "word + ", '"stolen " + ')) | {"JACKFIELD_PLUGINS_LOCK": LOCK}
    cli.script("Hello")
    answered = cli("chat", "Hi", env=env)
    assert (answered.returncode, answered.stdout) == (0, "Hello\n")
    assert "plugin first-hooks of jackfield-first 1.0 is left out" in answered.stderr
    refused = cli("chat", "-m", "first-local/echo", "a", env=env)
    assert refused.returncode == 2
    assert "its code changed although it still is jackfield-first 1.0" in refused.stderr
    listed = cli("providers", env=env).stdout
    assert next(line for line in listed.splitlines() if line.startswith("first-local")).split()[1] == "broken"  # fmt: skip


def test_a_plugin_of_a_newer_contract_is_quarantined_and_the_rest_works(
    cli: Cli, install: Install
) -> None:
    env = install(("jackfield.toml", "contract = 1", "contract = 2"))
    assert {one["state"] for one in states(cli, env, "list").values()} == {"quarantined"}
    cli.script("Hello")
    assert cli("chat", "Hi", env=env).stdout == "Hello\n"
    refused = cli("chat", "-m", "first-local/echo", "a", env=env)
    assert refused.returncode == 2
    assert "jackfield-first 1.0 speaks contract 2, this core 1: pip install -U jackfield" in refused.stderr  # fmt: skip


def test_a_manifest_that_cannot_be_read_keeps_a_lock_from_being_written(
    cli: Cli, install: Install
) -> None:
    env = install(("jackfield.toml", "contract = 1", "contract = "))
    done = cli("plugins", "lock", env=env)
    assert done.returncode == 2
    assert "jackfield.toml of jackfield-first 1.0 cannot be read" in done.stderr
    assert not (cli.folder / LOCK).exists()
    assert "no manifest" not in cli("plugins", "list", env=env).stdout


def test_a_provider_that_calls_itself_otherwise_than_its_entry_point_is_told(
    cli: Cli, install: Install
) -> None:
    env = install(("pyproject.toml", "first-local = ", "first-locale = "), ("jackfield.toml", "providers.first-local]", "providers.first-locale]"))  # fmt: skip
    found = states(cli, env)["providers/first-locale"]
    assert found["state"] == "quarantined"
    assert "it calls itself first-local: its entry point must, too" in found["reason"]


def test_without_a_manifest_a_plugin_works_and_is_listed_so(cli: Cli, install: Install) -> None:
    env = install()
    (cli.folder / "site" / "jackfield_first" / "jackfield.toml").unlink()
    row = next(line for line in cli("plugins", "list", env=env).stdout.splitlines() if "providers/first-local" in line)  # fmt: skip
    assert "no manifest" in row
    assert cli("chat", "-m", "first-local/echo", "a b", env=env).stdout.split() == ["a", "b"]
