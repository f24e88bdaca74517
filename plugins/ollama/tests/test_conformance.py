"""The provider keeps the contract that every provider keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from jackfield import DeleteRequest, ModelInfoRequest, PullRequest, Request
from jackfield.operations import CompletionRequest, LoadRequest, UnloadRequest
from jackfield.testing import ProviderConformance
from jackfield.testing.recordings import Recording, parse_recording
from jackfield_ollama import OllamaProvider, RunningModelsRequest


def ran(name: str, request: Request[Any], answer: Any, **expect: Any) -> Recording:
    """What came of *request*: an answer as a JSON document, or as text."""
    body = {"body_text": answer} if isinstance(answer, str) else {"body": answer}
    call = {"verb": "run", "options": {"request": request}}
    turns = [{"response": {"status": 200, **body}}]
    return parse_recording(name, {"interactions": turns, "call": call, "expect": expect})


WRITTEN = {
    "model": "m",
    "response": " a time",
    "done": True,
    "done_reason": "stop",
    "eval_count": 2,
}
SHOWN = {
    "details": {"family": "llama"},
    "model_info": {"general.architecture": "llama", "llama.context_length": 512},
    "capabilities": ["completion"],
}
DONE = {"model": "m", "message": {"role": "assistant", "content": ""}, "done": True}
OWN = [
    ran("a-completion", CompletionRequest(model="m", prompt="Once upon"), WRITTEN, text=" a time"),
    ran("a-model", ModelInfoRequest(model="m"), SHOWN, context_window=512),
    ran("running", RunningModelsRequest(), {"models": [{"model": "m"}]}, **{"0.id": "m"}),
    ran("loaded", LoadRequest(model="m"), {**DONE, "done_reason": "load"}),
    ran("unloaded", UnloadRequest(model="m"), {**DONE, "done_reason": "unload"}),
    ran("deleted", DeleteRequest(model="m"), ""),
    ran("pulled", PullRequest(model="m"), '{"status":"pulling manifest"}\n{"status":"success"}\n'),
]


class TestOllama(ProviderConformance):
    provider = OllamaProvider
    config: ClassVar = {"base_url": "http://127.0.0.1:11434"}
    recordings: ClassVar = [Path(__file__).parent / "recordings", *OWN]
