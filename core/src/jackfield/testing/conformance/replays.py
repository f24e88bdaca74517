"""Conformance: recorded exchanges replay alike in every colour, however their bytes arrive."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import anyio
import pytest
from attrs import evolve

from ...errors import LLMError
from ...events import fold
from ...provider import LLMProvider
from ...requests import ChatRequest
from ..recordings import Recording
from .base import Base, http_only
from .expect import check_expectations, check_request, check_result
from .mutate import boundaries, essence, inject, said
from .observe import BACKENDS, Outcome, collecting, observe, observe_all, require, stalling

SMALL = 3000
"""Bodies of at most so many bytes are cut at every byte, larger ones at some."""


class ReplayTests(Base):
    """What was recorded is understood, whole or not at all."""

    def _observe(self, recording: Recording) -> Outcome:
        provider = self.replaying(recording)
        return observe(provider, recording.request(provider), recording.streamed)

    @http_only
    def test_a_recording_is_read_as_it_says(self, recording: Recording) -> None:
        """It gives a typed result, or the typed error that its status means."""
        provider = self.replaying(recording)
        request = recording.request(provider)
        outcome = observe(provider, request, recording.streamed)
        if outcome.error is None:
            check_result(str(recording), request, outcome.result)
        status = recording.responses[-1].status
        if status >= 300:
            what = f"status {status} gave {outcome}"
            require(outcome.error is not None, what, "leave reading statuses to the core")
            told = dict(outcome.facts)["status"]
            require(told == status, f"the error's status is {told}", "leave make_error to the core")
        check_expectations(recording, outcome)
        transport: Any = provider._driver._transport  # noqa: SLF001  # put there above
        both = zip(transport.requests, recording.requests, strict=False)
        for at, (sent, expected) in enumerate(both):
            where = f"{recording}: request {at + 1}"
            check_request(where, sent, expected, getattr(provider.config, "base_url", ""))

    @http_only
    def test_every_colour_reads_the_same(self, recording: Recording) -> None:
        """Blocking, asyncio and trio give the same events, result or error."""
        plain = self._observe(recording)
        make = partial(self.replaying, recording)
        request = recording.request(make())
        for backend in BACKENDS:
            (there,) = observe_all([make], request, recording.streamed, backend)
            what = f"{recording}: blocking gives {plain}\n  {backend} gives {there}"
            require(
                there == plain, what, "keep state in the parser of one call, not in the provider"
            )

    @http_only
    def test_however_the_bytes_arrive_the_outcome_is_the_same(self, recording: Recording) -> None:
        """Cut anywhere: between bytes of a character, in a line end, one byte at a time."""
        plain = self._observe(recording)
        payload = recording.payload
        todo = "keep what is not whole in the framing; parse frames, never chunks"
        ways = list(_splits(payload))
        for chunks in ways:
            there = self._observe(recording.cut(chunks))
            what = (
                f"{recording} in pieces of {[len(c) for c in chunks][:8]}: {there}\n  not {plain}"
            )
            require(there == plain, what, todo)
        makers = [partial(self.replaying, recording.cut(c)) for c in ways[:6]]
        request = recording.request(self.replaying(recording))
        for backend in BACKENDS:
            for there in observe_all(makers, request, recording.streamed, backend):
                what = f"{recording} under {backend}: {there}\n  not {plain}"
                require(there == plain, what, todo)

    @http_only
    def test_a_streams_events_fold_into_its_response(self, recording: Recording) -> None:
        """``fold(events) == stream.response``."""
        outcome = self._observe(recording)
        if outcome.error is None and not _is_chat(self.replaying(recording), recording):
            pytest.skip("not a chat: its events have no fold")
        if outcome.error is None:
            what = f"{fold(outcome.events)!r}\n  is not {outcome.result!r}"
            require(
                fold(outcome.events) == outcome.result, what, "return what the events fold into"
            )

    @http_only
    def test_unknown_fields_are_tolerated(self, recording: Recording) -> None:
        """What a provider adds tomorrow does not break the plugin of today."""
        plain = self._observe(recording)
        changed = inject(recording, self.opaque)
        there = self._observe(changed)
        what = f"with unknown fields: {there}\n  without: {plain}"
        todo = "decode into types that ignore unknown fields (msgspec does), read dicts by key"
        require(essence(there) == essence(plain), what, todo)

    @http_only
    def test_a_cut_stream_is_never_a_success_with_missing_text(self, recording: Recording) -> None:
        """Ended at any event's boundary, it is an error that keeps the partial text, or whole."""
        whole = self._observe(recording)
        payload = recording.payload
        cuts = boundaries(recording)
        if len(payload) <= SMALL:
            cuts = sorted({*cuts, *range(0, len(payload), 3)})
        for at in cuts:
            there = self._observe(recording.cut([payload[:at]] if at else []))
            where = f"{recording} cut after {at} of {len(payload)} bytes"
            if there.error is None:
                todo = "set `finished` at a finish reason and `done` at the terminator, only then"
                same = said(there) == said(whole)
                require(same, f"{where} passes as whole: {there}\n  not {whole}", todo)
            elif there.partial is not None and whole.result is not None:
                kept, full = there.partial.text, whole.result.text
                what = f"{where} keeps {kept!r}, which does not begin {full!r}"
                require(full.startswith(kept), what, "make no text up")

    @http_only
    def test_leaving_a_stream_closes_its_response(self, recording: Recording) -> None:
        """Closing, leaving the ``with``, and dropping the stream reach the connection."""
        todo = "leave streaming to the core, or yield Defer(close) for what you open"
        for leave in ("close", "with", "drop"):
            with collecting():
                provider = self.replaying(recording)
                transport: Any = provider._driver._transport  # noqa: SLF001  # put there above
                stream = provider.stream(recording.request(provider))
                try:
                    next(stream, None)
                except LLMError:
                    pytest.skip("the recording is of an error")
                if leave == "close":
                    stream.close()
                elif leave == "with":
                    with stream:
                        pass
                del stream
            closed = [r.closed for r in transport.responses]
            require(all(closed), f"after {leave}, a response is still open", todo)

    @http_only
    @pytest.mark.parametrize("backend", BACKENDS)
    def test_cancelling_a_stream_closes_its_response(
        self, recording: Recording, backend: str
    ) -> None:
        """A task that is cancelled while it waits for more lets go of the connection."""
        first = recording.payload[: max(boundaries(recording)[1:2], default=1)]
        stalled = evolve(recording.responses[-1], chunks=(first,))

        async def main() -> list[bool]:
            provider, transport = stalling(self.provider, dict(self.config), stalled)
            stream = provider.astream(recording.request(provider))
            async with anyio.create_task_group() as group:
                group.start_soon(stream.drain)
                await transport.waiting.wait()
                group.cancel_scope.cancel()
            return [r.closed for r in transport.responses]

        closed = anyio.run(main, backend=backend)
        require(all(closed), "a cancelled call left its response open", "leave closing to the core")


def _is_chat(provider: LLMProvider, recording: Recording) -> bool:
    return isinstance(recording.request(provider), ChatRequest)


def _splits(payload: bytes) -> Iterator[Sequence[bytes]]:
    """Ways to cut *payload*: at every byte, every second and third, in two at every byte of a small one, at random."""
    for size, first in ((1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3)):
        ends = [0, *range(first, len(payload), size), len(payload)]
        yield [payload[a:b] for a, b in pairwise(ends) if b > a]
    chance = random.Random(len(payload))
    for _ in range(8):
        count = min(len(payload), chance.randint(1, 12))
        edges = [0, *sorted(chance.sample(range(len(payload) + 1), count)), len(payload)]
        yield [payload[a:b] for a, b in pairwise(edges) if b > a]
    if len(payload) <= SMALL:
        for at in range(1, len(payload)):
            yield [payload[:at], payload[at:]]
