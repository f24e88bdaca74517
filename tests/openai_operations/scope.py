"""The recorded turns of the operations beside chat completions, and what each is in typed words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from jackfield import ChatRequest, Message, ModelInfoRequest, Request, TokenCountRequest
from jackfield.operations import (
    BatchCancelRequest,
    BatchCreateRequest,
    BatchInfoRequest,
    BatchListRequest,
    CompletionRequest,
    DetokenizeRequest,
    FileContentRequest,
    FileDeleteRequest,
    FileInfoRequest,
    FileListRequest,
    FileUploadRequest,
    FineTuneCancelRequest,
    FineTuneCreateRequest,
    FineTuneInfoRequest,
    FineTuneListRequest,
    ImageRequest,
    ModerationRequest,
    RerankRequest,
    SpeechRequest,
    TokenizeRequest,
    TranscriptionRequest,
)
from jackfield.types import MediaPart
from jackfield_llamacpp_server import SlotsRequest, TemplateRequest
from jackfield_openrouter import CreditsRequest, GenerationRequest
from jackfield_vllm import ScoreRequest
from openai_dialect import scope as dialect
from openai_dialect.scope import OWN, VENDORS
from openai_operations.forms import form_fields, form_files
from support.recordings import Turn, turns

SERVICES = (
    "azure_openai", "deepseek", "groq", "huggingface", "llamacpp", "lmstudio", "mistral", "nvidia_nim",
    "ollama", "openai", "openrouter", "together", "vllm", "xai",
)  # fmt: skip

OPERATIONS = {
    "responses": r"POST .*/responses",
    "input tokens": r"POST .*/responses/input_tokens",
    "completions": r"POST .*(?<!chat)(?<!fim)(?<!agents)/completions",
    "images": r"POST .*/images/(generations|edits)",
    "speech": r"POST .*/audio/speech",
    "transcription": r"POST .*/audio/(transcriptions|translations)",
    "moderation": r"POST .*/moderations",
    "rerank": r"POST .*/(rerank|reranking|ranking)",
    "upload": r"POST .*/files",
    "file": r"GET .*/files/[^/]+",
    "file content": r"GET .*/files/[^/]+/content",
    "delete file": r"DELETE .*/files/[^/]+",
    "create batch": r"POST .*/batches",
    "batch": r"GET .*/batches/[^/]+",
    "cancel batch": r"POST .*/batches/[^/]+/cancel",
}

UNRECORDED = {
    "files": r"GET .*/files",
    "batches": r"GET .*/batches",
    "fine-tune": r"POST .*/fine_tuning/jobs",
    "fine-tuning job": r"GET .*/fine_tuning/jobs/[^/]+",
    "fine-tuning jobs": r"GET .*/fine_tuning/jobs",
    "cancel fine-tuning": r"POST .*/fine_tuning/jobs/[^/]+/cancel",
    "tokenize": r"POST .*/tokenize",
    "detokenize": r"POST .*/detokenize",
    "score": r"POST .*/score",
    "slots": r"GET .*/slots",
    "template": r"POST .*/apply-template",
    "credits": r"GET .*/credits",
    "generation": r"GET .*/generation",
}
"""Operations of which there need not be a recording."""

ANY = "an error of another API"
"""What failed where there is no operation: an error is told alike, whatever was asked for."""

ONLY = {
    "tokenize": ("llamacpp", "vllm"),
    "detokenize": ("llamacpp", "vllm"),
    "score": ("vllm",),
    "slots": ("llamacpp",),
    "template": ("llamacpp",),
    "credits": ("openrouter",),
    "generation": ("openrouter",),
    **dict.fromkeys(
        ("fine-tune", "fine-tuning job", "fine-tuning jobs"), ("openai", "azure_openai")
    ),
    "cancel fine-tuning": ("openai", "azure_openai"),
}
"""Whose operations some are."""

# The same words for things of another kind.
FOREIGN = {
    ("xai", r".*/batches\b.*"): "xAI's batches are filled and read by endpoints of their own",
    ("openai", r".*/vector_stores/.*"): "vector stores are no operation of ours",
    ("azure_openai", r".*/vector_stores/.*"): "vector stores are no operation of ours",
}


def operation(turn: Turn) -> str | None:
    """The operation of *turn*; None if it is none of these."""
    if foreign(turn) is not None:
        return ANY if turn.status >= 300 else None
    every = {**OPERATIONS, **UNRECORDED}
    found = next((n for n, p in every.items() if re.fullmatch(p, turn.operation)), None)
    if found is not None and turn.provider in ONLY.get(found, (turn.provider,)):
        return found
    strange = dialect.operation(turn) is None and dialect.beyond(turn) is not None
    return ANY if strange and turn.status >= 300 else None


def foreign(turn: Turn) -> str | None:
    """Why *turn* is of no operation in spite of its path, if so."""
    return next(
        (r for (s, p), r in FOREIGN.items() if s == turn.provider and re.fullmatch(p, turn.path)),
        None,
    )


def inside(*operations: str) -> list[Turn]:
    """The recorded turns of *operations*."""
    return [t for s in SERVICES for t in turns(s) if operation(t) in operations]


def failed(turn: Turn) -> bool:
    """Whether *turn* was answered with an error."""
    if turn.status >= 300:
        return True
    told = turn.data() if turn.streamed else [turn.response.get("body")]
    return any(
        isinstance(d, dict) and (d.get("error") or d.get("type") == "error") for d in told
    ) or any(isinstance(d, dict) and d.get("type") == "response.failed" for d in told)


def typed(turn: Turn) -> Request[Any]:
    """Some request whose answer *turn* could be, with what its reading depends on."""
    body = turn.body if isinstance(turn.body, dict) else form_fields(turn.body)
    model, found = str(body.get("model") or "a-model"), operation(turn)
    *_, before, last = turn.path.rstrip("/").split("/")
    if found in BY_ID:
        kind, named = BY_ID[found]
        made: Request[Any] = kind(**{named: before if last in ("content", "cancel") else last})
        return made
    make = MADE[str(found)]
    return make(turn, body, model)


def _chat(_turn: Turn, _body: Any, model: str) -> Request[Any]:
    own = {name: {"api": "responses"} for name in PLUGINS}
    return ChatRequest(model=model, messages=[Message("user", "Hi")], provider_options=own)


def _completion(_turn: Turn, body: Any, model: str) -> Request[Any]:
    own = {name: {"n": body["n"]} for name in PLUGINS if body.get("n")}
    return CompletionRequest(model=model, prompt=str(body.get("prompt")), provider_options=own)


def _transcription(turn: Turn, _body: Any, model: str) -> Request[Any]:
    files = form_files(turn.body) if isinstance(turn.body, str) else [("a.wav", "audio/wav")]
    name, kind = files[0]
    return TranscriptionRequest(model=model, audio=MediaPart(kind, b"sound", name=name))


def _moderation(_turn: Turn, body: Any, model: str) -> Request[Any]:
    given = body.get("input")
    return ModerationRequest(model=model, inputs=given if isinstance(given, list) else [given])


def _rerank(_turn: Turn, body: Any, model: str) -> Request[Any]:
    given = body.get("documents") or body.get("passages") or ["a document"] * 20
    query = _text(body.get("query") or "a question")
    return RerankRequest(model=model, query=query, documents=[_text(d) for d in given])


def _speech(_turn: Turn, body: Any, model: str) -> Request[Any]:
    asked = body.get("response_format")
    return SpeechRequest(model=model, text=str(body.get("input")), output_format=asked)


PLUGINS = (*OWN, "openai-compatible", *VENDORS.values())
BY_ID: dict[str | None, tuple[Any, str]] = {
    "file": (FileInfoRequest, "file_id"),
    "file content": (FileContentRequest, "file_id"),
    "delete file": (FileDeleteRequest, "file_id"),
    "batch": (BatchInfoRequest, "job_id"),
    "cancel batch": (BatchCancelRequest, "job_id"),
    "fine-tuning job": (FineTuneInfoRequest, "job_id"),
    "cancel fine-tuning": (FineTuneCancelRequest, "job_id"),
}
MADE: dict[str, Callable[[Turn, Any, str], Request[Any]]] = {
    "responses": _chat,
    "input tokens": lambda _, __, m: TokenCountRequest(model=m, messages=[Message("user", "Hi")]),
    "completions": _completion,
    "images": lambda _, body, m: ImageRequest(model=m, prompt=str(body.get("prompt"))),
    "speech": _speech,
    "transcription": _transcription,
    "moderation": _moderation,
    "rerank": _rerank,
    "upload": lambda _, body, __: FileUploadRequest(
        data=b"x", name="a.pdf", purpose=body.get("purpose")
    ),
    "create batch": lambda _, __, m: BatchCreateRequest(
        items=[ChatRequest(model=m, messages=[Message("user", "Hi")])]
    ),
    "files": lambda *_: FileListRequest(),
    "batches": lambda *_: BatchListRequest(),
    "fine-tune": lambda _, body, m: FineTuneCreateRequest(
        model=m, training_file=str(body.get("training_file"))
    ),
    "fine-tuning jobs": lambda *_: FineTuneListRequest(),
    "tokenize": lambda _, body, m: TokenizeRequest(model=m, text=str(body.get("prompt"))),
    "detokenize": lambda _, body, m: DetokenizeRequest(model=m, ids=body.get("tokens") or [1]),
    "score": lambda _, body, m: ScoreRequest(
        model=m, first=body.get("text_1") or "x", second=body.get("text_2") or "x"
    ),
    "slots": lambda *_: SlotsRequest(),
    "template": lambda *_: TemplateRequest(messages=[Message("user", "Hi")]),
    "credits": lambda *_: CreditsRequest(),
    "generation": lambda *_: GenerationRequest(generation_id="gen-1"),
    ANY: lambda _, __, m: ModelInfoRequest(model=m),
}


def _text(document: Any) -> str:
    return document if isinstance(document, str) else str(document.get("text"))
