"""The template's questions: what makes no working package is refused, with what to say instead."""

import ast
import importlib.util
import keyword
import tomllib
import types
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import HTTPConfig
from jackfield.config import load_config
from jackfield.errors import ConfigError
from jackfield.manifests.manifest import parsed
from jackfield.plugins import ALIASES, KNOWN, canonical
from support.baking import TEMPLATE, cookiecutter
from support.source import CORE, PACKAGES


def _hook() -> types.ModuleType:
    place = TEMPLATE / "hooks" / "pre_gen_project.py"
    spec = importlib.util.spec_from_file_location("pre_gen_project", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HOOK = _hook()
GOOD = {
    "name": "acme",
    "shape": "http",
    "display_name": "Acme",
    "distribution": "jackfield-acme",
    "base_url": "https://api.acme.example/v1",
    "api_key_env": "ACME_API_KEY",
    "docs_url": "https://acme.example/docs",
    "description": "Acme for Jackfield.",
    "author": "Ada",
    "licence": "MIT",
}


def problems(**answers: str) -> list[str]:
    return list(HOOK.problems({**GOOD, **answers}))


def test_good_answers_are_accepted() -> None:
    assert problems() == []
    assert problems(shape="local", base_url="", api_key_env="") == []
    assert problems(base_url="http://localhost:8080") == []
    assert problems(base_url="http://[::1]:8080/v1", api_key_env="") == []


@pytest.mark.parametrize(
    ("answer", "said", "words"),
    [
        ("name", "vllm", "'vllm' is taken by a provider that Jackfield knows: choose another"),
        ("name", "anthropic", "is taken"),
        ("name", "Acme AI", "is no provider's name: use lower-case letters"),
        ("name", "Acme AI", "such as 'acme-ai'"),
        ("name", "acme-", "is no provider's name"),
        ("name", "", "is no provider's name"),
        ("name", "a" * 33, "is longer than 32 characters"),
        ("distribution", "a" * 45, "is longer than 44 characters"),
        ("distribution", "jackfield-otel", "is a package of Jackfield's"),
        ("distribution", "Jackfield_Otel", "is a package of Jackfield's"),
        ("distribution", "jackfield acme", "is no distribution's name"),
        ("distribution", "../acme", "is no distribution's name"),
        ("distribution", "302ai", "imported as '302ai', which is no Python identifier"),
        ("distribution", "class", "no Python identifier"),
        ("distribution", "json", "would hide Python's own module 'json'"),
        ("base_url", "http://api.acme.example", "in the clear: use https"),
        ("base_url", "api.acme.example", "is no base URL: write an address"),
        ("base_url", "ftp://acme.example", "is no base URL"),
        ("base_url", "", "is no base URL"),
        ("base_url", "https://user:secret@acme.example", "is no base URL"),
        ("base_url", "https://acme.example/v1?key=1", "is no base URL"),
        ("api_key_env", "acme api key", "write it like ACME_API_KEY"),
        ("api_key_env", "302_KEY", "write it like KEY"),
        ("docs_url", "acme.example", "is no https address"),
        ("display_name", 'The "Best"', "cannot stand in source code"),
        ("author", "a\\b", "cannot stand in source code"),
        ("description", "one\ntwo", "cannot stand in source code"),
        ("description", "{{ cookiecutter }}", "cannot stand in source code"),
        ("author", " ", "it is empty"),
    ],
)
def test_a_bad_answer_is_named_with_what_to_say_instead(answer: str, said: str, words: str) -> None:
    told = problems(**{answer: said})
    assert len(told) == 1
    assert told[0].startswith(f"{answer}: ")
    assert words in told[0]


def test_a_wrong_name_is_told_once_and_not_of_each_answer_that_it_went_into() -> None:
    wrong = {"distribution": "jackfield-Acme AI", "docs_url": "https://Acme AI.example/docs"}
    told = problems(name="Acme AI", author="", **wrong)
    assert [one.partition(":")[0] for one in told] == ["name", "author"]


def test_the_names_that_are_taken_are_those_of_the_project() -> None:
    brought = CORE.pyproject["project"]["entry-points"]["jackfield.providers"]
    assert {*KNOWN, *ALIASES, *brought} == HOOK.TAKEN
    assert {package.name for package in PACKAGES} == HOOK.PACKAGES


@given(name=st.text(max_size=12) | st.from_regex(HOOK.NAME, fullmatch=True))
def test_an_accepted_name_is_the_one_that_the_core_uses(name: str) -> None:
    distribution = f"jackfield-{name}"
    if problems(name=name, distribution=distribution):
        return
    assert canonical(name) == name
    package = distribution.replace("-", "_")
    assert package.isidentifier()
    assert not keyword.iskeyword(package)
    assert parsed({"contract": 1, "providers": {name: {}}}, "a test")


@given(url=st.from_regex(HOOK.URL, fullmatch=True))
def test_an_accepted_base_url_is_one_for_the_core_and_the_manifest(url: str) -> None:
    if problems(base_url=url):
        return
    try:
        load_config(HTTPConfig, {"base_url": url})
    except ConfigError:
        pytest.fail(f"{url} is no base URL")
    host = url.partition("://")[2].partition("/")[0]
    assert parsed({"contract": 1, "providers": {"acme": {"hosts": [host]}}}, "a test")


@given(text=st.text(max_size=30))
def test_an_accepted_text_stands_in_python_and_toml_as_it_was_written(text: str) -> None:
    if problems(author=text):
        return
    assert ast.literal_eval(f'"{text}"') == text
    assert tomllib.loads(f'author = "{text}"') == {"author": text}


def test_a_refusal_says_why_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = cookiecutter(tmp_path, name="ollama")
    assert done.returncode != 0
    assert "name: 'ollama' is taken by a provider that Jackfield knows" in done.stderr
    assert not list(tmp_path.glob("jackfield-*"))


def test_what_comes_next_is_told(tmp_path: Path) -> None:
    done = cookiecutter(tmp_path, name="acme", shape="local")
    for words in ("cd jackfield-acme", "pytest", "src/jackfield_acme/__init__.py", "the toy"):
        assert words in done.stdout
