"""What a route does when a stream breaks, over real dialects: what the caller sees, and what goes over the wire."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from faults.cases import PACE, PROVIDERS
from jackfield import StreamInterruptedError, StreamRestart, TextDelta, fold
from jackfield.testing.faults import CATALOGUE, DIALECTS, FaultServer
from jackfield.testing.faults import answers as named
from manager.worlds import PLAIN, made, provider_table, table

WORDS = ("cut_rst", "cut_fin")
PARTIAL = "".join(PLAIN.pieces[:3])
SPEAKERS = {
    "claude": "anthropic",
    "ollama": "ollama",
    "vllm": "openai",
    "llamacpp-server": "openai",
}
"""Providers that go on with a last message of the assistant's, and their dialects."""


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    """The fault server; its entries ``text`` and ``text_cut`` are of text alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(named.ANSWERS, "text", PLAIN)
        own = {
            **CATALOGUE,
            "text": replace(CATALOGUE["ok"], name="text", answer="text"),
            "text_cut": replace(CATALOGUE["cut_rst"], name="text_cut", answer="text"),
        }
        patch.setattr("jackfield.testing.faults.server.CATALOGUE", own)
        with FaultServer(pace=PACE) as running:
            yield running


def route(
    server: FaultServer, folder: Path, stream: str, *targets: tuple[str, str, str]
) -> tuple[Any, list[str]]:
    """A manager whose route ``main`` leads to *targets*: provider, dialect, fault; and their tags."""
    text, tags = table("routes.main", {"targets": [f"t{i}" for i in range(len(targets))]}), []
    text = text.replace("[routes.main]\n", f"[routes.main]\nstream = '{stream}'\n")
    for at, (provider, dialect, fault) in enumerate(targets):
        tags.append(f"{folder.name}-{at}")
        url = server.url(dialect, fault, tag=tags[-1])
        text += provider_table(f"t{at}", dialect, url, provider=provider)
    return made(folder, text), tags


def events(manager: Any, colour: str) -> list[Any]:
    """The events of a call in *colour*, to the end."""
    if colour == "sync":
        with manager, manager.stream_execute("main", "pelican-1", "A tale, please") as stream:
            return list(stream)

    async def call() -> list[Any]:
        async with manager, manager.astream_execute("main", "pelican-1", "A tale, please") as it:
            return [event async for event in it]

    return anyio.run(call)


both = pytest.mark.parametrize("colour", ["sync", "asyncio"])


@both
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("word", WORDS)
def test_a_restart_is_told_between_what_is_void_and_the_whole_answer(
    server: FaultServer, tmp_path: Path, dialect: str, word: str, colour: str
) -> None:
    other = DIALECTS[DIALECTS.index(dialect) - 1]
    manager, tags = route(
        server, tmp_path, "restart_marked",
        (PROVIDERS[dialect], dialect, word), (PROVIDERS[other], other, "ok"),
    )  # fmt: skip
    seen = events(manager, colour)
    (at,) = [i for i, e in enumerate(seen) if isinstance(e, StreamRestart)]
    assert (seen[at].provider, seen[at].model) == ("t0", "pelican-1")
    assert "".join(map(str, seen[:at])) == PARTIAL
    assert "".join(map(str, seen[at + 1 :])) == server.answer().text
    whole = fold(seen)
    assert (whole.text, whole.usage.output_tokens) == (server.answer().text, 34)
    assert [len(server.log.requests(tag)) for tag in tags] == [1, 1]


@both
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("provider", SPEAKERS)
def test_another_goes_on_with_what_was_delivered(
    server: FaultServer, tmp_path: Path, provider: str, dialect: str, colour: str
) -> None:
    speaks = SPEAKERS[provider]
    manager, tags = route(
        server, tmp_path, "continue_prefix",
        (PROVIDERS[dialect], dialect, "text_cut"), (provider, speaks, "text"),
    )  # fmt: skip
    seen = events(manager, colour)
    whole = fold(seen)
    assert not [e for e in seen if isinstance(e, StreamRestart)]
    assert whole.text == "".join(e.text for e in seen if isinstance(e, TextDelta))
    assert whole.text == PARTIAL + PLAIN.text  # the server does not know how to go on
    assert len(whole.message.content) == 1
    asked = [server.log.requests(tag) for tag in tags]
    assert [len(requests) for requests in asked] == [1, 1]
    sent = asked[1][0].json
    *before, last = sent["messages"]
    assert _text(last["content"]) == PARTIAL.rstrip()
    assert last["role"] == "assistant"
    assert [(m["role"], _text(m["content"])) for m in before] == [("user", "A tale, please")]
    wanted = (True, False) if provider == "vllm" else (None, None)
    found = (sent.get("continue_final_message"), sent.get("add_generation_prompt"))
    assert found == wanted


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


@both
@pytest.mark.parametrize("provider", ["openai-compatible", "gemini", "cohere"])
def test_who_cannot_go_on_is_not_asked_and_the_error_says_so(
    server: FaultServer, tmp_path: Path, provider: str, colour: str
) -> None:
    dialect = {"openai-compatible": "openai"}.get(provider, provider)
    manager, tags = route(
        server, tmp_path, "continue_prefix",
        ("claude", "anthropic", "text_cut"), (provider, dialect, "text"),
    )  # fmt: skip
    with pytest.raises(StreamInterruptedError) as caught:
        events(manager, colour)
    assert caught.value.partial_text == PARTIAL
    assert "t1 cannot go on with what was delivered" in "".join(caught.value.__notes__)
    assert server.log.requests(tags[1]) == []


@both
def test_reasoning_is_nothing_to_go_on_with(
    server: FaultServer, tmp_path: Path, colour: str
) -> None:
    manager, tags = route(
        server, tmp_path, "continue_prefix",
        ("ollama", "ollama", "cut_rst"), ("claude", "anthropic", "ok"),
    )  # fmt: skip
    with pytest.raises(StreamInterruptedError):
        events(manager, colour)
    assert server.log.requests(tags[1]) == []


@both
def test_a_third_goes_on_with_what_two_delivered(
    server: FaultServer, tmp_path: Path, colour: str
) -> None:
    manager, tags = route(
        server, tmp_path, "continue_prefix",
        ("openai-compatible", "openai", "text_cut"),
        ("claude", "anthropic", "text_cut"),
        ("vllm", "openai", "text"),
    )  # fmt: skip
    whole = fold(events(manager, colour))
    assert whole.text == PARTIAL + PARTIAL + PLAIN.text
    (asked,) = server.log.requests(tags[2])
    assert asked.json["messages"][-1]["content"] == (PARTIAL + PARTIAL).rstrip()


@both
@pytest.mark.parametrize("fault", ["503", "rst_no_head", "no_event", "cut_rst"])
def test_never_means_that_a_streamed_call_is_tried_once(
    server: FaultServer, tmp_path: Path, fault: str, colour: str
) -> None:
    manager, tags = route(
        server, tmp_path, "never",
        ("claude", "anthropic", fault), ("openai-compatible", "openai", "ok"),
    )  # fmt: skip
    with pytest.raises(Exception, match="t0"):
        events(manager, colour)
    assert [len(server.log.requests(tag)) for tag in tags] == [1, 0]
