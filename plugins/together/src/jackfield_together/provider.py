"""Together AI: open models, through the dialect and with images by width and height."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from attrs import evolve, frozen

from jackfield import HTTPConfig, ModelInfo, Param, Pricing, ProviderInfo
from jackfield.exchange import Call, Exchange
from jackfield.flow import HTTPRequest
from jackfield.http import Exchanges
from jackfield.operations import ImageRequest
from jackfield.params import ParamTable
from jackfield_dialect_openai import EXCHANGES, PARAMS, SAMPLING, OpenAICompatibleProvider
from jackfield_dialect_openai import operations as op
from jackfield_dialect_openai.operations import images

EFFORTS = ("low", "medium", "high")


@frozen(kw_only=True)
class TogetherConfig(HTTPConfig):
    """Where the service is."""

    base_url: str = "https://api.together.xyz/v1"


def build_image(call: Call[ImageRequest]) -> HTTPRequest:
    """POST /images/generations, where a size is a width and a height."""
    width, _, height = (call.request.size or "").partition("x")
    if width.isdigit() and height.isdigit():
        call.options = {"width": int(width), "height": int(height), **call.options}
        call.request = evolve(call.request, size=None)
    return images.build(call)


class TogetherProvider(OpenAICompatibleProvider):
    """Open models on Together. https://docs.together.ai/reference."""

    info = ProviderInfo(
        name="together",
        display_name="Together AI",
        docs_url="https://docs.together.ai/reference",
        api_key_env="TOGETHER_API_KEY",
    )
    Config = TogetherConfig
    params: ClassVar[ParamTable] = {
        **PARAMS,
        **SAMPLING,
        "stop": Param("stop", most=4, convert=list),
        "reasoning_effort": Param("reasoning_effort", values={e: e for e in EFFORTS}),
    }
    exchanges: ClassVar[Exchanges] = {
        **EXCHANGES,
        **op.COMPLETIONS,
        **op.RERANK,
        **op.SPEECH,
        **op.TRANSCRIPTION,
        ImageRequest: Exchange(build=build_image, parse=images.parse),
    }
    image_fields = ("negative_prompt", "seed")
    reasoning_history = "reasoning"
    files = False

    def parse_model(self, wire: Mapping[str, Any]) -> ModelInfo:
        """A model with its prices, in USD per million tokens."""
        found, price = super().parse_model(wire), wire.get("pricing") or {}
        if not (price.get("input") or price.get("output")):
            return found
        priced = Pricing(
            input=Decimal(str(price.get("input") or 0)),
            output=Decimal(str(price.get("output") or 0)),
            source="together",
        )
        return evolve(found, pricing=priced)
