"""Plugins are found by name, imported when asked for, and a broken one hurts only itself."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from core_toy import KEY, Toy, parse

from jackfield import (
    ChatRequest,
    LLMProvider,
    PluginError,
    ProviderInfo,
    UnknownProviderError,
    available_providers,
    create_provider,
    hookimpl,
)
from jackfield.exchange import Exchange
from jackfield.plugins import ALIASES, CONTRACT, PluginManager, canonical, plugin_manager

Install = Callable[..., None]

GOOD = """
from jackfield import LLMProvider, ProviderInfo

class Provider(LLMProvider):
    info = ProviderInfo(name="{name}", display_name="{name}", api_key_required=False)
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a real little distribution: a module, its metadata, its entry points."""
    monkeypatch.syspath_prepend(tmp_path)
    modules: list[str] = []

    def put(
        name: str, source: str = GOOD, *, group: str = "providers", target: str = "Provider"
    ) -> None:
        module = f"plugin_{name.replace('-', '_')}"
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(source).replace("{name}", name))
        info = tmp_path / f"jackfield_{module}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: jackfield-{name}\nVersion: 1.5\n"
        )
        value = f"{module}:{target}" if target else module
        (info / "entry_points.txt").write_text(f"[jackfield.{group}]\n{name} = {value}\n")
        modules.append(module)

    yield put
    for module in modules:
        sys.modules.pop(module, None)


def test_a_plugin_is_found_without_being_imported(install: Install) -> None:
    install("pelican")
    assert "pelican" in PluginManager().available()
    assert "plugin_pelican" not in sys.modules


def test_asking_for_one_imports_only_that_one(install: Install) -> None:
    install("pelican")
    install("heron")
    cls = PluginManager().provider_class("pelican")
    assert cls.info.name == "pelican"
    assert "plugin_pelican" in sys.modules
    assert "plugin_heron" not in sys.modules


def test_names_are_forgiving_about_case_and_underscores(install: Install) -> None:
    install("grey-heron")
    manager = PluginManager()
    cls = manager.provider_class("grey-heron")
    assert manager.provider_class(" Grey_Heron ") is cls


@pytest.mark.parametrize(
    ("alias", "name"), [("anthropic", "claude"), ("llama-cpp", "llamacpp"), *ALIASES.items()]
)
def test_an_alias_leads_to_the_name(alias: str, name: str) -> None:
    assert canonical(alias) == name


def test_what_is_not_installed_is_told_with_what_is_and_no_name_is_made_up() -> None:
    with pytest.raises(UnknownProviderError) as caught:
        PluginManager().provider_class("no-such-thing")
    told = str(caught.value)
    assert "no provider 'no-such-thing' installed; have " in told
    assert "scripted" in told
    assert "pip install" not in told  # a package of such a name could be anybody's


def test_a_known_provider_that_is_missing_comes_with_its_distribution(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JACKFIELD_BLOCK", "claude")
    with pytest.raises(UnknownProviderError, match="pip install jackfield-claude"):
        PluginManager().provider_class("anthropic")


def test_a_misspelt_name_comes_with_the_nearest(install: Install) -> None:
    install("pelican")
    with pytest.raises(UnknownProviderError, match="Did you mean 'pelican'"):
        PluginManager().provider_class("pelicna")


BROKEN = {
    "raises": "raise RuntimeError('boom')",
    "missing-import": "import no_such_module_anywhere",
    "syntax": "def (:",
    "exits": "raise SystemExit(3)",
    "no-attribute": "Other = 1",
}


TABLES = {
    "no-dict": ("exchanges = [1]", "exchanges is [1]: write a dict"),
    "name-for-a-type": ("exchanges = {'chat': 1}", "write the class, ChatRequest say"),
    "bare-function": ("exchanges = {ChatRequest: print}", "exchanges[ChatRequest] is <built-in"),
    "no-name": ("handlers = {ChatRequest: print}", "write the name of a method"),
    "no-method": ("handlers = {ChatRequest: 'answer'}", "no method of it: name one"),
    "bare-name": ("params = {'temperature': 'heat'}", "write Param(wire, …)"),
}


@pytest.mark.parametrize(("table", "told"), TABLES.values(), ids=TABLES)
def test_a_table_that_the_core_cannot_read_is_told_with_what_to_write(
    install: Install, table: str, told: str
) -> None:
    head = "from jackfield import ChatRequest, LLMProvider, ProviderInfo\n"
    info = "info = ProviderInfo(name='broken', display_name='B', api_key_required=False)"
    install("broken", f"{head}class Provider(LLMProvider):\n    {info}\n    {table}\n")
    with pytest.raises(PluginError) as caught:
        PluginManager().provider_class("broken")
    assert told in str(caught.value)


def test_what_builds_no_request_is_told_with_what_to_return() -> None:
    class Odd(Toy):
        exchanges: ClassVar = {ChatRequest: Exchange(build=lambda _: {"model": "m"}, parse=parse)}

    toy = Odd({"base_url": "https://toy.example/v1", "api_key": KEY})
    with pytest.raises(PluginError, match=r"builds a dict for a ChatRequest: return json_request"):
        toy.execute("m", "Hi")


@pytest.mark.parametrize("source", BROKEN.values(), ids=BROKEN)
def test_a_plugin_that_cannot_be_imported_is_told_by_its_distribution(
    install: Install, source: str
) -> None:
    install("broken", source)
    install("pelican")
    manager = PluginManager()
    assert manager.available().count("broken") == 1
    with pytest.raises(PluginError) as caught:
        manager.provider_class("broken")
    told = str(caught.value)
    assert "jackfield-broken 1.5" in told
    assert "JACKFIELD_BLOCK=broken" in told
    assert manager.provider_class("pelican").info.name == "pelican"


def test_an_interrupt_during_an_import_is_the_users(install: Install) -> None:
    install("slow", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        PluginManager().provider_class("slow")


WRONG = {
    "not-a-class": "Provider = 5",
    "wrong-base": "class Provider: pass",
    "no-info": "from jackfield import LLMProvider\nclass Provider(LLMProvider): pass",
    "info-of-another-kind": "from jackfield import LLMProvider\nclass Provider(LLMProvider): info = 'wrong'",
    "too-new": GOOD.replace(
        "api_key_required=False", f"api_key_required=False, contract={CONTRACT + 1}"
    ),
    "wrong-verb": GOOD + "    def execute(self, prompt_only): ...\n",
}


@pytest.mark.parametrize("source", WRONG.values(), ids=WRONG)
def test_a_class_that_breaks_the_contract_is_refused_at_once(install: Install, source: str) -> None:
    install("wrong", source)
    with pytest.raises(PluginError, match=r"jackfield-wrong 1\.5"):
        PluginManager().provider_class("wrong")


def test_a_newer_contract_comes_with_the_line_to_update(install: Install) -> None:
    install("new", WRONG["too-new"])
    with pytest.raises(PluginError, match="pip install -U jackfield"):
        PluginManager().provider_class("new")


def test_what_is_blocked_is_as_if_not_installed(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("pelican")
    install("heron")
    monkeypatch.setenv("JACKFIELD_BLOCK", " heron , Pelican ,")
    manager = PluginManager()
    assert not {"pelican", "heron"} & set(manager.available())
    with pytest.raises(UnknownProviderError) as caught:
        manager.provider_class("pelican")
    assert "JACKFIELD_BLOCK leaves it out" in str(caught.value)
    assert "pip install" not in str(caught.value)
    assert "plugin_pelican" not in sys.modules


def test_two_distributions_with_one_name_are_told(install: Install, tmp_path: Path) -> None:
    install("pelican")
    second = tmp_path / "jackfield_second-0.1.dist-info"
    second.mkdir()
    (second / "METADATA").write_text("Metadata-Version: 2.1\nName: second\nVersion: 0.1\n")
    (second / "entry_points.txt").write_text(
        "[jackfield.providers]\npelican = plugin_pelican:Provider\n"
    )
    with pytest.warns(
        RuntimeWarning,
        match=r"pelican.*(jackfield-pelican 1\.5.*second 0\.1|second 0\.1.*jackfield-pelican 1\.5)",
    ):
        names = PluginManager().available()
    assert names.count("pelican") == 1


HOOKS = """
from jackfield import hookimpl

@hookimpl
def price_model(provider, model):
    return None
"""


def impls(manager: PluginManager) -> list[str]:
    """Who has a price; real plugins may be installed beside the made-up one."""
    return [i.plugin_name for i in manager.hook.price_model.get_hookimpls()]


def test_plugins_with_hooks_are_loaded_once_when_asked(install: Install) -> None:
    install("toll", HOOKS, group="plugins", target="")
    manager = PluginManager()
    assert "plugin_toll" not in sys.modules
    manager.load_plugins()
    manager.load_plugins()
    assert impls(manager).count("toll") == 1


@pytest.mark.parametrize(
    "source",
    [*BROKEN.values(), "from jackfield import hookimpl\n@hookimpl\ndef price_model(wrong): ..."],
)
def test_a_broken_plugin_is_one_warning_and_the_rest_load(install: Install, source: str) -> None:
    install("broken", source, group="plugins", target="Provider" if "Other" in source else "")
    install("toll", HOOKS, group="plugins", target="")
    manager = PluginManager()
    with pytest.warns(
        RuntimeWarning, match=r"plugin broken of jackfield-broken 1\.5 is left out"
    ) as told:
        manager.load_plugins()
    assert len(told) == 1
    assert impls(manager).count("toll") == 1


def test_a_class_can_be_registered_without_an_entry_point() -> None:
    class Heron(LLMProvider):
        info = ProviderInfo(name="heron", display_name="Heron", api_key_required=False)

    manager = PluginManager()
    manager.register(SimpleNamespace(register_providers=hookimpl(lambda: [Heron])))
    assert "heron" in manager.available()
    assert isinstance(manager.create("heron", {}, name="mine"), Heron)


def test_an_instance_is_a_plugin_whose_signatures_are_checked() -> None:
    manager = PluginManager()
    provider = create_provider("scripted", {"answers": ["Hello"]}, name="work")
    manager.register(provider, name=provider.name)
    assert manager.get_plugin("work") is provider
    assert manager.hook.get_info() == [provider.get_info()]


def test_discovery_imports_no_other_provider_and_no_http_library() -> None:
    script = """
        import sys, importlib_metadata, jackfield
        jackfield.available_providers()
        jackfield.create_provider("scripted", {"answers": ["x"]}).execute("m", "Hi")
        found = importlib_metadata.entry_points(group="jackfield.providers")
        providers = {e.module.partition(".")[0] for e in found} - {"jackfield"}
        print(sorted({"httpx2", "httpcore2", "click", "rich", *providers} & sys.modules.keys()))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_provider_is_made_with_the_installed_hooks(install: Install) -> None:
    source = """
    from attrs import evolve
    from jackfield import hookimpl

    @hookimpl
    def wrap_call(provider, request):
        def marked(flow):
            return evolve((yield from flow), model="marked")

        return marked
    """
    install("marks", source, group="plugins", target="")
    provider: Any = PluginManager().create("scripted", {"answers": ["x"]})
    assert provider.execute("pelican", "Hi").model == "marked"


def test_the_processes_manager_finds_the_core_own_provider() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        assert "scripted" in available_providers()
    assert plugin_manager() is plugin_manager()


def test_creating_with_a_name_of_ones_own() -> None:
    provider: Any = create_provider("scripted", name="work-scripted")
    assert provider.name == "work-scripted"
    assert "work-scripted" in repr(provider)
    assert provider.get_info().name == "scripted"
