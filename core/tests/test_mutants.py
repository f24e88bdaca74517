"""Every check of the conformance suite sees the plugin that is broken in its way, and none fails a good one."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cattrs
import importlib_metadata
import pytest
from mutants.packages import PROVED, RECORDINGS, install
from mutants.table import MUTANTS, UNTRIED

from jackfield import create_provider
from jackfield.capabilities import read
from jackfield.testing import ProviderConformance

pytest_plugins = ["pytester"]
# Each inner run forgets what it imported, and the core keeps some of it: these have to stay.
KEPT = (cattrs, importlib_metadata)

NUMBERS = itertools.count()
CHECKS = {name for name in dir(ProviderConformance) if name.startswith("test_")}


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No key of the surroundings; what was read of other plugins is forgotten.

    Mutants run in this process: one that breaks what all providers share breaks the tests after it.
    """
    monkeypatch.delenv("TALK_API_KEY", raising=False)
    read.cache_clear()
    yield
    shared = create_provider("scripted")
    assert (shared._driver.own, shared._async_driver.own) == (None, None)


def outcomes(
    pytester: pytest.Pytester, *options: str, **plugin: Any
) -> tuple[set[str], set[str], list[str]]:
    """The checks that passed and failed for a plugin, and what the failed ones said."""
    name = f"talk-{next(NUMBERS)}".replace("-", "")
    install(pytester.path, name, **plugin)
    pytester.syspathinsert()
    model = ["--jackfield-model=counter"] if plugin.get("kind") == "local" else []
    given = ["-p", "no:cacheprovider", "-p", "no:randomly", f"--jackfield-provider={name}"]
    told = pytester.inline_run(*given, *model, *options)
    passed, _, failed = told.listoutcomes()
    said = [f"{report.longrepr}\n{report.sections}" for report in failed]
    return {_check(report) for report in passed}, {_check(report) for report in failed}, said


def _check(report: Any) -> str:
    return str(report.nodeid).rpartition("::")[2].partition("[")[0]


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_fails_the_check_of_its_fault_and_is_told_what_to_do(
    pytester: pytest.Pytester, name: str
) -> None:
    mutant = MUTANTS[name]
    proved = mutant.proved or PROVED
    plugin = {
        "changes": mutant.all_changes(),
        "kind": mutant.kind,
        "proved": proved,
        "manifest": mutant.manifest,
    }
    _, failed, said = outcomes(pytester, "-k", mutant.check, **plugin)
    assert mutant.check in failed, said
    assert all("What to do:" in text for text in said)


@pytest.mark.parametrize("kind", ["healthy", "local"])
def test_a_good_plugin_passes_every_check(pytester: pytest.Pytester, kind: str) -> None:
    passed, failed, said = outcomes(pytester, changes={}, kind=kind)
    assert not failed, said
    meant = {m.check for m in MUTANTS.values() if m.kind == kind}
    assert meant <= passed


def test_every_check_has_a_mutant_or_a_reason() -> None:
    assert {m.check for m in MUTANTS.values()} | UNTRIED.keys() == CHECKS
    assert not UNTRIED.keys() & {m.check for m in MUTANTS.values()}


def test_the_mutants_recordings_are_of_every_kind() -> None:
    assert len(RECORDINGS) == 5
    assert str(Path(__file__).parent) in sys.path
