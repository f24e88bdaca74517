"""Errors say what to do next: a model that is not there, a server that is not there, a wrong address."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from jackfield import AuthenticationError, NotFoundError, TransportError
from jackfield.drivers.replay import Recorded
from jackfield_ollama import OllamaProvider

Replayed = Callable[..., OllamaProvider]

MISSING = Recorded(status=404, chunks=[b'{"error": "model \'pelican\' not found"}'])


@pytest.mark.parametrize(
    "ask",
    [
        lambda p: p.execute("pelican", "Hi"),
        lambda p: p.stream_execute("pelican", "Hi").drain(),
        lambda p: p.embed("pelican", "Hi"),
        lambda p: p.show("pelican"),
        lambda p: p.load("pelican"),
    ],
    ids=["chat", "stream", "embed", "show", "load"],
)
def test_a_model_that_is_not_there_comes_with_how_to_fetch_it(
    replayed: Replayed, ask: Callable[[OllamaProvider], Any]
) -> None:
    with pytest.raises(NotFoundError, match="model 'pelican' not found") as caught:
        ask(replayed(MISSING))
    assert '"jackfield pull ollama/pelican" or provider.pull("pelican")' in str(caught.value)
    assert caught.value.param == "model"


def test_the_advice_names_the_instance_as_its_user_does() -> None:
    from jackfield.drivers.replay import ReplayDriver

    provider = OllamaProvider(
        {"base_url": "gpu-box"}, name="gpu-box", driver=ReplayDriver([MISSING])
    )
    with pytest.raises(NotFoundError, match="jackfield pull gpu-box/pelican"):
        provider.execute("pelican", "Hi")


def test_deleting_what_is_not_there_is_not_answered_with_advice_to_fetch_it(
    replayed: Replayed,
) -> None:
    with pytest.raises(NotFoundError) as caught:
        replayed(MISSING).delete("pelican")
    assert "pull" not in str(caught.value)


def test_an_address_where_something_else_lives_is_told_apart_from_a_missing_model(
    replayed: Replayed,
) -> None:
    stranger = Recorded(status=404, chunks=[b"404 page not found"])
    with pytest.raises(NotFoundError, match="base_url") as caught:
        replayed(stranger).execute("pelican", "Hi")
    assert caught.value.param == "base_url"
    assert "pull" not in str(caught.value)


def test_without_a_key_a_refusal_says_where_one_goes(replayed: Replayed) -> None:
    refused = Recorded(status=401, chunks=[b'{"error": "unauthorized"}'])
    with pytest.raises(AuthenticationError, match="set api_key, or OLLAMA_API_KEY"):
        replayed(refused).execute("pelican", "Hi")
    with pytest.raises(AuthenticationError) as caught:
        replayed(refused, api_key="made-up").execute("pelican", "Hi")
    assert "set api_key" not in str(caught.value)


def test_a_server_that_is_not_running_comes_with_how_to_start_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        # Bound and not listening: nobody answers there, and nobody else can.
        provider = OllamaProvider({"base_url": f":{port}", "retry": {"attempts": 1}})
        with pytest.raises(TransportError, match="ollama serve") as caught:
            provider.execute("pelican", "Hi")
    assert caught.value.phase == "connect"
