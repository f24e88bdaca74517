"""The OpenRouter provider keeps the contract that every provider keeps."""

from __future__ import annotations

from typing import ClassVar

from jackfield.testing import ProviderConformance
from jackfield_dialect_openai import testing as t
from jackfield_openrouter import OpenRouterProvider


class TestOpenRouter(ProviderConformance):
    provider = OpenRouterProvider
    config: ClassVar = {"api_key": "made-up-key-1234"}
    recordings: ClassVar = [
        *t.RECORDINGS,
        *t.MEDIA,
        *t.COMPLETIONS,
        *t.RERANK,
        *t.SPEECH,
        *t.TRANSCRIPTION,
    ]
