"""OpenRouter: hundreds of models behind one key, with prices, credits and statistics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from jackfield import ContentFilterError, LLMError, ModelInfo, Param, ProviderInfo, Secret
from jackfield.exchange import Exchange
from jackfield.flow import HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import TranscriptionRequest
from jackfield.params import ParamTable
from jackfield_dialect_openai import EXCHANGES, PARAMS, SAMPLING, OpenAICompatibleProvider
from jackfield_dialect_openai import operations as op
from jackfield_dialect_openai.operations.audio import parse_transcription

from .account import ACCOUNT, AccountVerbs
from .config import OpenRouterConfig
from .models import parse_model
from .transcription import build_transcription


class OpenRouterProvider(AccountVerbs, OpenAICompatibleProvider):
    """Any model that OpenRouter has. https://openrouter.ai/docs/api-reference."""

    info = ProviderInfo(
        name="openrouter",
        display_name="OpenRouter",
        docs_url="https://openrouter.ai/docs/api-reference",
        api_key_env="OPENROUTER_API_KEY",
    )
    Config = OpenRouterConfig
    params: ClassVar[ParamTable] = {
        **PARAMS,
        **SAMPLING,
        "stop": Param("stop", most=4, convert=list),
    }
    exchanges: ClassVar[Exchanges] = {
        **EXCHANGES,
        **op.COMPLETIONS,
        **op.RERANK,
        **op.SPEECH,
        TranscriptionRequest: Exchange(build=build_transcription, parse=parse_transcription),
        **ACCOUNT,
    }
    reasoning_history = "reasoning"
    file_urls = True

    def auth_headers(self, key: Secret | None) -> Mapping[str, str]:
        """The bearer token, and who asks."""
        about = {"http-referer": self.config.site_url, "x-title": self.config.app_name}
        named = {name: value for name, value in about.items() if value}
        return {**super().auth_headers(key), **named}

    def make_error(self, response: HTTPResponse) -> LLMError:
        """The typed error; a 403 that names reasons of moderation is the filter's."""
        error = super().make_error(response)
        if response.status == 403 and b'"flagged_input"' in response.body:
            return ContentFilterError(error.message, **vars(error))
        return error

    def parse_model(self, wire: Mapping[str, Any]) -> ModelInfo:
        """A model with its prices and what it can do."""
        return parse_model(wire, super().parse_model(wire))
