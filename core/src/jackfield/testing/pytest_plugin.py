"""What pytest gets from an installed jackfield: fixtures, no network, and the conformance of plugins.

Fixtures:

``scripted_provider``
    A `ScriptedProvider` without answers; tell it some with ``add_answers(…)``. A call that
    nothing was scripted for fails.
``no_network``
    Connections and name look-ups beyond this machine fail the test that made them.

``pytest --jackfield-no-network`` puts every test under ``no_network``. ``pytest
--jackfield-provider=NAME`` holds an installed provider to the contract; with ``--jackfield-record``
it records the real one first.

The module is imported at each start of pytest, so it imports nothing by itself.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conformance.installed import Asked
    from .scripted import ScriptedProvider

_HERE = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", "::", "", None})  # noqa: S104  # names of this machine
_OPTION = "--jackfield-no-network"
ASKED: pytest.StashKey[Asked] = pytest.StashKey()
"""What the command line asks of conformance suites; where it asks nothing, there is none."""


OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    (_OPTION, {"help": "fail every test that connects, or looks a name up, beyond this machine"}),
    (
        "--jackfield-write-capabilities",
        {
            "help": "let conformance suites write what was proved into the plugins' capabilities.json"
        },
    ),
    (
        "--jackfield-provider",
        {
            "metavar": "NAME",
            "help": "hold the installed provider NAME to the contract, without any test written; "
            "may be given several times. Paths, if given, are collected, too",
        },
    ),
    (
        "--jackfield-recordings",
        {
            "metavar": "PATH",
            "help": "a file or folder of recordings for --jackfield-provider; may be given several "
            "times (default: those in the plugin's package, beside its source, and in tests/recordings)",
        },
    ),
    (
        "--jackfield-record",
        {
            "help": "first make the usual calls to the real provider, with the key from the "
            "environment, and write what comes as redacted recordings"
        },
    ),
    (
        "--jackfield-config",
        {
            "metavar": "NAME=VALUE",
            "help": "a setting of the providers under --jackfield-provider; may be given several times",
        },
    ),
    (
        "--jackfield-model",
        {"metavar": "MODEL", "help": "the model that conformance suites ask for"},
    ),
)
"""The options that pytest gets, and what argparse is told of each."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options: against the network, and for the conformance suite."""
    group = parser.getgroup("jackfield")
    for name, told in OPTIONS:
        if "metavar" not in told:
            group.addoption(name, action="store_true", default=False, **told)
        elif name == "--jackfield-model":
            group.addoption(name, default=None, **told)
        else:
            group.addoption(name, action="append", default=[], **told)


def pytest_configure(config: pytest.Config) -> None:
    """Look for the providers that are to be held to the contract; leave other tests out."""
    if config.getoption("--jackfield-provider"):
        from .collecting import asked

        config.stash[ASKED] = asked(config)
        if config.args_source is not config.ArgsSource.ARGS:
            config.args = []
        return
    for name in ("record", "recordings", "config", "model"):
        if config.getoption(f"--jackfield-{name}"):
            raise pytest.UsageError(f"--jackfield-{name} needs --jackfield-provider=NAME")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Record, where that is asked for: once, before the workers of a parallel run start."""
    if session.config.getoption("--jackfield-record") and not hasattr(
        session.config, "workerinput"
    ):
        from .recorder import record_all

        record_all(session.config, session.config.stash[ASKED])


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Add the suites of installed providers to what the files have; put what others rest on first."""
    report = yield
    if isinstance(collector, pytest.Session) and ASKED in collector.config.stash:
        from .collecting import Suite

        told = collector.config.stash[ASKED]
        suites = [Suite.of(collector, name, told) for name in told.names]
        report.result = [*(report.result or ()), *suites]
    made = getattr(collector, "obj", None) if isinstance(collector, pytest.Class) else None
    if report.result and made is not None and "jackfield.testing.conformance" in sys.modules:
        from .conformance.first import FirstTests, in_order

        if issubclass(made, FirstTests):
            report.result = in_order(made, report.result)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Have a failed check of a conformance suite say what it asks for, and what to do."""
    report = yield
    made = getattr(item, "cls", None)
    if report.failed and made is not None and "jackfield.testing.conformance.base" in sys.modules:
        from .conformance.base import Base, advice

        if issubclass(made, Base):
            report.sections.append(("What this check asks", advice(item.obj)))  # type: ignore[attr-defined]  # a function's
    return report


@pytest.fixture(autouse=True)
def _jackfield_network(request: pytest.FixtureRequest) -> None:
    if request.config.getoption(_OPTION):
        request.getfixturevalue("no_network")


@pytest.fixture
def scripted_provider() -> ScriptedProvider:
    """A scripted provider to fill with ``add_answers``; a call beyond the script fails."""
    from .scripted import ScriptedProvider

    return ScriptedProvider({"then": "fail"})


def _is_here(host: Any) -> bool:
    name = host.decode("utf-8", "replace") if isinstance(host, bytes) else host
    if name in _HERE:
        return True
    # The name .invalid is reserved for names that lead nowhere (RFC 6761).
    reserved = (".localhost", ".invalid")
    return isinstance(name, str) and (name.startswith("127.") or name.endswith(reserved))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test when it reaches beyond this machine."""

    def guarded(real: Callable[..., Any], what: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            # A method's first argument is its socket; an address beside it is no tuple for AF_UNIX.
            address = arguments[1] if isinstance(arguments[0], socket.socket) else arguments[0]
            host = address[0] if isinstance(address, tuple) else address
            is_path = isinstance(arguments[0], socket.socket) and not isinstance(address, tuple)
            if not is_path and not _is_here(host):
                pytest.fail(
                    f"no_network: the test {what} {host!r}, beyond this machine; replay a "
                    "recording, script the answer, or start a server on 127.0.0.1"
                )
            return real(*arguments, **options)

        return call

    for name in ("connect", "connect_ex"):
        real = getattr(socket.socket, name)
        monkeypatch.setattr(socket.socket, name, guarded(real, "connects to"))
    monkeypatch.setattr(socket, "getaddrinfo", guarded(socket.getaddrinfo, "looks up"))
