"""`jackfield health`: how providers stand, told to a person and to programs, and their incidents."""

import json
import re

import pytest

from support.commandline import Cli, Peer, Start

MODELS = json.dumps({"object": "list", "data": [{"id": "small"}, {"id": "large"}]}).encode()
UP = {"/v1/models": (200, [MODELS])}
DENIED = {"/v1/models": (401, [b'{"error": {"message": "bad key sk-abcdefghijklmnopqrstuvwx"}}'])}
BURNING = {"/v1/models": (500, [b'{"error": {"message": "it burns"}}'])}


def box(name: str, url: str, **more: str) -> str:
    """A table of the configuration: an OpenAI-compatible server under *name*."""
    lines = {"provider": "openai-compatible", "base_url": f"{url}/v1", **more}
    return f"[providers.{name}]\n" + "".join(f'{k} = "{v}"\n' for k, v in lines.items())


def states(printed: str) -> dict[str, str]:
    """The first word on each name."""
    return {row.split()[1]: row.split()[0] for row in printed.splitlines()}


@pytest.mark.live
def test_each_configured_provider_has_its_state_and_one_that_is_not_well_is_exit_code_1(
    cli: Cli,
) -> None:
    with Peer(UP) as up, Peer(DENIED) as denied, Peer(BURNING) as burning:
        tables = box("up", up.url), box("denied", denied.url), box("burning", burning.url)
        cli.configure("".join(tables) + box("gone", "http://127.0.0.1:9"))
        done, well = cli("health"), cli("health", "up")
        asked = [path for path, _ in burning.requests]
    assert states(done.stdout) == {
        "up": "healthy",
        "denied": "unauthorized",
        "burning": "down",
        "gone": "down",
    }
    assert (done.returncode, well.returncode, well.stderr) == (1, 0, "")
    assert "2 models" in well.stdout
    assert "it burns" in done.stdout
    assert "sk-abc" not in done.stdout + done.stderr
    assert asked == ["/v1/models"]  # once: a probe does not try again


def test_what_cannot_be_used_is_told_beside_the_others(cli: Cli) -> None:
    cli.configure(
        '[providers.fake]\nprovider = "scripted"\n[providers.work]\nprovider = "openai"\n'
    )
    done = cli("health")
    assert states(done.stdout) == {"fake": "healthy", "work": "unusable"}
    assert "OPENAI_API_KEY" in done.stdout
    assert done.returncode == 1


def test_a_program_gets_json(cli: Cli) -> None:
    cli.configure(
        '[providers.fake]\nprovider = "scripted"\n[providers.work]\nprovider = "openai"\n'
    )
    done = cli("health", "--json")
    told = {row["provider"]: row for row in json.loads(done.stdout)["providers"]}
    assert (told["fake"]["state"], told["fake"]["model_count"]) == ("healthy", 1)
    assert {name: row["healthy"] for name, row in told.items()} == {"fake": True, "work": False}


@pytest.mark.live
def test_a_program_learns_what_a_provider_that_is_not_well_said(cli: Cli) -> None:
    with Peer(BURNING) as burning:
        cli.configure(box("burning", burning.url))
        (told,) = json.loads(cli("health", "--json").stdout)["providers"]
    assert (told["state"], told["healthy"], told["provider"]) == ("down", False, "burning")
    assert "it burns" in told["last_error"]
    assert told.keys() >= {"latency", "incidents"}


def test_failures_of_several_runs_are_an_incident_which_successes_end(cli: Cli) -> None:
    cli.configure(box("work", "http://127.0.0.1:9"))
    assert json.loads(cli("health", "--history", "--json").stdout) == {"incidents": []}
    runs = [cli("health") for _ in range(3)]
    assert ["is down: 3 failures in a row" in run.stderr for run in runs] == [False, False, True]
    assert re.search(r"open +work +down +3 failures", cli("health", "--history").stdout)
    cli.configure('[providers.work]\nprovider = "scripted"\n')
    runs = [cli("health") for _ in range(2)]
    assert ["is well again" in run.stderr for run in runs] == [False, True]
    (incident,) = json.loads(cli("health", "--history", "--json").stdout)["incidents"]
    assert incident["opened"] < incident["closed"]
    assert cli("health", "--history", "other").stdout == ""


def test_the_history_may_be_another_file(cli: Cli) -> None:
    cli.configure('[providers.fake]\nprovider = "scripted"\n')
    cli("health", "--file", "mine.sqlite")
    assert (cli.folder / "mine.sqlite").stat().st_mode & 0o077 == 0
    (cli.folder / "text").write_text("no database", "utf-8")
    done = cli("health", "--history", "--file", "text")
    assert done.returncode == 2
    assert "choose another path" in done.stderr
    done = cli("health", "--file", "text")
    assert (done.returncode, states(done.stdout)) == (0, {"fake": "healthy"})
    assert "cannot be used" in done.stderr


def test_a_name_that_is_not_there_is_exit_code_2(cli: Cli) -> None:
    done = cli("health", "nonesuch")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nonesuch" in done.stderr


def test_without_any_provider_the_next_step_is_told(cli: Cli) -> None:
    done = cli("health")
    assert (done.returncode, done.stdout) == (0, "")
    assert "jackfield providers" in done.stderr


@pytest.mark.live
def test_watching_asks_again_until_it_is_stopped(cli: Cli, terminal: Start) -> None:
    with Peer(UP) as up:
        cli.configure(box("work", up.url))
        watching = terminal("health", "--watch", "1")
        for _ in range(2):
            watching.expect("healthy")
        watching.interrupt("Stopped.")
        assert watching.end() == 130


def test_watching_keeps_the_interval_of_the_file(cli: Cli, terminal: Start) -> None:
    with Peer(UP) as up:
        cli.configure(f"{box('work', up.url)}\n[health]\ninterval = 1\n")
        watching = terminal("health", "--watch")
        for _ in range(2):  # by default it would be a minute
            watching.expect("healthy")
        watching.interrupt("Stopped.")
        assert watching.end() == 130


def test_a_provider_after_watch_is_no_number_of_seconds(cli: Cli) -> None:
    done = cli("health", "--watch", "work")
    assert done.returncode == 2
    assert "'work' is no number of seconds: write --watch SECONDS" in done.stderr


def test_a_dumb_terminal_gets_no_control_characters(cli: Cli, terminal: Start) -> None:
    cli.configure('[providers.fake]\nprovider = "scripted"\n')
    shown = terminal("health", env={"TERM": "dumb"})
    assert shown.end() == 0
    assert "\x1b" not in shown.screen
    assert "healthy" in shown.screen
