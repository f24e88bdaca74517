"""vLLM's OpenAI-compatible server."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from jackfield import HTTPConfig, Param, ProviderInfo
from jackfield.params import ParamTable
from jackfield_dialect_openai import PARAMS, SAMPLING, OpenAICompatibleProvider


@frozen(kw_only=True)
class VLLMConfig(HTTPConfig):
    """The server's address; the key is what it was started with, if any."""

    base_url: str = "http://localhost:8000/v1"


class VLLMProvider(OpenAICompatibleProvider):
    """Chat, tools, guided decoding and embeddings of a vLLM server. https://docs.vllm.ai."""

    info = ProviderInfo(
        name="vllm",
        display_name="vLLM",
        docs_url="https://docs.vllm.ai",
        api_key_env="VLLM_API_KEY",
        api_key_required=False,
    )
    Config = VLLMConfig
    params: ClassVar[ParamTable] = {
        **PARAMS,
        **SAMPLING,
        "stop": Param("stop", most=4, convert=list),
    }
    reasoning_history = "reasoning"


__all__ = ["VLLMConfig", "VLLMProvider"]
