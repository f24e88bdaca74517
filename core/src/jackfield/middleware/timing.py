"""When something happens by the wall clock, and how long a call takes by the driver's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

from ..flow import NOW, Flow

T = TypeVar("T")


def utc_now() -> datetime:
    """The wall clock, for what is written down; durations are the driver's."""
    return datetime.now(UTC)


class Stopwatch:
    """Measures the flow that runs `around` it; times are seconds since its start."""

    __slots__ = ("first", "started", "total")

    def __init__(self) -> None:
        self.started = 0.0
        self.first: float | None = None
        """When the first events came; None where none came."""
        self.total: float | None = None
        """When it ended, in success or failure; None while it runs, and when it was left."""

    def around(self, flow: Flow[T]) -> Flow[T]:
        """*flow*, measured; once its events come, they pass at no cost."""
        self.started = yield NOW
        try:
            result: T = yield from self._first(flow)
        except Exception:
            self.total = (yield NOW) - self.started
            raise
        self.total = (yield NOW) - self.started
        return result

    def _first(self, flow: Flow[Any]) -> Flow[Any]:
        try:
            step = flow.send(None)
            while type(step) is not list:
                try:
                    outcome = yield step
                except Exception as error:  # noqa: BLE001  # the flow is told, whatever it is
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
            self.first = (yield NOW) - self.started
            yield step
            return (yield from flow)
        except StopIteration as stop:
            return stop.value
        finally:
            flow.close()
