"""The OpenAI provider keeps the contract that every provider keeps."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from jackfield.testing import ProviderConformance
from jackfield_openai import OpenAIProvider


class TestOpenAI(ProviderConformance):
    provider = OpenAIProvider
    config: ClassVar = {"api_key": "made-up-key-1234"}
    # Made with `jackfield.testing.recordings.Tape` from llama.cpp's server and the demo model.
    recordings = Path(__file__).parent / "recordings"
