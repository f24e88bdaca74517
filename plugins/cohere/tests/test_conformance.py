"""Cohere keeps the contract that every provider keeps."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from jackfield.testing import ProviderConformance
from jackfield_cohere import CohereProvider


class TestCohere(ProviderConformance):
    provider = CohereProvider
    config: ClassVar = {"api_key": "made-up-key-1234"}
    # Written by hand after the service's answers: see tests/cohere for the service's own.
    recordings = Path(__file__).parent / "recordings"
    # What the service says about a call beside the answer is kept as it came.
    opaque = ProviderConformance.opaque | {"meta"}
