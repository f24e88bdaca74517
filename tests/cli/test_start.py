"""Ctrl-C before the command line is there is an end like any other: exit code 130, and no traceback."""

import sys

import pytest

from support.commandline import Cli
from support.source import CORE

MODULE, _, FUNCTION = CORE.pyproject["project"]["scripts"]["jackfield"].partition(":")
# What an installer writes into bin/jackfield, with a Ctrl-C as the module in question is looked for.
SCRIPT = f"""
import os, signal, sys
STOPS_AT = sys.argv.pop(1)
class Interrupt:
    def find_spec(self, name, *where):
        if name == STOPS_AT:
            sys.meta_path.remove(self)
            INTERRUPT
sys.meta_path.insert(0, Interrupt())
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
from {MODULE} import {FUNCTION}
if __name__ == "__main__":
    sys.exit({FUNCTION}())
"""
PRESSED = "os.kill(os.getpid(), signal.SIGINT)"
LOST = """
            class Callback:
                def __del__(self):
                    os.kill(os.getpid(), signal.SIGINT)
                    for _ in range(9):
                        pass
            Callback()
"""
IMPORTED = ["jackfield", "attrs", "msgspec", "jackfield.plugins", "jackfield.cli", "click"]


def script(cli: Cli, interrupt: str) -> None:
    """Have *cli* start as the installed command does."""
    cli.program = [sys.executable, "-c", SCRIPT.replace("INTERRUPT", interrupt)]


@pytest.mark.parametrize("interrupt", [PRESSED, LOST], ids=["pressed", "in a callback"])
@pytest.mark.parametrize("module", [*IMPORTED, "jackfield.cli.app", "jackfield_llamacpp"])
def test_ctrl_c_while_something_is_imported_is_an_end_without_a_traceback(
    cli: Cli, module: str, interrupt: str
) -> None:
    script(cli, interrupt)
    done = cli(module, "chat", "-m", "llamacpp/tiny-demo", "Hi")
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.strip() in ("", "Stopped.")


def test_the_command_runs_as_the_module_does(cli: Cli) -> None:
    plain = cli("--version")
    script(cli, "pass")
    done = cli("nothing", "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, plain.stdout, "")
    assert cli("nothing", "chat", "-m", "scripted/any", "Hi").stdout == "Hi\n"
    assert cli("nothing", "no-such-command").returncode == 2
