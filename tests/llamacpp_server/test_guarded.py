"""A real llama.cpp server that wants a key and keeps its slots in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from jackfield import AuthenticationError, InvalidRequestError, LLMProvider, create_provider
from jackfield.errors import LLMError
from jackfield.operations import LoadRequest, UnloadRequest
from jackfield_llamacpp_server import SlotRequest
from support.llama_server import NAME, llama_server, needs_llama_server

pytestmark = [pytest.mark.live, needs_llama_server]

KEY, WRONG = "made-up-key-of-the-house", "made-up-key-of-nobody"
GREEDY = {"temperature": 0, "max_tokens": 60}
STORY = "Tell me a story about a penguin named Nila"
DOORS = {
    "openai": "/v1",
    "openai-compatible": "/v1",
    "vllm": "/v1",
    "llamacpp-server": "",
    "claude": "",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("slots")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with llama_server(key=KEY, slots=folder) as running:
        yield running


def made(url: str, name: str, key: str) -> LLMProvider:
    settings: dict[str, Any] = {"api_key": key, "retry": {"attempts": 1}}
    return create_provider(name, {"base_url": url + DOORS[name], **settings})


@pytest.fixture
def server(url: str) -> LLMProvider:
    return made(url, "llamacpp-server", KEY)


@pytest.mark.parametrize("name", DOORS)
def test_with_its_key_it_answers_whole_and_streamed(url: str, name: str) -> None:
    provider = made(url, name, KEY)
    whole = provider.execute(NAME, STORY, GREEDY)
    assert "Nila" in whole.text
    assert provider.stream_execute(NAME, STORY, GREEDY).drain().text == whole.text


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("streamed", [False, True])
def test_another_key_is_an_authentication_error_that_does_not_show_it(
    url: str, name: str, streamed: bool
) -> None:
    provider = made(url, name, WRONG)
    whole = partial(provider.execute, NAME, STORY)
    ask = provider.stream_execute(NAME, STORY).drain if streamed else whole
    with pytest.raises(AuthenticationError) as caught:
        ask()
    assert caught.value.status == 401
    assert WRONG not in f"{caught.value!r} {caught.value}"


def test_a_slot_is_saved_erased_and_restored(server: LLMProvider, folder: Path) -> None:
    own = {"llamacpp-server": {"id_slot": 1}}
    answer = server.execute(NAME, STORY, GREEDY, provider_options=own)
    saved = server.run(SlotRequest(slot=1, action="save", filename="nila.bin"))
    assert saved["n_saved"] >= (answer.usage.input_tokens or 0)
    assert (folder / "nila.bin").stat().st_size == saved["n_written"]
    erased = server.run(SlotRequest(slot=1, action="erase"))
    assert erased["n_erased"] == saved["n_saved"]
    restored = server.run(SlotRequest(slot=1, action="restore", filename="nila.bin"))
    assert restored["n_restored"] == saved["n_saved"]
    again = server.execute(NAME, STORY, GREEDY, provider_options=own)
    assert again.text == answer.text
    assert again.usage.cache_read_tokens


def test_a_slot_from_a_file_that_is_not_there_is_a_typed_error(server: LLMProvider) -> None:
    with pytest.raises(InvalidRequestError):
        server.run(SlotRequest(slot=1, action="restore", filename="nobody.bin"))
    with pytest.raises(InvalidRequestError):
        server.run(SlotRequest(slot=1, action="save", filename="../outside.bin"))


@pytest.mark.parametrize("request_", [LoadRequest(model=NAME), UnloadRequest(model=NAME)])
def test_a_server_of_one_model_loads_no_other(server: LLMProvider, request_: Any) -> None:
    """Loading is for servers that were started without a model, which this library is not."""
    with pytest.raises(LLMError) as caught:
        server.run(request_)
    assert caught.value.status in (404, 501)
    assert not caught.value.retryable
