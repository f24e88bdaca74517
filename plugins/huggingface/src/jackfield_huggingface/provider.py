"""Hugging Face: the router, its tasks, and inference endpoints of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from jackfield import EmbeddingRequest, LLMError, ModelInfo, Param, ProviderInfo, Request
from jackfield import operations as o
from jackfield.exchange import Call, Exchange, Procedure
from jackfield.flow import HTTPResponse
from jackfield.http import Exchanges
from jackfield.params import ParamTable, normalize
from jackfield.requests import ModelInfoRequest, ModelListRequest
from jackfield_dialect_openai import EXCHANGES, PARAMS, SAMPLING

from . import generation, models, pictures, ranking, reading, sounds, tasks, tokens, vectors
from .addresses import Addressed
from .config import HuggingFaceConfig


class HuggingFaceProvider(Addressed):
    """Models of Hugging Face. https://huggingface.co/docs/inference-providers."""

    info = ProviderInfo(
        name="huggingface",
        display_name="Hugging Face",
        docs_url="https://huggingface.co/docs/inference-providers",
        api_key_env="HF_TOKEN",
        api_key_required=False,
    )
    Config = HuggingFaceConfig
    params: ClassVar[ParamTable] = {**PARAMS, **SAMPLING, "seed": Param("seed", ge=0)}
    error_codes = reading.CODES
    exchanges: ClassVar[Exchanges] = {
        **EXCHANGES,
        ModelInfoRequest: models.HUB,
        EmbeddingRequest: vectors.EMBEDDINGS,
        o.CompletionRequest: generation.COMPLETION,
        o.RerankRequest: ranking.RANKING,
        o.ImageRequest: pictures.IMAGES,
        o.SpeechRequest: sounds.SPEECH,
        o.TranscriptionRequest: sounds.TRANSCRIPTION,
        o.TokenizeRequest: tokens.TOKENIZE,
        o.DetokenizeRequest: tokens.DETOKENIZE,
        tasks.TaskRequest: tasks.TASK,
    }
    reasoning_history = "reasoning_content"

    def exchange_for(self, request: Request[Any]) -> Exchange[Any, Any] | Procedure[Any, Any]:
        """How to perform *request*; an endpoint of one's own describes its model itself."""
        own: Exchanges = {ModelListRequest: models.LIST_SERVED, ModelInfoRequest: models.SERVED}
        kind: Any = type(request)
        return own[kind] if kind in own and not self.shared else super().exchange_for(request)

    def prepare(self, request: Request[Any], stream: bool = False) -> Call[Any]:
        """The call for *request*; text generation has names of its own for parameters."""
        call = super().prepare(request, stream)
        if isinstance(request, o.CompletionRequest):
            call.wire, call.warnings = normalize(generation.GENERATION, request.params)
        return call

    def make_error(self, response: HTTPResponse) -> LLMError:
        """The typed error; a model that is loading says for how long."""
        return super().make_error(response).add(retry_after=reading.loading(response))

    def parse_model(self, wire: Mapping[str, Any]) -> ModelInfo:
        """A model with what its services agree on."""
        return models.with_services(super().parse_model(wire), wire)
