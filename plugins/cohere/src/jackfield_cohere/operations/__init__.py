"""What Cohere does beside chat, a small file each."""

from __future__ import annotations

from jackfield.http import Exchanges

from .embeddings import EMBEDDINGS
from .generate import GENERATE
from .rerank import RERANK
from .tokens import TOKENS
from .transcription import TRANSCRIPTION

OPERATIONS: Exchanges = {**EMBEDDINGS, **RERANK, **TOKENS, **TRANSCRIPTION, **GENERATE}
"""All of them."""

__all__ = ["EMBEDDINGS", "GENERATE", "OPERATIONS", "RERANK", "TOKENS", "TRANSCRIPTION"]
