"""Recorded questions for the properties of llama.cpp's server, through the plugin, in every colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio
from attrs import frozen

from jackfield import create_provider
from jackfield.drivers.replay import AsyncReplayDriver, ReplayDriver
from jackfield_llamacpp_server import PropsRequest
from support.recordings import Turn

CONFIG = {"base_url": "https://replayed.example/v1", "api_key": "made-up-key-1234"}


@frozen
class Outcome:
    """What a call came to: its result or its error, and what it sent."""

    result: Any = None
    error: BaseException | None = None
    sent: Any = ()
    events: tuple[Any, ...] = ()


def takes(turn: Turn) -> bool:
    """Whether *turn* asks for the properties."""
    return turn.provider == "llamacpp" and turn.operation.endswith("/props")


def blocking(turn: Turn) -> Outcome:
    """Replay *turn*, blocking."""
    driver = ReplayDriver([turn.recorded()])
    provider = create_provider("llamacpp-server", CONFIG, driver=driver)
    try:
        result = provider.run(PropsRequest())
    except Exception as error:  # noqa: BLE001  # the tests judge it
        return Outcome(None, error, driver.transport.requests)
    return Outcome(result, None, driver.transport.requests)


def on_loop(turn: Turn, backend: str, chunks: Sequence[bytes] | None = None) -> Outcome:
    """Replay *turn* on the event loop of *backend*."""
    driver = AsyncReplayDriver([turn.recorded(chunks)])
    provider = create_provider("llamacpp-server", CONFIG, async_driver=driver)
    try:
        result: Any = anyio.run(provider.arun, PropsRequest(), backend=backend)
    except Exception as error:  # noqa: BLE001  # the tests judge it
        return Outcome(None, error, driver.transport.requests)
    return Outcome(result, None, driver.transport.requests)
