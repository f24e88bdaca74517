"""Where the server is, in every form that OLLAMA_HOST takes, and how long it keeps models."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from jackfield import ConfigIssue, HTTPConfig

PORT = 11434

_ANY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # not bound to
_DURATION = re.compile(r"[+-]?(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+", re.ASCII)


def server_url(given: str) -> str:
    """The base URL for *given*: ``host``, ``host:port``, ``:port``, a URL, with or without path.

    A port left out is 11434, or the scheme's own in a URL; an address to listen on
    (``0.0.0.0``) becomes this machine's. What cannot be read comes back as a URL that
    the configuration's check refuses. https://docs.ollama.com/faq.
    """
    scheme, found, rest = given.strip().strip("\"'").rpartition("://")
    if not found and rest.rstrip("/") == "ollama.com":
        scheme, found = "https", "://"
    address, _, path = rest.partition("/")
    path = path.rstrip("/")
    if path.rpartition("/")[2] == "api":
        # Ollama's own pages write the base URL with it; our paths begin with it.
        path = path.rpartition("/")[0].rstrip("/")
    tail = f"/{path}" if path else ""
    if "@" in address or (found and not address):
        return f"{scheme or 'http'}://{address}{tail}"
    host, port = _host_and_port(address)
    host = _ANY_ADDRESS.get(host, host)
    shown = f"[{host}]" if ":" in host else host
    at = f":{port}" if port else "" if found else f":{PORT}"
    return f"{scheme or 'http'}://{shown}{at}{tail}"


def _host_and_port(address: str) -> tuple[str, str]:
    if address.startswith("["):
        host, _, port = address[1:].partition("]")
        return host, port.removeprefix(":")
    if address.count(":") > 1:
        return address, ""
    host, _, port = address.partition(":")
    return host, port


def _default_url() -> str:
    return server_url(os.environ.get("OLLAMA_HOST", ""))


@frozen(kw_only=True)
class OllamaConfig(HTTPConfig):
    """*base_url* takes every form of OLLAMA_HOST, which is its default.

    *keep_alive* says how long a model stays in memory after a call: seconds, or
    ``"30m"``; ``0`` unloads it, ``-1`` keeps it. The server's default is five minutes.
    """

    base_url: str = field(factory=_default_url, converter=server_url)
    keep_alive: Any = None


def check(config: OllamaConfig) -> Iterator[ConfigIssue]:
    """What is wrong with *config* beyond what every HTTP provider checks."""
    if urlsplit(config.base_url).path.endswith("/v1"):
        fix = 'remove /v1, or use the provider "openai-compatible"'
        yield ConfigIssue("base_url", "is that of the OpenAI-compatible API", fix)
    kept = config.keep_alive
    number = isinstance(kept, int | float) and not isinstance(kept, bool)
    text = isinstance(kept, str) and _DURATION.fullmatch(kept) is not None
    if not (kept is None or number or text):
        fix = 'write seconds, or text as in "30m"; 0 unloads, -1 keeps'
        yield ConfigIssue("keep_alive", "is no duration", fix)
