"""How a model is loaded: the options that both engines share, and the defaults that depend on the model."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen

from .errors import EngineError
from .gguf import Header

KV_TYPES: Mapping[str, int] = {
    "f32": 0, "f16": 1, "bf16": 30, "q8_0": 8, "q5_1": 7, "q5_0": 6, "q4_1": 3, "q4_0": 2, "iq4_nl": 20,
}  # fmt: skip
"""The types that a key-value cache may have, with ggml's numbers for them."""
_PLAIN = frozenset({"f32", "f16", "bf16"})

POOLING: Mapping[str, int] = {"mean": 1, "cls": 2, "last": 3}
"""How the vectors of a text's tokens become one vector, with llama.cpp's numbers for it."""
RANK = "rank"
WAYS: Mapping[str, int] = {**POOLING, RANK: 4}
"""The same, and how they become one score."""

LONGEST_DEFAULT_CONTEXT = 8192
"""Without a wish, no longer context than this: a model trained for 128k tokens would ask for gigabytes."""
TINY = 64 * 1024 * 1024
"""Below this many bytes of weights, threads wait for each other longer than they compute."""


@frozen(kw_only=True)
class LoadOptions:
    """Everything that makes two loadings of one file different; hashable, so that equal ones are shared.

    Attributes:
        n_ctx: context length in tokens, rounded up to a multiple of 256; None takes the model's own,
            at most 8,192.
        n_gpu_layers: layers kept on a GPU; -1 for all, 0 for none. Without a GPU it means nothing.
        flash_attn: flash attention; None leaves it to the engine and to the cache types.
        type_k, type_v: types of the key and value caches; a quantized value cache needs flash attention.
        n_threads: threads for computing; None for the physical cores, or 1 for a tiny model.
        n_batch: tokens of a prompt computed at once.
        use_mmap, use_mlock: map the file into memory; keep it from being swapped out.
        chat_template: Jinja text that replaces the model's own template.
        embedding: load for embeddings instead of for text.
        pooling: how token vectors are pooled; None for the model's own way, else the mean; `RANK` for scores.
    """

    n_ctx: int | None = None
    n_gpu_layers: int = -1
    flash_attn: bool | None = None
    type_k: str = "f16"
    type_v: str = "f16"
    n_threads: int | None = None
    n_batch: int = 512
    use_mmap: bool = True
    use_mlock: bool = False
    chat_template: str | None = None
    embedding: bool = False
    pooling: str | None = None


def needs_flash_attention(type_v: str) -> bool:
    """Whether a value cache of *type_v* is quantized: llama.cpp has that only with flash attention."""
    return type_v not in _PLAIN


def padded(n_ctx: int) -> int:
    """*n_ctx* as llama.cpp makes it: a multiple of 256. The bindings fail when it is another."""
    return -(-n_ctx // 256) * 256


def default_threads(size: int, cpus: int) -> int:
    """Threads for a model of *size* bytes on a machine with *cpus* logical processors."""
    return 1 if size < TINY else max(1, cpus // 2)


def resolve(options: LoadOptions, header: Header, size: int, cpus: int) -> LoadOptions:
    """*options* with every default filled in for the model of *header*.

    Raises:
        EngineError: `invalid_options` when the options contradict each other.
    """
    if needs_flash_attention(options.type_v) and options.flash_attn is False:
        raise EngineError(
            "invalid_options",
            f"type_v={options.type_v} needs flash attention: leave flash_attn unset, or use type_v=f16",
        )
    trained = header.context_length
    wish = options.n_ctx or min(trained or LONGEST_DEFAULT_CONTEXT, LONGEST_DEFAULT_CONTEXT)
    pooling = (
        options.pooling
        if header.pooling is not None or not options.embedding
        else options.pooling or "mean"
    )
    n_ctx = padded(min(wish, trained) if trained else wish)
    return evolve(
        options,
        n_ctx=n_ctx,
        n_threads=options.n_threads or default_threads(size, cpus),
        n_batch=min(options.n_batch, n_ctx),
        flash_attn=True if needs_flash_attention(options.type_v) else options.flash_attn,
        pooling=pooling,
    )
