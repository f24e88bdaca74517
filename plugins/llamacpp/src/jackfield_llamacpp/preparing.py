"""From a chat request to what an engine is given: model, options of the loading, body, compromises."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from jackfield import CallWarning, ChatRequest, EmbeddingRequest
from jackfield.exchange import Call
from jackfield_dialect_openai.render import render_body

from . import engine, library
from .config import LlamaCppConfig
from .fields import check_fields
from .gguf import Header
from .options import LoadOptions
from .paths import ModelFile


@frozen(kw_only=True)
class Prepared:
    """A chat, ready for its engine: the model, how it is loaded, and the body."""

    kind: engine.EngineKind
    model: ModelFile
    header: Header
    options: LoadOptions
    body: dict[str, Any]


def prepare(config: LlamaCppConfig, call: Call[ChatRequest]) -> Prepared:
    """Read *call*; what cannot be honoured is added to its warnings. No model is loaded.

    Raises:
        EngineError: no such model, a broken file, no engine, contradicting options, wrong fields.
    """
    kind = engine.choose_engine(config.engine)
    model = library.find(config, call.request.model)
    header = library.read_whole(model)
    options = config.load_options(n_ctx=_context(call, header))
    if config.seed is not None:
        call.wire.setdefault("seed", usable_seed(config.seed))
    body = {**render_body(call), "model": model.id}
    check_fields(body)
    template = options.chat_template or header.chat_template
    for limit in engine.limits(kind, template, body):
        call.warn(limit.kind, limit.what, limit.message)
    if (form := call.request.response_format) is not None and form.description:
        call.warn("unsupported", "response_format", "say in the prompt what describes it")
    return Prepared(kind=kind, model=model, header=header, options=options, body=body)


def usable_seed(seed: int) -> int:
    """*seed* in 32 bits, and not the number by which llama.cpp means a random seed."""
    return seed % (2**32 - 1)


def _context(call: Call[ChatRequest], header: Header) -> int | None:
    """The context length that a call asks for: an option of the loading, not of the call."""
    wish: int | None = call.wire.pop("n_ctx", None)
    trained = header.context_length
    if wish is None or trained is None or wish <= trained:
        return wish
    detail = f"{wish} became {trained}, for which the model was trained"
    call.warn("clamped", "context_length", detail)
    return trained


def left_out(request: EmbeddingRequest) -> list[CallWarning]:
    """What of *request* means nothing here."""
    whys = {
        "dimensions": "a local model has one size of vectors",
        "input_type": "put what the model wants before each text",
    }
    asked = {name: why for name, why in whys.items() if getattr(request, name) is not None}
    return [CallWarning("unsupported", name, why) for name, why in asked.items()]
