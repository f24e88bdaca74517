"""Embeddings, and the models of a server: listed, shown, pulled, deleted, loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    Capabilities,
    NotFoundError,
    Progress,
    ProviderError,
    PullRequest,
    ResponseFormatError,
    StreamInterruptedError,
)
from jackfield.drivers.replay import Recorded
from jackfield_ollama import OllamaProvider

Replayed = Callable[..., OllamaProvider]
Sent = Callable[[OllamaProvider], list[Any]]
HERE = "http://127.0.0.1:11434"


# Embeddings.


@given(st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False)), min_size=1))
def test_vectors_come_in_the_order_of_the_inputs(
    replayed: Replayed, sent: Sent, vectors: list[list[float]]
) -> None:
    provider = replayed({"model": "m", "embeddings": vectors, "prompt_eval_count": 3})
    inputs = [str(i) for i in range(len(vectors))]
    answer = provider.embed("m", inputs)
    assert [list(v) for v in answer.vectors] == vectors
    assert answer.usage.input_tokens == 3
    assert sent(provider) == [("POST", f"{HERE}/api/embed", {"model": "m", "input": inputs})]


@pytest.mark.parametrize("embeddings", [None, [], [[1.0], [2.0]], "text", [["x"]]])
def test_a_wrong_number_or_kind_of_vectors_is_an_error(replayed: Replayed, embeddings: Any) -> None:
    with pytest.raises(ResponseFormatError, match="embeddings"):
        replayed({"embeddings": embeddings}).embed("m", "one")


def test_dimensions_go_along_and_a_server_that_ignores_them_is_told_on(
    replayed: Replayed, sent: Sent
) -> None:
    provider = replayed({"embeddings": [[1, 2, 3]]}, {"embeddings": [[1, 2]]})
    (warning,) = provider.embed("m", "one", dimensions=2).warnings
    assert (warning.kind, warning.subject) == ("unsupported", "dimensions")
    assert provider.embed("m", "one", dimensions=2).warnings == ()
    assert sent(provider)[0][2]["dimensions"] == 2


def test_a_strict_embedding_is_not_cut_silently(replayed: Replayed, sent: Sent) -> None:
    provider = replayed({"embeddings": [[1.0]]})
    provider.embed("m", "one", strict=True)
    assert sent(provider)[0][2]["truncate"] is False


def test_a_configured_keep_alive_is_text_for_embeddings(replayed: Replayed, sent: Sent) -> None:
    provider = replayed({"embeddings": [[1.0]]}, keep_alive=300)
    provider.embed("m", "one")
    assert sent(provider)[0][2]["keep_alive"] == "300s"


# List and show.

TAG = {"name": "pelican:1b", "model": "pelican:1b", "size": 77, "details": {"family": "bird"}}


def test_a_list_has_names_sizes_and_the_whole_entry(replayed: Replayed, sent: Sent) -> None:
    provider = replayed({"models": [TAG]})
    (found,) = provider.list_models()
    assert (found.id, found.size_bytes) == ("pelican:1b", 77)
    assert found.provider_metadata == {"ollama": TAG}
    assert sent(provider) == [("GET", f"{HERE}/api/tags", None)]


@pytest.mark.parametrize("models", [[], None])
def test_a_server_without_models_has_an_empty_list(replayed: Replayed, models: Any) -> None:
    assert list(replayed({"models": models}).list_models()) == []


def test_an_entry_without_a_name_is_an_error(replayed: Replayed) -> None:
    with pytest.raises(ResponseFormatError, match="name"):
        replayed({"models": [{"size": 1}]}).list_models()


def test_running_models_have_their_context(replayed: Replayed, sent: Sent) -> None:
    loaded = {**TAG, "context_length": 4096, "expires_at": "2026-01-02T03:04:05Z"}
    provider = replayed({"models": [loaded]})
    (found,) = provider.running()
    assert found.context_window == 4096
    assert found.provider_metadata["ollama"]["expires_at"] == "2026-01-02T03:04:05Z"
    assert sent(provider) == [("GET", f"{HERE}/api/ps", None)]


INFO = {"general.architecture": "bird", "bird.context_length": 8192, "clip.context_length": 77}


def test_a_shown_model_has_its_architectures_context_and_what_it_can_do(
    replayed: Replayed, sent: Sent
) -> None:
    shown = {"model_info": INFO, "capabilities": ["completion", "tools", "thinking"]}
    provider = replayed({**shown, "license": "long"})
    found = provider.show("pelican")
    assert (found.id, found.context_window) == ("pelican", 8192)
    assert found.capabilities == Capabilities(
        streaming=True, tools=True, vision=False, reasoning=True,
        structured_output=True, embeddings=False,
    )  # fmt: skip
    assert found.provider_metadata == {"ollama": shown}
    assert sent(provider) == [("POST", f"{HERE}/api/show", {"model": "pelican"})]


def test_what_an_old_server_does_not_say_is_unknown(replayed: Replayed) -> None:
    found = replayed({"details": {}}).show("pelican")
    assert (found.context_window, found.capabilities) == (None, Capabilities())


# Pull.

STEPS = [
    {"status": "pulling manifest"},
    {"status": "pulling 5e1f", "digest": "sha256:5e1f", "total": 100},
    {"status": "pulling 5e1f", "digest": "sha256:5e1f", "total": 100, "completed": 100},
    {"status": "success"},
]
PROGRESS = [
    Progress(status="pulling manifest"),
    Progress(status="pulling 5e1f", completed=0, total=100),
    Progress(status="pulling 5e1f", completed=100, total=100),
    Progress(status="success"),
]


def test_a_pull_tells_how_far_it_is(replayed: Replayed, sent: Sent) -> None:
    provider = replayed(STEPS)
    with provider.pull("pelican") as pulling:
        assert list(pulling) == PROGRESS
    body = {"model": "pelican", "stream": True}
    assert sent(provider) == [("POST", f"{HERE}/api/pull", body)]


def test_a_pull_can_be_waited_for_without_its_progress(replayed: Replayed) -> None:
    assert replayed(STEPS).run(PullRequest(model="pelican")) is None
    assert replayed(STEPS).pull("pelican").drain() is None


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_pull_runs_on_an_event_loop(replayed: Replayed, backend: str) -> None:
    async def pull() -> list[Progress]:
        async with replayed(STEPS).apull("pelican") as pulling:
            return [step async for step in pulling]

    assert anyio.run(pull, backend=backend) == PROGRESS


@given(st.integers(0))
def test_a_pull_that_ends_before_its_success_is_never_one(replayed: Replayed, cut: int) -> None:
    payload = b"".join(json.dumps(step).encode() + b"\n" for step in STEPS)
    ended = Recorded(chunks=[payload[: cut % (len(payload) - 2)]])
    with pytest.raises(StreamInterruptedError):
        replayed(ended).pull("pelican").drain()
    with pytest.raises(StreamInterruptedError):
        replayed(ended).run(PullRequest(model="pelican"))


def test_the_registrys_no_is_the_providers_error_and_no_interruption(replayed: Replayed) -> None:
    steps = [STEPS[0], {"error": "pull model manifest: file does not exist"}]
    seen = []
    with pytest.raises(ProviderError, match="file does not exist"):
        seen += [step.status for step in replayed(steps).pull("pelcan")]


def test_a_pull_may_carry_fields_of_its_own(replayed: Replayed, sent: Sent) -> None:
    provider = replayed(STEPS)
    own = {"ollama": {"insecure": True, "stream": False}}
    provider.pull("pelican", provider_options=own).drain()
    assert sent(provider)[0][2] == {"model": "pelican", "insecure": True, "stream": True}


# Delete, load, unload.


def test_a_delete_names_its_model(replayed: Replayed, sent: Sent) -> None:
    provider = replayed(b"")
    assert provider.delete("pelican") is None  # type: ignore[func-returns-value]  # the claim
    assert sent(provider) == [("DELETE", f"{HERE}/api/delete", {"model": "pelican"})]


def test_deleting_what_is_not_there_is_an_error(replayed: Replayed) -> None:
    with pytest.raises(NotFoundError):
        replayed(Recorded(status=404, chunks=[b'{"error": "not found"}'])).delete("pelican")


LOADED = {"model": "m", "message": {"role": "assistant", "content": ""}, "done": True}


@pytest.mark.parametrize(
    ("ask", "kept"),
    [
        (lambda p: p.load("pelican"), {}),
        (lambda p: p.load("pelican", "30m"), {"keep_alive": "30m"}),
        (lambda p: p.unload("pelican"), {"keep_alive": 0}),
    ],
    ids=["load", "load for a while", "unload"],
)
def test_loading_is_a_chat_without_messages(
    replayed: Replayed, sent: Sent, ask: Callable[[OllamaProvider], None], kept: dict[str, Any]
) -> None:
    provider = replayed({**LOADED, "done_reason": "load"})
    ask(provider)
    body = {"model": "pelican", "messages": [], "stream": False, **kept}
    assert sent(provider) == [("POST", f"{HERE}/api/chat", body)]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_every_verb_has_its_async_twin(replayed: Replayed, backend: str) -> None:
    async def all_of_them() -> tuple[Any, ...]:
        shown = await replayed({"model_info": INFO}).ashow("pelican")
        running = await replayed({"models": [TAG]}).arunning()
        await replayed(b"").adelete("pelican")
        await replayed(LOADED).aload("pelican")
        await replayed(LOADED).aunload("pelican")
        return shown.context_window, [m.id for m in running]

    assert anyio.run(all_of_them, backend=backend) == (8192, ["pelican:1b"])
