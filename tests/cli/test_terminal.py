"""Pipes, terminals and locales of all kinds: nothing crashes, and nothing a model writes is obeyed."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.cli.terminal import safe
from support.commandline import Cli, Start

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b31m\x08\x08\rback\u202egnp.exe\x7f"
SPANISH = "¿Qué? – 日本 ✓"


@given(st.text())
def test_what_a_terminal_gets_holds_no_control_character(text: str) -> None:
    shown = safe(text)
    assert all(c in "\t\n" or unicodedata.category(c) != "Cc" for c in shown)
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert safe(text) == text


def test_a_model_cannot_command_the_terminal(cli: Cli, terminal: Start) -> None:
    cli.script(HOSTILE)
    screen = terminal("chat", "Hi", env={"NO_COLOR": "1"})
    screen.expect("exe")
    assert screen.end() == 0
    assert not set(screen.screen) & set("\x1b\x07\x08\x9b\x7f\r\u202e")
    assert "␛[31mred" in screen.screen


def test_a_pipe_gets_the_answer_unchanged(cli: Cli) -> None:
    cli.script(HOSTILE)
    assert cli("chat", "Hi").stdout == HOSTILE + "\n"


def test_a_hostile_error_cannot_command_the_terminal_either(cli: Cli) -> None:
    cli.script({"error": "ServerError", "message": HOSTILE + "\nERROR fake log line"})
    assert not set(cli("chat", "Hi").stderr) & set("\x1b\x07\x08\x7f\r\u202e")


def test_reasoning_is_dim_on_a_terminal(cli: Cli, terminal: Start) -> None:
    cli.script({"reasoning": "Let me see", "text": "Hello"})
    screen = terminal("chat", "Hi")
    assert screen.end() == 0
    assert "\x1b[2mLet \x1b[0m" in screen.screen
    assert screen.screen.endswith("\n\nHello\n")


@pytest.mark.parametrize("plain", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
@pytest.mark.parametrize("command", [["chat", "Hi"], ["doctor"], ["models"], ["providers"], ["-h"]])
def test_no_colours_where_they_are_not_wanted(
    cli: Cli, terminal: Start, plain: dict[str, str], command: list[str]
) -> None:
    cli.script({"reasoning": "Let me see", "text": "Hello"})
    screen = terminal(*command, env=plain)
    screen.end()
    assert screen.screen
    assert "\x1b" not in screen.screen


def test_reasoning_without_colours_is_told_from_the_answer(cli: Cli, terminal: Start) -> None:
    cli.script({"reasoning": "Let me see", "text": "Hello"})
    screen = terminal("chat", "Hi", env={"NO_COLOR": "1"})
    assert screen.end() == 0
    assert screen.screen == "(thinking) Let me see\n\nHello\n"


@pytest.mark.parametrize(
    "command", [["doctor"], ["models"], ["providers"], ["--help"], ["chat", "--help"]]
)
def test_a_terminal_of_twenty_columns_is_wide_enough(
    cli: Cli, terminal: Start, command: list[str]
) -> None:
    cli.script("Hello")
    screen = terminal(*command, width=20)
    assert screen.end() in (0, 1)
    assert "Traceback (most" not in screen.screen
    assert len(screen.screen) > 40


@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_a_locale_without_the_characters_of_the_answer_replaces_them(cli: Cli, locale: str) -> None:
    cli.script(SPANISH)
    ascii_only = {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert cli("chat", "Hi", env=ascii_only).stdout == "?Qu?? ? ?? ?\n"
    done = cli("chat", "--json", "Hi", env=ascii_only)
    assert json.loads(done.stdout)["text"] == SPANISH


def test_a_reader_that_leaves_ends_the_command_quietly(cli: Cli) -> None:
    cli.script("word " * 20000)
    cli.shell = '"$@" | head -c 10'
    done = cli("chat", "Hi")
    assert (done.returncode, done.stdout, done.stderr) == (141, "word word ", "")


def test_a_standard_error_that_nobody_reads_is_no_reason_to_stop(cli: Cli) -> None:
    cli.script("Hello")
    cli.shell = 'exec "$@" 2>&-'
    done = cli("chat", "--usage", "Hi")
    assert (done.returncode, done.stdout) == (0, "Hello\n")


def test_a_closed_standard_output_is_no_reason_to_crash(cli: Cli) -> None:
    cli.script("Hello")
    cli.shell = 'exec "$@" >&-'
    done = cli("chat", "--usage", "Hi")
    assert done.returncode == 0
    assert "Traceback (most" not in done.stderr


def test_a_full_disk_is_told(cli: Cli) -> None:
    cli.script("Hello")
    cli.shell = 'exec "$@" > /dev/full'
    done = cli("chat", "--usage", "Hi")
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback (most" not in done.stderr
