"""The Nvidia provider keeps the contract that every provider keeps."""

from __future__ import annotations

from typing import ClassVar

from jackfield.testing import ProviderConformance
from jackfield_dialect_openai import testing as t
from jackfield_nvidia import NvidiaProvider

RANKING = t.recording(
    "a-ranking",
    {"body": {"rankings": [{"index": 1, "logit": 2.5}, {"index": 0, "logit": -3.0}]}},
    {"verb": "rerank", "prompt": "Who?", "options": {"documents": ["Nobody", "Nila"]}},
    **{"results.0.document": "Nila", "results.0.score": 2.5},
)


class TestNvidia(ProviderConformance):
    provider = NvidiaProvider
    config: ClassVar = {"api_key": "made-up-key-1234"}
    recordings: ClassVar = [*t.RECORDINGS, *t.MODEL, *t.COMPLETIONS, RANKING]
