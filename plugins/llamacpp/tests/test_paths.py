"""From a model's name to its file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield_llamacpp.errors import EngineError
from jackfield_llamacpp.paths import (
    ModelFile,
    choose,
    demo_model,
    discover,
    locate,
    looks_like_path,
    model_name,
    open_path,
    plain_name,
    split_parts,
)
from jackfield_llamacpp.wsl import Platform

Write = Callable[..., Path]
STEMS = st.text("abcXYZ012._-", min_size=1, max_size=20)
WORDS = st.text("abcxyz", min_size=1, max_size=6)


def models(*ids: str) -> list[ModelFile]:
    return [ModelFile(id=name, path=Path(f"{name}.gguf"), size=1) for name in ids]


def refusal(name: str, *ids: str) -> str:
    with pytest.raises(EngineError) as caught:
        choose(name, models(*ids), "in /models")
    assert caught.value.code == "model_not_found"
    return str(caught.value)


@given(stem=STEMS, count=st.integers(1, 40))
def test_every_part_of_a_split_model_knows_all_parts(stem: str, count: int) -> None:
    names = [f"{stem}-{part:05d}-of-{count:05d}.gguf" for part in range(1, count + 1)]
    parts = [Path("/m") / name for name in names]
    assert all(split_parts(part) == parts for part in parts)
    assert {model_name(part) for part in parts} == {stem}


@pytest.mark.parametrize("name", ["m.gguf", "m-00004-of-00003.gguf", "m-1-of-3.gguf"])
def test_a_name_that_only_looks_split_is_one_file(name: str) -> None:
    assert split_parts(Path(name)) == [Path(name)]


@pytest.mark.parametrize(
    "name",
    ["Qwen3-8B-Q4_K_M", "qwen3-8b.q8_0", "Qwen3-8B-IQ2_XXS", "qwen3-8b-f16", "Qwen3-8B-UD-Q4_K_XL"],
)
def test_a_quantization_is_no_part_of_the_plain_name(name: str) -> None:
    assert plain_name(name) == "qwen3-8b"


@given(ids=st.lists(st.lists(WORDS, min_size=1, max_size=3).map("-".join), min_size=1, unique=True))
def test_every_id_means_its_own_model(ids: list[str]) -> None:
    assert [choose(name, models(*ids), "").id for name in ids] == ids


@pytest.mark.parametrize(
    "wish", ["qwen3-8b", "QWEN3-8B-q4_k_m", "qwen3", "Qwen3-8B-Q4_K_M.gguf", "8b q4", "Qwen 8B"]
)
def test_any_part_of_a_name_that_fits_one_model_finds_it(wish: str) -> None:
    there = models("Qwen3-8B-Q4_K_M", "Llama-3.2-1B-Q8_0")
    assert choose(wish, there, "").id == "Qwen3-8B-Q4_K_M"


def test_a_name_that_fits_several_models_lists_them() -> None:
    said = refusal("qwen3-8b", "Qwen3-8B-Q4_K_M", "Qwen3-8B-Q8_0", "phi-4")
    assert "Qwen3-8B-Q4_K_M, Qwen3-8B-Q8_0" in said
    assert "phi-4" not in said


def test_a_misspelt_name_gets_a_suggestion() -> None:
    assert "did you mean Mistral-7B?" in refusal("mitsral-7b", "Mistral-7B", "phi-4")


def test_a_name_like_nothing_gets_the_list_and_the_place() -> None:
    said = refusal("zzz", *(f"model-{at}" for at in range(11)))
    assert "in /models" in said
    assert "model-0" in said
    assert "3 more" in said


def test_an_empty_folder_says_that_there_is_none() -> None:
    assert refusal("zzz").endswith("there is none")


def test_a_folder_is_looked_through_and_split_models_are_one(
    write_gguf: Write, tmp_path: Path
) -> None:
    write_gguf("a/One-Q4_0.gguf")
    write_gguf("b/deep/er/TWO.GGUF")
    for part in (1, 2):
        write_gguf(f"big-0000{part}-of-00002.gguf")
    write_gguf("mmproj-One.gguf")
    write_gguf(".hidden/three.gguf")
    (tmp_path / "notes.txt").write_text("x")
    found = {model.id: model for model in discover(tmp_path)}
    assert list(found) == ["big", "One-Q4_0", "TWO"]
    assert found["big"].path.name == "big-00001-of-00002.gguf"
    assert found["big"].size == 2 * found["TWO"].size


def test_the_same_name_in_two_folders_gives_ids_with_their_folders(
    write_gguf: Write, tmp_path: Path
) -> None:
    write_gguf("q4/m.gguf")
    write_gguf("q8/m.gguf")
    write_gguf("other.gguf")
    assert [model.id for model in discover(tmp_path)] == ["other", "q4/m", "q8/m"]


def test_what_cannot_be_read_does_not_end_a_listing(write_gguf: Write, tmp_path: Path) -> None:
    write_gguf("good.gguf")
    (tmp_path / "gone.gguf").symlink_to(tmp_path / "nowhere.gguf")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert "good" in {model.id.rpartition("/")[2] for model in discover(tmp_path)}


def test_a_missing_folder_is_named_with_the_setting(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="models_dir"):
        discover(tmp_path / "none")


@pytest.mark.parametrize(
    "name", ["/m/x.gguf", "x.gguf", "~/x", "./x", r"C:\m\x", "D:/m/x", r"\\wsl$\D\x"]
)
def test_paths_are_told_from_names(name: str) -> None:
    assert looks_like_path(name)


@pytest.mark.parametrize("name", ["qwen3-8b", "q4/m", "llama3.2:1b", "a"])
def test_names_are_told_from_paths(name: str) -> None:
    assert not looks_like_path(name)


def test_a_path_is_relative_to_the_models_folder_and_any_part_means_the_first(
    tmp_path: Path,
) -> None:
    here = Platform()
    assert locate("m-00002-of-00002.gguf", here, tmp_path) == tmp_path / "m-00001-of-00002.gguf"
    assert locate("/other/m.gguf", here, tmp_path) == Path("/other/m.gguf")
    assert locate(r"D:\m.gguf", Platform(wsl=True)) == Path("/mnt/d/m.gguf")


def test_home_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("USERPROFILE" if os.name == "nt" else "HOME", str(tmp_path))
    assert locate("~/m.gguf", Platform()) == tmp_path / "m.gguf"


def test_a_missing_file_names_what_is_beside_it(write_gguf: Write, tmp_path: Path) -> None:
    write_gguf("mistral-7b.gguf")
    with pytest.raises(EngineError, match=r"beside it: mistral-7b\.gguf"):
        open_path(tmp_path / "mistral-7.gguf")


def test_a_split_model_with_a_part_missing_names_the_part(
    write_gguf: Write, tmp_path: Path
) -> None:
    write_gguf("m-00001-of-00003.gguf")
    write_gguf("m-00003-of-00003.gguf")
    with pytest.raises(EngineError, match=r"lacks m-00002-of-00003\.gguf"):
        open_path(tmp_path / "m-00001-of-00003.gguf")


def test_the_demo_model_comes_with_the_package() -> None:
    model = demo_model()
    assert model.id == "tiny-demo"
    assert model.path.is_file()
    assert model.size == 1_263_968


def test_links_that_lead_in_a_circle_or_to_one_file_twice_confuse_nobody(
    write_gguf: Write, tmp_path: Path
) -> None:
    file = write_gguf("models/Fox-Q8_0.gguf")
    (file.parent / "again").symlink_to(file.parent)
    (file.parent / "best.gguf").symlink_to(file)
    (file.parent / "gone.gguf").symlink_to(tmp_path / "none")
    (file.parent / "self.gguf").symlink_to("self.gguf")
    found = discover(tmp_path)
    assert {model.id for model in found} == {"best", "Fox-Q8_0"}
    assert choose("fox", found, "here").id == "Fox-Q8_0"
    # As a cache of downloads has it: two folders, one file.
    other = tmp_path / "other" / "Fox-Q8_0.gguf"
    other.parent.mkdir()
    other.symlink_to(file)
    assert choose("fox", discover(tmp_path), "here").path.resolve() == file


def test_a_path_too_long_for_the_system_is_refused_like_any_other() -> None:
    for ask in (discover, open_path):
        with pytest.raises(EngineError) as caught:
            ask(Path("/" + "x" * 5000))
        assert caught.value.code == "model_not_found"
