"""No key in any output, whatever happens to it."""

import pytest

from support.commandline import Cli, Peer

CANARY = "odd-canary-that-no-pattern-knows"
ECHOING = {
    "/v1/chat/completions": (
        401,
        [b'{"error": {"message": "bad key odd-canary-that-no-pattern-knows"}}'],
    )
}


def tables(url: str) -> str:
    return (
        f'[providers.literal]\nprovider = "openai-compatible"\nbase_url = "{url}/v1"\napi_key = "{CANARY}"\n'
        f'[providers.fromenv]\nprovider = "openai-compatible"\nbase_url = "{url}/v1"\napi_key = "${{WORK}}"\n'
        f'[providers.header]\nprovider = "openai-compatible"\nbase_url = "{url}/v1"\nheaders = {{ x-own = "{CANARY}" }}\n'
    )


@pytest.mark.live
@pytest.mark.parametrize("name", ["literal", "fromenv", "header"])
@pytest.mark.parametrize(
    "arguments",
    [["chat"], ["chat", "--json"], ["chat", "-v"], ["chat", "--debug"], ["explain"], ["explain", "--json"]],
    ids=" ".join,
)  # fmt: skip
def test_a_key_that_the_server_repeats_is_hidden(cli: Cli, name: str, arguments: list[str]) -> None:
    with Peer(ECHOING) as peer:
        cli.configure(tables(peer.url))
        done = cli(*arguments, "-m", f"{name}/any", "Hi", env={"WORK": CANARY})
        sent = [headers for _, headers in peer.requests]
    assert done.stdout + done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert all(CANARY in str(headers) for headers in sent)


@pytest.mark.live
def test_a_key_on_the_command_line_is_used_and_warned_of(cli: Cli) -> None:
    with Peer(ECHOING) as peer:
        cli.configure(
            f'[providers.box]\nprovider = "openai-compatible"\nbase_url = "{peer.url}/v1"\n'
        )
        done = cli("chat", "-m", "box/any", "--key", CANARY, "Hi")
    assert peer.requests[0][1]["authorization"] == f"Bearer {CANARY}"
    assert "a key on the command line can be seen by others" in done.stderr
    assert CANARY not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["sk-ant-canary0123456789"], ["chat", "--sk-ant-canary0123456789"], ["chat", "-m", "sk-ant-canary0123456789", "Hi"]],
    ids=["command", "option", "model"],
)  # fmt: skip
def test_a_key_in_the_wrong_place_is_not_repeated(cli: Cli, arguments: list[str]) -> None:
    done = cli(*arguments)
    assert done.returncode == 2
    assert "canary" not in done.stdout + done.stderr


def test_debug_logs_are_one_line_a_record_and_on_standard_error(cli: Cli) -> None:
    cli.script("Hello")
    done = cli("chat", "-v", "Hi")
    assert done.stdout == "Hello\n"
    assert "DEBUG jackfield.cli: configuration: providers.json" in done.stderr


def test_debug_shows_the_traceback_of_an_error(cli: Cli) -> None:
    done = cli("chat", "--debug", "-m", "nonesuch/any", "Hi")
    assert done.returncode == 2
    assert "Traceback (most recent call last)" in done.stderr
    assert "Traceback" not in cli("chat", "-m", "nonesuch/any", "Hi").stderr
