"""Guardrails: functions that may change or refuse what is asked, and what is answered."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from ..errors import ConfigError, ContentFilterError, StreamInterruptedError
from ..flow import Flow, Wrapper
from ..hookspecs import hookimpl
from ..provider import LLMProvider
from ..requests import AnswerRequest, Request
from ..types import ChatResponse
from .guards import (
    EMAIL,
    KEYS,
    Feeder,
    LengthGuard,
    PatternGuard,
    forbid,
    limit_length,
    map_texts,
    redact,
    refusal,
)
from .passing import Passing, held, live

__all__ = [
    "EMAIL",
    "KEYS",
    "After",
    "Before",
    "Feeder",
    "Guardrails",
    "LengthGuard",
    "PatternGuard",
    "forbid",
    "limit_length",
    "map_texts",
    "redact",
    "refusal",
]

LOG = logging.getLogger("jackfield.guardrails")

Before = Callable[[Any], Any]
"""Takes a request; returns one to be made in its place, or None to leave it. Raises to refuse."""

After = Callable[[Any, ChatResponse], ChatResponse | None]
"""Takes a request and its answer; returns an answer in its place, or None. Raises to refuse."""


class Guardrails:
    """Middleware that has *before* guards see every request and *after* guards every model's answer.

    They act in their order, once for a call, around its retries and routes. A stream
    is held back until its answer is whole and has passed, and comes at once then,
    unless every *after* guard can judge a stream as it comes: it has a method
    ``begin`` that returns a `Feeder`. See docs/guardrails.md.

    Raises:
        ConfigError: a guard cannot be called.
    """

    def __init__(self, before: Iterable[Before] = (), after: Iterable[After] = ()) -> None:
        self.before, self.after = tuple(before), tuple(after)
        for guard in (*self.before, *self.after):
            if not callable(guard):
                raise ConfigError(f"a guard is a function: {guard!r:.60} cannot be called")

    @hookimpl
    def prepare_call(
        self, provider: LLMProvider, nested: bool
    ) -> Callable[[Request[Any]], Request[Any]] | None:
        """Have the request pass the *before* guards."""
        return None if nested or not self.before else partial(self._prepared, provider)

    def _prepared(self, provider: LLMProvider, request: Request[Any]) -> Request[Any]:
        model = request.model
        for guard in self.before:
            try:
                given = guard(request)
            except ContentFilterError as error:
                raise _told(error, "the request", provider, model) from None
            request = request if given is None else given
        return request

    @hookimpl
    def wrap_call(
        self, provider: LLMProvider, request: Request[Any], nested: bool
    ) -> Wrapper | None:
        """Have the answer pass the *after* guards."""
        if nested or not self.after or not isinstance(request, AnswerRequest):
            return None
        return partial(self._guarded, provider, request)

    def _guarded(
        self, provider: LLMProvider, request: AnswerRequest, flow: Flow[ChatResponse]
    ) -> Flow[ChatResponse]:
        passing = self._passing()
        try:
            if passing is None:
                return (yield from held(flow, partial(self._checked, request)))
            return (yield from live(flow, passing, partial(self._checked, request)))
        except ContentFilterError as error:
            if error.code != "guardrail":
                raise
            raise _told(error, "the answer", provider, request.model) from None
        except StreamInterruptedError as error:
            self._clean(error, request, passing)
            raise
        finally:
            flow.close()

    def _passing(self) -> Passing | None:
        """What guards a stream as it comes; None where some guard needs the whole answer."""
        begins = [getattr(guard, "begin", None) for guard in self.after]
        if any(begin is None or begin() is None for begin in begins):
            return None
        return Passing(lambda: [begin() for begin in begins])  # type: ignore[misc]  # none is None

    def _checked(self, request: AnswerRequest, response: ChatResponse) -> ChatResponse:
        for guard in self.after:
            given = guard(request, response)
            response = response if given is None else given
        return response

    def _clean(
        self, error: BaseException | None, request: AnswerRequest, passing: Passing | None
    ) -> None:
        """Let no broken stream tell what has not passed."""
        seen: set[int] = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            if isinstance(error, StreamInterruptedError) and error.partial is not None:
                try:
                    whole = self._checked(request, error.partial)
                    error.partial = whole if passing is None else passing.built.build()
                except Exception:  # noqa: BLE001  # whatever is wrong with it, it stays here
                    error.partial = None
            error = error.__cause__ or error.__context__


def _told(
    error: ContentFilterError, what: str, provider: LLMProvider, model: str
) -> ContentFilterError:
    """*error* with the facts, and a line in the log that says nothing of what was seen."""
    LOG.info("%s of %s/%s: %s", what, provider.name, model, error.message)
    return error.add(provider=provider.name, model=model or None)
