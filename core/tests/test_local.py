"""Providers in this process: a blocking generator becomes every kind of call."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import anyio
import pytest
from core_toy import BACKENDS, aio

from jackfield import (
    CallWarning,
    ChatRequest,
    EmbeddingRequest,
    EmbeddingResponse,
    Finish,
    FinishReason,
    InvalidRequestError,
    LLMError,
    LocalProvider,
    NotFoundError,
    OverloadedError,
    Param,
    ProviderInfo,
    RequestTimeoutError,
    StreamEvent,
    StreamInterruptedError,
    StreamStart,
    TextDelta,
    UnsupportedOperationError,
    fold,
)


class Parrot(LocalProvider):
    """Says *words*, then ends as *end* says."""

    info = ProviderInfo(name="parrot", display_name="Parrot", api_key_required=False)
    params: ClassVar = {"temperature": Param("temp", ge=0, le=1)}
    handlers: ClassVar = {EmbeddingRequest: "vectors"}

    def __init__(self, words: list[str], end: Any = None, **options: Any) -> None:
        super().__init__({"retry": {"attempts": 2, "initial": 0}}, **options)
        self.words, self.end = words, end
        self.closed = 0
        self.ended = threading.Event()
        self.started = 0
        self.threads: set[int] = set()
        self.pause = 0.0

    def generate(
        self, request: ChatRequest, wire: Mapping[str, Any], warnings: list[CallWarning]
    ) -> Iterator[StreamEvent]:
        self.started += 1
        if request.tools:
            warnings.append(CallWarning("unsupported", "tools", "a parrot has none"))
        try:
            yield StreamStart(id="1", model=request.model)
            for word in self.words:
                self.threads.add(threading.get_ident())
                time.sleep(self.pause)
                yield TextDelta(word)
            if isinstance(self.end, Exception):
                raise self.end
            if self.end is None:
                yield Finish(finish_reason=FinishReason.STOP)
        finally:
            self.closed += 1
            self.ended.set()

    def vectors(self, request: EmbeddingRequest) -> EmbeddingResponse:
        return EmbeddingResponse(vectors=tuple((float(len(t)),) for t in request.inputs))


def test_plain_and_streamed_calls_are_the_same_generation() -> None:
    parrot = Parrot(["Hel", "lo"])
    plain = parrot.execute("m", "Hi")
    stream = parrot.stream_execute("m", "Hi")
    events = list(stream)
    assert plain == stream.response == fold(events)
    assert (plain.text, plain.model, parrot.closed) == ("Hello", "m", 2)


@pytest.mark.parametrize("backend", BACKENDS)
def test_asynchronous_calls_generate_off_the_event_loop(backend: str) -> None:
    parrot = Parrot(["Hel", "lo"])

    async def main() -> tuple[str, str]:
        plain = await parrot.aexecute("m", "Hi")
        return plain.text, (await parrot.astream_execute("m", "Hi").drain()).text

    assert aio(main, backend) == ("Hello", "Hello")
    assert threading.get_ident() not in parrot.threads


@pytest.mark.parametrize("error", [OverloadedError("no room"), NotFoundError("no such model")])
def test_an_error_after_text_keeps_the_text_and_is_not_tried_again(error: LLMError) -> None:
    parrot = Parrot(["Once ", "upon"], error)
    with pytest.raises(StreamInterruptedError) as caught:
        parrot.stream_execute("m", "Hi").drain()
    assert caught.value.partial_text == "Once upon"
    assert caught.value.__cause__ is error
    assert (parrot.started, parrot.closed) == (1, 1)


def test_a_generation_without_an_end_is_no_success() -> None:
    parrot = Parrot(["Once ", "upon"], "nothing")
    with pytest.raises(StreamInterruptedError) as caught:
        parrot.execute("m", "Hi")
    assert caught.value.partial_text == "Once upon"


def test_a_bug_of_the_provider_surfaces_as_it_is_and_the_generation_is_closed() -> None:
    parrot = Parrot(["Once"], ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError, match="a bug"):
        parrot.execute("m", "Hi")
    assert parrot.closed == 1


def test_an_error_before_any_event_is_tried_again_if_that_can_help() -> None:
    class Loading(Parrot):
        def generate(self, *given: Any) -> Iterator[StreamEvent]:
            if self.started == 0:
                self.started += 1
                raise OverloadedError("still loading")
            return super().generate(*given)

    assert Loading(["Hello"]).execute("m", "Hi").text == "Hello"


def test_leaving_a_stream_ends_the_generation() -> None:
    parrot = Parrot(["a"] * 10_000)
    parrot.pause = 0.001
    with parrot.stream_execute("m", "Hi") as stream:
        next(stream)
    assert parrot.closed == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_cancelling_ends_the_generation(backend: str) -> None:
    parrot = Parrot(["a"] * 100_000)
    parrot.pause = 0.001

    async def main() -> None:
        with anyio.move_on_after(0.1):
            await parrot.aexecute("m", "Hi")

    aio(main, backend)
    assert parrot.ended.wait(5), "the generation goes on"


def test_the_deadline_ends_the_generation_and_keeps_its_text() -> None:
    parrot = Parrot(["a"] * 100_000)
    parrot.pause = 0.001
    with pytest.raises(StreamInterruptedError) as caught:
        parrot.execute("m", "Hi", timeout=0.1)
    assert isinstance(caught.value.__cause__, RequestTimeoutError)
    assert set(caught.value.partial_text) == {"a"}
    assert parrot.closed == 1


def test_warnings_of_parameters_and_of_the_provider_ride_on_the_start() -> None:
    parrot = Parrot(["Hello"])
    tools = [{"name": "add"}]
    stream = parrot.stream_execute("m", "Hi", {"temperature": 9, "seed": 1}, tools=tools)
    start = next(stream)
    assert isinstance(start, StreamStart)
    assert [w.subject for w in start.warnings] == ["temperature", "seed", "tools"]
    assert stream.drain().warnings == start.warnings


def test_strict_refuses_before_the_first_event() -> None:
    parrot = Parrot(["Hello"])
    with pytest.raises(InvalidRequestError, match="a parrot has none"):
        parrot.execute("m", "Hi", tools=[{"name": "add"}], strict=True)
    assert parrot.closed == parrot.started


def test_other_operations_are_methods() -> None:
    parrot = Parrot([])
    assert parrot.embed("m", ["a", "bb"]).vectors == ((1.0,), (2.0,))
    assert aio(lambda: parrot.aembed("m", "abc")).vectors == ((3.0,),)
    with pytest.raises(UnsupportedOperationError, match="it has ChatRequest, EmbeddingRequest"):
        parrot.list_models()


def test_events_that_are_all_there_already_are_one_answer() -> None:
    """A list, which can be gone through again, is gone through once."""

    class Listed(Parrot):
        def generate(self, *_: Any) -> Any:
            return [StreamStart(), TextDelta("Hello"), Finish(finish_reason=FinishReason.STOP)]

    assert Listed([]).execute("m", "Hi").text == "Hello"
    assert "".join(map(str, Listed([]).stream_execute("m", "Hi"))) == "Hello"


def test_a_provider_without_generate_says_what_it_lacks() -> None:
    class Mute(LocalProvider):
        info = ProviderInfo(name="mute", display_name="Mute", api_key_required=False)

    with pytest.raises(NotImplementedError, match="Mute lacks generate"):
        Mute().execute("m", "Hi")
