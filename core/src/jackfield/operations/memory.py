"""Models in a local server's memory: loading and unloading them."""

from __future__ import annotations

from attrs import frozen

from ..requests import Request


@frozen(kw_only=True)
class LoadRequest(Request[None]):
    """Bring *model* into memory; *context_length* is in tokens."""

    context_length: int | None = None


@frozen(kw_only=True)
class UnloadRequest(Request[None]):
    """Free the memory that *model* takes."""
