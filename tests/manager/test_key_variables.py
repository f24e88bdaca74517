"""A key may stand under each of the names that its service's own library reads, for every way in."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from jackfield import ProviderManager, create_provider
from jackfield.cli.app import app
from jackfield.manager import LLMManager

KEY = "made-up-gemini-key-0123456789"
NAMES = ("GEMINI_API_KEY", "GOOGLE_API_KEY")


@pytest.fixture(autouse=True)
def _nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def ways(folder: Path) -> list[str | None]:
    """The key that each way in finds."""
    file = folder / "jackfield.toml"
    file.write_text("[providers.gemini]\n")
    found = [create_provider("gemini"), ProviderManager(file)["gemini"]]
    found.append(LLMManager({"gemini": {}}).manager["gemini"])
    return [key and key.reveal() for key in (p.key for p in found)]  # type: ignore[attr-defined]  # of those over HTTP


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_read_whoever_asks(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ways(tmp_path) == [None] * 3
    monkeypatch.setenv(name, KEY)
    assert ways(tmp_path) == [KEY] * 3
    assert create_provider("gemini").validate_config() == []
    told = CliRunner().invoke(app, ["doctor"]).output
    assert f"key from {name}" in told
    assert KEY not in told


def test_the_services_own_name_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "another-made-up-key-0123")
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    assert create_provider("gemini").key.reveal() == KEY  # type: ignore[attr-defined]  # over HTTP


def test_without_any_the_fix_names_one() -> None:
    (issue,) = create_provider("gemini").validate_config()
    assert "GEMINI_API_KEY" in issue.fix
