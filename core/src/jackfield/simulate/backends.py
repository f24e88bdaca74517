"""A provider without a service: it takes as long, fails and costs as a scenario says, from a seed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from decimal import Decimal
from hashlib import blake2b
from struct import unpack
from typing import Any, ClassVar, NoReturn, cast

from attrs import define, evolve, field, frozen

from ..config import Config
from ..errors import (
    AuthenticationError,
    LLMError,
    OverloadedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StreamInterruptedError,
    TransportError,
)
from ..events import Finish, StreamStart, TextDelta
from ..flow import NOW, Flow, Sleep
from ..middleware.rates import parse_rate
from ..middleware.windows import Window
from ..provider import LLMProvider
from ..requests import ChatRequest, Request
from ..types import (
    ChatResponse,
    FinishReason,
    Message,
    Pricing,
    ProviderInfo,
    Role,
    TextPart,
    Usage,
)
from .scenario import BackendSettings, ModelSettings, Outage

VISIT = "jackfield.simulate"
"""Under this name the metadata of a request hold its `Visit`."""

_PIECES = 3
_ROUND_TRIP = 0.05


@define
class Visit:
    """One call of a simulation, as backends meet it: its number, and its tokens.

    *hour* is that of its arrival. *tries* counts how often each backend was asked; *last* is the target that was asked last;
    *asked* when that attempt began, be it to wait for its turn; *first* when something came of it. *tags* are
    the call's, *spent* (US dollars) what its last attempt cost.
    """

    number: int
    input: int
    output: int
    hour: int = 0
    tries: dict[str, int] = field(factory=dict)
    last: str | None = None
    asked: float = 0.0
    first: float | None = None
    tags: tuple[str, ...] = ()
    spent: Decimal = Decimal(0)


@define
class Attempt:
    """What a backend was asked and did: tokens that were read and written, and what failed."""

    target: str
    visit: Visit
    began: float
    pricing: Pricing | None
    input: int = 0
    output: int = 0
    error: LLMError | None = None


def text_of(tokens: int) -> str:
    """A text that is guessed to have so many tokens."""
    return "word" * tokens


def chances(*words: object) -> tuple[float, ...]:
    """Five numbers between 0 and 1 that depend on *words* alone."""
    digest = blake2b("\0".join(map(str, words)).encode(), digest_size=40).digest()
    return tuple(((n >> 12) + 0.5) * 2.0**-52 for n in unpack("<5Q", digest))


class SimulatedProvider(LLMProvider):
    """Stands for the provider *name* of a *kind*, and behaves as *settings* say; all chance comes from *seed*.

    The same call meets the same luck at its first, second … try here, whatever else happens:
    so two policies are compared under the same conditions. *key* is the number of the
    key that it uses, from 1; *seen* is told of each attempt when it is over. An attempt costs
    the tokens that it read and wrote; one that is refused costs nothing. For virtual time alone:
    it guards nothing against threads.
    """

    info: ClassVar = ProviderInfo(name="simulated", display_name="Simulated backend")
    operations = frozenset({ChatRequest})

    def __init__(
        self,
        settings: BackendSettings,
        config: Config | None = None,
        *,
        name: str,
        seed: int = 0,
        kind: str = "simulated",
        key: int = 1,
        seen: Callable[[Attempt], object] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(config or Config(), name=name, **options)
        self.info = evolve(type(self).info, name=kind)  # type: ignore[misc]  # goes by that name
        self.settings, self.seed = settings, seed
        self.occupancy = 0
        self._seen = seen
        own = (o for o in settings.outages if o.key in (None, key))
        self._outages = [(*outage.window, outage) for outage in own]
        rates = (settings.limits.requests, settings.limits.tokens)
        self._windows = [None if r is None else Window(parse_rate(r)) for r in rates]
        if settings.prefill:
            self.prefill = {}  # type: ignore[misc]  # of this one alone, where the class has none

    def pricing(self, model: str) -> Pricing | None:
        """What the scenario says that *model* costs."""
        price = self._of(model).price or self.settings.price
        if price is None:
            return None
        return Pricing(input=price.input, output=price.output, source="scenario")

    def _of(self, model: str) -> ModelSettings:
        return self.settings.models.get(model) or _NOTHING

    def flow(self, request: Request[Any], *, stream: bool, deadline: float) -> Flow[Any]:
        """One attempt at *request*."""
        asked = cast("ChatRequest", request)
        visit: Visit = asked.metadata[VISIT]
        tries = visit.tries[self.name] = visit.tries.get(self.name, 0) + 1
        luck = chances(self.seed, self.name, visit.number, tries)
        now = yield NOW
        timeout = asked.timeout or self.config.timeout
        until = min(deadline, now + timeout.first_chunk) if stream else deadline
        target = f"{self.name}/{asked.model}"
        attempt = Attempt(target, visit, now, self.pricing(asked.model))
        done = _done(asked)
        self.occupancy += 1
        try:
            slow = yield from self._admit(now, luck, visit.input + visit.output, until)
            attempt.input = visit.input + done
            pace = self._pace(asked.model, luck, slow, max(1, visit.output - done))
            now = yield from _wait(now, pace.first, until)
            write = _stream if stream else _whole
            return (yield from write(asked.model, attempt, pace, now, deadline))
        except LLMError as error:
            attempt.error = error
            raise
        finally:
            self.occupancy -= 1
            if self._seen is not None:
                self._seen(attempt)

    def _admit(self, now: float, luck: tuple[float, ...], tokens: int, until: float) -> Flow[float]:
        """Let a call in, or fail as the scenario says; how many times as long it takes."""
        settings, slow = self.settings, 1.0
        for start, end, outage in self._outages:
            if start <= now < end and luck[0] < outage.share:
                if outage.kind != "slow":
                    yield from _fail(outage, now, until)
                slow *= outage.factor
        if luck[1] < settings.failure_rate:
            yield from _fail(Outage(kind=settings.failure), now, until)
        most = settings.limits.concurrency
        amounts = [(w, n) for w, n in zip(self._windows, (1, tokens), strict=True) if w]
        room = max((window.when(amount, now) for window, amount in amounts), default=now)
        if room > now or (most is not None and self.occupancy > most):
            hint = room - now if room > now else None
            refusal = Outage(kind="rate_limit", after=_ROUND_TRIP, retry_after=hint)
            yield from _fail(refusal, now, until)
        for window, amount in amounts:
            window.start(window.take(amount), now)
        if settings.capacity is not None:
            slow *= max(1.0, self.occupancy / settings.capacity)
        return slow

    def _pace(self, model: str, luck: tuple[float, ...], slow: float, size: int) -> _Pace:
        """How an answer of so many tokens goes that takes *slow* times as long as usual."""
        own, settings = self._of(model), self.settings
        first = (own.first or settings.first).sample(luck[2]) * slow
        token = (own.token or settings.token).sample(luck[3]) * slow
        if luck[4] < settings.break_rate:
            return _Pace(first, token, int(size * luck[4] / settings.break_rate), broken=True)
        return _Pace(first, token, size, broken=False)


@frozen
class _Pace:
    """Seconds to the first token and for each, how many there are, and whether it breaks after them."""

    first: float
    token: float
    size: int
    broken: bool

    def end(self) -> None:
        """Raise TransportError where it breaks."""
        if self.broken:
            raise TransportError("the connection broke", phase="body", maybe_executed=True)


def _whole(
    model: str, attempt: Attempt, pace: _Pace, now: float, deadline: float
) -> Flow[ChatResponse]:
    """The answer in one piece."""
    attempt.output = min(pace.size, int((deadline - now) / pace.token))
    yield from _wait(now, pace.size * pace.token, deadline)
    pace.end()
    return _response(model, attempt)


def _stream(
    model: str, attempt: Attempt, pace: _Pace, now: float, deadline: float
) -> Flow[ChatResponse]:
    """The answer event by event: its first token, then the rest in a few pieces."""
    yield [StreamStart(model=model), TextDelta(text_of(1))]
    attempt.output = 1
    if attempt.visit.first is None:
        attempt.visit.first = now
    rest = max(0, pace.size - 1)
    cuts = [rest * n // _PIECES for n in range(_PIECES + 1)]
    try:
        for before, after in itertools.pairwise(cuts):
            if after > before:
                now = yield from _wait(now, (after - before) * pace.token, deadline)
                attempt.output += after - before
                yield [TextDelta(text_of(after - before))]
        pace.end()
    except LLMError as error:
        message = f"the stream broke: {error.message}"
        broken = StreamInterruptedError(message, maybe_executed=True)
        broken.partial = _response(model, attempt)
        raise broken from error
    answer = _response(model, attempt)
    yield [Finish(finish_reason=FinishReason.STOP, usage=answer.usage)]
    return answer


def _response(model: str, attempt: Attempt) -> ChatResponse:
    """What was written so far."""
    return ChatResponse(
        model=model,
        message=Message(Role.ASSISTANT, (TextPart(text_of(attempt.output)),)),
        finish_reason=FinishReason.STOP,
        usage=Usage(input_tokens=attempt.input, output_tokens=attempt.output),
    )


_NOTHING = ModelSettings()


def _done(request: ChatRequest) -> int:
    """Tokens of the answer that *request* has already, where it is to be gone on with."""
    last = request.messages[-1]
    return len(last.text) // 4 if last.role is Role.ASSISTANT else 0


def _wait(now: float, seconds: float, until: float) -> Flow[float]:
    """Let *seconds* pass, at most up to *until*; the time then.

    Raises:
        RequestTimeoutError: *until* came first.
    """
    if now + seconds > until:
        yield Sleep(max(0.0, until - now))
        raise RequestTimeoutError("no answer in time", phase="head", maybe_executed=True)
    yield Sleep(seconds)
    return now + seconds


def _fail(outage: Outage, now: float, until: float) -> Flow[NoReturn]:
    """Fail as *outage* says, by the time *until*."""
    yield from _wait(now, math.inf if outage.kind == "timeout" else outage.after, until)
    raise _ERRORS[outage.kind](outage)


_ERRORS: dict[str, Callable[[Outage], LLMError]] = {
    "server": lambda o: ServerError("the server failed", status=500, retry_after=o.retry_after),
    "overloaded": lambda o: OverloadedError(
        "it is overloaded", status=503, retry_after=o.retry_after
    ),
    "transport": lambda _: TransportError("the connection was refused", phase="connect"),
    "rate_limit": lambda o: RateLimitError("too fast", status=429, retry_after=o.retry_after),
    "authentication": lambda _: AuthenticationError("the key was refused", status=401),
}
