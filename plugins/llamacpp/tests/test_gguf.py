"""Headers of GGUF files: read as written, and every damage told apart before native code sees it."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jackfield_llamacpp.errors import EngineError
from jackfield_llamacpp.gguf import TENSOR_TYPES, read_header

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
CHECKED = (
    "context_length",
    "block_count",
    "_epsilon",
)  # their values are held to what llama.cpp bears
KEYS = TEXTS.filter(
    lambda key: key not in {"", "general.alignment", "tokenizer.ggml.tokens"}
).filter(lambda key: not key.endswith(CHECKED))
VALUES = st.one_of(
    st.booleans(),
    st.integers(0, 2**64 - 1),
    st.integers(-(2**63), -1),
    st.floats(allow_nan=False),
    TEXTS,
    st.lists(TEXTS, min_size=1, max_size=8),
    st.lists(st.floats(allow_nan=False), max_size=8),
)
SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

Write = Callable[..., Path]


def fail(path: Path) -> EngineError:
    with pytest.raises(EngineError) as caught:
        read_header(path)
    return caught.value


@SAME_FOLDER
@given(metadata=st.dictionaries(KEYS, VALUES, max_size=6), tensors=st.integers(0, 5))
def test_metadata_is_read_as_it_was_written(
    write_gguf: Write, metadata: dict[str, Any], tensors: int
) -> None:
    header = read_header(write_gguf("x.gguf", metadata, tensors=tensors))
    assert dict(header.metadata) == metadata
    assert header.tensor_count == tensors


@SAME_FOLDER
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere_is_refused_as_cut_short(
    tmp_path: Path, demo: Path, share: float
) -> None:
    path = tmp_path / "cut.gguf"
    whole = demo.read_bytes()
    path.write_bytes(whole[: 24 + int(share * (len(whole) - 24))])
    error = fail(path)
    assert error.code == "bad_model_file"
    assert "cut short" in str(error)
    assert str(path) in str(error)


@SAME_FOLDER
@given(start=st.binary(max_size=64))
def test_any_bytes_are_read_or_refused_with_a_typed_error(tmp_path: Path, start: bytes) -> None:
    for magic in (b"", b"GGUF\3\0\0\0", b"GGUF\3\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0"):
        path = tmp_path / "any.gguf"
        path.write_bytes(magic + start)
        with contextlib.suppress(EngineError):
            assert read_header(path).version == 3


@pytest.mark.parametrize(
    ("content", "meaning"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "Git LFS pointer"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\n  <html>", "web page"),
        (b"PK\x03\x04rest", "zip archive"),
        (b"tjgg\3\0\0\0", "old GGJT format"),
        (struct.pack("<Q", 300) + b'{"__metadata__"', "safetensors"),
        (b"hello world, this is text", "where b'GGUF' belongs"),
        (b"GGUF\0\0\0\3" + bytes(16), "big-endian"),
        (struct.pack("<4sIQQ", b"GGUF", 1, 0, 0), "version 1"),
        (struct.pack("<4sIQQ", b"GGUF", 99, 0, 0), "version 99"),
        (struct.pack("<4sIQQ", b"GGUF", 3, 2**60, 2**60), "cut short or damaged"),
        (struct.pack("<4sIQQQ", b"GGUF", 3, 0, 1, 2**62) + bytes(64), "cut short or damaged"),
    ],
)
def test_what_is_no_whole_gguf_file_is_named(tmp_path: Path, content: bytes, meaning: str) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(content)
    error = fail(path)
    assert error.code == "bad_model_file"
    assert meaning in str(error)


def test_no_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    assert fail(tmp_path / "none.gguf").code == "model_not_found"
    assert "is a folder" in str(fail(tmp_path))


def test_a_vocabulary_with_the_same_token_twice_is_refused(write_gguf: Write) -> None:
    same = {"general.architecture": "llama", "tokenizer.ggml.tokens": ["a", "b", "a"]}
    assert "same token twice" in str(fail(write_gguf("x.gguf", same)))
    # llama.cpp reads texts up to a NUL.
    cut = {"general.architecture": "llama", "tokenizer.ggml.tokens": ["a", "a\0b"]}
    assert "same token twice" in str(fail(write_gguf("y.gguf", cut)))


@pytest.mark.parametrize("layers", [0, 513, 2**40])
def test_a_number_of_layers_that_ends_llama_cpp_is_refused(write_gguf: Write, layers: int) -> None:
    metadata = {"general.architecture": "llama", "llama.block_count": layers}
    assert "block_count" in str(fail(write_gguf("x.gguf", metadata)))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("llama.context_length", 0),
        ("llama.context_length", 2**31),
        ("llama.attention.layer_norm_rms_epsilon", -1.0),
        ("llama.attention.layer_norm_rms_epsilon", float("nan")),
        ("clip.vision.attention.layer_norm_epsilon", float("inf")),
    ],
)
def test_a_number_over_which_llama_cpp_ends_the_process_is_refused_by_its_name(
    write_gguf: Write, key: str, value: float
) -> None:
    metadata = {"general.architecture": "llama", key: value}
    assert key in str(fail(write_gguf("x.gguf", metadata)))


def test_a_norm_that_is_not_in_f32_is_refused(tmp_path: Path, demo: Path) -> None:
    f32, q8_0 = (b"output_norm.weight" + struct.pack("<IQI", 1, 128, kind) for kind in (0, 8))
    whole, path = demo.read_bytes(), tmp_path / "x.gguf"
    assert whole.count(f32) == 1
    path.write_bytes(whole.replace(f32, q8_0))
    assert "output_norm.weight" in str(fail(path))


def test_a_brief_reading_stops_before_the_vocabulary_and_needs_no_more_of_the_file(
    tmp_path: Path, demo: Path
) -> None:
    path = tmp_path / "start.gguf"
    path.write_bytes(demo.read_bytes()[:2000])
    header = read_header(path, brief=True)
    assert (header.architecture, header.context_length) == ("llama", 1024)
    assert not any(key.startswith("tokenizer.") for key in header.metadata)


def test_the_header_of_the_demo_model_tells_what_it_is(demo: Path) -> None:
    header = read_header(demo)
    assert header.is_chat_model
    assert (header.context_length, header.embedding_length, header.pooling) == (1024, 128, None)
    assert "<tool_call>" in (header.chat_template or "")
    assert header.metadata["tokenizer.ggml.tokens"] == 1280
    assert header.metadata["general.license"] == "CC0-1.0"


def test_a_file_that_changed_is_read_again(write_gguf: Write) -> None:
    path = write_gguf("x.gguf", {"general.architecture": "llama"})
    assert read_header(path).architecture == "llama"
    write_gguf("x.gguf", {"general.architecture": "qwen3", "more": 1})
    assert read_header(path).architecture == "qwen3"


def test_the_sizes_of_tensor_types_are_those_of_the_gguf_package() -> None:
    gguf = pytest.importorskip("gguf", reason="the gguf package, to compare with, is not installed")
    theirs = {int(kind): tuple(sizes) for kind, sizes in gguf.GGML_QUANT_SIZES.items()}
    assert {kind: theirs[kind] for kind in TENSOR_TYPES} == dict(TENSOR_TYPES)
