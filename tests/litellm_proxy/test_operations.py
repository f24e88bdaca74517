"""Beside chats, through LiteLLM's proxy: vectors, rankings, lists of models, and what it refuses."""

from __future__ import annotations

import pytest

from jackfield import AuthenticationError, InvalidRequestError, LLMError, create_provider
from litellm_proxy.servers import DOORS, STREAMED, WITH_THE_PROXY, Servers, heard
from support.litellm_proxy import MASTER_KEY
from support.llama_server import NAME
from support.tiny_bert import WIDTH

pytestmark = WITH_THE_PROXY

DOCUMENTS = ["a hen is in the sea", "the gull flies", "fish", "who is a pelican?"]
CHATTING = [door for door in DOORS if door != "cohere"]
WRONG_KEY = "made-up-key-of-nobody-9999"


@pytest.mark.parametrize("door", ["openai-compatible", "openai", "azure", "vllm"])
def test_vectors_are_those_of_the_server_behind_it(servers: Servers, door: str) -> None:
    answer = servers.door(door).embed("tiny-bert", DOCUMENTS)
    direct = servers.direct(url=f"{servers.vectors}/v1").embed("tiny-bert", DOCUMENTS)
    assert [len(vector) for vector in answer.vectors] == [WIDTH] * len(DOCUMENTS)
    for there, here in zip(answer.vectors, direct.vectors, strict=True):
        assert there == pytest.approx(here, abs=1e-4)
    assert answer.usage.input_tokens == direct.usage.input_tokens


@pytest.mark.parametrize("door", ["openai-compatible", "vllm", "cohere"])
@pytest.mark.parametrize("top_n", [None, 2])
def test_a_ranking_is_that_of_the_server_behind_it(
    servers: Servers, door: str, top_n: int | None
) -> None:
    answer = servers.door(door).rerank("tiny-rank", "who flies?", DOCUMENTS, top_n=top_n)
    provider = servers.direct(url=f"{servers.rankings}/v1")
    direct = provider.rerank("tiny-rank", "who flies?", DOCUMENTS, top_n=top_n)
    assert [r.index for r in answer.results] == [r.index for r in direct.results]
    scores = [r.score for r in direct.results]
    assert [r.score for r in answer.results] == pytest.approx(scores, abs=1e-4)
    assert len(scores) == (top_n or len(DOCUMENTS))
    assert [r.document for r in answer.results] == [DOCUMENTS[r.index] for r in answer.results]


@pytest.mark.parametrize("door", ["openai-compatible", "openai", "vllm", "claude"])
def test_its_models_are_listed(servers: Servers, door: str) -> None:
    names = {model.id for model in servers.door(door).list_models()}
    assert {NAME, "tiny-chat", "tiny-messages", "tiny-bert", "tiny-rank"} <= names


@pytest.mark.parametrize("door", CHATTING)
@STREAMED
def test_a_wrong_key_is_an_authentication_error_that_does_not_show_it(
    servers: Servers, door: str, streamed: bool
) -> None:
    provider = servers.door(door, WRONG_KEY)
    with pytest.raises(AuthenticationError) as caught:
        heard(provider, streamed, NAME, "Hi")
    assert not caught.value.retryable
    assert WRONG_KEY not in f"{caught.value!r} {caught.value}"


def test_a_missing_key_is_an_authentication_error(servers: Servers) -> None:
    keyless = create_provider("openai-compatible", {"base_url": f"{servers.proxy}/v1"})
    with pytest.raises(AuthenticationError, match="key"):
        keyless.execute(NAME, "Hi")


def test_a_wrong_key_for_a_ranking_is_one_too(servers: Servers) -> None:
    with pytest.raises(AuthenticationError):
        servers.door("cohere", WRONG_KEY).rerank("tiny-rank", "who flies?", DOCUMENTS)


@pytest.mark.parametrize("door", CHATTING)
@STREAMED
def test_a_name_that_it_does_not_know_is_a_wrong_request(
    servers: Servers, door: str, streamed: bool
) -> None:
    """It says so itself, with a 400: another name is needed, and no new attempt."""
    provider = servers.door(door)
    with pytest.raises(InvalidRequestError, match="nope") as caught:
        heard(provider, streamed, "nope", "Hi")
    assert caught.value.status == 400
    assert not caught.value.retryable


def test_a_configuration_is_checked_by_asking_it(servers: Servers) -> None:
    assert servers.door("claude").validate_config(probe=True) == []
    assert servers.door("openai-compatible").validate_config(probe=True) == []
    issues = servers.door("openai-compatible", WRONG_KEY).validate_config(probe=True)
    assert issues
    assert MASTER_KEY not in str(issues)


def test_a_chat_with_a_model_that_ranks_is_a_typed_error(servers: Servers) -> None:
    with pytest.raises(LLMError, match="logits"):
        servers.door("openai-compatible").execute("tiny-rank", "Hi")
