"""Retrying: one policy and one quota, for flows of any kind."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from attrs import define, frozen

from .errors import LLMError, RequestTimeoutError
from .flow import NOW, RANDOM, Flow, Sleep

T = TypeVar("T")

LOG = logging.getLogger("jackfield")
LOG.addHandler(logging.NullHandler())  # silent until somebody listens


@frozen(kw_only=True)
class RetryPolicy:
    """When to try again: *attempts* in all, with full jitter.

    A pause is a random part of *initial* seconds, which double each time up to *maximum*.
    A server's hint (``Retry-After``) is obeyed with up to a quarter on top; one longer
    than *longest_hint* seconds is not waited for.
    """

    attempts: int = 3
    initial: float = 0.5
    maximum: float = 8.0
    longest_hint: float = 60.0

    def delay(self, attempt: int, error: LLMError, chance: float) -> float | None:
        """Seconds to wait after *attempt* failed with *error*; None to give up."""
        if attempt >= self.attempts or not error.retryable:
            return None
        if error.retry_after is not None:
            if error.retry_after > self.longest_hint:
                return None
            return error.retry_after * (1 + 0.25 * chance)
        return chance * min(self.initial * 2.0 ** (attempt - 1), self.maximum)


class RetryQuota:
    """A token bucket that keeps retries from multiplying an outage; shared by all calls.

    Numbers of the AWS SDKs' standard mode: 500 tokens, 5 a retry, 10 after a
    timeout, 1 back for a success.
    """

    def __init__(self, capacity: int = 500) -> None:
        self._capacity = self._tokens = capacity
        self._lock = threading.Lock()

    @staticmethod
    def price(error: LLMError) -> int:
        """What one retry after *error* costs."""
        return 10 if isinstance(error, RequestTimeoutError) else 5

    def covers(self, error: LLMError) -> bool:
        """Whether one retry after *error* could be paid for."""
        return self._tokens >= self.price(error)

    def take(self, error: LLMError) -> bool:
        """Pay for one retry; False when the bucket is too empty."""
        price = self.price(error)
        with self._lock:
            if self._tokens < price:
                return False
            self._tokens -= price
            return True

    def give(self, tokens: int = 1) -> None:
        """Refill after a success."""
        if self._tokens < self._capacity:
            with self._lock:
                self._tokens = min(self._capacity, self._tokens + tokens)


@define
class Budget:
    """How often and until when one call may try, whoever does the trying: its outermost layer has it.

    *attempts* are left, *made* are over; *deadline* is a time of the driver's clock.
    """

    attempts: int
    deadline: float
    made: int = 0


def retrying(
    start: Callable[[], Flow[T]],
    policy: RetryPolicy,
    quota: RetryQuota,
    deadline: float,
    own: Callable[[LLMError], object],
) -> Flow[T]:
    """Run the flow that *start* makes, again as long as *policy* and *quota* say so.

    Each error is given to *own* before anything is said of it.
    """
    attempt = 1
    while True:
        try:
            result = yield from start()
        except LLMError as error:
            error.attempts = attempt
            own(error)
            delay = policy.delay(attempt, error, (yield RANDOM))
            if delay is None or (yield NOW) + delay >= deadline or not quota.take(error):
                raise
            LOG.warning("attempt %d failed, again in %.1f s: %s", attempt, delay, error)
        else:
            quota.give()
            return result
        yield Sleep(delay)
        attempt += 1
