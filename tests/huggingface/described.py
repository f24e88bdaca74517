"""Bodies against Hugging Face's own descriptions of its tasks."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from support.specs import SHARED, _modern

# The descriptions refer to a file beside them that holds what their libraries take for sampling.
COMMON = "/inference/schemas/common-definitions.json"
SAMPLING = {
    "temperature": {"type": "number", "exclusiveMinimum": 0},
    "do_sample": {"type": "boolean"},
}


@cache
def _validator(task: str, side: str) -> Draft202012Validator:
    text = (SHARED / "specs" / "huggingface_tasks.json").read_text("utf-8")
    schema = _modern(json.loads(text)[task][side])
    plain = {name: value for name, value in schema.items() if name not in ("$id", "$schema")}
    beside = {"definitions": {"GenerationParameters": {"type": "object", "properties": SAMPLING}}}
    known = Registry().with_resource(COMMON, DRAFT202012.create_resource(beside))
    return Draft202012Validator(plain, registry=known)


def task_errors(task: str, body: Any, side: str = "input") -> list[str]:
    """What is wrong with *body*, the *side* (``input`` or ``output``) of *task*."""
    return [f"{e.json_path}: {e.message[:200]}" for e in _validator(task, side).iter_errors(body)]
