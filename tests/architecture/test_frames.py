"""A call is few steps deep: what a traceback or a profiler shows is short."""

import sys
from typing import Any, ClassVar

import httpcore2
import pytest

from jackfield import ChatRequest, ChatResponse, HTTPProvider, Message, ProviderInfo
from jackfield.exchange import Call, Exchange, json_request
from jackfield.flow import HTTPRequest, HTTPResponse

AT_MOST = 6


def depth() -> int:
    """How many frames are below the caller's."""
    frame, count = sys._getframe(1), 0
    while frame.f_back is not None:
        frame, count = frame.f_back, count + 1
    return count


def build(call: Call[ChatRequest]) -> HTTPRequest:
    return json_request("/chat", {"model": call.request.model})


def parse(_call: Call[ChatRequest], response: HTTPResponse) -> ChatResponse:
    return ChatResponse(message=Message("assistant", response.body.decode()))


class Plain(HTTPProvider):
    info = ProviderInfo(name="plain", display_name="Plain", api_key_required=False)
    exchanges: ClassVar = {ChatRequest: Exchange(build=build, parse=parse)}


def test_at_most_six_frames_lie_between_the_callers_call_and_the_http_library(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []

    def answer(_pool: httpcore2.ConnectionPool, _request: Any) -> httpcore2.Response:
        seen.append(depth())
        return httpcore2.Response(200, content=b"Hello.")

    monkeypatch.setattr(httpcore2.ConnectionPool, "handle_request", answer)
    provider = Plain({"base_url": "http://127.0.0.1:1"})
    here = depth()
    assert provider.execute("any", "Hi").text == "Hello."
    assert seen[0] - here - 1 <= AT_MOST
