"""The header of a GGUF file: what a model is, and whether the file is whole, before native code sees it.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from attrs import evolve, frozen

from .errors import EngineError

_SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_WIDTHS = {code: struct.calcsize("<" + code) for code in _SCALARS.values()}
_STRING, _ARRAY = 8, 9
_F32 = 0
_RANK = 4  # of llama.cpp's ways of pooling
_LONGEST_TEXT = 1 << 26
_TOKENS = "tokenizer.ggml.tokens"
_LONGEST_CONTEXT = 2**31 - 1
_MOST_LAYERS = 512
"""llama.cpp's own limit; beyond it, it ends the process."""
_LONGEST_KEPT_ARRAY = 64
"""Longer arrays (vocabularies) are walked over, not kept."""

TENSOR_TYPES: Mapping[int, tuple[int, int]] = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110),
    22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8),
    29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36), 41: (128, 18),
}  # fmt: skip
"""ggml's tensor types: values in a block, bytes of a block. A type that is not here is not measured."""

_LOOKALIKES = (
    (b"version https://git-lfs", "a Git LFS pointer; fetch the file itself with `git lfs pull`"),
    (b"<", "a web page; the download went to a page about the file, not to the file"),
    (b"PK\x03\x04", "a zip archive (perhaps a PyTorch checkpoint); convert it to GGUF first"),
    (b"lmgg", "llama.cpp's old GGML format; get or convert a GGUF file"),
    (b"fmgg", "llama.cpp's old GGMF format; get or convert a GGUF file"),
    (b"tjgg", "llama.cpp's old GGJT format; get or convert a GGUF file"),
    (b"FUGG", "a big-endian GGUF file; convert it for this machine"),
)


@frozen(kw_only=True)
class Header:
    """A GGUF file's metadata. Arrays longer than 64 entries (vocabularies) appear as their length."""

    path: Path
    version: int
    tensor_count: int
    metadata: Mapping[str, Any]
    has_scores: bool = False
    """Whether there are weights of a head that scores; a brief reading does not see it."""

    @property
    def architecture(self) -> str:
        """The model family, such as "llama" or "qwen3"; "" when the file does not say."""
        return str(self.metadata.get("general.architecture", ""))

    @property
    def context_length(self) -> int | None:
        """The longest context that the model was trained for, in tokens."""
        return self._integer("context_length")

    @property
    def embedding_length(self) -> int | None:
        """The width of the model, which is the size of its embeddings."""
        return self._integer("embedding_length")

    @property
    def pooling(self) -> int | None:
        """How an embedding model pools, as llama.cpp numbers it; None for a model that does not say."""
        return self._integer("pooling_type")

    @property
    def ranks(self) -> bool:
        """Whether the model says how well a document answers a query."""
        return self.has_scores or self.pooling == _RANK

    @property
    def chat_template(self) -> str | None:
        """The model's own Jinja chat template; the variant for tools where there are several."""
        for key in ("tokenizer.chat_template.tool_use", "tokenizer.chat_template"):
            if isinstance(text := self.metadata.get(key), str) and text.strip():
                return text
        return None

    @property
    def is_chat_model(self) -> bool:
        """Whether the file holds a language model, not a projector, an adapter or a matrix of statistics."""
        kind = self.metadata.get("general.type", "model")
        return (
            kind == "model"
            and self.architecture not in {"", "clip", "mmproj"}
            and self.tensor_count > 0
        )

    def _integer(self, name: str) -> int | None:
        value = self.metadata.get(f"{self.architecture}.{name}")
        return value if isinstance(value, int) and not isinstance(value, bool) else None


def read_header(path: Path, *, brief: bool = False) -> Header:
    """Read and check the header of *path*; *brief* stops before the vocabulary and the tensors.

    A full reading also proves that the file is long enough for the tensors that it announces.
    Readings are remembered for as long as the file's size and time stay the same.

    Raises:
        EngineError: `model_not_found` when there is no such file, `bad_model_file` when it cannot be
            read, is no GGUF file, or is cut short; the message says which and what to do.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise EngineError("model_not_found", f"no file {path}") from None
    except OSError as error:
        raise EngineError(
            "bad_model_file", f"cannot read {path}: {error.strerror or error}"
        ) from None
    if path.is_dir():
        raise EngineError("bad_model_file", f"{path} is a folder; name a .gguf file in it")
    return _read_cached(path, status.st_size, status.st_mtime_ns, brief)


@lru_cache(maxsize=256)
def _read_cached(path: Path, size: int, _mtime: int, brief: bool) -> Header:
    try:
        with path.open("rb") as file:
            return _Reader(path, file, size).header(brief=brief)
    except OSError as error:
        raise EngineError(
            "bad_model_file", f"cannot read {path}: {error.strerror or error}"
        ) from None


class _Reader:
    """Walks over one file's header; every read is checked against the end of the file."""

    def __init__(self, path: Path, file: BinaryIO, size: int) -> None:
        self.path, self.file, self.size = path, file, size

    def header(self, *, brief: bool) -> Header:
        self._check_magic()
        version = self._scalar("I")
        if version not in {2, 3}:
            raise self._bad(f"has GGUF version {version}; versions 2 and 3 can be read")
        tensors, pairs = self._scalar("Q"), self._scalar("Q")
        if pairs * 13 + tensors * 24 > self.size:  # the least that so many entries take
            raise self._truncated()
        metadata: dict[str, Any] = {}
        for _ in range(pairs):
            key = self._text()
            if brief and key.startswith("tokenizer."):
                break
            metadata[key] = self._vocabulary() if key == _TOKENS else self._value(self._scalar("I"))
        header = Header(path=self.path, version=version, tensor_count=tensors, metadata=metadata)
        if not brief:
            self._check_numbers(header)
            names = self._check_tensors(tensors, metadata.get("general.alignment", 32))
            header = evolve(header, has_scores=any(name.startswith("cls.") for name in names))
        return header

    def _check_magic(self) -> None:
        start = self.file.read(24)
        self.file.seek(4)
        if start[:4] == b"GGUF":
            if start[4:8] in {b"\0\0\0\2", b"\0\0\0\3"}:
                raise self._bad("is a big-endian GGUF file; convert it for this machine")
            return
        if not start:
            raise self._bad("is empty; the download may have failed")
        for prefix, meaning in _LOOKALIKES:
            if start.lstrip().startswith(prefix):
                raise self._bad(f"is not a GGUF file but {meaning}")
        if start[8:9] == b"{":
            raise self._bad(
                "is not a GGUF file but looks like safetensors; convert it to GGUF first"
            )
        raise self._bad(f"is not a GGUF file (it starts with {start[:4]!r} where b'GGUF' belongs)")

    def _vocabulary(self) -> int:
        """The number of tokens, each proved to differ from all others, else llama.cpp ends the process."""
        kind, item, length = self._scalar("I"), self._scalar("I"), self._scalar("Q")
        if (kind, item) != (_ARRAY, _STRING):
            raise self._bad(f"holds no list of texts as {_TOKENS}")
        if length * 8 > self.size:
            raise self._truncated()
        texts = (self._take(self._scalar("Q")).partition(b"\0")[0] for _ in range(length))
        tokens = [text for text in texts if text]
        if len(set(tokens)) < len(tokens):
            raise self._bad("holds the same token twice in its vocabulary; fetch it again")
        return int(length)

    def _check_numbers(self, header: Header) -> None:
        """See that no number has a value over which llama.cpp ends the process."""
        for name, most in (("block_count", _MOST_LAYERS), ("context_length", _LONGEST_CONTEXT)):
            key = f"{header.architecture}.{name}"
            value = header.metadata.get(key, 1)
            if not isinstance(value, int) or not 0 < value <= most:
                raise self._bad(f"says {key} = {value!r}; it is damaged, fetch it again")
        for key, value in header.metadata.items():
            if key.endswith("_epsilon") and not (
                isinstance(value, float) and 0 <= value < math.inf
            ):
                raise self._bad(f"says {key} = {value!r}; it is damaged, fetch it again")

    def _check_tensors(self, count: int, alignment: Any) -> Sequence[str]:
        """See that the tensors are whole; gives their names."""
        if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1):
            raise self._bad(f"says general.alignment = {alignment!r}, which is no power of two")
        end, names = 0, []
        for _ in range(count):
            name, dimensions = self._text(), self._scalar("I")
            names.append(name)
            if dimensions > 4:
                raise self._bad(f"gives tensor {name!r} {dimensions} dimensions; 4 is the most")
            shape = [self._scalar("Q") for _ in range(dimensions)]
            kind, offset = self._scalar("I"), self._scalar("Q")
            if kind != _F32 and name.endswith("norm.weight"):
                raise self._bad(f"holds the norm {name!r} in another type than f32; fetch it again")
            if offset % alignment:
                raise self._bad(f"places tensor {name!r} off the alignment of {alignment}")
            block, width = TENSOR_TYPES.get(kind, (1, 0))
            end = max(end, offset + math.prod(shape) // block * width)
        start = -(-self.file.tell() // alignment) * alignment
        if end and start + end > self.size:
            raise self._truncated(start + end)
        return names

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._text()
        if kind == _ARRAY:
            return self._array(self._scalar("I"), self._scalar("Q"))
        return self._scalar(self._format(kind))

    def _array(self, kind: int, length: int) -> Any:
        keep = length <= _LONGEST_KEPT_ARRAY
        if kind == _STRING:
            if keep:
                return [self._text() for _ in range(length)]
            for _ in range(length):
                self._skip(self._scalar("Q"))
            return length
        code = self._format(kind)  # arrays of arrays are not in use
        width = length * _WIDTHS[code]
        if keep:
            return list(struct.unpack(f"<{length}{code}", self._take(width)))
        self._skip(width)
        return length

    def _format(self, kind: int) -> str:
        if kind not in _SCALARS:
            raise self._bad(
                f"holds a metadata value of unknown type {kind}; it is damaged or newer than this reader"
            )
        return _SCALARS[kind]

    def _scalar(self, code: str) -> Any:
        return struct.unpack("<" + code, self._take(_WIDTHS[code]))[0]

    def _text(self) -> str:
        return self._take(self._scalar("Q")).decode("utf-8", "replace")

    def _take(self, length: int) -> bytes:
        # Lengths are compared before reading: a damaged one must not allocate memory.
        if length > _LONGEST_TEXT:
            raise self._truncated()
        data = self.file.read(length)
        if len(data) < length:
            raise self._truncated()
        return data

    def _skip(self, length: int) -> None:
        if length <= 1024:  # cheaper than moving, which throws the buffer away
            self._take(length)
        elif length > self.size - self.file.tell():
            raise self._truncated()
        else:
            self.file.seek(length, os.SEEK_CUR)

    def _truncated(self, needed: int | None = None) -> EngineError:
        more = f" of the {needed:,} that it announces" if needed else ""
        return self._bad(
            f"is cut short or damaged: it has {self.size:,} bytes{more}; fetch it again"
        )

    def _bad(self, problem: str) -> EngineError:
        return EngineError("bad_model_file", f"{os.fspath(self.path)} {problem}")
