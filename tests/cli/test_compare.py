"""`compare`: a table, the answers below it, and files of it; at any width, in a pipe, and with failures."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from support.commandline import Cli, Start

pytestmark = pytest.mark.live


def shelf(cli: Cli, **answers: Any) -> None:
    """A scripted provider of each name."""
    tables = {
        name: {"provider": "scripted", "answers": list(told), "retry": {"attempts": 1}}
        for name, told in answers.items()
    }
    cli.configure(json.dumps({"providers": tables}), "providers.json")


ASK = ["compare", "-m", "a/one", "-m", "b/two", "Name a bird"]


def test_a_pipe_gets_the_table_and_the_answers(cli: Cli) -> None:
    shelf(cli, a=["a pelican"], b=["a kiwi, which does not fly"])
    done = cli(*ASK)
    assert done.returncode == 0, done.stderr
    head, first, second, *answers = done.stdout.splitlines()
    assert re.split(r"  +", head) == "Model,Answers,First token,Total,Tokens,Tokens/s,Ended".split(",")  # fmt: skip
    assert re.match(r"a/one +1 +\S+ s +\S+ s +2 +\S+ +stop", first)
    assert re.match(r"b/two +1 +\S+ s +\S+ s +6 +\S+ +stop", second)
    assert answers == ["", "a/one", "a pelican", "", "b/two", "a kiwi, which does not fly"]
    assert done.stderr == ""


def test_rounds_are_numbered_and_failures_stand_beside_answers(cli: Cli) -> None:
    shelf(cli, a=["once", {"error": "OverloadedError", "message": "busy"}], b=["always"])
    done = cli(*ASK, "--repeat", "2")
    assert done.returncode == 1
    assert re.search(r"a/one +1 of 2 ", done.stdout)
    assert "a/one, round 2\nOverloadedError: busy" in done.stdout
    assert "b/two, round 2\nalways" in done.stdout


def test_json_is_one_object(cli: Cli) -> None:
    shelf(cli, a=["x"], b=["y"])
    done = cli(*ASK, "--json", "-s", "Be brief.", "--concurrency", "2")
    told = json.loads(done.stdout)
    assert told["prompt"] == "Be brief.\n\nName a bird"
    assert [m["model"] for m in told["models"]] == ["a/one", "b/two"]
    assert [t["text"] for t in told["trials"]] == ["x", "y"]


def test_all_get_the_same_attachments_and_options(cli: Cli) -> None:
    cli.configure(json.dumps({"providers": {n: {"provider": "scripted", "then": "echo"} for n in "ab"}}), "providers.json")  # fmt: skip
    (cli.folder / "notes.txt").write_text("the kakapo climbs trees", "utf-8")
    schema = '{"type": "object"}'
    done = cli(*ASK, "--json", "--attach", "notes.txt", "--schema", schema, "--timeout", "9")
    told = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    said = "notes.txt:\n\nthe kakapo climbs trees\n\nName a bird"
    assert [t["text"] for t in told["trials"]] == [said] * 2


def test_it_is_written_to_files_too(cli: Cli) -> None:
    shelf(cli, a=["<script>alert(1)</script>"], b=["\ud83d"])
    done = cli(*ASK, "--html", "r.html", "--markdown", "r.md", "--csv", "r.csv")
    assert done.returncode == 0, done.stderr
    page = (cli.folder / "r.html").read_text("utf-8")
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert "| a/one |" in (cli.folder / "r.md").read_text("utf-8")
    assert (cli.folder / "r.csv").read_bytes().count(b"\r\n") == 3
    assert "The comparison is in r.html" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-m", "a/one", "-m", "nobody/x", "Hi"], "nobody serves the model 'nobody/x'"),
        (["-m", "a/one", "-m", "a", "Hi"], "'a' is a provider: which of its models?"),
        (["-m", "a/one", "-m", "a/one", "Hi"], "different names"),
        (["-m", "a/one", "-p", "temperature=hot", "Hi"], "temperature"),
        (["-m", "a/one", "--schema", "[]", "Hi"], "--schema"),
        (["-m", "a/one", "--attach", "none.png", "Hi"], "none.png"),
        (["-m", "a/one"], "the prompt and standard input are empty"),
        (["Hi"], "Missing option '-m'"),
    ],
)
def test_what_is_wrong_is_told_before_anybody_is_asked(
    cli: Cli, arguments: list[str], said: str
) -> None:
    shelf(cli, a=["never"], b=["never"])
    done = cli("compare", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("width", [40, 120])
def test_a_narrow_terminal_gets_a_list(cli: Cli, terminal: Start, width: int) -> None:
    shelf(cli, a=["a pelican \x1b[31m"], b=["a kiwi"])
    screen = terminal(*ASK, width=width, env={"NO_COLOR": "1"})
    assert screen.end() == 0
    shown = screen.screen.splitlines()
    table = shown[: shown.index("", 2)]
    assert max(map(len, table)) <= width
    assert ("a/one" in table) == (width == 40)
    assert "\x1b[31m" not in screen.screen
    assert "a kiwi" in shown


def test_a_dumb_terminal_gets_no_escape_sequences(cli: Cli, terminal: Start) -> None:
    shelf(cli, a=["x"], b=["y"])
    screen = terminal(*ASK, env={"TERM": "dumb"})
    assert screen.end() == 0
    assert "\x1b" not in screen.screen


def test_a_report_with_nowhere_to_go_is_refused_before_anybody_is_asked(cli: Cli) -> None:
    cli.script("one", then="fail")
    done = cli("compare", "-m", "fake/a", "-m", "fake/b", "--html", "nowhere/r.html", "Hi")
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert "fake/a" not in done.stdout
