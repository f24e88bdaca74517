"""Errors: their tree, their facts, what statuses and bodies make of them, and no key in any."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

import jackfield
from jackfield import (
    AuthenticationError,
    ChatRequest,
    ChatResponse,
    ConfigError,
    ConfigIssue,
    ContextLengthExceededError,
    HTTPProvider,
    InvalidRequestError,
    LLMError,
    Message,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    ProviderInfo,
    QuotaExceededError,
    RateLimitError,
    RequestTimeoutError,
    ResponseFormatError,
    ServerError,
    StreamInterruptedError,
    TransportError,
    Usage,
)
from jackfield.drivers.replay import Recorded, ReplayDriver
from jackfield.exchange import Exchange, json_request
from jackfield.failures import event_error, make_error, parse_failure, retry_after
from jackfield.flow import HTTPResponse
from jackfield.testing import strategies as jf

ERRORS = [
    cls for cls in vars(jackfield).values() if isinstance(cls, type) and issubclass(cls, LLMError)
]
CODES = {
    "context_length_exceeded": ContextLengthExceededError,
    "insufficient_quota": QuotaExceededError,
}


def error(status: int, body: Any = None, **headers: str) -> LLMError:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    return make_error(HTTPResponse(status, named, text), CODES)


STATUSES = {
    400: InvalidRequestError,
    401: AuthenticationError,
    402: QuotaExceededError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: ServerError,
    409: ServerError,
    413: InvalidRequestError,
    418: InvalidRequestError,
    422: InvalidRequestError,
    425: ServerError,
    429: RateLimitError,
    498: AuthenticationError,
    500: ServerError,
    501: InvalidRequestError,
    502: ServerError,
    503: OverloadedError,
    504: ServerError,
    529: OverloadedError,
    307: ProviderError,
    600: ServerError,
}


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
def test_a_status_has_its_class(status: int, kind: type[LLMError]) -> None:
    made = error(status, {"error": {"message": "Because."}})
    assert type(made) is kind
    assert made.message == "Because."
    assert made.status == status


def test_a_code_that_only_says_invalid_does_not_hide_that_there_is_no_money() -> None:
    body = {"error": {"code": 402, "status": "FAILED_PRECONDITION", "message": "Enable billing."}}
    codes = {"FAILED_PRECONDITION": InvalidRequestError}
    made = make_error(HTTPResponse(402, {}, json.dumps(body).encode()), codes)
    assert type(made) is QuotaExceededError


def test_a_code_beats_the_status() -> None:
    body = {
        "error": {
            "message": "x",
            "type": "invalid_request_error",
            "code": "context_length_exceeded",
        }
    }
    made = error(400, body)
    assert type(made) is ContextLengthExceededError
    assert made.code == "context_length_exceeded"
    assert type(error(429, {"error": {"type": "insufficient_quota"}})) is QuotaExceededError


BODIES: list[tuple[Any, str]] = [
    ({"error": {"message": "Because."}}, "Because."),
    ({"error": "Because."}, "Because."),
    ({"message": "Because."}, "Because."),
    ({"detail": "Because."}, "Because."),
    ({"detail": [{"msg": "Because."}]}, '[{"msg":"Because."}]'),
    ({"object": "error", "message": "Because."}, "Because."),
    ([{"error": {"message": "Because."}}], "Because."),
    ({"type": "error", "error": {"type": "x", "message": "Because."}}, "Because."),
    ("Because.", "Because."),
    (b"Because.", "Because."),
]


@pytest.mark.parametrize(("body", "message"), BODIES)
def test_the_message_is_found_in_every_usual_shape(body: Any, message: str) -> None:
    assert error(500, body).message == message


@pytest.mark.parametrize(
    "body", [b"", b"<html>502 Bad Gateway</html>", b"{", b"\xff\xfe\x00", b"null"]
)
def test_without_a_message_the_status_is_told_and_no_page_is_quoted(body: bytes) -> None:
    made = error(502, body)
    assert "502" in str(made)
    assert "<html" not in str(made)


@given(jf.json_values(), st.integers(300, 999))
def test_any_body_makes_a_typed_error(body: Any, status: int) -> None:
    made = error(status, body)
    assert isinstance(made, LLMError)
    assert made.status == status
    parse_failure(body)


@given(st.binary(max_size=300), st.integers(300, 999))
def test_any_bytes_make_a_typed_error_with_a_short_message(body: bytes, status: int) -> None:
    made = error(status, body)
    if not _is_json(body):
        assert len(made.message) < 1000
        assert made.message.isprintable()


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def test_facts_of_the_response_ride_on_the_error() -> None:
    body = {"error": {"message": "x", "param": "messages[0]", "code": "bad"}}
    made = error(400, body, x_request_id="req_1")
    assert (made.param, made.code, made.request_id, made.phase) == (
        "messages[0]",
        "bad",
        "req_1",
        "head",
    )
    assert not made.maybe_executed
    assert error(500, {}).maybe_executed


def test_a_redirect_is_explained_without_its_query() -> None:
    made = error(307, b"", location="https://elsewhere.example/x?key=abc#d")
    assert "redirects to https://elsewhere.example/x;" in str(made)
    assert "set base_url" in str(made)
    assert not made.retryable


NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
LATER = {"date": format_datetime(NOW, usegmt=True)}

HINTS: list[tuple[dict[str, str], float | None]] = [
    ({"retry-after": "20"}, 20),
    ({"retry-after": "1.5"}, 1.5),
    ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
    ({"retry-after": format_datetime(NOW + timedelta(seconds=30), usegmt=True), **LATER}, 30),
    ({"retry-after": format_datetime(NOW - timedelta(seconds=30), usegmt=True), **LATER}, 0),
    ({"retry-after": "soon"}, None),
    ({"retry-after": "-5"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("headers", "seconds"), HINTS)
def test_a_hint_is_read_in_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    found = retry_after(headers)
    assert found == seconds or (seconds is None and found in {None, 0})


LIMITS: list[tuple[dict[str, str], float]] = [
    ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, 360),
    ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "120ms"}, 0.12),
    ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1h2m3s"}, 3723),
    (
        {
            "anthropic-ratelimit-tokens-remaining": "0",
            "anthropic-ratelimit-tokens-reset": (NOW + timedelta(seconds=9)).isoformat(),
            **LATER,
        },
        9,
    ),
    (
        {
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset": str(round((NOW + timedelta(seconds=9)).timestamp() * 1000)),
            **LATER,
        },
        9,
    ),
]


@pytest.mark.parametrize(("headers", "seconds"), LIMITS)
def test_the_reset_of_a_spent_limit_is_a_hint(headers: dict[str, str], seconds: float) -> None:
    assert retry_after(headers, limited=True) == pytest.approx(seconds)
    assert retry_after(headers) is None
    left = {k: ("5" if v == "0" else v) for k, v in headers.items()}
    assert retry_after(left, limited=True) is None


@given(
    st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms", "date", "ratelimit-reset"]),
        st.text(max_size=30) | st.from_regex(r"[\d.]{1,20}(m?s)?", fullmatch=True),
    ).map(lambda headers: {"ratelimit-remaining": "0", **headers})
)
def test_no_hint_breaks_anything(headers: dict[str, str]) -> None:
    found = retry_after(headers, limited=True)
    assert found is None or found >= 0


def test_an_error_event_has_the_class_of_its_code_or_number() -> None:
    assert type(event_error({"error": {"code": 503, "message": "x"}}, CODES)) is OverloadedError
    assert type(event_error({"error": {"code": "429"}}, CODES)) is RateLimitError
    assert type(event_error({"error": {"type": "insufficient_quota"}}, CODES)) is QuotaExceededError
    made = event_error({"error": "odd"}, CODES)
    assert (type(made), made.message, made.phase) == (ProviderError, "odd", "stream")
    assert made.maybe_executed


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_is_an_llm_error_that_survives_pickle_and_copy(kind: type[LLMError]) -> None:
    made = kind("It failed", status=500, code="c", model="m", retry_after=1.5, attempts=3)
    for again in (pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made)):  # noqa: S301  # our own bytes
        assert type(again) is kind
        assert str(again) == str(made)
        assert vars(again) == vars(made)


def test_what_errors_carry_survives_pickle_too() -> None:
    partial = ChatResponse(message=Message("assistant", "Once"), usage=Usage(output_tokens=1))
    broken = StreamInterruptedError("cut")
    broken.partial = partial
    again = pickle.loads(pickle.dumps(broken))  # noqa: S301  # our own bytes
    assert again.partial == partial
    assert (again.partial_text, again.partial_usage) == ("Once", Usage(output_tokens=1))
    config = ConfigError("bad", [ConfigIssue("a.b", "is wrong", "mend it")])
    assert pickle.loads(pickle.dumps(config)).issues == config.issues  # noqa: S301  # our own bytes


def test_a_configuration_error_lists_every_issue() -> None:
    made = ConfigError(
        "two problems:", [ConfigIssue("a", "is odd", "mend it"), ConfigIssue("b", "too")]
    )
    assert str(made) == "two problems:\n  - a: is odd (mend it)\n  - b: too"


def test_a_fact_is_set_once_and_an_unknown_one_is_a_bug() -> None:
    made = LLMError("x", provider="a")
    assert made.add(provider="b", model="m").provider == "a"
    assert made.model == "m"
    with pytest.raises(TypeError, match="has no fact 'colour'"):
        made.add(colour="red")


def test_the_string_tells_who_and_what() -> None:
    made = RateLimitError("Slow down", provider="claude", model="m", status=429, code="rate")
    assert str(made) == "Slow down [claude/m 429 rate]"
    assert str(LLMError("Hm")) == "Hm"


KEYS = [
    "sk-ant-api03-abcdefghijklmnopqrstuvwxyz",
    "sk-proj-ABCDEFGHIJKLMNOP0123456789",
    "AIzaSyABCDEFGHIJKLMNOPQRSTUVWXYZ012345",
    "hf_abcdefghijklmnopqrstuvwxyz01",
    "gsk_abcdefghijklmnopqrstuvwxyz01",
    "nvapi-abcdefghijklmnopqrstuvwxyz",
    "Bearer something-secret",
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("form", ["{}", "({})", "provided: {}.", '"{}"', "key={}&x=1", "'{}'"])
def test_whatever_looks_like_a_key_is_masked_in_messages(key: str, form: str) -> None:
    made = AuthenticationError("Wrong key " + form.format(key))
    assert (
        key.removeprefix("Bearer ") not in f"{made} {made!r} {made.message} {pickle.dumps(made)!r}"
    )
    assert "****" in str(made)


def test_ordinary_words_are_not_masked() -> None:
    words = "The task sk-1 of key-value pairs in hf format, risk-free: desk-top."
    assert LLMError(words).message == words


@pytest.mark.parametrize(
    ("kind", "retryable"),
    [
        (RateLimitError, True),
        (TransportError, True),
        (RequestTimeoutError, True),
        (ServerError, True),
    ]
    + [(k, False) for k in (ConfigError, InvalidRequestError, AuthenticationError, NotFoundError)],
)
def test_the_class_says_whether_trying_again_can_help(
    kind: type[LLMError], retryable: bool
) -> None:
    assert kind("x").retryable is retryable


@pytest.mark.parametrize(
    ("parse", "reason"),
    [
        (lambda body: body["said"], "the answer lacks 'said'"),
        (lambda body: body["a"]["b"], "not subscriptable"),
        (lambda body: body["a"].text, "has no attribute 'text'"),
    ],
)
def test_json_of_another_shape_is_not_called_no_json(parse: Any, reason: str) -> None:
    class Talk(HTTPProvider):
        info = ProviderInfo(name="talk", display_name="Talk", api_key_required=False)
        exchanges: ClassVar = {
            ChatRequest: Exchange(
                build=lambda _: json_request("/", {}),
                parse=lambda _, response: parse(json.loads(response.body)),
            )
        }

    driver = ReplayDriver([Recorded(chunks=[b'{"a": 1}'])])
    with pytest.raises(ResponseFormatError, match="unexpected shape") as caught:
        Talk({"base_url": "https://talk.example"}, driver=driver).execute("m", "Hi")
    assert reason in str(caught.value)
