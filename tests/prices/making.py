"""A provider with the plugins loaded, prices among them, whom recorded answers answer."""

from __future__ import annotations

from functools import cache
from typing import Any

from jackfield import LLMProvider
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield.plugins import PluginManager


@cache
def plugins() -> PluginManager:
    """The installed plugins."""
    manager = PluginManager()
    manager.load_plugins()
    return manager


def provider(name: str, *answers: str, **settings: Any) -> LLMProvider:
    """The provider *name* with plugins loaded, whom *answers* answer."""
    recorded = [Recorded(chunks=[a.encode()]) for a in answers]
    drivers = {"driver": ReplayDriver(recorded), "async_driver": AsyncReplayDriver(recorded)}
    return plugins().create(name, {"api_key": "made-up-key-1234", **settings}, **drivers)
