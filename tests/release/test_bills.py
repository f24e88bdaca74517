"""The bills of materials: valid CycloneDX, complete, and the same for the same release."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.validation.json import JsonStrictValidator

from support.sbom import VERSION, bills
from support.source import PACKAGES, ROOT, Package


@pytest.fixture(scope="session")
def made(dist: Path) -> dict[str, str]:
    """The bill of each package, by its file's name."""
    return bills(dist)


def read(package: Package, made: dict[str, str]) -> tuple[str, dict[str, Any]]:
    version = package.pyproject["project"]["version"]
    text = made[f"{package.module}-{version}.cdx.json"]
    return text, json.loads(text)


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_a_bill_is_valid_and_names_what_is_required(
    package: Package, made: dict[str, str], dist: Path
) -> None:
    text, told = read(package, made)
    assert JsonStrictValidator(VERSION).validate_str(text) is None
    assert told["metadata"]["component"]["name"] == package.name
    assert len(told["metadata"]["component"]["hashes"]) == 2
    listed = {component["name"] for component in told["components"]}
    direct = {line.split(">")[0].split("[")[0] for line in package.dependencies}
    assert listed >= direct
    assert all(
        component["licenses"] for component in told["components"] if component["name"] != "tiktoken"
    )


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_the_graph_of_a_bill_leads_to_all_of_its_parts(
    package: Package, made: dict[str, str]
) -> None:
    _, told = read(package, made)
    graph = {one["ref"]: one.get("dependsOn", []) for one in told["dependencies"]}
    root = told["metadata"]["component"]["bom-ref"]
    reached, waiting = set[str](), [root]
    while waiting:
        ref = waiting.pop()
        if ref not in reached:
            reached.add(ref)
            waiting += graph[ref]
    assert reached == {root, *(component["bom-ref"] for component in told["components"])}


def test_the_same_wheels_have_the_same_bills(
    made: dict[str, str], dist: Path, tmp_path: Path
) -> None:
    for path in dist.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    script = [sys.executable, str(ROOT / "tests/support/sbom.py"), str(tmp_path)]
    environment = {**os.environ, "PYTHONHASHSEED": "11", "TZ": "Pacific/Auckland"}
    subprocess.run(script, env=environment, check=True, capture_output=True)
    assert {path.name: path.read_text("utf-8") for path in tmp_path.glob("*.cdx.json")} == made
