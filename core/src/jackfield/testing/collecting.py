"""Pytest collects the conformance suite of an installed plugin, with no file of tests anywhere."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ..errors import ConfigError, UnknownProviderError
from .conformance.installed import Asked, provider_class, suite


def asked(config: pytest.Config) -> Asked:
    """What the command line says, checked.

    Raises:
        pytest.UsageError: a provider that is not installed, a setting without a value, no such path.
    """
    given = config.getoption
    start = config.invocation_params.dir
    paths = [Path(start, p) for p in given("--jackfield-recordings")]
    settings = dict(map(_setting, given("--jackfield-config")))
    names = list(dict.fromkeys(given("--jackfield-provider")))
    found = Asked(
        root=start,
        names=names,
        recordings=paths,
        config=settings,
        model=given("--jackfield-model") or "",
    )
    if not given("--jackfield-record"):
        for path in paths:
            if not path.exists():
                raise pytest.UsageError(f"--jackfield-recordings: there is no {path}")
    for name in names:
        try:
            provider_class(name)
        except UnknownProviderError as error:
            raise pytest.UsageError(f"--jackfield-provider: {error.message}") from None
        except ConfigError:
            pass  # it is there, and broken: collecting its suite tells how
    return found


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise pytest.UsageError(f"--jackfield-config: {text!r} is not NAME=VALUE")
    try:
        return name, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return name, value


class Suite(pytest.Module):
    """The suite of one installed plugin; it stands where a file of tests would."""

    asked: Asked

    @classmethod
    def of(cls, session: pytest.Session, name: str, asked: Asked) -> Suite:
        """The suite of the provider *name*, below *session*."""
        here = f"jackfield-conformance/{name}"
        made: Suite = cls.from_parent(session, path=asked.root / here, name=name, nodeid=here)
        made.asked = asked
        return made

    def _getobj(self) -> ModuleType:
        module = ModuleType(f"jackfield_conformance_{self.name}")
        try:
            made = suite(self.name, self.asked)
        except ConfigError as error:
            raise self.CollectError(str(error)) from None
        setattr(module, made.__name__, made)
        return module

    def collect(self) -> Iterator[pytest.Class]:
        """The one class, whatever the patterns for names of classes are."""
        for name, made in vars(self.obj).items():
            if isinstance(made, type):
                yield _Checks.from_parent(self, name=name, obj=made)


class _Checks(pytest.Class):
    def funcnamefilter(self, name: str) -> bool:
        """Checks are called ``test_…``, whatever the pattern for other tests is."""
        return name.startswith("test_")
