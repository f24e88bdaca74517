"""A model of BERT's architecture with random weights, for real servers of vectors and rankings; it knows nothing.

write(path)              one vector a text, the mean of its tokens'
write(path, rank=True)   one score a pair of query and document
"""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import gguf
import numpy as np

WIDTH, LAYERS, HEADS, HIDDEN, CONTEXT = 64, 2, 2, 128, 256
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = (
    "the a an who what where is are flies fly bird hen gull pelican sea fish and of in to".split()
)


def vocabulary() -> list[str]:
    """Special tokens, some words, and every letter at the start of a word and within one."""
    signs = [*string.ascii_lowercase, *string.digits, *".,?!"]
    starts = [f"\u2581{t}" for t in (*WORDS, *(s for s in signs if s not in WORDS))]
    return [*SPECIAL, *starts, *signs]


def write(path: Path, *, rank: bool = False) -> Path:
    """Write the model to *path*; the same bytes at each call."""
    writer = gguf.GGUFWriter(str(path), "bert")
    _describe(writer, rank=rank)
    chance = np.random.default_rng(7)

    def weights(*shape: int) -> Any:
        return (chance.standard_normal(shape) / shape[-1] ** 0.5).astype(np.float32)

    def norm(name: str) -> None:
        writer.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))
        writer.add_tensor(f"{name}.bias", np.zeros(WIDTH, np.float32))

    def dense(name: str, rows: int, columns: int) -> None:
        writer.add_tensor(f"{name}.weight", weights(rows, columns))
        writer.add_tensor(f"{name}.bias", np.zeros(rows, np.float32))

    writer.add_tensor("token_embd.weight", weights(len(vocabulary()), WIDTH))
    writer.add_tensor("position_embd.weight", weights(CONTEXT, WIDTH))
    writer.add_tensor("token_types.weight", weights(2, WIDTH))
    norm("token_embd_norm")
    for layer in range(LAYERS):
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            dense(f"blk.{layer}.{part}", WIDTH, WIDTH)
        norm(f"blk.{layer}.attn_output_norm")
        dense(f"blk.{layer}.ffn_up", HIDDEN, WIDTH)
        dense(f"blk.{layer}.ffn_down", WIDTH, HIDDEN)
        norm(f"blk.{layer}.layer_output_norm")
    if rank:
        dense("cls", WIDTH, WIDTH)
        dense("cls.output", 1, WIDTH)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _describe(writer: gguf.GGUFWriter, *, rank: bool) -> None:
    tokens = vocabulary()
    writer.add_name("tiny-bert")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(value=False)
    writer.add_pooling_type(gguf.PoolingType.RANK if rank else gguf.PoolingType.MEAN)
    writer.add_token_type_count(2)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    kinds = [gguf.TokenType.CONTROL if t in SPECIAL else gguf.TokenType.NORMAL for t in tokens]
    kinds[SPECIAL.index("[UNK]")] = gguf.TokenType.UNKNOWN
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([t.encode() for t in tokens])
    writer.add_token_types([int(kind) for kind in kinds])
    places = {name: tokens.index(name) for name in SPECIAL}
    writer.add_unk_token_id(places["[UNK]"])
    writer.add_sep_token_id(places["[SEP]"])
    writer.add_pad_token_id(places["[PAD]"])
    writer.add_mask_token_id(places["[MASK]"])
    writer.add_bos_token_id(places["[CLS]"])
    writer.add_eos_token_id(places["[SEP]"])
