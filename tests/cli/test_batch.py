"""`batch`: every line is checked first, results come in order, and the same command goes on after a break."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from typing import Any

import pytest

from support.commandline import PATIENCE, Cli, Start

pytestmark = pytest.mark.live


def write(cli: Cli, *lines: Any, name: str = "in.jsonl") -> None:
    text = "".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines)
    (cli.folder / name).write_text(text, "utf-8")


def questions(count: int) -> list[Any]:
    return [{"id": f"q{n}", "prompt": f"question {n}"} for n in range(count)]


def answers(cli: Cli, name: str = "out.jsonl") -> list[Any]:
    return [json.loads(line) for line in (cli.folder / name).read_text("utf-8").splitlines()]


def test_results_are_in_the_order_of_their_lines(cli: Cli) -> None:
    cli.script(then="echo", delay=0.01)
    messages = [{"role": "user", "content": "in messages"}]
    body = {"model": "fake/other", "messages": messages, "max_tokens": 5}
    long = {"custom_id": "long", "method": "POST", "url": "/v1/chat/completions", "body": body}
    vectors = {"custom_id": "v", "url": "/v1/embeddings", "body": {"input": ["a", "b"]}}
    short = {"messages": messages, "system": "Be brief.", "parameters": {"temp": 0}}
    write(cli, *questions(20), long, vectors, "", {"id": 7, "prompt": "\u2028 \U0001f426"}, short)
    done = cli("batch", "in.jsonl", "out.jsonl")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    found = answers(cli)
    assert [a["id"] for a in found] == [
        *(f"q{n}" for n in range(20)),
        "long",
        "v",
        "7",
        "request-23",
    ]
    texts = [a["response"].get("text") for a in found]
    assert texts[:21] == [*(f"question {n}" for n in range(20)), "in messages"]
    assert texts[22] == "\u2028 \U0001f426"
    assert found[20]["response"]["model"] == "other"
    assert len(found[21]["response"]["vectors"]) == 2
    assert found[0]["response"]["usage"] == {"input_tokens": 2, "output_tokens": 2}
    assert "24 answers are in out.jsonl" in done.stderr
    assert not (cli.folder / "out.jsonl.checkpoint").exists()


def test_every_bad_line_is_told_before_anything_is_sent(cli: Cli) -> None:
    cli.script("never", models=["any"])
    write(
        cli,
        {"id": "a", "prompt": "fine"},
        "not json",
        {"id": "a", "prompt": "again"},
        {"prompt": "x", "messages": []},
        {"promt": "x"},
        {"prompt": "x", "model": "nobody/at-all"},
        {"prompt": "x", "model": "bare"},
        {"prompt": "x", "parameters": {"temperature": "hot"}},
        {"custom_id": "b", "url": "/v1/images", "body": {"model": "fake/x"}},
        {"custom_id": "c", "body": {"model": "fake/x", "messages": []}},
        [],
    )
    done = cli("batch", "in.jsonl", "out.jsonl")
    assert done.returncode == 2
    numbers = [int(x.split("in.jsonl:")[1].split(":")[0]) for x in done.stderr.splitlines() if "in.jsonl:" in x]  # fmt: skip
    assert numbers == list(range(2, 12))
    assert "is the id of line 1 too" in done.stderr
    assert not list(cli.folder.glob("out*"))


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "holds no requests"), ("\n".join(["{"] * 300), "200 further lines")],
)
def test_a_file_without_requests_is_told(cli: Cli, content: str, said: str) -> None:
    cli.script("never")
    write(cli, content)
    done = cli("batch", "in.jsonl", "out.jsonl")
    assert done.returncode == 2
    assert said in done.stderr


def test_what_failed_is_tried_again_by_the_same_command(cli: Cli) -> None:
    write(cli, *questions(3))
    slow = {"error": "RateLimitError", "message": "too fast", "code": "slow", "retry_after": 0}
    cli.script("one", slow, "three", retry={"attempts": 1})
    done = cli("batch", "in.jsonl", "out.jsonl", "--concurrency", "1")
    assert done.returncode == 1
    assert "1 of 3 requests failed" in done.stderr
    error = {"class": "RateLimitError", "message": "too fast", "code": "slow", "status": 429}
    assert [a.get("error") for a in answers(cli)] == [None, error, None]
    cli.script("two")
    done = cli("batch", "in.jsonl", "out.jsonl")
    assert done.returncode == 0, done.stderr
    assert [a["response"]["text"] for a in answers(cli)] == ["one", "two", "three"]


def test_ctrl_c_stops_at_once_and_the_same_command_goes_on(cli: Cli) -> None:
    write(cli, *questions(8))
    kept = cli.folder / "out.jsonl.checkpoint"
    cli.script("at once", "at once", {"text": "late", "delay": 3600})
    process = cli.start(
        "batch", "in.jsonl", "out.jsonl", "--concurrency", "2", stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    while process.poll() is None and (not kept.exists() or kept.read_bytes().count(b"\n") < 3):
        pass
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert b"The same command goes on from out.jsonl.checkpoint" in told
    cli.script("later")
    assert cli("batch", "in.jsonl", "out.jsonl").returncode == 0
    assert [a["response"]["text"] for a in answers(cli)] == ["at once"] * 2 + ["later"] * 6


def test_another_input_is_not_mixed_up_with_what_was_begun(cli: Cli) -> None:
    write(cli, *questions(3))
    failing = {"error": "ServerError"}
    cli.script("one", "two", failing, retry={"attempts": 1})
    assert cli("batch", "in.jsonl", "out.jsonl", "--concurrency", "1").returncode == 1
    write(cli, *questions(1), {"id": "q1", "prompt": "another"}, *questions(3)[2:])
    done = cli("batch", "in.jsonl", "out.jsonl")
    assert done.returncode == 2
    assert "request 1 ('q1') has changed since" in done.stderr
    write(cli, *questions(2), {"id": "q2", "prompt": "another"})
    cli.script("mended")
    assert cli("batch", "in.jsonl", "out.jsonl").returncode == 0
    assert [a["response"]["text"] for a in answers(cli)] == ["one", "two", "mended"]


def test_a_file_that_is_there_is_not_written_over(cli: Cli) -> None:
    cli.script("x")
    write(cli, *questions(1))
    write(cli, "mine", name="out.jsonl")
    done = cli("batch", "in.jsonl", "out.jsonl")
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert (cli.folder / "out.jsonl").read_text() == "mine\n"


def test_the_command_line_beats_the_lines(cli: Cli) -> None:
    cli.script(then="echo")
    body = {"model": "gpt-x", "messages": [{"role": "user", "content": "Hi"}]}
    write(cli, {"prompt": "a", "model": "nobody/x"}, {"custom_id": "b", "body": body})
    done = cli("batch", "-m", "fake/that", "-p", "temp=0", "in.jsonl", "out.jsonl")
    assert done.returncode == 0, done.stderr
    assert [a["response"]["model"] for a in answers(cli)] == ["that", "that"]
    write(cli, {"custom_id": "b", "body": body})
    assert cli("batch", "-m", "fake", "in.jsonl", "other.jsonl").returncode == 0
    assert answers(cli, "other.jsonl")[0]["response"]["model"] == "gpt-x"


@pytest.mark.parametrize(
    ("native", "code", "said"),
    [
        ("require", 2, "fake has no batches of its own"),
        ("prefer", 0, "1 answers are in out.jsonl"),
        ("never", 0, "1 answers are in out.jsonl"),
        ("in.jsonl", 2, "'in.jsonl' is not one of 'never', 'prefer', 'require'"),
    ],
)
def test_own_batches_are_for_providers_that_have_them(
    cli: Cli, native: str, code: int, said: str
) -> None:
    cli.script("x")
    write(cli, *questions(1))
    done = cli("batch", "--native", native, "in.jsonl", "out.jsonl")
    assert done.returncode == code
    assert said in done.stderr


# An executor that works in other processes, as plugins' do.
SPAWNING = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

class Spawning:
    remote = True

    def map(self, function, items, concurrency):
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            for number, outcome in enumerate(pool.map(function, items)):
                yield number, outcome
"""


@pytest.fixture
def spawning(cli: Cli) -> None:
    """Installs an executor of that name for the command line, in a folder of its own."""
    site = cli.folder / "site"
    about = site / "spawning-1.dist-info"
    about.mkdir(parents=True)
    (site / "spawning.py").write_text(SPAWNING, "utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: spawning\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[jackfield.executors]\nspawn = spawning:Spawning\n")
    cli.environment["PYTHONPATH"] = str(site)


@pytest.mark.usefixtures("spawning")
def test_an_executor_does_the_work_in_other_processes_with_the_same_file(cli: Cli) -> None:
    cli.configure(
        '[providers.fake]\nprovider = "scripted"\nthen = "echo"\nmodels = ["any"]\n'
        '[aliases]\nquick = "fake/any"\n[logs]\nlevel = "DEBUG"\npath = "calls.log"\nformat = "json"\n'
    )
    write(cli, *({"prompt": f"text {n}", "model": "quick"} for n in range(6)))
    done = cli("batch", "-p", "temp=0", "--executor", "spawn", "in.jsonl", "out.jsonl")
    assert done.returncode == 0, done.stderr
    assert [a["response"]["text"] for a in answers(cli)] == [f"text {n}" for n in range(6)]
    assert "6 answers are in out.jsonl" in done.stderr
    logged = (cli.folder / "calls.log").read_text("utf-8").splitlines()
    assert len(logged) >= 6  # what the file puts around calls stands around those, too


@pytest.mark.usefixtures("spawning")
def test_what_failed_elsewhere_is_told_and_tried_again(cli: Cli) -> None:
    write(cli, *questions(2))
    cli.script({"error": "ServerError", "message": "no"}, retry={"attempts": 1})
    done = cli("batch", "--executor", "spawn", "in.jsonl", "out.jsonl")
    assert done.returncode == 1
    assert "requests failed" in done.stderr
    cli.script(then="echo")
    assert cli("batch", "--executor", "threads", "in.jsonl", "out.jsonl").returncode == 0
    assert [a["response"]["text"] for a in answers(cli)] == ["question 0", "question 1"]


@pytest.mark.usefixtures("spawning")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--executor", "nobody"], "no executor 'nobody' is installed; have threads, "),
        (["--executor", "spawn", "--native", "prefer"], "leave one of the two out"),
    ],
)
def test_an_executor_that_cannot_do_it_is_told_before_anything_is_written(
    cli: Cli, arguments: list[str], said: str
) -> None:
    cli.script("never")
    write(cli, *questions(1))
    done = cli("batch", *arguments, "in.jsonl", "out.jsonl")
    assert done.returncode == 2
    assert said in done.stderr
    assert not list(cli.folder.glob("out*"))


def test_a_provider_that_cannot_be_used_is_told_once(cli: Cli) -> None:
    write(cli, *({"prompt": "x", "model": "claude/m"} for _ in range(5)))
    done = cli("batch", "in.jsonl", "out.jsonl")
    assert done.returncode == 2
    assert done.stderr.count("claude.api_key: there is none") == 1, done.stderr


@pytest.mark.parametrize(("width", "term"), [(40, "xterm"), (100, "xterm"), (80, "dumb")])
def test_a_terminal_gets_a_bar_and_a_dumb_one_no_escapes(
    cli: Cli, terminal: Start, width: int, term: str
) -> None:
    cli.script(then="echo", delay=0.01)
    write(cli, *questions(30))
    screen = terminal("batch", "in.jsonl", "out.jsonl", width=width, env={"TERM": term})
    assert screen.end() == 0
    assert "30 answers are in out.jsonl" in screen.screen.replace("\n", " ")
    assert ("\x1b" in screen.screen) == (term == "xterm")


def test_what_is_refused_leaves_the_results_that_there_are(cli: Cli) -> None:
    cli.script("one", {"error": "ServerError"}, then="fail", retry={"attempts": 1})
    write(cli, *questions(2))
    assert cli("batch", "in.jsonl", "out.jsonl").returncode == 1
    before = (cli.folder / "out.jsonl").read_bytes()
    assert before
    write(cli, {"id": "q0", "prompt": "another question"}, *questions(2)[1:])
    for more in ((), ("--executor", "threads")):
        done = cli("batch", "in.jsonl", "out.jsonl", *more)
        assert (done.returncode, (cli.folder / "out.jsonl").read_bytes()) == (2, before)
        assert "another OUT" in done.stderr


def test_the_same_command_twice_at_once_loses_nothing(cli: Cli) -> None:
    cli.script(then="echo", delay=0.2)
    write(cli, *questions(20))
    first = cli.start(
        "batch", "--concurrency", "1", "in.jsonl", "out.jsonl", stderr=subprocess.PIPE
    )
    waited = 0.0
    while not (cli.folder / "out.jsonl").exists() and waited < PATIENCE:
        time.sleep(0.1)
        waited += 0.1
    second = cli("batch", "in.jsonl", "out.jsonl")
    assert second.returncode == 2
    assert "another batch" in second.stderr
    first.communicate(timeout=PATIENCE)
    assert first.returncode == 0
    assert [a["id"] for a in answers(cli)] == [f"q{n}" for n in range(20)]
