"""Every operation of every provider has a recording, or a call, in its plugin's conformance suite."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from jackfield import available_providers
from jackfield.testing import ProviderConformance
from jackfield.testing.recordings import parse_call, recordings_of
from support.source import ROOT


def loaded(path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tests at *path*, as a module that no other has the name of."""
    name = f"proofs_{path.parts[-3]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.syspath_prepend(path.parent)
    spec.loader.exec_module(module)
    return module


def suites(module: ModuleType) -> Iterator[type[ProviderConformance]]:
    """The conformance suites of *module*."""
    classes = [thing for thing in vars(module).values() if inspect.isclass(thing)]
    yield from (c for c in classes if issubclass(c, ProviderConformance) and hasattr(c, "provider"))


def asked(suite: Any) -> set[str]:
    """The operations that *suite* has recordings or calls of."""
    provider = suite.provider({**suite.config})
    calls = [parse_call(str(c.get("name", "call")), c) for c in suite.calls]
    return {type(r.request(provider)).__name__ for r in (*recordings_of(suite.recordings), *calls)}


TESTS = sorted(ROOT.glob("plugins/*/tests/test_conformance.py"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.parts[-3])
def test_every_operation_was_tried(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = list(suites(loaded(path, monkeypatch)))
    tried = {name for suite in found for name in asked(suite)}
    able = {kind.__name__ for s in found for kind in s.provider({**s.config}).operations}
    assert able - tried <= ELSEWHERE.get(path.parts[-3], set())


ELSEWHERE = {
    "llamacpp": {
        "ModelInfoRequest",
        "RerankRequest",
    },  # its own tests call them, with models of their own
    "llamacpp-server": {"SlotRequest"},  # its result is the server's own JSON; its own tests ask it
}
"""Operations that a plugin's other tests try, and why."""


def test_every_provider_has_a_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {s.provider.info.name for path in TESTS for s in suites(loaded(path, monkeypatch))}
    # The core's own: the core's tests hold them to it. A route can do what its targets can.
    assert set(available_providers()) - held == {"scripted", "fallback", "balance"}
