"""Ollama's native API: chat, embeddings, and the models that a server holds."""

from __future__ import annotations

from .config import OllamaConfig, server_url
from .models import RunningModelsRequest
from .provider import PARAMS, OllamaProvider

__all__ = ["PARAMS", "OllamaConfig", "OllamaProvider", "RunningModelsRequest", "server_url"]
