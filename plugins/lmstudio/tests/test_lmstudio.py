"""LM Studio's own ways: the native list of whichever version, loading and unloading."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from jackfield import NotFoundError, UnsupportedOperationError, create_provider
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield.operations import LoadRequest, UnloadRequest

NEW = {"models": [
    {"type": "llm", "key": "qwen", "display_name": "Qwen", "max_context_length": 32768, "size_bytes": 5,
     "loaded_instances": [{"id": "qwen:1"}, {"id": "qwen:2"}],
     "capabilities": {"vision": True, "trained_for_tool_use": False}},
    {"type": "embedding", "key": "nomic", "loaded_instances": [], "max_context_length": 2048},
]}  # fmt: skip
OLD = {"object": "list", "data": [
    {"id": "qwen", "type": "vlm", "state": "loaded", "max_context_length": 32768,
     "capabilities": ["tool_use"]},
    {"id": "nomic", "type": "embeddings", "state": "not-loaded"},
]}  # fmt: skip
PLAIN = {"object": "list", "data": [{"id": "qwen", "object": "model"}]}
MISSING = Recorded(status=404, chunks=[b'{"error": "Unexpected endpoint or method."}'])


def recorded(body: Any) -> Recorded:
    return Recorded(chunks=[json.dumps(body).encode()])


def studio(*answers: Recorded) -> tuple[Any, Any]:
    """A provider that *answers* answer, and its transport."""
    driver = ReplayDriver(answers)
    config = {"retry": {"attempts": 1}}
    loop = AsyncReplayDriver(answers)
    provider = create_provider("lm-studio", config, driver=driver, async_driver=loop)
    return provider, driver.transport


def test_the_newest_native_list_tells_states_sizes_and_abilities() -> None:
    provider, transport = studio(recorded(NEW))
    qwen, nomic = provider.list_models()
    assert transport.requests[0].url == "http://localhost:1234/api/v1/models"
    assert (qwen.id, qwen.display_name, qwen.context_window, qwen.size_bytes) == (
        "qwen",
        "Qwen",
        32768,
        5,
    )
    assert (qwen.capabilities.vision, qwen.capabilities.tools) == (True, False)
    assert [m.provider_metadata["lmstudio"]["state"] for m in (qwen, nomic)] == [
        "loaded",
        "not-loaded",
    ]
    assert (nomic.capabilities.embeddings, nomic.capabilities.streaming) == (True, None)


def test_an_older_server_is_asked_in_its_own_way() -> None:
    provider, transport = studio(MISSING, recorded(OLD))
    qwen, nomic = provider.list_models()
    assert [r.url.partition("1234")[2] for r in transport.requests] == [
        "/api/v1/models",
        "/api/v0/models",
    ]
    assert qwen.provider_metadata["lmstudio"]["state"] == "loaded"
    assert (qwen.capabilities.vision, qwen.capabilities.tools) == (True, True)
    assert nomic.capabilities.embeddings


def test_a_server_without_native_lists_has_the_dialects() -> None:
    provider, _ = studio(MISSING, MISSING, recorded(PLAIN))
    assert [m.id for m in provider.list_models()] == ["qwen"]
    assert [m.id for m in anyio.run(studio(MISSING, MISSING, recorded(PLAIN))[0].alist_models)] == [
        "qwen"
    ]


def test_a_model_is_loaded_with_its_context() -> None:
    provider, transport = studio(recorded({"status": "loaded"}))
    own = {"lmstudio": {"flash_attention": True}}
    provider.run(LoadRequest(model="qwen", context_length=4096, provider_options=own))
    (sent,) = transport.requests
    assert (sent.method, sent.url) == ("POST", "http://localhost:1234/api/v1/models/load")
    assert json.loads(sent.body) == {
        "model": "qwen",
        "context_length": 4096,
        "flash_attention": True,
    }


def test_every_instance_of_a_model_is_unloaded() -> None:
    provider, transport = studio(recorded(NEW), recorded({}), recorded({}))
    provider.run(UnloadRequest(model="qwen"))
    assert [json.loads(r.body) for r in transport.requests[1:]] == [
        {"instance_id": "qwen:1"},
        {"instance_id": "qwen:2"},
    ]


def test_what_is_not_loaded_cannot_be_unloaded() -> None:
    provider, _ = studio(recorded(NEW))
    with pytest.raises(NotFoundError, match="nomic is not loaded"):
        provider.run(UnloadRequest(model="nomic"))


def test_a_server_that_is_too_old_to_load_says_so() -> None:
    provider, _ = studio(MISSING)
    with pytest.raises(UnsupportedOperationError, match=r"0\.4 or newer"):
        provider.run(LoadRequest(model="qwen"))
