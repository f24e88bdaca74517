"""What the promises' tests share: worlds that are closed when a test ends."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from manager.worlds import TIMEOUT, Make, Place, World, everything, provider_table, table


@pytest.fixture
def make(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Make]:
    """Worlds of named places; ``extra`` is further text of the file, ``route`` the route's fields."""
    caplog.set_level(logging.CRITICAL, "jackfield")  # thousands of failures are meant
    worlds: list[World] = []

    def build(extra: str = "", route: Any = None, timeout: Any = TIMEOUT, **places: Place) -> World:
        text = "".join(provider_table(name, timeout=timeout) for name in places)
        fields = {"targets": list(places), **(route or {})}
        text += table("routes.main", fields) + everything(tmp_path) + extra
        worlds.append(World(tmp_path, text, **places))
        return worlds[-1]

    yield build
    for world in worlds:
        world.close()
