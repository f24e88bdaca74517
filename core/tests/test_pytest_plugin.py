"""The pytest plugin: light at start, a scripted provider to fill, and no way out of this machine."""

from __future__ import annotations

import subprocess
import sys

import pytest

from jackfield.testing import ScriptedProvider

pytest_plugins = ["pytester"]


def test_the_fixture_is_a_provider_without_answers(scripted_provider: ScriptedProvider) -> None:
    scripted_provider.add_answers("Hello")
    assert scripted_provider.execute("any", "Hi").text == "Hello"
    with pytest.raises(Exception, match="used up: add answers"):
        scripted_provider.execute("any", "Hi")


OUT = """
import asyncio, socket, urllib.request
import httpx2, pytest, trio

def plain(): socket.create_connection(("192.0.2.1", 80), timeout=1)
def name(): socket.getaddrinfo("example.com", 80)
def datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("192.0.2.1", 53))
def urllib_(): urllib.request.urlopen("http://192.0.2.1/", timeout=1)
def httpx_(): httpx2.get("http://192.0.2.1/", timeout=1)
def asyncio_(): asyncio.run(asyncio.open_connection("192.0.2.1", 80))
async def connect(): await trio.open_tcp_stream("192.0.2.1", 80)
def trio_(): trio.run(connect)

@pytest.mark.parametrize("way", [plain, name, datagram, urllib_, httpx_, asyncio_, trio_])
def test_out(way{fixture}):
    way()
"""

HERE = """
import asyncio, os, socket, tempfile

def test_here(no_network):
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()):
            pass
        socket.create_connection(("localhost", server.getsockname()[1])).close()

def test_unix(no_network):
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.join(folder, "s"))
        server.listen()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(os.path.join(folder, "s"))
"""


def failures(pytester: pytest.Pytester, source: str, *options: str) -> tuple[int, str]:
    pytester.makepyfile(source)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-q", *options)
    return result.parseoutcomes().get("failed", 0), result.stdout.str()


def test_no_library_gets_out_of_this_machine(pytester: pytest.Pytester) -> None:
    failed, told = failures(pytester, OUT.format(fixture=", no_network"))
    assert failed == 7
    assert "no_network: the test connects to '192.0.2.1', beyond this machine" in told
    assert "no_network: the test looks up 'example.com', beyond this machine" in told


def test_the_option_puts_every_test_under_it(pytester: pytest.Pytester) -> None:
    assert failures(pytester, OUT.format(fixture=""), "--jackfield-no-network")[0] == 7


def test_this_machine_stays_open(pytester: pytest.Pytester) -> None:
    assert failures(pytester, HERE)[0] == 0


def test_the_option_is_in_the_help(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("--help")
    result.stdout.fnmatch_lines(["*--jackfield-no-network*"])


def test_starting_pytest_loads_nothing_heavy() -> None:
    script = "import sys, jackfield.testing.pytest_plugin; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert not {"httpx2", "httpcore2", "hypothesis", "trio", "cattrs", "click", "rich"} & loaded
    assert not [
        m for m in loaded if m.startswith("jackfield.testing.") and "pytest_plugin" not in m
    ]
