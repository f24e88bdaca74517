"""Each package's manifest says of its plugins what their code asks for, no more and no less."""

import importlib
import re
from typing import Any

import attrs
import pytest

from jackfield import HTTPProvider
from jackfield.manifests import FILE, Manifest
from jackfield.manifests.guard import address, matches
from jackfield.manifests.manifest import KINDS, manifests
from jackfield.plugins import CONTRACT
from support.source import PACKAGES, PLUGINS, Package, modules


def told(package: Package) -> dict[str, Manifest]:
    return dict(manifests(package.module, package.name))


def plugins(package: Package) -> dict[str, str]:
    """What the entry points of *package* lead to, as ``providers/NAME`` and so on."""
    groups = package.pyproject["project"].get("entry-points", {})
    return {f"{kind}/{n}": to for kind in KINDS for n, to in groups.get(f"jackfield.{kind}", {}).items()}  # fmt: skip


def providers(package: Package) -> list[tuple[str, Any]]:
    """The provider classes of *package*, by the keys of their manifests."""
    found = []
    for key, target in plugins(package).items():
        module, _, name = target.partition(":")
        if key.startswith("providers/"):
            found.append((key, getattr(importlib.import_module(module), name)))
    return found


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_a_package_has_a_manifest_of_just_its_plugins(package: Package) -> None:
    assert (package.source / FILE).is_file()
    assert told(package).keys() == plugins(package).keys()
    assert {m.contract for m in told(package).values()} == {CONTRACT}


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_a_providers_secret_and_contract_are_those_of_its_manifest(package: Package) -> None:
    for key, cls in providers(package):
        named = (cls.info.api_key_env, *cls.info.other_key_envs) if cls.info.api_key_env else ()
        assert told(package)[key].secrets == named
        assert told(package)[key].contract == cls.info.contract


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_a_providers_default_addresses_are_among_its_hosts(package: Package) -> None:
    for key, cls in providers(package):
        if not issubclass(cls, HTTPProvider):
            continue
        for field in attrs.fields(cls.Config):
            default = field.default
            if isinstance(default, attrs.Factory) and not default.takes_self:  # type: ignore[arg-type]  # attrs types it as a function
                default = default.factory()
            if isinstance(default, str) and "://" in default:
                wanted = address("/".join(default.split("/")[:3]))
                assert wanted is not None
                scheme = default.partition(":")[0]
                assert matches(wanted, scheme, told(package)[key].hosts), (key, default)


@pytest.mark.parametrize("package", PLUGINS, ids=str)
def test_no_host_is_named_that_the_code_does_not_know(package: Package) -> None:
    source = "\n".join(module.text for module in modules(package.source))
    for key, said in told(package).items():
        for host in said.hosts:
            name = re.escape(host.removeprefix("*.").partition(":")[0])
            assert re.search(rf"\b{name}", source), (key, host)
