"""The core's own suite: a folder whose helpers tests can import, and quiet hypothesis profiles."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))

settings.register_profile(
    "suite", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100
)
# L10: HYPOTHESIS_PROFILE=deep runs the laws ten thousand times.
settings.register_profile("deep", parent=settings.get_profile("suite"), max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


@pytest.fixture(autouse=True)
def stay_here(no_network: None) -> None:
    """Let no test reach beyond this machine."""
