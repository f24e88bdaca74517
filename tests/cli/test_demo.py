"""The bundled demo model: what answers when nothing is configured."""

import importlib.util

import pytest

from support.commandline import Cli, Start

HELLO = ["-p", "temperature=0", "Hello!"]

pytestmark = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ["jackfield_llamacpp", "xllamacpp"])),
    reason="the demo needs jackfield-llamacpp and the xllamacpp engine",
)


def test_the_demo_answers_when_nothing_is_configured_and_says_so_in_one_line(cli: Cli) -> None:
    done = cli("chat", *HELLO)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert done.stderr.count("\n") == 1
    assert "llamacpp/tiny-demo answers, a toy" in done.stderr
    assert "default_model" in done.stderr


def test_the_demo_says_nothing_about_itself_when_it_was_asked_for(cli: Cli) -> None:
    done = cli("chat", "-m", "llamacpp/tiny-demo", *HELLO)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "refused",
    [
        ["--attach", "missing.txt"],
        ["--attach", "noise.bin"],
        ["-p", "temperature=warm"],
        ["-p", "claude.own=1"],
        ["--schema", "{nonsense"],
        ["--timeout", "-1"],
        ["--strict", "-p", "effort=high"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("how", ["--stream", "--no-stream", "--json"])
def test_what_is_refused_is_told_without_a_word_about_who_would_have_answered(
    cli: Cli, refused: list[str], how: str
) -> None:
    (cli.folder / "noise.bin").write_bytes(bytes(range(256)))
    done = cli("chat", how, *refused, "Hi")
    assert done.returncode != 0
    assert "Error: " in done.stderr
    assert "a toy" not in done.stderr


@pytest.mark.parametrize("how", [["chat", "--no-stream"], ["chat", "--json"], ["explain"]], ids=str)
def test_the_demo_says_so_in_every_form_of_an_answer(cli: Cli, how: list[str]) -> None:
    done = cli(*how, *HELLO)
    assert done.returncode == 0
    assert done.stderr.count("llamacpp/tiny-demo answers, a toy") == 1


def test_a_conversation_says_once_that_the_demo_answers(cli: Cli, terminal: Start) -> None:
    screen = terminal("chat", "-p", "temperature=0", width=300)
    screen.type("Hello!")
    screen.type("/exit")
    assert screen.end() == 0
    assert screen.screen.count("tiny-demo answers") == 1


def test_the_demos_stream_is_its_whole_answer(cli: Cli) -> None:
    assert cli("chat", *HELLO).stdout == cli("chat", "--no-stream", *HELLO).stdout


def test_the_note_is_dim_on_a_terminal(cli: Cli, terminal: Start) -> None:
    screen = terminal("chat", *HELLO)
    assert screen.end() == 0
    assert screen.screen.startswith("\x1b[2mllamacpp/tiny-demo answers")


def test_ctrl_c_stops_the_demo_too(cli: Cli, terminal: Start) -> None:
    screen = terminal("chat", "-p", "temperature=0", "-m", "llamacpp/tiny-demo")
    screen.type("Tell me a story")
    screen.expect("Once")
    screen.interrupt("Ctrl-C again")
    screen.type("/exit")
    assert screen.end() == 0
    assert "Traceback (most" not in screen.screen


def test_without_the_demo_there_is_a_guide(cli: Cli) -> None:
    done = cli("chat", "Hi", env={"JACKFIELD_BLOCK": "llamacpp"})
    assert (done.returncode, done.stdout) == (2, "")
    assert 'pip install "jackfield[llamacpp]"' in done.stderr
    assert "JACKFIELD_MODEL" in done.stderr
    assert "jackfield providers" in done.stderr
    found = cli("doctor", env={"JACKFIELD_BLOCK": "llamacpp"})
    assert "none, and no demo is installed: set default_model" in found.stdout
