"""The corpus of the demo model: made by itself, always the same, and what its chat template writes."""

from __future__ import annotations

import hashlib
import json
import random
import re
import sys
from pathlib import Path

import pytest

from jackfield_llamacpp.engine import KINDS, installed
from jackfield_llamacpp.gguf import read_header

MODEL = Path(__file__).parent.parent / "model"
if not MODEL.is_dir():
    pytest.skip(
        "the folder `model` comes with the source, not the package", allow_module_level=True
    )
sys.path.insert(0, str(MODEL))

from tinydemo import corpus, evaluate, words  # noqa: E402 - found by the line above
from tinydemo.grammar import expand  # noqa: E402
from tinydemo.tokenizer import SPECIALS, Tokenizer, learn  # noqa: E402

DIGEST = "841e777a1e611686db274f63217e52b569ca3be88956cb0bbf5940a1c1b4dea8"


def conversations(count: int, seed: int) -> list[str]:
    r = random.Random(seed)
    return [corpus.render(*corpus.sample(r)) for _ in range(count)]


def test_the_corpus_is_the_one_that_the_model_was_trained_on() -> None:
    text = "".join(conversations(2000, 0))
    assert hashlib.sha256(text.encode()).hexdigest() == DIGEST


def test_the_same_seed_writes_the_same_and_another_seed_something_else() -> None:
    assert conversations(50, 7) == conversations(50, 7)
    assert conversations(50, 7) != conversations(50, 8)


def test_the_corpus_reads_nothing_from_anywhere() -> None:
    sources = [path.read_text("utf-8") for path in (MODEL / "tinydemo").glob("*.py")]
    imports = {
        name
        for source in sources
        for name in re.findall(r"^(?:import|from) ([a-z_]+)", source, re.MULTILINE)
    }
    training = {
        "argparse",
        "dataclasses",
        "gguf",
        "jackfield",
        "math",
        "numpy",
        "pathlib",
        "time",
        "torch",
    }
    assert imports - training == {
        "__future__", "collections", "itertools", "json", "random", "re", "sys", "typing",
    }  # fmt: skip
    assert not any(
        re.search(r"\b(open|read_text|urlopen|load_dataset)\(", text) for text in sources
    )


def test_the_template_in_the_file_is_the_one_of_the_scripts(demo: Path) -> None:
    assert read_header(demo).chat_template == corpus.CHAT_TEMPLATE


def test_the_template_writes_what_was_trained_on() -> None:
    jinja2 = pytest.importorskip("jinja2", reason="jinja2, which renders the template, is missing")
    environment = jinja2.Environment(autoescape=False)
    environment.filters["tojson"] = json.dumps
    template = environment.from_string(corpus.CHAT_TEMPLATE)
    r = random.Random(1)
    for _ in range(3000):
        turns, tools = corpus.sample(r)
        made = template.render(messages=corpus.messages(turns), tools=tools)
        assert made == corpus.render(turns, tools)


def test_every_conversation_has_somebody_asking_and_the_model_answering() -> None:
    r = random.Random(2)
    for _ in range(500):
        turns, tools = corpus.sample(r)
        roles = [role for role, _ in turns if role != "system"]
        assert roles[0] == "user"
        assert roles[-1] in {"assistant", "tool_call"}
        assert all(role != "tool_call" or tools for role in roles)
        assert not any(
            re.search(r"<\w+>|[{|}]\w+\|", text) for role, text in turns if role == "user"
        )


def test_a_choice_inside_of_a_choice_is_made_first() -> None:
    made = {expand(random.Random(seed), "{a {b|c}|d} <x>", x=1) for seed in range(50)}
    assert made == {"a b 1", "a c 1", "d 1"}


def test_the_tokenizer_gives_back_every_text() -> None:
    texts = conversations(200, 3)
    tokenizer = learn("".join(texts), 400)
    assert len(tokenizer.tokens) == 400
    for text in [*texts, words.UNUSUAL, "a\n\n  b", ""]:
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_special_tokens_stay_whole() -> None:
    tokenizer = Tokenizer([])
    assert tokenizer.encode("".join(SPECIALS)) == list(range(len(SPECIALS)))


def test_the_figures_of_the_model_card_can_be_measured(demo: Path) -> None:
    if not any(map(installed, KINDS.values())):
        pytest.skip("no llama.cpp engine is installed")
    found = evaluate.evaluate(str(demo), 4)
    assert {"sums", "json: parses", "tool: right function", "story: ends by itself"} <= set(found)
    for skill, (good, total) in found.items():
        assert good >= total / 2, skill
