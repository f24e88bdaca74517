"""Azure OpenAI, on a resource of your own."""

from __future__ import annotations

from .config import AzureConfig
from .provider import AzureProvider

__all__ = ["AzureConfig", "AzureProvider"]
