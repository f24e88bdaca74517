"""Each provider has a page that its tables made, each operation a snippet on it; no page is left of one that is gone."""

import pytest

from support.markdown import blocks
from support.provider_pages import ASKED, FOLDER, operations, pages
from support.reference import providers


def test_the_pages_of_the_providers_are_what_their_tables_say() -> None:
    made = pages()
    written = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.md")}
    wrong = sorted(n for n in made.keys() | written.keys() if made.get(n) != written.get(n))
    assert wrong == [], "run python tests/support/provider_pages.py"


@pytest.mark.parametrize("name", providers())
def test_every_operation_has_a_snippet_that_runs(name: str) -> None:
    """The blocks of all pages run in `test_snippets`."""
    code = "\n".join(b.text for b in blocks(FOLDER / f"{name}.md") if b.info == "python")
    kinds = [kind.__name__ for kind in operations(name, providers()[name])]
    missing = [k for k in kinds if f"{k}(" not in code and f".{ASKED[k][0]}(" not in code]
    assert missing == [], "put it into ASKED or FLOWS of tests/support"
