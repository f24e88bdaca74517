"""One mistake is one failure: what all else rests on is looked at first, and what is missing is named."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from mutants.packages import PROVED, install
from test_mutants import KEPT

from jackfield.capabilities import read

pytest_plugins = ["pytester"]
assert KEPT
NUMBERS = itertools.count()
QUIET = ("-p", "no:cacheprovider", "-p", "no:randomly", "-q", "-rs")
FIT = "test_its_manifest_fits_it"
DECLARED = "test_its_operations_are_declared_as_the_core_reads_them"
LOST = "    {}['lost']"
FACT = "    exchanges: ClassVar = {\n"


@pytest.fixture
def name(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a plugin to be installed; pytest runs in an empty folder."""
    read.cache_clear()
    monkeypatch.delenv("TALK_API_KEY", raising=False)
    monkeypatch.setenv("COLUMNS", "500")
    monkeypatch.chdir(pytester.mkdir("work"))
    pytester.syspathinsert(pytester.mkdir("site"))
    return f"first{next(NUMBERS)}"


def by_name(pytester: pytest.Pytester, name: str, *options: str) -> tuple[dict[str, int], str]:
    result = pytester.runpytest_inprocess(*QUIET, f"--jackfield-provider={name}", *options)
    return result.parseoutcomes(), result.stdout.str()


def by_class(
    pytester: pytest.Pytester, name: str, more: str = "", *options: str
) -> tuple[dict[str, int], str]:
    source = f"""
        from {name}_plugin import Healthy
        from jackfield.testing import ProviderConformance

        class TestTalk(ProviderConformance):
            provider = Healthy
            config = {{"api_key": "made-up"}}
            {more}
        """
    path = pytester.makepyfile(**{f"test_{name}": source})
    result = pytester.runpytest_inprocess(*QUIET, str(path), *options)
    return result.parseoutcomes(), result.stdout.str()


MANIFESTS = {
    "tomorrow": ({"contract = 1": "contract = 99"}, "speaks contract 99, this core"),
    "host": ({"hosts =": "host ="}, "did you mean hosts?"),
    "toml": ({"[providers": "[[providers"}, "What to do: correct the jackfield.toml"),
    "default": ({"talk.example": "else.example"}, "its default base_url leads to talk.example"),
}


@pytest.mark.parametrize("way", [by_name, by_class])
@pytest.mark.parametrize("fault", MANIFESTS)
def test_a_broken_manifest_is_one_failure(
    pytester: pytest.Pytester, name: str, fault: str, way: object
) -> None:
    changes, said = MANIFESTS[fault]
    install(pytester.path / "site", name, {}, manifest=changes)
    found, told = by_name(pytester, name) if way is by_name else by_class(pytester, name)
    assert (found["failed"], found.get("errors", 0)) == (1, 0), told
    assert found["skipped"] > 60
    assert said in told
    assert f"see {FIT}: " in told
    assert "write-capabilities" not in told


FAULTS = {
    "no dict": ({"": "\nHealthy.exchanges = list(Healthy.exchanges)\n"}, DECLARED),
    "no exchange": (
        {'Exchange(build=lambda _: get_request("/names"), parse=names)': "names"},
        DECLARED,
    ),
    "no request": ({'    return json_request("/talk", body)': "    return body"}, DECLARED),
    "no parameter": (
        {'        "temperature": Param': '        "temprature": Param'},
        "test_its_table_names_common_parameters_only",
    ),
    "no verb": (
        {FACT: "    def execute(self, prompt_only): ...\n\n" + FACT},
        "test_its_verbs_fit_the_contract",
    ),
    "no info": ({"": "\nHealthy.info = 'Talk'\n"}, "test_its_info_is_complete"),
    "a key by another way": (
        {FACT: "    def __init__(self, *a, **k):\n        raise PluginError('no wheel')\n\n" + FACT}
        | {"from jackfield import (\n": "from jackfield import (\n    PluginError,\n"},
        DECLARED,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_not_declared_well_is_one_failure(
    pytester: pytest.Pytester, name: str, fault: str
) -> None:
    changes, check = FAULTS[fault]
    install(pytester.path / "site", name, changes)
    folder = f'recordings = "{pytester.path}/site/{name}_plugin/recordings"'
    found, told = by_class(pytester, name, folder)
    assert (found["failed"], found.get("errors", 0)) == (1, 0), told
    assert f"see {check}: " in told


def test_what_others_rest_on_runs_first_and_what_is_proved_last(
    pytester: pytest.Pytester, name: str
) -> None:
    install(pytester.path / "site", name, {})
    _, told = by_class(pytester, name, "", "--co")
    names = [line.rpartition("::")[2].partition("[")[0] for line in told.splitlines()]
    order = [names.index(n) for n in (FIT, DECLARED, "test_a_recording_is_read_as_it_says")]
    assert order == sorted(order)
    assert order[-1] < names.index("test_its_capability_file_is_what_was_proved")


def test_without_a_manifest_the_check_says_what_to_write(
    pytester: pytest.Pytester, name: str
) -> None:
    install(pytester.path / "site", name, {})
    (pytester.path / "site" / f"{name}_plugin" / "jackfield.toml").unlink()
    found, told = by_name(pytester, name, "-k", FIT)
    assert found["skipped"] == 1
    assert (
        f"has no jackfield.toml beside its code, which says contract = 1, and below [providers.{name}]"
        in told
    )


def test_capabilities_are_not_written_while_the_plugin_is_refused(
    pytester: pytest.Pytester, name: str
) -> None:
    refuse = "    def flow(self, request, *, stream, deadline):\n"
    refuse += "        raise PluginError('no engine')\n        yield\n\n"
    changes = {FACT: refuse + FACT, "    Param,\n": "    Param,\n    PluginError,\n"}
    install(pytester.path / "site", name, changes)
    path = pytester.path / "site" / f"{name}_plugin" / "capabilities.json"
    found, told = by_name(pytester, name, "-k", "capability_file", "--jackfield-write-capabilities")
    assert found["failed"] == 1
    assert "no engine" in told
    assert json.loads(path.read_text("utf-8")) == {name: PROVED}


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_without_recordings_is_told(
    pytester: pytest.Pytester, name: str, there: bool
) -> None:
    install(pytester.path / "site", name, {})
    if there:
        Path("recordings").mkdir()
    found, told = by_class(pytester, name, 'recordings = "recordings"', "-k", "says or proved")
    place = Path("recordings").absolute()
    missing = f"there is no recording in {place}" if there else f"there is no {place}, which"
    assert f"{missing}" in told
    assert "--jackfield-record" in told
    # The file of capabilities has proofs: nobody is told to write it anew.
    assert found["failed"] == 1, told
    assert "What to do: correct `recordings`" in told
    assert "run pytest" not in told


def test_a_recording_that_cannot_be_read_is_no_traceback(
    pytester: pytest.Pytester, name: str
) -> None:
    install(pytester.path / "site", name, {})
    Path("recordings").mkdir()
    Path("recordings/bad.json").write_text("{")
    found, told = by_class(pytester, name, 'recordings = "recordings"', "-k", "says")
    assert found["errors"] == 1
    assert "bad.json" in told
    assert "Traceback" not in told
    assert len(told.splitlines()) < 20


def test_an_error_in_the_plugin_names_its_line(pytester: pytest.Pytester, name: str) -> None:
    line = "    answer = decode(ANSWER, response.body)\n"
    install(pytester.path / "site", name, {line: line + LOST + "\n"})
    found, told = by_name(pytester, name, "-k", "read_as_it_says and (plain or again)")
    # Whether a recording says what to expect, or not.
    assert found["failed"] == 2
    source = (pytester.path / "site" / f"{name}_plugin" / "__init__.py").read_text().splitlines()
    assert f"{name}_plugin/__init__.py:{source.index(LOST) + 1}, parse" in told


def test_a_dict_for_an_answer_is_told(pytester: pytest.Pytester, name: str) -> None:
    install(pytester.path / "site", name, {"    return ChatResponse(": "    return dict("})
    _, told = by_name(pytester, name, "-k", "read_as_it_says and plain")
    assert "plain: parse gives a dict" in told
    assert "What to do: return a ChatResponse" in told
