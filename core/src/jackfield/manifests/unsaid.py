"""What a provider class does by default and its manifest is silent on: told before anything is sent."""

from __future__ import annotations

from typing import Any

from attrs import fields_dict

from .guard import address, matches
from .manifest import Manifest


def unsaid(cls: type[Any], said: Manifest) -> str:
    """Whom the provider class *cls* asks by default, though its manifest *said* nothing of it; empty if it did."""
    default = getattr(fields_dict(cls.Config).get("base_url"), "default", None)
    if said.contract is None or not isinstance(default, str) or not (wanted := address(default)):
        return ""
    if matches(wanted, default.partition(":")[0], said.hosts):
        return ""
    where = f"its default base_url leads to {wanted}"
    return f"{where}, which its manifest does not name: tell its author"
