"""`__all__` lists every public name, and each can be imported; the linter holds its order."""

import importlib
import inspect
import types

import pytest

from support.source import PACKAGES, Module, modules

PACKAGE_FILES = [m for p in PACKAGES for m in modules(p.source) if m.path.name == "__init__.py"]


def imported(module: Module) -> types.ModuleType:
    parts = module.path.parent.parts
    return importlib.import_module(".".join(parts[parts.index("src") + 1 :]))


@pytest.mark.parametrize("package", [m for m in PACKAGE_FILES if m.text.count("import ")], ids=str)
def test_every_name_in_all_exists_once(package: Module) -> None:
    found = imported(package)
    names = list(found.__all__)
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(found, name)] == []


@pytest.mark.parametrize("package", [m for m in PACKAGE_FILES if m.text.count("import ")], ids=str)
def test_all_leaves_no_public_name_out(package: Module) -> None:
    found = imported(package)
    public = {
        name
        for name, value in vars(found).items()
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and getattr(value, "__module__", "").startswith("jackfield")
    }
    assert public - set(found.__all__) == set()
