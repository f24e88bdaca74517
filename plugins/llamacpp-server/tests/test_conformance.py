"""The provider of llama.cpp servers keeps the contract that every provider keeps."""

from __future__ import annotations

from typing import ClassVar

from jackfield.testing import ProviderConformance
from jackfield_dialect_openai import testing as t
from jackfield_llamacpp_server import LlamaServerProvider

OWN = [
    t.recording(
        "tokens", {"body": {"tokens": [{"id": 85, "piece": "N"}, {"id": 7, "piece": [195]}]}},
        {"verb": "tokenize", "prompt": "N"}, **{"ids.1": 7, "texts.0": "N"},
    ),
    t.recording(
        "a-text-of-tokens", {"body": {"content": "Nila"}},
        {"verb": "detokenize", "options": {"ids": [85, 7]}},
    ),
    t.recording(
        "a-count", {"body": {"input_tokens": 9, "object": "response.input_tokens"}},
        {"verb": "count_tokens", "prompt": "Hi"}, input_tokens=9, estimated=False,
    ),
]  # fmt: skip


class TestLlamaServer(ProviderConformance):
    provider = LlamaServerProvider
    config: ClassVar = {"api_key": "made-up-key-1234"}
    recordings: ClassVar = [*t.RECORDINGS, *t.COMPLETIONS, *t.RERANK, *OWN]
