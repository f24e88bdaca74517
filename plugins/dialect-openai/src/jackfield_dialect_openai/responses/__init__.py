"""OpenAI's Responses API: the same values in and out as chat completions, by other paths.

Source: https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

from typing import Any

from jackfield.exchange import Exchange

from . import parse, render

RESPONSES: Exchange[Any, Any] = Exchange(
    build=render.build_response, parse=parse.parse_response, stream=parse.response_parser
)
"""How a `ChatRequest` is performed with this API."""

INPUT_TOKENS: Exchange[Any, Any] = Exchange(build=render.build_count, parse=render.parse_count)
"""How a `TokenCountRequest` is."""

__all__ = ["INPUT_TOKENS", "RESPONSES"]
