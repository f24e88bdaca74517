"""OpenAI's own API, through chat completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from attrs import frozen

from jackfield import HTTPConfig, Param, ProviderInfo, Secret
from jackfield.params import ParamTable
from jackfield_dialect_openai import PARAMS, OpenAICompatibleProvider


@frozen(kw_only=True)
class OpenAIConfig(HTTPConfig):
    """*organization* and *project* say whom to bill, where a key may use several."""

    base_url: str = "https://api.openai.com/v1"
    organization: str | None = None
    project: str | None = None


class OpenAIProvider(OpenAICompatibleProvider):
    """GPT and the reasoning models. https://platform.openai.com/docs/api-reference/chat."""

    info = ProviderInfo(
        name="openai",
        display_name="OpenAI",
        docs_url="https://platform.openai.com/docs",
        api_key_env="OPENAI_API_KEY",
    )
    Config = OpenAIConfig
    params: ClassVar[ParamTable] = {
        **PARAMS,
        # max_tokens is deprecated there, and refused by the reasoning models.
        "max_tokens": Param("max_completion_tokens", ge=1),
        "stop": Param("stop", most=4, convert=list),
    }

    def auth_headers(self, key: Secret | None) -> Mapping[str, str]:
        """The bearer token, and whom to bill."""
        billed = {
            "openai-organization": self.config.organization,
            "openai-project": self.config.project,
        }
        named = {name: value for name, value in billed.items() if value}
        return {**super().auth_headers(key), **named}


__all__ = ["OpenAIConfig", "OpenAIProvider"]
