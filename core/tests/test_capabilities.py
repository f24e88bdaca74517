"""Capabilities are what the conformance suite proved, whatever a class claims of itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from jackfield import Capabilities, LLMProvider, ProviderInfo, create_provider
from jackfield.capabilities import FEATURES, proved, read

pytest_plugins = ["pytester"]

PLUGIN = """
from core_toy import Toy as Base
from jackfield import Capabilities, ProviderInfo

class Toy(Base):
    info = ProviderInfo(name="toy", display_name="Toy", docs_url="https://toy.example",
                        api_key_env="TOY_KEY", capabilities=Capabilities(tools=True))
"""
SUITE = """
from core_toy import *
from jackfield.drivers.replay import Recorded
from jackfield.testing import ProviderConformance, Recording
from toypack import Toy

class TestToy(ProviderConformance):
    provider = Toy
    config = {"base_url": "https://toy.example/v1", "api_key": "made-up"}
    recordings = [
        Recording(name="hello", verb="stream_execute", framing="sse",
                  responses=(Recorded(chunks=streamed("Hello, ", "world")),)),
        Recording(name="wrong", options={"attachments": [b"%PDF-"]}, expect={"text": "Goodbye"},
                  responses=(Recorded(chunks=[whole("Hello")]),)),
    ]
"""


def claiming(package: str) -> type[LLMProvider]:
    """A class that says of itself all it can, in a package of that name."""

    class Claiming(LLMProvider):
        info = ProviderInfo(
            name="claiming",
            display_name="Claiming",
            api_key_required=False,
            capabilities=Capabilities(**dict.fromkeys(FEATURES, True)),
        )

    Claiming.__module__ = package
    return Claiming


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a package that can be imported."""
    folder = tmp_path / "claimingpack"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, folder.name, raising=False)
    read.cache_clear()
    return folder


def test_a_flag_set_by_hand_turns_nothing_on() -> None:
    assert claiming("nowhere")().get_info().capabilities == Capabilities()


def test_the_file_says_what_is_true_false_and_unknown(package: Path) -> None:
    told = {"tools": {"result": "pass"}, "vision": {"result": "fail"}, "speech": {"result": "?"}}
    (package / "capabilities.json").write_text(json.dumps({"claiming": told}))
    found = claiming(package.name)().get_info().capabilities
    assert found == Capabilities(tools=True, vision=False)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"claiming": 1}', '{"claiming": {"tools": true}}', "{"]
)
def test_a_file_that_says_nothing_proves_nothing(package: Path, text: str) -> None:
    (package / "capabilities.json").write_text(text)
    assert proved(claiming(package.name)) == Capabilities()


def test_an_installed_provider_tells_what_was_proved() -> None:
    provider = create_provider("scripted")
    assert provider.get_info().capabilities.streaming is True
    assert provider.get_info().capabilities.fine_tuning is None


def run(pytester: pytest.Pytester, *options: str) -> Any:
    read.cache_clear()
    arguments = ("-p", "no:cacheprovider", "-q", "-k", "capability_file", *options)
    return pytester.runpytest_inprocess(*arguments)


def test_the_suite_writes_what_it_saw_and_fails_while_the_file_says_otherwise(
    pytester: pytest.Pytester,
) -> None:
    pytester.syspathinsert()
    pytester.syspathinsert(Path(__file__).parent)
    pytester.mkpydir("toypack").joinpath("__init__.py").write_text(PLUGIN)
    pytester.makepyfile(SUITE)
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*What to do: run pytest --jackfield-write-capabilities*"])

    run(pytester, "--jackfield-write-capabilities").assert_outcomes(passed=1)
    run(pytester).assert_outcomes(passed=1)
    path = pytester.path / "toypack" / "capabilities.json"
    written = json.loads(path.read_text())
    assert written["toy"]["streaming"] == {"result": "pass", "proof": "hello"}
    assert written["toy"]["documents"] == {"result": "fail", "proof": "wrong"}
    assert written["toy"]["tools"] == {"result": "untested", "proof": ""}

    written["toy"]["tools"] = {"result": "pass", "proof": "I say so"}
    path.write_text(json.dumps(written))
    run(pytester).assert_outcomes(failed=1)
