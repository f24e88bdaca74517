"""A remote server: HTTPS with an authority of its own, and a key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from jackfield import AuthenticationError, TransportError
from jackfield.testing.faults.tls import trust
from jackfield_ollama import OllamaProvider
from support.llama_server import needs_llama_server
from support.ollama_shim import OllamaShim

pytestmark = [pytest.mark.live, needs_llama_server]

KEY = "made-up-pelican"
COLOURS = ("sync", "asyncio", "trio")


@pytest.fixture
def ca_file(tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    path.write_text(trust().ca_pem)
    return str(path)


@pytest.fixture
def remote(upstream: str) -> Iterator[OllamaShim]:
    """An HTTPS server whose certificate only its own authority vouches for, and that wants a key."""
    with OllamaShim(upstream, key=KEY, tls=trust().contexts["tls"]) as shim:
        yield shim


def provider(remote: OllamaShim, **config: Any) -> OllamaProvider:
    return OllamaProvider({"base_url": remote.url, "retry": {"attempts": 1}, **config})


def text(colour: str, backend: OllamaProvider) -> str:
    """The text of a streamed answer, in one colour."""
    if colour == "sync":
        return backend.stream_execute("tiny", "Hello").drain().text

    async def run() -> str:
        return (await backend.astream_execute("tiny", "Hello").drain()).text

    return anyio.run(run, backend=colour)


@pytest.mark.parametrize("colour", COLOURS)
def test_an_authority_of_ones_own_is_trusted_when_configured(
    remote: OllamaShim, ca_file: str, colour: str
) -> None:
    assert text(colour, provider(remote, ca_file=ca_file, api_key=KEY))


@pytest.mark.parametrize("colour", COLOURS)
def test_an_authority_that_nobody_configured_is_refused_at_once(
    remote: OllamaShim, colour: str
) -> None:
    with pytest.raises(TransportError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        text(colour, provider(remote, api_key=KEY))
    assert not caught.value.retryable
    assert remote.seen == []


def test_a_wrong_key_is_an_authentication_error_that_does_not_show_it(
    remote: OllamaShim, ca_file: str
) -> None:
    with pytest.raises(AuthenticationError, match="unauthorized") as caught:
        text("sync", provider(remote, ca_file=ca_file, api_key="made-up-stork"))
    assert "made-up-stork" not in f"{caught.value!r} {caught.value}"


def test_the_environments_key_reaches_a_server_behind_https(
    remote: OllamaShim, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", KEY)
    assert text("sync", provider(remote, ca_file=ca_file))


def test_a_remote_host_may_come_from_the_environment_alone(
    remote: OllamaShim, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", remote.url)
    backend = OllamaProvider({"ca_file": ca_file, "api_key": KEY})
    assert [m.id for m in backend.list_models()] == ["tiny:latest"]


def test_a_certificate_file_that_is_not_there_is_told_before_a_call() -> None:
    from jackfield import ConfigError, create_provider

    with pytest.raises(ConfigError, match="ca_file"):
        create_provider("ollama", {"ca_file": "nowhere.pem"})
