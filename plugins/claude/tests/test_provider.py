"""Configuration, headers, errors, counts and the list of models."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from jackfield import (
    AuthenticationError,
    ConfigError,
    ContextLengthExceededError,
    InvalidRequestError,
    LLMError,
    MediaPart,
    Message,
    ModelInfoRequest,
    ModelListRequest,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ResponseFormatError,
    ServerError,
    TextPart,
    Tool,
)
from jackfield.drivers.replay import Recorded
from jackfield_claude import ClaudeProvider

Replayed = Callable[..., ClaudeProvider]
Sent = Callable[[ClaudeProvider], list[Any]]


def test_a_key_is_needed_at_anthropics_own_address_alone() -> None:
    (issue,) = ClaudeProvider().validate_config()
    assert issue.path == "api_key"
    assert "ANTHROPIC_API_KEY" in issue.fix
    assert ClaudeProvider({"base_url": "http://127.0.0.1:8080"}).validate_config() == []
    with pytest.raises(ConfigError, match="ANTHROPIC_API_KEY"):
        ClaudeProvider().execute("claude-x", "Hi")


def test_a_key_does_not_travel_in_the_clear() -> None:
    remote = {"base_url": "http://gateway.example", "api_key": "k"}
    assert [i.path for i in ClaudeProvider(remote).validate_config()] == ["base_url"]


@pytest.mark.parametrize(
    "given",
    [
        "https://api.anthropic.com",
        "https://api.anthropic.com/",
        "https://api.anthropic.com/v1",
        "https://api.anthropic.com/v1/",
    ],
)
def test_an_address_may_name_the_version_or_not(given: str) -> None:
    plan = ClaudeProvider({"base_url": given, "api_key": "k"}).explain("claude-x", "Hi")
    assert plan.url == "https://api.anthropic.com/v1/messages"


def test_the_key_and_the_version_are_headers(replayed: Replayed, sent: Sent, message: Any) -> None:
    provider = replayed(message())
    provider.execute("claude-x", "Hi")
    ((method, url, headers, _),) = sent(provider)
    assert (method, url) == ("POST", "https://api.anthropic.com/v1/messages")
    assert headers["x-api-key"] == "made-up"
    assert headers["anthropic-version"] == "2023-06-01"
    assert "anthropic-beta" not in headers
    assert "authorization" not in headers


def test_a_gateway_may_want_a_bearer_token(replayed: Replayed, sent: Sent, message: Any) -> None:
    provider = replayed(message(), bearer=True)
    provider.execute("claude-x", "Hi")
    headers = sent(provider)[0][2]
    assert headers["authorization"] == "Bearer made-up"
    assert "x-api-key" not in headers


def test_betas_of_the_configuration_and_of_the_call_are_one_header(
    replayed: Replayed, sent: Sent, message: Any
) -> None:
    provider = replayed(message(), betas=["files", "long"])
    provider.execute("m", "Hi", provider_options={"claude": {"betas": ["long", "new"]}})
    (_, _, headers, body) = sent(provider)[0]
    assert headers["anthropic-beta"] == "files,long,new"
    assert "betas" not in body


def test_a_beta_may_stand_alone_and_cannot_smuggle_a_header() -> None:
    def headers(betas: Any) -> Any:
        plain = ClaudeProvider({"api_key": "made-up"})
        return plain.explain("m", "Hi", provider_options={"claude": {"betas": betas}}).headers

    assert headers("files")["anthropic-beta"] == "files"
    with pytest.raises(InvalidRequestError, match="anthropic-beta"):
        headers(["files\r\nx-api-key: another"])


def failure(status: int, type_: str, message: str = "No.", **more: Any) -> Recorded:
    """A response that reports an error."""
    headers = more.pop("headers", {})
    details = {"details": more.pop("details")} if "details" in more else {}
    error = {"type": type_, "message": message, **details}
    body = {"type": "error", "error": error, **more}
    return Recorded(status=status, headers=headers, chunks=[json.dumps(body).encode()])


@pytest.mark.parametrize(
    ("status", "type_", "kind"),
    [
        (400, "invalid_request_error", InvalidRequestError),
        (401, "authentication_error", AuthenticationError),
        (402, "billing_error", QuotaExceededError),
        (403, "permission_error", PermissionDeniedError),
        (404, "not_found_error", NotFoundError),
        (413, "request_too_large", InvalidRequestError),
        (429, "rate_limit_error", RateLimitError),
        (500, "api_error", ServerError),
        (504, "timeout_error", ServerError),
        (529, "overloaded_error", OverloadedError),
        (400, "exceed_context_size_error", ContextLengthExceededError),
        (418, "teapot_error", InvalidRequestError),
    ],
)
def test_an_error_is_of_its_class(
    status: int, type_: str, kind: type[LLMError], replayed: Replayed
) -> None:
    with pytest.raises(LLMError) as caught:
        replayed(failure(status, type_)).execute("claude-x", "Hi")
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.code) == (status, type_)
    assert caught.value.message == "No."


@pytest.mark.parametrize(
    "message",
    [
        "prompt is too long: 200001 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 199000 + 4096 > 200000, so shorten it",
        "litellm.ContextWindowExceededError: litellm.BadRequestError: too much\nmodel=pelican-1.",
    ],
)
def test_too_long_a_prompt_is_its_own_error(message: str, replayed: Replayed) -> None:
    answer = failure(400, "invalid_request_error", message, headers={"request-id": "req_1"})
    with pytest.raises(ContextLengthExceededError) as caught:
        replayed(answer).execute("claude-x", "Hi")
    error = caught.value
    assert (error.status, error.code) == (400, "invalid_request_error")
    assert (error.request_id, error.provider) == ("req_1", "claude")


def test_words_about_length_in_another_message_are_only_words(replayed: Replayed) -> None:
    message = "messages.0: the user said: prompt is too long: 5 tokens > 4 maximum"
    with pytest.raises(InvalidRequestError) as caught:
        replayed(failure(400, "invalid_request_error", message)).execute("claude-x", "Hi")
    assert type(caught.value) is InvalidRequestError


def test_a_spent_budget_is_no_rate_to_wait_for(replayed: Replayed) -> None:
    details = {"error_code": "enforced_spend_limit_reached"}
    with pytest.raises(QuotaExceededError) as caught:
        replayed(failure(429, "rate_limit_error", details=details)).execute("claude-x", "Hi")
    assert not caught.value.retryable


def test_the_requests_id_is_found_in_the_body_too(replayed: Replayed) -> None:
    with pytest.raises(NotFoundError) as caught:
        replayed(failure(404, "not_found_error", request_id="req_2")).execute("claude-x", "Hi")
    assert caught.value.request_id == "req_2"
    both = failure(404, "not_found_error", request_id="req_2", headers={"request-id": "req_1"})
    with pytest.raises(NotFoundError) as caught:
        replayed(both).execute("claude-x", "Hi")
    assert caught.value.request_id == "req_1"


def test_a_proxys_id_gives_way_to_the_one_in_the_body(replayed: Replayed) -> None:
    behind = failure(500, "api_error", request_id="req_1", headers={"cf-ray": "ray-2"})
    with pytest.raises(ServerError) as caught:
        replayed(behind).execute("claude-x", "Hi")
    assert caught.value.request_id == "req_1"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"request_id": 7}', b"\xff", b"[" * 5000])
def test_a_body_of_any_shape_is_an_error_of_its_status(body: bytes, replayed: Replayed) -> None:
    with pytest.raises(ServerError) as caught:
        replayed(Recorded(status=504, chunks=[body])).execute("claude-x", "Hi")
    assert caught.value.status == 504


def test_a_page_of_html_is_an_error_of_its_status(replayed: Replayed) -> None:
    answer = Recorded(status=502, chunks=[b"<html>Bad gateway</html>"])
    with pytest.raises(ServerError):
        replayed(answer).execute("claude-x", "Hi")


def test_a_count_asks_with_system_and_tools(replayed: Replayed, sent: Sent) -> None:
    provider = replayed({"input_tokens": 42})
    counted = provider.count_tokens("claude-x", "Hi", system="Be kind.", tools=[Tool("f")])
    assert (counted.input_tokens, counted.estimated) == (42, False)
    ((_, url, _, body),) = sent(provider)
    assert url.endswith("/v1/messages/count_tokens")
    assert body == {
        "model": "claude-x",
        "system": [{"type": "text", "text": "Be kind."}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
        "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}],
    }


def test_a_count_takes_fields_of_claudes_own(replayed: Replayed, sent: Sent) -> None:
    provider = replayed({"input_tokens": 42})
    own = {"claude": {"thinking": {"type": "adaptive"}, "betas": ["files"]}}
    assert provider.count_tokens("claude-x", "Hi", provider_options=own).input_tokens == 42
    ((_, _, headers, body),) = sent(provider)
    assert body["thinking"] == {"type": "adaptive"}
    assert headers["anthropic-beta"] == "files"


def test_a_strict_count_refuses_a_compromise(replayed: Replayed) -> None:
    said = [Message("user", [MediaPart("audio/wav", b"RIFF"), TextPart("Hi")])]
    with pytest.raises(InvalidRequestError, match="audio/wav"):
        replayed({"input_tokens": 42}).count_tokens("claude-x", said, strict=True)


def page(*names: str, more: bool = False) -> dict[str, Any]:
    """A page of the list of models."""
    data = [{"type": "model", "id": name, "display_name": name.title()} for name in names]
    return {"data": data, "has_more": more, "last_id": names[-1] if names else None}


def test_a_list_of_several_pages_is_read_to_its_end(replayed: Replayed, sent: Sent) -> None:
    provider = replayed(page("a", "b", more=True), page("c", more=True), page("d"))
    assert [m.id for m in provider.list_models()] == ["a", "b", "c", "d"]
    assert [url.partition("?")[2] for _, url, _, _ in sent(provider)] == [
        "limit=1000",
        "limit=1000&after_id=b",
        "limit=1000&after_id=c",
    ]


def test_a_page_that_does_not_name_its_last_model_has_one_all_the_same(
    replayed: Replayed, sent: Sent
) -> None:
    first = {**page("a", "b", more=True), "last_id": None}
    provider = replayed(first, page("c"))
    own = {"claude": {"limit": 2, "betas": "new"}}
    listed = provider.run(ModelListRequest(provider_options=own))
    assert [m.id for m in listed] == ["a", "b", "c"]
    assert [url.partition("?")[2] for _, url, _, _ in sent(provider)] == [
        "limit=2",
        "limit=2&after_id=b",
    ]
    assert {headers["anthropic-beta"] for _, _, headers, _ in sent(provider)} == {"new"}


@pytest.mark.parametrize("can", [[], "all", {"thinking": True}, {"thinking": {"supported": 1}}])
def test_capabilities_of_another_shape_are_unknown(can: Any, replayed: Replayed) -> None:
    model = replayed({"id": "claude-x", "capabilities": can}).run(ModelInfoRequest(model="x"))
    assert model.capabilities.reasoning is None


def test_a_list_that_comes_round_again_is_an_error(replayed: Replayed) -> None:
    provider = replayed(page("a", more=True), page("b", more=True), page("a", more=True))
    with pytest.raises(ResponseFormatError, match="round again"):
        provider.list_models()


def test_an_empty_list_is_empty(replayed: Replayed) -> None:
    assert replayed(page(more=True)).list_models() == []


def test_one_model_tells_its_limits_and_what_it_can_do(replayed: Replayed, sent: Sent) -> None:
    can = {"image_input": {"supported": True}, "thinking": {"supported": False}}
    wire = {
        "id": "claude-x",
        "display_name": "X",
        "max_input_tokens": 200_000,
        "max_tokens": 64_000,
        "capabilities": can,
    }
    provider = replayed(wire)
    model = provider.run(ModelInfoRequest(model="claude-x"))
    assert sent(provider)[0][1] == "https://api.anthropic.com/v1/models/claude-x"
    assert (model.context_window, model.max_output_tokens) == (200_000, 64_000)
    assert (model.capabilities.vision, model.capabilities.reasoning) == (True, False)
    assert model.capabilities.structured_output is None
    assert model.provider_metadata == {"claude": wire}
