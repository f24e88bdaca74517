"""Rows 52 and 56 to 65: statuses, what their bodies say, and how long they ask to wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from .reply import Header, Reply, changed, dump, play, status_line
from .script import Action, Fin, Keep, Send
from .shaping import HTML, page
from .values import Fault, Situation

STATUSES: Mapping[int, str] = {
    400: "invalid",
    401: "auth",
    402: "payment",
    403: "permission",
    404: "not_found",
    405: "invalid",
    406: "invalid",
    408: "server",
    409: "conflict",
    410: "not_found",
    413: "too_large",
    415: "invalid",
    422: "invalid",
    424: "invalid",
    425: "invalid",
    429: "rate_limit",
    431: "too_large",
    451: "permission",
    498: "auth",
    499: "server",
    500: "server",
    501: "server",
    502: "server",
    503: "overloaded",
    504: "server",
    529: "overloaded",
}
"""Twenty-six statuses, with the kind of error that their bodies say."""

RETRY = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
NEVER = frozenset({400, 401, 402, 403, 404, 405, 410, 413, 415, 422, 451})

Change = Callable[[Reply], Reply]


def failure(status: int, kind: str, *headers: Header) -> Change:
    """The dialect's error of *kind* with *status* and extra headers."""

    def apply(reply: Reply) -> Reply:
        failed = reply.dialect.failure(status, kind)
        return replace(failed, headers=(*failed.headers, *headers))

    return apply


def _status(status: int, kind: str) -> Fault:
    retryable = True if status in RETRY else False if status in NEVER else None
    verdict = f"status:{status}"
    inject = changed(failure(status, kind))
    return Fault(str(status), 56, f"status {status}", inject, verdict, verdict, retryable=retryable)


def _hint(
    name: str, row: int, description: str, hint: float, status: int, *headers: Header
) -> Fault:
    inject = changed(failure(status, STATUSES[status], *headers))
    verdict = f"status:{status}"
    return Fault(name, row, description, inject, verdict, verdict, retryable=True, hint=hint)


def retry_date(reply: Reply, _: Situation) -> Iterable[Action]:
    """Retry-After as a date three seconds ahead."""
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
    return play(failure(429, "rate_limit", ("retry-after", when))(reply))


def reset_headers(reply: Reply, _: Situation) -> Iterable[Action]:
    """The dialect's rate-limit headers, without Retry-After."""
    when = (datetime.now(UTC) + timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    headers: Mapping[str, tuple[Header, ...]] = {
        "openai": (("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "2s")),
        "anthropic": (
            ("anthropic-ratelimit-requests-remaining", "0"),
            ("anthropic-ratelimit-requests-reset", when),
        ),
    }
    return play(failure(429, "rate_limit", *headers.get(reply.dialect.name, ()))(reply))


def retry_info(reply: Reply) -> Reply:
    """Google's hint: in the details of the error, and in no header."""
    failed = reply.dialect.failure(429, "rate_limit")
    hint = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2s"}
    return failed.with_value({"error": {**failed.value["error"], "details": [hint]}})


def in_flight(reply: Reply, _: Situation) -> Iterable[Action]:
    """OpenRouter's 402 that waits: a budget of requests in flight."""
    body = {
        "error": {
            "code": 402,
            "message": "In-flight budget",
            "metadata": {"limit_source": "openrouter_in_flight_budget"},
        }
    }
    failed = page(dump(body), "application/json", 402)(reply)
    return play(failed.with_header("retry-after", "1"))


def loading(reply: Reply) -> Reply:
    """503 while the model is being loaded."""
    failed = reply.dialect.failure(503, "loading")
    body = failed.value | {"estimated_time": 2.0}
    return failed.with_value(body)


def key_echoed(reply: Reply, situation: Situation) -> Iterable[Action]:
    """401 with a body that repeats the key, as some do."""
    key = situation.key
    return play(
        reply.dialect.failure(401, "auth", f"Incorrect API key provided: {key}. Headers: {key!r}")
    )


def cut_json(reply: Reply) -> Reply:
    """500 with half a JSON body."""
    failed = reply.dialect.failure(500, "server")
    return failed.with_parts([failed.body[: len(failed.body) // 2]])


def no_content_204(_reply: Reply, _: Situation) -> Iterator[Action]:
    """204 has no body and no length."""
    yield Send(status_line(204) + b"\r\n")
    yield Keep()


def status_only(status: int) -> Callable[[Reply, Situation], Iterator[Action]]:
    """A status that Python's table may not know, with the dialect's error."""

    def inject(reply: Reply, _: Situation) -> Iterator[Action]:
        body = dump(reply.dialect.error("server"))
        lines = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        yield Send(status_line(status) + lines.encode() + body)
        yield Fin()

    return inject


def _both(
    name: str, row: int, description: str, verdict: str, inject: object, **more: object
) -> Fault:
    return Fault(name, row, description, inject, verdict, verdict, **more)  # type: ignore[arg-type]  # a table's shorthand


def _page(status: int, body: bytes, content_type: str) -> object:
    return changed(page(body, content_type, status))


DETAIL = dump(
    {
        "detail": [
            {"loc": ["body", "messages"], "msg": "field required", "type": "value_error.missing"}
        ]
    }
)
LONG = ("retry-after", "86400")
ESTIMATE = "status:400|context_length"

FAULTS: Sequence[Fault] = (
    *(_status(status, kind) for status, kind in STATUSES.items()),
    _both("key_echoed", 56, "401 that repeats the key", "status:401", key_echoed, retryable=False),
    _hint("retry_after", 57, "Retry-After in seconds", 2.0, 429, ("retry-after", "2")),
    _both(
        "retry_after_date",
        57,
        "Retry-After as a date",
        "status:429",
        retry_date,
        retryable=True,
        hint=3.0,
    ),
    _hint(
        "retry_after_ms",
        57,
        "retry-after-ms beside Retry-After",
        1.5,
        429,
        ("retry-after-ms", "1500"),
        ("retry-after", "2"),
    ),
    _hint("retry_after_503", 57, "503 with Retry-After", 1.0, 503, ("retry-after", "1")),
    _both(
        "reset_headers",
        57,
        "rate-limit headers, no Retry-After",
        "status:429",
        reset_headers,
        retryable=True,
    ),
    _both(
        "retry_info",
        57,
        "RetryInfo in the error's details",
        "status:429",
        changed(retry_info),
        retryable=True,
        hint=2.0,
        dialects=("gemini",),
    ),
    _both(
        "retry_after_nonsense",
        57,
        "Retry-After that says nothing",
        "status:429",
        changed(failure(429, "rate_limit", ("retry-after", "soon"))),
    ),
    _both(
        "retry_after_negative",
        57,
        "Retry-After below zero",
        "status:429",
        changed(failure(429, "rate_limit", ("retry-after", "-7"))),
    ),
    _hint("retry_after_long", 58, "Retry-After of a day", 86400.0, 429, LONG),
    _both(
        "no_money",
        59,
        "429 that means: no money",
        "quota",
        changed(failure(429, "quota")),
        retryable=False,
    ),
    _both(
        "in_flight",
        60,
        "402 that means: too many at once",
        "quota|status:402",
        in_flight,
        dialects=("openai",),
        hint=1.0,
    ),
    _both(
        "no_retry",
        61,
        "500 with x-should-retry: false",
        "status:500",
        changed(failure(500, "server", ("x-should-retry", "false"))),
        retryable=False,
    ),
    _both(
        "html_502",
        62,
        "502 and an HTML page",
        "status:502",
        _page(502, HTML, "text/html"),
        retryable=True,
    ),
    _both(
        "empty_504",
        62,
        "504 and no body",
        "status:504",
        _page(504, b"", "text/plain"),
        retryable=True,
    ),
    _both(
        "cut_json_500",
        62,
        "500 and half a JSON body",
        "status:500",
        changed(cut_json),
        retryable=True,
    ),
    _both(
        "detail_422",
        62,
        "422 in FastAPI's form",
        "status:422",
        _page(422, DETAIL, "application/json"),
        retryable=False,
    ),
    _both(
        "empty_401",
        62,
        "401 and no body",
        "status:401",
        _page(401, b"", "application/json"),
        retryable=False,
    ),
    _both(
        "202", 63, "202, pending", "error", _page(202, b'{"status": "pending"}', "application/json")
    ),
    _both("204", 63, "204, nothing", "error", no_content_204),
    _both("418", 63, "418", "status:418", status_only(418)),
    _both("600", 63, "600", "status:600|transport|malformed", status_only(600)),
    _both(
        "context_length",
        64,
        "a prompt that does not fit",
        "context_length",
        changed(failure(400, "context_length")),
        retryable=False,
        special={"anthropic": ESTIMATE},
    ),
    _both(
        "filtered_prompt",
        52,
        "400: the prompt was filtered",
        "filtered",
        changed(failure(400, "filtered")),
        retryable=False,
        dialects=("openai",),
    ),
    _both(
        "loading",
        65,
        "503 while the model is being loaded",
        "status:503",
        changed(loading),
        retryable=True,
    ),
)
