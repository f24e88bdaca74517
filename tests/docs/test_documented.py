"""Nothing that a reader can use is undocumented: hooks, errors, settings, options, parameters; each is told, and what it means.

The tables of the reference are made from the code (`test_reference`), so a thing cannot be missing there. That its
meaning is told cannot be generated, and is held here.
"""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import attrs
import click
import pytest

from jackfield import LLMError, hookspec, hookspecs
from jackfield.manager import settings
from jackfield.manager.schema import json_schema
from jackfield.params import NAMES
from support.code_pages import below, shape, told
from support.explained import CONSTANTS, HOOK_ARGUMENTS, PARAMETERS
from support.reference import FILE, PAGES, providers, subclasses
from support.sphinx_site import CODE_PAGES, described

SETTINGS = {n: cls for n, cls in vars(settings).items() if n.endswith("Settings")}


def prose(cls: type[Any]) -> str:
    """The docstrings of *cls* and of what it derives from."""
    return "\n".join(inspect.getdoc(base) or "" for base in cls.__mro__ if base is not object)


def unexplained_settings(cls: type[Any]) -> list[str]:
    """The fields of *cls* that its prose does not name, as `*field*` or in its list of attributes."""
    text = prose(cls)
    listed = {
        name.strip() for names in re.findall(r"(?m)^\s+([\w, ]+): ", text) for name in names.split(",")
    }  # fmt: skip
    named = listed | set(re.findall(r"\*(\w+)\*", text)) | set(re.findall(r"`(\w+)`", text))
    fields = [f.name for f in attrs.fields(cls) if "rest" not in f.metadata]
    return [name for name in fields if name not in named]


def hooks(module: Any) -> dict[str, Any]:
    return {
        name: function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if hasattr(function, f"{hookspecs.NAME}_spec")
    }


def unexplained_hooks(module: Any, page: str) -> Iterator[str]:
    """Hooks without a contract or a section in *page*, and arguments that nothing explains."""
    for name, function in hooks(module).items():
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        if not inspect.getdoc(function) or not section:
            yield name
        for argument in inspect.signature(function).parameters:
            if not HOOK_ARGUMENTS.get(argument) or f"| `{argument}` |" not in section:
                yield f"{name}({argument})"


def unexplained_errors(root: type[Any], page: str) -> list[str]:
    """Error classes without a docstring of their own or without a row in *page*."""
    kinds = [kind for kind, _ in subclasses(root)]
    return [
        k.__name__ for k in kinds if not vars(k).get("__doc__") or f"`{k.__name__}` |" not in page
    ]


def unexplained_options(
    command: click.Command, page: str, name: str = "jackfield"
) -> Iterator[str]:
    """Commands and options without a word of help, or that *page* does not show."""
    section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    if not command.help or not section:
        yield name
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            longest = max(parameter.opts, key=len)
            if not parameter.help or longest not in section:
                yield f"{name} {longest}"
    if isinstance(command, click.Group):
        for inner, found in command.commands.items():
            yield from unexplained_options(found, page, f"{name} {inner}")


def undescribed_options(schema: Any, path: str = "") -> Iterator[str]:
    """Where *schema* has properties without a description; a reference leads to one, and names of providers are none."""
    if isinstance(schema, list):
        for inner in schema:
            yield from undescribed_options(inner, path)
    elif isinstance(schema, dict):
        properties = schema.get("properties")
        for name, option in (properties if isinstance(properties, dict) else {}).items():
            structural = path.endswith("/properties/providers") or name == "$schema"
            if not structural and not {"description", "$ref"} & option.keys():
                yield f"{path}/{name}"
        for key, inner in schema.items():
            yield from undescribed_options(inner, f"{path}/{key}")


def page(name: str) -> str:
    return (PAGES / name).read_text("utf-8")


@pytest.mark.parametrize("name", providers())
def test_every_setting_of_a_provider_is_explained(name: str) -> None:
    assert unexplained_settings(providers()[name].Config) == []


@pytest.mark.parametrize("name", SETTINGS)
def test_every_table_of_the_file_is_in_the_reference_and_each_key_explained(name: str) -> None:
    assert name in FILE.values(), "put it into FILE of tests/support/reference.py"
    assert unexplained_settings(SETTINGS[name]) == []


def test_every_option_of_the_json_schema_says_what_it_is() -> None:
    assert list(undescribed_options(json_schema())) == []


def test_every_hook_and_each_of_its_arguments_is_explained() -> None:
    assert list(unexplained_hooks(hookspecs, page("hooks.md"))) == []


def test_every_error_is_explained() -> None:
    assert unexplained_errors(LLMError, page("errors.md")) == []


def test_every_command_and_each_of_its_options_is_explained() -> None:
    from jackfield.cli.app import app

    assert list(unexplained_options(app, page("cli.md"))) == []


def test_every_common_parameter_is_explained_and_each_provider_has_a_column() -> None:
    assert PARAMETERS.keys() == set(NAMES)
    text = page("parameters.md")
    assert [n for n in NAMES if f"| `{n}` |" not in text] == []
    head = next(line for line in text.splitlines() if line.startswith("|  | azure"))
    columns = {cell.strip() for cell in head.split("|")}
    assert {name for name, cls in providers().items() if cls.params} - columns == set()


def test_every_parameter_of_a_provider_has_its_place_in_the_table() -> None:
    """A row that is no common parameter would be normalized and told nowhere."""
    assert {n for cls in providers().values() for n in cls.params} - set(NAMES) == set()


def test_every_public_name_of_the_code_says_what_it_is() -> None:
    names = [(m, n) for page in CODE_PAGES for m, found in described(page) for n in found]
    assert [f"{m}.{n}" for m, n in names if not told(m, n)] == []
    generic = ("Built-in", "A Mapping is", "A generic version")
    assert [f"{m}.{n}" for m, n in names if told(m, n).startswith(generic)] == []


def test_what_the_source_says_about_a_constant_is_not_said_again() -> None:
    names = [f"{m}.{n}" for page in CODE_PAGES for m, found in described(page) for n in found]
    assert CONSTANTS.keys() <= set(names)
    assert [name for name in CONSTANTS if below(*name.rsplit(".", 1))] == []


@pytest.mark.parametrize(
    ("module", "name", "shown"),
    [
        ("jackfield.operations", "RankedDocument", '`(*, index: int, score: float, document: str = "")`'),
        ("jackfield.operations", "DetokenizeRequest", "`(*, ids: tuple[int, ...])` and the fields of `Request`"),
        ("jackfield.operations", "UnloadRequest", "the fields of `Request`"),
        ("jackfield.exchange", "segment", "`(name: str) -> str`"),
        ("jackfield.framing", "Frame", "`tuple[bytes, bytes]`"),
        ("jackfield", "Role", "`system`, `user`, `assistant`, `tool`"),
        ("jackfield", "NotFoundError", ""),
    ],
)  # fmt: skip
def test_the_fields_of_a_class_and_the_parameters_of_a_function_are_shown(
    module: str, name: str, shown: str
) -> None:
    assert shape(module, name) == shown


# The checks above, shown what is not documented.


def test_a_setting_that_nothing_explains_is_noticed() -> None:
    @attrs.frozen
    class Sparse:
        """*told* is told.

        Attributes:
            listed, also: these, too.
        """

        told: int = 1
        listed: int = 1
        also: int = 1
        secret_switch: bool = False

    assert unexplained_settings(Sparse) == ["secret_switch"]


def test_a_hook_or_argument_that_nothing_explains_is_noticed() -> None:
    class Module:
        @staticmethod
        @hookspec
        def wrap_all(provider: str, mood: str) -> None:
            """Do something."""

    told = "\n## wrap_all\n\n| `provider` | `str` | who |\n"
    assert list(unexplained_hooks(Module, told)) == ["wrap_all(mood)"]
    assert "wrap_all" in set(unexplained_hooks(Module, "# Hooks\n"))


def test_an_error_that_nothing_explains_is_noticed() -> None:
    class KnownError(Exception):
        """Told."""

    class SilentError(KnownError):
        pass

    assert unexplained_errors(KnownError, "| `KnownError` | ... |\n| `SilentError` |") == [
        SilentError.__name__
    ]
    assert unexplained_errors(KnownError, "| `SilentError` |") == [
        KnownError.__name__,
        SilentError.__name__,
    ]


def test_an_option_or_command_that_nothing_explains_is_noticed() -> None:
    @click.group()
    def tool() -> None:
        """Do things."""

    @tool.command()
    @click.option("--loud", help="Shout.")
    @click.option("--quiet")
    def go(loud: str, quiet: str) -> None:
        """Go."""

    told = "\n## tool\n\nDo things.\n\n## tool go\n\n  --loud  Shout.\n  --quiet\n"
    assert list(unexplained_options(tool, told, "tool")) == ["tool go --quiet"]
    assert "tool go" in set(unexplained_options(tool, "\n## tool\nDo things.", "tool"))


def test_an_option_of_a_schema_without_a_description_is_noticed() -> None:
    told = {"a": {"description": "First."}, "b": {"type": "object", "properties": {"c": {}}}}
    assert list(undescribed_options({"properties": told})) == ["/b", "/properties/b/c"]
