"""Every `jackfield` session that a page shows can be typed, and prints what the page shows.

Commands of other programs are read, not run: that the README's first commands work is what `.ci/run` is there for.
"""

from pathlib import Path

import pytest

from support.markdown import PAGES, Block, blocks, name
from support.transcripts import agrees, can_run, play, turns

CONSOLES = [block for page in PAGES for block in blocks(page) if block.info == "console"]
KNOWN = (
    "bash ",
    "nice ",
    "curl ",
    "export ",
    "git ",
    "jackfield ",
    "nox ",
    "ollama ",
    "pip ",
    "pytest ",
    "python ",
    "python3 ",
    "uv ",
    "vllm ",
)


@pytest.mark.parametrize("block", CONSOLES, ids=str)
def test_a_console_block_starts_with_a_command(block: Block) -> None:
    assert block.text.startswith("$ ")


@pytest.mark.parametrize("block", [b for b in CONSOLES if not can_run(b)], ids=str)
def test_a_command_that_is_not_run_is_of_a_known_program(block: Block) -> None:
    assert [turn.command for turn in turns(block) if not turn.command.startswith(KNOWN)] == []


@pytest.mark.parametrize("block", [b for b in CONSOLES if can_run(b)], ids=str)
def test_a_session_prints_what_the_page_shows(block: Block) -> None:
    for turn, printed in zip(turns(block), play(block), strict=True):
        assert agrees(printed, turn.expected), (
            f"$ {turn.command}\n{printed}\n-- not --\n{turn.expected}"
            f"\nrun PYTHONPATH=tests python -m support.transcripts {name(block.page)}"
        )


def test_the_readme_shows_a_session(request: pytest.FixtureRequest) -> None:
    root = Path(request.config.rootpath)
    assert any(can_run(block) for block in CONSOLES if block.page == root / "README.md")
