"""The configuration file as JSON Schema 2020-12, made from the classes of its settings: for editors and programs."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from attrs import NOTHING, Attribute, fields, has, resolve_types

from ..plugins import ALIASES, available_providers, canonical, plugin_manager
from ..requests import Timeout
from ..retrying import RetryPolicy
from ..secret import Secret
from .rules import KINDS
from .settings import Bounds, ManagerSettings, ProviderSettings, RateForm, TargetSettings

Schema = dict[str, Any]

_TYPES: Mapping[Any, str] = {
    str: "string", Path: "string", Secret: "string", bool: "boolean",
    int: "integer", float: "number", Decimal: "number",
}  # fmt: skip
_WEEK = Bounds(above=0, most=7 * 86400)
_CHECKS: Mapping[Any, Mapping[str, Bounds]] = {
    Timeout: {f.name: _WEEK for f in fields(Timeout)},
    RetryPolicy: {
        f.name: Bounds(least=0, most=1e300) for f in fields(RetryPolicy) if f.name != "attempts"
    }
    | {"attempts": Bounds(least=1, most=20)},
}


def json_schema(providers: Iterable[str] | None = None) -> Schema:
    """The schema of Jackfield's own form, with the settings of *providers* (the installed ones).

    What it refuses `read_settings` refuses. That checks more than a schema can: that
    names exist, nothing leads in a circle, variables are set.
    """
    names = [canonical(n) for n in (available_providers() if providers is None else providers)]
    defs: Schema = {}
    top = _table(ManagerSettings, defs)
    del defs["ProviderSettings"]  # each provider has its own
    kinds = [name for name in dict.fromkeys(names) if name not in KINDS]
    for kind in kinds:
        defs[f"provider.{kind}"] = _provider(kind, defs)
    given = {"required": ["provider"], "anyOf": [{"$ref": f"#/$defs/provider.{k}"} for k in kinds]}
    spelled = {spelling: kind for kind in kinds for spelling in _spellings(kind)}
    top["properties"]["providers"] |= {
        "properties": {
            spelling: {"anyOf": [{"$ref": f"#/$defs/provider.{kind}"}, given]}
            for spelling, kind in spelled.items()
        },
        "additionalProperties": given if kinds else False,
        "propertyNames": {"pattern": r"^[^/\s]+$"},
    }
    nowhere = {"maxProperties": 0, "description": "Those of a model stand under its provider."}
    top["properties"]["limits"] |= {"properties": {"models": nowhere}}
    top["properties"]["$schema"] = {"type": "string"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **top,
        "title": "Jackfield's configuration",
        "$defs": defs,
    }


def described(cls: type[Any]) -> dict[str, str]:
    """What the docstrings of *cls* and its bases say of each field."""
    said: dict[str, str] = {}
    for base in cls.__mro__:
        text = inspect.cleandoc(base.__doc__ or "") if has(base) else ""
        prose, _, listed = text.partition("Attributes:\n")
        for entry in re.split(r"\n(?= {4}\w)", f"\n{listed}".rstrip())[1:]:
            names, _, meaning = entry.partition(":")
            said = {name.strip(): _plain(meaning) for name in names.split(",")} | said
        for sentence in re.split(r"(?<=\.)\s+(?=[A-Z*`])", prose):
            for name in re.findall(r"\*(\w+)\*", sentence):
                said.setdefault(name, _plain(sentence))
    return said


def _plain(text: str) -> str:
    return re.sub(r"\*(\w+)\*", r"\1", " ".join(text.split())).replace("``", "`")


def _spellings(kind: str) -> list[str]:
    return [kind, *(alias for alias, name in ALIASES.items() if name == kind)]


def _provider(kind: str, defs: Schema) -> Schema:
    """The table of a provider of that *kind*: what the manager takes, and what it takes itself."""
    cls = plugin_manager().provider_class(kind)
    ours, own = _table(ProviderSettings, defs), _table(cls.Config, defs)
    properties = {**ours["properties"], **own["properties"]}
    properties["provider"] = {**ours["properties"]["provider"], "enum": _spellings(kind)}
    return {
        **own,
        "title": cls.info.display_name,
        "properties": properties,
        "required": own.get("required", []),
    }


def _table(cls: type[Any], defs: Schema) -> Schema:
    said, checks = described(cls), _CHECKS.get(cls, {})
    properties: Schema = {}
    found: list[Attribute[Any]] = [
        f for f in fields(resolve_types(cls)) if "rest" not in f.metadata
    ]
    for f in found:
        schema = _type(f.type, defs) | _bounds(checks.get(f.name) or f.metadata.get("check"))
        if isinstance(f.default, str | int | float | bool):
            schema["default"] = f.default
        if f.name in said:
            schema["description"] = said[f.name]
        properties |= dict.fromkeys((f.name, *f.metadata.get("aliases", ())), schema)
    prose = _plain(inspect.cleandoc(cls.__doc__ or "").partition("Attributes:\n")[0])
    made = {"type": "object", "description": prose, "properties": properties}
    required = [f.name for f in found if f.default is NOTHING]
    return {**made, **({"required": required} if required else {}), "additionalProperties": False}


def _bounds(check: Any) -> Schema:
    if isinstance(check, RateForm):
        return {"pattern": check.pattern}
    if not isinstance(check, Bounds):
        return {}
    low = (
        {"minimum": check.least or 0} if check.above is None else {"exclusiveMinimum": check.above}
    )
    return {**low, "maximum": check.most}


def _type(kind: Any, defs: Schema) -> Schema:
    """The schema of values of the type *kind*."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        made = [_type(k, defs) for k in inside if k is not NoneType]
        return made[0] if len(made) == 1 else {"anyOf": made}
    if origin is Literal:
        return {"enum": list(inside)}
    if origin is tuple:
        return {"type": "array", "items": _type(inside[0], defs)}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _type(inside[1], defs)}
    if not has(kind):
        return {"type": _TYPES[kind]} if kind in _TYPES else {}
    if kind.__name__ not in defs:
        defs[kind.__name__] = {}  # it may be within itself
        table = {"title": kind.__name__, **_table(kind, defs)}
        short: Mapping[Any, Schema] = {
            Timeout: {"type": "number", **_bounds(_WEEK)},
            TargetSettings: {"type": "string"},
        }
        defs[kind.__name__] = {"anyOf": [short[kind], table]} if kind in short else table
    return {"$ref": f"#/$defs/{kind.__name__}"}
