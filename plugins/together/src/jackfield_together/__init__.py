"""Together AI, and the open models that it runs."""

from __future__ import annotations

from .provider import TogetherConfig, TogetherProvider

__all__ = ["TogetherConfig", "TogetherProvider"]
