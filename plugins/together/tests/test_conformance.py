"""The Together provider keeps the contract that every provider keeps."""

from __future__ import annotations

from typing import ClassVar

from jackfield.testing import ProviderConformance
from jackfield_dialect_openai import testing as t
from jackfield_together import TogetherProvider


class TestTogether(ProviderConformance):
    provider = TogetherProvider
    config: ClassVar = {"api_key": "made-up-key-1234"}
    recordings: ClassVar = [
        *t.RECORDINGS,
        *t.MODEL,
        *t.COMPLETIONS,
        *t.RERANK,
        *t.IMAGES,
        *t.SPEECH,
        *t.TRANSCRIPTION,
    ]
