"""A made-up world for tests of limits: backends that note when they are asked, in virtual time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from attrs import frozen

from jackfield import ChatRequest, ChatResponse, LLMError, Message, ProviderInfo, Timeout, Usage
from jackfield.drivers.virtual import VirtualDriver
from jackfield.flow import NOW, Flow, Invoke, Sleep
from jackfield.manager.settings import LimitSettings
from jackfield.middleware.limits import Limits
from jackfield.params import GenerationParams
from jackfield.plugins import PluginManager
from jackfield.provider import LLMProvider
from jackfield.requests import Request, guess_tokens

LONG = Timeout(total=10_000_000)
PATIENT = 86400.0
EPSILON = 1e-4
"""Seconds that a wait may be longer than reckoned: each window has a microsecond on top."""

INPUT = guess_tokens(ChatRequest(model="m", messages="x"))
"""Tokens at which a call's prompt is reckoned."""


def limits(**given: Any) -> LimitSettings:
    """Settings under which everybody waits as long as it takes, and nothing is learnt."""
    return LimitSettings(**{"wait": PATIENT, "learn": False, **given})


@frozen(kw_only=True)
class Call:
    """One call: when it comes, to whom, how long it takes, and the *tokens* that it asks for in all.

    *leaves* is after how many seconds the caller closes it; it ends with *error*,
    or with *usage*, by default exactly the tokens that it asked for.
    """

    at: float = 0.0
    provider: str = "p"
    model: str = "m"
    seconds: float = 0.0
    tokens: int = INPUT + 1
    leaves: float | None = None
    error: LLMError | None = None
    usage: Usage | None = None

    def request(self, number: int) -> ChatRequest:
        """What is asked for it; it knows its *number* in the test."""
        return ChatRequest(
            model=self.model,
            messages="x",
            params=GenerationParams(max_tokens=self.tokens - INPUT),
            timeout=LONG,
            metadata={"call": self, "number": number},
        )


@frozen
class Start:
    """An attempt that reached its backend, and the time for which it was there."""

    number: int
    call: Call
    at: float
    end: float


class Backend(LLMProvider):
    """Does what each call's `Call` says, and notes it in *starts*."""

    info: ClassVar = ProviderInfo(name="backend", display_name="Backend", api_key_required=False)
    operations = frozenset({ChatRequest})

    def __init__(self, name: str, starts: list[Start], **options: Any) -> None:
        super().__init__({"retry": {"attempts": 1}}, name=name, **options)
        self.starts = starts

    def flow(self, request: Request[Any], *, stream: bool, deadline: float) -> Flow[Any]:
        call: Call = request.metadata["call"]
        began = yield NOW
        try:
            yield Sleep(call.seconds)
            if call.error is not None:
                raise call.error
            exact = Usage(input_tokens=INPUT, output_tokens=call.tokens - INPUT)
            return ChatResponse(
                model=call.model, message=Message("assistant", "ok"), usage=call.usage or exact
            )
        finally:
            ended = began + call.seconds
            if call.leaves is not None:
                ended = min(ended, max(began, call.at + call.leaves))
            self.starts.append(Start(request.metadata["number"], call, began, ended))


class World:
    """Backends behind one `Limits`."""

    def __init__(
        self, everything: LimitSettings | None = None, **providers: LimitSettings | None
    ) -> None:
        given = {name: settings for name, settings in providers.items() if settings is not None}
        self.limits = Limits(everything, given, clock=lambda: self.driver.now)
        self.manager = PluginManager()
        self.manager.register(self.limits)
        self.driver = VirtualDriver()
        self.starts: list[Start] = []
        self.backends: dict[str, Backend] = {}

    def flow(self, call: Call, number: int = 0) -> Flow[Any]:
        """The whole flow of *call*."""
        if call.provider not in self.backends:
            made = Backend(call.provider, self.starts, hook=self.manager.hook)
            self.backends[call.provider] = made
        return self.backends[call.provider].call(call.request(number))

    def run(self, calls: Sequence[Call]) -> list[Any]:
        """The outcomes of *calls*, in their order; `starts` are in the order of time afterwards."""
        flows: list[tuple[float, Flow[Any]]] = []
        leavers: list[tuple[float, Flow[Any]]] = []
        for number, call in enumerate(calls):
            flow = self.flow(call, number)
            flows.append((call.at, flow))
            if call.leaves is not None:
                leavers.append((call.at + call.leaves, _close(flow)))
        outcomes = self.driver.run_all([*flows, *leavers])[: len(calls)]
        self.starts.sort(key=lambda start: start.at)
        return outcomes


def _close(flow: Flow[Any]) -> Flow[None]:
    yield Invoke(flow.close)


def most_in_a_window(starts: Sequence[tuple[float, int]], seconds: float) -> int:
    """The largest sum of amounts that started in any half-open stretch of so many *seconds*."""
    most = held = first = 0
    ordered = sorted(starts)
    for at, amount in ordered:
        held += amount
        while at - ordered[first][0] >= seconds:
            held -= ordered[first][1]
            first += 1
        most = max(most, held)
    return most


def most_at_once(starts: Sequence[Start]) -> int:
    """How many were on their way at the same time, at most."""
    turns = [(s.at, 1) for s in starts if s.end > s.at] + [
        (s.end, -1) for s in starts if s.end > s.at
    ]
    most = held = 0
    for _, change in sorted(turns):
        held += change
        most = max(most, held)
    return most
