"""vLLM's OpenAI-compatible server, and its own endpoints beside the dialect."""

from __future__ import annotations

from .provider import VLLMConfig, VLLMProvider
from .scoring import ScoreRequest, ScoreResponse

__all__ = ["ScoreRequest", "ScoreResponse", "VLLMConfig", "VLLMProvider"]
