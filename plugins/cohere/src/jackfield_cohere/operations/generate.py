"""Plain text written on after a prompt: only version 1 of the API has it, and newer models do not.

Source: https://docs.cohere.com/v1/reference/generate
"""

from __future__ import annotations

from typing import Any

from jackfield import ChatResponse, Param, ResponseFormatError, fold
from jackfield.exchange import Call, Exchange, decode, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.framing import NDJSON
from jackfield.http import Exchanges
from jackfield.operations import CompletionRequest
from jackfield.params import ParamTable

from ..chat import merge
from .lines import line_parser, refuse_event
from .shapes import ANSWER, PLAIN

PARAMS: ParamTable = {
    "max_tokens": Param("max_tokens", ge=1),
    "temperature": Param("temperature", ge=0, le=5),
    "top_p": Param("p", ge=0.01, le=0.99),
    "top_k": Param("k", ge=0, le=500),
    "seed": Param("seed", ge=0),
    "stop": Param("stop_sequences", convert=list),
    "presence_penalty": Param("presence_penalty", ge=0, le=1),
    "frequency_penalty": Param("frequency_penalty", ge=0, le=1),
}
"""Where it takes the common parameters: it may be warmer than a chat."""


def build(call: Call[CompletionRequest]) -> HTTPRequest:
    """POST /v1/generate."""
    request = call.request
    if request.suffix is not None:
        call.warn("unsupported", "suffix", "not sent")
    body: dict[str, Any] = {"model": request.model, "prompt": request.prompt, **call.wire}
    if call.stream:
        body["stream"] = True
    return json_request("/v1/generate", merge(body, call.options))


def parse(call: Call[Any], response: HTTPResponse) -> ChatResponse:
    """A whole answer, or several."""
    answer, told = decode(ANSWER, response.body), decode(PLAIN, response.body)
    refuse_event(told)
    if not answer.generations:
        raise ResponseFormatError("the answer has no text (at $.generations)")
    parser, out = line_parser(call), list[Any]()
    parser.whole(answer, told, out)
    parser.close(out)
    return fold(out)


GENERATE: Exchanges = {
    CompletionRequest: Exchange(build=build, parse=parse, stream=line_parser, framing=NDJSON)
}
