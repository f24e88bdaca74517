"""Settings: their names in other programs, every problem at once, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import fields
from hypothesis import given
from hypothesis import strategies as st

from jackfield import ConfigError
from jackfield_llamacpp import LlamaCppConfig, LlamaCppProvider
from jackfield_llamacpp.engine import KINDS, choose_engine
from jackfield_llamacpp.errors import EngineError
from jackfield_llamacpp.formats import FORMATS
from jackfield_llamacpp.gguf import Header
from jackfield_llamacpp.options import KV_TYPES, LoadOptions, default_threads, resolve

Write = Callable[..., Path]
PLAIN = ["f16", "f32", "bf16"]


def problems(**settings: Any) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        LlamaCppProvider(settings)
    return {issue.path: str(issue) for issue in caught.value.issues}


def header(trained: int | None = 4096, pooling: int | None = None) -> Header:
    metadata: dict[str, Any] = {"general.architecture": "llama"}
    if trained is not None:
        metadata["llama.context_length"] = trained
    if pooling is not None:
        metadata["llama.pooling_type"] = pooling
    return Header(path=Path("m.gguf"), version=3, tensor_count=1, metadata=metadata)


def test_the_settings_of_the_provider_module_before_this_one_still_work() -> None:
    settings = {
        "models_dir": "/mnt/d/models/organized",
        "default_threads": 24,
        "default_gpu_layers": 999,
    }
    config = LlamaCppProvider(settings).config
    assert (config.n_threads, config.n_gpu_layers) == (24, 999)
    assert config.models_dir == "/mnt/d/models/organized"


def test_every_wrong_value_is_reported_at_once_with_what_would_be_right() -> None:
    found = problems(engine="llamacpp", type_k="q9", n_ctx=0, n_batch=-1, chat_format="chat-ml")
    assert set(found) == {"engine", "type_k", "n_ctx", "n_batch", "chat_format"}
    assert "llama-cpp-python" in found["engine"]
    assert "q8_0" in found["type_k"]
    assert "at least 1" in found["n_ctx"]
    assert "did you mean chatml?" in found["chat_format"]


def test_a_misspelt_setting_is_refused_with_a_suggestion() -> None:
    assert "did you mean models_dir?" in problems(model_dir="x")["model_dir"]


def test_a_wrong_type_is_refused_with_its_path() -> None:
    assert "whole number" in problems(n_threads="four")["n_threads"]


def test_settings_that_exclude_each_other_are_refused() -> None:
    assert "flash_attn" in problems(flash_attn=False, type_v="q8_0")
    assert "chat_format" in problems(chat_format="chatml", chat_template="{{ messages }}")


def test_what_is_not_here_is_told_by_validate_config(tmp_path: Path) -> None:
    provider = LlamaCppProvider(
        {
            "models_dir": str(tmp_path / "none"),
            "model_path": str(tmp_path / "none.gguf"),
            "chat_template": str(tmp_path / "none.jinja"),
        }
    )
    paths = {issue.path for issue in provider.validate_config()}
    assert paths >= {"models_dir", "model_path", "chat_template"}


def test_a_broken_model_file_is_told_by_validate_config(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"<html>")
    (issue,) = [
        issue
        for issue in LlamaCppProvider({"model_path": str(path)}).validate_config()
        if issue.path == "model_path"
    ]
    assert "web page" in issue.problem


def test_a_chat_template_comes_from_text_from_a_file_or_by_name(tmp_path: Path) -> None:
    (tmp_path / "t.jinja").write_text("{{ 'from a file' }}")
    by_path = LlamaCppConfig(chat_template=str(tmp_path / "t.jinja"))
    assert by_path.template() == "{{ 'from a file' }}"
    assert LlamaCppConfig(chat_template="{{ 1 }}").template() == "{{ 1 }}"
    assert LlamaCppConfig(chat_format="gemma").template() == FORMATS["gemma"]
    assert LlamaCppConfig().template() is None


def test_every_option_of_a_loading_comes_from_the_setting_of_its_name() -> None:
    shared = {f.name for f in fields(LoadOptions)} & {f.name for f in fields(LlamaCppConfig)}
    config = LlamaCppConfig(
        n_ctx=7, n_gpu_layers=3, flash_attn=True, type_k="q8_0", type_v="q4_0", n_threads=5,
        n_batch=9, use_mmap=False, use_mlock=True, pooling="cls", chat_template="{{ 1 }}",
    )  # fmt: skip
    options = config.load_options()
    differing = {name for name in shared if getattr(options, name) != getattr(config, name)}
    assert differing == {"pooling"}  # only for embeddings
    assert config.load_options(embedding=True).pooling == "cls"
    assert config.load_options(n_ctx=99).n_ctx == 99


@given(
    wish=st.none() | st.integers(1, 10**6),
    trained=st.none() | st.integers(1, 10**6),
    size=st.integers(0, 2**40),
    cpus=st.integers(1, 256),
)
def test_resolving_fills_in_every_default_and_never_exceeds_the_trained_context(
    wish: int | None, trained: int | None, size: int, cpus: int
) -> None:
    made = resolve(LoadOptions(n_ctx=wish), header(trained), size, cpus)
    assert made.n_ctx is not None
    assert made.n_threads is not None
    most = trained or max(wish or 0, 8192)
    assert made.n_ctx % 256 == 0
    assert min(wish or most, most, 8192) <= made.n_ctx < most + 256
    assert 1 <= made.n_threads <= cpus
    assert resolve(made, header(trained), size, cpus) == made


@given(cpus=st.integers(1, 256))
def test_a_tiny_model_gets_one_thread_and_a_real_one_half_of_the_processors(cpus: int) -> None:
    assert default_threads(1_263_968, cpus) == 1
    assert default_threads(4_000_000_000, cpus) == max(1, cpus // 2)


@pytest.mark.parametrize("kind", KV_TYPES)
def test_a_quantized_value_cache_turns_flash_attention_on(kind: str) -> None:
    made = resolve(LoadOptions(type_v=kind), header(), 1, 1)
    assert made.flash_attn is (None if kind in PLAIN else True)
    if kind not in PLAIN:
        with pytest.raises(EngineError, match="flash"):
            resolve(LoadOptions(type_v=kind, flash_attn=False), header(), 1, 1)


def test_embeddings_pool_as_the_model_says_or_by_the_mean() -> None:
    assert resolve(LoadOptions(embedding=True), header(), 1, 1).pooling == "mean"
    assert resolve(LoadOptions(embedding=True), header(pooling=2), 1, 1).pooling is None
    wish = LoadOptions(embedding=True, pooling="last")
    assert resolve(wish, header(), 1, 1).pooling == "last"


def test_the_engine_is_the_named_one_or_the_first_that_is_installed() -> None:
    assert choose_engine("auto", lambda _: True).name == "llama-cpp-python"
    assert choose_engine("auto", lambda kind: kind.name == "xllamacpp").name == "xllamacpp"
    assert choose_engine("xllamacpp", lambda _: True).name == "xllamacpp"


def test_without_an_engine_the_message_says_how_to_get_each() -> None:
    with pytest.raises(EngineError) as caught:
        choose_engine("auto", lambda _: False)
    assert caught.value.code == "engine_missing"
    assert all(kind.install in str(caught.value) for kind in KINDS.values())
    with pytest.raises(EngineError, match=r"xllamacpp is not installed.*\[fast\]"):
        choose_engine("xllamacpp", lambda _: False)
