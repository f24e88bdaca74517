"""Refuse answers that would not make a working package, each with what to say instead."""

from __future__ import annotations

import json
import keyword
import re
import sys
from collections.abc import Iterator, Mapping

# Filled in when the template is used.
ANSWERS = r"""{{ cookiecutter | jsonify }}"""

# Names that providers of the project go by, and its packages; a test holds both against the project's own tables.
TAKEN = frozenset(
    """anthropic azure azure-openai balance claude cohere compatible fallback gemini google hf hugging-face huggingface
    llama-cpp llama-server llama.cpp llamacpp llamacpp-server lm-studio lmstudio nim nvidia nvidia-nim ollama openai
    openai-compatible openrouter scripted together together-ai vllm""".split()
)
PACKAGES = frozenset(
    """jackfield jackfield-azure jackfield-claude jackfield-cohere jackfield-dialect-openai jackfield-gemini
    jackfield-huggingface jackfield-llamacpp jackfield-llamacpp-server jackfield-lmstudio jackfield-nvidia
    jackfield-ollama jackfield-openai jackfield-openrouter jackfield-otel jackfield-prices jackfield-ray
    jackfield-tiktoken jackfield-together jackfield-vllm""".split()
)

LONGEST = 32
"""Characters of a name: people type it, and lines of code hold it twice."""

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
DISTRIBUTION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
URL = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{LABEL}(\.{LABEL})*|\[::1\])(:(?P<port>[1-9][0-9]*))?(/[\w./~+-]*)?",
    re.ASCII,
)
PAGE = re.compile(r"https://[^\s\"'<>()\\{}]+")
LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|\[::1\]|.*\.localhost")


def slug(text: str) -> str:
    """What *text* could be called as a name: lower-case letters, digits and dashes."""
    return "-".join(re.findall(r"[a-z0-9]+", text.lower())) or "acme"


def problems(answers: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with *answers*: which one, what it is, and what to say instead."""
    name = answers["name"]
    wrong = list(_name(name))
    yield from wrong
    for answer, check in CHECKS.items():
        # The answers that a wrong name went into are right again when it is.
        if not (wrong and name.lower() in answers[answer].lower()) and (
            answers["shape"] != "local" or answer not in OF_SERVERS
        ):
            yield from check(answer, answers[answer])


def _name(name: str) -> Iterator[str]:
    if not NAME.fullmatch(name):
        rule = "lower-case letters, digits, and dashes between them"
        yield f"name: {name!r} is no provider's name: use {rule}, such as {slug(name)!r}"
    elif len(name) > LONGEST:
        yield f"name: {name!r} is longer than {LONGEST} characters: choose a shorter one"
    elif name in TAKEN:
        fix = f"choose another, such as 'my-{name}', so that both can be installed"
        yield f"name: {name!r} is taken by a provider that Jackfield knows: {fix}"


def _distribution(_answer: str, name: str) -> Iterator[str]:
    normal = re.sub(r"[-_.]+", "-", name).lower()
    package = normal.replace("-", "_")
    if not DISTRIBUTION.fullmatch(name):
        rule = "letters, digits, and dashes between them"
        yield f"distribution: {name!r} is no distribution's name: use {rule}, such as {slug(name)!r}"
    elif len(name) > LONGEST + 12:
        yield f"distribution: {name!r} is longer than {LONGEST + 12} characters: choose a shorter one"
    elif normal in PACKAGES:
        yield f"distribution: {name!r} is a package of Jackfield's: choose another name"
    elif not package.isidentifier() or keyword.iskeyword(package):
        fix = f"let it begin with a letter, such as 'jackfield-{normal}'"
        yield f"distribution: {name!r} would be imported as {package!r}, which is no Python identifier: {fix}"
    elif package in sys.stdlib_module_names:
        fix = f"call it 'jackfield-{normal}'"
        yield f"distribution: {name!r} would hide Python's own module {package!r}: {fix}"


def _api_key_env(_answer: str, key: str) -> Iterator[str]:
    if key and not VARIABLE.fullmatch(key):
        example = slug(key).upper().replace("-", "_").lstrip("0123456789_") or "ACME_API_KEY"
        fix = f"write it like {example}, or leave it empty"
        yield f"api_key_env: {key!r} is no environment variable's name: {fix}"


def _docs_url(_answer: str, page: str) -> Iterator[str]:
    if not PAGE.fullmatch(page):
        yield f"docs_url: {page!r} is no https address: link the page that documents the API"


def _base_url(_answer: str, url: str) -> Iterator[str]:
    found = URL.fullmatch(url)
    if found is None or int(found["port"] or 443) > 65535:
        rule = "an address and a path, in lower case, such as 'https://api.acme.example/v1'"
        yield f"base_url: {url!r} is no base URL: write {rule}"
    elif found["scheme"] == "http" and not LOOPBACK.fullmatch(found["host"]):
        fix = "use https; only a server on this machine may do without"
        yield f"base_url: {url!r} would send keys and texts in the clear: {fix}"


def _text(answer: str, text: str) -> Iterator[str]:
    if not text.strip():
        yield f"{answer}: it is empty: write a few words"
    elif not text.isprintable() or re.search(r'["\\]|[{][%#{]', text):
        rule = "one line without double quotes, backslashes and double braces"
        yield f"{answer}: {text!r} cannot stand in source code as it is: write {rule}"


CHECKS = {
    "distribution": _distribution,
    "base_url": _base_url,
    "api_key_env": _api_key_env,
    "docs_url": _docs_url,
    "display_name": _text,
    "description": _text,
    "author": _text,
}
OF_SERVERS = ("base_url", "api_key_env")


if __name__ == "__main__":
    found = list(problems(json.loads(ANSWERS)))
    for problem in found:
        print(problem, file=sys.stderr)
    sys.exit(bool(found))
