"""Who may import what: one module knows the HTTP library, plugins stand alone, importing does nothing."""

import json
import re
import subprocess
import sys

import pytest

from jackfield.testing.conformance.importing import WATCHER
from support.source import CORE, PACKAGES, PLUGINS, SOURCES, Module, Package, modules

HTTP = {
    "aiohttp",
    "h11",
    "h2",
    "http.client",
    "httpcore",
    "httpcore2",
    "httpx",
    "httpx2",
    "requests",
    "urllib3",
}
# Who else speaks HTTP, and why that is no call to a provider.
ASIDE = {
    "plugins/llamacpp/src/jackfield_llamacpp/engine_xllamacpp.py": "reads from the engine's own server inside this process",
}
# Import names that differ from their distribution's name.
IMPORTED_AS = {
    "attrs": {"attrs", "attr"},
    "llama-cpp-python": {"llama_cpp"},
    "opentelemetry-api": {"opentelemetry"},
    "pyyaml": {"yaml"},
}
# What every plugin may lean on, because the core does.
SHARED = {"attrs", "attr", "msgspec"}
VENDOR_SDKS = {"anthropic", "cohere", "google", "huggingface_hub", "ollama", "openai", "together"}
# The parts of the core that need more than it does, and what they may import beside it.
CORE_EXTRAS = {"cli": "cli", "testing": "test", "manager": "openai-compatible"}


def top(name: str) -> str:
    return name.partition(".")[0]


def distribution_imports(requirements: list[str]) -> set[str]:
    """The import names of *requirements*."""
    names = [re.split(r"[\[<>=!~; ]", requirement)[0].lower() for requirement in requirements]
    return {module for name in names for module in IMPORTED_AS.get(name, {name.replace("-", "_")})}


def foreign(module: Module) -> set[str]:
    """The top-level packages that *module* imports from outside the standard library."""
    return {top(name) for name in module.imports()} - sys.stdlib_module_names - {"__future__"}


def test_exactly_one_module_imports_the_http_library() -> None:
    users = {str(m) for m in SOURCES if {n for n in m.imports() if n in HTTP or top(n) in HTTP}}
    assert users - ASIDE.keys() == {"core/src/jackfield/transport.py"}


@pytest.mark.parametrize("package", PLUGINS, ids=str)
def test_a_plugin_imports_the_core_dialects_and_what_it_declares(package: Package) -> None:
    declared = distribution_imports(package.requirements)
    allowed = SHARED | declared | {"jackfield", package.module}
    dialects = {name for name in declared - {package.module} if name.startswith("jackfield_")}
    assert all(name.startswith("jackfield_dialect_") for name in dialects), dialects
    assert {str(m): extra for m in modules(package.source) if (extra := foreign(m) - allowed)} == {}


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_no_package_depends_on_a_vendors_sdk(package: Package) -> None:
    everything = distribution_imports(package.requirements)
    assert everything & VENDOR_SDKS == set()


@pytest.mark.parametrize("module", modules(CORE.source), ids=str)
def test_the_core_imports_what_it_declares_and_no_plugin(module: Module) -> None:
    part = module.path.relative_to(CORE.source).parts[0].removesuffix(".py")
    extra = CORE.extras[CORE_EXTRAS[part]] if part in CORE_EXTRAS else []
    # httpx2 brings httpcore2 and is built for it; both are the one HTTP library.
    allowed = distribution_imports([*CORE.dependencies, *extra]) | {
        "jackfield",
        "httpcore2",
        "attr",
    }
    assert foreign(module) - allowed == set()


# What stands around the kernel, and may use it; `__init__` hands out names of it when asked, `__main__` starts it.
AROUND = {"routing", "manager", "middleware", "simulate", "cli", "testing"}
KERNEL = [
    m
    for m in modules(CORE.source)
    if not AROUND & set(m.path.relative_to(CORE.source).parts)
    and m.path.name not in ("__init__.py", "__main__.py")
]


@pytest.mark.parametrize("module", KERNEL, ids=str)
def test_the_kernel_imports_nothing_of_what_stands_around_it(module: Module) -> None:
    found = {top(name) for name in module.relative_imports()}
    assert found & AROUND == set()


WATCH = f"""{WATCHER}
sys.addaudithook(hook)
import MODULE
import json
print(json.dumps({{"seen": seen, "modules": sorted(sys.modules)}}))
"""


def watched_import(module: str) -> dict[str, list[str]]:
    """Import *module* in a fresh interpreter; tell what it did and what it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", WATCH.replace("MODULE", module)],
        capture_output=True,
        check=True,
        text=True,
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_importing_a_package_opens_no_socket_and_writes_no_file(package: Package) -> None:
    assert watched_import(package.module)["seen"] == []


def test_importing_the_core_loads_neither_the_http_library_nor_the_command_line_nor_a_plugin() -> (
    None
):
    loaded = {top(name) for name in watched_import("jackfield")["modules"]}
    unwanted = HTTP | {"asyncio", "click", "hypothesis", "pytest", "rich", "trio"}
    assert loaded & (unwanted | {plugin.module for plugin in PLUGINS}) == set()
