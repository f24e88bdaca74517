"""Who vLLM is, and which operations its server has."""

from __future__ import annotations

from types import MappingProxyType
from typing import ClassVar, Literal

from attrs import frozen

from jackfield import HTTPConfig, ModelInfoRequest, Param, ProviderInfo
from jackfield.http import Exchanges
from jackfield.params import ParamTable
from jackfield_dialect_openai import EXCHANGES, PARAMS, SAMPLING, OpenAICompatibleProvider
from jackfield_dialect_openai import operations as op

from .models import MODEL
from .scoring import SCORING
from .tokens import TOKENS


@frozen(kw_only=True)
class VLLMConfig(HTTPConfig):
    """The server's address, ending in ``/v1``; the key is what it was started with, if any.

    *api* is which of OpenAI's two APIs chats go through.
    """

    base_url: str = "http://localhost:8000/v1"
    api: Literal["chat", "responses"] = "chat"


class VLLMProvider(OpenAICompatibleProvider):
    """Chat, tools, guided decoding, embeddings, rankings and tokens of a vLLM server.

    Source: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
    """

    info = ProviderInfo(
        name="vllm",
        display_name="vLLM",
        docs_url="https://docs.vllm.ai",
        api_key_env="VLLM_API_KEY",
        api_key_required=False,
    )
    Config = VLLMConfig
    prefill = MappingProxyType({"continue_final_message": True, "add_generation_prompt": False})
    params: ClassVar[ParamTable] = {
        **PARAMS,
        **SAMPLING,
        "stop": Param("stop", most=4, convert=list),
    }
    exchanges: ClassVar[Exchanges] = {
        **EXCHANGES,
        **op.COMPLETIONS,
        **op.RERANK,
        **op.TRANSCRIPTION,
        **SCORING,
        **TOKENS,
        ModelInfoRequest: MODEL,
    }
    reasoning_history = "reasoning"
