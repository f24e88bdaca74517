"""The generated parts of the reference pages: what the code says about itself, as Markdown.

    python tests/support/reference.py      writes them into docs/reference

A part stands between `<!-- begin: NAME -->` and `<!-- end: NAME -->`; a test compares it with what this module renders.
"""

import inspect
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from support.checks import checks, options  # noqa: E402  # likewise
from support.explained import HOOK_ARGUMENTS, PARAMETERS  # noqa: E402  # likewise
from support.sphinx_site import CODE_PAGES  # noqa: E402  # found through the line above

PAGES = ROOT / "docs" / "reference"


def first_line(documented: Any) -> str:
    """The first sentence of a docstring, for a table's cell."""
    text = inspect.getdoc(documented) or ""
    return cell(text.splitlines()[0]) if text else ""


def cell(text: object) -> str:
    """*text* inside a table."""
    return str(text).replace("|", "\\|").replace("``", "`").replace("\n", " ")


def table(head: list[str], rows: Iterator[list[object]]) -> str:
    """A Markdown table."""
    lines: list[list[Any]] = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(item) for item in line) + " |" for line in lines)


def subclasses(kind: type[Any], depth: int = 0) -> Iterator[tuple[type[Any], int]]:
    """*kind* and what derives from it in the core, with its depth, in the order of the source."""
    yield kind, depth
    for derived in kind.__subclasses__():
        if derived.__module__ == kind.__module__:
            yield from subclasses(derived, depth + 1)


def errors() -> str:
    """Every error class: what it means, whether another try can help, a gateway's status for it."""
    from jackfield import LLMError

    def rows() -> Iterator[list[object]]:
        for kind, depth in subclasses(LLMError):
            name = "&emsp;" * depth + f"`{kind.__name__}`"
            yield [name, "yes" if kind.retryable else "", kind.http_status, first_line(kind)]

    return table(["error", "retried", "status", "means"], rows())


def providers() -> dict[str, type[Any]]:
    """The class of every provider in this repository that is no route, by its name."""
    from jackfield import plugin_manager
    from jackfield.routing import Route

    files = [ROOT / "core" / "pyproject.toml", *ROOT.glob("plugins/*/pyproject.toml")]
    groups = [tomllib.loads(f.read_text("utf-8"))["project"].get("entry-points", {}) for f in files]
    names = sorted(name for group in groups for name in group.get("jackfield.providers", {}))
    classes = {name: plugin_manager().provider_class(name) for name in names}
    return {name: cls for name, cls in classes.items() if not issubclass(cls, Route)}


def parameters() -> str:
    """Every common parameter, its type, its other names."""
    from jackfield.params import ALIASES, GenerationParams

    def rows() -> Iterator[list[object]]:
        for found in attrs.fields(GenerationParams):
            kind = _annotation(GenerationParams, found.name).removesuffix(" | None")
            also = ", ".join(f"`{alias}`" for alias, name in ALIASES.items() if name == found.name)
            yield [f"`{found.name}`", f"`{kind}`", PARAMETERS[found.name], also]

    return table(["parameter", "type", "means", "also accepted as"], rows())


def parameters_by_provider() -> str:
    """Where each provider puts each parameter on its wire, and within which limits."""
    from jackfield.params import NAMES

    classes = {name: cls for name, cls in providers().items() if cls.params}

    def rows() -> Iterator[list[object]]:
        for name in NAMES:
            yield [f"`{name}`", *(_placed(cls.params.get(name)) for cls in classes.values())]

    return table(["", *classes], rows())


def _placed(param: Any) -> str:
    if param is None:
        return ""
    limits = [
        f"≥ {param.ge:g}" if param.ge is not None else "",
        f"≤ {param.le:g}" if param.le is not None else "",
    ]
    limits += [f"at most {param.most}" if param.most is not None else ""]
    limits += [", ".join(map(str, param.values)) if param.values is not None else ""]
    limits += [f"else {param.default}" if param.default is not None else ""]
    noted = ", ".join(limit for limit in limits if limit)
    return f"`{param.wire}`" + (f" ({noted})" if noted else "")


def capabilities() -> str:
    """What each provider was proved to do."""
    from jackfield.capabilities import FEATURES, proofs

    told = {name: proofs(cls) for name, cls in providers().items()}
    words = {"pass": "yes", "fail": "**fails**"}

    def rows() -> Iterator[list[object]]:
        for feature in FEATURES:
            results = [told[name].get(feature, {}).get("result", "") for name in told]
            yield [feature.replace("_", " "), *(words.get(result, "–") for result in results)]

    return table(["", *told], rows())


def settings() -> str:
    """Every setting: those of all providers, those of all behind HTTP, then each provider's own."""
    from jackfield import Config, HTTPConfig

    parts = [
        _section("Every provider", _prose(Config), _settings(Config)),
        _section("Every provider behind HTTP", _prose(HTTPConfig), _settings(HTTPConfig, Config)),
    ]
    for name, cls in providers().items():
        info = cls.info
        shared = HTTPConfig if issubclass(cls.Config, HTTPConfig) else Config
        said = [f"{info.display_name}."]
        said += (
            [
                f"Its key comes from `api_key` or {' or '.join(f'`{n}`' for n in (info.api_key_env, *info.other_key_envs))}."
            ]
            if info.api_key_env
            else []
        )
        said += [f"[Its documentation]({info.docs_url})."] if info.docs_url else []
        own = f"\n\n{_prose(cls.Config)}" if cls.Config not in {Config, HTTPConfig} else ""
        parts.append(_section(name, " ".join(said) + own, _settings(cls.Config, shared)))
    return "\n".join(parts).rstrip()


def file() -> str:
    """Every table of the configuration file and every key in it; the prose above a table tells of each."""
    from jackfield.manager import settings

    def rows(cls: type[Any]) -> Iterator[list[object]]:
        for found in attrs.fields(cls):
            if "rest" not in found.metadata:
                bounds = found.metadata.get("check")
                limits = str(bounds) if isinstance(bounds, settings.Bounds) else ""
                kind = cell(_annotation(cls, found.name).removesuffix(" | None"))
                default = _default(found.default)
                if (cls, found.name) == (settings.ProviderSettings, "provider"):
                    default = "NAME"
                yield [f"`{found.name}`", f"`{kind}`", default, limits]

    parts = []
    for title, cls in FILE.items():
        made = table(["key", "type", "default", "must be"], rows(getattr(settings, cls)))
        parts.append(f"### {title}\n\n{_prose(getattr(settings, cls))}\n\n{made}\n")
    return "\n".join(parts).rstrip()


FILE = {
    "The top of the file": "ManagerSettings",
    "A provider": "ProviderSettings",
    "Limits": "LimitSettings",
    "A route": "RouteSettings",
    "A target of a route": "TargetSettings",
    "When a target is left alone": "BreakerSettings",
    "The cache": "CacheSettings",
    "The ledger": "LedgerSettings",
    "A budget": "BudgetSettings",
    "Health": "HealthSettings",
    "The log": "LogSettings",
    "Guardrails": "GuardrailSettings",
    "A guard": "GuardSettings",
}


def _section(title: str, said: str, rows: Iterator[list[object]]) -> str:
    listed = list(rows)
    shown = table(["setting", "type", "default"], iter(listed)) + "\n" if listed else ""
    return f"### {title}\n\n{said}\n\n{shown}"


def _settings(config: type[Any], shared: type[Any] | None = None) -> Iterator[list[object]]:
    """The rows of *config*'s fields; those that it has unchanged from *shared* are left out."""
    inherited = {f.name: f.default for f in attrs.fields(shared)} if shared is not None else {}
    for found in attrs.fields(config):
        if found.name in inherited and inherited[found.name] == found.default:
            continue
        kind = _annotation(config, found.name)
        names = ", ".join(f"`{name}`" for name in (found.name, *found.metadata.get("aliases", ())))
        yield [names, f"`{cell(kind)}`", _default(found.default)]


def _annotation(config: type[Any], name: str) -> str:
    """The type of a field as its source has it: attrs' own note of it changes once it is resolved."""
    written = (vars(base).get("__annotations__", {}).get(name) for base in config.__mro__)
    return str(next(text for text in written if text is not None))


def _default(default: Any) -> str:
    if default is attrs.NOTHING:
        return "required"
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # a class in spite of its stub
        made = default.factory() if not default.takes_self else ""
        return f"`{type(made).__name__}()`" if attrs.has(type(made)) else _default(made)
    return "" if default in (None, "", {}, ()) else f"`{cell(default)}`"


def hooks() -> str:
    """Every hook, its signature and its contract."""
    from jackfield import hookspecs

    parts = []
    for name, function in inspect.getmembers(hookspecs, inspect.isfunction):
        if hasattr(function, f"{hookspecs.NAME}_spec"):
            parts.append(f"## {name}\n\n{_hook(name, function)}\n")
    return "\n".join(parts).rstrip()


def _hook(name: str, function: Callable[..., Any]) -> str:
    """The signature of a hook, its contract, and each of its arguments."""
    signature = inspect.signature(function)
    rows: list[list[object]] = [
        [f"`{argument}`", f"`{parameter.annotation}`", HOOK_ARGUMENTS[argument]]
        for argument, parameter in signature.parameters.items()
    ]
    listed = f"\n\n{table(['argument', 'type', 'is'], iter(rows))}" if rows else ""
    head = f"{name}({', '.join(signature.parameters)}) -> {signature.return_annotation}"
    return f"```text\n{head}\n```\n\n{_prose(function)}{listed}"


def _prose(documented: Callable[..., Any]) -> str:
    """A docstring as Markdown: its literal block becomes a fenced one, its attributes a list."""
    text, _, example = (inspect.getdoc(documented) or "").partition("::\n\n")
    text, _, listed = text.replace("``", "`").partition("\nAttributes:\n")
    items = re.sub(r"\n {8}", " ", listed)
    bullets = re.sub(r"(?m)^ {4}([\w, ]+): ", lambda found: f"- *{found[1]}*: ", items)
    text = f"{text}\n{bullets}" if bullets else text
    return f"{text}:\n\n```text\n{inspect.cleandoc(example)}\n```" if example else text


def commands() -> str:
    """What every command says about itself."""
    from click.testing import CliRunner

    from jackfield.cli.app import app as program

    parts = []
    every: list[list[str]] = [[]]
    for name, command in sorted(program.commands.items()):
        every += [[name], *([name, inner] for inner in sorted(getattr(command, "commands", ())))]
    for names in every:
        shown = CliRunner(env={"COLUMNS": "88", "NO_COLOR": "1"}).invoke(
            program, [*names, "--help"], prog_name="jackfield", terminal_width=88
        )
        title = " ".join(["jackfield", *names])
        parts.append(f"## {title}\n\n```text\n{shown.output.strip()}\n```\n")
    return "\n".join(parts).rstrip()


def coverage() -> str:
    """How many recorded cases of each service are replayed, and why the others are not."""
    from wire.report import render

    return render()


def code(page: str) -> str:
    """The public names of a page of the reference of the code; the site has their descriptions in its place."""
    from support.code_pages import shape, told
    from support.sphinx_site import described

    parts = []
    for module, names in described(page):
        rows: list[list[object]] = [
            [f"`{name}`", cell(told(module, name)), cell(shape(module, name))] for name in names
        ]
        head = ["name", "is", "fields, parameters, value"]
        parts.append(f"## {module}\n\n{table(head, iter(rows))}\n")
    return "\n".join(parts).rstrip()


PARTS: dict[str, tuple[str, Callable[[], str]]] = {
    "errors": ("errors.md", errors),
    "parameters": ("parameters.md", parameters),
    "parameters by provider": ("parameters.md", parameters_by_provider),
    "capabilities": ("capabilities.md", capabilities),
    "file": ("configuration.md", file),
    "settings": ("configuration.md", settings),
    "hooks": ("hooks.md", hooks),
    "commands": ("cli.md", commands),
    "coverage": ("coverage.md", coverage),
    "checks": ("conformance.md", checks),
    "options": ("conformance.md", options),
    **{f"code {page}": (f"code/{page}.md", partial(code, page)) for page in CODE_PAGES},
}


def about_these_recordings() -> bool:
    """Whether the page of the recordings is about the ones at hand: there may be others, or none."""
    from wire.report import digest

    return digest() in current("coverage")


def marked(name: str) -> re.Pattern[str]:
    """What finds the part *name* in a page."""
    return re.compile(rf"(<!-- begin: {name} -->\n)(.*?)(<!-- end: {name} -->)", re.DOTALL)


def current(name: str) -> str:
    """The part *name* as its page has it now."""
    found = marked(name).search((PAGES / PARTS[name][0]).read_text("utf-8"))
    return found[2].strip() if found else ""


def write(name: str) -> None:
    """Put the part *name* into its page anew."""
    path = PAGES / PARTS[name][0]
    text = f"\n{PARTS[name][1]()}\n\n"
    path.write_text(
        marked(name).sub(lambda found: found[1] + text + found[3], path.read_text("utf-8")), "utf-8"
    )


if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        write(part)
