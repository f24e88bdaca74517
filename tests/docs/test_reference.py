"""The reference says what the code does: every error, hook, parameter, setting and command is in it."""

import pytest

from support.reference import PARTS, about_these_recordings, current


@pytest.mark.parametrize("name", PARTS)
def test_the_reference_is_what_the_code_says(name: str) -> None:
    page, render = PARTS[name]
    if name == "coverage" and not about_these_recordings():
        pytest.skip("the page is about other recordings than those that are here")
    assert current(name) == render().strip(), (
        f"docs/reference/{page}: run python tests/support/reference.py"
    )
