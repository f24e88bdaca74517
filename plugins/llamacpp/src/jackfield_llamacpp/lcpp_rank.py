"""Ranking with llama-cpp-python, whose own interface has none: a query and a document become one score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import llama_cpp

_NONE = -1
"""llama.cpp's number for a special token that a vocabulary lacks."""


def pair(model: Any, query: str, document: str) -> list[int]:
    """The tokens of one text made of both, as the model of *model* (a `llama_cpp.Llama`) learned them.

    A model may bring a template of its own for it; else its special tokens stand around and between.
    """
    template = llama_cpp.llama_model_chat_template(model.model, b"rerank")
    if template:
        text = template.decode().replace("{query}", query).replace("{document}", document)
        return list(model.tokenize(text.encode(), add_bos=True, special=True))
    vocabulary = llama_cpp.llama_model_get_vocab(model.model)
    end = llama_cpp.llama_vocab_eos(vocabulary)
    between = llama_cpp.llama_vocab_sep(vocabulary)
    ends = [between if end == _NONE else end] if _adds(vocabulary, "eos") else []
    tokens = [llama_cpp.llama_vocab_bos(vocabulary)] if _adds(vocabulary, "bos") else []
    tokens += [*_tokens(model, query), *ends]
    tokens += [between] if _adds(vocabulary, "sep") else []
    return [*tokens, *_tokens(model, document), *ends]


def _adds(vocabulary: Any, which: str) -> bool:
    return bool(getattr(llama_cpp, f"llama_vocab_get_add_{which}")(vocabulary))


def _tokens(model: Any, text: str) -> list[int]:
    """The tokens of *text* alone: some tokenizers put special ones around whatever they are told."""
    return list(model.tokenize(text.encode(), add_bos=False, special=False))


def score(model: Any, tokens: Sequence[int]) -> float:
    """The model's score for one pair's *tokens*."""
    # The library's own `embed` takes a vector's width from where one number is.
    context, batch = model._ctx, model._batch  # noqa: SLF001  # there is no other way to it
    batch.reset()
    batch.add_sequence(list(tokens), 0, True)
    context.kv_cache_clear()
    context.decode(batch)
    batch.reset()
    return float(llama_cpp.llama_get_embeddings_seq(context.ctx, 0)[0])
