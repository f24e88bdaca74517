"""Conformance: a provider that needs no network is called for real, in every colour."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import anyio
import pytest

from ...events import fold
from ...provider import LLMProvider
from ...types import ChatResponse
from .base import Base, in_process_only
from .observe import BACKENDS, observe, observe_all, require

_TODO = "keep the state of a call out of the provider, and make the answer depend on the seed alone"


class GenerationTests(Base):
    """Plain and streamed calls are the same generation; set ``in_process`` to have them tried."""

    parameters: ClassVar[Mapping[str, Any]] = {"temperature": 0, "seed": 7, "max_tokens": 24}
    """What makes an answer short, and always the same."""

    def _same(self, where: str, found: Any, expected: ChatResponse) -> None:
        require(isinstance(found, ChatResponse), f"{where} gives {found!r}", _TODO)
        mine = (found.message, found.finish_reason, found.usage)
        theirs = (expected.message, expected.finish_reason, expected.usage)
        require(mine == theirs, f"{where} gives {mine}\n  a plain call {theirs}", _TODO)

    @in_process_only
    def test_a_stream_gives_what_a_plain_call_gives(self) -> None:
        """The same message, finish reason and usage; the events fold into it."""
        with self.provider(dict(self.config)) as provider:
            request = provider.chat_request(self.model, "Hello!", self.parameters)
            plain = provider.run(request)
            outcome = observe(provider, request, stream=True)
            self._same("a stream", outcome.result, plain)
            require(fold(outcome.events) == outcome.result, "the events fold into another", _TODO)

    @in_process_only
    @pytest.mark.parametrize("backend", BACKENDS)
    def test_an_event_loop_gives_what_a_plain_call_gives(self, backend: str) -> None:
        """Under asyncio and trio, plain and streamed."""
        with self.provider(dict(self.config)) as provider:
            request = provider.chat_request(self.model, "Hello!", self.parameters)
            plain = provider.run(request)
            for stream in (False, True):
                (there,) = observe_all([partial(_itself, provider)], request, stream, backend)
                self._same(f"{backend} with stream={stream}", there.result, plain)

    @in_process_only
    def test_a_stream_that_is_left_does_not_disturb_the_next_call(self) -> None:
        """Leaving early stops the generation and leaves nothing behind."""
        with self.provider(dict(self.config)) as provider:
            request = provider.chat_request(self.model, "Hello!", self.parameters)
            plain = provider.run(request)
            with provider.stream(request) as stream:
                next(stream)
            self._same("the call after a stream that was left", provider.run(request), plain)

    @in_process_only
    @pytest.mark.parametrize("backend", BACKENDS)
    def test_a_cancelled_call_does_not_disturb_the_next_one(self, backend: str) -> None:
        """Cancelling stops the generation and leaves nothing behind."""
        with self.provider(dict(self.config)) as provider:
            request = provider.chat_request(self.model, "Hello!", self.parameters)
            plain = provider.run(request)

            async def main() -> ChatResponse:
                with anyio.CancelScope() as scope:
                    async with provider.astream(request) as stream:
                        await anext(stream)
                        scope.cancel()
                        await anyio.lowlevel.checkpoint()
                return await provider.arun(request)

            self._same("the call after a cancelled one", anyio.run(main, backend=backend), plain)


def _itself(provider: LLMProvider) -> LLMProvider:
    return provider
