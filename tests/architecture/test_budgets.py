"""Files, functions and packages stay as small as the design says."""

from collections.abc import Set as AbstractSet

import pytest

from support.source import CORE, PLUGINS, SOURCES, Module, Package, modules

# Lines, docstrings included. A vendor that speaks a dialect which is there already is small; a dialect of its own is small in the modules that write and read its chats; a backend in
# this process is small in its provider, with engines and model files beside it.
COMPATIBLE, FOREIGN, LOCAL = 80, 850, 200
# What stands beside a dialect's chats: who the provider is, its settings, model lists, embeddings.
BESIDE = {
    "__init__.py",
    "catalogue.py",
    "config.py",
    "facts.py",
    "models.py",
    "provider.py",
    "schema.py",
    "verbs.py",
}
# The one dialect that everybody shares may be larger, so that nobody else is. Its second API is as
# large as a dialect of its own may be.
SHARED = {"jackfield-dialect-openai": 1250}
RESPONSES = "responses"
# Further operations have a small file each. So has each thing of a dialect's other side (what a
# server of it reads and writes) and of the client objects made of it: no provider passes through them.
OPERATION, APART, ASIDE = 200, "operations", {"server", "compat"}


def size(package: Package, without: AbstractSet[str] = frozenset()) -> int:
    """Lines of the modules that are not named, nor in a folder that is."""
    return sum(m.lines for m in modules(package.source) if not without & set(m.path.parts[-2:]))


@pytest.mark.parametrize("module", SOURCES, ids=str)
def test_no_file_is_longer_than_400_lines(module: Module) -> None:
    assert module.lines <= 400


@pytest.mark.parametrize("module", SOURCES, ids=str)
def test_no_function_is_longer_than_40_lines(module: Module) -> None:
    assert {name: lines for name, lines in module.functions() if lines > 40} == {}


# Why these numbers: docs/why/budgets.md.
KERNEL, VOCABULARY, COMMAND_LINE, MANAGER = 6100, 1200, 3950, 13900
MANIFESTS = 700


OPERATIONS = ("operations", "verbs.py", "capabilities.py")
# The testing kit, and the two drivers that only it and simulations use.
TESTING = ("testing", "drivers/replay.py", "drivers/virtual.py")
# Many providers as one: imported by who uses it, and by nothing of the kernel.
MANY = ("routing", "manager", "middleware", "simulate")
# What installed plugins may do: imported when one is looked for, or sends its first request.
SAFETY = "manifests"


def test_the_core_without_its_testing_kit_and_command_line_stays_within_its_budget() -> None:
    apart = [CORE.source / name for name in (*TESTING, *MANY, SAFETY, "cli", *OPERATIONS)]
    kernel = [m for m in modules(CORE.source) if not any(map(m.path.is_relative_to, apart))]
    assert sum(m.lines for m in kernel) <= KERNEL


def test_the_operations_requests_results_and_verbs_stay_within_their_budget() -> None:
    homes = [CORE.source / name for name in OPERATIONS]
    found = [m for m in modules(CORE.source) if any(map(m.path.is_relative_to, homes))]
    assert 0 < sum(m.lines for m in found) <= VOCABULARY


def test_what_makes_many_providers_one_stays_within_its_budget() -> None:
    homes = [CORE.source / name for name in MANY]
    found = [m for m in modules(CORE.source) if any(map(m.path.is_relative_to, homes))]
    assert 0 < sum(m.lines for m in found) <= MANAGER


def test_what_guards_against_plugins_stays_within_its_budget() -> None:
    assert 0 < sum(m.lines for m in modules(CORE.source / SAFETY)) <= MANIFESTS


def test_the_command_line_stays_within_its_budget() -> None:
    found = [m for m in modules(CORE.source) if m.path.is_relative_to(CORE.source / "cli")]
    assert sum(m.lines for m in found) <= COMMAND_LINE


@pytest.mark.parametrize("plugin", PLUGINS, ids=str)
def test_a_plugin_is_as_small_as_its_kind_allows(plugin: Package) -> None:
    names = {module.path.name for module in modules(plugin.source)}
    if plugin.name in SHARED:
        assert size(plugin, without={APART, RESPONSES, "testing.py", *ASIDE}) <= SHARED[plugin.name]
        second = [m for m in modules(plugin.source) if m.path.parent.name == RESPONSES]
        assert sum(m.lines for m in second) <= FOREIGN
    elif any(name.startswith("engine") for name in names):
        assert Module(plugin.source / "provider.py").lines <= LOCAL
    elif "wire.py" in names:
        assert size(plugin, without=BESIDE | {APART}) <= FOREIGN
    else:
        # The vendor itself; beside it settings, and a small file for each thing of its own.
        own = "provider.py" if "provider.py" in names else "__init__.py"
        assert Module(plugin.source / own).lines <= COMPATIBLE
        assert all(m.lines <= OPERATION for m in modules(plugin.source))


@pytest.mark.parametrize(
    "module",
    [m for p in PLUGINS for m in modules(p.source) if {APART, *ASIDE} & set(m.path.parts)],
    ids=str,
)
def test_an_operation_and_what_stands_aside_has_a_small_file(module: Module) -> None:
    assert module.lines <= OPERATION
