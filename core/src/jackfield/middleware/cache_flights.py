"""Calls that others wait for: one of several identical calls asks, and the rest have its answer."""

from __future__ import annotations

from typing import Any, TypeVar

from ..errors import RequestTimeoutError
from ..flow import NOW, Flow, Signal, Wait, performed, tap
from .bounded import bounded

T = TypeVar("T")


class Flight:
    """A call on its way. *kept* is its answer, once the *ended* signal is raised and if there is one."""

    def __init__(self) -> None:
        self.ended = Signal()
        self.kept: bytes | None = None
        self.found = False
        """Whether the answer was there already."""
        self._held = False
        self._steps = 0

    def watch(self, flow: Flow[T]) -> Flow[T]:
        """*flow*, so that those who wait see whether its consumer still takes its events."""
        return tap(flow, self._went_on, change=self._begun)

    def _begun(self, step: Any) -> Any:
        self._held = type(step) is list
        return step

    def _went_on(self, _step: Any, _outcome: Any) -> None:
        self._steps += 1

    def follow(self, deadline: float, patience: float) -> Flow[bool]:
        """Wait for its end; False where its consumer took no event for *patience* seconds.

        Raises:
            RequestTimeoutError: *deadline*, a time of the driver's clock, came first.
        """
        while not self.ended.raised:
            left = deadline - (yield NOW)
            if left <= 0:
                raise RequestTimeoutError("an identical call did not end in time", phase="cache")
            steps = self._steps
            raised = yield Wait(self.ended, min(left, patience))
            if not raised and patience < left and self._held and steps == self._steps:
                return False
        return True


def within(flow: Flow[T], deadline: float) -> Flow[T]:
    """*flow*, none of whose waits outlasts *deadline*, a time of the driver's clock.

    Raises:
        RequestTimeoutError: thrown into the flow where a pause would.
    """
    return performed(flow, lambda step: bounded(step, deadline, _late))


def _late() -> RequestTimeoutError:
    return RequestTimeoutError("no answer in time", phase="cache", maybe_executed=True)
