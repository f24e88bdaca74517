"""What a mutant is: a provider with one thing changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen


@frozen(kw_only=True)
class Mutant:
    """A provider broken in one way: *check* must fail for it.

    *changes* are texts of the module and what stands there instead; the empty one is its end.
    *body* is put into the class, *manifest* are changes of the manifest.
    """

    check: str
    changes: Mapping[str, str] = field(factory=dict)
    body: str = ""
    kind: str = "healthy"
    proved: Any = None
    manifest: Mapping[str, str] = field(factory=dict)

    def all_changes(self) -> dict[str, str]:
        """The changes, with the body among them."""
        head = "    info = ProviderInfo(\n" if self.kind == "healthy" else "    info = Provider"
        if not self.body:
            return dict(self.changes)
        lines = "".join(
            f"    {line}\n" if line else "\n" for line in self.body.strip().splitlines()
        )
        return {**self.changes, head: lines + head}
