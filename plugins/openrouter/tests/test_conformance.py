"""The OpenRouter provider keeps the contract that every provider keeps."""

from __future__ import annotations

from typing import ClassVar

from jackfield.testing import ProviderConformance
from jackfield_dialect_openai import testing as t
from jackfield_openrouter import CreditsRequest, GenerationRequest, OpenRouterProvider

TOLD = {
    "id": "gen-1",
    "model": "a-model",
    "total_cost": 0.25,
    "native_tokens_prompt": 9,
    "latency": 1500,
}
ACCOUNT = [
    t.recording(
        "credits", {"body": {"data": {"total_credits": 10, "total_usage": 2.5}}},
        {"verb": "run", "options": {"request": CreditsRequest()}},
    ),
    t.recording(
        "an-earlier-answer", {"body": {"data": TOLD}},
        {"verb": "run", "options": {"request": GenerationRequest(generation_id="gen-1")}},
        latency=1.5, **{"usage.input_tokens": 9},
    ),
]  # fmt: skip


class TestOpenRouter(ProviderConformance):
    provider = OpenRouterProvider
    config: ClassVar = {"api_key": "made-up-key-1234"}
    recordings: ClassVar = [
        *t.RECORDINGS,
        *t.MODEL,
        *ACCOUNT,
        *t.MEDIA,
        *t.COMPLETIONS,
        *t.RERANK,
        *t.SPEECH,
        *t.TRANSCRIPTION,
    ]
