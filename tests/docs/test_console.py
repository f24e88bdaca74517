"""Every `jackfield` command that a page shows can be typed, and prints what the page shows.

In a console block a line that starts with `$` is typed, the lines up to the next are printed, and `...` stands for any
lines. Commands of other programs are read, not run: installing is what the first command of the README proves.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import frozen

from support.markdown import PAGES, blocks, name

NOT_RUN = (
    "pip",
    "uv",
    "git",
    "python3 dev.py",
    "python",
    "export",
    "cd",
    "nox",
    "ollama",
    "curl",
    ".",
    "vllm",
    "sudo",
    "bash",
)
JACKFIELD = Path(sys.executable).with_name("jackfield")


@frozen
class Session:
    """One command of a page, and what the page says that it prints."""

    where: str
    command: str
    expected: str

    def __str__(self) -> str:
        return f"{self.where} {self.command[:40]}"


def sessions() -> list[Session]:
    found = []
    for page in PAGES:
        for block in blocks(page):
            if block.info == "console":
                for part in re.split(r"(?m)^\$ ", block.text)[1:]:
                    command, _, printed = part.replace("\\\n", " ").partition("\n")
                    found.append(Session(str(block), command, printed))
    return found


SESSIONS = sessions()
OURS = [
    s
    for s in SESSIONS
    if re.match(r"(\S+=\S+ )*jackfield\b|(echo|cat|printf) .*\| jackfield\b", s.command)
]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_console_block_starts_with_a_command(page: Path) -> None:
    assert [
        str(b) for b in blocks(page) if b.info == "console" and not b.text.startswith("$ ")
    ] == []


@pytest.mark.parametrize("session", [s for s in SESSIONS if s not in OURS], ids=str)
def test_a_command_that_is_not_run_is_of_a_known_program(session: Session) -> None:
    assert session.command.startswith(NOT_RUN), session.command


@pytest.mark.parametrize("session", OURS, ids=str)
def test_a_jackfield_command_prints_what_the_page_shows(session: Session, tmp_path: Path) -> None:
    hidden = ("OPENAI_", "ANTHROPIC_", "OLLAMA_", "JACKFIELD_", "XDG_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    environment |= {
        "HOME": str(tmp_path),
        "NO_COLOR": "1",
        "PATH": f"{JACKFIELD.parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["sh", "-c", session.command], cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
    )  # fmt: skip
    parts = [re.escape(part.strip("\n")) for part in re.split(r"(?m)^\.\.\.$", session.expected)]
    pattern = r"\s*" + ".*".join(parts) + r"\s*"
    assert re.fullmatch(pattern, done.stdout, re.DOTALL), (
        f"$ {session.command}\n{done.stdout}\nnot\n{session.expected}"
    )
    assert shlex.split(session.command)
