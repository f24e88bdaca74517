"""A model's stay in the server's memory: a chat without messages begins or ends it.

Source: https://docs.ollama.com/api/chat
"""

from __future__ import annotations

from typing import Any

from jackfield.exchange import Call, Exchange, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import LoadRequest, UnloadRequest

from ..parse import parse_chat
from ..render import closed


def build_load(call: Call[LoadRequest]) -> HTTPRequest:
    """POST /api/chat; how long the model stays is the configuration's ``keep_alive`` to say."""
    body: dict[str, Any] = {"model": call.request.model, "messages": []}
    if call.request.context_length is not None:
        body["options"] = {"num_ctx": call.request.context_length}
    return json_request("/api/chat", closed(call, body))


def build_unload(call: Call[UnloadRequest]) -> HTTPRequest:
    """POST /api/chat, with no time to stay."""
    body = {"model": call.request.model, "messages": []}
    return json_request("/api/chat", closed(call, body) | {"keep_alive": 0})


def parse(call: Call[Any], response: HTTPResponse) -> None:
    """It is done, or it is an error."""
    parse_chat(call, response)


MEMORY: Exchanges = {
    LoadRequest: Exchange(build=build_load, parse=parse),
    UnloadRequest: Exchange(build=build_unload, parse=parse),
}
