"""Each plugin folder has the one shape, so that adding a package is adding a folder."""

import tomllib

import pytest

from support.source import CORE, PLUGINS, ROOT, Package

FILES = ["CHANGELOG.md", "README.md", "pyproject.toml"]


@pytest.mark.parametrize("plugin", PLUGINS, ids=str)
def test_a_plugin_folder_has_the_shape(plugin: Package) -> None:
    assert [name for name in FILES if not (plugin.folder / name).is_file()] == []
    assert plugin.name == f"jackfield-{plugin.folder.name}"
    assert (plugin.source / "__init__.py").is_file()
    assert (plugin.source / "py.typed").is_file()
    assert sorted((plugin.folder / "tests").glob("test_*.py"))
    assert sorted(
        p.name for p in (plugin.folder / "src").iterdir() if not p.name.startswith((".", "__"))
    ) == [plugin.module]


@pytest.mark.parametrize("plugin", PLUGINS, ids=str)
def test_a_plugin_says_what_the_others_say(plugin: Package) -> None:
    project, core = plugin.pyproject["project"], CORE.pyproject["project"]
    same = ("version", "license", "requires-python", "readme")
    assert {key: project.get(key) for key in same} == {key: core[key] for key in same}
    assert plugin.pyproject["build-system"]["build-backend"] == "hatchling.build"
    assert any(requirement.startswith("jackfield>=") for requirement in plugin.dependencies)
    assert project.get("description", "").endswith(".")


@pytest.mark.parametrize("plugin", PLUGINS, ids=str)
def test_a_plugin_registers_through_an_entry_point(plugin: Package) -> None:
    groups = plugin.pyproject["project"].get("entry-points", {})
    kinds = ("jackfield.providers", "jackfield.plugins", "jackfield.executors")
    targets = [target for kind in kinds for target in groups.get(kind, {}).values()]
    assert targets
    assert all(target.startswith(plugin.module) for target in targets)


@pytest.mark.parametrize("plugin", PLUGINS, ids=str)
def test_the_core_has_an_extra_for_every_plugin(plugin: Package) -> None:
    named = [[name.partition("[")[0] for name in extra] for extra in CORE.extras.values()]
    assert [plugin.name] in named, f"add an extra with {plugin.name} to core/pyproject.toml"


def test_the_workspace_names_every_package_as_its_own_source() -> None:
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["uv"]
    assert set(workspace["sources"]) == {package.name for package in [CORE, *PLUGINS]}


@pytest.mark.parametrize("package", [CORE, *PLUGINS], ids=str)
def test_a_packages_licence_travels_with_it(package: Package) -> None:
    assert (package.folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
