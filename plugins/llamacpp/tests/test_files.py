"""Model files of all kinds: listed, described, loaded; and none that is broken ends the process."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jackfield import ConfigError, NotFoundError
from jackfield_llamacpp import LlamaCppProvider
from jackfield_llamacpp.options import KV_TYPES

Make = Callable[..., LlamaCppProvider]
Write = Callable[..., Path]
GREEDY = {"temperature": 0}

# Loads every path of standard input and says what came of it; the parent sees whether it lived.
CHILD = """
import sys
from jackfield import LLMError
from jackfield_llamacpp import LlamaCppProvider

for line in sys.stdin:
    with LlamaCppProvider({"engine": sys.argv[1]}) as provider:
        try:
            provider.execute(line.strip(), "Hi", {"max_tokens": 2})
        except LLMError as error:
            print(type(error).__name__, error.code, flush=True)
        else:
            print("fine", flush=True)
print("alive", flush=True)
"""


def outcomes(engine: str, paths: list[Path]) -> list[str]:
    """What came of loading each of *paths*, in one process that must survive them all."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, engine],
        input="\n".join(map(str, paths)),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**__import__("os").environ, "GGML_NO_BACKTRACE": "1"},
    )
    lines = done.stdout.splitlines()
    assert lines[-1:] == ["alive"], f"after {lines[-1:]} with {paths[len(lines)]}: {done.stderr}"
    return lines[:-1]


def test_missing_broken_and_foreign_files_are_typed_errors_and_the_process_lives(
    engine_name: str, tmp_path: Path, write_gguf: Write, demo: Path
) -> None:
    whole = demo.read_bytes()
    contents = {
        "empty.gguf": b"",
        "page.gguf": b"<!DOCTYPE html>",
        "half.gguf": whole[: len(whole) // 2],
        "last-byte.gguf": whole[:-1],
        "header.gguf": whole[:3000],
        "magic.gguf": b"GGML" + whole[4:],
        "version.gguf": whole[:4] + b"\x63" + whole[5:],
        "layers.gguf": whole.replace(b"block_count\4\0\0\0\5", b"block_count\4\0\0\0\0"),
    }
    paths = []
    for name, content in contents.items():
        paths.append(tmp_path / name)
        paths[-1].write_bytes(content)
    found = outcomes(engine_name, [*paths, tmp_path / "none.gguf", tmp_path])
    assert found[: len(paths)] == ["ConfigError bad_model_file"] * len(paths)
    assert found[len(paths)] == "NotFoundError model_not_found"
    # Whole files, as far as their headers say, that hold no model for llama.cpp.
    foreign = [
        write_gguf("no-such.gguf", {"general.architecture": "no-such"}),
        write_gguf("nothing.gguf", {}),
        write_gguf("bare.gguf", {"general.architecture": "llama", "llama.context_length": 64}),
    ]
    assert set(outcomes(engine_name, foreign)) == {"ConfigError load_failed"}


def test_numbers_that_llama_cpp_would_end_the_process_over_are_typed_errors(
    engine_name: str, tmp_path: Path, demo: Path
) -> None:
    whole = demo.read_bytes()
    paths = []
    for number, (key, kind, values) in enumerate(
        [
            (b"llama.context_length", 4, [b"\0\0\0\0", b"\0\0\0\x80", b"\xff\xff\xff\xff"]),
            (b"layer_norm_rms_epsilon", 6, [b"\0\0\xc0\x7f", b"\0\0\x80\xbf"]),
            (b"output_norm.weight", 1, [b"\x08\0\0\0"]),
        ]
    ):
        # After its kind (or, for a tensor, its one dimension) stands what is damaged.
        at = whole.index(key) + len(key) + (12 if kind == 1 else 4)
        assert whole[at - (12 if kind == 1 else 4)] == kind
        for value in values:
            paths.append(tmp_path / f"{number}-{value.hex()}.gguf")
            paths[-1].write_bytes(whole[:at] + value + whole[at + 4 :])
    assert outcomes(engine_name, paths) == ["ConfigError bad_model_file"] * len(paths)


def test_a_split_model_answers_and_each_of_its_parts_must_be_whole(
    make: Make, tmp_path: Path, demo: Path
) -> None:
    parts = split(demo, tmp_path / "big-Q8_0.gguf")
    assert len(parts) == 3
    provider = make(models_dir=str(tmp_path))
    for name in ("big", str(parts[2])):
        assert provider.execute(name, "What is 3 + 4?", GREEDY).text == "3 + 4 = 7"
    second = parts[1].read_bytes()
    parts[1].write_bytes(second[: len(second) // 2])
    with pytest.raises(ConfigError, match=r"00002-of-00003.* cut short"):
        provider.execute("big", "Hi")
    parts[1].unlink()
    with pytest.raises(NotFoundError, match=r"lacks big-Q8_0-00002-of-00003"):
        provider.execute("big", "Hi")
    assert [model.id for model in provider.list_models()] == ["tiny-demo"]


def split(model: Path, target: Path) -> list[Path]:
    """*model* in parts of 20 tensors, as `gguf-split` names them."""
    gguf = pytest.importorskip("gguf", reason="the gguf package, which writes parts, is missing")
    reader = gguf.GGUFReader(model)
    writer = gguf.GGUFWriter(str(target), "llama", split_max_tensors=20)
    for key, value in reader.fields.items():
        if not key.startswith("GGUF.") and key != "general.architecture":
            kind = value.types[0]
            if kind == gguf.GGUFValueType.ARRAY:
                writer.add_array(key, value.contents())
            else:
                writer.add_key_value(key, value.contents(), kind)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    for write in ("header_to_file", "kv_data_to_file", "tensors_to_file"):
        getattr(writer, f"write_{write}")()
    writer.close()
    return sorted(target.parent.glob("*-of-*.gguf"))


def test_a_file_that_was_replaced_is_loaded_again(make: Make, tmp_path: Path, demo: Path) -> None:
    path, provider = tmp_path / "x.gguf", make()
    shutil.copy(demo, path)
    whole = provider.execute(str(path), "What is 3 + 4?", GREEDY).text
    other = demo.read_bytes()
    at = len(other) - 200_000  # other weights, as another quantization has
    (tmp_path / "new").write_bytes(other[:at] + bytes(200_000))
    (tmp_path / "new").replace(path)
    assert provider.execute(str(path), "What is 3 + 4?", {**GREEDY, "max_tokens": 9}).text != whole


@pytest.mark.slow
@pytest.mark.parametrize("until", [1150, 60_000])
def test_no_damage_to_a_header_ends_the_process(
    engine_name: str, tmp_path: Path, demo: Path, until: int
) -> None:
    whole, r = demo.read_bytes(), random.Random(until)
    paths = []
    for number in range(60):
        damaged = bytearray(whole)
        for _ in range(r.choice((1, 1, 2, 5))):
            damaged[r.randrange(4, until)] = r.choice((0, 1, 255, r.randrange(256)))
        paths.append(tmp_path / f"{number}.gguf")
        paths[-1].write_bytes(damaged)
    assert len(outcomes(engine_name, paths)) == len(paths)


def test_the_reason_of_a_failed_loading_is_told(make: Make, write_gguf: Write) -> None:
    path = write_gguf("strange.gguf", {"general.architecture": "no-such"})
    with pytest.raises(ConfigError, match=r"strange\.gguf.*no-such"):
        make().execute(str(path), "Hi")


def test_the_list_has_the_demo_model_and_the_folders_and_skips_what_is_no_model(
    make: Make, tmp_path: Path, demo: Path, write_gguf: Write
) -> None:
    shutil.copy(demo, tmp_path / "Tiny-Copy-Q8_0.gguf")
    write_gguf("projector.gguf", {"general.architecture": "clip"})
    write_gguf("adapter.gguf", {"general.architecture": "llama", "general.type": "adapter"})
    (tmp_path / "broken.gguf").write_bytes(b"<html>")
    listed = {model.id: model for model in make(models_dir=str(tmp_path)).list_models()}
    assert set(listed) == {"tiny-demo", "Tiny-Copy-Q8_0"}
    copy = listed["Tiny-Copy-Q8_0"]
    assert (copy.context_window, copy.size_bytes) == (1024, demo.stat().st_size)
    assert copy.provider_metadata["llamacpp"]["architecture"] == "llama"


@pytest.mark.parametrize("name", ["Tiny-Copy-Q8_0", "tiny-copy", "copy", "tiny-copy-q8_0.gguf"])
def test_a_model_of_the_folder_answers_under_its_name(
    make: Make, tmp_path: Path, demo: Path, name: str
) -> None:
    shutil.copy(demo, tmp_path / "Tiny-Copy-Q8_0.gguf")
    answer = make(models_dir=str(tmp_path)).execute(name, "What is 3 + 4?", GREEDY)
    assert answer.text == "3 + 4 = 7"
    assert answer.model == "Tiny-Copy-Q8_0"


def test_a_path_answers_too_unless_paths_are_off(make: Make, demo: Path) -> None:
    assert make().execute(str(demo), "What is 3 + 4?", GREEDY).text == "3 + 4 = 7"
    with pytest.raises(NotFoundError, match="allow_paths"):
        make(allow_paths=False).execute(str(demo), "Hi")
    configured = make(allow_paths=False, model_path=str(demo))
    assert configured.execute("tiny-demo", "What is 3 + 4?", GREEDY).text == "3 + 4 = 7"


def test_the_demo_model_never_stands_in_for_another(make: Make, tmp_path: Path) -> None:
    provider = make(models_dir=str(tmp_path))
    for name in ("llama-3", "demo-of-something", "gpt-4"):
        with pytest.raises(NotFoundError, match="tiny-demo"):
            provider.execute(name, "Hi")


def test_a_models_file_tells_what_it_is(local: LlamaCppProvider) -> None:
    from jackfield import ModelInfoRequest

    info = local.run(ModelInfoRequest(model="tiny-demo"))
    assert (info.context_window, info.capabilities.tools) == (1024, True)
    assert info.capabilities.embeddings
    assert "demonstration" in info.provider_metadata["llamacpp"]["description"]


@pytest.mark.parametrize(
    "settings",
    [
        {"type_k": "q8_0", "type_v": "q8_0"},
        {"type_k": "q4_0"},
        {"type_v": "q5_1"},
        {"flash_attn": True},
        {"flash_attn": False},
        {"use_mmap": False},
        {"n_gpu_layers": 999},
        {"n_threads": 2, "n_batch": 8},
        {"n_ctx": 300},
    ],
    ids=str,
)
def test_a_model_answers_however_it_is_loaded(make: Make, settings: dict[str, Any]) -> None:
    assert make(**settings).execute("tiny-demo", "What is 3 + 4?", GREEDY).text == "3 + 4 = 7"


def test_every_type_of_cache_is_known_to_the_engine(make: Make) -> None:
    for kind in KV_TYPES:
        answer = make(type_k=kind).execute(
            "tiny-demo", "What is 3 + 4?", {**GREEDY, "max_tokens": 1}
        )
        assert answer.usage.output_tokens == 1


def test_a_chat_format_or_template_replaces_the_models_own(make: Make) -> None:
    chatml = make(chat_format="chatml").execute("tiny-demo", "What is 3 + 4?", GREEDY)
    assert chatml.text == "3 + 4 = 7"
    fixed = "<|im_start|>user\nSay purple<|im_end|>\n<|im_start|>assistant\n"
    own = make(chat_template="{{- '" + fixed.replace("\n", "\\n") + "' -}}{# messages #}")
    assert own.execute("tiny-demo", "What is 3 + 4?", GREEDY).text == "purple"


@pytest.mark.parametrize(
    "name", ["llama-2", "llama-3", "mistral", "gemma", "phi-3", "zephyr", "vicuna", "alpaca"]
)
def test_every_named_format_takes_a_whole_conversation(make: Make, name: str) -> None:
    turns = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi!"},
        {"role": "user", "content": "What is 3 + 4?"},
    ]
    provider = make(chat_format=name)
    counted = provider.count_tokens("tiny-demo", turns)
    assert counted.input_tokens > 30
    assert provider.execute("tiny-demo", turns, {"max_tokens": 3}).usage.output_tokens
