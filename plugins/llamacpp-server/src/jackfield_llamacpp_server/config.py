"""The server's settings, and where its own endpoints are."""

from __future__ import annotations

from typing import Any, Literal

from attrs import frozen

from jackfield import HTTPConfig
from jackfield.exchange import Call, get_request, json_request
from jackfield.flow import HTTPRequest
from jackfield_dialect_openai.render import merge


@frozen(kw_only=True)
class LlamaServerConfig(HTTPConfig):
    """The server's address, ending in ``/v1``; the key is its ``--api-key``, if it has one.

    *api* is what chats go through.
    """

    base_url: str = "http://localhost:8080/v1"
    api: Literal["chat", "responses"] = "chat"


def address(call: Call[Any], path: str) -> str:
    """*path* beside the dialect's ``/v1``."""
    return str(call.config.base_url).rstrip("/").removesuffix("/v1") + path


def ask(call: Call[Any], path: str, **query: Any) -> HTTPRequest:
    """GET *path* beside ``/v1``; a server of several models is told which one."""
    return get_request(address(call, path), model=call.request.model or None, **query)


def tell(call: Call[Any], path: str, body: dict[str, Any]) -> HTTPRequest:
    """POST *body*, the model's name and the caller's own fields to *path* beside ``/v1``."""
    named = {"model": call.request.model} if call.request.model else {}
    return json_request(address(call, path), merge({**named, **body}, call.options))
