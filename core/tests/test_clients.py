"""A caller's own httpx2 clients carry the calls, under the same rules."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from core_toy import BACKENDS, KEY, Toy, aio, streamed, whole

from jackfield import LLMError, ProviderError, RequestTimeoutError, TransportError, hookimpl
from jackfield.plugins import PluginManager
from jackfield.testing.faults import FaultServer, Pace

URL = "https://toy.example/v1"


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer(pace=Pace(gap=0.02, drip=0.05, hold=8.0), limit=20) as running:
        yield running


def toy(url: str = URL, **options: Any) -> Any:
    """A toy made as `create_provider` makes providers."""
    manager = PluginManager()
    manager.register(SimpleNamespace(register_providers=hookimpl(lambda: [Toy])))
    config = {"base_url": url, "api_key": KEY, "retry": {"attempts": 1}}
    return manager.create("toy", config, **options)


def answering(body: bytes, **headers: str) -> httpx2.MockTransport:
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    return httpx2.MockTransport(lambda _: httpx2.Response(200, content=body, headers=named))


def test_a_mocked_client_answers_plain_and_streamed_calls() -> None:
    with httpx2.Client(transport=answering(whole("Hello"))) as client:
        assert toy(client=client).execute("m", "Hi").text == "Hello"
    with httpx2.Client(transport=answering(b"".join(streamed("Hel", "lo")))) as client:
        assert toy(client=client).stream_execute("m", "Hi").drain().text == "Hello"


@pytest.mark.parametrize("backend", BACKENDS)
def test_and_asynchronous_ones(backend: str) -> None:
    async def main() -> tuple[str, str]:
        async with httpx2.AsyncClient(transport=answering(whole("Hello"))) as client:
            plain = await toy(async_client=client).aexecute("m", "Hi")
        stream = answering(b"".join(streamed("Hel", "lo")))
        async with httpx2.AsyncClient(transport=stream) as client:
            provider = toy(async_client=client)
            return plain.text, (await provider.astream_execute("m", "Hi").drain()).text

    assert aio(main, backend) == ("Hello", "Hello")


def test_a_mocked_body_that_says_it_is_compressed_is_undone_once() -> None:
    mock = answering(gzip.compress(whole("Hello")), content_encoding="gzip")
    with httpx2.Client(transport=mock) as client:
        assert toy(client=client).execute("m", "Hi").text == "Hello"


def test_the_clients_own_hooks_see_the_request() -> None:
    seen: list[str] = []
    hooks = {"request": [lambda r: seen.append(str(r.url))]}
    with httpx2.Client(transport=answering(whole("Hello")), event_hooks=hooks) as client:
        toy(client=client).execute("m", "Hi")
    assert seen == [f"{URL}/chat/completions"]


def test_over_real_sockets_answers_and_errors_are_the_same(server: FaultServer) -> None:
    with httpx2.Client() as client:
        for fault in ("ok", "gzip", "deflate_raw"):
            answer = toy(server.url("openai", fault), client=client).execute("m", "Hi")
            assert answer.text == server.answer(fault).text
        for fault in (
            "gzip_truncated",
            "length_too_long",
            "rst_no_head",
            "refused",
            "encoding_unknown",
        ):
            with pytest.raises(LLMError):
                toy(server.url("openai", fault), client=client).execute("m", "Hi")
        assert (
            toy(server.url("openai"), client=client).execute("m", "Hi").text == server.answer().text
        )


def test_a_client_that_follows_redirects_does_not_for_us(server: FaultServer) -> None:
    with httpx2.Client(follow_redirects=True) as client:
        provider = toy(server.url("openai", "redirect_307"), client=client)
        with pytest.raises(ProviderError, match="redirects are not followed"):
            provider.execute("m", "Hi")
    assert server.log.bytes_received("other") == b""


@pytest.mark.parametrize("fault", ["no_head", "no_body"])
def test_deadlines_hold_with_a_client_of_ones_own(server: FaultServer, fault: str) -> None:
    with httpx2.Client(timeout=None) as client:  # the call brings its own
        provider = toy(server.url("openai", fault), client=client)
        with pytest.raises(RequestTimeoutError):
            provider.execute("m", "Hi", timeout=0.4)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("fault", ["no_head", "no_body", "loris_body"])
def test_and_asynchronously(server: FaultServer, fault: str, backend: str) -> None:
    async def main() -> None:
        async with httpx2.AsyncClient(timeout=None) as client:  # the call brings its own
            provider = toy(server.url("openai", fault), async_client=client)
            with pytest.raises(RequestTimeoutError):
                await provider.aexecute("m", "Hi", timeout=0.4)

    aio(main, backend)


def test_leaving_a_stream_closes_the_response_and_not_the_client(server: FaultServer) -> None:
    with httpx2.Client() as client:
        provider = toy(server.url("openai", "endless", tag="client"), client=client)
        with provider.stream_execute("m", "Hi") as stream:
            next(stream)
        assert server.log.wait_gone("client", 5)
        assert not client.is_closed
        assert toy(server.url("openai"), client=client).execute("m", "Hi").text


def test_an_error_of_the_client_becomes_ours_without_the_key() -> None:
    def fail(_request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no route")

    with httpx2.Client(transport=httpx2.MockTransport(fail)) as client:
        provider = toy(client=client)
        with pytest.raises(TransportError, match="no route") as caught:
            provider.execute("m", "Hi")
    assert caught.value.phase == "connect"
    assert not caught.value.maybe_executed
    assert caught.value.__cause__ is None
