"""The models that a configuration gives access to, and what their files say about them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from attrs import evolve

from jackfield import Capabilities, ModelInfo

from . import wsl
from .config import LlamaCppConfig
from .errors import EngineError
from .gguf import Header, read_header
from .paths import (
    ModelFile,
    choose,
    demo_model,
    discover,
    is_file,
    is_pathlike,
    locate,
    looks_like_path,
    open_path,
    split_parts,
)
from .toolcalls import tool_format

log = logging.getLogger("jackfield.llamacpp")


def find(config: LlamaCppConfig, name: str) -> ModelFile:
    """The model that *name* means: an id, an unambiguous part of one, or a path.

    Raises:
        EngineError: `model_not_found`, saying what there is.
    """
    models = list(offered(config))
    folder = config.folder()
    if looks_like_path(name) and not any(model.id == name for model in models):
        path = locate(name, wsl.here(), folder)
        if not config.allow_paths and is_pathlike(name):
            message = f"{name!r} is a path, and allow_paths is off; name a model of list_models()"
            raise EngineError("model_not_found", message)
        if config.allow_paths and (is_pathlike(name) or is_file(path)):
            return open_path(path)
    where = f"in {folder}" if folder else "here (set models_dir to a folder with .gguf files)"
    model = choose(name, models, where)
    open_path(model.path)  # a part of it may be missing
    return model


def read_whole(model: ModelFile) -> Header:
    """The header of *model*, when each of its parts is whole.

    Raises:
        EngineError: `bad_model_file`, naming the part.
    """
    header, *_ = [read_header(part) for part in split_parts(model.path)]
    return header


def offered(config: LlamaCppConfig) -> Iterator[ModelFile]:
    """The demo model, the one of ``model_path``, and those of ``models_dir``, each once.

    An id that is taken already gives way to the file's path. Links to one file are names of it.

    Raises:
        EngineError: `model_not_found` when a configured place is not there.
    """
    places: set[Path] = set()
    ids: set[str] = set()
    for model in _candidates(config):
        path = model.path.parent.resolve() / model.path.name
        if path not in places:
            yield model if model.id not in ids else evolve(model, id=str(path))
        places.add(path)
        ids.add(model.id)


def _candidates(config: LlamaCppConfig) -> Iterator[ModelFile]:
    yield demo_model()
    if (file := config.file()) is not None:
        yield open_path(file)
    if (folder := config.folder()) is not None:
        yield from discover(folder)


def listed(config: LlamaCppConfig) -> Iterator[ModelInfo]:
    """What can be told of every model without reading vocabularies; broken files are passed over."""
    for model in offered(config):
        try:
            header = read_header(open_path(model.path).path, brief=True)
        except EngineError as error:
            log.warning("left out of the list: %s", error)
            continue
        if header.is_chat_model:
            yield describe(model, header)


def describe(model: ModelFile, header: Header) -> ModelInfo:
    """A model as its file describes it; a brief header leaves the chat template unknown."""
    brief = "tokenizer.ggml.model" not in header.metadata
    template = header.chat_template
    facts = {
        "path": str(model.path),
        "architecture": header.architecture,
        "license": header.metadata.get("general.license"),
        "size_label": header.metadata.get("general.size_label"),
        "description": header.metadata.get("general.description"),
        "chat_template": None if brief else template is not None,
    }
    embeds = header.pooling is not None
    return ModelInfo(
        id=model.id,
        display_name=str(header.metadata.get("general.name", "")),
        context_window=header.context_length,
        capabilities=Capabilities(
            streaming=True,
            tools=None if brief else bool(template and tool_format(template)),
            vision=False,
            reasoning=None if brief else bool(template and "think" in template),
            structured_output=not embeds,
            embeddings=True,
            rerank=None if brief else header.ranks,
        ),
        size_bytes=model.size,
        provider_metadata={"llamacpp": {key: v for key, v in facts.items() if v is not None}},
    )
