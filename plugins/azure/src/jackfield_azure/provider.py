"""Azure OpenAI: deployments, the v1 surface, and model inference, by key or by Entra token."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from attrs import evolve

from jackfield import ConfigIssue, Param, ProviderInfo, Request
from jackfield.exchange import Call
from jackfield.flow import HTTPRequest
from jackfield.http import Exchanges
from jackfield.operations import ModerationRequest, RerankRequest
from jackfield.params import ParamTable
from jackfield_dialect_openai import EXCHANGES, PARAMS, OpenAICompatibleProvider
from jackfield_dialect_openai.operations import EVERYTHING

from .config import AzureConfig, check, place
from .entra import Credentials

LIMIT = "max_completion_tokens"
NOT_THERE = (RerankRequest, ModerationRequest)
"""Operations of the dialect that no surface of Azure has."""


class AzureProvider(Credentials, OpenAICompatibleProvider):
    """Models deployed on Azure. https://learn.microsoft.com/azure/ai-foundry/openai/reference."""

    batch_share = Decimal("0.5")  # https://learn.microsoft.com/azure/ai-foundry/openai/how-to/batch
    info = ProviderInfo(
        name="azure",
        display_name="Azure OpenAI",
        docs_url="https://learn.microsoft.com/azure/ai-foundry/openai/reference",
        api_key_env="AZURE_OPENAI_API_KEY",
        api_key_required=False,
    )
    Config: ClassVar[type[Any]] = AzureConfig
    params: ClassVar[ParamTable] = {
        **PARAMS,
        "max_tokens": Param(LIMIT, ge=1),
        "stop": Param("stop", most=4, convert=list),
    }
    files = False
    exchanges: ClassVar[Exchanges] = {
        **EXCHANGES,
        **{request: how for request, how in EVERYTHING.items() if request not in NOT_THERE},
    }

    def check_config(self) -> Sequence[ConfigIssue]:
        """No credentials, half of them, or an address with a path."""
        return [*super().check_config(), *check(self.config, self.key)]

    def prepare(self, request: Request[Any], stream: bool = False) -> Call[Any]:
        """The call for *request*; model inference has an older name for the limit of length."""
        call = super().prepare(request, stream)
        if self.config.surface == "models" and LIMIT in call.wire:
            call.wire["max_tokens"] = call.wire.pop(LIMIT)
        return call

    def addressed(self, call: Call[Any], built: HTTPRequest) -> HTTPRequest:
        """*built* at its place on the surface that is configured."""
        if "://" not in built.url:
            built = evolve(built, url=place(self.config, built.url, call.request.model))
        return super().addressed(call, built)
