"""vLLM's own ways: no key needed, more sampling, thinking taken back, its extra fields."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given, settings

from jackfield import ChatRequest, ConfigError, Message, ReasoningPart, TextPart, create_provider
from jackfield.drivers.replay import Recorded, ReplayDriver
from jackfield.params import GenerationParams
from jackfield.testing import strategies as jf
from jackfield_vllm import VLLMProvider

settings.register_profile("suite", deadline=None, max_examples=50)
settings.register_profile("deep", parent=settings.get_profile("suite"), max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VLLM_API_KEY", raising=False)


def explained(*messages: Message, **fields: Any) -> Any:
    request = ChatRequest(model="m", messages=messages or [Message("user", "Hi")], **fields)
    return VLLMProvider().explain(request)


def asked(config: dict[str, Any], message: dict[str, Any]) -> tuple[Any, Any]:
    """The answer to a call, and the request."""
    body = {"id": "c", "choices": [{"message": message, "finish_reason": "stop", "stop_reason": 7}]}
    driver = ReplayDriver([Recorded(chunks=[json.dumps(body).encode()])])
    answer = create_provider("vllm", config, driver=driver).execute("m", "Hi")
    (request,) = driver.transport.requests
    return answer, request


def test_it_is_found_on_this_machine_and_needs_no_key() -> None:
    _, request = asked({}, {"content": "x"})
    assert request.url == "http://localhost:8000/v1/chat/completions"
    assert "authorization" not in request.headers


def test_the_key_that_the_server_was_started_with_goes_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, request = asked({"api_key": "made-up-key-1234"}, {"content": "x"})
    assert request.headers["authorization"] == "Bearer made-up-key-1234"
    monkeypatch.setenv("VLLM_API_KEY", "from-the-environment")
    _, request = asked({}, {"content": "x"})
    assert request.headers["authorization"] == "Bearer from-the-environment"


def test_a_key_is_not_sent_in_the_clear_to_another_machine() -> None:
    config = {"base_url": "http://gpu.example.com:8000/v1", "api_key": "made-up-key-1234"}
    with pytest.raises(ConfigError, match="unencrypted"):
        asked(config, {"content": "x"})


@given(params=jf.params())
def test_its_sampling_is_reached_by_the_common_names(params: GenerationParams) -> None:
    said = explained(params=params)
    names = {"top_k": "top_k", "min_p": "min_p", "repeat_penalty": "repetition_penalty"}
    for name, wire in names.items():
        assert said.body.get(wire) == getattr(params, name)
    unsupported = [w.subject for w in said.warnings if w.kind == "unsupported"]
    assert unsupported == (["context_length"] if params.context_length is not None else [])


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_thinking_is_read_under_either_name_and_taken_back(field: str) -> None:
    answer, _ = asked({}, {"content": "4", field: "2 + 2"})
    assert answer.message.content == (ReasoningPart("2 + 2"), TextPart("4"))
    said = explained(Message("user", "2 + 2?"), answer.message, Message("user", "Sure?"))
    assert said.body["messages"][1] == {"role": "assistant", "content": "4", "reasoning": "2 + 2"}
    assert said.warnings == ()


def test_what_stopped_it_is_kept() -> None:
    answer, _ = asked({}, {"content": "4"})
    assert answer.provider_metadata["vllm"] == {"stop_reason": 7}


def test_fields_of_its_own_go_along() -> None:
    own = {"vllm": {"structured_outputs": {"regex": "[A-Z][a-z]+"}, "include_reasoning": False}}
    assert own["vllm"].items() <= explained(provider_options=own).body.items()
