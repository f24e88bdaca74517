"""`jackfield repro`: a call that went wrong becomes a file without secrets, a replay, and a test."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jackfield.testing.faults import FaultServer, Pace
from support.commandline import Cli, Start

KEY = "odd-canary-that-no-pattern-knows"


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer(pace=Pace(gap=0.02)) as running:
        yield running


def configure(cli: Cli, server: FaultServer, fault: str = "") -> None:
    url = server.url("openai", fault)
    cli.configure(
        f'default_model = "work/m"\n[providers.work]\nprovider = "openai-compatible"\n'
        f'base_url = "{url}"\napi_key = "{KEY}"\nretry = {{ attempts = 2, initial = 0.01 }}\n'
        '[routes.both]\ntargets = ["work/m"]\n'
    )


@pytest.mark.live
@pytest.mark.parametrize(
    ("stream", "redact"),
    [("--stream", []), ("--no-stream", []), ("--stream", ["--redact-text"])],
    ids=["stream", "plain", "filler"],
)
@pytest.mark.parametrize(
    ("fault", "code"), [("", 0), ("cut_clean", 3), ("key_echoed", 1), ("503", 1), ("refused", 1)]
)
def test_a_replay_ends_as_the_call_did_and_nothing_of_the_key_is_in_the_file(
    cli: Cli, server: FaultServer, fault: str, code: int, stream: str, redact: list[str]
) -> None:
    configure(cli, server, fault)
    done = cli("repro", stream, *redact, "-o", "bug.json", "Is my hamster ill?")
    again = cli("repro", "replay", "bug.json", env={"HTTPS_PROXY": "http://127.0.0.1:9"})
    assert again.returncode == done.returncode
    if stream == "--stream":
        assert done.returncode == code
    text = (cli.folder / "bug.json").read_text("utf-8")
    assert KEY not in text + done.stdout + done.stderr
    assert "Warning" not in done.stderr
    if redact:
        assert "hamster" not in text
        assert len(again.stdout.encode()) == len(done.stdout.encode())
    else:
        assert again.stdout == done.stdout


@pytest.mark.live
def test_a_recording_becomes_a_test_that_passes_and_fails_with_what_is_read(
    cli: Cli, server: FaultServer
) -> None:
    configure(cli, server, "cut_clean")
    cli("repro", "-o", "bugs/cut.json", "Hi")
    (cli.folder / "tests").mkdir()
    assert cli("repro", "test", "bugs/cut.json", "-o", "tests/test_cut.py").returncode == 0
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_cut.py"]
    passed = subprocess.run(run, cwd=cli.folder, capture_output=True, text=True, check=False)
    assert passed.returncode == 0, passed.stdout
    path = cli.folder / "bugs/cut.json"
    path.write_text(path.read_text("utf-8").replace("pelican", "penguin"), "utf-8")
    failed = subprocess.run(run, cwd=cli.folder, capture_output=True, text=True, check=False)
    assert failed.returncode == 1


@pytest.mark.live
def test_a_recording_serves_the_conformance_suite(cli: Cli, server: FaultServer) -> None:
    configure(cli, server, "two_tools")
    cli("repro", "-o", "fine.json", "Hi")
    run = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        "recording or colour",
    ]
    options = ["--jackfield-provider=openai-compatible", "--jackfield-recordings=fine.json"]
    done = subprocess.run(
        [*run, *options], cwd=cli.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


@pytest.mark.live
def test_the_pace_of_a_stream_is_in_the_file_and_comes_again(
    cli: Cli, server: FaultServer, terminal: Start
) -> None:
    configure(cli, server, "paced")
    cli("repro", "-o", "slow.json", "Hi")
    (turn,) = json.loads((cli.folder / "slow.json").read_text("utf-8"))["interactions"]
    times = [at for at, _ in turn["response"]["timing"]]
    assert times == sorted(times)
    assert len(times) > 3
    plain = cli("repro", "replay", "slow.json")
    paced = terminal("repro", "replay", "--timing", "slow.json")
    paced.expect(plain.stdout.split()[0])
    assert paced.end() == plain.returncode == 0


@pytest.mark.live
def test_a_program_gets_what_was_seen_as_json(cli: Cli, server: FaultServer) -> None:
    configure(cli, server)
    cli("repro", "-o", "fine.json", "Hi")
    told = json.loads(cli("repro", "replay", "--json", "fine.json").stdout)
    assert {event["type"] for event in told["events"]} >= {"StreamStart", "TextDelta", "Finish"}
    assert told["result"]["finish_reason"] == "stop"


@pytest.mark.live
def test_attachments_and_parameters_come_again(cli: Cli, server: FaultServer) -> None:
    configure(cli, server)
    (cli.folder / "dot.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    arguments = ["-p", "temp=0.3", "--attach", "dot.png", "-s", "Be brief", "-o", "full.json"]
    assert cli("repro", *arguments, "What is it?").returncode == 0
    text = (cli.folder / "full.json").read_text("utf-8")
    sent = json.loads(text)["interactions"][0]["request"]["body"]
    assert sent["temperature"] == 0.3
    assert "image_url" in text
    assert cli("repro", "replay", "full.json").returncode == 0


@pytest.mark.live
def test_the_file_is_its_owners_and_is_not_written_over(cli: Cli, server: FaultServer) -> None:
    configure(cli, server)
    assert cli("repro", "Hi").returncode == 0
    path = cli.folder / "jackfield-repro.json"
    assert path.stat().st_mode & 0o077 == 0
    again = cli("repro", "Hi")
    assert again.returncode == 2
    assert "--force" in again.stderr
    assert cli("repro", "--force", "Hi").returncode == 0


def test_what_sends_nothing_has_no_recording(cli: Cli) -> None:
    cli.script("Hello")
    done = cli("repro", "Hi")
    assert done.returncode == 2
    assert "not spoken to over HTTP" in done.stderr
    assert list(cli.folder.glob("*repro*")) == []


def test_a_route_is_no_provider(cli: Cli, server: FaultServer) -> None:
    configure(cli, server)
    done = cli("repro", "-m", "both", "Hi")
    assert done.returncode == 2
    assert "work" in done.stderr
    assert "route" in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "lacks 'interactions'"),
        ("no json", "is no recording"),
        ('{"interactions": [{"response": {"status": 200}}]}', "of which provider"),
        ('{"provider": "nonesuch", "interactions": [{"response": {}}]}', "nonesuch"),
    ],
)
def test_a_file_that_is_no_recording_is_told_so(cli: Cli, text: str, said: str) -> None:
    Path(cli.folder / "x.json").write_text(text, "utf-8")
    done = cli("repro", "replay", "x.json")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
