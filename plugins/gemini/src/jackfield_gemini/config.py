"""The settings, and the paths that follow from them.

Source: https://ai.google.dev/api and https://ai.google.dev/gemini-api/docs/api-versions
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from jackfield import HTTPConfig
from jackfield.exchange import segment

BASE_URL = "https://generativelanguage.googleapis.com/v1beta"
VERSION = re.compile(r"/v\d[a-z0-9]*$")


def _versioned(url: str) -> str:
    """*url* with a version at its end: people write it both ways."""
    url = url.rstrip("/")
    return url if VERSION.search(url) else f"{url}/v1beta"


@frozen(kw_only=True)
class GeminiConfig(HTTPConfig):
    """*base_url* may end with the version of the API, ``/v1beta`` where it does not."""

    base_url: str = field(default=BASE_URL, converter=_versioned)


KINDS = ("models/", "tunedModels/", "files/", "batches/")


def resource(name: str, kind: str) -> str:
    """The name of a resource of *kind*, whichever way it is written: ``x`` and ``models/x``."""
    return name if name.startswith(KINDS) else f"{kind}/{name}"


def path(name: str, kind: str = "models", verb: str = "") -> str:
    """The path of a resource below the base URL, and of what is done with it."""
    place, _, last = resource(name, kind).partition("/")
    return f"/{place}/{segment(last)}{verb}"


def beside(base_url: str, place: str, rest: str) -> str:
    """A whole URL where *place* stands before the version: ``/upload/v1beta/files``."""
    return VERSION.sub(lambda version: f"/{place}{version[0]}", base_url) + rest


def merge(body: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """*body* with the caller's own fields: objects are merged, anything else is replaced."""
    merged = dict(body)
    for key, value in options.items():
        both = isinstance(merged.get(key), Mapping) and isinstance(value, Mapping)
        merged[key] = merge(merged[key], value) if both else value
    return merged
