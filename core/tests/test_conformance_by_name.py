"""A plugin is held to the contract by its name alone, and recorded from its real server, without a test written."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from core_toy import KEY
from mutants.packages import PROVED, install
from test_mutants import KEPT

from jackfield.capabilities import read
from jackfield.testing import load_recordings
from jackfield.testing.faults import FaultServer
from jackfield.testing.recorder import CALLS

pytest_plugins = ["pytester"]
assert KEPT

QUIET = ("-p", "no:cacheprovider", "-q")


@pytest.fixture
def talk(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an installed plugin; pytest runs in an empty folder."""
    read.cache_clear()
    monkeypatch.delenv("TALK_API_KEY", raising=False)
    install(pytester.mkdir("site"), "bynametalk", {})
    pytester.syspathinsert(pytester.path / "site")
    monkeypatch.setenv("PYTHONPATH", str(pytester.path / "site"))
    monkeypatch.chdir(pytester.mkdir("work"))
    return "bynametalk"


@pytest.fixture
def toy(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an installed plugin that speaks what the fault server speaks."""
    monkeypatch.setenv("TOY_API_KEY", KEY)
    site = pytester.mkdir("toysite")
    (site / "recordedtoy.py").write_text("from core_toy import Toy\n")
    info = site / "toy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[jackfield.providers]\ntoy = recordedtoy:Toy\n")
    pytester.syspathinsert(site)
    pytester.syspathinsert(Path(__file__).parent)
    monkeypatch.chdir(pytester.mkdir("work"))
    return "toy"


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


def run(pytester: pytest.Pytester, *options: str) -> tuple[dict[str, int], str]:
    result = pytester.runpytest_inprocess(*QUIET, *options)
    return result.parseoutcomes(), result.stdout.str() + result.stderr.str()


def test_in_an_empty_folder(pytester: pytest.Pytester, talk: str) -> None:
    found, told = run(pytester, f"--jackfield-provider={talk}", "-k", "its_info or read_as_it_says")
    assert found["passed"] == 6, told
    assert "failed" not in found


def test_other_tests_are_left_alone_unless_they_are_named(
    pytester: pytest.Pytester, talk: str
) -> None:
    Path("test_mine.py").write_text("def test_its_info_of_mine(): raise LookupError\n")
    chosen = (f"--jackfield-provider={talk}", "-k", "its_info")
    assert run(pytester, *chosen)[0]["passed"] == 1
    both = run(pytester, *chosen, "test_mine.py")[0]
    assert (both["passed"], both["failed"]) == (1, 1)


def test_other_peoples_names_of_tests_do_not_hide_the_checks(
    pytester: pytest.Pytester, talk: str
) -> None:
    Path("pytest.ini").write_text("[pytest]\npython_classes = Check*\npython_functions = check_*\n")
    found, told = run(pytester, f"--jackfield-provider={talk}", "-k", "its_info")
    assert found["passed"] == 1, told


def test_in_parallel(pytester: pytest.Pytester, talk: str) -> None:
    options = (f"--jackfield-provider={talk}", "-k", "its_info or read_as_it_says", "-n", "2")
    result = pytester.runpytest_subprocess(*QUIET, *options)
    assert result.parseoutcomes()["passed"] == 6


WRONG = [
    (["--jackfield-provider=bynametalc"], "Did you mean 'bynametalk'?"),
    (["--jackfield-record"], "--jackfield-record needs --jackfield-provider=NAME"),
    (["--jackfield-model=m"], "--jackfield-model needs --jackfield-provider=NAME"),
    (["--jackfield-provider=bynametalk", "--jackfield-config=x"], "'x' is not NAME=VALUE"),
    (["--jackfield-provider=bynametalk", "--jackfield-recordings=no"], "there is no "),
    (["--jackfield-provider=bynametalk", "--jackfield-record"], "TALK_API_KEY in the environment"),
    (["--jackfield-provider=scripted", "--jackfield-record"], "is not spoken to over HTTP"),
]


@pytest.mark.parametrize(("options", "said"), WRONG)
def test_what_cannot_be_done_is_said_before_anything_runs(
    pytester: pytest.Pytester, talk: str, options: list[str], said: str
) -> None:
    assert talk
    result = pytester.runpytest_subprocess(*QUIET, *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{said}*".replace("[", "[[]")])


def test_a_broken_plugin_says_how_it_is_broken(pytester: pytest.Pytester) -> None:
    install(pytester.path, "brokentalk", {"": "\nraise LookupError('no engine here')\n"})
    pytester.syspathinsert()
    found, told = run(pytester, "--jackfield-provider=brokentalk")
    assert found["errors"] == 1
    assert "LookupError: no engine here" in told


def test_capabilities_are_written_from_the_recordings(pytester: pytest.Pytester, talk: str) -> None:
    path = pytester.path / "site" / f"{talk}_plugin" / "capabilities.json"
    path.write_text("{}", "utf-8")
    chosen = (f"--jackfield-provider={talk}", "-k", "capability_file")
    found, told = run(pytester, *chosen)
    assert found["failed"] == 1
    assert "run pytest --jackfield-write-capabilities" in told
    assert run(pytester, *chosen, "--jackfield-write-capabilities")[0]["passed"] == 1
    assert json.loads(path.read_text("utf-8"))[talk]["streaming"] == PROVED["streaming"]


def recorded(pytester: pytest.Pytester, toy: str, url: str, *more: str) -> tuple[Any, str]:
    options = (f"--jackfield-provider={toy}", "--jackfield-record", *more)
    found = run(pytester, *options, f"--jackfield-config=base_url={url}")
    sys.modules.pop("recordedtoy", None)
    return found


OTHERS = ["embed", "rerank", "count_tokens", "tokenize"]
NAMES = [str(call["name"]) for call in CALLS if call["verb"] not in OTHERS]


def test_what_is_recorded_is_redacted_and_passes(
    pytester: pytest.Pytester, toy: str, server: FaultServer
) -> None:
    url = server.url("openai", fault=",".join(["ok"] * len(NAMES)) + ",404", tag="all")
    found, told = recorded(pytester, toy, url, "-k", "recording or replay or arrive or stream")
    assert "failed" not in found, told
    assert found["passed"] > 40
    for name in NAMES:
        assert f"{toy}: {name}: " in told
    folder = Path("tests/recordings")
    assert sorted(p.stem for p in folder.iterdir()) == sorted(NAMES)
    assert all(KEY not in path.read_text("utf-8") for path in folder.iterdir())
    by_name = {r.name: r for r in load_recordings(folder)}
    assert by_name["stream"].responses[0].times
    assert by_name["stream"].expect["text"]
    assert by_name["unknown-model"].expect == {"error": "NotFoundError", "status": 404}
    assert {r.provider for r in by_name.values()} == {"toy"}
    # Without the server: they are found where they were written.
    again, said = run(pytester, f"--jackfield-provider={toy}", "-k", "read_as_it_says")
    assert again["passed"] == len(NAMES), said


SPEAKS = """
import msgspec
from jackfield import EmbeddingRequest, EmbeddingResponse, HTTPProvider, ModelInfo, ModelListRequest, ProviderInfo
from jackfield.exchange import Exchange, get_request, json_request

def embed(call):
    return json_request("/embed", {"model": call.request.model, "texts": call.request.inputs})

def vectors(call, response):
    told = msgspec.json.decode(response.body)["embeddings"]["float"]
    return EmbeddingResponse(model=call.request.model, vectors=tuple(map(tuple, told)))

class Vectors(HTTPProvider):
    info = ProviderInfo(
        name="toy", display_name="Toy", docs_url="https://example.com", api_key_env="TOY_API_KEY"
    )
    exchanges = {EmbeddingRequest: Exchange(build=embed, parse=vectors)}
"""


def test_what_has_no_chats_is_recorded_as_what_it_has(
    pytester: pytest.Pytester, toy: str, server: FaultServer
) -> None:
    site = pytester.path / "toysite"
    (site / "recordedtoy.py").write_text(SPEAKS)
    (site / "toy-1.0.dist-info" / "entry_points.txt").write_text(
        "[jackfield.providers]\ntoy = recordedtoy:Vectors\n"
    )
    url = server.url("cohere", fault="ok", tag="vectors") + "/v2"
    _, told = recorded(pytester, toy, url, "--jackfield-model=small", "-k", "its_info")
    assert told.count("not recorded") == 1
    assert "chats: not recorded, toy has none" in told
    (one,) = load_recordings(Path("tests/recordings"))
    assert (one.name, one.model, one.verb) == ("embed", "small", "embed")
    assert "vectors.0.0" in one.expect
    again, said = run(pytester, f"--jackfield-provider={toy}", "-k", "read_as_it_says or send")
    assert again["passed"] > 0, said
    assert "failed" not in again, said


def test_a_call_that_fails_is_told_and_the_others_are_kept(
    pytester: pytest.Pytester, toy: str, server: FaultServer
) -> None:
    url = server.url("openai", fault="ok,ok,400", tag="some")
    _, told = recorded(pytester, toy, url, "-k", "its_info")
    assert "chat: not recorded, you must provide a model parameter" in told
    assert sorted(p.stem for p in Path("tests/recordings").iterdir()) == ["models", "unknown-model"]


def test_a_server_that_is_not_there_is_a_usage_error(
    pytester: pytest.Pytester, toy: str, server: FaultServer
) -> None:
    refused = f"--jackfield-config=base_url={server.origin('refused')}"
    result = pytester.runpytest_inprocess(
        *QUIET, f"--jackfield-provider={toy}", "--jackfield-record", refused
    )
    told = result.stdout.str() + result.stderr.str()
    assert "lists no model to ask" in told
    assert "--jackfield-model" in told


def test_recordings_of_another_provider_are_left_out(pytester: pytest.Pytester, talk: str) -> None:
    folder = Path("tests/recordings")
    folder.mkdir(parents=True)
    document = {"interactions": [{"response": {"body": {"wrong": 1}}}]}
    (folder / "theirs.json").write_text(json.dumps({"provider": "other", **document}))
    (folder / "ours.json").write_text(json.dumps({"provider": talk, **document}))
    _, told = run(pytester, f"--jackfield-provider={talk}", "--co")
    assert "test_a_recording_is_read_as_it_says[ours]" in told
    assert "theirs" not in told
