"""Conformance: the capability file says what the recordings prove, and nothing else."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ...capabilities import FEATURES, FILE, home, proofs, read
from ...errors import PluginError
from ...http import HTTPProvider
from ...requests import ChatRequest, Request
from ...types import MediaPart
from ..recordings import parse_call
from .base import Base
from .expect import check_expectations, check_result
from .observe import complain, observe, replaying, require

OPTION = "--jackfield-write-capabilities"

OPERATIONS = {
    "EmbeddingRequest": "embeddings",
    "RerankRequest": "rerank",
    "ImageRequest": "image_generation",
    "SpeechRequest": "speech",
    "TranscriptionRequest": "transcription",
    "ModerationRequest": "moderation",
    "TokenCountRequest": "token_counting",
    "BatchCreateRequest": "batches",
    "FileUploadRequest": "files",
    "FineTuneCreateRequest": "fine_tuning",
}
"""The feature that an operation's success is."""

Proofs = dict[str, dict[str, str]]
UNTESTED = {"result": "untested", "proof": ""}


def asked(request: Request[Any]) -> set[str]:
    """The features that *request* needs."""
    found = {OPERATIONS[kind] for kind in [type(request).__name__] if kind in OPERATIONS}
    if isinstance(request, ChatRequest):
        parts = [p for m in request.messages for p in m.content if isinstance(p, MediaPart)]
        kinds = {"image": "vision", "audio": "audio_input", "video": "video_input"}
        for part in parts:
            found.add(kinds.get(part.media_type.partition("/")[0], "documents"))
        if request.response_format is not None and request.response_format.type == "json_schema":
            found.add("structured_output")
    return found


def shown(request: Request[Any], result: Any, *, streamed: bool) -> set[str]:
    """The features that *result* shows to have worked."""
    if getattr(result, "estimated", False):
        return set()
    if not isinstance(request, ChatRequest):
        return asked(request)
    found = asked(request) - {"structured_output"}
    calls = len(result.tool_calls)
    told = {
        "streaming": streamed,
        "tools": calls > 0,
        "parallel_tools": calls > 1,
        "reasoning": bool(result.reasoning),
        "prompt_caching": bool(result.usage.cache_read_tokens),
        "audio_output": any(_is(p, "audio") for p in result.message.content),
        "image_output": any(_is(p, "image") for p in result.message.content),
        "structured_output": "structured_output" in asked(request) and _is_json(result.text),
    }
    return found | {name for name, seen in told.items() if seen}


def _is(part: Any, kind: str) -> bool:
    return isinstance(part, MediaPart) and part.media_type.startswith(f"{kind}/")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


class CapabilityTests(Base):
    """What the plugin says it can do is what its recordings, or calls, show."""

    calls: ClassVar[Sequence[Mapping[str, Any]]] = ()
    """Calls of a provider in this process, as the ``call`` of a recording."""

    def test_its_capability_file_is_what_was_proved(self, request: pytest.FixtureRequest) -> None:
        """``pytest --jackfield-write-capabilities`` writes it; it ships in the wheel."""
        path = capability_file(self.provider)
        if path is None:
            pytest.skip(f"{self.provider.__module__} is in no package, which could hold {FILE}")
        found = self._proofs()
        missing = self.recorded()[1]
        if missing and any(p.get("result") != "untested" for p in proofs(self.provider).values()):
            complain(missing, f"correct `recordings`: what {FILE} says was proved by them")
        if self.partial and not any(p["result"] != "untested" for p in found.values()):
            pytest.skip("nothing proves anything: give recordings, or --jackfield-record")
        if request.config.getoption(OPTION):
            _write(path, self.provider.info.name, found)
            read.cache_clear()
        told = proofs(self.provider)
        differing = sorted(f for f in FEATURES if self._differ(told.get(f, UNTESTED), found[f]))
        what = f"{FILE} of {self.provider.info.name} is not what was shown: {differing}"
        require(not differing, what, f"run pytest {OPTION}, and read what changed in it")

    def _differ(self, told: Mapping[str, str], found: Mapping[str, str]) -> bool:
        """Whether they contradict one another: what was not tried here may have been elsewhere."""
        if self.partial:
            return found["result"] not in ("untested", told.get("result"))
        return told != found

    def _proofs(self) -> Proofs:
        found: Proofs = dict.fromkeys(FEATURES, UNTESTED)
        for proof, features, result in self._tried():
            for name in features:
                if found[name]["result"] != "pass":
                    found[name] = {"result": result, "proof": proof}
        return found

    def _tried(self) -> Iterator[tuple[str, set[str], str]]:
        """Each proof's name, features, and whether it shows them or fails to."""
        http = issubclass(self.provider, HTTPProvider)
        calls = [parse_call(str(c.get("name", c.get("verb", "call"))), c) for c in self.calls]
        for recording in self.recorded()[0] if http else calls:
            answers = recording.responses
            if "error" in recording.expect or any(r.status >= 300 for r in answers[-1:]):
                continue
            config = {**self.config, **recording.config}
            if http:
                made = replaying(self.provider, {**config, "retry": {"attempts": 9}}, answers)
            else:
                made = self.provider(config)
            with made as provider:
                sent = recording.request(provider)
                outcome = observe(provider, sent, recording.streamed)
            if outcome.error is not None and issubclass(outcome.error, PluginError):
                what = f"{recording}: {dict(outcome.facts)['message']}"
                complain(what, f"correct the plugin first; {FILE} stays as it is until then")
            try:
                check_expectations(recording, outcome)
                require(outcome.error is None, str(outcome), "see its error")
                check_result(str(recording), sent, outcome.result)
            except AssertionError:
                yield str(recording), asked(sent), "fail"
            else:
                yield (
                    str(recording),
                    shown(sent, outcome.result, streamed=recording.streamed),
                    "pass",
                )


def capability_file(cls: type[Any]) -> Path | None:
    """Where the capabilities of *cls* are kept; None if its module is in no package."""
    spec = importlib.util.find_spec(home(cls))
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0]) / FILE if folders else None


def _write(path: Path, name: str, found: Proofs) -> None:
    written = json.loads(path.read_text("utf-8")) if path.exists() else {}
    text = json.dumps({**written, name: found}, indent=1, sort_keys=True)
    path.write_text(text + "\n", "utf-8")
