"""The dialect's other side: what a server of it reads and writes, as pure functions of JSON-shaped dicts."""

from __future__ import annotations

from .answers import render_response
from .catalogue import render_embeddings, render_model, render_models
from .chunks import ChunkRenderer
from .failures import render_error
from .history import PARTS
from .messages import render_message
from .requests import ChatBody, EmbeddingBody, parse_chat_body, parse_embedding_body

__all__ = [
    "PARTS",
    "ChatBody",
    "ChunkRenderer",
    "EmbeddingBody",
    "parse_chat_body",
    "parse_embedding_body",
    "render_embeddings",
    "render_error",
    "render_message",
    "render_model",
    "render_models",
    "render_response",
]
