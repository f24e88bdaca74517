"""What the documentation's site has beyond the pages: navigation, the reference of the code, and links to names of it.

`docs/conf.py` connects it to Sphinx. The pages themselves hold nothing that only Sphinx understands.
"""

import importlib
import inspect
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CODE = "docs/reference/code/"

# The pages of the reference of the code, and whose modules each has: a module belongs to the first that matches.
CODE_PAGES = {
    "jackfield": ("jackfield",),
    "manager": ("jackfield.manager*",),
    "routing": ("jackfield.routing*",),
    "middleware": ("jackfield.middleware*",),
    "simulate": ("jackfield.simulate*",),
    "operations": ("jackfield.operations*",),
    "testing": ("jackfield.testing*", "jackfield.drivers*"),
    "authors": ("jackfield.*",),
    "dialect-openai": ("jackfield_dialect_openai*",),
}

LINK = re.compile(r"\]\(([^)#:\s]+\.md)(?:#[^)]*)?\)")
GENERATED = re.compile(r"<!-- begin: code .*?<!-- end: code [\w-]+ -->", re.DOTALL)


def navigation(text: str) -> str:
    """The lists of links of an index page as tables of contents, a caption for each heading above one."""
    parts = []
    for section in re.split(r"(?m)^(?=#{1,2} )", text):
        heading, _, body = section.partition("\n")
        pages = dict.fromkeys(
            link.removesuffix(".md") for link in LINK.findall(body) if ".." not in link
        )
        if pages:
            caption = f":caption: {heading.lstrip('# ')}\n" if heading.startswith("## ") else ""
            parts.append("\n".join(["```{toctree}", f"{caption}:hidden:", "", *pages, "```"]))
    return "\n\n".join(parts)


def baseline() -> dict[str, set[str]]:
    """The public names of each module, by the stubs of the last release."""
    from support.public_api import names_in

    folder = ROOT / "api"
    found = sorted(folder.rglob("*.pyi"))
    return names_in({p.relative_to(folder).as_posix(): p.read_text("utf-8") for p in found})


@cache
def public() -> dict[str, tuple[str, ...]]:
    """The public names of each module that there are today: those that it lists, and those of the last release."""
    names = {}
    for module, known in baseline().items():
        if page_of(module) is not None:
            loaded = importlib.import_module(module)
            listed = sorted({*known, *getattr(loaded, "__all__", ())})
            names[module] = tuple(name for name in listed if hasattr(loaded, name))
    return names


def page_of(module: str) -> str | None:
    """The page of the reference that *module* belongs to; None for a plugin that has only its provider."""
    for page, patterns in CODE_PAGES.items():
        if any(fnmatchcase(module, pattern) for pattern in patterns):
            return page
    return None


@cache
def homes() -> dict[int, tuple[str, str]]:
    """Where each public thing is described, by its identity: in the shortest of the modules that have it."""
    found: dict[int, tuple[str, str]] = {}
    for module, names in sorted(public().items(), key=lambda item: (item[0].count("."), item[0])):
        for name in names:
            found.setdefault(id(value_of(module, name)), (module, name))
    return found


def described(page: str) -> Iterator[tuple[str, list[str]]]:
    """The modules of the page *page*, each with the names that are described there."""
    at_home = set(homes().values())
    for module, names in sorted(public().items()):
        here = [name for name in names if (module, name) in at_home]
        if here and page_of(module) == page:
            yield module, here


def value_of(module: str, name: str) -> Any:
    """The thing itself."""
    return getattr(importlib.import_module(module), name)


def kind_of(module: str, name: str) -> str:
    """The directive that describes the thing; of a constant its name is told, for it has no docstring."""
    thing = value_of(module, name)
    if isinstance(thing, type):
        return "autoexception" if issubclass(thing, BaseException) else "autoclass"
    return "autofunction" if is_function(thing) else "py:data"


def is_function(thing: Any) -> bool:
    """Whether it is a function, remembering ones included; an alias of a generic type can be called, and is none."""
    return inspect.isroutine(thing) or hasattr(thing, "cache_info")


def code(page: str) -> str:
    """The descriptions of a page of the reference, for autodoc."""
    parts = []
    for module, names in described(page):
        lines = [f".. py:module:: {module}", "   :no-index-entry:", ""]
        for name in names:
            thing = value_of(module, name)
            derives = isinstance(thing, type) and thing.__bases__ != (object,)
            lines += [f".. {kind_of(module, name)}:: {name}"]
            lines += ["   :show-inheritance:", ""] if derives else [""]
        parts.append(f"## {module}\n\n```{{eval-rst}}\n" + "\n".join(lines) + "\n```\n")
    return "\n".join(parts)


def on_source_read(_app: Any, docname: str, source: list[str]) -> None:
    """Give an index page its tables of contents, and a page of the code its descriptions.

    A page beside the documentation (a README, a changelog) is led to by links alone.
    """
    if not docname.startswith("docs/"):
        source[0] = f"---\norphan: true\n---\n{source[0]}"
    if docname.startswith("docs/") and docname.endswith("index"):
        source[0] += f"\n\n{navigation(source[0])}\n"
    if docname.startswith(CODE) and not docname.endswith("index"):
        made = code(docname.removeprefix(CODE))
        source[0] = GENERATED.sub(lambda _: made, source[0])


@cache
def by_last_name() -> dict[str, str]:
    """The full name of each public thing, by its own name, where there is one of it only."""
    found: dict[str, list[str]] = {}
    for module, name in homes().values():
        found.setdefault(name, []).append(f"{module}.{name}")
    return {name: full[0] for name, full in found.items() if len(full) == 1}


def on_missing_reference(app: Any, env: Any, node: Any, shown: Any) -> Any:
    """Lead a name in a signature or a docstring to its description; what is not public stays text."""
    if node.get("refdomain") != "py":
        return None
    domain = env.get_domain("py")
    full = by_last_name().get(str(node["reftarget"]).rpartition(".")[2])
    found = domain.objects.get(full) if full else None
    if found is None:
        return shown
    from sphinx.util.nodes import make_refnode

    return make_refnode(app.builder, node["refdoc"], found.docname, found.node_id, [shown], full)


def on_signature(*given: Any) -> tuple[str, str] | None:
    """Write `...` for a default that attrs makes anew for each object, as Python's stubs do."""
    signature, returns = given[-2:]
    return (signature.replace("= NOTHING", "= ..."), returns) if signature else None


def connect(app: Any) -> None:
    """Connect this to Sphinx."""
    app.connect("autodoc-process-signature", on_signature)
    app.connect("source-read", on_source_read)
    app.connect("missing-reference", on_missing_reference)
