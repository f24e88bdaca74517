"""Each provider has a page that its tables made, and no page is left of one that is gone."""

from support.provider_pages import FOLDER, pages


def test_the_pages_of_the_providers_are_what_their_tables_say() -> None:
    made = pages()
    written = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.md")}
    wrong = sorted(n for n in made.keys() | written.keys() if made.get(n) != written.get(n))
    assert wrong == [], "run python tests/support/provider_pages.py"
