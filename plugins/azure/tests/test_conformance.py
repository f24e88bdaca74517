"""The Azure provider keeps the contract that every provider keeps."""

from __future__ import annotations

from typing import ClassVar

from jackfield.testing import ProviderConformance
from jackfield_azure import AzureProvider
from jackfield_dialect_openai import testing as t


class TestAzure(ProviderConformance):
    provider = AzureProvider
    config: ClassVar = {
        "base_url": "https://made-up.openai.azure.com",
        "api_key": "made-up-key-1234",
    }
    recordings: ClassVar = [
        *t.RECORDINGS,
        *t.COMPLETIONS,
        *t.IMAGES,
        *t.SPEECH,
        *t.TRANSCRIPTION,
        *t.FILES,
        *t.BATCHES,
        *t.MODEL,
        *t.FINE_TUNING,
    ]
