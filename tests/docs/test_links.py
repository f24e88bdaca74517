"""No page of the documentation leads nowhere, and every page can be reached from the first."""

from pathlib import Path

import pytest

from support.markdown import PAGES, anchors, links, name
from support.source import ROOT

DOCS = ROOT / "docs"


def target(page: Path, link: str) -> Path:
    return (page.parent / link.partition("#")[0]).resolve() if link.partition("#")[0] else page


def is_local(link: str) -> bool:
    return not link.startswith(("http://", "https://", "mailto:"))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    for link in filter(is_local, links(page)):
        found = target(page, link)
        assert found.exists(), f"{link} leads to nothing"
        assert found.is_relative_to(ROOT), f"{link} leads out of the repository"
        fragment = link.partition("#")[2]
        assert not fragment or fragment in anchors(found), f"{link}: no such heading"


def test_every_page_of_the_documentation_can_be_reached_from_the_readme() -> None:
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        waiting += [target(page, link) for link in links(page) if is_local(link)]
    assert [name(page) for page in DOCS.rglob("*.md") if page not in seen] == []


def test_links_to_the_web_are_encrypted() -> None:
    plain = {
        (name(page), link) for page in PAGES for link in links(page) if link.startswith("http://")
    }
    assert {
        link for _, link in plain if "127.0.0.1" not in link and "localhost" not in link
    } == set()
