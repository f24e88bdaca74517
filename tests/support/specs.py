"""Validate request and response bodies against the providers' official descriptions.

    errors = request_errors("openai", "POST", "/v1/chat/completions", body)
    assert errors == []

A description is one of the OpenAPI files kept beside this repository (`SHARED / "specs"`). `$ref`s are resolved when a
validation reaches them, so that a first call costs the reading of one file and no more.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

SHARED = Path(os.environ.get("JACKFIELD_SHARED") or Path(__file__).resolve().parents[3] / "shared")
FILES = {
    "anthropic": "anthropic.json",
    "azure": "azure_openai_v1.json",
    "cohere": "cohere.yaml",
    "gemini": "gemini.json",
    "infinity": "infinity.json",
    "ollama": "ollama.yaml",
    "openai": "openai.json",
    "openrouter": "openrouter.yaml",
    "tei": "huggingface_tei.json",
    "tgi": "huggingface_tgi.json",
    "together": "together.json",
    "vllm": "vllm.json",
}
MISSING = f"no official descriptions at {SHARED / 'specs'}: put them there or point JACKFIELD_SHARED elsewhere"

needs_specs = pytest.mark.skipif(not (SHARED / "specs").is_dir(), reason=MISSING)
"""A mark for tests that cannot run without the official descriptions."""


class UndescribedError(LookupError):
    """The description has no such path, method, status or media type."""


def request_errors(
    spec: str, method: str, path: str, body: Any, *, undeclared: bool = False
) -> list[str]:
    """Say what is wrong with a JSON request body; an empty list when it is as described.

    Args:
        spec: A key of `FILES`.
        method: The HTTP method, in any case.
        path: The path as sent, ``/v1/chat/completions``; what only a beta describes stands at ``…?beta=true``.
        body: The decoded body.
        undeclared: Count top-level fields that the description does not name as errors, too.

    Raises:
        UndescribedError: the operation is not in the description, or takes no JSON.

    """
    pointer = _operation(spec, method, path)
    content = _content(spec, (*pointer, "requestBody"))
    schema = (*content, _json_type(spec, content), "schema")
    errors = _errors(_validator(spec, schema), body)
    # A field counts as declared where the schema that names it holds: asked only when everything holds.
    return errors or (
        _errors(_validator(spec, schema, undeclared=True), body) if undeclared else []
    )


def response_errors(
    spec: str, method: str, path: str, body: Any, *, status: int = 200, stream: bool = False
) -> list[str]:
    """Say what is wrong with a JSON response body, or with *one event* of a streamed response.

    Raises:
        UndescribedError: the description does not tell what such a response looks like.

    """
    operation = _operation(spec, method, path)
    described = _lookup(spec, (*operation, "responses"))
    key = next(
        (
            k
            for k in (str(status), f"{status // 100}XX", f"{status // 100}xx", "default")
            if k in described
        ),
        None,
    )
    if key is None:
        raise UndescribedError(
            f"{spec}: {method} {path} describes no response {status}, only {', '.join(described)}"
        )
    content = _content(spec, (*operation, "responses", key))
    kind = _stream_type(spec, content) if stream else _json_type(spec, content)
    return _errors(_validator(spec, (*content, kind, "schema")), body)


# Finding the schema: a pointer is the tuple of keys that lead to it.


def _operation(spec: str, method: str, path: str) -> tuple[str, ...]:
    wanted, _, query = path.partition("?")
    found = [
        template
        for pattern, template in _routes(spec)
        if pattern.fullmatch(wanted) and method.lower() in _lookup(spec, ("paths", template))
    ]
    # Some operations are described in their beta form alone.
    found.sort(key=lambda template: template.partition("?")[2] != query)
    if not found:
        raise UndescribedError(f"{spec}: no {method} {path} in its description")
    return ("paths", found[0], method.lower())


@cache
def _routes(spec: str) -> list[tuple[re.Pattern[str], str]]:
    document = _document(spec)
    bases = {urlsplit(server["url"]).path.rstrip("/") for server in document.get("servers", ())}
    base = "(?:" + "|".join(map(re.escape, sorted(bases | {""}, reverse=True))) + ")"
    plain = ((template.partition("?")[0], template) for template in document["paths"])
    return [
        (re.compile(base + re.sub(r"\\{.*?\\}", "[^/]+", re.escape(path))), template)
        for path, template in plain
    ]


def _content(spec: str, pointer: tuple[str, ...]) -> tuple[str, ...]:
    holder = _lookup(spec, pointer)
    if "$ref" in holder:
        pointer = tuple(holder["$ref"].removeprefix("#/").split("/"))
        holder = _lookup(spec, pointer)
    if not holder.get("content"):
        raise UndescribedError(f"{spec}: {'/'.join(pointer)} has no content")
    return (*pointer, "content")


def _json_type(spec: str, content: tuple[str, ...]) -> str:
    return _media_type(spec, content, ("application/json",))


def _stream_type(spec: str, content: tuple[str, ...]) -> str:
    return _media_type(spec, content, ("text/event-stream", "application/x-ndjson"))


def _media_type(spec: str, content: tuple[str, ...], wanted: Iterable[str]) -> str:
    offered = _lookup(spec, content)
    for kind in wanted:
        if "schema" in offered.get(kind, ()):
            return kind
    raise UndescribedError(f"{spec}: {'/'.join(content)} describes {', '.join(offered)}")


def _lookup(spec: str, pointer: Iterable[str]) -> Any:
    value: Any = _document(spec)
    for key in pointer:
        if key not in value:
            raise UndescribedError(f"{spec}: no {key!r} in its description")
        value = value[key]
    return value


# Reading the files and judging a body.


@cache
def _document(spec: str) -> Mapping[str, Any]:
    text = (SHARED / "specs" / FILES[spec]).read_text("utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document = json.loads(text) if FILES[spec].endswith(".json") else yaml.load(text, loader)  # noqa: S506 -- safe
    return _modern(document)  # type: ignore[no-any-return]  # a document is an object


def _modern(node: Any) -> Any:
    """Rewrite OpenAPI 3.0 habits inside a 3.1 document as JSON Schema means them."""
    if isinstance(node, list):
        return [_modern(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {
        key: _modern(value) for key, value in node.items() if (key, value) != ("nullable", True)
    }
    if plain.get("additionalProperties") is True:
        del plain[
            "additionalProperties"
        ]  # the default; spelled out, it would hide undeclared fields
    if "discriminator" in plain and "oneOf" in plain:
        # The discriminator picks one branch; without reading it, a second branch may fit as well.
        plain["anyOf"] = plain.pop("oneOf")
    if node.get("nullable") is True:
        return {"anyOf": [plain, {"type": "null"}]}
    return plain


@cache
def _validator(
    spec: str, pointer: tuple[str, ...], undeclared: bool = False
) -> Draft202012Validator:
    document = _document(spec)
    registry = Registry().with_resource(f"urn:{spec}", DRAFT202012.create_resource(document))
    escaped = "/".join(key.replace("~", "~0").replace("/", "~1") for key in pointer)
    schema: dict[str, Any] = {
        "$ref": f"urn:{spec}#/{escaped.replace('{', '%7B').replace('}', '%7D')}"
    }
    if undeclared:
        schema["unevaluatedProperties"] = False
    return Draft202012Validator(schema, registry=registry)


def _errors(validator: Draft202012Validator, body: Any) -> list[str]:
    return [_say(error) for error in validator.iter_errors(body)]


def _say(error: ValidationError) -> str:
    """Name the place and the reason of the branch that came closest."""
    closest = best_match([error]) if error.context else error
    assert closest is not None
    message = closest.message if len(closest.message) <= 300 else closest.message[:300] + " …"
    return f"{closest.json_path}: {message}"
