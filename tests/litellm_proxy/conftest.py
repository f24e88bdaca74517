"""LiteLLM's proxy and the servers behind it, started once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from jackfield.testing.faults import FaultServer
from litellm_proxy.servers import FAULTS, UPSTREAM, Servers
from support.litellm_proxy import Route, litellm_proxy
from support.llama_server import NAME, RANK, llama_server
from support.tiny_bert import write


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The proxy and the servers behind it; it takes a while to start, so all tests share it."""
    folder = tmp_path_factory.mktemp("litellm")
    with ExitStack() as stack:
        chats = stack.enter_context(llama_server())
        vectors = stack.enter_context(llama_server(write(folder / "vectors.gguf"), "tiny-bert"))
        rank = write(folder / "rank.gguf", rank=True)
        rankings = stack.enter_context(llama_server(rank, "tiny-rank", RANK))
        faults = stack.enter_context(FaultServer())
        routes = [
            Route(NAME, f"openai/{NAME}", f"{chats}/v1"),
            Route("tiny-chat", f"hosted_vllm/{NAME}", f"{chats}/v1"),
            Route("tiny-messages", f"anthropic/{NAME}", chats),
            Route("tiny-bert", "openai/tiny-bert", f"{vectors}/v1"),
            Route("tiny-rank", "hosted_vllm/tiny-rank", rankings),
        ]
        for dialect, (model, _, path) in UPSTREAM.items():
            routes.append(Route(dialect, model, faults.url(dialect) + path))
            for fault in FAULTS:
                failing = faults.url(dialect, fault) + path
                routes.append(Route(f"{dialect}-{fault}", model, failing))
        proxy = stack.enter_context(litellm_proxy(routes, folder))
        yield Servers(proxy, chats, vectors, rankings, faults)
