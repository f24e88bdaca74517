"""OpenAI's own API: chat completions or responses, and every operation beside them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Literal

from attrs import frozen

from jackfield import HTTPConfig, Param, ProviderInfo, Secret, TokenCountRequest
from jackfield.http import Exchanges
from jackfield.operations import RerankRequest
from jackfield.params import ParamTable
from jackfield_dialect_openai import EXCHANGES, PARAMS, OpenAICompatibleProvider
from jackfield_dialect_openai.operations import EVERYTHING
from jackfield_dialect_openai.responses import INPUT_TOKENS


@frozen(kw_only=True)
class OpenAIConfig(HTTPConfig):
    """*organization* and *project* say whom to bill; *api* is what chats go through.

    One call goes another way with ``provider_options={"openai": {"api": "responses"}}``.
    """

    base_url: str = "https://api.openai.com/v1"
    organization: str | None = None
    project: str | None = None
    api: Literal["chat", "responses"] = "chat"


class OpenAIProvider(OpenAICompatibleProvider):
    """GPT and the reasoning models. https://platform.openai.com/docs/api-reference/chat."""

    batch_share = Decimal("0.5")  # https://platform.openai.com/docs/guides/batch
    info = ProviderInfo(
        name="openai",
        display_name="OpenAI",
        docs_url="https://platform.openai.com/docs",
        api_key_env="OPENAI_API_KEY",
        models=(
            "gpt-*",
            "chatgpt-*",
            "o[1-9]*",
            "text-embedding-3-*",
            "text-embedding-ada-*",
            "dall-e-*",
            "whisper-*",
            "tts-*",
            "omni-moderation-*",
            "sora-*",
        ),
    )
    Config = OpenAIConfig
    params: ClassVar[ParamTable] = {
        **PARAMS,
        # max_tokens is deprecated there, and refused by the reasoning models.
        "max_tokens": Param("max_completion_tokens", ge=1),
        "stop": Param("stop", most=4, convert=list),
    }
    file_ids = True
    exchanges: ClassVar[Exchanges] = {
        **EXCHANGES,
        TokenCountRequest: INPUT_TOKENS,
        **{request: how for request, how in EVERYTHING.items() if request is not RerankRequest},
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
