"""One model: the server lists its models, and has no page for each."""

from __future__ import annotations

from typing import Any

from jackfield import ModelInfo, ModelInfoRequest, NotFoundError
from jackfield.exchange import Call, Exchange
from jackfield.flow import HTTPResponse
from jackfield.requests import ModelListRequest
from jackfield_dialect_openai import EXCHANGES

_LIST: Any = EXCHANGES[ModelListRequest]


def parse_model(call: Call[ModelInfoRequest], response: HTTPResponse) -> ModelInfo:
    """The model of the list that was asked for.

    Raises:
        NotFoundError: the server has no model of that name; the message says which it has.
    """
    listed: list[ModelInfo] = _LIST.parse(call, response)
    wanted = call.request.model
    found = next((m for m in listed if m.id == wanted), None)
    if found is None:
        have = ", ".join(m.id for m in listed) or "none"
        raise NotFoundError(f"the server has no model {wanted!r}; it has {have}")
    return found


MODEL: Exchange[ModelInfoRequest, ModelInfo] = Exchange(build=_LIST.build, parse=parse_model)
