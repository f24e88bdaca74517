"""Files, functions and packages stay as small as the design says."""

import pytest

from support.source import CORE, PLUGINS, SOURCES, Module, Package, modules

# Lines of whole packages, docstrings included: a vendor that speaks a dialect which is there
# already, and a dialect of its own. What is neither has its budget in the table below.
COMPATIBLE, FOREIGN = 80, 450
BUDGETS = {
    # An in-process backend: the provider itself; engines, files and the demo model are beside it.
    "jackfield-llamacpp": ("provider.py", 200),
    # Both sides of a dialect, and the generic provider on it.
    "jackfield-dialect-openai": ("", 1200),
}


def size(package: Package, inside: str = "") -> int:
    return (
        sum(module.lines for module in modules(package.source / inside))
        if not inside.endswith(".py")
        else Module(package.source / inside).lines
    )


@pytest.mark.parametrize("module", SOURCES, ids=str)
def test_no_file_is_longer_than_400_lines(module: Module) -> None:
    assert module.lines <= 400


@pytest.mark.parametrize("module", SOURCES, ids=str)
def test_no_function_is_longer_than_40_lines(module: Module) -> None:
    assert {name: lines for name, lines in module.functions() if lines > 40} == {}


def test_the_core_without_its_testing_kit_is_at_most_3000_lines() -> None:
    kit = CORE.source / "testing"
    assert sum(m.lines for m in modules(CORE.source) if not m.path.is_relative_to(kit)) <= 3000


@pytest.mark.parametrize("plugin", PLUGINS, ids=str)
def test_a_plugin_is_as_small_as_its_kind_allows(plugin: Package) -> None:
    if plugin.name in BUDGETS:
        inside, budget = BUDGETS[plugin.name]
    else:
        compatible = any("jackfield-dialect-" in requirement for requirement in plugin.dependencies)
        inside, budget = "", COMPATIBLE if compatible else FOREIGN
    assert size(plugin, inside) <= budget
