"""The command line in a folder of its own, in a pipe and at a terminal."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from support.commandline import PATIENCE, Cli, Start, Terminal

# The child makes the terminal its own, so that Ctrl-C there is a signal here.
OWN_TERMINAL = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    folder = tmp_path / "work"
    (folder / "home").mkdir(parents=True)
    return Cli(folder)


@pytest.fixture
def terminal(cli: Cli) -> Iterator[Start]:
    """Starts the command line at a terminal of its own."""
    with ExitStack() as stack:

        def start(
            *arguments: str, width: int = 80, env: Mapping[str, str] | None = None
        ) -> Terminal:
            ours, theirs = pty.openpty()
            stack.callback(os.close, ours)
            fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
            process = subprocess.Popen(
                [sys.executable, "-c", OWN_TERMINAL, *cli.command(*arguments)],
                cwd=cli.folder,
                env={**cli.environment, **(env or {})},
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                start_new_session=True,
            )
            os.close(theirs)
            stack.callback(_finish, process)
            return Terminal(process, ours)

        yield start


def _finish(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    process.wait(PATIENCE)
