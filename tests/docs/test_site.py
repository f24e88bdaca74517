"""The site of the documentation builds without a warning, whole, and asks nothing of the web."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from support.markdown import PAGES
from support.source import ROOT
from support.sphinx_site import CODE_PAGES, described, navigation

# What makes a browser fetch something: a link that a reader follows is none of them.
FETCHING = {"src", "srcset", "data", "poster", "action"}
STYLE = re.compile(r"""(?:url\(|@import)\s*["']?(?:https?:)?//""")
SCRIPT = re.compile(r"""(?:fetch|import|importScripts)\(\s*["'`](?:https?:)?//""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site, warnings counted as errors."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n", "-c", "docs"]
    built = subprocess.run(
        [*command, "-d", str(out / "trees"), ".", str(out / "html")],
        cwd=ROOT,
        env=os.environ | {"no_proxy": "", "https_proxy": "http://127.0.0.1:9", "http_proxy": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return out / "html"


class Fetched(HTMLParser):
    """Gathers the addresses that a browser fetches by itself to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.addresses += [value for name, value in given.items() if name in FETCHING]
        if tag == "link":
            self.addresses.append(given.get("href", ""))


def is_external(address: str) -> bool:
    return address.startswith(("http:", "https:", "//", "ftp:"))


def fetched(page: str) -> list[str]:
    parser = Fetched()
    parser.feed(page)
    return [address for address in parser.addresses if is_external(address)]


def test_a_page_that_asks_the_web_would_be_noticed() -> None:
    """So that the next tests can fail."""
    assert fetched('<link rel="stylesheet" href="https://fonts.example.com/a.css">')
    assert fetched('<img src="//cdn.example.com/a.png"><script src="http://a.example/x.js">')
    assert not fetched('<a href="https://example.com">read</a><script src="_static/x.js">')
    assert STYLE.search("@import url(https://fonts.example.com/a)")
    assert SCRIPT.search('fetch("https://example.com/count")')


def undescribed(site: Path) -> set[str]:
    """The public names that have no description of their own on the pages of the code."""
    missing = set()
    for page in CODE_PAGES:
        text = (site / "docs" / "reference" / "code" / f"{page}.html").read_text("utf-8")
        wanted = {f"{module}.{name}" for module, names in described(page) for name in names}
        assert wanted, page
        missing |= {name for name in wanted if f'id="{name}"' not in text}
    return missing


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_site_builds_without_a_warning_is_whole_and_fetches_nothing(site: Path) -> None:
    """One test, so that the site is built once wherever the tests are spread over processes."""
    pages = {path.relative_to(site).as_posix(): path for path in site.rglob("*.html")}
    wanted = {page.relative_to(ROOT).with_suffix(".html").as_posix() for page in PAGES}
    assert {page for page in wanted if page.startswith("docs/")} - pages.keys() == set()
    asking = {name: fetched(path.read_text("utf-8")) for name, path in pages.items()}
    assert {name: found for name, found in asking.items() if found} == {}
    styles = [path.name for path in site.rglob("*.css") if STYLE.search(path.read_text("utf-8"))]
    scripts = [path.name for path in site.rglob("*.js") if SCRIPT.search(path.read_text("utf-8"))]
    assert (styles, scripts) == ([], [])
    assert undescribed(site) == set()
    index = (site / "searchindex.js").read_text("utf-8")
    assert '"docs/tutorial"' in index
    assert "breaker" in index


def test_the_navigation_is_what_an_index_page_links_to_in_its_order() -> None:
    page = "# Us\n\n## Start\n\n- [Two](b.md)\n- [One](a/index.md#x): first\n\n## Else\n\n[up](../c.md)\n"
    assert navigation(page) == "```{toctree}\n:caption: Start\n:hidden:\n\nb\na/index\n```"
