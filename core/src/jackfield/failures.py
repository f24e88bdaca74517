"""From an error's response to what it says: message, codes, request id, when to try again."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
from attrs import frozen

from .errors import LLMError, ProviderError, RateLimitError, for_status
from .flow import HTTPRequest, HTTPResponse

LOG = logging.getLogger("jackfield")

_REQUEST_IDS = ("request-id", "x-request-id", "x-generation-id", "cf-ray")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@frozen(kw_only=True)
class Failure:
    """What an error's body says: a message, and its codes, the most telling first."""

    message: str = ""
    codes: tuple[str, ...] = ()
    param: str | None = None


def parse_failure(body: Any) -> Failure:
    """Read any of the error shapes that providers and proxies use."""
    if isinstance(body, list) and body:
        return parse_failure(body[0])
    if isinstance(body, str):
        return Failure(message=body)
    if not isinstance(body, Mapping):
        return Failure()
    error = body.get("error", body)
    if isinstance(error, list):  # of sentences, or of errors: the first speaks for them
        error = error[0] if error else ""
    if isinstance(error, str):
        return Failure(message=error, codes=_codes(body))
    if not isinstance(error, Mapping):
        return Failure()
    if "error" in error and isinstance(error["error"], Mapping | str):
        return parse_failure(error)
    message = error.get("message") or error.get("detail") or body.get("message") or ""
    if isinstance(message, Mapping | list):
        message = msgspec.json.encode(message).decode()
    param = error.get("param")
    return Failure(
        message=str(message),
        codes=_codes(error) or _codes(body),
        param=param if isinstance(param, str) else None,
    )


def _codes(error: Mapping[str, Any]) -> tuple[str, ...]:
    details = error.get("details")
    inner = details.get("error_code") if isinstance(details, Mapping) else None
    found = (inner, *(error.get(name) for name in ("code", "type", "error_type", "status")))
    return tuple(str(c) for c in found if isinstance(c, str | int) and not isinstance(c, bool))


def request_id(headers: Mapping[str, str]) -> str | None:
    """The id under which the provider knows a call."""
    return next((headers[name] for name in _REQUEST_IDS if name in headers), None)


def note_exchange(name: str, request: HTTPRequest, response: HTTPResponse) -> None:
    """Log an exchange at DEBUG: who, what, and the status; never a header or a body."""
    if LOG.isEnabledFor(logging.DEBUG):
        known = request_id(response.headers) or "no request id"
        LOG.debug("%s: %s %s: %s, %s", name, request.method, request.url, response.status, known)


def make_error(
    response: HTTPResponse, codes: Mapping[str, type[LLMError]], phase: str = "head"
) -> LLMError:
    """The typed error for a response that is not a success."""
    failure = _body_failure(response.body)
    code = next((c for c in failure.codes if c in codes), None)
    kind = for_status(response.status, code, codes)
    headers = response.headers
    error = kind(
        failure.message or _default_message(response),
        phase=phase,
        status=response.status,
        code=code or next((c for c in failure.codes if not c.isdigit()), None),
        param=failure.param,
        request_id=request_id(headers),
        retry_after=retry_after(headers, limited=kind is RateLimitError),
        maybe_executed=response.status >= 500,
    )
    veto = headers.get("x-should-retry")
    if veto in ("true", "false"):
        error.retryable = veto == "true"
    elif response.status == 402 and error.retry_after is not None:
        error.retryable = True
    return error


def _body_failure(body: bytes) -> Failure:
    try:
        return parse_failure(msgspec.json.decode(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        text = body[:200].decode("utf-8", "replace").strip()
        # A proxy's HTML page is of no use in a message.
        return Failure() if not text or "<" in text else Failure(message=ascii(text)[1:-1])


def _default_message(response: HTTPResponse) -> str:
    if 300 <= response.status < 400:
        target = re.sub(r"[?#].*", "", response.headers.get("location", "nowhere"))[:200]
        return (
            f"the server redirects to {target}; redirects are not followed, because the key "
            "would go along: set base_url to the final address"
        )
    return f"the server answered with status {response.status} and no explanation"


def retry_after(headers: Mapping[str, str], *, limited: bool = False) -> float | None:
    """Seconds that a response asks to wait: Retry-After in its forms, else a spent limit's reset."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        if "retry-after" in headers:
            given = headers["retry-after"]
            seconds = float(given) if re.fullmatch(r"[\d.]+", given) else _until(given, headers)
            return max(0.0, seconds)
    except (ValueError, TypeError):
        return None
    return spent(headers) if limited else None


def _until(date: str, headers: Mapping[str, str]) -> float:
    """Seconds until an HTTP *date*, by the server's own clock if it gave one."""
    sent = headers.get("date")
    base = parsedate_to_datetime(sent).timestamp() if sent else time.time()
    return parsedate_to_datetime(date).timestamp() - base


def spent(headers: Mapping[str, str]) -> float | None:
    """Seconds until the last reset of the limits that have nothing left."""
    waits = []
    for name, left in headers.items():
        if "ratelimit" in name and "remaining" in name and left.strip() == "0":
            reset = headers.get(name.replace("remaining", "reset"))
            if reset is not None and (seconds := duration(reset, headers)) is not None:
                waits.append(seconds)
    return max(waits, default=None)


def duration(text: str, headers: Mapping[str, str]) -> float | None:
    """Seconds in ``6m0s``, ``120ms``, ``1.5``, or until an RFC 3339 time or the Unix epoch's milliseconds."""
    try:
        if re.fullmatch(r"[\d.]+", text) and float(text) < 1e6:
            return float(text)
        pairs = re.findall(r"([\d.]+)(ms|[smhd])", text)
        if pairs and "".join(n + u for n, u in pairs) == text:
            return sum(float(n) * _UNITS[u] for n, u in pairs)
        epoch = re.fullmatch(r"1\d{12}", text)
        until = int(text) / 1000 if epoch else datetime.fromisoformat(text).timestamp()
        sent = headers.get("date")
        return max(0.0, until - (parsedate_to_datetime(sent).timestamp() if sent else time.time()))
    except (ValueError, TypeError):
        return None


def event_error(
    body: Any, codes: Mapping[str, type[LLMError]], *, status: int | None = None
) -> LLMError:
    """The typed error for an error that arrived inside a stream, after a 200."""
    failure = parse_failure(body)
    code = next((c for c in failure.codes if c in codes), None)
    number = next((int(c) for c in failure.codes if re.fullmatch(r"[45]\d\d", c)), status)
    kind = for_status(number, code, codes) if number or code else ProviderError
    return kind(
        failure.message or "the provider reported an error without explanation",
        phase="stream",
        status=number,
        code=code or next((c for c in failure.codes if not c.isdigit()), None),
        maybe_executed=True,
    )
