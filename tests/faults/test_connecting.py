"""Row 35: before there is a connection: slow resolvers, names without address, several addresses."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from faults.callers import on
from faults.cases import COLOURS, KEY, MODEL, PROMPT, PROVIDERS
from jackfield import LLMProvider, RequestTimeoutError, TransportError, create_provider
from jackfield.testing.faults import DIALECTS, FaultServer

TIMEOUT = {"connect": 0.5, "first_chunk": 2.0, "idle": 2.0, "total": 4.0}


def config(url: str, **more: Any) -> dict[str, Any]:
    return {
        "base_url": url,
        "api_key": KEY,
        "timeout": TIMEOUT,
        "retry": {"attempts": 1},
        "allow_insecure_http": True,
        **more,
    }


@pytest.fixture
def stalled_resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A resolver that answers only when the event is set."""
    answer, real = threading.Event(), socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        flags = more.get("flags", args[3] if len(args) > 3 else 0)
        if host in ("pelican.example", b"pelican.example"):
            if flags & socket.AI_NUMERICHOST:
                raise socket.gaierror(socket.EAI_NONAME, "not a number")
            answer.wait(30)
            raise socket.gaierror(socket.EAI_AGAIN, "too late")
        return real(host, port, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield answer
    answer.set()


@pytest.mark.parametrize("colour", COLOURS)
def test_a_resolver_that_stalls_does_not_hold_a_call(
    stalled_resolver: threading.Event, colour: str
) -> None:
    backend = create_provider("openai-compatible", config("http://pelican.example:9/v1"))

    async def call() -> None:
        try:
            await backend.aexecute(MODEL, PROMPT)
        finally:
            # The loop's own threads are waited for when it ends.
            unanswered.append(not stalled_resolver.is_set())
            stalled_resolver.set()

    unanswered: list[bool] = []
    with pytest.raises(RequestTimeoutError) as caught:
        on(colour, call) if colour != "sync" else backend.execute(MODEL, PROMPT)
    assert unanswered in ([], [True])
    assert (caught.value.phase, caught.value.maybe_executed) == ("connect", False)


@pytest.mark.parametrize("colour", COLOURS)
def test_a_name_without_address_is_a_connect_error(colour: str) -> None:
    backend = create_provider("openai-compatible", config("http://pelican.invalid/v1"))
    with pytest.raises(TransportError) as caught:
        on(colour, backend.aexecute, MODEL, PROMPT) if colour != "sync" else backend.execute(
            MODEL, PROMPT
        )
    assert (caught.value.phase, caught.value.maybe_executed) == ("connect", False)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_next_address_of_a_host_is_tried(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, dialect: str, colour: str
) -> None:
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if host not in ("two.localhost", b"two.localhost"):
            return real(host, port, *args, **more)
        (info,) = real("127.0.0.1", port, *args, **more)[:1]
        # The same port of another loopback address, where nobody listens.
        return [(*info[:4], ("127.0.0.2", info[4][1])), info]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    url = server.url(dialect).replace("127.0.0.1", "two.localhost")
    backend = create_provider(PROVIDERS[dialect], config(url))
    if colour == "sync":
        assert backend.execute(MODEL, PROMPT).text == server.answer().text
    else:
        assert on(colour, backend.aexecute, MODEL, PROMPT).text == server.answer().text


@pytest.mark.parametrize("colour", COLOURS)
def test_a_certificate_of_our_own_authority_is_trusted_where_the_configuration_says_so(
    server: FaultServer, colour: str
) -> None:
    url = server.url("openai", origin="tls")
    trusting = create_provider("openai-compatible", config(url, ca_file=server.ca_file))
    doubting = create_provider("openai-compatible", config(url))

    def run(backend: LLMProvider) -> Any:
        if colour == "sync":
            return backend.execute(MODEL, PROMPT)
        return on(colour, backend.aexecute, MODEL, PROMPT)

    assert run(trusting).text == server.answer().text
    with pytest.raises(TransportError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        run(doubting)
    assert caught.value.retryable is False
