"""What the tests of releases share: wheels and sdists of all packages, built once."""

from pathlib import Path

import pytest

from support.dists import build, packages
from support.source import ROOT


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a wheel and an sdist of each package."""
    folder = tmp_path_factory.mktemp("dist")
    for package in packages(ROOT):
        build(package, folder)
    return folder
