"""Backends that live in virtual time: they take as long and fail as they are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from jackfield import ChatRequest, ChatResponse, LLMError, LLMProvider, Message, Usage, fold, replay
from jackfield.flow import NOW, RANDOM, Flow, Sleep
from jackfield.requests import Request
from jackfield.types import ProviderInfo

Behaviour = Callable[[float, float], LLMError | None]
"""From the time and a chance to the failure, if there is one."""


class Backend(LLMProvider):
    """Answers its own name after *latency* seconds, or fails as *behaviour* says."""

    info: ClassVar = ProviderInfo(name="backend", display_name="Backend", api_key_required=False)
    operations = frozenset({ChatRequest})

    def __init__(
        self, name: str, behaviour: Behaviour | None = None, latency: float = 0.1, **options: Any
    ) -> None:
        super().__init__(name=name, **options)
        self.behaviour, self.latency = behaviour, latency
        self.arrivals: list[float] = []

    def flow(self, request: Request[Any], *, stream: bool, deadline: float) -> Flow[Any]:
        now = yield NOW
        self.arrivals.append(now)
        yield Sleep(self.latency)
        error = self.behaviour(now, (yield RANDOM)) if self.behaviour else None
        if error is not None:
            raise error
        answer = ChatResponse(
            model=request.model,
            message=Message("assistant", self.name),
            usage=Usage(input_tokens=1, output_tokens=10),
        )
        yield replay(answer)
        return fold(replay(answer))


def during(start: float, end: float, error: Callable[[], LLMError]) -> Behaviour:
    """Failing with *error* from *start* until *end*."""
    return lambda now, _: error() if start <= now < end else None


def ask(model: str = "m") -> ChatRequest:
    return ChatRequest(model=model, messages="Hi")
