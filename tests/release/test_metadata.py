"""What the packages say about themselves: valid, in step, readable on an index, and under which licences."""

import re
from pathlib import Path

import pytest
from packaging.licenses import canonicalize_license_expression
from packaging.metadata import Metadata
from readme_renderer.markdown import render
from trove_classifiers import classifiers

import jackfield
from support.dependencies import Needed, described, tree
from support.source import CORE, PACKAGES, Package

PERMISSIVE = frozenset(
    "0BSD Apache-2.0 BSD-2-Clause BSD-3-Clause CC0-1.0 CNRI-Python ISC MIT PSF-2.0 Zlib".split()
)
EXCEPTIONS = {
    "certifi": "MPL-2.0: the authorities' certificates, unchanged; asks nothing of who uses them",
    "hypothesis": "MPL-2.0: only with jackfield[test], on a developer's machine",
    "tqdm": "MPL-2.0 AND MIT: only with the reference engine of llama.cpp and its tools",
}
UNTOLD = {
    "tiktoken": "MIT; its metadata have the licence's text in place of its name",
    "llama-cpp-python": "MIT",
    "xllamacpp": "MIT",
}


@pytest.fixture(scope="session")
def facts(dist: Path) -> dict[str, Metadata]:
    """The metadata of every wheel, by name; reading them holds them against their specification."""
    found = [described(wheel) for wheel in dist.glob("*.whl")]
    return {one.name: one for one in found}


def test_all_packages_carry_one_version_which_the_core_tells(facts: dict[str, Metadata]) -> None:
    assert {str(one.version) for one in facts.values()} == {jackfield.__version__}
    assert facts.keys() == {package.name for package in PACKAGES}


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_the_metadata_say_what_an_index_and_a_reader_need(
    package: Package, facts: dict[str, Metadata]
) -> None:
    told = facts[package.name]
    assert told.license_expression == canonicalize_license_expression("Apache-2.0")
    assert told.license_files == ["LICENSE"]
    assert set(told.classifiers or ()) <= classifiers
    assert "Typing :: Typed" in (told.classifiers or ())
    assert str(told.requires_python) == ">=3.11"
    assert 15 < len(told.summary or "") < 120
    assert told.keywords


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_the_readme_renders_and_leads_nowhere_that_only_a_repository_has(
    package: Package, facts: dict[str, Metadata]
) -> None:
    text = facts[package.name].description or ""
    assert text.startswith(f"# {package.name}")
    assert render(text) is not None
    assert re.findall(r"\]\((?!https?://|#)[^)]*\)", text) == []


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_what_is_required_comes_from_an_index_with_a_lower_bound(
    package: Package, facts: dict[str, Metadata]
) -> None:
    for requirement in facts[package.name].requires_dist or ():
        assert requirement.url is None
        named = requirement.name in facts and "extra" in str(requirement.marker)
        assert named or ">=" in str(requirement.specifier), str(requirement)
        assert all(s.operator in (">=", "!=") for s in requirement.specifier), str(requirement)


def test_everything_that_is_needed_is_under_a_permissive_licence(
    facts: dict[str, Metadata],
) -> None:
    """Of all packages with all their extras, as far as they are installed; the core's needs always are."""
    found = dict[str, Needed]()
    for name, told in facts.items():
        found |= tree(name, facts, told.provides_extra or ())
    assert {"anyio", "attrs", "cattrs", "httpx2", "msgspec", "pluggy"} <= found.keys()
    wrong = {}
    for name, needed in found.items():
        one_of = [
            set(re.findall(r"[\w.-]+", part)) - {"AND"} for part in needed.licence.split(" OR ")
        ]
        fine = any(part and part <= PERMISSIVE for part in one_of)
        if not fine and name not in EXCEPTIONS | UNTOLD and not _of_ray(name, facts):
            wrong[name] = needed.licence
    assert wrong == {}, "a new one: see that it may be used, and write down why"


def _of_ray(name: str, facts: dict[str, Metadata]) -> bool:
    """Whether it comes with Ray alone, an extra that is judged by who installs it."""
    without = dict[str, Needed]()
    for one in facts.values():
        extras = set(one.provides_extra or ()) - {"ray"}
        without |= tree(one.name, facts, extras)
    return name not in without


def test_the_core_needs_no_plugin_unless_it_is_asked_for(facts: dict[str, Metadata]) -> None:
    assert [name for name in tree(CORE.name, facts) if name.startswith("jackfield-")] == []
