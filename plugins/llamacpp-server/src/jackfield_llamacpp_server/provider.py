"""Who a llama.cpp server is, and which operations it has."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from jackfield import LLMError, ModelInfo, ModelInfoRequest, Param, ProviderInfo, errors
from jackfield.exchange import Exchange
from jackfield.http import Exchanges
from jackfield.operations import CompletionRequest
from jackfield.params import ParamTable
from jackfield_dialect_openai import ERROR_CODES, EXCHANGES, PARAMS, OpenAICompatibleProvider
from jackfield_dialect_openai import operations as op
from jackfield_dialect_openai.operations import completions

from .config import LlamaServerConfig
from .models import MEMORY, MODEL, build_completion, described
from .server import SERVER
from .tokens import TOKENS


class LlamaServerProvider(OpenAICompatibleProvider):
    """Chat, completions, vectors, rankings and tokens of a llama.cpp server, wherever it runs.

    Source: https://github.com/ggml-org/llama.cpp/tree/master/tools/server
    """

    info = ProviderInfo(
        name="llamacpp-server",
        display_name="llama.cpp server",
        docs_url="https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
        api_key_env="LLAMA_API_KEY",
        api_key_required=False,
    )
    Config = LlamaServerConfig
    prefill = MappingProxyType({})
    params: ClassVar[ParamTable] = {
        **PARAMS,
        "top_k": Param("top_k", ge=0),
        "min_p": Param("min_p", ge=0, le=1),
        "repeat_penalty": Param("repeat_penalty", ge=0),
    }
    error_codes: ClassVar[Mapping[str, type[LLMError]]] = {
        **ERROR_CODES,
        "not_supported_error": errors.UnsupportedOperationError,
    }
    exchanges: ClassVar[Exchanges] = {
        **EXCHANGES,
        CompletionRequest: Exchange(
            build=build_completion, parse=completions.parse, stream=completions.text_parser
        ),
        **op.RERANK,
        **MEMORY,
        **SERVER,
        **TOKENS,
        ModelInfoRequest: MODEL,
    }
    reasoning_history = "reasoning_content"
    files = False

    def parse_model(self, wire: Mapping[str, Any]) -> ModelInfo:
        """A model with its window, its size and what it takes in."""
        return described(super().parse_model(wire), wire)
