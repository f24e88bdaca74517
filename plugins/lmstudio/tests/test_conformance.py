"""The LMStudio provider keeps the contract that every provider keeps."""

from __future__ import annotations

from typing import ClassVar

from jackfield.operations import LoadRequest, UnloadRequest
from jackfield.testing import ProviderConformance
from jackfield.testing.recordings import parse_recording
from jackfield_dialect_openai import testing as t
from jackfield_lmstudio import LMStudioProvider

LISTED = {
    "models": [
        {"key": "a-model", "type": "llm", "max_context_length": 4096, "loaded_instances": [{"id": "a-model:2"}]},
    ],
}  # fmt: skip
NATIVE = [
    t.recording("native-models", {"body": LISTED}, {"verb": "list_models"}, **{"0.context_window": 4096}),
    t.recording(
        "loaded", {"body": {"status": "loaded", "instance_id": "a-model"}},
        {"verb": "run", "options": {"request": LoadRequest(model="a-model", context_length=4096)}},
    ),
    parse_recording(
        "unloaded",
        {
            "interactions": [
                {"response": {"body": LISTED}},
                {"request": {"body": {"instance_id": "a-model:2"}}, "response": {"body": {}}},
            ],
            "call": {"verb": "run", "options": {"request": UnloadRequest(model="a-model")}},
        },
    ),
]  # fmt: skip


class TestLMStudio(ProviderConformance):
    provider = LMStudioProvider
    config: ClassVar = {}
    recordings: ClassVar = [*t.CHAT, *t.ERRORS, *t.EMBEDDINGS, *t.COMPLETIONS, *t.MODEL, *NATIVE]
