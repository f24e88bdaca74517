"""What built packages need: the tree of their requirements, as it is installed here, with everybody's licence."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

from attrs import field, frozen
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.dists import members

CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""What older metadata calls the licences."""


@frozen
class Needed:
    """A distribution of the tree: its version, its licence in SPDX's words ("" if it tells none), whom it needs."""

    name: str
    version: str
    licence: str
    needs: frozenset[str] = field(default=frozenset())


def described(wheel: Path) -> Metadata:
    """The metadata of *wheel*, held against their specification."""
    for name, content in members(wheel):
        if name.endswith(".dist-info/METADATA"):
            return Metadata.from_email(content, validate=True)
    raise ValueError(f"{wheel.name} has no metadata")


def wanted(given: Iterable[Requirement], extras: Iterable[str] = ()) -> dict[str, set[str]]:
    """Of the requirements *given* those that hold here with *extras*: names, and the extras asked of each."""
    found: dict[str, set[str]] = {}
    for requirement in given:
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            found.setdefault(canonicalize_name(requirement.name), set()).update(requirement.extras)
    return found


def tree(start: str, ours: Mapping[str, Metadata], extras: Iterable[str] = ()) -> dict[str, Needed]:
    """*start* and all that it needs: *ours* as they are built, others as they are installed.

    What is not installed is left out: an extra that nobody asked for.
    """
    found: dict[str, Needed] = {}
    asked: dict[str, set[str]] = {}
    waiting = [(start, frozenset(extras))]
    while waiting:
        name, more = waiting.pop()
        if name in found and more <= asked[name]:
            continue
        asked.setdefault(name, set()).update(more)
        facts = ours.get(name) or installed(name)
        if facts is None:
            continue
        needs = wanted(facts.requires_dist or (), asked[name])
        present = frozenset(n for n in needs if n in ours or installed(n) is not None)
        found[name] = Needed(name, str(facts.version), licence(facts), present)
        waiting += [(n, frozenset(e)) for n, e in needs.items()]
    return found


@cache
def installed(name: str) -> Metadata | None:
    """The metadata of the distribution *name* in this environment; None where it is not."""
    try:
        text = metadata.distribution(name).read_text("METADATA") or ""
    except metadata.PackageNotFoundError:
        return None
    return Metadata.from_email(text, validate=False)


def licence(facts: Metadata) -> str:
    """The licence that *facts* tell, as an expression of SPDX; "" where they tell none."""
    told = [c.rpartition(" :: ")[2] for c in facts.classifiers or () if c.startswith("License ::")]
    named = [CLASSIFIERS[name] for name in told if name in CLASSIFIERS]
    text = (facts.license or "").strip()
    first = re.sub(r"^(\S+) License$", r"\1", text.partition("\n")[0].strip())
    for candidate in (facts.license_expression or "", first, " OR ".join(sorted(set(named)))):
        try:
            return str(canonicalize_license_expression(candidate))
        except (InvalidLicenseExpression, AttributeError):
            continue
    return ""
