"""Commands of plugins, and plugins that are broken: the rest goes on working."""

from pathlib import Path

import pytest

from support.commandline import Cli

HELLO = """
import click
from jackfield import hookimpl

@hookimpl
def register_commands(cli):
    @cli.command()
    @click.argument("name")
    def greet(name):
        "Greet NAME."
        click.echo(f"Hello, {name}")
"""
SHADOW = HELLO.replace("def greet", "def chat")
BROKEN = "raise RuntimeError('out of order')"
LEAVING = "import sys; sys.exit(7)"
NOISY = "print('I am loaded')\n" + HELLO
RAISING = HELLO.replace(
    "    @cli.command()", "    raise RuntimeError('no commands today')\n    @cli.command()"
)


def install(
    cli: Cli, code: str, group: str = "jackfield.plugins", name: str = "extra"
) -> dict[str, str]:
    """A distribution with one entry point, and the environment that finds it."""
    folder = Path(cli.folder, "site")
    info = folder / f"{name}_dist-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / f"{name}_module.py").write_text(code)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-dist\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {name}_module\n")
    return {"PYTHONPATH": str(folder)}


def test_a_plugins_command_runs_and_is_in_the_help(cli: Cli) -> None:
    env = install(cli, HELLO)
    assert cli("greet", "Ida", env=env).stdout == "Hello, Ida\n"
    helped = cli("--help", env=env).stdout
    assert "From plugins:\n  greet  Greet NAME." in helped


@pytest.mark.parametrize(
    ("code", "said"),
    [(BROKEN, "out of order"), (RAISING, "no commands today"), (SHADOW, "a command 'chat' already"), (LEAVING, "SystemExit: 7")],
    ids=["broken import", "broken hook", "a name of ours", "exits"],
)  # fmt: skip
def test_a_broken_plugin_is_one_warning_and_no_more(cli: Cli, code: str, said: str) -> None:
    cli.script("Hello")
    env = install(cli, code)
    done = cli("chat", "Hi", env=env)
    assert (done.returncode, done.stdout) == (0, "Hello\n")
    assert done.stderr.count("Warning: ") == 1
    assert said in done.stderr
    doctor = cli("doctor", "fake", env=env)
    assert doctor.returncode == 1
    assert said in doctor.stdout


def test_a_plugin_that_prints_while_it_loads_does_not_print_into_the_answer(cli: Cli) -> None:
    cli.script("Hello")
    done = cli("chat", "Hi", env=install(cli, NOISY))
    assert done.stdout == "Hello\n"


def test_a_blocked_plugin_is_not_loaded(cli: Cli) -> None:
    cli.script("Hello")
    env = install(cli, BROKEN) | {"JACKFIELD_BLOCK": "extra"}
    assert cli("chat", "Hi", env=env).stderr == ""


def test_a_broken_provider_is_named_with_its_reason_and_the_others_work(cli: Cli) -> None:
    env = install(cli, BROKEN, "jackfield.providers", "shaky")
    cli.script("Hello")
    assert cli("chat", "Hi", env=env).stdout == "Hello\n"
    listed = cli("providers", env=env)
    assert listed.returncode == 0
    row = next(line for line in listed.stdout.splitlines() if line.startswith("shaky"))
    assert "broken" in row
    assert "out of order" in row
    assert "shaky-dist 1.0" in row
    done = cli("chat", "-m", "shaky/any", "Hi", env=env)
    assert done.returncode == 2
    assert "JACKFIELD_BLOCK=shaky" in done.stderr
    assert cli("doctor", env=env).returncode == 1
