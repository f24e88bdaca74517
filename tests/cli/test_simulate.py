"""`simulate`: one policy or two in a table, JSON for programs, and every mistake in the files at once."""

from __future__ import annotations

import json

import pytest

from support.commandline import Cli, Start

pytestmark = pytest.mark.live

ROUTES = """
[providers.a]
api_key = "${NOBODY_HAS_THIS}"
[providers.b]
[routes.alone]
targets = ["a/m"]
[routes.both]
targets = ["a/m", "b/m"]
"""
SCENARIO = """
[backends.a]
price = { input = 1, output = 2 }
[[backends.a.outages]]
start = "2m"
duration = "1m"
[backends.b]
price = { input = 2, output = 4 }
"""
ASK = ["simulate", "routes.toml", "--trace", "poisson:rate=1,duration=5m", "--scenario", "day.toml"]


@pytest.fixture(autouse=True)
def files(cli: Cli) -> None:
    cli.configure(ROUTES, "routes.toml")
    cli.configure(SCENARIO, "day.toml")


def rows(text: str) -> dict[str, list[str]]:
    """The cells of each row, by its first."""
    split = [line.split("  ") for line in text.splitlines()]
    return {cells[0]: [c.strip() for c in cells[1:] if c.strip()] for cells in split if cells[0]}


def test_two_routes_stand_side_by_side_in_a_pipe(cli: Cli) -> None:
    done = cli(*ASK, "--route", "alone", "--route", "both")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].split() == ["alone", "both", "change"]
    found = rows(done.stdout)
    assert found["failed"][1:] == ["0", "-100.0%"]
    assert found["calls"][2] == "="
    assert done.stderr == ""


def test_two_files_are_told_apart_by_their_names(cli: Cli) -> None:
    cli.configure(ROUTES.replace('["a/m"]', '["b/m"]'), "next.toml")
    done = cli("simulate", "routes.toml", "next.toml", *ASK[2:], "--route", "alone", "--json")
    told = json.loads(done.stdout)
    assert told["before"]["name"] == "routes.toml alone"
    assert list(told["after"]["targets"]) == ["b/m"]
    assert {row["name"] for row in told["differences"]} >= {"cost", "total p99", "failed"}


def test_a_page_has_it_all_and_needs_no_other_file(cli: Cli) -> None:
    done = cli(*ASK, "--route", "alone", "--route", "both", "--html", "report.html")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "The report is in report.html\n"
    page = (cli.folder / "report.html").read_text("utf-8")
    for name, cells in rows(done.stdout).items():
        assert all(f"<td>{cell}</td>" in page for cell in cells if name.strip())


def test_one_policy_has_one_column_and_one_json_object(cli: Cli) -> None:
    done = cli(*ASK, "--route", "both")
    assert all(len(cells) == 1 for name, cells in rows(done.stdout).items() if name.strip())
    assert json.loads(cli(*ASK, "--route", "both", "--json").stdout)["failed"] == 0


def test_without_a_route_calls_go_where_their_models_lead(cli: Cli) -> None:
    call = {"at": 1, "model": "both", "input_tokens": 3, "output_tokens": 4}
    cli.configure(json.dumps(call), "calls.jsonl")
    told = json.loads(cli("simulate", "routes.toml", "--trace", "calls.jsonl", "--json").stdout)
    assert told["targets"]["a/m"]["answers"] == 1
    assert "backends.a" in told["warnings"][0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--route", "bth"], "did you mean both"),
        (["--route", "a", "--route", "b", "--route", "c"], "two policies can be compared"),
        (["--trace", "poisson:"], "poisson:rate: is required"),
        (["--scenario", "no.toml"], "no.toml: does not exist"),
    ],
)
def test_what_is_wrong_is_told_with_exit_code_2(cli: Cli, words: list[str], said: str) -> None:
    done = cli(*ASK, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_a_provider_that_lists_no_models_does_not_serve_a_misspelt_route(cli: Cli) -> None:
    cli.configure(f'{ROUTES}\n[providers.toy]\nprovider = "llamacpp"\n', "routes.toml")
    done = cli(*ASK, "--route", "bth")
    assert (done.returncode, done.stdout) == (2, "")
    assert "routes.toml has no route 'bth' (did you mean both?)" in done.stderr


def test_every_mistake_in_a_file_is_told_with_its_line(cli: Cli) -> None:
    cli.configure(ROUTES + 'kind = "fallbak"\nstream = "x"\n', "routes.toml")
    done = cli(*ASK)
    assert done.returncode == 2
    assert "routes.toml:9: routes.both.kind" in done.stderr
    assert "routes.toml:10: routes.both.stream" in done.stderr


@pytest.mark.parametrize(("width", "term"), [(40, "dumb"), (100, "xterm")])
def test_a_terminal_is_not_overrun_and_a_dumb_one_gets_no_control_characters(
    terminal: Start, width: int, term: str
) -> None:
    screen = terminal(*ASK, "--route", "alone", "--route", "both", width=width, env={"TERM": term})
    assert screen.end() == 0
    assert ("\x1b" in screen.screen or "\r" in screen.screen) == (term == "xterm")
    assert term != "dumb" or max(map(len, screen.screen.splitlines())) <= width


def test_a_page_with_nowhere_to_go_is_refused_before_anything_is_simulated(cli: Cli) -> None:
    cli.configure(ROUTES, "routes.toml")
    done = cli(*ASK, "--route", "both", "--html", "nowhere/page.html")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no folder nowhere" in done.stderr
