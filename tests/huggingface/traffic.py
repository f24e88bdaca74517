"""The recorded turns with Hugging Face: of which operation each is, and in which words of ours it was asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from jackfield import (
    ChatRequest,
    EmbeddingRequest,
    GenerationParams,
    MediaPart,
    Message,
    ModelInfoRequest,
    ModelListRequest,
    Request,
)
from jackfield.operations import (
    CompletionRequest,
    ImageRequest,
    RerankRequest,
    SpeechRequest,
    TranscriptionRequest,
)
from jackfield_huggingface import TaskRequest
from support.recordings import WIRE, Turn, turns

ALL = turns("huggingface")
WIRED = [
    pytest.mark.wire,
    pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}: set JACKFIELD_WIRE"),
]
Json = Mapping[str, Any]
BINARY = re.compile(r"<\d+ bytes of binary content left out>")

PATHS = {
    "GET .*/api/models/.+": "hub",
    "GET .*/models": "models",
    "POST .*/chat/completions": "chat",
    "POST .*(/pipeline/feature-extraction\\b.*|/embed)": "embeddings",
    "POST .*(/pipeline/sentence-similarity\\b.*|/rerank)": "rerank",
}
"""Operations that a path tells."""

BEHAVIOURS = {
    "embeddings": "embeddings",
    "rerank": "rerank",
    "audio_transcription": "transcription",
    "audio_speech": "speech",
    "image_generation": "image",
    "completion": "completion",
}
"""Operations of one path that the recordings' own words tell apart; all others are tasks."""

PARAMETERS = {
    "max_new_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "stop": "stop",
    "frequency_penalty": "frequency_penalty",
    "repetition_penalty": "repeat_penalty",
}


def operation(turn: Turn) -> str | None:
    """The operation of *turn*; None where it is none of ours."""
    for pattern, name in PATHS.items():
        if re.fullmatch(pattern, turn.operation):
            return name
    if not re.fullmatch(r"POST (/hf-inference)?/models/.+|POST /(generate)?", turn.operation):
        return None
    found = next((name for word, name in BEHAVIOURS.items() if word in turn.behaviours), "task")
    inputs = turn.body.get("inputs") if isinstance(turn.body, dict) else None
    # A conversation as inputs is a task of its own, and has been one of text generation.
    return "task" if found == "completion" and not isinstance(inputs, str | None) else found


def of(*operations: str) -> list[Turn]:
    """The recorded turns of *operations*, or all of ours."""
    found = [(t, operation(t)) for t in ALL]
    return [t for t, name in found if name and (name in operations or not operations)]


def each(found: Iterable[Turn]) -> pytest.MarkDecorator:
    """One test for each of the turns; one that says so where there are none."""
    missing = "no such turn is recorded; JACKFIELD_WIRE says where recordings are"
    none = pytest.param(None, marks=pytest.mark.skip(reason=missing))
    return pytest.mark.parametrize("turn", [pytest.param(t, id=str(t)) for t in found] or [none])


def model(turn: Turn) -> str:
    """The model that the path of *turn* names, or its body."""
    named = re.search(r"/models/(.+?)(?:/v1/.*|/pipeline/.*)?$", turn.path)
    last = re.search(r"/pipeline/[^/]+/(.+)$", turn.path)
    told = turn.body.get("model") if isinstance(turn.body, dict) else None
    found = last or named
    return unquote(found[1]) if found and operation(turn) != "chat" else str(told or "a-model")


def config(turn: Turn) -> dict[str, Any]:
    """What a caller configures to reach where *turn* was."""
    url = urlsplit(turn.request["url"])
    root = f"{url.scheme}://{url.netloc}"
    if operation(turn) == "chat":
        return {"base_url": root + url.path.removesuffix("/chat/completions")}
    if operation(turn) == "hub":
        return {"hub_url": root}
    return {"base_url": f"{root}/v1"}


def whole(turn: Turn) -> Any:
    """The JSON of an answer that is no stream, None where it is none."""
    try:
        return json.loads(turn.payload)
    except ValueError:
        return None


def typed(turn: Turn) -> Request[Any]:
    """The request of *turn*, or one to which its answer can be one where none was recorded."""
    body = turn.body if isinstance(turn.body, dict) else {}
    name, inputs = model(turn), body.get("inputs")
    own = {
        k: v for k, v in body.items() if k not in ("inputs", "parameters", "model", "stream") and v
    }
    match operation(turn):
        case "chat":
            return ChatRequest(model=name, messages=[Message("user", "Hi")])
        case "models":
            return ModelListRequest()
        case "hub":
            return ModelInfoRequest(model=name)
        case "embeddings":
            return EmbeddingRequest(model=name, inputs=inputs or "x", provider_options=_own(own))
        case "rerank":
            return _rerank(name, body, turn)
        case "transcription":
            return TranscriptionRequest(model=name, audio=MediaPart("audio/flac", b"fLaC"))
        case "image":
            return ImageRequest(model=name, prompt=inputs or "x")
        case "speech":
            return SpeechRequest(model=name, text=inputs or "x")
        case "completion":
            return _completion(name, body)
    given: Any = MediaPart("image/png", b"\x89PNG") if inputs is None else inputs
    parameters = body.get("parameters") or {}
    return TaskRequest(model=name, inputs=given, parameters=parameters, provider_options=_own(own))


def _own(fields: Json) -> dict[str, Any]:
    return {"huggingface": dict(fields)} if fields else {}


def _rerank(name: str, body: Json, turn: Turn) -> RerankRequest:
    given: Any = body.get("inputs") or {}
    texts = given.get("sentences") or body.get("texts") or ["x"] * len(whole(turn) or ())
    query = given.get("source_sentence") or body.get("query") or "x"
    return RerankRequest(model=name, query=query, documents=texts)


def _completion(name: str, body: Json) -> CompletionRequest:
    given = {k: v for k, v in (body.get("parameters") or {}).items() if v not in (None, [])}
    common = {PARAMETERS[k]: v for k, v in given.items() if k in PARAMETERS}
    if "stop" in common:
        common["stop"] = tuple(common["stop"])
    own = {k: v for k, v in given.items() if k not in PARAMETERS}
    options = _own({"parameters": own} if own else {})
    params = GenerationParams(**common)
    prompt = str(body.get("inputs") or "x")
    return CompletionRequest(model=name, prompt=prompt, params=params, provider_options=options)
