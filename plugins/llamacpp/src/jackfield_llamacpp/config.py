"""What a user can configure, and how it becomes the options of a loading."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from jackfield import Config, ConfigIssue

from . import wsl
from .engine import KINDS, choose_engine
from .errors import EngineError
from .formats import FORMATS
from .gguf import read_header
from .options import KV_TYPES, POOLING, LoadOptions, needs_flash_attention
from .paths import is_folder, locate, open_path

_LARGEST = 2**31 - 1


def _called(*names: str) -> dict[str, Any]:
    return {"aliases": names}


@frozen(kw_only=True)
class LlamaCppConfig(Config):
    r"""Where models are, and how they are loaded; every setting has a default.

    Attributes:
        models_dir: a folder with ``.gguf`` files (looked through six folders deep). Under WSL,
            ``D:\models`` works as well as ``/mnt/d/models``.
        model_path: one more file, outside of that folder.
        engine: ``auto``, ``llama-cpp-python`` or ``xllamacpp``.
        n_ctx: context length in tokens (llama.cpp rounds it up to a multiple of 256); by default
            the model's own, at most 8,192.
        n_gpu_layers: layers on the GPU; -1 for all.
        n_threads: by default half of the processors, and 1 for a tiny model.
        n_batch: tokens of a prompt that are computed at once.
        flash_attn: by default the engine decides; a quantized value cache turns it on.
        type_k, type_v: types of the key and value caches, such as ``f16`` or ``q8_0``.
        use_mmap, use_mlock: map files into memory; keep them from being swapped out.
        seed: for calls that give none; without it every answer is drawn anew.
        chat_format: a template by name, such as ``chatml``, instead of the model's own.
        chat_template: a Jinja template, or a path to one, instead of the model's own.
        pooling: ``mean``, ``cls`` or ``last``, for embeddings; by default the model's own way.
        max_loaded: how many models stay loaded after use.
        allow_paths: whether a call may name a file by its path instead of a model.
    """

    models_dir: str | None = None
    model_path: str | None = None
    engine: str = field(default="auto")
    n_ctx: int | None = field(
        default=None,
        metadata=_called("context_length", "ctx_size", "num_ctx", "default_context"),
    )
    n_gpu_layers: int = field(default=-1, metadata=_called("gpu_layers", "default_gpu_layers"))
    n_threads: int | None = field(default=None, metadata=_called("threads", "default_threads"))
    n_batch: int = field(default=512, metadata=_called("batch_size"))
    flash_attn: bool | None = field(default=None, metadata=_called("flash_attention"))
    type_k: str = field(default="f16", metadata=_called("cache_type_k", "kv_type_k"))
    type_v: str = field(default="f16", metadata=_called("cache_type_v", "kv_type_v"))
    use_mmap: bool = True
    use_mlock: bool = False
    seed: int | None = None
    chat_format: str | None = field(default=None)
    chat_template: str | None = None
    pooling: str | None = field(default=None)
    max_loaded: int = field(default=2)
    allow_paths: bool = True

    def template(self) -> str | None:
        """The chat template that replaces the models' own.

        Raises:
            EngineError: `invalid_options` when the named file cannot be read.
        """
        given = self.chat_template
        if given is None:
            return FORMATS[self.chat_format] if self.chat_format else None
        if "{" in given or "\n" in given:
            return given
        path = locate(given, wsl.here())
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise EngineError(
                "invalid_options", f"chat_template: cannot read {path}: {error}"
            ) from None

    def folder(self) -> Path | None:
        """The models folder as this platform writes it."""
        return None if self.models_dir is None else locate(self.models_dir, wsl.here())

    def file(self) -> Path | None:
        """The one more model file as this platform writes it."""
        return None if self.model_path is None else locate(self.model_path, wsl.here())

    def load_options(self, *, n_ctx: int | None = None, embedding: bool = False) -> LoadOptions:
        """The options of a loading; *n_ctx* is a call's own wish."""
        return LoadOptions(
            n_ctx=n_ctx or self.n_ctx,
            n_gpu_layers=self.n_gpu_layers,
            flash_attn=self.flash_attn,
            type_k=self.type_k,
            type_v=self.type_v,
            n_threads=self.n_threads,
            n_batch=self.n_batch,
            use_mmap=self.use_mmap,
            use_mlock=self.use_mlock,
            chat_template=None if embedding else self.template(),
            embedding=embedding,
            pooling=self.pooling if embedding else None,
        )


_WORDS: Mapping[str, Collection[str]] = {
    "engine": ("auto", *KINDS),
    "type_k": KV_TYPES,
    "type_v": KV_TYPES,
    "chat_format": FORMATS,
    "pooling": POOLING,
}
_LEAST = {"n_ctx": 1, "n_gpu_layers": -1, "n_threads": 1, "n_batch": 1, "max_loaded": 1}


def value_issues(config: LlamaCppConfig) -> list[ConfigIssue]:
    """Every value of *config* that cannot be right anywhere, each with its fix."""
    issues = []
    for name, words in _WORDS.items():
        value = getattr(config, name)
        if value is not None and value not in words:
            near = difflib.get_close_matches(value, words, 1)
            fix = (f"did you mean {near[0]}? " if near else "") + f"there are {', '.join(words)}"
            issues.append(ConfigIssue(name, f"is {value!r}", fix))
    for name, least in _LEAST.items():
        value = getattr(config, name)
        if value is not None and not least <= value <= _LARGEST:
            issues.append(ConfigIssue(name, f"is {value}", f"give at least {least}"))
    if config.flash_attn is False and needs_flash_attention(config.type_v):
        fix = "leave flash_attn unset, or use type_v = f16"
        issues.append(
            ConfigIssue("flash_attn", f"is off, but type_v = {config.type_v} needs it", fix)
        )
    if config.chat_format is not None and config.chat_template is not None:
        issues.append(
            ConfigIssue("chat_format", "is there beside chat_template", "keep one of them")
        )
    return issues


def place_issues(config: LlamaCppConfig) -> list[ConfigIssue]:
    """What *config* names that is not here: engine, folder, files. No model is loaded."""
    issues = []
    try:
        choose_engine(config.engine)
    except EngineError as error:
        problem, _, fix = str(error).partition(". Try: ")
        issues.append(ConfigIssue("engine", problem, fix))
    folder = config.folder()
    if folder is not None and not is_folder(folder):
        fix = "name a folder with .gguf files"
        issues.append(ConfigIssue("models_dir", f"no folder {folder}", fix))
    if (file := config.file()) is not None:
        try:
            read_header(open_path(file).path)
        except EngineError as error:
            issues.append(ConfigIssue("model_path", str(error), "name a .gguf file"))
    try:
        config.template()
    except EngineError as error:
        fix = "name a Jinja file, or give its text"
        issues.append(ConfigIssue("chat_template", str(error), fix))
    return issues
