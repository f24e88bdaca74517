"""Azure's settings: where requests go on each surface, and what is wrong with a configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

from attrs import frozen

from jackfield import ConfigIssue, HTTPConfig, Secret
from jackfield.exchange import segment

VERSION, INFERENCE_VERSION = "2024-10-21", "2024-05-01-preview"
OF_A_DEPLOYMENT = ("/chat", "/completions", "/embeddings", "/images", "/audio")
"""What the older addresses have below a deployment; the rest is the resource's."""


@frozen(kw_only=True)
class AzureConfig(HTTPConfig):
    """*base_url* is the resource's endpoint, without a path; *surface* is which addresses are used.

    *api* is which of OpenAI's two APIs chats go through. *api_version* is for the older ``deployments`` and for ``models``. *tenant_id*,
    *client_id* and *client_secret* fetch tokens from *authority*; *entra_token* is one.
    """

    base_url: str
    surface: Literal["v1", "deployments", "models"] = "v1"
    api_version: str | None = None
    api: Literal["chat", "responses"] = "chat"
    tenant_id: str | None = None
    client_id: str | None = None
    client_secret: Secret | None = None
    entra_token: Secret | None = None
    authority: str = "https://login.microsoftonline.com"


def place(config: AzureConfig, url: str, model: str) -> str:
    """Where *url*, a path of the dialect for *model*, stands on the surface of *config*."""
    path, _, query = url.partition("?")
    if config.surface == "v1":
        path, version = f"/openai/v1{path}", config.api_version
    elif config.surface == "models":
        path, version = f"/models{path}", config.api_version or INFERENCE_VERSION
    else:
        below = path.startswith(OF_A_DEPLOYMENT)
        deployment = f"/deployments/{segment(model)}" if below else ""
        path, version = f"/openai{deployment}{path}", config.api_version or VERSION
    told = "&".join(filter(None, (query, f"api-version={version}" if version else "")))
    return path + (f"?{told}" if told else "")


def check(config: Any, key: Secret | None) -> Iterator[ConfigIssue]:
    """What is wrong with the credentials and the endpoint of *config*."""
    names = ("tenant_id", "client_id", "client_secret")
    missing = [name for name in names if getattr(config, name) is None]
    if 0 < len(missing) < len(names):
        yield ConfigIssue(missing[0], "is missing", f"a token needs {', '.join(names)}")
    elif key is None and missing and config.entra_token is None:
        fix = (
            "set api_key, AZURE_OPENAI_API_KEY, entra_token, or tenant_id, client_id, client_secret"
        )
        yield ConfigIssue("api_key", "there are no credentials", fix)
    if urlsplit(config.base_url).path.strip("/"):
        fix = "leave it out: surface and api_version say the rest"
        yield ConfigIssue("base_url", "must be the resource's endpoint, without a path", fix)
    if not config.authority.startswith("https://"):
        yield ConfigIssue("authority", "must be an https address", "the client's secret goes there")
