"""Every Python snippet of the documentation runs, and prints what the page says that it prints.

The blocks of a page run in order and share their names, as a reader would type them. A comment `<!-- setup … -->` holds
Python that the reader does not see: a server on loopback, say, that `closing.enter_context(…)` ends with the page. A block with the info string
`output` right after a Python block is what that block prints, to the letter; `...` in it stands for anything.
"""

import ast
import asyncio
import contextlib
import inspect
import io
import socket
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from support.markdown import PAGES, Block, blocks, name
from support.transcripts import agrees

LANGUAGES = {
    "python",
    "console",
    "output",
    "toml",
    "json",
    "text",
    "ini",
    "mermaid",
    "jsonc",
    "http",
}
WITH_PYTHON = [page for page in PAGES if any(block.info == "python" for block in blocks(page))]


@pytest.fixture
def quiet_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder and home, no keys, and no network but this machine's own."""
    monkeypatch.chdir(tmp_path)
    for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OLLAMA_HOST", "JACKFIELD_CONFIG"):
        monkeypatch.delenv(variable, raising=False)
    connect = socket.socket.connect

    def only_here(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else address
        assert not isinstance(address, tuple) or host in {"127.0.0.1", "::1", "localhost"}, (
            f"{host} is not this machine"
        )
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_here)


def run(block: Block, names: dict[str, Any]) -> str:
    """Run *block* in *names*, awaiting it where it awaits; return what it printed."""
    # Blank lines keep the line numbers of a traceback those of the page.
    source = "\n" * block.line + block.text
    code = compile(source, str(block.page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        if code.co_flags & inspect.CO_COROUTINE:
            asyncio.run(types.FunctionType(code, names)())
        else:
            exec(code, names)  # noqa: S102 -- our own documentation
    return printed.getvalue()


@pytest.mark.usefixtures("quiet_machine")
@pytest.mark.parametrize("page", WITH_PYTHON, ids=name)
def test_the_snippets_of_a_page_run_and_print_what_it_says(
    page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("__snippets__")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    found = blocks(page)
    with contextlib.ExitStack() as closing:
        vars(module)["closing"] = closing
        for block, following in zip(found, [*found[1:], None], strict=True):
            if block.info not in {"python", "setup"}:
                continue
            printed = run(block, vars(module))
            if following is not None and following.info == "output":
                assert agrees(printed, following.text), (
                    f"{block} printed\n{printed}\nnot\n{following.text}"
                )


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_block_says_what_it_is(page: Path) -> None:
    assert [str(block) for block in blocks(page) if block.info not in {*LANGUAGES, "setup"}] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_an_output_block_follows_what_prints_it(page: Path) -> None:
    found = blocks(page)
    pairs = zip([None, *found], found, strict=False)
    assert [
        str(b) for a, b in pairs if b.info == "output" and (a is None or a.info != "python")
    ] == []
