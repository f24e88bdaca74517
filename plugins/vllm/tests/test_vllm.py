"""vLLM's own ways: no key needed, more sampling, thinking taken back, its extra fields."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    ChatRequest,
    ConfigError,
    Message,
    ModelInfoRequest,
    NotFoundError,
    ReasoningPart,
    ResponseFormatError,
    TextPart,
    Tool,
    create_provider,
)
from jackfield.drivers.replay import Recorded, ReplayDriver
from jackfield.params import GenerationParams
from jackfield.testing import strategies as jf
from jackfield_vllm import ScoreRequest, VLLMProvider

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


def answered(body: Any, verb: str, *arguments: Any, base: str = "", **fields: Any) -> Any:
    """What *verb* makes of *body*, and where and what was sent."""
    driver = ReplayDriver([Recorded(chunks=[json.dumps(body).encode()])])
    config = {"base_url": base} if base else {}
    provider = create_provider("vllm", config, driver=driver)
    answer = getattr(provider, verb)(*arguments, **fields)
    (request,) = driver.transport.requests
    return answer, request.url, json.loads(request.body or b"null")


TOKENS = {"count": 3, "max_model_len": 4096, "tokens": [5, 6, 7], "token_strs": None}


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("", "http://localhost:8000/tokenize"),
        ("https://gpu.example.com/v1/", "https://gpu.example.com/tokenize"),
        ("https://example.com/models/a/v1", "https://example.com/models/a/tokenize"),
        ("https://example.com/api", "https://example.com/api/tokenize"),
    ],
)
def test_tokens_are_asked_for_beside_the_dialect(base: str, url: str) -> None:
    answer, sent, body = answered(TOKENS, "tokenize", "m", "Nila", base=base)
    assert (answer.ids, answer.texts, sent) == ((5, 6, 7), (), url)
    assert answer.provider_metadata["vllm"] == {"max_model_len": 4096}
    assert (body["prompt"], body["add_special_tokens"]) == ("Nila", False)


def test_marks_are_added_where_they_are_wanted() -> None:
    own = {"vllm": {"add_special_tokens": True}}
    _, _, body = answered(TOKENS, "tokenize", "m", "Nila", provider_options=own)
    assert body["add_special_tokens"] is True


def test_a_count_is_the_servers_own_over_its_template() -> None:
    tool = Tool("look", "Look.", {"type": "object"})
    own = {"vllm": {"chat_template_kwargs": {"enable_thinking": False}}}
    fields: dict[str, Any] = {"tools": [tool], "system": "Be kind.", "provider_options": own}
    answer, url, body = answered(TOKENS, "count_tokens", "m", "Nila", **fields)
    assert (answer.input_tokens, answer.estimated, answer.warnings) == (3, False, ())
    assert url == "http://localhost:8000/tokenize"
    assert [m["role"] for m in body["messages"]] == ["system", "user"]
    assert body["tools"][0]["function"]["name"] == "look"
    assert body["chat_template_kwargs"] == {"enable_thinking": False}


def test_tokens_become_a_text_again() -> None:
    answer, url, body = answered({"prompt": "Nila"}, "detokenize", "m", [5, 6, 7])
    assert (answer, url) == ("Nila", "http://localhost:8000/detokenize")
    assert body == {"model": "m", "tokens": [5, 6, 7]}


@given(scores=st.lists(st.floats(-9, 9), min_size=1, max_size=5), data=st.data())
def test_scores_are_in_the_order_of_the_pairs(scores: list[float], data: st.DataObject) -> None:
    rows = [{"index": at, "object": "score", "score": s} for at, s in enumerate(scores)]
    usage = {"prompt_tokens": 7, "total_tokens": 7, "completion_tokens": 0}
    shuffled = data.draw(st.permutations(rows))
    wire = {"id": "s-1", "object": "list", "model": "m", "data": shuffled, "usage": usage}
    request = ScoreRequest(model="m", first="Who?", second=["x"] * len(scores))
    answer, url, body = answered(wire, "run", request)
    assert answer.scores == tuple(scores)
    assert answer.usage.input_tokens == 7
    assert url == "http://localhost:8000/v1/score"
    assert body == {"model": "m", "text_1": "Who?", "text_2": ["x"] * len(scores)}


@pytest.mark.parametrize("indices", [[0], [0, 0], [0, 2], [0, 1, 1]])
def test_scores_of_other_pairs_are_refused(indices: list[int]) -> None:
    wire = {"data": [{"index": i, "score": 0.5} for i in indices]}
    with pytest.raises(ResponseFormatError, match="pairs"):
        answered(wire, "run", ScoreRequest(model="m", first="a", second=["b", "c"]))


def test_a_model_is_looked_up_in_the_list() -> None:
    wire = {"object": "list", "data": [{"id": "a/b", "object": "model", "max_model_len": 2048}]}
    answer, url, _ = answered(wire, "run", ModelInfoRequest(model="a/b"))
    assert (answer.id, answer.context_window) == ("a/b", 2048)
    assert url == "http://localhost:8000/v1/models"
    with pytest.raises(NotFoundError, match="it has a/b"):
        answered(wire, "run", ModelInfoRequest(model="c"))


def test_chats_go_through_the_responses_api_if_wanted() -> None:
    said = VLLMProvider({"api": "responses"}).explain(
        ChatRequest(model="m", messages=[Message("user", "Hi")])
    )
    assert said.url == "http://localhost:8000/v1/responses"
