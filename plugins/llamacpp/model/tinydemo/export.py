"""The trained network as a GGUF file."""

from __future__ import annotations

from typing import Any

import gguf
import numpy as np
from torch import Tensor

from .corpus import CHAT_TEMPLATE
from .network import Network
from .tokenizer import CONTROL_COUNT, SPECIALS, Tokenizer

_FILE_TYPES = {"f16": gguf.LlamaFileType.MOSTLY_F16, "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0}
_TENSORS = (
    ("attn_norm", "n1"),
    ("attn_q", "q"),
    ("attn_k", "k"),
    ("attn_v", "v"),
    ("attn_output", "o"),
    ("ffn_norm", "n2"),
    ("ffn_gate", "g"),
    ("ffn_up", "u"),
    ("ffn_down", "dn"),
)
_DESCRIPTION = "Very small demonstration chat model, trained from scratch on a synthetic corpus. "


def export(network: Network, tokenizer: Tokenizer, path: str, dtype: str, note: str) -> None:
    """Write *network* to *path* as "f16" or "q8_0"; *note* ends the file's description."""
    writer = gguf.GGUFWriter(path, "llama")
    _describe(writer, network, dtype, note)
    _add_tokenizer(writer, tokenizer)
    _add_tensor(writer, "token_embd.weight", network.emb.weight, dtype)
    for at, block in enumerate(network.blocks):
        for name, attribute in _TENSORS:
            weight = getattr(block, attribute).weight
            _add_tensor(writer, f"blk.{at}.{name}.weight", weight, dtype)
    # There is no output.weight: llama.cpp then uses token_embd, as training did.
    _add_tensor(writer, "output_norm.weight", network.norm.weight, dtype)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: Any, network: Network, dtype: str, note: str) -> None:
    shape = network.shape
    writer.add_name("tiny-demo")
    writer.add_description(_DESCRIPTION + note)
    writer.add_license("CC0-1.0")
    writer.add_size_label(f"{sum(p.numel() for p in network.parameters()) / 1e6:.1f}M")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(_FILE_TYPES[dtype])


def _add_tokenizer(writer: Any, tokenizer: Tokenizer) -> None:
    control, user = int(gguf.TokenType.CONTROL), int(gguf.TokenType.USER_DEFINED)
    others = len(tokenizer.tokens) - len(SPECIALS)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([token.encode() for token in tokenizer.tokens])
    writer.add_token_types(
        [control] * CONTROL_COUNT
        + [user] * (len(SPECIALS) - CONTROL_COUNT)
        + [int(gguf.TokenType.NORMAL)] * others
    )
    writer.add_token_merges([" ".join(merge) for merge in tokenizer.merges])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _add_tensor(writer: Any, name: str, tensor: Tensor, dtype: str) -> None:
    array = tensor.detach().float().numpy()
    if array.ndim == 1:
        writer.add_tensor(name, array.astype(np.float32))
    elif dtype == "f16":
        writer.add_tensor(name, array.astype(np.float16))
    else:
        kind = gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(name, gguf.quants.quantize(array, kind), raw_dtype=kind)
