"""NVIDIA NIM: the hosted models of build.nvidia.com, or a container's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar
from urllib.parse import urlsplit

from attrs import evolve

from jackfield import ConfigIssue, EmbeddingRequest, Param, ProviderInfo
from jackfield.exchange import segment
from jackfield.flow import Flow, HTTPRequest, HTTPResponse, Sleep
from jackfield.http import Exchanges, origin
from jackfield.operations import RerankRequest
from jackfield.params import ParamTable
from jackfield_dialect_openai import EXCHANGES, PARAMS, SAMPLING, OpenAICompatibleProvider
from jackfield_dialect_openai import operations as op

from .config import NvidiaConfig, check
from .retrieval import EMBEDDINGS, RANKING

POLL = 1.0
"""Seconds between two questions whether an answer is there."""


class NvidiaProvider(OpenAICompatibleProvider):
    """Models as NVIDIA serves them. https://docs.api.nvidia.com/nim/reference."""

    info = ProviderInfo(
        name="nvidia",
        display_name="NVIDIA NIM",
        docs_url="https://docs.api.nvidia.com/nim/reference",
        api_key_env="NVIDIA_API_KEY",
        api_key_required=False,
    )
    Config = NvidiaConfig
    params: ClassVar[ParamTable] = {**PARAMS, **SAMPLING, "top_k": Param("top_k", ge=1)}
    exchanges: ClassVar[Exchanges] = {
        **EXCHANGES,
        **op.COMPLETIONS,
        EmbeddingRequest: EMBEDDINGS,
        RerankRequest: RANKING,
    }
    reasoning_history = "reasoning_content"

    @cached_property
    def origins(self) -> tuple[str, ...]:
        """The base URL's origin, and that of the configured reranking."""
        url = self.config.rerank_url
        return (*super().origins, *([origin(url)] if "://" in url else ()))

    def check_config(self) -> Sequence[ConfigIssue]:
        """No key for the hosted API, or an address of reranking to which it would go in the clear."""
        hosted = f".{urlsplit(self._prefix).hostname}".endswith(".nvidia.com")
        fix = "set api_key or NVIDIA_API_KEY, or base_url to a container of your own"
        missing = ConfigIssue("api_key", "there is none, and the hosted API wants one", fix)
        keyless = [missing] if hosted and self.key is None else []
        return [*super().check_config(), *keyless, *check(self.config)]

    def await_answer(self, signed: HTTPRequest, response: HTTPResponse) -> Flow[HTTPResponse]:
        """Ask again until the answer is there: a 202 names the request that works on it."""
        while response.status == 202 and (asked := response.headers.get("nvcf-reqid")):
            yield Sleep(POLL)
            url = f"{self._prefix}/status/{segment(asked)}"
            response = yield evolve(signed, method="GET", url=url, body=None)
        return response
