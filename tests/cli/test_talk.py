"""The conversation at a terminal: its commands, its history, and Ctrl-C."""

import json
import socket
import stat
import threading
from pathlib import Path

import pytest

from support.commandline import Cli, Start


def history(cli: Cli) -> Path:
    return cli.folder / "home" / ".local" / "state" / "jackfield" / "history"


def test_the_conversation_goes_on_until_ctrl_d(cli: Cli, terminal: Start) -> None:
    cli.script("First answer", "Second answer")
    screen = terminal("chat")
    screen.expect("fake/any answers.")
    screen.type("Hello")
    screen.expect("First answer")
    screen.type("And now?")
    screen.expect("Second answer")
    screen.expect("\n> ")
    screen.send("\x04")
    assert screen.end() == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--attach", "missing.png"], "missing.png does not exist"),
        (["-p", "temperatur=1"], "did you mean temperature?"),
        (["--timeout", "-1"], "timeout"),
    ],
)
def test_options_that_no_question_could_mend_are_refused_before_the_first(
    cli: Cli, terminal: Start, options: list[str], said: str
) -> None:
    cli.script("Hello")
    screen = terminal("chat", *options)
    assert screen.end() == 2
    assert said in screen.screen
    assert "> " not in screen.screen


def test_the_model_gets_all_that_was_said(cli: Cli, terminal: Start) -> None:
    cli.script("Nice to meet you", then="repeat")
    screen = terminal("chat", "-s", "Be kind")
    screen.type("I am Ida")
    screen.type("/save talk.json")
    screen.expect("3 messages are in talk.json")
    screen.type("Who am I?")
    screen.type("/save talk.md")
    screen.type("/exit")
    assert screen.end() == 0
    assert json.loads((cli.folder / "talk.json").read_text()) == [
        {"role": "system", "content": "Be kind"},
        {"role": "user", "content": "I am Ida"},
        {"role": "assistant", "content": "Nice to meet you"},
    ]
    assert (cli.folder / "talk.md").read_text().count("**assistant**") == 2
    assert stat.S_IMODE((cli.folder / "talk.md").stat().st_mode) == 0o600


def test_save_replaces_no_file_and_the_conversation_goes_on(cli: Cli, terminal: Start) -> None:
    cli.script("Hello")
    (cli.folder / "precious.md").write_text("precious")
    screen = terminal("chat")
    screen.type("/save precious.md")
    screen.expect("precious.md: File exists")
    screen.type("/save nowhere/x.md")
    screen.expect("nowhere/x.md: No such file or directory")
    screen.type("/exit")
    assert screen.end() == 0
    assert (cli.folder / "precious.md").read_text() == "precious"


def test_the_commands_do_what_help_says(cli: Cli, terminal: Start) -> None:
    tables = {
        "fake": {"provider": "scripted", "answers": ["Hello"]},
        "echo": {"provider": "scripted"},
    }
    whole = {"default_model": "fake/any", "providers": tables}
    cli.configure(json.dumps(whole), "providers.json")
    screen = terminal("chat")
    screen.type("/help")
    screen.expect("/usage")
    screen.type("/system Be brief")
    screen.expect("Instructions: Be brief")
    screen.type("/system -")
    screen.expect("Instructions: none")
    screen.type("/model echo/other")
    screen.expect("echo/other answers.")
    screen.type("repeat after me")
    screen.expect("repeat after me\r\nrepeat after me")
    screen.type("/usage")
    screen.expect("3 input tokens, 3 output tokens, cost unknown")
    screen.type("/model nonsense")
    screen.expect("nobody serves the model 'nonsense'")
    screen.type("/nonsense")
    screen.expect("/nonsense is no command")
    screen.type("/clear")
    screen.expect("Forgotten.")
    screen.type("/exit")
    assert screen.end() == 0


@pytest.mark.parametrize("typed", ['"""one\ntwo"""\n', '"""\none\ntwo\n"""\n', "one\\\ntwo\n"])
def test_a_text_may_have_several_lines(cli: Cli, terminal: Start, typed: str) -> None:
    screen = terminal("chat", "-m", "scripted/any")
    screen.expect("\n> ")
    screen.send(typed)
    screen.expect("two")
    screen.type("/save said.json")
    screen.type("/exit")
    assert screen.end() == 0
    assert json.loads((cli.folder / "said.json").read_text())[0]["content"] == "one\ntwo"


def test_a_failed_call_is_a_message_and_the_conversation_goes_on(cli: Cli, terminal: Start) -> None:
    cli.script({"error": "OverloadedError"}, "Better now", retry={"attempts": 1})
    screen = terminal("chat")
    screen.type("Hello")
    screen.expect("Error: a scripted OverloadedError")
    screen.type("Again")
    screen.expect("Better now")
    screen.type("/exit")
    assert screen.end() == 0


def test_history_is_kept_in_a_file_that_only_the_user_can_read(cli: Cli, terminal: Start) -> None:
    cli.script("Hello")
    first = terminal("chat")
    first.type("a question to remember")
    first.type("/exit")
    assert first.end() == 0
    assert stat.S_IMODE(history(cli).stat().st_mode) == 0o600
    second = terminal("chat")
    second.expect("\n> ")
    second.send("\x1b[A\x1b[A\n")  # twice up
    second.expect("a question to remember")
    second.type("/exit")
    assert second.end() == 0


def test_a_home_that_cannot_be_written_is_no_reason_to_stop(cli: Cli, terminal: Start) -> None:
    cli.script("Hello")
    blocked = cli.folder / "file"
    blocked.write_text("")
    screen = terminal("chat", env={"XDG_STATE_HOME": str(blocked)})
    screen.type("Hi")
    screen.expect("Hello")
    screen.type("/exit")
    assert screen.end() == 0


def test_ctrl_c_stops_the_answer_and_keeps_the_conversation(cli: Cli, terminal: Start) -> None:
    cli.script({"text": "one two three four five", "pause": 600}, "Second")
    screen = terminal("chat")
    screen.type("Hello")
    screen.expect("one ")
    screen.interrupt("Ctrl-C again")
    screen.expect("Ctrl-C again, or Ctrl-D, leaves.")
    screen.type("/save talk.json")
    screen.expect("2 messages are in")
    screen.type("More")
    screen.expect("Second")
    screen.type("/exit")
    assert screen.end() == 0
    assert json.loads((cli.folder / "talk.json").read_text())[1]["content"] == "one "


def test_ctrl_c_twice_leaves(cli: Cli, terminal: Start) -> None:
    cli.script("Hello")
    screen = terminal("chat")
    screen.expect("\n> ")
    screen.send("unfinished")
    screen.expect("unfinished")
    screen.interrupt("Ctrl-C again")
    screen.expect("Ctrl-C again")
    screen.expect("\n> ")
    screen.interrupt()
    assert screen.end() == 130
    assert "Traceback" not in screen.screen


class Endless:
    """A server that streams an answer without end, and notices when its client leaves."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(30)
        self.left = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"

    def _serve(self) -> None:
        with self.listener, self.listener.accept()[0] as client:
            client.settimeout(30)
            while b"\r\n\r\n" not in client.recv(65536):
                pass
            client.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
            delta = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "word "}}]}
            client.sendall(b"data: " + json.dumps(delta).encode() + b"\n\n")
            while client.recv(65536):  # ends when the other side closes
                pass
            self.left.set()


@pytest.mark.live
@pytest.mark.parametrize("talking", [False, True], ids=["one shot", "conversation"])
def test_ctrl_c_closes_the_connection_so_that_the_provider_stops(
    cli: Cli, terminal: Start, talking: bool
) -> None:
    server = Endless()
    cli.configure(f'[providers.box]\nprovider = "openai-compatible"\nbase_url = "{server.url}"')
    screen = terminal("chat", "-m", "box/any", *([] if talking else ["Hi"]))
    if talking:
        screen.type("Hi")
    screen.expect("word ")
    screen.interrupt("Ctrl-C again" if talking else "")
    if talking:
        screen.expect("Ctrl-C again")
        assert server.left.wait(30)
        screen.type("/exit")
    assert screen.end() == (0 if talking else 130)
    assert server.left.wait(30)
    assert "Traceback" not in screen.screen


def test_a_signal_before_the_answer_is_exit_code_130_without_a_traceback(
    cli: Cli, terminal: Start
) -> None:
    cli.script({"text": "late", "delay": 600})
    screen = terminal("-v", "chat", "Hi")
    screen.expect("configuration")
    screen.interrupt()
    assert screen.end() == 130
    assert "Traceback" not in screen.screen


def test_a_terminal_with_the_output_elsewhere_asks_for_one_prompt(
    cli: Cli, terminal: Start
) -> None:
    cli.script("Hello")
    cli.shell = 'exec "$@" > answer.txt'
    screen = terminal("chat")
    screen.expect("Ctrl-D ends it.")
    screen.send("What?\n\x04")
    assert screen.end() == 0
    assert (cli.folder / "answer.txt").read_text() == "Hello\n"
