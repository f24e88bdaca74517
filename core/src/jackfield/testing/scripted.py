"""The scripted provider: it answers what it is told to, for tests of programs that use models."""

from __future__ import annotations

import hashlib
import itertools
import math
import threading
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self, TypeVar, cast

from attrs import field, frozen

from ..config import Config
from ..errors import (
    ConfigError,
    InvalidRequestError,
    LLMError,
    RequestTimeoutError,
    StreamInterruptedError,
    TransportError,
)
from ..events import Finish, ResponseBuilder, StreamEvent, StreamStart, fold
from ..flow import NOW, Flow, Sleep
from ..params import NAMES, Param, ParamTable
from ..provider import LLMProvider
from ..requests import (
    ChatRequest,
    EmbeddingRequest,
    ModelInfoRequest,
    ModelListRequest,
    Request,
    TokenCountRequest,
)
from ..types import (
    CallWarning,
    ChatResponse,
    ConfigIssue,
    EmbeddingResponse,
    ModelInfo,
    ProviderInfo,
    TokenCount,
    Usage,
)
from .answers import Answer, Script, count_words, parse_answer, with_defaults

R = TypeVar("R")

DIMENSIONS = 64
"""Numbers in a scripted embedding, unless the request asks for another count."""

_ECHO = CallWarning(
    "emulated", "answers", "nothing is scripted, so the prompt comes back; configure answers"
)


@frozen(kw_only=True)
class ScriptedConfig(Config):
    """What the scripted provider is told.

    *answers* are given one a call, in their order (see `Answer` for the forms).
    *then* says what follows the last: ``repeat`` it, ``cycle`` from the first,
    ``echo`` the prompt, or ``fail``. *models* are listed; every model is accepted.
    *delay* and *pause* are seconds before and between events, for answers that
    have none of their own.
    """

    answers: Any = field(default=(), metadata={"aliases": ("replies",), "literal": True})
    then: Literal["repeat", "cycle", "echo", "fail"] = "repeat"
    models: tuple[str, ...] = ("scripted",)
    delay: float = 0.0
    pause: float = 0.0


class ScriptedProvider(LLMProvider):
    """Answers from a script, deterministically; without one it echoes, with a warning.

    ``requests`` holds every typed request it got, retries included. Latencies are
    `Sleep` effects: they take real time in a program, and none under the replay
    and virtual-time drivers. Tokens are words. Embeddings depend on the text alone,
    and texts that share words are near.
    """

    info: ClassVar = ProviderInfo(
        name="scripted",
        display_name="Scripted answers",
        api_key_required=False,
    )
    params: ClassVar[ParamTable] = {name: Param(name) for name in NAMES}
    Config: ClassVar[type[Any]] = ScriptedConfig
    prefill: ClassVar = MappingProxyType({})

    def __init__(self, config: Any = None, **options: Any) -> None:
        super().__init__(config, **options)
        self.requests: list[Request[Any]] = []
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._given = 0
        self._script: list[Script] = []
        answers = self.config.answers
        if isinstance(answers, str | Mapping) or not isinstance(answers, Iterable):
            issue = ConfigIssue("answers", "must be a list", f"write [{answers!r}]")
            raise ConfigError("the configuration has problems:", [issue])
        self.add_answers(*answers)

    @classmethod
    def of(cls, *answers: Any, **config: Any) -> Self:
        """A provider that gives *answers*; further words are its configuration's."""
        return cls({"answers": answers, **config})

    def add_answers(self, *answers: Any) -> None:
        """Put *answers* behind the ones that there are.

        Raises:
            ConfigError: some are no answers; every problem is listed.
        """
        issues: list[ConfigIssue] = []
        first = len(self._script)
        parsed = [parse_answer(f"answers[{first + i}]", a, issues) for i, a in enumerate(answers)]
        if issues:
            raise ConfigError("the script has problems:", issues)
        self._script += [p for p in parsed if p is not None]

    @property
    def operations(self) -> frozenset[type[Request[Any]]]:
        """Chat, embeddings, counting tokens, and the list of models."""
        return frozenset({ChatRequest, *self._plain})

    def flow(self, request: Request[R], *, stream: bool, deadline: float) -> Flow[R]:
        """One attempt at *request*."""
        self.requests.append(request)
        if isinstance(request, ChatRequest):
            return (yield from cast("Flow[R]", self._chat(request, stream, deadline)))
        yield from ()
        return cast("R", self._plain[type(request)](self, request))

    def _next(self, request: ChatRequest) -> tuple[Answer, tuple[CallWarning, ...]]:
        """The answer whose turn it is, and what is to be said about it."""
        then = self.config.then
        with self._lock:
            turn, count = self._given, len(self._script)
            if then == "cycle" and count:
                turn %= count
            self._given = min(turn + 1, count)
        if turn >= count and then == "fail":
            message = f"the script's {count} answers are used up: add answers, or set then"
            raise ConfigError(message)
        if turn >= count and (then == "echo" or not count):
            return Answer(_last_text(request)), () if then == "echo" else (_ECHO,)
        script = self._script[min(turn, count - 1)]
        if isinstance(script, Answer):
            return script, ()
        issues: list[ConfigIssue] = []
        made = parse_answer("what the script's function returned", script(request), issues)
        if not isinstance(made, Answer):
            raise ConfigError("the script has problems:", issues)
        return made, ()

    def _chat(self, request: ChatRequest, stream: bool, deadline: float) -> Flow[ChatResponse]:
        answer, warnings = self._next(request)
        strict = self.config.strict if request.strict is None else request.strict
        if strict and warnings:
            message = f"{self.name} cannot do this as asked: {warnings[0]}"
            raise InvalidRequestError(message, param=warnings[0].subject, phase="build")
        answer = with_defaults(answer, self.config.delay, self.config.pause)
        events = _warned(answer.stream(request, next(self._numbers)), warnings)
        if answer.breaks:
            events = _cut(events, answer)
        timeout = request.timeout or self.config.timeout
        if stream:
            yield from _wait(answer.delay, min(deadline, (yield NOW) + timeout.first_chunk))
            return (yield from _deliver(events, answer, timeout.idle, deadline))
        yield from _wait(answer.delay + answer.pause * len(events), deadline)
        if answer.error is not None:
            raise answer.failure()
        if not _whole(events):
            raise TransportError("the connection broke", phase="body", maybe_executed=True)
        return fold(events)

    # What needs no script.

    def _models(self, _request: Request[Any]) -> list[ModelInfo]:
        return [ModelInfo(id=name) for name in self.config.models]

    def _model(self, request: Request[Any]) -> ModelInfo:
        return ModelInfo(id=request.model)

    def _count(self, request: TokenCountRequest) -> TokenCount:
        return TokenCount(input_tokens=sum(count_words(m.text) for m in request.messages))

    def _embed(self, request: EmbeddingRequest) -> EmbeddingResponse:
        size = request.dimensions or DIMENSIONS
        return EmbeddingResponse(
            model=request.model,
            vectors=tuple(embedding(text, size) for text in request.inputs),
            usage=Usage(input_tokens=sum(map(count_words, request.inputs)), output_tokens=0),
        )

    _plain: ClassVar[Mapping[type[Request[Any]], Callable[[Any, Any], Any]]] = {
        EmbeddingRequest: _embed,
        ModelInfoRequest: _model,
        ModelListRequest: _models,
        TokenCountRequest: _count,
    }


def embedding(text: str, size: int = DIMENSIONS) -> tuple[float, ...]:
    """A vector of *size* numbers and length 1 that depends on the words of *text* alone."""
    vector = [0.0] * size
    for word in text.casefold().split() or [""]:
        stretched = hashlib.shake_128(word.encode("utf-8", "replace")).digest(size)
        for at, byte in enumerate(stretched):
            vector[at] += byte - 127.5
    length = math.sqrt(sum(x * x for x in vector)) or 1.0
    return tuple(x / length for x in vector)


def _last_text(request: ChatRequest) -> str:
    said = [m.text for m in request.messages if m.text]
    return said[-1] if said else "(there is no text to echo)"


def _warned(events: list[StreamEvent], warnings: tuple[CallWarning, ...]) -> list[StreamEvent]:
    if not warnings:
        return events
    start = cast("StreamStart", events[0])
    return [StreamStart(id=start.id, model=start.model, warnings=warnings), *events[1:]]


def _cut(events: list[StreamEvent], answer: Answer) -> list[StreamEvent]:
    """The part of *events* that comes before the break."""
    content = [e for e in events if not isinstance(e, StreamStart | Finish)]
    kept = content if answer.cut_after is None else content[: answer.cut_after]
    return [*(e for e in events[:1] if isinstance(e, StreamStart)), *kept]


def _wait(seconds: float, until: float) -> Flow[None]:
    """Let *seconds* pass, at most up to *until*.

    Raises:
        RequestTimeoutError: *until* came first.
    """
    if not seconds:
        return
    left = until - (yield NOW)
    yield Sleep(max(0.0, min(seconds, left)))
    if seconds > left:
        raise RequestTimeoutError("no answer in time", phase="stream", maybe_executed=True)


def _whole(events: list[StreamEvent]) -> bool:
    return any(isinstance(e, Finish) for e in events)


def _deliver(
    events: list[StreamEvent], answer: Answer, idle: float, deadline: float
) -> Flow[ChatResponse]:
    """Hand out *events* one by one; fail as *answer* says, or where it is not whole."""
    built, held, delivered = ResponseBuilder(), list[StreamEvent](), False
    try:
        for event in events:
            if isinstance(event, StreamStart):
                held.append(event)
                continue
            if answer.pause and delivered:
                yield from _wait(answer.pause, min(deadline, (yield NOW) + idle))
            batch, held, delivered = [*held, event], [], True
            built.extend(batch)
            yield batch
        if answer.error is not None:
            raise answer.failure()
    except LLMError as error:
        if not delivered:
            raise
        raise _broken(f"the stream broke: {error.message}", built) from error
    if not _whole(events):
        broken = _broken("the stream ended before its answer did", built)
        broken.retryable = not delivered
        raise broken
    return built.build()


def _broken(message: str, built: ResponseBuilder) -> StreamInterruptedError:
    broken = StreamInterruptedError(message, maybe_executed=True)
    broken.partial = built.build()
    return broken
