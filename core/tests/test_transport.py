"""The transport over real sockets: pooled, bounded in time and size, and never led elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from traceback import walk_tb
from typing import Any

import pytest
from core_toy import BACKENDS, KEY, Toy, aio, live, whole
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jackfield import (
    AuthenticationError,
    ChatResponse,
    ConfigError,
    LLMError,
    ProviderError,
    RequestTimeoutError,
    ResponseFormatError,
    ResponseTooLargeError,
    Timeout,
    TransportError,
)
from jackfield.testing.faults import FaultServer, Pace


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer(pace=Pace(gap=0.02, drip=0.05, hold=8.0), limit=20) as running:
        yield running


def toy(server: FaultServer, fault: str = "", tag: str = "", **config: Any) -> Toy:
    return live(server.url("openai", fault, tag=tag), **config)


def sync_plain(provider: Toy, prompt: str = "Hi") -> ChatResponse:
    return provider.execute("m", prompt)


def sync_stream(provider: Toy, prompt: str = "Hi") -> ChatResponse:
    return provider.stream_execute("m", prompt).drain()


def asyncio_plain(provider: Toy, prompt: str = "Hi") -> ChatResponse:
    return aio(lambda: provider.aexecute("m", prompt))  # type: ignore[no-any-return]  # what it runs does


def trio_plain(provider: Toy, prompt: str = "Hi") -> ChatResponse:
    return aio(lambda: provider.aexecute("m", prompt), "trio")  # type: ignore[no-any-return]  # what it runs does


def asyncio_stream(provider: Toy, prompt: str = "Hi") -> ChatResponse:
    async def main() -> ChatResponse:
        return await provider.astream_execute("m", prompt).drain()

    return aio(main)  # type: ignore[no-any-return]  # what it runs does


def trio_stream(provider: Toy, prompt: str = "Hi") -> ChatResponse:
    async def main() -> ChatResponse:
        return await provider.astream_execute("m", prompt).drain()

    return aio(main, "trio")  # type: ignore[no-any-return]  # what it runs does


Caller = Callable[..., ChatResponse]
PLAIN: list[Caller] = [sync_plain, asyncio_plain, trio_plain]
STREAMED: list[Caller] = [sync_stream, asyncio_stream, trio_stream]
EVERY = PLAIN + STREAMED
colours = pytest.mark.parametrize("call", EVERY, ids=lambda c: c.__name__)


@colours
def test_a_healthy_answer_arrives_in_every_colour(server: FaultServer, call: Caller) -> None:
    assert call(toy(server)).text == server.answer().text


@pytest.mark.parametrize(
    "fault",
    [
        "gzip",
        "deflate",
        "deflate_raw",
        "byte_drip",
        "split_utf8",
        "chunk_extensions",
        "early_hints",
    ],
)
@colours
def test_however_it_is_packed(server: FaultServer, call: Caller, fault: str) -> None:
    provider = live(server.url("openai", fault), timeout=15)
    assert call(provider).text == server.answer(fault).text


def connections(server: FaultServer, tag: str) -> int:
    return len({id(r.connection) for r in server.log.requests(tag)})


@pytest.mark.parametrize("call", [sync_plain, sync_stream])
def test_calls_in_a_row_share_one_connection_even_of_several_providers(
    server: FaultServer, call: Caller
) -> None:
    tag = f"reuse-{call.__name__}"
    for _ in range(5):
        call(toy(server, tag=tag))
    assert len(server.log.requests(tag)) == 5
    assert connections(server, tag) == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_calls_of_one_loop_share_one_connection(server: FaultServer, backend: str) -> None:
    tag = f"reuse-{backend}"

    async def main() -> None:
        for _ in range(3):
            await toy(server, tag=tag).aexecute("m", "Hi")
            await toy(server, tag=tag).astream_execute("m", "Hi").drain()

    aio(main, backend)
    assert connections(server, tag) == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_second_loop_has_connections_of_its_own_and_the_first_ones_are_closed(
    server: FaultServer, backend: str
) -> None:
    tag = f"loops-{backend}"
    for _ in range(2):
        aio(lambda: toy(server, tag=tag).aexecute("m", "Hi"), backend)
    assert connections(server, tag) == 2
    of_these = [r.connection for r in server.log.requests(tag)]
    assert server.log.wait(lambda: not any(c.open for c in of_these), 5)


def test_a_provider_is_made_without_a_connection(server: FaultServer) -> None:
    before = len(server.log.connections())
    toy(server).explain("m", "Hi")
    assert len(server.log.connections()) == before


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@colours
def test_a_redirect_is_refused_and_the_other_origin_gets_no_byte(call: Caller, status: int) -> None:
    with FaultServer() as server:
        with pytest.raises(ProviderError, match="redirects are not followed") as caught:
            call(toy(server, f"redirect_{status}"))
        assert caught.value.status == status
        assert server.log.bytes_received("other") == b""
        assert len(server.log.requests()) == 1


LATE = ["no_head", "no_body", "loris_head", "loris_body"]


@pytest.mark.parametrize("fault", LATE)
@colours
def test_a_deadline_ends_a_call_whatever_the_server_does(
    server: FaultServer, call: Caller, fault: str
) -> None:
    tag = f"{call.__name__}-{fault}"
    provider = toy(server, fault, tag, timeout=Timeout(total=0.4, first_chunk=10, idle=10))
    with pytest.raises(LLMError) as caught:
        call(provider)
    assert isinstance(caught.value, RequestTimeoutError) or isinstance(
        caught.value.__cause__, RequestTimeoutError
    )
    assert caught.value.maybe_executed
    assert server.log.wait_gone(tag, 5), "the connection is still open"


@pytest.mark.parametrize(
    "fault", ["refused", "reset_on_accept", "fin_no_head", "rst_no_head", "ssh_banner"]
)
@colours
def test_a_connection_that_fails_is_a_transport_error_that_names_the_place(
    server: FaultServer, call: Caller, fault: str
) -> None:
    url = server.url("openai", fault)
    with pytest.raises(TransportError) as caught:
        call(live(url))
    assert url.split("/")[2] in str(caught.value)
    assert KEY not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"


@pytest.mark.parametrize("fault", ["bomb", "endless_text", "endless_blanks"])
@colours
def test_a_body_without_end_is_refused(server: FaultServer, call: Caller, fault: str) -> None:
    with pytest.raises(LLMError) as caught:
        call(toy(server, fault, timeout=15))
    kinds = (ResponseTooLargeError, RequestTimeoutError)
    assert isinstance(caught.value, kinds) or isinstance(caught.value.__cause__, kinds)


@pytest.mark.parametrize(
    "fault", ["length_too_long", "body_cut", "gzip_truncated", "gzip_bad_crc", "rst_in_body"]
)
@pytest.mark.parametrize("call", PLAIN, ids=lambda c: c.__name__)
def test_a_body_that_is_cut_is_an_error_and_the_next_call_is_clean(
    server: FaultServer, call: Caller, fault: str
) -> None:
    with pytest.raises((TransportError, ResponseFormatError)):
        call(toy(server, fault))
    assert call(toy(server)).text == server.answer().text


@pytest.mark.parametrize("fault", ["stale_reset", "stale_close"])
def test_a_connection_that_died_while_idle_does_not_fail_a_call(
    server: FaultServer, fault: str
) -> None:
    provider = toy(server, fault, f"stale-{fault}", retry={"attempts": 2})
    for _ in range(3):
        assert provider.execute("m", "Hi").text == server.answer(fault).text


@pytest.mark.parametrize("call", [sync_plain, sync_stream])
def test_a_second_answer_that_nobody_asked_for_is_given_to_nobody(
    server: FaultServer, call: Caller
) -> None:
    forged = toy(server, "forged_response", "forged", retry={"attempts": 3})
    for _ in range(3):
        assert call(forged).text == server.answer("forged_response").text
        assert call(toy(server, "echo", "forged", retry={"attempts": 3}), "Mine").text == "Mine"


def test_thirty_two_threads_on_one_provider_get_their_own_answers(server: FaultServer) -> None:
    provider = toy(server, "echo", "threads", timeout=60)

    def ask(thread: int) -> list[str]:
        calls = [sync_plain, sync_stream]
        return [calls[n % 2](provider, f"{thread}/{n}").text for n in range(20)]

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(ask, range(32)))
    assert answers == [[f"{thread}/{n}" for n in range(20)] for thread in range(32)]


KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    key=KEYS,
    values=st.dictionaries(st.sampled_from(["x-a", "x-b"]), KEYS),
    model=st.text(min_size=1, max_size=20),
)
def test_nothing_that_is_configured_or_asked_adds_a_header(
    server: FaultServer, key: str, values: dict[str, str], model: str
) -> None:
    before = len(server.log.requests("inject"))
    try:
        provider = live(server.url("openai", tag="inject"), api_key=key, headers=values)
        provider.execute(model, "Hi\r\nx-evil: 1\r\n\r\nGET /admin HTTP/1.1")
    except LLMError:
        pass
    for request in server.log.requests("inject")[before:]:
        names = {n.lower() for n in request.headers}
        usual = {
            "host",
            "accept-encoding",
            "user-agent",
            "content-type",
            "content-length",
            "authorization",
        }
        assert names <= usual | set(values)
        assert request.raw_head.count(b" HTTP/1.1\r\n") == 1
        assert b"x-evil" not in request.raw_head.lower()
    assert len(server.log.requests("inject")) <= before + 1


def test_a_wrong_key_is_told_without_being_shown(server: FaultServer) -> None:
    with pytest.raises(AuthenticationError) as caught:
        sync_plain(toy(server, "key_echoed"))
    assert KEY not in str(caught.value)


def test_tls_is_checked_against_the_authority_of_the_configuration(
    server: FaultServer, tmp_path: Any
) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text(server.ca_pem)
    url = server.url("openai", origin="tls")
    assert sync_plain(live(url, ca_file=str(authority))).text == server.answer().text
    with pytest.raises(TransportError) as caught:
        sync_plain(live(url, retry={"attempts": 3}))
    assert caught.value.attempts == 1, "an untrusted certificate is not tried again"


FORK = """
    import os, sys
    sys.path.insert(0, sys.argv[2])
    from core_toy import live
    provider = live(sys.argv[1])

    def say(text):
        os.write(1, provider.execute("m", text).text.encode() + b"\\n")

    say("parent")
    child = os.fork()
    say("child" if child == 0 else "again")
    if child:
        os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_has_connections_of_its_own(server: FaultServer) -> None:
    url = server.url("openai", "echo", tag="fork")
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FORK), url, here],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert sorted(done.stdout.split()) == ["again", "child", "parent"]
    used = {r.json["messages"][0]["content"]: id(r.connection) for r in server.log.requests("fork")}
    assert used["parent"] == used["again"] != used["child"]


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers["content-length"]))
            body = whole("Proxied")
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    proxy = HTTPServer(("127.0.0.1", 0), Proxy)
    thread = Thread(target=proxy.serve_forever)
    thread.start()
    try:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.server_port}")
        provider = live("http://far.example/v1", allow_insecure_http=True)
        assert provider.execute("m", "Hi").text == "Proxied"
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
    assert asked == ["http://far.example/v1/chat/completions"]


@pytest.mark.parametrize(
    "address",
    ["http://me:plover7q2w@[::1", "http://host:plover7q2w", "socks5://me:plover7q2w@host:1080"],
)
def test_a_proxy_that_cannot_be_used_is_told_without_a_part_of_its_address(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("all_proxy", address)
    # A host of its own: which proxy a host has is looked up once.
    provider = live(f"http://host-{len(address)}.example/v1", allow_insecure_http=True)
    with pytest.raises(ConfigError, match="write http://host:port") as caught:
        provider.execute("m", "Hi")
    frames = [f for f, _ in walk_tb(caught.value.__traceback__) if f.f_code.co_filename != __file__]
    assert (
        "plover7q2w" not in f"{caught.value!r} {vars(caught.value)} {[f.f_locals for f in frames]}"
    )
