"""LiteLLM's proxy between our dialects and servers that we know: real models, and the fault server.

No server upstream speaks Cohere's chat here: LiteLLM cannot read the named events that Cohere's
own recorded streams have, and leaves out the words that stand beside a call. Cohere's rerank goes
through it.
"""

from __future__ import annotations

from typing import Any

import pytest
from attrs import frozen

from jackfield import ChatResponse, LLMProvider, create_provider
from jackfield.testing.faults import FaultServer
from support.litellm_proxy import MASTER_KEY, needs_litellm
from support.llama_server import needs_llama_server

UPSTREAM = {
    "openai": ("openai/pelican-1", "openai-compatible", ""),
    "responses": ("openai/responses/pelican-1", "openai-compatible", ""),
    "anthropic": ("anthropic/pelican-1", "claude", ""),
    "gemini": ("gemini/pelican-1", "gemini", "/v1beta"),
    "ollama": ("ollama_chat/pelican-1", "ollama", ""),
}
"""The fault server's dialects: LiteLLM's word for each, our plugin for it, and what its URL ends with."""

FAULTS = ("401", "403", "404", "429", "500", "context_length")
"""How a server upstream may fail, by the fault server's names."""


@frozen
class Servers:
    """The running servers: the proxy, and what stands behind it."""

    proxy: str
    chats: str
    vectors: str
    rankings: str
    faults: FaultServer

    def direct(self, name: str = "openai-compatible", url: str = "", **config: Any) -> LLMProvider:
        """A provider that asks a server upstream without the proxy: the real model's, or *url*."""
        base_url = url or f"{self.chats}/v1"
        return create_provider(name, {"base_url": base_url, "api_key": "made-up", **config})

    def door(self, door: str, key: str = MASTER_KEY) -> LLMProvider:
        """A provider that asks the proxy through the *door* of one dialect."""
        name, path, more = DOORS[door]
        config = {"base_url": self.proxy + path, "api_key": key, "retry": {"attempts": 1}}
        return create_provider(name, config | more)


DOORS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "openai-compatible": ("openai-compatible", "/v1", {}),
    "openai": ("openai", "/v1", {}),
    "openai-responses": ("openai", "/v1", {"api": "responses"}),
    "azure": ("azure", "", {"surface": "deployments"}),
    "vllm": ("vllm", "/v1", {}),
    "claude": ("claude", "", {}),
    "gemini": ("gemini", "/v1beta", {}),
    "cohere": ("cohere", "", {}),
}
"""The proxy's doors: which plugin goes there, at which path, and how it is set up."""


def heard(provider: LLMProvider, streamed: bool, *asked: Any, **options: Any) -> ChatResponse:
    """The answer to a call, whole or streamed."""
    if streamed:
        return provider.stream_execute(*asked, **options).drain()
    return provider.execute(*asked, **options)


STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])

WITH_THE_PROXY = [
    pytest.mark.live,
    pytest.mark.timeout(300),  # the first test waits for its start
    needs_litellm,
    needs_llama_server,
]
"""The marks of a file whose tests need the servers."""
