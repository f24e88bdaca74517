"""A call that leaves a local generation early neither waits for it nor lets it run on."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import anyio
import anyio.to_thread
import pytest
from core_toy import BACKENDS

from jackfield import (
    CallWarning,
    ChatRequest,
    LocalProvider,
    OverloadedError,
    ProviderInfo,
    StreamEvent,
    StreamInterruptedError,
    StreamStart,
    TextDelta,
)


class Thinker(LocalProvider):
    """Says one word when it is allowed to, and notes when it was stopped."""

    info = ProviderInfo(name="thinker", display_name="Thinker", api_key_required=False)

    def __init__(self) -> None:
        super().__init__()
        self.thinking, self.allowed, self.stopped = (threading.Event() for _ in range(3))

    def generate(
        self, request: ChatRequest, wire: Mapping[str, Any], warnings: list[CallWarning]
    ) -> Iterator[StreamEvent]:
        try:
            yield StreamStart()
            self.thinking.set()
            self.allowed.wait(60)
            while True:
                yield TextDelta("word ")
        finally:
            self.stopped.set()


@pytest.mark.parametrize("backend", BACKENDS)
def test_cancelling_does_not_wait_for_the_step_and_stops_the_generation_after_it(
    backend: str,
) -> None:
    thinker = Thinker()

    async def leave_while_it_thinks() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(thinker.aexecute, "any", "Hello")
            await anyio.to_thread.run_sync(thinker.thinking.wait, 60)
            tasks.cancel_scope.cancel()
        # Nobody has allowed it to go on: whoever waits for its step would still be waiting.
        assert not thinker.stopped.is_set()
        thinker.allowed.set()
        assert await anyio.to_thread.run_sync(thinker.stopped.wait, 60)

    anyio.run(leave_while_it_thinks, backend=backend)


class Stumbler(LocalProvider):
    """Says two words and breaks, faster than a batch is long."""

    info = ProviderInfo(name="stumbler", display_name="Stumbler", api_key_required=False)

    def generate(
        self, request: ChatRequest, wire: Mapping[str, Any], warnings: list[CallWarning]
    ) -> Iterator[StreamEvent]:
        yield StreamStart()
        yield TextDelta("two ")
        yield TextDelta("words")
        raise OverloadedError("too many parrots")


def test_words_before_an_error_are_delivered_and_kept_in_the_partial() -> None:
    stream = Stumbler().stream_execute("any", "Hello")
    heard = []
    with pytest.raises(StreamInterruptedError, match="too many parrots") as caught:
        heard.extend(stream.text())
    assert heard == ["two ", "words"]
    assert caught.value.partial_text == "two words"
