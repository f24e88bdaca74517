"""OpenAI's own ways: who is billed, the name of the limit, what its API does not take."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given, settings

from jackfield import (
    ChatRequest,
    ConfigError,
    MediaPart,
    Message,
    ProviderPart,
    ReasoningPart,
    create_provider,
)
from jackfield.drivers.replay import Recorded, ReplayDriver
from jackfield.params import GenerationParams
from jackfield.testing import strategies as jf
from jackfield_openai import OpenAIProvider

settings.register_profile("suite", deadline=None, max_examples=50)
settings.register_profile("deep", parent=settings.get_profile("suite"), max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

KEY = "made-up-key-1234"
ANSWER = {"id": "c", "choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def explained(*messages: Message, **fields: Any) -> Any:
    request = ChatRequest(model="m", messages=messages or [Message("user", "Hi")], **fields)
    return OpenAIProvider({"api_key": KEY}).explain(request)


def sent(config: dict[str, Any]) -> Any:
    """The request that a call sends."""
    driver = ReplayDriver([Recorded(chunks=[json.dumps(ANSWER).encode()])])
    provider = create_provider("openai", config, driver=driver)
    assert provider.execute("m", "Hi").text == "Hello"
    (request,) = driver.transport.requests
    return request


def test_a_call_goes_to_openai_with_the_key_and_whom_to_bill() -> None:
    request = sent({"api_key": KEY, "organization": "org-1", "project": "proj-2"})
    assert request.url == "https://api.openai.com/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["openai-organization"] == "org-1"
    assert request.headers["openai-project"] == "proj-2"


def test_nobody_is_named_unless_asked_for() -> None:
    headers = sent({"api_key": KEY}).headers
    assert [name for name in headers if name.startswith("openai-")] == []


def test_the_key_comes_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
    assert sent({}).headers["authorization"] == "Bearer from-the-environment"


def test_without_a_key_nothing_is_sent_and_the_fix_is_told() -> None:
    driver = ReplayDriver([])
    provider = create_provider("openai", {}, driver=driver)
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        provider.execute("m", "Hi")
    assert driver.transport.requests == []


@given(params=jf.params())
def test_the_limit_has_its_new_name_and_no_parameter_is_lost_silently(
    params: GenerationParams,
) -> None:
    said = explained(params=params)
    assert said.body.get("max_completion_tokens") == params.max_tokens
    assert "max_tokens" not in said.body
    stops = said.body.get("stop")
    assert stops == (list(params.stop[:4]) if params.stop else None)
    kinds = {w.subject: w.kind for w in said.warnings}
    assert ("stop" in kinds) == bool(params.stop and len(params.stop) > 4)
    for name in ("top_k", "min_p", "repeat_penalty", "context_length"):
        assert (kinds.get(name) == "unsupported") == (getattr(params, name) is not None)


def test_thinking_is_not_taken_back_and_that_is_told() -> None:
    said = explained(Message("assistant", [ReasoningPart("Hm."), *Message("user", "Yes").content]))
    assert said.body["messages"] == [{"role": "assistant", "content": "Yes"}]
    assert [(w.kind, w.subject) for w in said.warnings] == [("dropped", "reasoning")]


def test_a_document_goes_by_its_bytes_or_its_id_and_not_by_url() -> None:
    by_id = ProviderPart("openai", {"type": "file", "file": {"file_id": "file-1"}})
    by_url = MediaPart("application/pdf", url="https://example.com/a.pdf")
    said = explained(Message("user", [by_id, by_url]))
    assert said.body["messages"] == [{"role": "user", "content": [by_id.data]}]
    assert [(w.kind, w.subject) for w in said.warnings] == [("dropped", "application/pdf")]


def test_fields_of_its_own_go_along() -> None:
    own = {"openai": {"logprobs": True, "service_tier": "flex"}}
    body = explained(provider_options=own).body
    assert body["logprobs"] is True
    assert body["service_tier"] == "flex"


def test_what_is_shown_of_a_call_holds_no_key() -> None:
    said = explained()
    assert KEY not in repr(said)
    assert KEY not in str(said.headers)
