"""The lines of the pages of the code: what each public name is, and how it is called or what fields it has."""

import ast
import inspect
import json
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import cache
from importlib import import_module
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

import attrs
import msgspec

from support.explained import CONSTANTS
from support.sphinx_site import homes, is_function, value_of

SIMPLE = (int, float, bool, bytes, type(None))
COMPUTED = (ast.Call, ast.Dict, ast.GeneratorExp, ast.DictComp)
LONGEST = 160  # characters of a constant's value that are still worth reading


class Text:
    """Text that stands as it is in a signature, for an annotation or a default."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def told(module: str, name: str) -> str:
    """The first line about a name: of its docstring, or of the string below a constant in the source."""
    thing = value_of(module, name)
    if isinstance(thing, type) or is_function(thing):
        return _first(inspect.getdoc(thing))
    return below(module, name) or CONSTANTS.get(f"{module}.{name}", "")


def _first(text: str | None) -> str:
    return (text or "").partition("\n")[0]


def below(module: str, name: str) -> str:
    """The first line of the string below the assignment of *name* in the source of *module*."""
    found, said = _assigned(module, name)
    return _first(said) if found is not None else ""


def shape(module: str, name: str) -> str:
    """A function's signature, a class's fields, or a constant's value, where that is short; else nothing."""
    thing = value_of(module, name)
    if isinstance(thing, type):
        return _class(thing)
    if is_function(thing):
        return _code(_signature(thing))
    value, _ = _assigned(module, name)
    if value is None or any(isinstance(node, COMPUTED) for node in ast.walk(value)):
        return ""
    text = " ".join(ast.unparse(value).split())
    return _code(text) if len(text) <= LONGEST else ""


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


@cache
def _assigned(module: str, name: str) -> tuple[ast.expr | None, str]:
    """The value that *name* is assigned where it is made, and the string below that."""
    loaded = import_module(module)
    body = ast.parse(Path(str(loaded.__file__)).read_text("utf-8")).body
    for made, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(made, ast.Assign | ast.AnnAssign) and made.value is not None:
            targets = made.targets if isinstance(made, ast.Assign) else [made.target]
            if any(isinstance(t, ast.Name) and t.id == name for t in targets):
                return made.value, _string(following)
    for node in (n for whole in body for n in ast.walk(whole)):
        if isinstance(node, ast.ImportFrom) and any(
            (a.asname or a.name) == name for a in node.names
        ):
            inside = module if hasattr(loaded, "__path__") else module.rpartition(".")[0]
            home = resolve_name("." * node.level + (node.module or ""), inside)
            source = next(a.name for a in node.names if (a.asname or a.name) == name)
            return _assigned(home, source) if home.startswith("jackfield") else (None, "")
    return None, ""


def _string(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return inspect.cleandoc(str(node.value.value))
    return ""


def _class(kind: type[Any]) -> str:
    if issubclass(kind, BaseException):
        return ""  # the page of the errors has them
    if issubclass(kind, Enum):
        return ", ".join(_code(str(member.value)) for member in kind)
    own, inherited = _fields(kind)
    if not own and "__init__" in vars(kind) and not attrs.has(kind):
        return _code(_signature(kind.__init__, method=True))
    methods = _methods(kind) if getattr(kind, "_is_protocol", False) else []
    parts = [_code(f"({', '.join(own)})" if own else ""), *map(_code, methods)]
    if inherited:
        also = " and of ".join(_code(name) for name in inherited)
        parts.append(f"and the fields of {also}" if own else f"the fields of {also}")
    return " ".join(part for part in parts if part)


def _fields(kind: type[Any]) -> tuple[list[str], list[str]]:
    """The fields of *kind* and of its bases that nothing describes, and the names of the bases that are described."""
    own: list[str] = []
    inherited: dict[str, None] = {}
    star = False
    for name, default, named in _declared(kind):
        owner = next(b for b in kind.__mro__ if name in vars(b).get("__annotations__", {}))
        if owner is not kind and id(owner) in homes():
            inherited[owner.__name__] = None
            continue
        if named and not star:
            star = True
            own.append("*")
        own.append(f"{name.lstrip('_')}: {_annotation(owner, name)}{default}")
    return own, list(inherited)


def _declared(kind: type[Any]) -> Iterator[tuple[str, str, bool]]:
    """Each field: its name in the source, its default as text, and whether it is given by name only."""
    if attrs.has(kind):
        for field in attrs.fields(kind):
            if field.init:
                yield field.name, _default(field.default, attrs.NOTHING), bool(field.kw_only)
    elif issubclass(kind, msgspec.Struct):
        for part in msgspec.structs.fields(kind):
            made = part.default_factory is not msgspec.NODEFAULT
            yield part.name, " = ..." if made else _default(part.default, msgspec.NODEFAULT), False
    elif "__init__" not in vars(kind):
        for name in vars(kind).get("__annotations__", {}):
            if not name.startswith("_"):
                yield name, _default(vars(kind).get(name, attrs.NOTHING), attrs.NOTHING), False


def _default(value: Any, nothing: Any) -> str:
    if value is nothing:
        return ""
    if isinstance(value, attrs.Factory):  # type: ignore[arg-type]  # a class in spite of its stub
        made = value.factory
        return f" = {made.__name__}()" if isinstance(made, type) else " = ..."
    return f" = {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, Enum):
        return _value(value.value)
    if isinstance(value, type):
        return value.__name__
    if type(value) is str:
        return json.dumps(value, ensure_ascii=False)
    return repr(value) if type(value) in SIMPLE or value in ((), {}) else "..."


def _annotation(owner: type[Any], name: str) -> str:
    """The type of a field as its source has it; that it is the class's is no news."""
    written = vars(owner)["__annotations__"][name]
    text = written if isinstance(written, str) else inspect.formatannotation(written)
    return text[9:-1] if text.startswith("ClassVar[") else text


def _methods(kind: type[Any]) -> Iterable[str]:
    """What a class must have that fits the protocol *kind*."""
    for name, member in vars(kind).items():
        if inspect.isfunction(member) and not name.startswith("_"):
            yield name + _signature(member, method=True)


def _signature(function: Any, *, method: bool = False) -> str:
    """The parameters of *function* and what it returns, with annotations as the source has them."""
    try:
        found = inspect.signature(function)
    except (TypeError, ValueError):
        return ""
    taken = list(found.parameters.values())[1 if method else 0 :]
    given = [
        p.replace(annotation=_shown(p.annotation), default=_shown_default(p.default)) for p in taken
    ]
    returned = inspect.Signature.empty if method and function.__name__ == "__init__" else None
    shown = returned or _shown(found.return_annotation)
    return str(found.replace(parameters=given, return_annotation=shown))


def _shown(annotation: Any) -> Any:
    return Text(annotation) if isinstance(annotation, str) else annotation


def _shown_default(default: Any) -> Any:
    return default if default is inspect.Parameter.empty else Text(_value(default))
