"""The provider keeps the contract that every provider keeps."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from jackfield.testing import ProviderConformance
from jackfield_ollama import OllamaProvider


class TestOllama(ProviderConformance):
    provider = OllamaProvider
    config: ClassVar = {"base_url": "http://127.0.0.1:11434"}
    recordings = Path(__file__).parent / "recordings"
