"""Embeddings, and the models of a server: list, show, pull, delete. https://docs.ollama.com/api."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec
from attrs import define, evolve, frozen

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
from jackfield.flow import Flow, HTTPRequest, HTTPResponse
from jackfield.framing import Frame

from .refusals import refused
from .render import merge
from .wire import EMBEDDINGS, MODELS, SHOWN, STEP

_TIMES = ("total_duration", "load_duration")
_LARGE = {"license", "modelfile", "tensors"}


@frozen(kw_only=True)
class RunningModelsRequest(Request[Sequence[ModelInfo]]):
    """Ask which models are in memory, with their context, memory and time to leave."""


def _alike(call: Call[EmbeddingRequest]) -> None:
    """Say that Ollama embeds a text alike, whatever the vector is for."""
    if call.request.input_type is not None:
        call.warn("unsupported", "input_type", "put what the model wants before each text")


def build_embed(call: Call[EmbeddingRequest]) -> HTTPRequest:
    """POST /api/embed. A strict call does not let the server cut inputs that are too long."""
    request, config = call.request, call.config
    _alike(call)
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
    if answer.error:
        raise refused(response.body, call.provider.error_codes)
    vectors = answer.embeddings or (() if answer.embedding is None else (answer.embedding,))
    if len(vectors) != len(wanted.inputs):
        message = f"{len(wanted.inputs)} inputs, but {len(vectors)} vectors (at $.embeddings)"
        raise ResponseFormatError(message)
    warnings: tuple[CallWarning, ...] = ()
    if wanted.dimensions and {len(v) for v in vectors} - {wanted.dimensions}:
        detail = f"asked for {wanted.dimensions}, got {len(vectors[0])}"
        warnings = (CallWarning("unsupported", "dimensions", detail),)
    counted = answer.prompt_eval_count
    raw = {} if counted is None else {"prompt_eval_count": counted}
    took = {n: v for n in _TIMES if (v := getattr(answer, n)) is not None}
    return EmbeddingResponse(
        model=answer.model or "",
        vectors=vectors,
        usage=Usage(input_tokens=counted, raw=raw),
        warnings=warnings,
        provider_metadata={call.provider.info.name: took} if took else {},
    )


def embed_singly(call: Call[EmbeddingRequest]) -> Flow[EmbeddingResponse]:
    """POST /api/embeddings for each input: what servers before 0.3 have."""
    request = call.request
    _alike(call)
    if request.dimensions is not None:
        call.warn("unsupported", "dimensions", "the server is older than they are")
    body: dict[str, Any] = {"model": request.model}
    if call.config.keep_alive is not None:
        body["keep_alive"] = call.config.keep_alive
    body, answers = merge(body, call.options), []
    for text in request.inputs:
        single = json_request("/api/embeddings", {**body, "prompt": text})
        response = yield from call.provider.fetch(call, single)
        one = evolve(call, request=evolve(request, inputs=text, dimensions=None))
        answers.append(parse_embed(one, response))
    vectors = tuple(v for answer in answers for v in answer.vectors)
    made = EmbeddingResponse(model=request.model, vectors=vectors)
    return cast("EmbeddingResponse", call.provider.finish(call, made))


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
        # Younger words: a server that does not say them may not know them.
        audio_input="audio" in names or None,
        image_generation="image" in names or None,
    )


def build_show(call: Call[ModelInfoRequest]) -> HTTPRequest:
    """POST /api/show."""
    return json_request("/api/show", merge({"model": call.request.model}, call.options))


def parse_show(call: Call[ModelInfoRequest], response: HTTPResponse) -> ModelInfo:
    """One model; its context window is what it was trained for.

    All that the server tells is in ``provider_metadata``, but for the licence, the
    model file and the list of tensors, which may be megabytes.
    """
    shown = decode(SHOWN, response.body)
    if shown.error:
        raise refused(response.body, call.provider.error_codes)
    if (shown.details, shown.model_info, shown.capabilities, shown.modelfile) == (None,) * 4:
        raise ResponseFormatError("the answer describes no model (at $.details)")
    info = shown.model_info or {}
    told = msgspec.json.decode(response.body)
    return ModelInfo(
        id=call.request.model,
        context_window=_context(info),
        capabilities=_capabilities(shown.capabilities),
        provider_metadata={
            call.provider.info.name: {n: v for n, v in told.items() if n not in _LARGE}
        },
    )


def _context(info: Mapping[str, Any]) -> int | None:
    """The architecture's own context length, since other parts of a model may have theirs."""
    kind = info.get("general.architecture")
    if kind is not None:
        return _count(info.get(f"{kind}.context_length"))
    only = [_count(value) for name, value in info.items() if name.endswith(".context_length")]
    return only[0] if len(only) == 1 else None


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
            if step.error:
                raise refused(data, self.error_codes)
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
