"""Structured logs: what every call came to, in records for people and for programs."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from ..errors import ConfigError, LLMError, StreamInterruptedError
from ..flow import (
    NOW,
    Close,
    Defer,
    Flow,
    HTTPRequest,
    HTTPResponse,
    Invoke,
    Now,
    Random,
    Read,
    Wrapper,
    performed,
)
from ..hookspecs import hookimpl
from ..manager.settings import LogSettings
from ..provider import LLMProvider
from ..requests import Request
from .log_records import FIELDS, Happening, JSONFormatter, TextFormatter
from .timing import Stopwatch

LOG = logging.getLogger("jackfield")

_FACTS = ("status", "code", "phase", "request_id", "maybe_executed")


class Logs:
    """Middleware that writes to the logger ``jackfield`` what calls and attempts come to.

    INFO: a call's end, with provider, model, tokens, cost and seconds. WARNING: what was
    made of it that was not asked for, beside the kernel's own records of retries. ERROR: a
    call that failed for good. DEBUG: its start, each attempt, and what the attempt waited
    for. Prompts and answers are written where *settings* say so, and keys never.

    It adds no handler until it is attached: ``with Logs(settings):`` writes records of the
    settings' level to its file, or to standard error.
    """

    def __init__(self, settings: LogSettings | None = None) -> None:
        self.settings = settings or LogSettings()
        self._handler: logging.Handler | None = None

    # Where records go.

    def attach(self) -> Self:
        """Write to the settings' file, or to standard error, until `detach`.

        Raises:
            ConfigError: the file cannot be written.
        """
        if self._handler is None:
            self._handler = _handler(self.settings)
            _Levels.change(add=self._handler)
        return self

    def detach(self) -> None:
        """Write there no more; the logger is as it was."""
        if self._handler is not None:
            handler, self._handler = self._handler, None
            _Levels.change(remove=handler)
            with contextlib.suppress(OSError):  # a disk that fails was told of
                handler.close()

    def __enter__(self) -> Self:
        return self.attach()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.detach()

    # What is written.

    @hookimpl
    def wrap_call(
        self, provider: LLMProvider, request: Request[Any], nested: bool
    ) -> Wrapper | None:
        """Write how the call began and ended; that of a route's target at DEBUG."""
        if nested and not LOG.isEnabledFor(logging.DEBUG):
            return None
        return partial(self._call, provider, request, nested)

    @hookimpl
    def wrap_attempt(self, provider: LLMProvider, request: Request[Any]) -> Wrapper | None:
        """Write what an attempt did, where somebody listens."""
        if not LOG.isEnabledFor(logging.DEBUG):
            return None
        return partial(_attempt, provider, {"provider": provider.name, "model": request.model})

    def _call(
        self, provider: LLMProvider, request: Request[Any], nested: bool, flow: Flow[Any]
    ) -> Flow[Any]:
        watch, about = Stopwatch(), _about(provider, request)
        asked = _asked(request) if self.settings.prompts else None
        usual, bad = (logging.DEBUG,) * 2 if nested else (logging.INFO, logging.ERROR)
        _write(logging.DEBUG, "call started", about)
        try:
            result = yield from watch.around(flow)
        except GeneratorExit:
            _write(usual, "call left", about, first_seconds=watch.first, prompt=asked)
            raise
        except Exception as error:
            said = getattr(error, "partial_text", None) if self.settings.prompts else None
            tried = getattr(error, "attempts", None)
            told = {"attempts": tried, "seconds": watch.total, "first_seconds": watch.first}
            told |= _failure(error)
            _write(bad, "call failed", about, **told, prompt=asked, answer=said)
            raise
        for warning in () if nested else getattr(result, "warnings", ()):
            told = {"kind": warning.kind, "subject": warning.subject, "detail": warning.detail}
            _write(logging.WARNING, "compromise", about, **told)
        if not LOG.isEnabledFor(usual):
            return result
        said = getattr(result, "text", None) if self.settings.prompts else None
        _write(usual, "call ended", about, **_outcome(result, watch), prompt=asked, answer=said)
        return result


def _write(level: int, event: str, about: Mapping[str, Any], **fields: Any) -> None:
    if LOG.isEnabledFor(level):
        happening = Happening(event, {**about, **fields})
        LOG.log(level, "%s", happening, extra={FIELDS: happening})


def _about(provider: LLMProvider, request: Request[Any]) -> dict[str, Any]:
    """Who is asked for what, and on whose behalf."""
    given = request.metadata
    return {
        "provider": provider.name,
        "model": request.model or None,
        "operation": type(request).__name__.removesuffix("Request").lower(),
        "tenant": given.get("tenant"),
        "tags": given.get("tags") or None,
    }


def _outcome(result: Any, watch: Stopwatch) -> dict[str, Any]:
    """What is known of a success."""
    told: dict[str, Any] = {"seconds": watch.total, "first_seconds": watch.first}
    if (usage := getattr(result, "usage", None)) is not None:
        told |= {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
        told["cached_tokens"] = usage.cache_read_tokens
    if (cost := getattr(result, "cost", None)) is not None and cost.amount is not None:
        told |= {"cost": str(cost.amount), "currency": cost.currency}
    if (reason := getattr(result, "finish_reason", None)) is not None:
        told["finish_reason"] = str(reason)
    mark = (getattr(result, "provider_metadata", None) or {}).get("jackfield") or {}
    told |= {"answered_by": mark.get("provider"), "attempts": mark.get("attempts")}
    return {**told, "cache": mark.get("cache")}


def _failure(error: Exception) -> dict[str, Any]:
    """What is known of a failure; the text of one that is not ours may hold anything."""
    if not isinstance(error, LLMError):
        return {"error": type(error).__name__, "message": str(error)}
    facts = {name: getattr(error, name) or None for name in _FACTS}
    if isinstance(error, StreamInterruptedError) and error.partial is not None:
        facts["output_tokens"] = error.partial_usage.output_tokens
    return {"error": type(error).__name__, "message": error.message, **facts}


def _asked(request: Any) -> Any:
    """The words of *request*."""
    if (messages := getattr(request, "messages", None)) is not None:
        return [f"{message.role}: {message.text}" for message in messages]
    names = ("inputs", "query", "prompt")
    return next((given for name in names if (given := getattr(request, name, None))), None)


# Attempts.


def _attempt(provider: LLMProvider, about: Mapping[str, Any], flow: Flow[Any]) -> Flow[Any]:
    """*flow*, with a record of each thing that it waited for and how long, and of its end."""
    began = yield NOW
    seen = {"events": 0, "reads": 0, "bytes": 0}
    try:
        result = yield from performed(flow, lambda step: _step(step, about, seen))
    except GeneratorExit:
        _write(logging.DEBUG, "attempt left", about, **seen)
        raise
    except LLMError as error:
        provider.conceal(error)
        told = _failure(error)
        _write(logging.DEBUG, "attempt failed", about, seconds=(yield NOW) - began, **seen, **told)
        raise
    _write(logging.DEBUG, "attempt ended", about, seconds=(yield NOW) - began, **seen)
    return result


def _step(step: Any, about: Mapping[str, Any], seen: dict[str, int]) -> Flow[Any]:
    """The outcome of *step*."""
    if isinstance(step, list | Now | Random | Defer | Close):
        seen["events"] += len(step) if isinstance(step, list) else 0
        return (yield step)
    began = yield NOW
    outcome = yield step
    seconds = (yield NOW) - began
    if isinstance(step, Read):
        seen["reads"] += 1
        seen["bytes"] += len(outcome)
        return outcome
    told: dict[str, Any] = {"effect": type(step).__name__, "seconds": seconds}
    if isinstance(step, HTTPRequest) and isinstance(outcome, HTTPResponse):
        told |= {"method": step.method, "url": step.url, "status": outcome.status}
    elif isinstance(step, Invoke):
        told["function"] = getattr(step.function, "__qualname__", None)
    _write(logging.DEBUG, "waited", about, **told)
    return outcome


# Handlers.


class _Levels:
    """The level of the logger, while handlers of ours listen: the lowest that one of them wants."""

    lock: ClassVar = threading.Lock()
    handlers: ClassVar[list[logging.Handler]] = []
    before: ClassVar[int] = logging.NOTSET

    @classmethod
    def change(
        cls, add: logging.Handler | None = None, remove: logging.Handler | None = None
    ) -> None:
        """Listen with *add*, and no more with *remove*."""
        with cls.lock:
            if not cls.handlers:
                cls.before = LOG.level
            if add is not None:
                cls.handlers.append(add)
                LOG.addHandler(add)
            if remove is not None:
                cls.handlers.remove(remove)
                LOG.removeHandler(remove)
            LOG.setLevel(cls.before)
            if cls.handlers:
                wanted = min(handler.level for handler in cls.handlers)
                LOG.setLevel(min(wanted, LOG.getEffectiveLevel()))


class _File(logging.FileHandler):
    """A file that only its owner can read; a disk that fails is told once, and stops no call."""

    told = False

    def _open(self) -> Any:
        owners = partial(os.open, mode=0o600)
        return open(
            self.baseFilename, "a", encoding="utf-8", errors="backslashreplace", opener=owners
        )

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's own name
        """Say so, once."""
        if not self.told:
            self.told = True
            with contextlib.suppress(OSError, ValueError, AttributeError):
                error = sys.exc_info()[1]
                sys.stderr.write(f"jackfield: the log {self.baseFilename} fails: {error}\n")


def _handler(settings: LogSettings) -> logging.Handler:
    handler: logging.Handler = logging.StreamHandler()
    if settings.path is not None:
        path = Path(settings.path).expanduser()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handler = _File(path)
        except OSError as error:
            message = f"logs: {path} cannot be written ({error.strerror}): name another path"
            raise ConfigError(message) from None
    handler.setLevel(settings.level)
    handler.setFormatter(JSONFormatter() if settings.format == "json" else TextFormatter())
    return handler
