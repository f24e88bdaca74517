"""What the suite shares: the engines that are installed, providers on them, and GGUF files written by hand."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from jackfield_llamacpp import LlamaCppProvider
from jackfield_llamacpp.engine import KINDS, installed
from jackfield_llamacpp.paths import demo_model

Write = Callable[..., Path]

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add two numbers.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
        },
    },
}


@pytest.fixture(params=list(KINDS))
def engine_name(request: pytest.FixtureRequest) -> str:
    """Each engine in turn; the ones that are missing are skipped, saying so."""
    kind = KINDS[request.param]
    if not installed(kind):
        pytest.skip(f"the engine {kind.name} is not installed: {kind.install}")
    return kind.name


@pytest.fixture
def local(engine_name: str) -> Iterator[LlamaCppProvider]:
    """A provider on one engine."""
    with LlamaCppProvider({"engine": engine_name}) as provider:
        yield provider


@pytest.fixture
def make(engine_name: str) -> Iterator[Callable[..., LlamaCppProvider]]:
    """Makes providers on one engine, with settings; closes them."""
    made: list[LlamaCppProvider] = []

    def make_one(**settings: Any) -> LlamaCppProvider:
        made.append(LlamaCppProvider({"engine": engine_name, **settings}))
        return made[-1]

    yield make_one
    for provider in made:
        provider.close()


@pytest.fixture(scope="session")
def demo() -> Path:
    """The demo model's file."""
    return demo_model().path


@pytest.fixture
def tools() -> list[dict[str, Any]]:
    return [WEATHER, ADD]


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: Any) -> bytes:
    """A metadata value: its type and its bytes."""
    match value:
        case bool():
            return struct.pack("<I?", 7, value)
        case int() if value >= 0:
            return struct.pack("<IQ", 10, value)
        case int():
            return struct.pack("<Iq", 11, value)
        case float():
            return struct.pack("<Id", 12, value)
        case str():
            return struct.pack("<I", 8) + _text(value)
        case list() if value and isinstance(value[0], str):
            return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_text, value))
        case list():
            return struct.pack(f"<IIQ{len(value)}d", 9, 12, len(value), *value)
    raise TypeError(value)


def gguf_bytes(
    metadata: Mapping[str, Any], tensors: int = 1, version: int = 3, count: int | None = None
) -> bytes:
    """A GGUF file with *metadata* and some tensors of 8 numbers each, 32 bytes apart."""
    head = struct.pack(
        "<4sIQQ", b"GGUF", version, tensors if count is None else count, len(metadata)
    )
    pairs = b"".join(_text(key) + _value(value) for key, value in metadata.items())
    infos = b"".join(
        _text(f"t{at}") + struct.pack("<IQIQ", 1, 8, 0, 32 * at) for at in range(tensors)
    )
    start = head + pairs + infos
    padding = b"\0" * (-len(start) % 32)
    return start + padding + b"\0" * 32 * tensors


@pytest.fixture
def write_gguf(tmp_path: Path) -> Write:
    """Writes a GGUF file with the given metadata: `write_gguf("name.gguf", {...}, tensors=1)`."""

    def write(name: str, metadata: Mapping[str, Any] | None = None, **more: Any) -> Path:
        given = {"general.architecture": "llama"} if metadata is None else metadata
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gguf_bytes(given, **more))
        return path

    return write
