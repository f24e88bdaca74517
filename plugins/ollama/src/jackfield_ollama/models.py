"""Embeddings, and the models of a server: list, show, pull, delete. https://docs.ollama.com/api."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from attrs import define, frozen

from jackfield import (
    CallWarning,
    Capabilities,
    DeleteRequest,
    EmbeddingRequest,
    EmbeddingResponse,
    LLMError,
    ModelInfo,
    ModelInfoRequest,
    Progress,
    PullRequest,
    Request,
    ResponseFormatError,
    Usage,
)
from jackfield.exchange import Call, decode, get_request, json_request
from jackfield.failures import event_error
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.framing import Frame

from .render import merge
from .wire import EMBEDDINGS, MODELS, SHOWN, STEP


@frozen(kw_only=True)
class RunningModelsRequest(Request[Sequence[ModelInfo]]):
    """Ask which models are in memory, with their context, memory and time to leave."""


def build_embed(call: Call[EmbeddingRequest]) -> HTTPRequest:
    """POST /api/embed. A strict call does not let the server cut inputs that are too long."""
    request, config = call.request, call.config
    body: dict[str, Any] = {"model": request.model, "input": list(request.inputs)}
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    if config.strict if request.strict is None else request.strict:
        body["truncate"] = False
    kept = config.keep_alive
    if kept is not None:
        body["keep_alive"] = kept if isinstance(kept, str) else f"{kept}s"
    return json_request("/api/embed", merge(body, call.options))


def parse_embed(call: Call[EmbeddingRequest], response: HTTPResponse) -> EmbeddingResponse:
    """One vector for each input, in their order."""
    answer, wanted = decode(EMBEDDINGS, response.body), call.request
    if answer.error is not None:
        raise event_error(msgspec.json.decode(response.body), call.provider.error_codes)
    vectors = answer.embeddings or ()
    if len(vectors) != len(wanted.inputs):
        message = f"{len(wanted.inputs)} inputs, but {len(vectors)} vectors (at $.embeddings)"
        raise ResponseFormatError(message)
    warnings: tuple[CallWarning, ...] = ()
    if wanted.dimensions and {len(v) for v in vectors} - {wanted.dimensions}:
        detail = f"asked for {wanted.dimensions}, got {len(vectors[0])}"
        warnings = (CallWarning("unsupported", "dimensions", detail),)
    counted = answer.prompt_eval_count
    raw = {} if counted is None else {"prompt_eval_count": counted}
    return EmbeddingResponse(
        model=answer.model or "",
        vectors=vectors,
        usage=Usage(input_tokens=counted, raw=raw),
        warnings=warnings,
    )


def build_list(_call: Call[Any]) -> HTTPRequest:
    """GET /api/tags."""
    return get_request("/api/tags")


def build_running(_call: Call[Any]) -> HTTPRequest:
    """GET /api/ps."""
    return get_request("/api/ps")


def parse_list(call: Call[Any], response: HTTPResponse) -> Sequence[ModelInfo]:
    """The models of a list; the whole entry is in ``provider_metadata``."""
    return [
        ModelInfo(
            id=wire.get("model") or wire["name"],
            context_window=_count(wire.get("context_length")),
            capabilities=_capabilities(wire.get("capabilities")),
            size_bytes=_count(wire.get("size")),
            provider_metadata={call.provider.info.name: wire},
        )
        for wire in decode(MODELS, response.body).models or ()
    ]


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _capabilities(names: Any) -> Capabilities:
    """What *names* say; a server that gives none leaves everything unknown."""
    if not isinstance(names, list):
        return Capabilities()
    chats = "completion" in names
    return Capabilities(
        streaming=chats,
        tools="tools" in names,
        vision="vision" in names,
        reasoning="thinking" in names,
        structured_output=chats,
        embeddings="embedding" in names,
    )


def build_show(call: Call[ModelInfoRequest]) -> HTTPRequest:
    """POST /api/show."""
    return json_request("/api/show", merge({"model": call.request.model}, call.options))


def parse_show(call: Call[ModelInfoRequest], response: HTTPResponse) -> ModelInfo:
    """One model; its context window is what it was trained for."""
    shown = decode(SHOWN, response.body)
    info = shown.model_info or {}
    return ModelInfo(
        id=call.request.model,
        context_window=_context(info),
        capabilities=_capabilities(shown.capabilities),
        provider_metadata={call.provider.info.name: msgspec.to_builtins(shown)},
    )


def _context(info: Mapping[str, Any]) -> int | None:
    """The architecture's own context length; other parts of a model may have theirs."""
    own = f"{info.get('general.architecture')}.context_length"
    names = [own, *(n for n in info if n.endswith(".context_length"))]
    return next((c for n in names if (c := _count(info.get(n))) is not None), None)


def build_pull(call: Call[PullRequest]) -> HTTPRequest:
    """POST /api/pull, always streamed: a silent hour cannot be told from a dead server."""
    body = merge({"model": call.request.model}, call.options) | {"stream": True}
    return json_request("/api/pull", body)


@define
class PullParser:
    """Reads the lines of one pull; only ``"status": "success"`` ends it well."""

    error_codes: Mapping[str, type[LLMError]]
    finished: bool = False
    done: bool = False

    def feed(self, frames: list[Frame], out: list[Any]) -> None:
        """Append a `Progress` for each line."""
        for _, data in frames:
            step = decode(STEP, data)
            if step.error is not None:
                raise event_error(msgspec.json.decode(data), self.error_codes)
            # The server leaves a count of zero out.
            completed = 0 if step.completed is None and step.total is not None else step.completed
            out.append(Progress(status=step.status, completed=completed, total=step.total))
            if step.status == "success":
                self.finished = self.done = True
                return

    def close(self, out: list[Any]) -> None:
        """Nothing is due at the end."""


def pull_parser(call: Call[PullRequest]) -> PullParser:
    """A parser for the answer to *call*."""
    return PullParser(call.provider.error_codes)


def build_delete(call: Call[DeleteRequest]) -> HTTPRequest:
    """DELETE /api/delete."""
    return json_request("/api/delete", {"model": call.request.model}, method="DELETE")


def parse_nothing(_call: Call[Any], _response: HTTPResponse) -> None:
    """The status said it all."""
