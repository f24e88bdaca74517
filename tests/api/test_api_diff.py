"""A change of the public API that breaks programs is told in a changelog, and each way to break one is noticed."""

import re
import shutil
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from packaging.version import Version

from support.api_diff import (
    HOW,
    Breaking,
    Difference,
    against_baseline,
    announced,
    compare,
    next_version,
    unannounced,
    unreleased,
    write,
)
from support.public_api import make_stubs
from support.source import CORE

SAMPLE = dedent('''
    """A package like ours."""
    from enum import Enum
    from attrs import field, frozen

    __all__ = ["Colour", "Derived", "Value", "call", "fetch"]
    class Colour(Enum):
        RED = "red"
        BLUE = "blue"
    class Base:
        def shared(self, name: str) -> str: ...
    @frozen(kw_only=True)
    class Value:
        text: str
        size: int = 0
        many: dict[str, int] = field(factory=dict)
        def shown(self, width: int = 80) -> str: ...
        def _helped(self) -> None: ...
    class Derived(Base):
        kind = "derived"
    def call(first: int, second: str = "", *, strict: bool = False) -> int: ...
    async def fetch(url: str) -> bytes: ...
    def _hidden(x: int) -> int: ...
''')

BREAKING = {
    "a function is removed": ('"call", ', "", "call"),
    "a class is removed": ('"Value", ', "", "Value"),
    "a method is removed": (
        "    def shown(self, width: int = 80) -> str: ...\n",
        "",
        "Value.shown",
    ),
    "a class attribute is removed": ('    kind = "derived"', "    pass", "Derived.kind"),
    "a member of an enumeration is removed": ('    BLUE = "blue"\n', "", "Colour.BLUE"),
    "an inherited method is removed": ("class Derived(Base):", "class Derived:", "Base.shared"),
    "an inherited method changes": (
        "def shared(self, name",
        "def shared(self, title",
        "Base.shared",
    ),
    "a parameter is renamed": ("first: int", "start: int", "call"),
    "a parameter loses its default": ('second: str = ""', "second: str", "call"),
    "a default changes": ("strict: bool = False", "strict: bool = True", "call"),
    "a parameter is by keyword only": ('second: str = "", *,', '*, second: str = "",', "call"),
    "parameters change places": (
        'first: int, second: str = ""',
        'second: str = "", first: int = 0',
        "call",
    ),
    "a parameter is asked for": ("fetch(url: str)", "fetch(url: str, timeout: float)", "fetch"),
    "a function becomes a value": ("def call(", "call = 3\ndef other(", "call"),
    "a value's field is removed": ("    size: int = 0\n", "", "Value.size"),
    "a value's field is asked for": ("    size: int = 0", "    size: int", "Value.__init__"),
    "a value has a new field without a default": (
        "    text: str\n",
        "    text: str\n    new: str\n",
        "Value.__init__",
    ),
}
HARMLESS = {
    "a function is added": ("async def fetch", "def more(): ...\nasync def fetch", "call"),
    "an optional parameter is added": ("strict: bool = False", "strict: bool = False, x: int = 0"),
    "a value has a new field with a default": (
        "    size: int = 0",
        "    size: int = 0\n    x: int = 1",
    ),
    "a method is added": ('    kind = "derived"', '    kind = "derived"\n    def more(self): ...'),
    "parameters by keyword change places": (
        "text: str\n    size: int = 0",
        "size: int = 0\n    text: str",
    ),
    "what is private is removed": ("def _hidden(x: int) -> int: ...\n", ""),
    "a private method is removed": ("    def _helped(self) -> None: ...\n", ""),
    "a type changes": ("first: int", "first: float"),
}


class Sampled:
    """A package made up of a text, as stubs in a folder."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch

    def stubs(self, name: str, text: str) -> Path:
        source, written = self.folder / name / "src", self.folder / name / "api"
        (source / "api_sample").mkdir(parents=True)
        (source / "api_sample" / "__init__.py").write_text(text, "utf-8")
        with self.monkeypatch.context() as patch:
            patch.syspath_prepend(str(source))
            patch.delitem(sys.modules, "api_sample", raising=False)
            written.mkdir()
            write(make_stubs([source], ["api_sample"], {}), written)
            sys.modules.pop("api_sample", None)
        return written

    def after(self, change: tuple[str, ...]) -> Difference:
        """What differs in the sample once *change*, a text and its replacement, is made."""
        assert change[0] in SAMPLE
        before = self.stubs("before", SAMPLE)
        after = self.stubs("after", SAMPLE.replace(change[0], change[1]))
        return compare(before, after, ["api_sample"])


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sampled:
    return Sampled(tmp_path, monkeypatch)


def test_no_change_since_the_last_release_breaks_programs_unannounced() -> None:
    silent = unannounced(against_baseline().breaking)
    assert silent == [], "\n".join(["", *map(str, silent), "", HOW])


@pytest.mark.parametrize("name", BREAKING)
def test_it_is_noticed_that(name: str, sample: Sampled) -> None:
    old, new, where = BREAKING[name]
    breaking = sample.after((old, new)).breaking
    assert f"api_sample.{where}" in {change.path for change in breaking}


@pytest.mark.parametrize("name", HARMLESS)
def test_no_program_breaks_where(name: str, sample: Sampled) -> None:
    assert sample.after(HARMLESS[name]).breaking == ()


def test_what_moves_breaks_nothing_as_long_as_it_is_found_where_it_was_public(
    tmp_path: Path,
) -> None:
    acts = "    def act(self): ...\n"
    homes = {"before": ("near", acts), "after": ("far", acts + "    def rest(self): ...\n")}
    for name, (home, members) in homes.items():
        package = tmp_path / name / "src" / "api_moved"
        package.mkdir(parents=True)
        (package / f"{home}.py").write_text(f"class Thing:\n{members}", "utf-8")
        text = f'from .{home} import Thing\n__all__ = ["Thing"]\n'
        (package / "__init__.py").write_text(text, "utf-8")
        (tmp_path / name / "api").mkdir()
        write(make_stubs([package.parent], ["api_moved"], {}), tmp_path / name / "api")
    found = compare(tmp_path / "before" / "api", tmp_path / "after" / "api", ["api_moved"])
    assert found.breaking == ()
    assert found.added == ("api_moved.Thing.rest",)
    assert found.changed == ("api_moved.Thing: api_moved.near.Thing -> api_moved.far.Thing",)


def test_what_is_new_and_what_changes_otherwise_is_told(sample: Sampled) -> None:
    text = 'def more(): ...\n__all__ += ["more"]\nasync def fetch(url: str | None)'
    found = sample.after(("async def fetch(url: str)", text))
    assert found.added == ("api_sample.more",)
    assert [line.partition(":")[0] for line in found.changed] == ["api_sample.fetch"]


def test_the_real_core_cannot_lose_a_name_or_change_a_signature_in_silence(tmp_path: Path) -> None:
    """A copy of the core's source with three changes: each is told, and nothing beside them."""
    source = tmp_path / "src" / "jackfield"
    shutil.copytree(CORE.source, source, ignore=shutil.ignore_patterns("__pycache__"))
    edits = {
        "events.py": (r"\ndef replay\(", "\ndef _replay("),
        "plugins.py": (r"\ndef create_provider\(\s*name\b", "\ndef create_provider(title"),
        "errors.py": (r"\n    request_id: ", "\n    _request_id: "),
    }
    for file, (pattern, text) in edits.items():
        changed, count = re.subn(pattern, text, (source / file).read_text("utf-8"))
        assert count == 1, f"{file} has no {pattern} any more"
        (source / file).write_text(changed, "utf-8")
    for name, folder in [("before", CORE.folder / "src"), ("after", tmp_path / "src")]:
        (tmp_path / name).mkdir()
        write(make_stubs([folder], ["jackfield"], {}), tmp_path / name)
    found = compare(tmp_path / "before", tmp_path / "after", ["jackfield"]).breaking
    last = {change.path.rpartition(".")[2] for change in found}
    assert last == {"replay", "create_provider", "request_id"}


LOG = """# Changelog

## [Unreleased]

### Changed

- `call` in `Value` takes `width` no more,
  and `other` is gone.

### Added

- `Derived`.

## [0.1.0]

### Removed

- `ancient`.
"""


def test_an_announcement_stands_under_a_telling_heading_of_the_next_release() -> None:
    headings = [heading for heading, _ in unreleased(LOG)]
    assert headings == ["changed", "added"]
    said = {
        word: announced(Breaking(path="p", what="", words=((word,),)), LOG)
        for word in ("call", "other", "Derived", "ancient", "oth")
    }
    assert said == {"call": True, "other": True, "Derived": False, "ancient": False, "oth": False}


def test_an_announcement_names_the_class_and_the_parameter_too() -> None:
    def is_announced(*words: str) -> bool:
        return announced(Breaking(path="p", what="", words=tuple((w,) for w in words)), LOG)

    assert is_announced("call", "Value", "width")
    assert not is_announced("call", "Value", "height")
    assert announced(Breaking(path="p", what="", words=(("call",), ("Sub", "Value"))), LOG)


@pytest.mark.parametrize(
    ("last", "breaks", "adds", "expected"),
    [
        ("0.1.0", True, False, "0.2.0"),
        ("0.1.0", False, True, "0.1.1"),
        ("1.4.2", True, True, "2.0.0"),
        ("1.4.2", False, True, "1.5.0"),
        ("1.4.2", False, False, "1.4.3"),
    ],
)
def test_the_next_version_follows_from_what_changed(
    last: str, breaks: bool, adds: bool, expected: str
) -> None:
    change = Breaking(path="p", what="", words=())
    difference = Difference(breaking=(change,) * breaks, added=("x",) * adds)
    assert next_version(Version(last), difference) == expected
