"""What pytest gets from an installed jackfield: fixtures, and an option against the network.

Fixtures:

``scripted_provider``
    A `ScriptedProvider` without answers; tell it some with ``add_answers(…)``. A call that
    nothing was scripted for fails.
``no_network``
    Connections and name look-ups beyond this machine fail the test that made them.

``pytest --jackfield-no-network`` puts every test under ``no_network``.

The module is imported at each start of pytest, so it imports nothing by itself.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .scripted import ScriptedProvider

_HERE = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", "::", "", None})  # noqa: S104  # names of this machine
_OPTION = "--jackfield-no-network"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that keeps tests on this machine."""
    group = parser.getgroup("jackfield")
    group.addoption(
        _OPTION,
        action="store_true",
        default=False,
        help="fail every test that connects, or looks a name up, beyond this machine",
    )
    group.addoption(
        "--jackfield-write-capabilities",
        action="store_true",
        default=False,
        help="let conformance suites write what was proved into the plugins' capabilities.json",
    )


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
