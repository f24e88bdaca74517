"""OpenRouter's settings."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from jackfield import HTTPConfig


@frozen(kw_only=True)
class OpenRouterConfig(HTTPConfig):
    """*site_url* and *app_name* say who you are, for OpenRouter's rankings; *api* is what chats go through."""

    base_url: str = "https://openrouter.ai/api/v1"
    site_url: str | None = None
    app_name: str | None = None
    api: Literal["chat", "responses"] = "chat"
