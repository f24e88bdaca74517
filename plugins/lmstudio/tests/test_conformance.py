"""The LMStudio provider keeps the contract that every provider keeps."""

from __future__ import annotations

from typing import ClassVar

from jackfield.testing import ProviderConformance
from jackfield_dialect_openai import testing as t
from jackfield_lmstudio import LMStudioProvider


class TestLMStudio(ProviderConformance):
    provider = LMStudioProvider
    config: ClassVar = {}
    recordings: ClassVar = [*t.CHAT, *t.ERRORS, *t.EMBEDDINGS, *t.COMPLETIONS]
