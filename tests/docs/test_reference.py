"""The reference says what the code does: every error, hook, parameter, setting and command is in it."""

import re

import pytest

from support.reference import PAGES, PARTS, about_these_recordings, current
from support.source import SOURCES

OURS = re.compile(r"\b_?JACKFIELD_[A-Z]\w*")


@pytest.mark.parametrize("name", PARTS)
def test_the_reference_is_what_the_code_says(name: str) -> None:
    page, render = PARTS[name]
    if name == "coverage" and not about_these_recordings():
        pytest.skip("the page is about other recordings than those that are here")
    assert current(name) == render().strip(), (
        f"docs/reference/{page}: run python tests/support/reference.py"
    )


def test_every_variable_of_ours_that_the_code_knows_is_in_the_table_and_no_other() -> None:
    page = (PAGES / "configuration.md").read_text("utf-8").partition("## Environment variables")[2]
    rows = [row.split("|")[1] for row in page.splitlines() if row.startswith("|")]
    documented = {name for row in rows for name in OURS.findall(row)}
    assert documented == {name for module in SOURCES for name in OURS.findall(module.text)}
