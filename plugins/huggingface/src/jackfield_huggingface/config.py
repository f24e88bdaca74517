"""Hugging Face's settings: where chats are, where tasks are, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal
from urllib.parse import quote, urlsplit

from attrs import frozen

from jackfield import ConfigIssue, HTTPConfig
from jackfield.config import check_url, is_loopback
from jackfield.http import origin

SHARED = {
    "router.huggingface.co": "/hf-inference/models/{model}",
    "api-inference.huggingface.co": "/models/{model}",
}
"""Hosts that serve many models, and where the tasks of each are."""


@frozen(kw_only=True)
class HuggingFaceConfig(HTTPConfig):
    """*base_url* is where chats go: the router, one service behind it, or an endpoint of your own.

    *tasks_url* is the whole address of tasks; ``{model}`` in it is the model's name.
    Left out, it is the router's, or the same endpoint. *server* says what an endpoint
    of your own answers to embeddings and rankings: ``tei`` for the routes of Text
    Embeddings Inference, ``tasks`` for its root alone. *hub_url* describes models.
    """

    base_url: str = "https://router.huggingface.co/v1"
    tasks_url: str | None = None
    server: Literal["tei", "tasks"] = "tei"
    hub_url: str = "https://huggingface.co"


def chats(config: HuggingFaceConfig) -> str:
    """Where the dialect is spoken: an address without a path has it below ``/v1``."""
    plain = config.base_url.rstrip("/")
    return plain if urlsplit(plain).path else f"{plain}/v1"


def tasks(config: HuggingFaceConfig) -> str:
    """Where tasks are; with ``{model}`` in it where there are many models."""
    if config.tasks_url:
        return config.tasks_url.rstrip("/")
    found = SHARED.get(urlsplit(config.base_url).hostname or "")
    return origin(config.base_url) + found if found else chats(config).removesuffix("/v1")


def address(template: str, model: str) -> str:
    """*template* with the name of *model* in its place."""
    return template.replace("{model}", quote(model, safe="/"))


def check(config: HuggingFaceConfig) -> Iterator[ConfigIssue]:
    """Addresses that are none, or to which the key would go in the clear."""
    for name in ("tasks_url", "hub_url"):
        url = getattr(config, name)
        if not url:
            continue
        issues = check_url(name, url)
        if not (
            issues or url.startswith("https://") or is_loopback(url) or config.allow_insecure_http
        ):
            issues = [ConfigIssue(name, "is not encrypted", "write an https address")]
        yield from issues
