"""What a failure means for a call: try again, ask somebody else, take another key, or stop."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from ..errors import (
    AuthenticationError,
    ConfigError,
    LLMError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ResponseFormatError,
    StreamInterruptedError,
    UnsupportedOperationError,
)


class Verdict(StrEnum):
    """What may follow a failure.

    ``RETRY``: the backend is down or broke, it may be asked again, and others may.
    ``LIMITED``: it is too much for now; others may be asked, and this one later.
    ``DEAD_KEY``: the key is refused; another key may do.
    ``NO_MONEY``: as a dead key, and others may be asked.
    ``FAIL_OVER``: others may be asked, this one not again.
    ``REFUSED``: a limit or budget of our own said no; others may be asked.
    ``NO_MODEL``: it has no such model; others, asked for another one, may.
    ``STOP``: the request is at fault, and would fail everywhere.
    """

    RETRY = "retry"
    LIMITED = "limited"
    DEAD_KEY = "dead_key"
    NO_MONEY = "no_money"
    FAIL_OVER = "fail_over"
    REFUSED = "refused"
    NO_MODEL = "no_model"
    STOP = "stop"


_HOPELESS = {Verdict.STOP, Verdict.DEAD_KEY, Verdict.NO_MODEL}


def most_hopeful(errors: Iterable[LLMError]) -> LLMError | None:
    """Of the failures of several targets the one that says when and whether to ask again; None of none.

    One that may be asked again comes first, the sooner the better, and then who makes way for another.
    """

    def order(error: LLMError) -> tuple[bool, bool, float, bool]:
        verdict = judge(error)
        busy = verdict in (Verdict.LIMITED, Verdict.REFUSED)
        return not error.retryable, verdict in _HOPELESS, error.retry_after or 0.0, busy

    return min(errors, key=order, default=None)


def judge(error: LLMError) -> Verdict:
    """What may follow *error*; a broken stream is judged by what broke it."""
    if isinstance(error, StreamInterruptedError):
        cause = error.__cause__
        return judge(cause) if isinstance(cause, LLMError) else Verdict.RETRY
    if error.phase == "limit" or error.code == "pool":  # not even sent
        return Verdict.REFUSED
    if isinstance(error, AuthenticationError | PermissionDeniedError):
        return Verdict.DEAD_KEY
    if isinstance(error, QuotaExceededError):
        return Verdict.NO_MONEY
    if isinstance(error, RateLimitError):
        return Verdict.LIMITED
    if error.retryable:
        return Verdict.RETRY
    if isinstance(error, ResponseFormatError | ConfigError | UnsupportedOperationError):
        return Verdict.FAIL_OVER
    return Verdict.NO_MODEL if isinstance(error, NotFoundError) else Verdict.STOP
