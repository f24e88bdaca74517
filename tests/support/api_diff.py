"""The public API of today against that of the last release: what breaks a program, what came, what else changed.

python tests/support/api_diff.py             tells all of it; exit code 1 where an unannounced change breaks programs
python tests/support/api_diff.py --accept    makes today's API the baseline in `api/`, as after a release
"""

import ast
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import griffe
from attrs import frozen
from packaging.version import Version

from support.markdown import PAGES, blocks
from support.public_api import (
    Names,
    Stubs,
    imported,
    load,
    make_stubs,
    merged,
    names_in,
    parameters,
)
from support.source import CORE, PACKAGES, ROOT, Package, modules

BASELINE = ROOT / "api"
TELLING = ("breaking", "changed", "removed")
HOW = (
    "A change that breaks programs is announced: a line under `### Breaking`, `### Removed` or `### Changed` of the\n"
    "unreleased part of the package's CHANGELOG.md that names what changes, and the class it belongs to. After a release\n"
    "`nox -s api -- --accept` makes what is there the API that later changes are held against. See docs/versioning.md."
)


@frozen(kw_only=True)
class Breaking:
    """One change that may break a program; *words* are what an announcement has to name."""

    path: str
    what: str
    words: tuple[tuple[str, ...], ...]  # of each group one

    @property
    def package(self) -> str:
        """The import package that it belongs to."""
        return self.path.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


@frozen(kw_only=True)
class Difference:
    """What two states of an API differ in."""

    breaking: tuple[Breaking, ...] = ()
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


def compare(old: Path, new: Path, packages: Sequence[str]) -> Difference:
    """What differs between the stubs in the folder *old* and those in *new*."""
    before = load([old], [name for name in packages if (old / name).exists()])
    after = load([new], packages)
    gone = [
        Breaking(path=folder.name, what="the package was removed", words=((folder.name,),))
        for folder in old.glob("*/")
        if folder.name not in packages
    ]
    found = {
        str(change): change for change in [*gone, *_breaking(before, after, names_in(read(old)))]
    }
    lines, then = entries(read(new)), entries(read(old))
    told = {change.path for change in found.values()}
    changed = [
        f"{path}: {then[path]} -> {lines[path]}"
        for path in sorted(then.keys() & lines.keys())
        if then[path] != lines[path] and path not in told
    ]
    added = tuple(sorted(lines.keys() - then.keys()))
    breaking = tuple(sorted(found.values(), key=str))
    return Difference(breaking=breaking, added=added, changed=tuple(changed))


def _breaking(before: Any, after: Any, public: Names) -> Iterator[Breaking]:
    for name, module in before.members.items():
        if name in after.members:
            for breakage in griffe.find_breaking_changes(module, after[name]):
                if not _moved(breakage, public):
                    yield _described(breakage)


def _moved(breakage: griffe.Breakage, public: Names) -> bool:
    """Whether what is gone is nothing but the place where something public was defined, or a place without such."""
    thing: Any = breakage.obj
    if breakage.kind is not griffe.BreakageKind.OBJECT_REMOVED or not thing.parent.is_module:
        return False
    if thing.is_alias or not thing.is_module:
        return thing.name not in public.get(thing.parent.path, ())
    return not public.get(thing.path)


def _described(breakage: griffe.Breakage) -> Breaking:
    thing: Any = breakage.obj
    path = thing.canonical_path if getattr(thing, "inherited", False) else thing.path
    words = [(path.rpartition(".")[2],)]
    owner = thing.parent
    if owner is not None and owner.is_class:
        kin = (owner.name, *(base.name for base in _ancestors(owner)))
        words = [kin] if words == [("__init__",)] else [*words, kin]
    what = breakage.kind.value.lower()
    values = [
        v for v in (breakage.old_value, breakage.new_value) if isinstance(v, griffe.Parameter)
    ]
    if values:
        words.append((values[0].name,))
        what += ": " + " -> ".join(dict.fromkeys(parameters([value]) for value in values))
    return Breaking(path=path, what=what, words=tuple(words))


def _ancestors(cls: Any) -> list[Any]:
    target = cls.final_target if cls.is_alias else cls
    try:
        return list(target.mro())
    except ValueError:
        return []


def entries(stubs: Stubs) -> dict[str, str]:
    """Every public definition of *stubs*, by the names under which programs find it: its text, of a class its bases."""
    public, homes, found = names_in(stubs), dict[str, dict[str, str]](), dict[str, str]()
    for path, text in stubs.items():
        module = path.removesuffix(".pyi").removesuffix("/__init__").replace("/", ".")
        for node in ast.parse(text).body:
            for name, what in _entry(node):
                homes.setdefault(f"{module}.{name.partition('.')[0]}", {})[name] = what
    for module, names in public.items():
        for name in names:
            inside = homes.get(f"{module}.{name}", {})
            found |= {f"{module}.{inner}": what for inner, what in inside.items()}
            home = inside.get(name, "")  # of a definition that is imported from there
            for inner, what in homes.get(home, {}).items():
                if inner != home.rpartition(".")[2]:
                    found[f"{module}.{name}.{inner.partition('.')[2]}"] = what
    return found


def _entry(node: ast.stmt, above: str = "") -> Iterator[tuple[str, str]]:
    match node:
        case ast.ClassDef():
            yield above + node.name, f"class({', '.join(map(ast.unparse, node.bases))})"
            for inner in node.body:
                yield from _entry(inner, f"{above}{node.name}.")
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield (
                above + node.name,
                ast.unparse(node).removesuffix(": ...").removesuffix(":\n    ..."),
            )
        case ast.AnnAssign():
            yield above + ast.unparse(node.target), ast.unparse(node.annotation)
        case ast.Assign():
            yield above + ast.unparse(node.targets[0]), ast.unparse(node.value)
        case ast.ImportFrom():
            yield from ((a.asname, f"{node.module}.{a.name}") for a in node.names if a.asname)


def read(folder: Path) -> Stubs:
    """The stubs in *folder*."""
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in sorted(folder.rglob("*.pyi"))
    }


def write(stubs: Stubs, folder: Path) -> None:
    """Make *stubs* the stubs in *folder*, and the only ones."""
    for old in folder.glob("*/"):
        shutil.rmtree(old)
    for path, text in stubs.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")


def announced(change: Breaking, changelog: str) -> bool:
    """Whether a line of *changelog* for the next release names what *change* changes."""
    return any(
        all(any(_names(line, word) for word in group) for group in change.words)
        for heading, line in unreleased(changelog)
        if heading in TELLING
    )


def _names(line: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", line) is not None


def unreleased(changelog: str) -> list[tuple[str, str]]:
    """The entries of the part of *changelog* that is not released yet, each under its heading in small letters."""
    part = re.search(
        r"^## \[?Unreleased\]?.*?$(.*?)(?=^## |\Z)",
        changelog,
        re.MULTILINE | re.DOTALL | re.IGNORECASE,
    )
    heading, found = "", list[tuple[str, str]]()
    for line in (part.group(1) if part else "").splitlines():
        if line.startswith("### "):
            heading = line.removeprefix("### ").strip().lower()
        elif line.startswith(("- ", "* ")):
            found.append((heading, line[2:]))
        elif line.strip() and found:
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
    return found


def used() -> Names:
    """The names that the documentation, and our packages of each other, import."""
    pages = [imported(block.text) for page in PAGES for block in blocks(page) if "py" in block.info]
    ours = [
        imported(m.text, package.module) for package in PACKAGES for m in modules(package.source)
    ]
    return merged([*pages, *ours])


def current(packages: Sequence[Package] = PACKAGES) -> Stubs:
    """The stubs of the API as it is now; what the baseline has and still exists is among it."""
    folders = [package.folder / "src" for package in packages]
    also = merged([used(), names_in(read(BASELINE))])
    return make_stubs(folders, [package.module for package in packages], also)


def against_baseline() -> Difference:
    """What the API differs in from that of the last release."""
    with tempfile.TemporaryDirectory() as folder:
        write(current(), Path(folder))
        return compare(BASELINE, Path(folder), [package.module for package in PACKAGES])


def unannounced(breaking: Sequence[Breaking]) -> list[Breaking]:
    """Those of *breaking* that no changelog tells of: the package's, or the repository's for one that is gone."""
    folders = {package.module: package.folder for package in PACKAGES}
    logs = {
        change.package: folders.get(change.package, ROOT) / "CHANGELOG.md" for change in breaking
    }
    texts = {package: log.read_text("utf-8") for package, log in logs.items()}
    return [change for change in breaking if not announced(change, texts[change.package])]


def released() -> Version:
    """The version whose API the baseline is."""
    return Version(tomllib.loads((BASELINE / "release.toml").read_text("utf-8"))["version"])


def next_version(last: Version, difference: Difference) -> str:
    """The least version that may follow *last*, after semantic versioning; before 1.0 a minor one may break."""
    if difference.breaking:
        return f"{last.major + 1}.0.0" if last.major else f"0.{last.minor + 1}.0"
    if difference.added and last.major:
        return f"{last.major}.{last.minor + 1}.0"
    return f"{last.major}.{last.minor}.{last.micro + 1}"


def report(difference: Difference, silent: Sequence[Breaking]) -> str:
    """What a person wants to read about *difference*."""
    last = released()
    parts = [f"Since {last}; the next version is at least {next_version(last, difference)}."]
    marks = [(str(c), "  (unannounced)" if c in silent else "") for c in difference.breaking]
    many = {
        "Breaks programs": [text + mark for text, mark in marks],
        "Added": difference.added,
        "Changed otherwise": difference.changed,
    }
    for title, lines in many.items():
        parts += ["", f"{title}: {len(lines) or 'nothing'}", *(f"  {line}" for line in lines)]
    return "\n".join(parts + (["", HOW] if silent else []))


def accept() -> str:
    """Make the API as it is now the baseline; return what was done."""
    stubs = current()
    write(stubs, BASELINE)
    version = CORE.pyproject["project"]["version"]
    text = (
        f'# The release whose public API the stubs beside this file are.\nversion = "{version}"\n'
    )
    (BASELINE / "release.toml").write_text(text, "utf-8")
    return f"api/ is the public API of {version}: {len(entries(stubs))} definitions."


def main(arguments: list[str]) -> int:
    """Do what *arguments* ask for; return the exit code."""
    if arguments not in ([], ["--accept"]):
        sys.stderr.write(__doc__ or "")
        return 2
    if arguments:
        sys.stdout.write(accept() + "\n")
        return 0
    difference = against_baseline()
    silent = unannounced(difference.breaking)
    sys.stdout.write(report(difference, silent) + "\n")
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
