"""Sessions at the command line, as pages show them: what is typed, what is printed, and running them.

    PYTHONPATH=tests python -m support.transcripts README.md ...     writes what is printed now into the pages

In a console block a line that starts with `$` is typed, the lines up to the next are printed, and `...` stands for
anything. The commands of a block are typed into one shell.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from attrs import frozen

from support.markdown import Block, blocks
from support.source import ROOT

MARK = "---next-command---"
OURS = re.compile(r"(?:\w+=\S* )*(?:(?:echo|cat|printf) [^|]*\| )?jackfield\b")
BESIDE = ("cat >", "cd ", "echo ", "export ", "mkdir ", "printf ")
HIDDEN = ("OPENAI_", "ANTHROPIC_", "OLLAMA_", "JACKFIELD_", "VLLM_", "XDG_", "NO_COLOR", "COLUMNS")


@frozen
class Turn:
    """One command of a block, and what the page says that it prints."""

    command: str
    expected: str


def turns(block: Block) -> list[Turn]:
    """The commands of a console block, in order."""
    found = []
    for part in re.split(r"(?m)^\$ ", block.text)[1:]:
        command, _, printed = part.replace("\\\n", "\x00").partition("\n")
        found.append(Turn(command.replace("\x00", "\\\n"), printed))
    return found


def can_run(block: Block) -> bool:
    """Whether *block* is a session of ours, and not one with other people's programs."""
    typed = [turn.command for turn in turns(block)] if block.info == "console" else []
    ours = any(OURS.match(command) for command in typed)
    return ours and all(OURS.match(command) or command.startswith(BESIDE) for command in typed)


def play(block: Block) -> list[str]:
    """Type the commands of *block* into one shell, in an empty home; what each prints."""
    typed = f"\necho '{MARK}'\n".join(turn.command for turn in turns(block))
    with tempfile.TemporaryDirectory() as home:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(HIDDEN)}
        programs = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
        done = subprocess.run(
            ["sh", "-c", typed],
            cwd=home,
            env=environment | {"HOME": home, "PATH": programs},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100,
            check=False,
        )
    return [part.strip("\n") for part in done.stdout.split(f"{MARK}\n")]


def agrees(printed: str, expected: str) -> bool:
    """Whether *printed* is *expected*, whose `...` stand for anything."""
    pattern = ".*".join(re.escape(part) for part in trimmed(expected).split("..."))
    return re.fullmatch(pattern, trimmed(printed), re.DOTALL) is not None


def trimmed(text: str) -> str:
    """*text* without blanks at the ends of its lines, and without empty lines around it."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def write(page: Path) -> None:
    """Put what is printed now into the sessions of *page* that differ."""
    text = page.read_text("utf-8")
    for block in filter(can_run, blocks(page)):
        lines = []
        for turn, printed in zip(turns(block), play(block), strict=True):
            shown = trimmed(turn.expected if agrees(printed, turn.expected) else printed)
            lines += [f"$ {turn.command}", shown] if shown else [f"$ {turn.command}"]
        text = text.replace(block.text, "\n".join(lines) + "\n", 1)
    page.write_text(text, "utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        write(ROOT / name)
