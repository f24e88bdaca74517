"""The public API as data: stub files of what other programs may use, made from the source.

A name is public where a package lists it in `__all__`, where the documentation imports it, and where one of our
distributions imports it from another, as a stranger's plugin may. What was public in the last release stays public
as long as it exists. The stubs hold signatures, attributes and bases; griffe reads them like any other package.
"""

import ast
import importlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import griffe

Names = dict[str, set[str]]  # by module
Stubs = dict[str, str]  # the text of each stub, by its path below the folder of the baseline

SIMPLE = (str, int, float, bool, type(None), type(...))


def load(folders: Iterable[Path], names: Iterable[str]) -> griffe.ModulesCollection:
    """The packages *names* below *folders*, as griffe reads them; nothing is imported."""
    loader = griffe.GriffeLoader(search_paths=[*folders], allow_inspection=False)
    for name in names:
        loader.load(name)
    loader.resolve_aliases(implicit=True, external=False)
    return loader.modules_collection


def listed(found: griffe.ModulesCollection) -> Names:
    """The names that the core's packages, and the home of each other package, have in `__all__`."""
    public: Names = {}
    waiting = list(found.members.values())
    while waiting:
        module = waiting.pop()
        if module.exports:
            public[module.path] = {str(name) for name in module.exports}
        if module.path == "jackfield" or module.path.startswith("jackfield."):
            inside = [m for m in module.modules.values() if not m.is_alias and m.name != "cli"]
            waiting += inside
    return public


def imported(text: str, own: str = "") -> Names:
    """The names that the Python *text* imports from our packages, those of the package *own* left out."""
    public: Names = defaultdict(set)
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return public
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            home = node.module.partition(".")[0]
            if home != own and (home == "jackfield" or home.startswith("jackfield_")):
                public[node.module] |= {alias.name for alias in node.names}
    return public


def merged(many: Iterable[Names]) -> Names:
    """All of them together."""
    public: Names = defaultdict(set)
    for names in many:
        for module, some in names.items():
            public[module] |= some
    return public


def exists(found: griffe.ModulesCollection, module: str, name: str) -> bool:
    """Whether *module* has *name*, and it is no module."""
    try:
        thing = found[module].members[name]
        return not (thing.final_target if thing.is_alias else thing).is_module
    except (KeyError, griffe.AliasResolutionError):
        return False


def _constructor(path: str) -> str | None:
    """The parameters of the `__init__` that attrs wrote for the class *path*; None where it wrote none."""
    module, _, name = path.rpartition(".")
    try:
        cls = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return None
    if not attrs.has(cls) or "__attrs_attrs__" not in vars(cls):
        return None
    fields = [field for field in attrs.fields(cls) if field.init]
    plain = [_parameter(field) for field in fields if not field.kw_only]
    named = [_parameter(field) for field in fields if field.kw_only]
    return ", ".join(["self", *plain, *(["*", *named] if named else [])])


def _parameter(field: Any) -> str:
    text = str(field.alias) + (f": {field.type}" if isinstance(field.type, str) else "")
    if field.default is attrs.NOTHING:
        return text
    return f"{text} = {field.default!r}" if type(field.default) in SIMPLE else f"{text} = ..."


class Writer:
    """Writes the stubs of the names that are public, and of what they inherit from."""

    def __init__(self, found: griffe.ModulesCollection, public: Names) -> None:
        self.found, self.public = found, public
        self.lines: dict[str, dict[str, list[str]]] = defaultdict(dict)
        self.imports: dict[str, set[str]] = defaultdict(set)
        for module, names in sorted(public.items()):
            for name in sorted(names):
                self._name(module, name)

    def _name(self, module: str, name: str) -> None:
        thing = self.found[module].members[name]
        if thing.is_alias:
            target = thing.final_target
            self.imports[module].add(f"from {target.parent.path} import {target.name} as {name}")
            thing = target
        self._define(thing)

    def _define(self, thing: Any) -> None:
        home = self.lines[thing.parent.path]
        if thing.name in home:
            return
        home[thing.name] = []
        home[thing.name] = list(self._definition(thing))

    def _definition(self, thing: Any) -> Iterator[str]:
        if thing.is_function:
            yield from _function(thing)
        elif thing.is_class:
            yield from self._class(thing)
        else:
            yield from _attribute(thing, with_value=True)

    def _class(self, cls: Any) -> Iterator[str]:
        for base in cls.resolved_bases:
            target = base.final_target if base.is_alias else base
            if target.package.path in self.found.members:
                self._define(target)
                if target.parent.path != cls.parent.path:
                    line = f"from {target.parent.path} import {target.name}"
                    self.imports[cls.parent.path].add(line)
        bases = ", ".join(map(str, cls.bases))
        yield f"class {cls.name}({bases}):" if bases else f"class {cls.name}:"
        body: list[str] = []
        for name, member in sorted(cls.members.items()):
            if _counts(name) and not member.is_alias:
                body += _function(member) if member.is_function else self._inner(member)
        written = _constructor(cls.path)
        if written is not None and "__init__" not in cls.members:
            body.append(f"def __init__({written}) -> None: ...")
        yield from (f"    {line}" for line in body or ["..."])

    def _inner(self, member: Any) -> Iterator[str]:
        return self._class(member) if member.is_class else _attribute(member, with_value=False)

    def stubs(self) -> Stubs:
        """The text of every stub, packages above them included."""
        needed = {*self.lines, *self.imports}
        needed |= {m.rpartition(".")[0] for m in needed if "." in m}
        needed |= {m.partition(".")[0] for m in needed}
        return dict(self._stub(module) for module in sorted(needed))

    def _stub(self, module: str) -> tuple[str, str]:
        names = sorted(self.public.get(module, ()))
        text = [
            f'"""What is public of {module}; `nox -s api -- --accept` writes it."""',
            *sorted(self.imports[module]),
            f"__all__ = {names!r}",
            *(line for _, lines in sorted(self.lines[module].items()) for line in lines),
        ]
        folder = any(m.startswith(module + ".") for m in (*self.lines, *self.imports))
        path = module.replace(".", "/") + (
            "/__init__.pyi" if folder or "." not in module else ".pyi"
        )
        return path, "\n".join(text) + "\n"


def _counts(name: str) -> bool:
    """Whether a class's member of this name is public: the checks of the conformance suite come and go."""
    special = name.startswith("__") and name.endswith("__") and name != "__slots__"
    return special or not name.startswith(("_", "test_"))


def _function(function: Any) -> Iterator[str]:
    """The stub of *function*, in one line under its decorators that matter to a caller."""
    labels = function.labels
    yield from (f"@{label}" for label in ("staticmethod", "classmethod") if label in labels)
    returns = f" -> {function.returns}" if function.returns is not None else ""
    word = "async def" if "async" in labels else "def"
    yield f"{word} {function.name}({parameters(function.parameters)}){returns}: ..."


def parameters(given: Iterable[griffe.Parameter]) -> str:
    """The parameters of a function, as Python writes them."""
    kinds = griffe.ParameterKind
    written: list[str] = []
    previous: griffe.ParameterKind | None = None
    for parameter in given:
        kind = parameter.kind
        if previous is kinds.positional_only and kind is not previous:
            written.append("/")
        if kind is kinds.keyword_only and previous not in {
            kinds.keyword_only,
            kinds.var_positional,
        }:
            written.append("*")
        stars = "*" * (1 if kind is kinds.var_positional else 2 if kind is kinds.var_keyword else 0)
        text = stars + parameter.name
        if parameter.annotation is not None:
            text += f": {parameter.annotation}"
        if parameter.default is not None and not stars:
            text += f" = {parameter.default}"
        written.append(text)
        previous = kind
    return ", ".join([*written, *(["/"] if previous is kinds.positional_only else [])])


def _attribute(thing: griffe.Attribute, *, with_value: bool) -> Iterator[str]:
    """The stub of an attribute or constant: its type, or its value where that says what it is."""
    value = str(thing.value) if thing.value is not None else ""
    if thing.annotation is not None:
        yield f"{thing.name}: {thing.annotation}"
    elif with_value and value and "\n" not in value and len(value) < 200:
        yield f"{thing.name} = {value}"
    else:
        yield f"{thing.name} = ..."


def make_stubs(folders: Iterable[Path], packages: Iterable[str], also: Names) -> Stubs:
    """The stubs of *packages*, found below *folders*: what they list themselves, and *also*."""
    found = load(folders, packages)
    public: Names = {}
    for module, names in merged([listed(found), also]).items():
        real = {name for name in names if exists(found, module, name)}
        if real:
            public[module] = real
    return Writer(found, public).stubs()


def names_in(stubs: Mapping[str, str]) -> Names:
    """The public names of stubs, by module: what their `__all__` say."""
    public: Names = {}
    for path, text in stubs.items():
        module = path.removesuffix(".pyi").removesuffix("/__init__").replace("/", ".")
        for node in ast.parse(text).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                public[module] = set(ast.literal_eval(node.value))
    return public
