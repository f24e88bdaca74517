"""The whole configuration file at the command line: routes, aliases, bare names, and what stands around calls."""

import json
import signal
import subprocess
import time
from typing import Any

import pytest

from support.commandline import PATIENCE, Cli

FILE = """
default_model = "main"

[providers.down]
provider = "openai-compatible"
base_url = "http://127.0.0.1:9/v1"
retry = {attempts = 1}

[providers.up]
provider = "scripted"
answers = ["from up"]
models = ["pelican"]

[providers.keyless]
provider = "claude"

[providers.broken]
provider = "claude"
api_key = "${NOWHERE_SET}"
modells = []

[aliases]
fast = "up/quick"
first = "main"

[routes.main]
targets = ["down/x", "up/y"]

[routes.outer]
targets = ["keyless/z", "first"]

[routes.lame]
targets = ["up", "broken"]
"""


@pytest.fixture
def house(cli: Cli) -> Cli:
    cli.configure(FILE)
    return cli


def answer(cli: Cli, *arguments: str) -> Any:
    done = cli("chat", "--json", *arguments, "Hi")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.live
def test_a_route_answers_by_its_next_target_when_the_first_is_down(house: Cli) -> None:
    assert house("chat", "Hi").stdout == "from up\n"
    assert answer(house, "-m", "main")["provider"] == "up"
    assert answer(house, "-m", "outer", "-p", "up.own=1")["provider"] == "up"


@pytest.mark.parametrize(
    ("model", "meant"), [("fast", "quick"), ("pelican", "pelican"), ("up/other", "other")]
)
def test_an_alias_and_a_bare_name_mean_whoever_serves_them(
    house: Cli, model: str, meant: str
) -> None:
    told = answer(house, "-m", model)
    assert (told["provider"], told["model"], told["text"]) == ("up", meant, "from up")


def test_a_name_that_two_providers_serve_is_not_guessed(cli: Cli) -> None:
    table = '[providers.{}]\nprovider = "scripted"\nmodels = ["bird"]\n'
    cli.configure(table.format("one") + table.format("two"))
    done = cli("chat", "-m", "bird", "Hi")
    assert (done.returncode, done.stdout) == (2, "")
    assert "served by one, two: write one/bird, or give them priorities" in done.stderr


def test_a_route_needs_all_its_targets_to_be_well_configured(house: Cli) -> None:
    done = house("chat", "-m", "lame", "Hi")
    assert (done.returncode, done.stdout) == (2, "")
    assert "lame cannot be used" in done.stderr
    for line, said in {19: "api_key: the environment has no NOWHERE_SET", 20: "modells: no such"}.items():  # fmt: skip
        assert f"jackfield.toml:{line}: providers.broken.{said}" in done.stderr


def test_a_key_on_the_command_line_is_no_routes(house: Cli) -> None:
    done = house("chat", "-m", "main", "--key", "canary-0123456789", "Hi")
    assert done.returncode == 2
    assert "main is a route" in done.stderr
    assert "canary" not in done.stderr


@pytest.mark.live
def test_compare_and_batch_take_routes_and_aliases(house: Cli) -> None:
    done = house("compare", "--json", "-m", "main", "-m", "fast", "-m", "pelican", "Hi")
    assert done.returncode == 0, done.stderr
    assert [t["text"] for t in json.loads(done.stdout)["trials"]] == ["from up"] * 3
    lines = [{"prompt": "a"}, {"prompt": "b", "model": "fast"}, {"prompt": "c", "model": "outer"}]
    (house.folder / "in").write_text("".join(json.dumps(x) + "\n" for x in lines))
    done = house("batch", "in", "out")
    assert done.returncode == 0, done.stderr
    written = [json.loads(x) for x in (house.folder / "out").read_text().splitlines()]
    assert [x["response"]["model"] for x in written] == ["y", "quick", "y"]


def booked(cli: Cli, by: str = "model") -> dict[str, tuple[int, int, int]]:
    """Attempts, failures and what is open in the ledger."""
    groups = json.loads(cli("usage", "--json", "--by", by).stdout)["groups"]
    return {g[by]: (g["attempts"], g["failed"], g["open"]) for g in groups}


@pytest.mark.live
def test_the_ledger_has_each_attempt_of_a_chat(cli: Cli) -> None:
    cli.configure(FILE + "[ledger]\n")
    assert cli("chat", "Hi").stdout == "from up\n"
    assert booked(cli) == {"x": (1, 1, 0), "y": (1, 0, 0)}


def test_the_ledger_is_settled_after_ctrl_c(cli: Cli) -> None:
    answers = 'answers = [{text = "Once upon a time", delay = 60}]'
    cli.configure(f'[providers.slow]\nprovider = "scripted"\n{answers}\n[ledger]\npath = "l"\n')
    process = cli.start(
        "chat", "-m", "slow/m", "Hi", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and "m" not in booked(cli):
        pass
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert booked(cli)["m"][2] == 0


def test_a_limit_refuses_and_says_what_to_do(cli: Cli) -> None:
    limits = "[limits]\nconcurrency = 1\ntokens = '2/minute'\nwait = 0\n"
    cli.configure(f'[providers.up]\nprovider = "scripted"\n{limits}')
    done = cli("chat", "-m", "up/m", "Tell me a very long story")
    assert (done.returncode, done.stdout) == (1, "")
    assert "more than the limit of 2/minute tokens" in done.stderr
    assert "raise limits.tokens" in done.stderr


def test_a_budget_refuses_what_nobody_knows_the_price_of(cli: Cli) -> None:
    budget = '[[budgets]]\nlimit = 1\nunpriced = "refuse"\n'
    box = '[providers.box]\nprovider = "openai-compatible"\nbase_url = "http://127.0.0.1:9/v1"\napi_key = "k-0123456789"\n'
    cli.configure(box + budget)
    done = cli("chat", "-m", "box/m", "Hi")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nobody knows what m costs at box" in done.stderr


def test_logs_go_where_the_file_says(cli: Cli) -> None:
    logs = '[logs]\nlevel = "INFO"\nformat = "json"\npath = "calls.log"\n'
    cli.configure(f'[providers.up]\nprovider = "scripted"\nanswers = ["Hello"]\n{logs}')
    assert cli("chat", "-m", "up/m", "Hi").stderr == ""
    written = [json.loads(x) for x in (cli.folder / "calls.log").read_text().splitlines()]
    assert written[-1]["provider"] == "up"


def test_explain_tells_who_of_a_route_would_be_asked_and_why(house: Cli) -> None:
    done = house("explain", "-m", "outer", "Hi")
    assert done.returncode == 0, done.stderr
    rows = [line.split()[:2] for line in done.stdout.splitlines() if line[:4] in ("kept", "drop")]
    assert rows == [["kept", "keyless/z"], ["kept", "main"], ["kept", "down/x"], ["kept", "up/y"]]
    assert "POST https://api.anthropic.com" in done.stdout
    assert "keyless.api_key: there is none" in done.stderr
    told = json.loads(house("explain", "--json", "-m", "first", "Hi").stdout)
    assert told["how"] == "alias of main"
    assert told["url"].startswith("http://127.0.0.1:9/")
    assert [(c["target"], c["kept"]) for c in told["considered"]] == [("down/x", True), ("up/y", True)]  # fmt: skip
    assert told["considered"][1]["explanation"]["model"] == "y"


@pytest.mark.live
def test_the_doctor_tells_which_targets_of_a_route_are_ready(house: Cli) -> None:
    done = house("doctor", "outer")
    assert done.returncode == 1
    rows = {line.split()[1]: line.split() for line in done.stdout.splitlines()[1:]}
    assert {name: row[0] for name, row in rows.items() if name != "default"} == {
        "configuration": "ok",
        "down": "FAIL",
        "up": "ok",
        "keyless": "FAIL",
        "main": "warn",
        "outer": "warn",
    }
    assert "down/x is not ready; up/y is ready" in done.stdout
    assert "keyless/z is not ready; main is ready" in done.stdout


@pytest.mark.live
def test_the_doctor_looks_at_inner_routes_first_wherever_they_stand(house: Cli) -> None:
    rows = house("doctor").stdout.splitlines()
    assert {row.split()[1]: row.split()[0] for row in rows if "is ready" in row} == {
        "main": "warn",
        "outer": "warn",
        "lame": "warn",
    }


@pytest.mark.live
def test_models_and_providers_show_routes_and_aliases(house: Cli) -> None:
    told = json.loads(house("models", "--json").stdout)
    assert told["routes"]["main"] == ["down/x", "up/y"]
    assert told["aliases"] == {"fast": "up/quick", "first": "main"}
    assert "→ down/x, up/y" in house("models").stdout
    assert house("models", "main").stdout.split() == ["main/x", "main/y"]
    listed = {p["name"]: p for p in json.loads(house("providers", "--json").stdout)}
    assert listed["main"]["detail"] == "fallback of down/x, up/y"
    assert not listed.keys() & {"fallback", "balance"}


def test_health_obeys_its_table(cli: Cli) -> None:
    cli.configure('[providers.up]\nprovider = "scripted"\n[health]\npath = "mine.sqlite"\n')
    assert cli("health", "up").returncode == 0
    assert (cli.folder / "mine.sqlite").exists()
    cli.configure('[providers.up]\nprovider = "scripted"\n[health]\nwindow = -1\n')
    done = cli("health", "up")
    assert done.returncode == 2
    assert "jackfield.toml:4: health.window" in done.stderr


def test_completion_offers_routes_aliases_and_models(house: Cli) -> None:
    words = {"COMP_WORDS": "jackfield chat -m ", "COMP_CWORD": "3"}
    done = house(env={"_JACKFIELD_COMPLETE": "bash_complete", **words})
    offered = {line.removeprefix("plain,") for line in done.stdout.splitlines()}
    assert {"main", "outer", "fast", "up/pelican", "up/", "llamacpp/"} <= offered


def test_a_plain_call_loads_no_manager(cli: Cli) -> None:
    cli.program[1:] = ["-X", "importtime", "-m", "jackfield"]
    cli.configure('default_model = "up/m"\n[providers.up]\nprovider = "scripted"\n')
    done = cli("chat", "Hi")
    assert done.stdout == "Hi\n"
    assert not [x for x in done.stderr.splitlines() if x.endswith(("manager.manager", ".routing"))]


def test_a_key_for_once_goes_to_whom_a_bare_name_means(cli: Cli) -> None:
    box = '[providers.box]\nprovider = "openai-compatible"\nbase_url = "http://127.0.0.1:9/v1"\n'
    cli.configure(box + 'models = ["m"]\napi_key = "of-the-file-0123456789"\n[ledger]\n')
    done = cli("chat", "-m", "m", "--key", "broken key\t", "Hi")
    assert (done.returncode, done.stdout) == (2, "")
    assert "providers.box.api_key" in done.stderr
