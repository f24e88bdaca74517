"""The generic provider keeps the contract that every provider keeps."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from jackfield.testing import ProviderConformance
from jackfield_dialect_openai import GenericProvider
from jackfield_dialect_openai import testing as t


class TestGeneric(ProviderConformance):
    provider = GenericProvider
    config: ClassVar = {"base_url": "http://127.0.0.1:8080/v1", "api_key": "made-up-key-1234"}
    # Made with `jackfield.testing.Tape` from llama.cpp's server and the demo model.
    # The others are after the official description.
    recordings: ClassVar = [
        Path(__file__).parent / "recordings",
        *t.CHAT,
        *t.MEDIA,
        *t.ERRORS,
        *t.COMPLETIONS,
        *t.RERANK,
        *t.IMAGES,
        *t.SPEECH,
        *t.TRANSCRIPTION,
        *t.MODERATION,
        *t.FILES,
        *t.BATCHES,
        *t.MODEL,
        *t.FINE_TUNING,
    ]
