"""The provider of llama.cpp servers keeps the contract that every provider keeps."""

from __future__ import annotations

from typing import Any, ClassVar

from jackfield import Message, ModelInfoRequest, Request
from jackfield.operations import LoadRequest, UnloadRequest
from jackfield.testing import ProviderConformance
from jackfield.testing.recordings import Recording
from jackfield_dialect_openai import testing as t
from jackfield_llamacpp_server import (
    LlamaServerProvider,
    PropsRequest,
    SlotsRequest,
    TemplateRequest,
)


def ran(name: str, request: Request[Any], body: Any, **expect: Any) -> Recording:
    """What came of *request*, whose answer has that *body*."""
    return t.recording(
        name, {"body": body}, {"verb": "run", "options": {"request": request}}, **expect
    )


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
    ran("properties", PropsRequest(), {"total_slots": 4, "default_generation_settings": {"n_ctx": 512}},
        slots=4, context_window=512),
    ran("slots", SlotsRequest(), [{"id": 0, "n_ctx": 512, "is_processing": True}], **{"0.busy": True}),
    ran("a-template", TemplateRequest(model="m", messages=[Message("user", "Hi")]), {"prompt": "<|Hi|>"}),
    ran("loaded", LoadRequest(model="m"), {"success": True}),
    ran("unloaded", UnloadRequest(model="m"), {"success": True}),
    ran("a-served-model", ModelInfoRequest(model="m"), {"data": [{"id": "m", "meta": {"n_ctx": 512}}]},
        context_window=512),
]  # fmt: skip


class TestLlamaServer(ProviderConformance):
    provider = LlamaServerProvider
    config: ClassVar = {"api_key": "made-up-key-1234"}
    recordings: ClassVar = [*t.RECORDINGS, *t.COMPLETIONS, *t.RERANK, *OWN]
