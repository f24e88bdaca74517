"""Markdown pages as data: their fenced blocks in order, their headings, their links."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from attrs import frozen
from markdown_it import MarkdownIt
from markdown_it.token import Token

from support.source import ROOT, tracked

PAGES = sorted(
    # What a template makes is a page when it is made.
    path
    for path in tracked()
    if path.suffix == ".md" and "{{" not in str(path)
)


@frozen
class Block:
    """One fenced block of a page; *line* is where its fence stands."""

    page: Path
    line: int
    info: str
    text: str

    def __str__(self) -> str:
        return f"{name(self.page)}:{self.line}"


def name(page: Path) -> str:
    """The page's path inside the repository."""
    return page.relative_to(ROOT).as_posix()


@cache
def _tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8"))


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of *page*, in order; a comment `<!-- setup … -->` is one of kind `setup`."""
    found = []
    for token in _tokens(page):
        line = (token.map or [0])[0] + 1
        if token.type == "fence":
            found.append(Block(page, line, token.info.strip(), token.content))
        elif token.type == "html_block" and token.content.startswith("<!-- setup\n"):
            text = token.content.strip().removeprefix("<!-- setup\n").removesuffix("-->")
            found.append(Block(page, line, "setup", text))
    return found


def links(page: Path) -> Iterator[str]:
    """Where the links and pictures of *page* lead."""
    for token in _tokens(page):
        for child in token.children or ():
            target = child.attrs.get("href") or child.attrs.get("src")
            if target:
                yield str(target)


def anchors(page: Path) -> set[str]:
    """The fragments that the headings of *page* can be linked by."""
    tokens = _tokens(page)
    headings = [
        tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"
    ]
    return {slug(heading) for heading in headings}


def slug(heading: str) -> str:
    """The fragment that a repository's web page makes of *heading*."""
    kept = re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower())
    return kept.replace(" ", "-")
