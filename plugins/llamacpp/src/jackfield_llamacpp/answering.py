"""From an engine's chunks to the core's events, in an iterator that may be closed from any thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import msgspec

from jackfield import (
    ConfigError,
    ContextLengthExceededError,
    InvalidRequestError,
    LLMError,
    NotFoundError,
    ProviderError,
    StreamEvent,
    UnsupportedOperationError,
)
from jackfield_dialect_openai.parse import ChunkParser
from jackfield_dialect_openai.wire import Completion

from .background import Stream
from .errors import EngineError

CODES: Mapping[str, type[LLMError]] = {
    "bad_model_file": ConfigError,
    "context_length_exceeded": ContextLengthExceededError,
    "engine_failed": ProviderError,
    "engine_missing": ConfigError,
    "invalid_options": ConfigError,
    "invalid_request": InvalidRequestError,
    "load_failed": ConfigError,
    "model_not_found": NotFoundError,
    "unsupported_operation": UnsupportedOperationError,
}


def translated(error: EngineError) -> LLMError:
    """The error that users catch for *error*."""
    return CODES[error.code](str(error), code=error.code)


@contextmanager
def translating() -> Iterator[None]:
    """Raise what users catch for the `EngineError`s within."""
    try:
        yield
    except EngineError as error:
        raise translated(error) from error


class Answer:
    """The events of one answer.

    *begin* finds and loads the model and starts the answer; the first event asked for calls it,
    so that it may block. Closing stops the generation, whichever thread waits for it.
    """

    def __init__(self, begin: Callable[[], Stream], parser: ChunkParser) -> None:
        self._begin, self._parser = begin, parser
        self._stream: Stream | None = None
        self._closed = self._ended = False
        self._events: deque[StreamEvent] = deque()

    def __iter__(self) -> Iterator[StreamEvent]:
        return self

    def __next__(self) -> StreamEvent:
        while not self._events:
            if self._closed or self._ended:
                raise StopIteration
            try:
                self._read()
            except EngineError as error:
                self._ended = True
                raise translated(error) from error
        return self._events.popleft()

    def _read(self) -> None:
        """Take the next chunks; at the end, what is due then."""
        if self._stream is None:
            self._stream = self._begin()
            if self._closed:  # while the model was loading
                self._stream.close()
        out: list[StreamEvent] = []
        chunks = next(self._stream, None)
        for chunk in chunks or ():
            self._parser.chunk(msgspec.convert(chunk, Completion), out)
        if chunks is None:
            self._ended = True
            # Without a finish reason nothing is due: the core calls it an interrupted stream.
            if self._parser.finished and not self._closed:
                self._parser.close(out)
        self._events.extend(out)

    def close(self) -> None:
        """Stop the generation."""
        self._closed = True
        if self._stream is not None:
            self._stream.close()
