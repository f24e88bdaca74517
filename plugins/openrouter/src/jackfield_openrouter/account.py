"""What OpenRouter knows of the account: credits, and statistics of earlier generations.

Source: https://openrouter.ai/docs/api-reference/credits/get-credits,
https://openrouter.ai/docs/api-reference/generations/get-generation
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from attrs import field, frozen
from msgspec import Struct

from jackfield import Cost, LLMProvider, ModelInfo, Request, Usage
from jackfield.exchange import Call, Exchange, decode, get_request
from jackfield.flow import HTTPResponse
from jackfield.http import Exchanges
from jackfield.types import Json
from jackfield.verbs import twin, verb


@frozen(kw_only=True)
class Credits:
    """What was bought and what was used of it, in USD."""

    bought: Decimal
    used: Decimal

    @property
    def left(self) -> Decimal:
        """What is left."""
        return self.bought - self.used


@frozen(kw_only=True)
class CreditsRequest(Request[Credits]):
    """Ask how much money is left."""


@frozen(kw_only=True)
class Generation:
    """Statistics of an earlier answer; *latency* and *duration* are seconds."""

    id: str
    model: str = ""
    provider_name: str = ""
    usage: Usage = field(factory=Usage)
    cost: Cost = field(factory=Cost)
    latency: float | None = None
    duration: float | None = None
    raw_finish_reason: str | None = None
    provider_metadata: Json = field(factory=dict, repr=False)


@frozen(kw_only=True)
class GenerationRequest(Request[Generation]):
    """Ask for the statistics of the answer with the id *generation_id*."""

    generation_id: str


class _Credits(Struct):
    total_credits: float
    total_usage: float


class _CreditsAnswer(Struct):
    data: _Credits


class _Generation(Struct):
    id: str
    model: str | None = None
    provider_name: str | None = None
    total_cost: float | None = None
    native_tokens_prompt: int | None = None
    native_tokens_completion: int | None = None
    native_tokens_reasoning: int | None = None
    native_tokens_cached: int | None = None
    latency: float | None = None
    generation_time: float | None = None
    finish_reason: str | None = None


class _GenerationAnswer(Struct):
    data: _Generation


_CREDITS = msgspec.json.Decoder(_CreditsAnswer)
_GENERATION = msgspec.json.Decoder(_GenerationAnswer)


def parse_credits(_call: Call[Any], response: HTTPResponse) -> Credits:
    """What is left."""
    told = decode(_CREDITS, response.body).data
    bought, used = Decimal(str(told.total_credits)), Decimal(str(told.total_usage))
    return Credits(bought=bought, used=used)


def parse_generation(call: Call[Any], response: HTTPResponse) -> Generation:
    """Statistics in our units: they come in milliseconds."""
    told = decode(_GENERATION, response.body).data
    raw = msgspec.json.decode(response.body)["data"]
    cost = Cost()
    if told.total_cost is not None:
        cost = Cost(amount=Decimal(str(told.total_cost)), source="provider")
    return Generation(
        id=told.id,
        model=told.model or "",
        provider_name=told.provider_name or "",
        usage=Usage(
            input_tokens=told.native_tokens_prompt,
            output_tokens=told.native_tokens_completion,
            cache_read_tokens=told.native_tokens_cached,
            reasoning_tokens=told.native_tokens_reasoning,
            raw={k: v for k, v in raw.items() if k.startswith(("tokens_", "native_tokens_"))},
        ),
        cost=cost,
        latency=None if told.latency is None else told.latency / 1000,
        duration=None if told.generation_time is None else told.generation_time / 1000,
        raw_finish_reason=told.finish_reason,
        provider_metadata={call.provider.info.name: raw},
    )


ACCOUNT: Exchanges = {
    CreditsRequest: Exchange(build=lambda _: get_request("/credits"), parse=parse_credits),
    GenerationRequest: Exchange(
        build=lambda call: get_request("/generation", id=call.request.generation_id),
        parse=parse_generation,
    ),
}


def matching(models: Sequence[ModelInfo], words: str) -> list[ModelInfo]:
    """The *models* that have every one of *words* in their id, name, description or modalities."""

    def text(model: ModelInfo) -> str:
        wire = model.provider_metadata.get("openrouter", {})
        about = wire.get("architecture") or {}
        free = model.pricing is not None and not (model.pricing.input or model.pricing.output)
        said = (model.id, model.display_name, wire.get("description"), about.get("modality"))
        can = [n for n in ("tools", "vision", "reasoning") if getattr(model.capabilities, n)]
        return " ".join([*map(str, said), *can, "free" if free else ""]).lower()

    wanted = words.lower().split()
    return [m for m in models if all(word in text(m) for word in wanted)]


class AccountVerbs(LLMProvider):
    """``credits``, ``generation`` and ``search_models``, in both colours."""

    @verb
    def credits(self, /) -> CreditsRequest:
        """How much money is left: a `CreditsRequest`."""
        return CreditsRequest()

    acredits = twin(credits)  # noqa: A003  # the method above, not the builtin

    @verb
    def generation(self, /, generation_id: str) -> GenerationRequest:
        """Statistics and cost of an earlier answer: a `GenerationRequest`."""
        return GenerationRequest(generation_id=generation_id)

    ageneration = twin(generation)

    def search_models(self, words: str) -> list[ModelInfo]:
        """The models with every one of *words*: ``"free vision"``, ``"qwen tools"``."""
        return matching(self.list_models(), words)

    async def asearch_models(self, words: str) -> list[ModelInfo]:
        """`search_models`, on the event loop."""
        return matching(await self.alist_models(), words)
