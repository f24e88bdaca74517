"""`__all__` lists every public name, and each can be imported; the linter holds its order."""

import importlib
import inspect
import types

import pytest

from support.source import PACKAGES, Module, Package, modules

HOMES = [m for p in PACKAGES for m in modules(p.source) if m.path.name == "__init__.py"]


def imported(module: Module) -> types.ModuleType:
    parts = module.path.parent.parts
    return importlib.import_module(".".join(parts[parts.index("src") + 1 :]))


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_a_package_says_what_is_public(package: Package) -> None:
    assert importlib.import_module(package.module).__all__


@pytest.mark.parametrize("home", [m for m in HOMES if "__all__ =" in m.text], ids=str)
def test_every_name_in_all_exists_once(home: Module) -> None:
    found = imported(home)
    names = list(found.__all__)
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(found, name)] == []


@pytest.mark.parametrize("home", [m for m in HOMES if "__all__ =" in m.text], ids=str)
def test_all_leaves_no_public_name_of_its_own_out(home: Module) -> None:
    found = imported(home)
    public = {
        name
        for name, value in vars(found).items()
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and getattr(value, "__module__", "").split(".")[0] == found.__name__.split(".")[0]
    }
    assert public - set(found.__all__) == set()
