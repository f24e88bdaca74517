"""`pull`: progress for people and for pipes, and how it ends."""

import json

import pytest

from support.commandline import Cli, Peer, Start

pytestmark = pytest.mark.live

STEPS: list[dict[str, object]] = [
    {"status": "pulling manifest"},
    *({"status": "pulling 1a2b", "digest": "sha256:1a2b", "total": 2_000_000, "completed": n} for n in range(0, 2_000_001, 50_000)),
    {"status": "verifying sha256 digest"},
    {"status": "success"},
]  # fmt: skip


def lines(steps: list[dict[str, object]]) -> list[bytes]:
    return [json.dumps(step).encode() + b"\n" for step in steps]


def ollama(cli: Cli, steps: list[bytes], status: int = 200) -> Peer:
    """A server that answers a pull with *steps*, configured as `box`."""
    peer = Peer({"/api/pull": (status, steps)})
    cli.configure(f'[providers.box]\nprovider = "ollama"\nbase_url = "{peer.url}"\n')
    return peer


def test_a_pipe_gets_a_line_for_each_step_and_each_tenth(cli: Cli) -> None:
    with ollama(cli, lines(STEPS)):
        done = cli("pull", "box/small")
    printed = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert printed[0] == "pulling manifest"
    assert printed[1:12] == [f"pulling 1a2b {n}%" for n in range(0, 101, 10)]
    assert printed[12:] == ["verifying sha256 digest", "success"]
    assert "jackfield chat -m box/small" in done.stderr


def test_layers_that_take_turns_have_each_tenth_once(cli: Cli) -> None:
    turns: list[dict[str, object]] = [
        {"status": f"pulling {layer}", "digest": layer, "total": 100, "completed": done}
        for done in range(101)
        for layer in ("1a2b", "3c4d")
    ]
    with ollama(cli, lines([*turns, {"status": "success"}])):
        printed = cli("pull", "box/small").stdout.splitlines()
    expected = [f"pulling {layer} {n}%" for n in range(0, 101, 10) for layer in ("1a2b", "3c4d")]
    assert printed == [*expected, "success"]


def test_what_is_left_in_the_end_is_the_steps_that_count_bytes(cli: Cli, terminal: Start) -> None:
    with ollama(cli, lines(STEPS)):
        screen = terminal("pull", "box/small", width=100, env={"TERM": "xterm"})
        assert screen.end() == 0
    left = screen.screen.rpartition("\x1b[2K")[2]
    assert "2.0/2.0 MB" in left
    assert "0/?" not in left


@pytest.mark.parametrize("width", [20, 100])
def test_a_terminal_gets_a_bar(cli: Cli, terminal: Start, width: int) -> None:
    with ollama(cli, lines(STEPS)):
        screen = terminal("pull", "box/small", width=width)
        assert screen.end() == 0
    assert "Traceback (most" not in screen.screen
    if width == 100:
        assert "2.0/2.0 MB" in screen.screen


def test_a_dumb_terminal_gets_no_escape_sequences(cli: Cli, terminal: Start) -> None:
    with ollama(cli, lines(STEPS)):
        screen = terminal("pull", "box/small", env={"TERM": "dumb"})
        assert screen.end() == 0
    assert "\x1b" not in screen.screen


@pytest.mark.parametrize(
    ("status", "steps", "said"),
    [
        (404, [b'{"error": "pull model manifest: file does not exist"}'], "file does not exist"),
        (200, [b'{"status": "pulling manifest"}\n', b'{"error": "no space left on device"}\n'], "no space left"),
        (200, lines(STEPS[:4]), "incomplete: run the command again"),
    ],
    ids=["no such model", "an error on the way", "a connection that ends early"],
)  # fmt: skip
def test_a_pull_that_fails_is_exit_code_1(
    cli: Cli, status: int, steps: list[bytes], said: str
) -> None:
    with ollama(cli, steps, status):
        done = cli("pull", "box/small")
    assert done.returncode == 1
    assert said in done.stderr
    assert "success" not in done.stdout
    assert "Traceback (most" not in done.stderr


def test_a_provider_that_keeps_no_models_says_so(cli: Cli) -> None:
    done = cli("pull", "scripted/any")
    assert done.returncode == 2
    assert "scripted does not fetch models" in done.stderr
