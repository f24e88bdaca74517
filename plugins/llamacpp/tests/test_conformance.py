"""The provider fits the contract of the core."""

from __future__ import annotations

from typing import Any, ClassVar

from jackfield import ModelInfoRequest
from jackfield.testing import ProviderConformance
from jackfield_llamacpp import LlamaCppProvider

DEMO: dict[str, Any] = {"model": "tiny-demo", "parameters": {"temperature": 0, "max_tokens": 60}}
WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
SHAPE = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 9}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


class TestLlamaCpp(ProviderConformance):
    provider = LlamaCppProvider
    model = "tiny-demo"
    in_process = True
    calls: ClassVar = [
        {"name": "story", "verb": "stream_execute", **DEMO, "prompt": "Hello! My name is Anna."},
        {
            "name": "weather",
            **DEMO,
            "prompt": "What is the weather in Paris?",
            "options": {"tools": [WEATHER]},
        },
        {
            "name": "shape",
            **DEMO,
            "prompt": "Write JSON with name Anna and age 7.",
            "options": {"response_format": SHAPE},
        },
        {"name": "vectors", "verb": "embed", "model": "tiny-demo"},
        {"name": "count", "verb": "count_tokens", "model": "tiny-demo"},
        {"name": "models", "verb": "list_models"},
        {
            "name": "model",
            "verb": "run",
            "options": {"request": ModelInfoRequest(model="tiny-demo")},
        },
    ]
