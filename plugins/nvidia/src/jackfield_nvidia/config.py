"""NVIDIA's settings, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from jackfield import ConfigIssue, HTTPConfig
from jackfield.config import check_url, is_loopback


@frozen(kw_only=True)
class NvidiaConfig(HTTPConfig):
    """*base_url* is the hosted API or a container's, ending in ``/v1``.

    *rerank_url* is the whole address of reranking, or a path below the base URL;
    ``{model}`` in it is the model's name.
    """

    base_url: str = "https://integrate.api.nvidia.com/v1"
    rerank_url: str = "https://ai.api.nvidia.com/v1/retrieval/{model}/reranking"


def check(config: NvidiaConfig) -> Iterator[ConfigIssue]:
    """An address of reranking that is none, or to which the key would go in the clear."""
    url = config.rerank_url
    fix = "write a path below base_url, or an https address"
    if url.startswith("/"):
        return
    if issues := check_url("rerank_url", url):
        yield from issues
    elif not (url.startswith("https://") or is_loopback(url)):
        yield ConfigIssue("rerank_url", "is not encrypted", fix)
