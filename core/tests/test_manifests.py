"""Plugins say what they may do before they are imported; what breaks its word is set aside, and the rest works."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jackfield import HostRefusedError, PluginError, create_provider
from jackfield.drivers.replay import Recorded, ReplayDriver
from jackfield.manifests import FILE, Manifest
from jackfield.manifests.entries import LOCK, entries, said_by
from jackfield.manifests.lock import differences, facts, read_lock, write_lock
from jackfield.manifests.manifest import manifests, parsed
from jackfield.plugins import CONTRACT, PluginManager

Install = Callable[..., Path]

PROVIDER = """
from jackfield import ChatRequest, ChatResponse, HTTPConfig, HTTPProvider, Message, ProviderInfo
from jackfield.exchange import Exchange, get_request
from attrs import frozen

@frozen(kw_only=True)
class Config(HTTPConfig):
    base_url: str = "https://api.pelican.example"

class Provider(HTTPProvider):
    info = ProviderInfo(
        name="{name}", display_name="{name}", api_key_env="PELICAN_KEY", api_key_required=False
    )
    Config = Config
    target = ""
    exchanges = {
        ChatRequest: Exchange(
            build=lambda call: get_request("/chat"),
            parse=lambda call, response: ChatResponse(
                message=Message("assistant", response.body.decode())
            ),
        )
    }
"""
MANIFEST = """
contract = 1
[providers.{name}]
hosts = ["api.pelican.example", "*.files.pelican.example"]
secrets = ["PELICAN_KEY"]
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a real little distribution: a package with or without manifest, its metadata and entry points."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("PELICAN_KEY", raising=False)
    packages: list[str] = []

    def put(
        name: str = "pelican",
        manifest: str | None = MANIFEST,
        source: str = PROVIDER,
        group: str = "providers",
        target: str = ":Provider",
        version: str = "1.5",
    ) -> Path:
        package = f"plugged_{name}"
        folder = tmp_path / package
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").write_text(textwrap.dedent(source).replace("{name}", name))
        if manifest is not None:
            (folder / FILE).write_text(manifest.replace("{name}", name))
        info = tmp_path / f"plugged_{name}.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: plugged-{name}\nVersion: {version}\n"
        )
        (info / "entry_points.txt").write_text(f"[jackfield.{group}]\n{name} = {package}{target}\n")
        packages.append(package)
        manifests.cache_clear()
        return folder

    yield put
    for package in packages:
        sys.modules.pop(package, None)
    manifests.cache_clear()


def refusal(name: str, manager: PluginManager | None = None) -> str:
    with pytest.raises(PluginError) as caught:
        (manager or PluginManager()).provider_class(name)
    return str(caught.value)


def test_a_manifest_is_read_without_importing_its_plugin(install: Install) -> None:
    install()
    said = said_by(entries("providers")["pelican"], "providers")
    assert said == Manifest(
        contract=1,
        hosts=("api.pelican.example", "*.files.pelican.example"),
        secrets=("PELICAN_KEY",),
    )
    assert "plugged_pelican" not in sys.modules


def test_a_plugin_of_a_newer_contract_is_refused_unread_and_unimported(install: Install) -> None:
    newer = f"contract = {CONTRACT + 1}\n[what.nobody.knows.yet]\nhosts = 'everywhere'\n"
    install(manifest=newer)
    told = refusal("pelican")
    assert f"plugged-pelican 1.5 speaks contract {CONTRACT + 1}, this core {CONTRACT}" in told
    assert "pip install -U jackfield" in told
    assert "plugged_pelican" not in sys.modules


BAD = {
    "no TOML": ("contract = ", "cannot be read"),
    "no contract": ("[providers.pelican]\n", "contract = 1 at its top"),
    "contract of another type": ("contract = '1'\n", "contract = 1 at its top"),
    "a contract that never was": ("contract = 0\n", "contract = 1 at its top"),
    "unknown key": (MANIFEST + "host = []\n", "did you mean hosts?"),
    "unknown table": (MANIFEST + "[provider.pelican]\n", "did you mean providers?"),
    "hosts are no list": ("contract = 1\n[providers.pelican]\nhosts = 'a.example'\n", "no list at"),
    "every host": ("contract = 1\n[providers.pelican]\nhosts = ['*']\n", "hosts are written"),
    "every host of a country": ("contract = 1\n[providers.pelican]\nhosts = ['*.uk']\n", "hosts are written"),
    "a URL": ("contract = 1\n[providers.pelican]\nhosts = ['https://a.example']\n", "hosts are written"),
    "a key and not its name": ("contract = 1\n[providers.pelican]\nsecrets = ['a-b']\n", "names of environment"),
    "another plugin's": (MANIFEST.replace("{name}", "heron"), "adds [providers.pelican]"),
    "no table": ("contract = 1\nproviders = 3\n", "no table at providers"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_a_misshapen_manifest_sets_its_plugin_aside_and_the_others_work(
    install: Install, text: str, said: str
) -> None:
    install(manifest=text)
    install("heron")
    manager = PluginManager()
    told = refusal("pelican", manager)
    assert said in told
    assert "plugged-pelican 1.5" in told
    assert "plugged_pelican" not in sys.modules
    assert manager.provider_class("heron").info.name == "heron"
    assert {"pelican", "heron"} <= set(manager.available())


def test_a_plugin_with_hooks_is_held_to_its_manifest_too(install: Install) -> None:
    install("toll", "contract = 99\n", "", "plugins", "")
    with pytest.warns(RuntimeWarning, match=r"plugin toll of plugged-toll 1\.5 is left out.*99"):
        PluginManager().load_plugins()
    assert "plugged_toll" not in sys.modules


def made(name: str = "pelican", answers: int = 1, **config: Any) -> Any:
    driver = ReplayDriver([Recorded(chunks=[b"Hello"])] * answers)
    return PluginManager().create(name, config, driver=driver), driver.transport.requests


def test_a_provider_reads_the_secret_that_its_manifest_names(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install()
    monkeypatch.setenv("PELICAN_KEY", "a-key-of-pelicans")
    provider, sent = made()
    provider.execute("m", "Hi")
    assert sent[0].headers["authorization"] == "Bearer a-key-of-pelicans"


def test_one_that_takes_anothers_key_from_the_environment_is_set_aside(install: Install) -> None:
    install(source=PROVIDER.replace("PELICAN_KEY", "OPENAI_API_KEY"))
    told = refusal("pelican")
    assert "takes its key from OPENAI_API_KEY" in told
    assert "plugged-pelican 1.5" in told


def test_and_one_that_changes_its_mind_later_gets_no_key(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install()
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-somebody-else")
    provider, sent = made()
    import attrs

    provider.info = attrs.evolve(provider.info, api_key_env="OPENAI_API_KEY")
    provider.execute("m", "Hi")
    assert "authorization" not in sent[0].headers


def test_a_class_that_speaks_another_contract_than_its_manifest_is_set_aside(
    install: Install,
) -> None:
    install(source=PROVIDER.replace("api_key_required", "contract=0, api_key_required"))
    assert "speaks contract 0, and its jackfield.toml says 1" in refusal("pelican")


def test_without_a_manifest_a_provider_has_its_base_urls_host_and_its_own_key(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(manifest=None)
    monkeypatch.setenv("PELICAN_KEY", "a-key-of-pelicans")
    provider, sent = made()
    assert provider.execute("m", "Hi").text == "Hello"
    assert sent[0].headers["authorization"] == "Bearer a-key-of-pelicans"
    with pytest.raises(HostRefusedError):
        provider.guard.check("https://api.heron.example/")


def test_what_derives_from_a_plugin_under_its_name_has_its_manifest_and_no_other_does(
    install: Install,
) -> None:
    install()
    cls: Any = PluginManager().provider_class("pelican")
    same = type("Same", (cls,), {})()
    other = type("Other", (cls,), {"info": cls.info.__class__(name="o", display_name="O")})()
    assert same.guard.manifest.hosts
    assert other.guard.manifest == Manifest()


def test_hosts_of_a_manifest_are_reached_beside_a_configured_base_url(install: Install) -> None:
    install()
    provider, _ = made(base_url="https://proxy.mine.example/pelican")
    for url in ("https://proxy.mine.example/x", "https://api.pelican.example/", "https://a.files.pelican.example/b"):  # fmt: skip
        provider.guard.check(url)
    with pytest.raises(HostRefusedError):
        provider.guard.check("https://files.pelican.example/")


def test_what_a_plugin_has_as_its_default_belongs_in_its_manifest(install: Install) -> None:
    install(manifest=MANIFEST.replace("api.pelican.example", "api.heron.example"))
    provider, sent = made()
    with pytest.raises(HostRefusedError, match=r"api\.pelican\.example"):
        provider.execute("m", "Hi")
    assert sent == []
    provider, sent = made(allow_hosts=["api.pelican.example"])
    assert provider.execute("m", "Hi").text == "Hello"


# The lock.


@pytest.fixture
def lock(install: Install, tmp_path: Path) -> Path:
    """A lock of all that is installed, two made-up plugins among it."""
    install()
    install("heron")
    write_lock(path := tmp_path / "plugins.lock")
    return path


def found(path: Path, name: str = "pelican") -> list[str]:
    manifests.cache_clear()
    now = facts(entries("providers")[name], "providers")
    return differences(f"providers/{name}", now, read_lock(path))


def test_what_did_not_change_does_not_differ(lock: Path) -> None:
    assert found(lock) == found(lock, "heron") == []
    told = json.loads(lock.read_text())["plugins"]["providers/pelican"]
    assert (told["distribution"], told["version"]) == ("plugged-pelican", "1.5")
    assert str(lock.parent) not in lock.read_text()


def test_changed_code_a_new_host_a_new_secret_and_another_version_are_each_told(
    lock: Path, install: Install
) -> None:
    with (lock.parent / "plugged_pelican" / "__init__.py").open("a") as file:
        file.write("\n# more\n")
    assert [line.partition(":")[0] for line in found(lock)] == [
        "its code changed although it still is plugged-pelican 1.5"
    ]
    install(manifest=MANIFEST.replace('"api.', '"evil.example", "api.'))
    assert found(lock)[0].startswith("a new host, evil.example: ")
    install(manifest=MANIFEST.replace('["PEL', '["OTHER_KEY", "PEL'))
    assert found(lock)[0].startswith("a new secret, OTHER_KEY: ")
    install(manifest=MANIFEST.replace('["PELICAN_KEY"]', "[]"))
    assert found(lock)[0].startswith("the secret PELICAN_KEY is gone: ")
    install(version="1.6")
    assert found(lock)[-1].startswith("plugged-pelican 1.6 instead of plugged-pelican 1.5: ")
    install("ibis")
    assert found(lock, "ibis")[0].startswith("providers/ibis is not in the lock: ")


def test_a_file_that_nobody_installed_changes_the_code(lock: Path) -> None:
    (lock.parent / "plugged_pelican" / "extra.py").write_text("")
    assert len(found(lock)) == 1


def test_a_plugin_that_differs_from_the_lock_is_not_imported_and_the_others_work(
    lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LOCK, str(lock))
    (lock.parent / "plugged_pelican" / "__init__.py").write_text("raise SystemExit(3)")
    told = refusal("pelican")
    assert "plugged-pelican 1.5 is set aside by" in told
    assert "jackfield plugins lock" in told
    assert "plugged_pelican" not in sys.modules
    assert PluginManager().provider_class("heron").info.name == "heron"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (
            create_provider("scripted", {"answers": ["Hello"]}).execute("m", "Hi").text == "Hello"
        )


@pytest.mark.parametrize(
    "text", [None, "", "[]", '{"form": 2, "plugins": {}}', '{"form": 1, "plugins": {"a": 1}}']
)
def test_a_lock_that_cannot_be_read_lets_nothing_through(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    install()
    place = tmp_path / "some.lock"
    if text is not None:
        place.write_text(text)
    monkeypatch.setenv(LOCK, str(place))
    assert "write one with `jackfield plugins lock --file" in refusal("pelican")


def test_a_manifest_need_not_say_what_it_does_not_need() -> None:
    assert parsed({"contract": 1, "providers": {"x": {}}}, "x 1") == {
        "providers/x": Manifest(contract=1)
    }


def test_importing_jackfield_and_making_a_provider_in_this_process_reads_no_manifest_but_its_own() -> (
    None
):
    script = """
        import builtins, io, sys
        import jackfield
        assert not any(name.startswith("jackfield.manifests") for name in sys.modules)
        provider = jackfield.create_provider("scripted", {"answers": ["x"]})
        provider.execute("m", "Hi")
        from jackfield.manifests.manifest import manifests
        print(manifests.cache_info().currsize)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 5  # those with hooks, and the core's
