"""Guards that a configuration file declares: they act as those of a program do, and each mistake has its line and its fix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jackfield import ConfigError, ContentFilterError
from jackfield.manager import ProviderManager
from jackfield.manager.files import read_settings

KEY = "plover7q2w9e4r"
HEAD = '[providers.work]\nprovider = "scripted"\nanswers = ["As an AI I say: a@b.example"]\n'
PLUGIN = """
from jackfield import ConfigError
from jackfield.middleware.guardrails import map_texts
from jackfield.types import ConfigIssue

def shout(mark="!", key=None, levels=()):
    if levels:
        raise ConfigError("no", [ConfigIssue("levels", "are too many", "give none")])
    return lambda request, response: map_texts(response, lambda text: text.upper() + mark + (key or ""))

def nothing():
    return 7

def fails():
    raise ValueError("key-in-here")
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution with guards of its own."""
    site = tmp_path / "site"
    about = site / "shouting-1.dist-info"
    about.mkdir(parents=True)
    (site / "shouting_guards.py").write_text(PLUGIN, "utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: shouting\nVersion: 1\n", "utf-8")
    lines = [f"{name} = shouting_guards:{name}" for name in ("shout", "nothing", "fails", "lost")]
    (about / "entry_points.txt").write_text("\n".join(["[jackfield.guards]", *lines]), "utf-8")
    monkeypatch.syspath_prepend(str(site))


def write(folder: Path, text: str) -> Path:
    path = folder / "jackfield.toml"
    path.write_text(HEAD + text, "utf-8")
    return path


def seen(folder: Path, text: str, prompt: str = "Hi") -> tuple[str, str]:
    """What the provider was asked, and what the program got, under the file with *text*."""
    with ProviderManager(write(folder, text)) as manager:
        answer = manager.execute("work", "any", prompt)
        provider: Any = manager["work"]
        return provider.requests[0].messages[0].text, answer.text


def test_they_change_what_is_asked_and_what_is_answered(tmp_path: Path) -> None:
    text = """
        [[guardrails.before]]
        guard = "redact"
        [[guardrails.before]]
        guard = "redact"
        patterns = ['\\$\\{[A-Z]+\\}']
        replacement = ""
        [[guardrails.after]]
        guard = "redact"
        replacement = "(no)"
    """
    asked, answered = seen(tmp_path, text, "Write to kim@example.org ${HOME}.")
    assert asked == "Write to [removed] ."
    assert answered == "As an AI I say: (no)"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("[[guardrails.after]]\nguard = 'forbid'\npatterns = ['(?i)as an ai']", "forbid"),
        ("[[guardrails.after]]\nguard = 'limit_length'\nmost = 3\nname = 'brief'", "brief"),
        ("[[guardrails.before]]\nguard = 'limit_length'\nmost = 0", "limit_length"),
    ],
)
def test_they_refuse_under_their_names(tmp_path: Path, text: str, name: str) -> None:
    with pytest.raises(ContentFilterError, match=f"the guardrail '{name}' refused"):
        seen(tmp_path, text)


@pytest.mark.usefixtures("installed")
def test_an_installed_guard_is_made_with_its_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", KEY)
    text = '[[guardrails.after]]\nguard = "shout"\noptions = {mark = "?", key = "${SOME_KEY}"}'
    assert seen(tmp_path, text)[1] == f"AS AN AI I SAY: A@B.EXAMPLE?{KEY}"
    assert KEY not in repr(read_settings(write(tmp_path, text)))


MISTAKES = """
[[guardrails.before]]
guard = "redactt"
[[guardrails.before]]
guard = "forbid"
[[guardrails.before]]
guard = "forbid"
patterns = ["fine", "(", "["]
most = 3
[[guardrails.before]]
patern = "x"
[[guardrails.after]]
guard = "limit_length"
most = -1
[[guardrails.after]]
guard = "redact"
options = {a = 1}
[[guardrails.after]]
guard = "shout"
options = {level = 3}
[[guardrails.after]]
guard = "shout"
options = {levels = [1]}
[[guardrails.after]]
guard = "shout"
patterns = ["x"]
[[guardrails.after]]
guard = "nothing"
[[guardrails.after]]
guard = "fails"
[[guardrails.after]]
guard = "lost"
"""


@pytest.mark.usefixtures("installed")
def test_every_mistake_has_its_line_and_its_fix(tmp_path: Path) -> None:
    path = write(tmp_path, MISTAKES)
    with pytest.raises(ConfigError) as caught:
        read_settings(path)
    told = [str(issue).removeprefix(f"{path}:") for issue in caught.value.issues]
    expected = [
        "6: guardrails.before[0].guard: there is no guard 'redactt' (did you mean redact?)",
        "7: guardrails.before[1].patterns: is required (forbid needs it)",
        "12: guardrails.before[2].most: is nothing of forbid (remove it)",
        "13: guardrails.before[3].guard: is required",
        "14: guardrails.before[3].patern: no such setting (did you mean patterns?)",
        "17: guardrails.after[0].most: must be 0 or more, and at most 1,000,000,000,000",
        "20: guardrails.after[1].options: are for installed guards (remove them)",
        "23: guardrails.after[2].options: do not fit:",
        "26: guardrails.after[3].options.levels: are too many (give none)",
        "29: guardrails.after[4].patterns: is nothing of shout, which is installed (write options = {patterns = …})",
        "31: guardrails.after[5].guard: 'nothing' makes no guard (a guard is a function)",
        "33: guardrails.after[6].guard: 'fails' is broken: ValueError (mend its package, or take it out)",
        "35: guardrails.after[7].guard: 'lost' is broken: AttributeError",
    ]
    for said in expected:
        assert any(line.startswith(said) for line in told), (said, told)
    assert "key-in-here" not in "".join(told)


def test_a_pattern_that_is_none_is_found_by_its_place(tmp_path: Path) -> None:
    path = write(tmp_path, "[[guardrails.before]]\nguard = 'forbid'\npatterns = ['fine', '(']\n")
    with pytest.raises(ConfigError) as caught:
        read_settings(path)
    (issue,) = caught.value.issues
    assert str(issue).startswith(
        f"{path}:6: guardrails.before[0].patterns[1]: is no regular expression"
    )
