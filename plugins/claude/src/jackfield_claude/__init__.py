"""Claude, through Anthropic's Messages API."""

from __future__ import annotations

from .provider import ClaudeConfig, ClaudeProvider

__all__ = ["ClaudeConfig", "ClaudeProvider"]
