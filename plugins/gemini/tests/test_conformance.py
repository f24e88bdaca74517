"""Gemini keeps the contract that every provider keeps."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from jackfield.testing import ProviderConformance
from jackfield_gemini import GeminiProvider


class TestGemini(ProviderConformance):
    provider = GeminiProvider
    config: ClassVar = {"api_key": "made-up-key-1234"}
    # Written by hand after the service's answers: see tests/gemini for the service's own.
    recordings = Path(__file__).parent / "recordings"
