"""The vLLM provider keeps the contract that every provider keeps."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from jackfield import ModelInfoRequest
from jackfield.testing import ProviderConformance
from jackfield.testing.recordings import load_recordings
from jackfield_dialect_openai import testing as t
from jackfield_vllm import ScoreRequest, VLLMProvider

# After the shapes that the server's own source declares.
TOKENS = {"count": 2, "max_model_len": 4096, "tokens": [101, 7], "token_strs": ["Ni", "la"]}
OWN = [
    t.recording(
        "tokens", {"body": TOKENS}, {"verb": "tokenize", "prompt": "Nila"},
        **{"ids.1": 7, "texts.0": "Ni"},
    ),
    t.recording(
        "a-text-of-tokens", {"body": {"prompt": "Nila"}},
        {"verb": "detokenize", "options": {"ids": [101, 7]}},
    ),
    t.recording(
        "a-count", {"body": {**TOKENS, "token_strs": None}}, {"verb": "count_tokens", "prompt": "Nila"},
        input_tokens=2, estimated=False,
    ),
    t.recording(
        "scores", {"body": {"id": "s-1", "model": "a-model", "data": [
            {"index": 0, "score": 0.1}, {"index": 1, "score": 0.9},
        ]}},
        {"verb": "run", "options": {"request": ScoreRequest(model="a-model", first="Who?", second=["A", "B"])}},
        **{"scores.1": 0.9},
    ),
    t.recording(
        "a-served-model", {"body": {"data": [{"id": "a-model", "max_model_len": 4096}]}},
        {"verb": "run", "options": {"request": ModelInfoRequest(model="a-model")}}, context_window=4096,
    ),
]  # fmt: skip


class TestVLLM(ProviderConformance):
    provider = VLLMProvider
    config: ClassVar = {"api_key": "made-up-key-1234"}
    # Made with `jackfield.testing.Tape` from llama.cpp's server and the demo model.
    recordings: ClassVar = [
        *load_recordings(Path(__file__).parent / "recordings"),
        *t.CHAT,
        *t.COMPLETIONS,
        *t.RERANK,
        *t.TRANSCRIPTION,
        *OWN,
    ]
