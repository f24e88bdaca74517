"""Configuration files of a manager: every form is read, every mistake is told at once with its place, no key is shown."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jackfield import ConfigError, create_provider
from jackfield.manager.files import load_settings, read_settings
from jackfield.manager.settings import (
    BudgetSettings,
    LimitSettings,
    ManagerSettings,
    RouteSettings,
    TargetSettings,
)
from jackfield.plugins import plugin_manager

# Of no shape that is known for a key's, so that nothing strikes it out later.
KEY = "plover7q2w9e4r"


def write(folder: Path, content: str | bytes, name: str = "jackfield.toml") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def mistakes(path: Path, env: Mapping[str, str] | None = None) -> list[str]:
    """What is wrong with the file, each with its place in the file alone."""
    with pytest.raises(ConfigError) as caught:
        read_settings(path, env or {})
    assert all(issue.path.startswith(str(path)) for issue in caught.value.issues)
    return [str(issue).removeprefix(f"{path}") for issue in caught.value.issues]


WHOLE = """
default_model = "main"

[providers.work]
provider = "openai"
api_key = "${WORK_KEY}"
models = ["gpt-*"]
priority = 1
weight = 2
cost_multiplier = 0.8
limits.requests = "100/minute"
limits.concurrency = 8

[providers.claude]
api_keys = ["${A}", "${B}"]
timeout = 30

[aliases]
fast = "claude/quick"

[routes.main]
kind = "balance"
strategy = "cheapest"
targets = ["work/gpt-x", {target = "claude/clever", weight = 3}]
retry = {attempts = 5}
timeout = 60

[limits]
tokens = "40_000/min"

[providers.work.limits.models."gpt-4.1"]
requests = "1/s"

[cache]
[[budgets]]
limit = 20.10
tag = "team"
"""


def test_the_whole_file_becomes_settings(tmp_path: Path) -> None:
    env = {"WORK_KEY": KEY, "A": "first-key", "B": "second-key"}
    settings = read_settings(write(tmp_path, WHOLE), env)
    work, claude = settings.providers.values()
    assert (work.provider, work.models, work.priority, work.weight) == ("openai", ("gpt-*",), 1, 2)
    assert work.cost_multiplier == Decimal("0.8")
    model = LimitSettings(requests="1/s")
    own = LimitSettings(requests="100/minute", concurrency=8, models={"gpt-4.1": model})
    assert work.limits == own
    assert [key.reveal() for key in claude.api_keys] == ["first-key", "second-key"]
    route = settings.routes["main"]
    assert route.targets == (TargetSettings(target="work/gpt-x"), TargetSettings(target="claude/clever", weight=3))  # fmt: skip
    assert (route.retry.attempts, route.timeout.total) == (5, 60)
    assert settings.limits == LimitSettings(tokens="40_000/min")
    assert settings.budgets == (BudgetSettings(limit=Decimal("20.1"), tag="team"),)
    assert (settings.aliases, settings.default_model) == ({"fast": "claude/quick"}, "main")
    assert settings.cache is not None
    assert settings.ledger is None
    assert KEY not in repr(settings)


def test_the_same_tables_as_json_and_from_code_are_the_same_settings(tmp_path: Path) -> None:
    import tomllib

    env = {"WORK_KEY": KEY, "A": "first-key", "B": "second-key"}
    tables = tomllib.loads(WHOLE)
    expected = read_settings(write(tmp_path, WHOLE), env)
    assert load_settings(tables, env) == expected
    path = write(tmp_path, json.dumps({"$schema": "x.json", **tables}), "any.conf")
    assert read_settings(path, env) == expected


def test_what_a_provider_is_told_is_settled_and_never_replaced_again(tmp_path: Path) -> None:
    file = '[providers.box]\nprovider = "openai-compatible"\nbase_url = "http://localhost/v1"\napi_key = "${K}"\n'
    settings = read_settings(write(tmp_path, file), {"K": "${HOME}-is-no-reference"})
    provider = create_provider("openai-compatible", settings.providers["box"].config)
    assert provider.config.api_key.reveal() == "${HOME}-is-no-reference"


def test_names_models_and_patterns_are_taken_as_they_are_written() -> None:
    tables = {
        "default_model": "a/${X}",
        "aliases": {"b": "a/${X}"},
        "providers": {"a": {"provider": "scripted", "models": ["${X}"], "answers": ["${X}"]}},
        "budgets": [{"limit": 1, "model": "${X}"}],
    }
    settings = load_settings(tables, {"X": "never"})
    config = settings.providers["a"].config
    assert settings.providers["a"].models == ("${X}",)
    assert config["answers"][0].reveal() == "${X}"
    assert (settings.default_model, settings.aliases) == ("a/${X}", {"b": "a/${X}"})
    assert settings.budgets[0].model == "${X}"


# The older forms

CLOUDS = """
[provider.cloud.openai]
api_key = "OPENAI_API_KEY"
base_url = "https://api.openai.com/v1"
models = ["gpt-4-vision", "gpt-4"]

[providers.custom.ollama]
api_key = "CUSTOM_KEY"
base_url = "http://localhost:11434"
fetch_models = true

[providers.custom.mine]
base_url = "http://localhost:9000/v1"
"""


def test_tables_of_clouds_and_of_ones_own_are_named_instances(tmp_path: Path) -> None:
    settings = read_settings(write(tmp_path, CLOUDS), {"OPENAI_API_KEY": KEY})
    kinds = {name: p.provider for name, p in settings.providers.items()}
    assert kinds == {"cloud.openai": "openai", "custom.ollama": "ollama", "custom.mine": "openai-compatible"}  # fmt: skip
    keys = {
        n: p.config["api_key"].reveal() for n, p in settings.providers.items() if n != "custom.mine"
    }
    assert keys == {"cloud.openai": KEY, "custom.ollama": "CUSTOM_KEY"}
    assert settings.providers["cloud.openai"].models == ("gpt-4-vision", "gpt-4")
    assert settings.providers["custom.ollama"].fetch_models


def test_names_at_the_top_of_json_are_providers(tmp_path: Path) -> None:
    tables = {
        "openai": {"api_key": "${OPENAI_API_KEY}", "timeout": 300},
        "ollama": {"base_url": "http://localhost:11434"},
        "llama-cpp": {"models_dir": "/m", "default_threads": 24, "default_gpu_layers": 999},
        "aliases": {"small": "ollama/tiny"},
    }
    path = write(tmp_path, json.dumps(tables), "providers.json")
    settings = read_settings(path, {"OPENAI_API_KEY": KEY})
    assert list(settings.providers) == ["openai", "ollama", "llama-cpp"]
    assert settings.aliases == {"small": "ollama/tiny"}
    local = settings.providers["llama-cpp"]
    config = plugin_manager().provider_class(local.provider)(local.config).config
    assert (config.n_threads, config.n_gpu_layers) == (24, 999)


STUDIO: list[dict[str, Any]] = [
    {"provider_type": "openai", "api_key": KEY, "models": ["gpt-4"], "cost_multiplier": 1.0, "priority": 1},
    {"provider_type": "ProviderType.ANTHROPIC", "api_key": KEY, "cost_multiplier": 1.2, "priority": 2},
    {"provider_type": "google", "api_key": KEY, "base_url": "https://generativelanguage.googleapis.com"},
    {"provider_type": "ollama", "api_key": "", "models": [], "cost_multiplier": 0.1, "priority": 4},
    {"provider_type": "ollama", "name": "off", "enabled": False},
]  # fmt: skip


@pytest.mark.parametrize("form", ["list", "wrapped", "named", "at-the-top"])
def test_tables_with_a_provider_type_are_read_in_each_shape(tmp_path: Path, form: str) -> None:
    named = {str(t.get("name", t["provider_type"])).rpartition(".")[2].lower(): t for t in STUDIO}
    shapes: dict[str, Any] = {
        "list": STUDIO,
        "wrapped": {"providers": STUDIO},
        "named": {"providers": named},
        "at-the-top": named,
    }
    path = write(tmp_path, json.dumps(shapes[form]), "llm_studio_config.json")
    with pytest.warns(RuntimeWarning, match="not enabled"):
        settings = read_settings(path, {})
    assert [(n, p.provider) for n, p in settings.providers.items()] == [
        ("openai", "openai"), ("anthropic", "claude"), ("google", "gemini"), ("ollama", "ollama"),
    ]  # fmt: skip
    assert [p.priority for p in settings.providers.values()] == [1, 2, 100, 4]
    assert settings.providers["anthropic"].cost_multiplier == Decimal("1.2")
    assert "api_key" not in settings.providers["ollama"].config


def test_what_else_such_a_program_keeps_is_passed_over_with_a_warning(tmp_path: Path) -> None:
    path = write(tmp_path, json.dumps({"providers": STUDIO[:1], "theme": "dark"}), "studio.json")
    with pytest.warns(RuntimeWarning, match="theme"):
        assert list(read_settings(path, {}).providers) == ["openai"]


# Mistakes: in the file itself

BROKEN: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", ": is empty"),
    "blank": (" \n\n", ": is empty"),
    "a key twice": ('default_model = "a/b"\ndefault_model = "a/b"\n', ":2: is not TOML"),
    "a table twice": ("[providers.claude]\n[providers.claude]\n", ":2: is not TOML"),
    "YAML": ("providers:\n  claude:\n", ":1: is not TOML"),
    "INI": ("[providers]\nclaude = yes please\n", ":2: is not TOML"),
    "UTF-16": ("default_model = 'a/b'".encode("utf-16"), ": line 1 is not UTF-8"),
    "invalid UTF-8": (b"\n# \xff\n", ": line 2 is not UTF-8"),
    "NUL": (b"default_model = 'a\0'\n", ":1: is not TOML"),
    "more than 1 MiB": ("#" * 2_000_000, ": is larger than 1 MiB"),
    "deep": ('{"a": ' + "[" * 100_000, ": is nested too deeply"),
    "deep by its points": ("[" + ".".join("a" * 1000) + "]", ": is nested too deeply"),
    "a long number": ("[limits]\nwait = " + "9" * 5000, ": is not TOML: a number has too many digits"),
    "JSON that ends": ('{"providers": {', ":1: is not JSON"),
    "a JSON key twice": ('{"a": {}, "a": {}}', ": has 'a' twice"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_one_mistake(tmp_path: Path, case: str) -> None:
    content, said = BROKEN[case]
    (mistake,) = mistakes(write(tmp_path, content))
    assert mistake.startswith(said)
    assert "(" in mistake, "says what to do"


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = write(tmp_path, b'\xef\xbb\xbf[providers.s]\nprovider = "scripted"\n')
    assert list(read_settings(path).providers) == ["s"]


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    (loop := tmp_path / "loop.toml").symlink_to("loop.toml")
    os.mkfifo(tmp_path / "pipe.toml")
    told = {
        name: mistakes(tmp_path / name) for name in ("none.toml", "pipe.toml", "loop.toml", ".")
    }
    assert told["none.toml"][0].startswith(": does not exist")
    assert told["pipe.toml"][0].startswith(": is not a file")
    assert told["."][0].startswith(": is not a file")
    assert "symbolic link" in told[loop.name][0]
    assert mistakes(Path("/dev/zero"))[0].startswith(": is not a file")


def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, WHOLE)
    monkeypatch.setattr(Path, "open", refuse)
    assert mistakes(path) == [": Permission denied (check it and its permissions)"]


# Mistakes: in what it says. The mistake is on the last line.

S = '[providers.s]\nprovider = "scripted"\n'
HTTP = '[providers.h]\nprovider = "openai-compatible"\n'
MISTAKES: dict[str, tuple[str, str]] = {
    "an unknown table": ("[rutes.main]", ":1: rutes: no such setting (did you mean routes?)"),
    "an unknown key": ("[cache]\nttll = 5", ":2: cache.ttll: no such setting (did you mean ttl?)"),
    "a deep unknown key": (
        '[providers.scripted.limits.models."gpt-4.1"]\nrequest = "1/s"',
        ":2: providers.scripted.limits.models.gpt-4.1.request: no such setting (did you mean requests?)",
    ),
    "an unknown key of a provider": (S + "answerz = []", ":3: providers.s.answerz: no such setting (did you mean answers?)"),
    "one that is nearly ours": (S + "prioritty = 1", ":3: providers.s.prioritty: no such setting (did you mean priority?)"),
    "an unknown provider": ("[providers.cluade]", ":1: providers.cluade.provider: no provider 'cluade' installed"),
    "a kind that is a route's": ('[providers.x]\nprovider = "fallback"', ":2: providers.x.provider: fallback is a kind of route"),
    "a provider that is no table": ("[providers]\na = 1", ":2: providers.a: must be a table, not int"),
    "a name with a slash": ('[providers."a/b"]', ":1: providers.'a/b': is no name"),
    "an empty name": ('[providers.""]', ":1: providers.'': is no name"),
    "text for seconds": (S + 'timeout = "10s"', ":3: providers.s.timeout: must be seconds or a table"),
    "true for seconds": (S + "timeout = true", ":3: providers.s.timeout: must be seconds or a table"),
    "a list for a number": ("[cache]\nttl = [5]", ":2: cache.ttl: must be a number, not list"),
    "true for a number": (S + "priority = true", ":3: providers.s.priority: must be a whole number, not bool"),
    "a fraction for a whole number": ("[cache]\nentries = 1.5", ":2: cache.entries: must be a whole number, not float"),
    "text for a table": ('limits = "100/minute"', ":1: limits: must be a table, not text"),
    "text for true or false": ('[logs]\nprompts = "yes"', ":2: logs.prompts: must be true or false, not str"),
    "a word that is none of the choices": ('[logs]\nlevel = "LOUD"', ":2: logs.level: must be one of DEBUG"),
    "a negative number": (S + "weight = -1", ":3: providers.s.weight: must be above 0"),
    "zero": (S + "weight = 0", ":3: providers.s.weight: must be above 0"),
    "no number": ("[cache]\nttl = nan", ":2: cache.ttl: must be above 0"),
    "an infinite number": (S + "cost_multiplier = inf", ":3: providers.s.cost_multiplier: must be 0 or more"),
    "a huge number": (S + "priority = 99999999", ":3: providers.s.priority: must be -1,000,000 or more"),
    "a negative price": ("[[budgets]]\nlimit = 1\n[[budgets]]\nlimit = -1", ":4: budgets[1].limit: must be above 0"),
    "attempts without end": (S + "retry = {attempts = 1_000_000_000}", ":3: providers.s.retry.attempts: must be 1 to 20"),
    "a route's attempts": (S + '[routes.r]\ntargets = ["s"]\nretry = {attempts = 0}', ":5: routes.r.retry.attempts: must be 1 to 20"),
    "max_retries": (HTTP + 'base_url = "https://h.example"\nmax_retries = 1e9', ":4: providers.h.max_retries: no such setting"),
    "a rate without a unit": ("[limits]\nrequests = 100", ":2: limits.requests: must have a unit"),
    "a rate as text without one": ('[limits]\nrequests = "100"', ":2: limits.requests: must be a rate"),
    "a unit of the thing": ('[limits]\ntokens = "40000 tokens"', ":2: limits.tokens: must be a rate"),
    "mixed units": ('[limits]\ntokens = "10/s/minute"', ":2: limits.tokens: must be a rate"),
    "an unknown unit": ('[limits]\ntokens = "10/fortnight"', ":2: limits.tokens: has the unknown unit"),
    "no calls at all": ("[limits]\nconcurrency = 0", ":2: limits.concurrency: must be 1 or more"),
    "what only the provider itself refuses": (S + 'answers = ["a", 5]', ":3: providers.s.answers[1]:"),
    "a number of seconds that is none": (S + "timeout = 0", ":3: providers.s.timeout.total: must be above 0"),
    "a variable that is not set, of a type of its own": ('[limits]\nrequests = "${NOPE}"', ":2: limits.requests: the environment has no NOPE"),
    "limits of a model at all providers": ('[limits.models.a]\nrequests = "1/s"', ":1: limits.models.a: stands under a provider's limits"),
    "limits in limits of a model": ('[providers.scripted.limits.models.a.models.b]\nrequests = "1/s"', ":1: providers.scripted.limits.models.a.models: limits of a model have no models"),
    "an alias to itself": (S + '[aliases]\na = "a"', ":4: aliases.a: leads in a circle: a → a"),
    "aliases in a circle": (S + '[aliases]\na = "b"\nb = "a"', ":4: aliases.a: leads in a circle: a → b → a"),
    "an alias that hides a model": (S + 'models = ["gpt"]\n[aliases]\ngpt = "s/other"', ":5: aliases.gpt: hides the model of that name at s"),
    "an alias that hides a provider": (S + '[aliases]\ns = "s/other"', ":4: aliases.s: is the name of a provider or route, too"),
    "an alias for a provider": (S + '[aliases]\na = "s"', ":4: aliases.a: s is a provider, not a model (write s/MODEL)"),
    "an alias that leads nowhere": ('[providers.scripted]\n[aliases]\na = "scriptd/x"', ":3: aliases.a: there is no provider 'scriptd' (did you mean scripted?)"),
    "an alias to what nobody lists": (S + 'models = ["gpt"]\n[aliases]\na = "gtp"', ":5: aliases.a: there is no model, alias or route 'gtp' (did you mean gpt?)"),
    "an empty model": (S + 'models = ["", "x"]', ":3: providers.s.models[0]: the model's name is empty"),
    "control characters in a model": (S + '[aliases]\na = "s/x\\u0007"', ":4: aliases.a: the model's name holds control characters"),
    "a route without targets": ("[routes.r]", ":1: routes.r.targets: has none"),
    "a route to itself": (S + '[routes.r]\ntargets = ["r"]', ":4: routes.r.targets[0]: is the route itself"),
    "routes in a circle": (S + '[routes.b]\ntargets = ["s", "a"]\n[routes.a]\ntargets = ["b"]', ":5: routes.a: leads in a circle: a → b → a"),
    "an unknown target": (S + '[routes.r]\ntargets = [\n"s/x",\n"cluade/x"]', ":6: routes.r.targets[1]: there is no provider, route or alias 'cluade' (there are s)"),
    "a target whose alias leads nowhere": (S + '[aliases]\na = "zz/x"\n[routes.r]\ntargets = ["a"]', ":6: routes.r.targets[0]: stands for zz/x; there is no provider, route or alias 'zz' (there are s, a)"),
    "routes in a circle by an alias": (S + '[aliases]\nx = "a"\n[routes.b]\ntargets = ["s", "a"]\n[routes.a]\ntargets = ["x", "b"]', ":8: routes.a.targets[0]: is the route itself"),
    "a target in a circle of aliases": (S + '[aliases]\na = "a"\n[routes.r]\ntargets = ["a"]', ":4: aliases.a: leads in a circle: a → a"),
    "an unknown strategy": (S + '[routes.r]\ntargets = ["s"]\nkind = "balance"\nstrategy = "cheap"', ":6: routes.r.strategy: there is no 'cheap' (did you mean cheapest?)"),
    "a strategy for a fallback": (S + '[routes.r]\ntargets = ["s"]\nstrategy = "cheapest"', ":5: routes.r.strategy: is for routes that balance"),
    "a target's weight": (S + '[routes.r]\ntargets = [{target = "s", weight = 0}]', ":4: routes.r.targets[0].weight: must be above 0"),
    "targets that are no list": (S + '[routes.r]\ntargets = "s/large"', ":4: routes.r.targets: must be a list, not str"),
    "models that are no list": (S.rstrip() + '\nmodels = "large"', ":3: providers.s.models: must be a list, not str"),
    "a target that is no target": (S + "[routes.r]\ntargets = [5]", ":4: routes.r.targets[0]: must be a table, not int"),
    "a breaker that shortens": (S + '[routes.r]\ntargets = ["s"]\nbreaker = {longest = 1}', ":5: routes.r.breaker.longest: is less than cooldown"),
    "a route by a provider's name": (S + '[routes.s]\ntargets = ["s"]', ":3: routes.s: is the name of a provider, too"),
    "a budget of nobody": (S + '[[budgets]]\nlimit = 1\nprovider = "z"', ":5: budgets[0].provider: there is no provider or route 'z'"),
    "a budget without a limit": ('[[budgets]]\ntag = "x"', ":1: budgets[0].limit: is required"),
    "a folder for a file": ('[ledger]\npath = "/"', ":2: ledger.path: is a folder"),
    "a file for a cache in memory": ('[cache]\npath = "x"', ":2: cache.path: is for a cache on disk"),
    "a variable that is missing": (HTTP + 'base_url = "https://h.example"\napi_keys = ["${NOWHERE}"]', ":4: providers.h.api_keys[0]: the environment has no NOWHERE"),
    "a broken reference": ('[ledger]\npath = "${HOME:-x}"', ":2: ledger.path: a broken ${…}"),
    "a reference in a reference": ('[ledger]\npath = "${${HOME}}"', ":2: ledger.path: a broken ${…}"),
    "an open reference": ('[ledger]\npath = "${HOME"', ":2: ledger.path: a broken ${…}"),
    "a command": ('[ledger]\npath = "${file:/etc/passwd}"', ":2: ledger.path: a broken ${…}"),
    "one provider in two spellings": ("[provider.cloud.scripted]\n[providers.cloud.scripted]", ":2: providers.cloud.scripted: the provider cloud.scripted is defined twice"),
    "what a cloud's table misspells": ("[provider.cloud.scripted]\nanswerz = []", ":2: provider.cloud.scripted.answerz: no such setting"),
    "the singular without a group": ("[provider.scripted]", ":1: provider.scripted: is no group of providers (write [provider.cloud.NAME]"),
    "no scheme": (HTTP + 'base_url = "api.example.com"', ":3: providers.h.base_url: is not an http(s) URL"),
    "another scheme": (HTTP + 'base_url = "file:///etc/passwd"', ":3: providers.h.base_url: is not an http(s) URL"),
    "a password in an address": (HTTP + 'base_url = "https://me:pass@h.example"', ":3: providers.h.base_url: holds a user or password"),
    "a line break in an address": (HTTP + 'base_url = "https://h.example/\\r\\nx: y"', ":3: providers.h.base_url:"),
    "a port that is none": (HTTP + 'base_url = "https://h.example:99999"', ":3: providers.h.base_url: is not a URL"),
    "a key in the clear": (HTTP + f'api_key = "{KEY}"\nbase_url = "http://h.example"', ":4: providers.h.base_url: the key would be sent unencrypted"),
    "an odd spelling of an address": (HTTP + f'api_key = "{KEY}"\nbase_url = "http://2130706433"', ":4: providers.h.base_url: the key would be sent unencrypted"),
    "an empty key": (HTTP + 'base_url = "https://h.example"\napi_key = ""', ":4: providers.h.api_key: is empty"),
    "a key of blanks": (HTTP + 'base_url = "https://h.example"\napi_keys = ["  "]', ":4: providers.h.api_keys[0]: is empty"),
    "a key with a line break": (HTTP + f'base_url = "https://h.example"\napi_key = "{KEY}\\n"', ":4: providers.h.api_key: holds blanks"),
    "a placeholder": (HTTP + 'base_url = "https://h.example"\napi_key = "sk-..."', ":4: providers.h.api_key: is the documentation's placeholder"),
    "one of several placeholders": (HTTP + 'base_url = "https://h.example"\napi_keys = ["your-key"]', ":4: providers.h.api_keys[0]: is the documentation's placeholder"),
    "a key twice": (HTTP + f'base_url = "https://h.example"\napi_keys = ["{KEY}", "{KEY}"]', ":4: providers.h.api_keys[1]: is there twice"),
    "a key beside keys": (HTTP + f'base_url = "https://h.example"\napi_key = "{KEY}"\napi_keys = ["x-{KEY}"]', ":5: providers.h.api_keys: stand beside api_key"),
    "keys for who takes none": (S + f'api_keys = ["{KEY}"]', ":3: providers.s.api_keys: scripted takes no key"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_with_its_line_and_nothing_else_is(tmp_path: Path, case: str) -> None:
    content, said = MISTAKES[case]
    found = mistakes(write(tmp_path, content + "\n"), {"HOME": "/h"})
    assert any(mistake.startswith(said) for mistake in found), found
    assert len(found) == 1, f"something else is wrong, too: {found}"
    assert not any(KEY in mistake for mistake in found)


@pytest.mark.parametrize("case", MISTAKES)
def test_the_same_mistakes_are_found_in_json_and_in_data_from_code(
    tmp_path: Path, case: str
) -> None:
    import tomllib

    content, said = MISTAKES[case]
    tables = tomllib.loads(content)
    place = said.split(": ", 1)[1].partition(":")[0]
    text = json.dumps({"default_model": "any", **tables}, indent=1)
    in_json = mistakes(write(tmp_path, text, "x.json"), {"HOME": "/h"})
    with pytest.raises(ConfigError) as caught:
        load_settings({"default_model": "any", **tables}, {"HOME": "/h"})
    assert any(place in mistake for mistake in in_json)
    assert any(issue.path == place or "twice" in said for issue in caught.value.issues)


def test_every_mistake_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    content = "".join(f"{text}\n" for text in (
        'default_modl = "x"', "[providers.claude]", "weight = -1", "timeout = {idel = 4}",
        "[cache]", "ttl = 0", 'path = "/"', "[routes.r]", 'targets = ["claud/x"]',
    ))  # fmt: skip
    lines = [int(mistake.split(":")[1]) for mistake in mistakes(write(tmp_path, content))]
    assert lines == sorted(lines)
    assert set(lines) == {1, 3, 4, 6, 7, 9}


def test_what_is_not_installed_is_told_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JACKFIELD_BLOCK", "cohere")
    monkeypatch.delitem(plugin_manager()._classes, "cohere", raising=False)
    (mistake,) = mistakes(write(tmp_path, "[providers.cohere]\n"))
    assert "pip install jackfield-cohere" in mistake


def test_a_key_of_another_providers_shape_is_a_warning_that_does_not_show_it(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, '[providers.openai]\napi_key = "sk-ant-0123456789abcdef"\n')
    with pytest.warns(RuntimeWarning, match="looks like a key of claude") as caught:
        read_settings(path, {})
    assert f"{path}:2: providers.openai.api_key" in str(caught[0].message)
    assert "0123456789" not in str(caught[0].message)


def shown(error: BaseException) -> Iterator[str]:
    """What can be seen of *error*: its texts, its facts, and the variables of our frames."""
    yield f"{error} {error!r} {vars(error)}"
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename != __file__:
            yield f"{frame.f_code.co_name}: {frame.f_locals!r}"


@pytest.mark.parametrize("setting", ["api_key", "api_keys", "base_url", "headers", "timeout", "apikey", "provider_key"])  # fmt: skip
@pytest.mark.parametrize(
    "value", [f'"{KEY}\\n"', f'["{KEY} x"]', f'{{x = "{KEY}"}}', f'"${{{KEY}"']
)
def test_no_error_shows_a_key(tmp_path: Path, setting: str, value: str) -> None:
    path = write(tmp_path, f"[providers.openai]\nweight = 0\n{setting} = {value}\n")
    with pytest.raises(ConfigError) as caught:
        read_settings(path, {})
    assert [text for text in shown(caught.value) if KEY in text] == []


@pytest.mark.parametrize("given", ["text", ["list"], 5, None])
def test_data_that_is_no_table_is_refused(given: Any) -> None:
    with pytest.raises(ConfigError, match="must be a table"):
        load_settings(given)


def test_nothing_at_all_from_code_is_settings_without_anything() -> None:
    assert load_settings({}) == ManagerSettings()
    assert load_settings({"providers": {}, "routes": {}}).routes == {}
    assert RouteSettings().kind == "fallback"
