"""Cohere keeps the contract that every provider keeps."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from jackfield import ModelInfoRequest
from jackfield.testing import ProviderConformance
from jackfield.testing.recordings import parse_recording
from jackfield_cohere import CohereProvider

CALLS = {
    "a-text-of-tokens": ({"text": "Nila"}, {"verb": "detokenize", "options": {"ids": [85, 7]}}, {}),
    "a-count": (
        {"tokens": [85, 7], "token_strings": ["Ni", "la"]},
        {"verb": "count_tokens", "prompt": "Nila"},
        {"input_tokens": 2, "estimated": True},
    ),
    "a-model": (
        {"name": "command-x", "context_length": 128000, "endpoints": ["chat"]},
        {"verb": "run", "options": {"request": ModelInfoRequest(model="command-x")}},
        {"context_window": 128000},
    ),
}
OWN = [
    parse_recording(n, {"interactions": [{"response": {"body": b}}], "call": c, "expect": e})
    for n, (b, c, e) in CALLS.items()
]


class TestCohere(ProviderConformance):
    provider = CohereProvider
    config: ClassVar = {"api_key": "made-up-key-1234"}
    # Written by hand after the service's answers: see tests/cohere for the service's own.
    recordings: ClassVar = [Path(__file__).parent / "recordings", *OWN]
    # What the service says about a call beside the answer is kept as it came.
    opaque = ProviderConformance.opaque | {"meta"}
