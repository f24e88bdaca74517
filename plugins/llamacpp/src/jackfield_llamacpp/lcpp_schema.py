"""JSON schemas to grammars with llama-cpp-python's converter, without what it gets wrong.

It writes quotation marks, backslashes and what is not ASCII so that the grammar cannot be read or
means something else, takes a definition for the property of the same name, and does not find the
definitions beside a `$ref` at the root, does not know a schema of a title alone, takes an empty one
for an object, and lets bare line ends into texts. https://github.com/abetlen/llama-cpp-python
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llama_cpp.llama_grammar import PRIMITIVE_RULES, RESERVED_NAMES, BuiltinRule, SchemaConverter

from . import schema as schemas
from .errors import EngineError

_SAYS_NOTHING = (
    schemas.NEVER_ENFORCED
    | schemas.NUMBER_BOUNDS
    | {"$comment", "$id", "$schema", "default", "deprecated", "description", "examples"}
    | {"readOnly", "title", "writeOnly"}
)
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})

# JSON has no bare line ends and such inside of texts; the library's own rule allows them.
_CHAR = BuiltinRule(
    r'[^"\\\x00-\x1F\x7F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4})',
    [],
)


class _Converter(SchemaConverter):  # type: ignore[misc]  # the library has no types
    def __init__(self) -> None:
        super().__init__(prop_order={}, allow_fetch=False, dotall=False, raw_pattern=False)
        self._names: dict[str, str] = {}

    def visit(self, schema: Any, name: str) -> Any:
        """The rule of *schema*; one that says nothing that a grammar could hold allows any value."""
        if not set(schema) <= _SAYS_NOTHING:
            return super().visit(schema, name)
        rule = f"{name}-" if name in RESERVED_NAMES else name or "root"
        return self._add_rule(rule, self._add_primitive("value", PRIMITIVE_RULES["value"]))

    def _add_primitive(self, name: str, rule: Any) -> Any:
        return super()._add_primitive(name, _CHAR if name == "char" else rule)

    def _format_literal(self, literal: str) -> str:
        """The JSON text *literal* as a terminal."""
        plain = json.dumps(json.loads(literal), ensure_ascii=False)
        return '"' + plain.translate(_ESCAPES) + '"'

    def _resolve_ref(self, ref: str) -> str:
        """The rule of the definition *ref*, which has no name of any property."""
        if ref not in self._names:
            self._names[ref] = name = f"definition-{len(self._names)}-of"
            made = self.visit(self._refs[ref], name)
            if made != name:  # a plain type has a rule already
                self._rules[name] = made
        return self._names[ref]


def gbnf(schema: Any, where: str) -> str:
    """The grammar of *schema*, which *where* in the request asks for.

    Raises:
        EngineError: `invalid_request` when there is none.
    """
    if isinstance(schema, Mapping) and "$ref" in schema:
        kept = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
        schema = {**kept, "anyOf": [{"$ref": schema["$ref"]}]}
    try:
        converter = _Converter()
        # Resolving writes into what it is given.
        converter.visit(converter.resolve_refs(json.loads(json.dumps(schema)), "stdin"), "")
        return str(converter.format_grammar())
    except (
        AssertionError,
        AttributeError,
        IndexError,
        KeyError,
        TypeError,
        ValueError,
        RecursionError,
    ) as error:
        raise EngineError(
            "invalid_request", f"{where}: this JSON schema makes no grammar: {error}"
        ) from error
