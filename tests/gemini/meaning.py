"""When two bodies of the API mean the same: names in both cases, defaults said or left out, schemas in two words."""

from __future__ import annotations

import re
from typing import Any

OWN = ("args", "response", "parametersJsonSchema", "responseJsonSchema", "metadata")
"""Fields whose objects are somebody's own: nothing in them has another name."""


def camel(value: Any) -> Any:
    """*value* with the names of its fields as the description writes them."""
    if isinstance(value, list):
        return [camel(v) for v in value]
    if not isinstance(value, dict):
        return value
    named = {re.sub(r"(?<=[a-z])_([a-z])", lambda m: m[1].upper(), k): v for k, v in value.items()}
    named = {k: v if k in OWN else camel(v) for k, v in named.items()}
    if isinstance(named.get("data"), str):
        named["data"] = named["data"].replace("-", "+").replace("_", "/").rstrip("=")
    return named


def lowered(schema: Any) -> Any:
    """The API's own form of a schema as a JSON Schema."""
    if isinstance(schema, list):
        return [lowered(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        k: v.lower() if k == "type" and isinstance(v, str) else lowered(v)
        for k, v in schema.items()
    }


def meaning(body: dict[str, Any]) -> dict[str, Any]:
    """*body* in one form of the many that mean the same."""
    plain = {k: v for k, v in camel(body).items() if k != "model"}
    plain["contents"] = _contents(plain.get("contents") or [])
    plain["systemInstruction"] = _parts(plain.get("systemInstruction"))
    plain["tools"] = _tools(plain.get("tools") or [])
    config = dict(plain.get("toolConfig") or {})
    if (config.get("functionCallingConfig") or {}).get("mode", "AUTO") == "AUTO":
        config.pop("functionCallingConfig", None)
    plain["toolConfig"] = config
    plain["generationConfig"] = _generation(plain.get("generationConfig") or {})
    return {k: v for k, v in plain.items() if v not in ({}, [], None)}


def _generation(config: dict[str, Any]) -> dict[str, Any]:
    found = dict(config)
    if isinstance(found.get("maxOutputTokens"), str):
        found["maxOutputTokens"] = int(found["maxOutputTokens"])
    if "responseSchema" in found:
        found["responseJsonSchema"] = found.pop("responseSchema")
    if "responseJsonSchema" in found:
        found["responseJsonSchema"] = lowered(found["responseJsonSchema"])
    return found


def _contents(contents: Any) -> list[Any]:
    """Contents with a role each; the results of parallel calls in one."""
    found: list[Any] = []
    for content in contents if isinstance(contents, list) else [contents]:
        role = "model" if content.get("role") == "model" else "user"
        parts = _parts(content)
        results = bool(parts) and all("functionResponse" in p for p in parts)
        if results and found and all("functionResponse" in p for p in found[-1]["parts"]):
            found[-1]["parts"] += parts
        elif parts:
            found.append({"role": role, "parts": parts})
    return found


def _parts(content: Any) -> list[Any]:
    given = (content or {}).get("parts") or []
    given = given if isinstance(given, list) else [given]
    return [p for p in map(_part, given) if p]


def _part(part: dict[str, Any]) -> dict[str, Any]:
    plain = {k: v for k, v in part.items() if v not in (None, "", False)}
    for name in ("functionCall", "functionResponse"):
        if name in plain:
            plain[name] = {k: v for k, v in plain[name].items() if v not in (None, "", [])}
    if "functionCall" in plain:
        plain["functionCall"].setdefault("args", {})
    return plain


def _tools(tools: Any) -> list[Any]:
    functions: list[Any] = []
    others: list[Any] = []
    for tool in tools if isinstance(tools, list) else [tools]:
        functions += map(_function, tool.get("functionDeclarations") or ())
        rest = {k: v for k, v in tool.items() if k != "functionDeclarations"}
        others += [rest] if rest else []
    return [functions, *others] if functions else others


def _function(wire: dict[str, Any]) -> dict[str, Any]:
    plain = {k: v for k, v in wire.items() if v not in (None, "")}
    schema = plain.pop("parametersJsonSchema", None) or plain.pop("parameters", None)
    empty = {"type": "object", "properties": {}}
    return {**plain, "schema": lowered(schema or empty)}
