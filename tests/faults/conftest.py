"""What the fault tests share: one server, and skips that say which plugin is missing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from faults.cases import PACE, PROVIDERS
from jackfield import available_providers
from jackfield.testing.faults import FaultServer


@pytest.fixture(scope="session")
def server() -> Iterator[FaultServer]:
    """The fault server, paced for tests."""
    with FaultServer(pace=PACE) as running:
        yield running


@pytest.fixture(autouse=True)
def _plugin(request: pytest.FixtureRequest) -> None:
    """Skip what is about a dialect whose plugin is not installed."""
    dialect = getattr(request.node, "callspec", None) and request.node.callspec.params.get(
        "dialect"
    )
    name = PROVIDERS.get(dialect or "openai", "")
    if name not in {str(found) for found in available_providers()}:
        pytest.skip(f"the provider {name!r} is not installed")
