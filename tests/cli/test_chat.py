"""One question and its answer: what is sent, what is printed where, and how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest

from support.commandline import Cli


def sent(cli: Cli, *arguments: str, **options: Any) -> Any:
    """What `explain` says would be sent to a server that takes OpenAI's requests."""
    cli.configure(
        '[providers.box]\nprovider = "openai-compatible"\nbase_url = "http://127.0.0.1:9/v1"'
    )
    done = cli("explain", "--json", "-m", "box/any", *arguments, **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["body"]


def test_the_answer_goes_to_standard_output_and_nothing_else_does(cli: Cli) -> None:
    cli.script("Hello there")
    done = cli("chat", "-p", "seed=1", "--usage", "Hi")
    assert (done.returncode, done.stdout) == (0, "Hello there\n")
    assert "1 input tokens, 2 output tokens, cost unknown" in done.stderr


def test_the_prompt_comes_from_the_arguments_and_then_standard_input(cli: Cli) -> None:
    body = sent(cli, "Review", "this", stdin="ein Ünterschied\n".encode())
    assert body["messages"][-1]["content"] == "Review this\n\nein Ünterschied"


def test_the_prompt_comes_from_standard_input_alone(cli: Cli) -> None:
    assert sent(cli, stdin=b"Hello\n")["messages"][-1]["content"] == "Hello"


def test_options_reach_the_request(cli: Cli) -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    arguments = ["-s", "Be brief", "-p", "temp=0.5", "-p", "max_length=7", "-p", "stop=1"]
    arguments += ["-p", "stop=END", "-p", 'box.extra={"a": [1]}', "-p", "compatible.more=on"]
    body = sent(cli, *arguments, "--schema", json.dumps(schema), "Hi")
    assert body["messages"][0] == {"role": "system", "content": "Be brief"}
    assert body["temperature"] == 0.5
    assert body["stop"] == ["1", "END"]
    assert 7 in (body.get("max_tokens"), body.get("max_completion_tokens"))
    assert (body["extra"], body["more"]) == ({"a": [1]}, "on")
    assert body["response_format"]["json_schema"]["schema"] == schema


def test_a_schema_comes_from_a_file(cli: Cli) -> None:
    (cli.folder / "shape.json").write_text('{"enum": ["yes", "no"]}')
    body = sent(cli, "--schema", "shape.json", "Yes or no?")
    assert body["response_format"]["json_schema"]["schema"] == {"enum": ["yes", "no"]}


def test_a_text_file_is_attached_as_text_and_a_picture_as_a_picture(cli: Cli) -> None:
    (cli.folder / "notes.md").write_text("# Notes")
    (cli.folder / "dot.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    body = sent(cli, "--attach", "notes.md", "--attach", "dot.png", "What is this?")
    parts = body["messages"][-1]["content"]
    assert parts[0]["image_url"]["url"].startswith("data:image/png;base64,")
    assert "".join(p.get("text", "") for p in parts).endswith("notes.md:\n\n# Notes\nWhat is this?")


def test_json_is_one_object_with_text_usage_and_finish_reason(cli: Cli) -> None:
    cli.script(
        {
            "text": "Grüße",
            "reasoning": "think",
            "tool_calls": [{"name": "f", "arguments": {"x": 1}}],
        }
    )
    done = cli("chat", "--json", "Hi")
    answer = json.loads(done.stdout)
    assert (answer["provider"], answer["model"], answer["text"]) == ("fake", "any", "Grüße")
    assert answer["reasoning"] == "think"
    assert answer["tool_calls"] == [{"id": "call_1", "name": "f", "arguments": '{"x":1}'}]
    assert answer["finish_reason"] == "tool_calls"
    assert answer["usage"]["input_tokens"] == 1
    assert "Grüße" in done.stdout


def test_json_stream_is_one_event_a_line_and_its_texts_are_the_answer(cli: Cli) -> None:
    cli.script("one two three")
    events = [
        json.loads(line) for line in cli("chat", "--json", "--stream", "Hi").stdout.splitlines()
    ]
    assert "".join(e["text"] for e in events if e["type"] == "TextDelta") == "one two three"
    assert events[-1]["type"] == "Finish"


def test_json_reports_a_failure_where_the_answer_is_awaited(cli: Cli) -> None:
    cli.script({"error": "RateLimitError", "retry_after": 90})
    for arguments in (["--json"], ["--json", "--stream"]):
        done = cli("chat", *arguments, "Hi")
        error = json.loads(done.stdout.splitlines()[-1] if "--stream" in arguments else done.stdout)
        assert error["error"]["type"] == "RateLimitError"
        assert error["error"]["retry_after"] == 90
        assert done.returncode == 1


def test_reasoning_is_left_out_of_a_pipe(cli: Cli) -> None:
    cli.script({"reasoning": "secretly", "text": "Hello"})
    done = cli("chat", "Hi")
    assert done.stdout == "Hello\n"
    assert "secretly" not in done.stderr


def test_a_failed_call_is_exit_code_1_and_one_message_with_what_to_do(cli: Cli) -> None:
    cli.script({"error": "AuthenticationError"})
    done = cli("chat", "Hi")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Error: " in done.stderr
    assert "jackfield doctor fake" in done.stderr
    assert "Traceback (most" not in done.stderr


def test_an_interrupted_answer_is_exit_code_3_and_what_had_come_is_printed(cli: Cli) -> None:
    cli.script({"text": "one two three four", "cut_after": 2})
    done = cli("chat", "Hi")
    assert (done.returncode, done.stdout) == (3, "one two \n")
    assert "incomplete" in done.stderr


def test_a_refusal_is_exit_code_1_and_is_told(cli: Cli) -> None:
    cli.script({"refusal": "I cannot do that."})
    done = cli("chat", "Hi")
    assert (done.returncode, done.stdout) == (1, "")
    assert "The model declined: I cannot do that." in done.stderr


def test_an_answer_cut_at_its_limit_says_so(cli: Cli) -> None:
    cli.script({"text": "Once upon", "finish_reason": "length"})
    done = cli("chat", "Hi")
    assert (done.returncode, done.stdout) == (0, "Once upon\n")
    assert "max_tokens" in done.stderr


def test_a_compromise_is_told_and_strict_refuses_it(cli: Cli) -> None:
    done = cli("chat", "-m", "scripted/any", "Hi")
    assert "Warning: emulated answers" in done.stderr
    done = cli("chat", "-m", "scripted/any", "--strict", "Hi")
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chat", "--nope", "Hi"], "--nope"),
        (["chat", "-m"], "-m"),
        (["chatt"], "chat"),
        (["chat", "-m", "claude-sonnet", "Hi"], "PROVIDER/MODEL"),
        (["chat", "-m", "scripted", "Hi"], "jackfield models scripted"),
        (["chat", "-m", "gemeni/x", "Hi"], "no provider 'gemeni' installed"),
        (["chat", "-p", "temperature", "Hi"], "NAME=VALUE"),
        (["chat", "-p", "temperatur=1", "Hi"], "did you mean temperature?"),
        (["chat", "-p", "temperature=warm", "Hi"], "temperature"),
        (["chat", "-p", "temp=1", "-p", "temperature=1", "Hi"], "twice"),
        (["chat", "-p", "temp=1", "-p", "temp=2", "Hi"], "twice"),
        (["chat", "-p", "temperature=NaN", "Hi"], "temperature"),
        (["chat", "-p", "own=1", "Hi"], "PROVIDER.NAME=VALUE"),
        (["chat", "-p", "claude.own=1", "Hi"], "write fake.NAME=VALUE"),
        (["chat", "--timeout", "-1", "Hi"], "timeout"),
        (["chat", "--timeout", "soon", "Hi"], "timeout"),
        (["chat", "--schema", "{nonsense", "Hi"], "--schema"),
        (["chat", "--schema", "missing.json", "Hi"], "missing.json"),
        (["chat", "--attach", "missing.png", "Hi"], "missing.png does not exist"),
        (["chat", "--attach", ".", "Hi"], "is a directory"),
        (["chat", "--attach", "/dev/null", "Hi"], "is no file, but a pipe or device"),
        (["chat"], "standard input are empty"),
        (["chat", "  "], "say something"),
    ],
)  # fmt: skip
def test_wrong_usage_is_exit_code_2_and_says_what_is_wrong(
    cli: Cli, arguments: list[str], said: str
) -> None:
    cli.script("Hello", models=["any"])
    done = cli(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback (most" not in done.stderr


def test_binary_standard_input_is_refused_and_points_to_attach(cli: Cli) -> None:
    cli.script("Hello")
    done = cli("chat", stdin=b"\x00\xff\xfe")
    assert done.returncode == 2
    assert "--attach" in done.stderr


def test_a_closed_standard_input_is_no_reason_to_crash(cli: Cli) -> None:
    cli.script("Hello")
    cli.shell = 'exec "$@" <&-'
    assert cli("chat", "Hi").stdout == "Hello\n"


def test_the_installed_script_is_the_module(cli: Cli) -> None:
    cli.script("Hello")
    script = Path(cli.command()[0]).with_name("jackfield")
    module = cli("--version")
    cli.program = [str(script)]
    assert module.stdout == cli("--version").stdout == "jackfield 0.1.0\n"


def test_the_shell_completes_commands(cli: Cli) -> None:
    typed = {"COMP_WORDS": "jackfield ex", "COMP_CWORD": "1"}
    assert cli(env={"_JACKFIELD_COMPLETE": "bash_complete", **typed}).stdout == "plain,explain\n"
    assert "complete -o nosort" in cli(env={"_JACKFIELD_COMPLETE": "bash_source"}).stdout


def test_a_call_of_a_tool_is_told_of(cli: Cli) -> None:
    cli.script({"text": "Look", "tool_calls": [{"name": "draw", "arguments": {}}]})
    assert "asks for the tool draw" in cli("chat", "Hi").stderr


def test_explain_sends_nothing_and_lists_compromises(cli: Cli) -> None:
    cli.configure(
        '[providers.box]\nprovider = "openai-compatible"\nbase_url = "http://127.0.0.1:9/v1"\n'
        'api_key = "sk-canary-0123456789abcdef"\nheaders = { x-team = "blue-canary" }\n'
    )
    done = cli("explain", "-m", "box/any", "-p", "n_ctx=3", "Hi")
    assert done.returncode == 0
    assert "Compromise: unsupported context_length" in done.stdout
    assert done.stdout.startswith("POST http://127.0.0.1:9/v1/chat/completions\n")
    assert '"content": "Hi"' in done.stdout
    assert "canary" not in done.stdout + done.stderr
