"""Claude, through Anthropic's Messages API."""

from __future__ import annotations

from .config import ClaudeConfig
from .provider import ClaudeProvider

__all__ = ["ClaudeConfig", "ClaudeProvider"]
