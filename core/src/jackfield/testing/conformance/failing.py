"""Conformance: what goes wrong is a typed error that says what it was, in every colour, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import evolve

from ...drivers.replay import Failure, Recorded
from ...errors import LLMError, ResponseFormatError, TransportError, for_status
from ...provider import LLMProvider
from ..recordings import Recording
from .base import Base, http_only
from .observe import BACKENDS, Outcome, complain, observe, observe_all, replaying, require

STATUSES = (400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 529)

BODIES = {"nothing": b"", "json": b'{"error": {"message": "No."}}', "html": b"<html>No.</html>"}

UNREADABLE = {
    "nothing": b"",
    "html": b"<!doctype html><title>Sign in</title>",
    "half": b'{"id": "1", ',
    "null": b"null",
    "list": b"[1, 2]",
    "text": b'"Hello"',
    "bytes": b"\xff\xfe\x00",
}
"""What no dialect has as an answer, under a status that promises one."""

WRONG: tuple[Any, ...] = (None, 7, "text", [], {}, [None], -(2**70))
"""What stands in for a part of an answer."""

_MOST = 250
"""Answers with one wrong part that are tried, of one recording."""


class FailureTests(Base):
    """Nothing that a server does becomes an untyped error, or a success without an answer."""

    def _once(self, *answers: Recorded) -> LLMProvider:
        config = {**self.config, "retry": {"attempts": 1}}
        return replaying(self.provider, config, answers)

    def _chat(self, *answers: Recorded, stream: bool = False) -> Outcome:
        provider = self._once(*answers)
        return typed(provider, provider.chat_request(self.model, "Hi"), stream)

    @http_only
    @pytest.mark.parametrize("status", STATUSES)
    def test_a_status_is_the_typed_error_of_it(self, status: int) -> None:
        """Whatever its body: the class that the status means, or one below it, and the status in it."""
        self.needs_chat_exchange()
        todo = "leave reading statuses to the core; error_codes says what codes in bodies mean"
        for name, body in BODIES.items():
            for stream in (False, True):
                came = self._chat(Recorded(status=status, chunks=[body]), stream=stream)
                kind = for_status(status, None, {})
                what = f"a status {status} with {name} gave {came}, not a {kind.__name__}"
                require(came.error is not None and issubclass(came.error, kind), what, todo)
                told = dict(came.facts)
                require(told["status"] == status, f"the error's status is {told['status']}", todo)
                again = f"a {status} is retryable={told['retryable']}, not {kind.retryable}"
                require(told["retryable"] == kind.retryable, again, todo)

    @http_only
    def test_how_long_to_wait_is_told(self) -> None:
        """A 429's Retry-After is on the error, as seconds."""
        self.needs_chat_exchange()
        came = self._chat(Recorded(status=429, headers={"retry-after": "7"}))
        told = dict(came.facts).get("retry_after")
        require(told == 7, f"Retry-After: 7 became {told}", "keep what make_error of the core says")

    @http_only
    @pytest.mark.parametrize("body", UNREADABLE)
    def test_what_is_no_answer_is_an_error(self, body: str) -> None:
        """A 200 with a page to sign in, half a document or nothing at all is a typed error."""
        self.needs_chat_exchange()
        came = self._chat(Recorded(chunks=[UNREADABLE[body]]))
        kinds = (ResponseFormatError, TransportError)
        todo = "read bodies with jackfield.exchange.decode into a Struct of what must be there"
        what = f"{UNREADABLE[body]!r} under a status 200 gave {came}"
        require(came.error is not None and issubclass(came.error, kinds), what, todo)

    @http_only
    def test_a_wrong_part_of_an_answer_is_no_untyped_error(self, recording: Recording) -> None:
        """Each part in turn is null, a number, a text, a list: a typed error, or understood."""
        for payload in _wronged(recording):
            provider = self._once(*recording.cut([payload]).responses[-1:])
            typed(provider, recording.request(provider), recording.streamed)

    @http_only
    def test_a_connection_that_breaks_is_an_error_in_every_colour(
        self, recording: Recording
    ) -> None:
        """Before the head, and in the middle of the body: the core's own error reaches the caller."""
        half = [recording.payload[: len(recording.payload) // 2]]
        last = recording.responses[-1]
        early = Recorded(status=0, failure=Failure(phase="connect", maybe_executed=False))
        for answer in (early, evolve(last, chunks=half, times=(), failure=Failure())):
            provider = self._once(answer)
            request = recording.request(provider)
            came = typed(provider, request, recording.streamed)
            todo = "let errors of the connection pass; catch what your own code raises, and no more"
            require(came.error is not None, f"a broken connection gave {came}", todo)
            for backend in BACKENDS:
                making = [lambda answer=answer: self._once(answer)]
                (there,) = observe_all(making, request, recording.streamed, backend)
                require(there == came, f"blocking gives {came}\n  {backend} gives {there}", todo)


def typed(provider: LLMProvider, request: Any, stream: bool) -> Outcome:
    """What comes of *request*; an error that is no `LLMError` fails the check, and says where it is from."""
    try:
        return observe(provider, request, stream)
    except LLMError:
        raise
    except Exception as error:  # noqa: BLE001  # this is what is looked for
        todo = "raise ResponseFormatError, or read with jackfield.exchange.decode"
        complain(f"{type(error).__name__} came out of the plugin: {error}", todo)


def _wronged(recording: Recording) -> Iterator[bytes]:
    """The recorded body with one part of it replaced, in turn; each event of a stream counts."""
    payload = recording.payload
    lines = payload.splitlines(keepends=True) if recording.framing else [payload]
    made = 0
    for at, line in enumerate(lines):
        mark = line[: line.find(b"{")] if recording.framing else b""
        try:
            document = json.loads(line[len(mark) :])
        except ValueError:
            continue
        for changed in _changed(document, made):
            made += 1
            if made > _MOST:
                return
            text = mark + json.dumps(changed).encode()
            end = line[len(line.rstrip(b"\r\n")) :]
            yield b"".join([*lines[:at], text + end, *lines[at + 1 :]])


def _changed(value: Any, turn: int) -> Iterator[Any]:
    """*value* with one part of it, and then another, as something `WRONG`."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for place, (name, part) in enumerate(list(parts)):
        fresh = dict(value) if isinstance(value, dict) else list(value)
        fresh[name] = WRONG[(turn + place) % len(WRONG)]
        yield fresh
        if isinstance(part, dict | list):
            for changed in _changed(part, turn + place + 1):
                inner = dict(value) if isinstance(value, dict) else list(value)
                inner[name] = changed
                yield inner
