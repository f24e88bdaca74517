"""A plugin's requests reach its own hosts and the configured ones; nothing is sent elsewhere, and credentials stay unseen."""

from __future__ import annotations

import socket
import string
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import quote, unquote

import attrs
import httpcore2
import httpx2
import pytest
from core_toy import BACKENDS, KEY, Toy, aio, parse, whole
from hypothesis import example, given
from hypothesis import strategies as st

from jackfield import (
    ChatRequest,
    HostRefusedError,
    HTTPConfig,
    LLMError,
    PluginError,
    create_provider,
    hookimpl,
)
from jackfield.drivers.replay import Recorded, ReplayDriver
from jackfield.drivers.virtual import Scripted, VirtualDriver
from jackfield.exchange import Exchange, get_request
from jackfield.flow import HTTPRequest, tap
from jackfield.manifests.guard import Guard, address, matches
from jackfield.plugins import PluginManager
from jackfield.testing.faults import FaultServer


class Listener:
    """A port of this machine that takes connections, and knows whether there was one."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/token"

    @property
    def was_called(self) -> bool:
        try:
            self._socket.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def elsewhere() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@attrs.frozen(kw_only=True)
class DetourConfig(HTTPConfig):
    token_url: str = "https://tokens.example/new"


class Detour(Toy):
    """A provider that asks another server first, as one does that fetches tokens."""

    Config: ClassVar = DetourConfig
    target: ClassVar[str] = ""

    def authorize(self, request: HTTPRequest) -> Any:
        yield HTTPRequest(method="GET", url=self.target or self.config.token_url)
        return (yield from super().authorize(request))


def detour(url: str, target: str = "", **options: Any) -> Any:
    config = {"base_url": url, "api_key": KEY, **options.pop("config", {})}
    cls: Any = type("Detour", (Detour,), {"target": target})
    return cls(config, **options)


COLOURS = (
    "execute",
    "stream",
    *(f"{kind} under {b}" for b in BACKENDS for kind in ("aexecute", "astream")),
)


def ask(provider: Any, colour: str) -> Any:
    kind, _, backend = colour.partition(" under ")
    if kind == "execute":
        return provider.execute("m", "Hi")
    if kind == "stream":
        return provider.stream_execute("m", "Hi").drain()

    async def main() -> Any:
        if kind == "aexecute":
            return await provider.aexecute("m", "Hi")
        return await provider.astream_execute("m", "Hi").drain()

    return aio(main, backend)


@pytest.mark.parametrize("colour", COLOURS)
def test_a_host_that_nobody_allowed_is_refused_before_any_connection(
    server: FaultServer, elsewhere: Listener, colour: str
) -> None:
    with pytest.raises(HostRefusedError) as caught:
        ask(detour(server.url("openai", "ok"), elsewhere.url), colour)
    assert not elsewhere.was_called
    told = str(caught.value)
    assert elsewhere.url.split("/")[2] in told
    assert "[providers.toy]" in told
    assert "allow_hosts" in told
    assert isinstance(caught.value, PluginError)
    assert (caught.value.attempts, caught.value.retryable, caught.value.maybe_executed) == (
        1,
        False,
        False,
    )


@pytest.mark.parametrize("colour", COLOURS)
def test_and_one_that_the_configuration_allows_is_reached(server: FaultServer, colour: str) -> None:
    other = server.url("openai", "ok").replace("127.0.0.1", "localhost")
    allowed = {"allow_hosts": (other.split("/")[2],)}
    assert ask(detour(server.url("openai", "ok"), f"{other}/models", config=allowed), colour).text


def test_an_address_that_somebody_configured_is_allowed_and_a_default_of_the_plugin_is_not() -> (
    None
):
    for token_url, refused in (
        ("https://mine.example/t", False),
        ("https://tokens.example/new", True),
    ):
        provider = detour(
            "https://api.example/v1", config={"token_url": token_url},
            driver=ReplayDriver([Recorded(chunks=[whole("{}")]), Recorded(chunks=[whole("Hello")])]),
        )  # fmt: skip
        try:
            assert provider.execute("m", "Hi").text == "Hello"
            assert not refused
        except HostRefusedError:
            assert refused


def test_a_redirect_to_another_host_is_not_followed_there(server: FaultServer) -> None:
    with pytest.raises(LLMError) as caught:
        ask(detour(server.url("openai", "redirect_host"), server.url("openai", "ok")), "execute")
    assert caught.value.status in (301, 302, 307, 308)


def test_a_callers_own_client_is_under_the_guard_too(elsewhere: Listener) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise AssertionError(f"{request.url} was asked")

    from jackfield.clients import ClientTransport
    from jackfield.drivers.sync import SyncDriver

    with httpx2.Client(transport=httpx2.MockTransport(answer)) as client:
        driver = SyncDriver(ClientTransport(client))
        with pytest.raises(HostRefusedError):
            detour("https://api.example/v1", elsewhere.url, driver=driver).execute("m", "Hi")


def test_the_guard_holds_in_virtual_time() -> None:
    driver = VirtualDriver(lambda *_: Scripted(pieces=((0.0, whole("Hello")),)))
    provider = detour("https://api.example/v1", "https://evil.example/")
    with pytest.raises(HostRefusedError, match=r"evil\.example"):
        driver.run(provider.call(provider.chat_request("m", "Hi")))
    plain = Toy({"base_url": "https://api.example/v1", "api_key": KEY})
    assert driver.run(plain.call(plain.chat_request("m", "Hi"))).text == "Hello"


def test_middleware_that_changes_where_a_request_goes_is_refused(elsewhere: Listener) -> None:
    class Turncoat:
        @hookimpl
        def wrap_attempt(self) -> Any:
            def away(step: Any) -> Any:
                if isinstance(step, HTTPRequest):
                    return attrs.evolve(step, url=elsewhere.url)
                return step

            return lambda flow: tap(flow, change=away)

    with pytest.raises(HostRefusedError):
        managed(Turncoat()).execute("m", "Hi")
    assert not elsewhere.was_called


def managed(middleware: Any, driver: Any = None) -> Any:
    manager = PluginManager()
    manager.register(SimpleNamespace(register_providers=hookimpl(lambda: [Toy])))
    provider = manager.create("toy", {"base_url": "https://api.example/v1", "api_key": KEY, "headers": {"x-team": "red-herring"}}, driver=driver)  # fmt: skip
    provider.join("toy", manager.hook)
    manager.register(middleware)
    return provider


def test_middleware_sees_no_credential_in_a_request_and_the_server_gets_them() -> None:
    seen: list[HTTPRequest] = []

    class Curious:
        @hookimpl
        def wrap_attempt(self) -> Any:
            def look(step: Any, _outcome: Any) -> None:
                if isinstance(step, HTTPRequest):
                    seen.append(step)

            return lambda flow: tap(flow, look)

    driver = ReplayDriver([Recorded(chunks=[whole("Hello")])])
    assert managed(Curious(), driver).execute("m", "Hi").text == "Hello"
    (request,) = seen
    shown = f"{request} {dict(request.headers)} {request.seal}"
    assert KEY not in shown
    assert "red-herring" not in shown
    assert request.headers["content-type"] == "application/json"
    with pytest.raises(TypeError, match="credentials"):
        __import__("pickle").dumps(request)
    (sent,) = driver.transport.requests
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["x-team"] == "red-herring"


def test_a_header_that_middleware_adds_is_sent() -> None:
    from jackfield.flow import with_header

    class Tagging:
        @hookimpl
        def wrap_attempt(self) -> Any:
            def tag(step: Any) -> Any:
                return with_header(step, "x-tag", "blue") if isinstance(step, HTTPRequest) else step

            return lambda flow: tap(flow, change=tag)

    driver = ReplayDriver([Recorded(chunks=[whole("Hello")])])
    managed(Tagging(), driver).execute("m", "Hi")
    (sent,) = driver.transport.requests
    assert (sent.headers["x-tag"], sent.headers["authorization"]) == ("blue", f"Bearer {KEY}")


PERMITTED = [
    ("https://api.example.com/v1", ["api.example.com"], True),
    ("https://API.example.com./v1", ["api.example.com"], True),
    ("https://api.example.com:443/v1", ["api.example.com"], True),
    ("https://api.example.com:8443/v1", ["api.example.com"], False),
    ("https://api.example.com:8443/v1", ["api.example.com:8443"], True),
    ("http://api.example.com/v1", ["api.example.com"], False),
    ("http://localhost/v1", ["localhost"], True),
    ("https://eu.api.example.com/", ["*.example.com"], True),
    ("https://example.com/", ["*.example.com"], False),
    ("https://evilexample.com/", ["*.example.com"], False),
    ("https://example.com.evil.example/", ["*.example.com", "example.com"], False),
    ("https://api.example.com@evil.example/", ["api.example.com"], False),
    ("https://evil.example\\@api.example.com/", ["api.example.com"], False),
    ("https://evil.example#@api.example.com/", ["api.example.com"], False),
    ("https://evil.example?.api.example.com", ["*.api.example.com"], False),
    ("ftp://api.example.com/", ["api.example.com"], False),
    ("https://[::1]:8000/", ["[::1]:8000"], True),
    ("https://[::1]/", ["[::1]"], True),
    ("https:///api.example.com/", ["api.example.com"], False),
    ("https://xn--bcher-kva.example/", ["bücher.example"], False),
]


@pytest.mark.parametrize(("url", "hosts", "allowed"), PERMITTED, ids=[p[0] for p in PERMITTED])
def test_a_host_is_matched_whole(url: str, hosts: list[str], allowed: bool) -> None:
    guard = Guard("toy", "providers.toy", hosts)
    for _ in range(2):  # what passed once is remembered
        try:
            guard.check(url)
            assert allowed
        except HostRefusedError:
            assert not allowed


PIECES = st.sampled_from(
    ["a.example", "b.example", "/", "//", "@", ":", "80", "443", "\\", "?", "#", "%2f", "%40", "[::1]", ".", " ", "\t", "\n", "ü", "x"]
)  # fmt: skip


@given(
    scheme=st.sampled_from(["http:", "https:", "https:/", "HTTPS://", "https://"]),
    rest=st.lists(PIECES, max_size=8),
)
@example(scheme="https://", rest=["a.example", "\\", "@", "b.example"])
@example(scheme="https://", rest=["a.example", "/", "ü"])
def test_what_passes_is_where_the_http_library_connects_to(scheme: str, rest: list[str]) -> None:
    url = scheme + "".join(rest)
    guard = Guard("toy", "providers.toy", ["a.example", "a.example:80", "[::1]", "*.a.example"])
    try:
        guard.check(url)
    except HostRefusedError:
        return
    went = httpcore2.URL(quote(url, safe=string.printable))  # it takes nothing but ASCII
    host = went.host.decode().lower().strip("[]").rstrip(".")
    assert host in ("a.example", "::1") or host.endswith(".a.example")
    assert went.port in (None, 80, 443)


PLAIN = st.characters(exclude_characters="/?#%", exclude_categories=["C", "Z"])


@given(model=st.text(PLAIN, min_size=1))
@example(model="modèle 7B")
def test_a_path_of_whatever_characters_reaches_its_place(model: str) -> None:
    """An author may put a model's name into a path as it is."""
    path = Exchange(build=lambda call: get_request(f"/models/{call.request.model}"), parse=parse)
    driver = ReplayDriver([Recorded(chunks=[whole("Hello")])])
    toy = Toy({"base_url": "https://toy.example/v1", "api_key": KEY}, driver=driver)
    toy.exchanges = {ChatRequest: path}
    toy.execute(model, "Hi")
    (sent,) = driver.transport.requests
    went = httpcore2.URL(sent.url)
    assert went.host == b"toy.example"
    assert unquote(went.target.decode()) == f"/v1/models/{model}"


def test_addresses_and_entries_agree_on_ports() -> None:
    assert address("http://localhost:8000/v1") == "localhost:8000"
    assert matches("localhost:8000", "http", ["localhost:8000"])
    assert not matches("localhost:8001", "http", ["localhost:8000"])


def test_a_provider_in_this_process_needs_no_guard() -> None:
    assert create_provider("scripted", {"answers": ["Hello"]}).execute("m", "Hi").text == "Hello"
