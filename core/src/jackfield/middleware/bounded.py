"""Steps of a flow that are over by a deadline, whatever they wait for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve

from ..errors import LLMError
from ..flow import NOW, Flow, HTTPRequest, Read, Sleep, Wait


def bounded(step: Any, deadline: float, late: Callable[[], LLMError]) -> Flow[Any]:
    """Perform *step* of a flow by *deadline*, a time of the driver's clock; its outcome.

    Raises:
        LLMError: *late* made it: a pause would outlast the deadline.
    """
    if isinstance(step, Sleep | Wait):
        left = max(0.0, deadline - (yield NOW))
        if step.seconds <= left:
            return (yield step)
        if (yield evolve(step, seconds=left)):
            return True
        raise late()
    if type(step) is HTTPRequest:
        step = evolve(step, deadline=min(step.deadline, deadline))
    elif type(step) is Read:
        step = Read(step.response, min(step.deadline, deadline))
    return (yield step)
