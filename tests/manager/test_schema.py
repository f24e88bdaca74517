"""The JSON Schema of the configuration file: what it accepts is read, what it refuses is refused, and all of it is described."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from jackfield import Config, ConfigError, HTTPConfig, available_providers
from jackfield.manager import settings as tables
from jackfield.manager.files import load_settings
from jackfield.manager.schema import described, json_schema

SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)

# Tables that are right, in the words of the file

NAMES = st.from_regex(r"[a-z][a-z0-9.-]{0,7}", fullmatch=True)
SECONDS = st.floats(0.001, 86400) | st.integers(1, 86400)
COUNTS = st.integers(1, 10**9)
SHARES = st.floats(0.001, 1000) | st.integers(1, 1000)
RATES = st.builds(
    "{}{}{}".format, COUNTS, st.sampled_from(["/", " / "]), st.sampled_from("s sec m min minute h hour d day".split())
)  # fmt: skip


def maybe(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


LIMIT = {"requests": RATES, "tokens": RATES, "concurrency": COUNTS, "wait": st.just(0) | SECONDS, "learn": st.booleans()}  # fmt: skip
LIMITS = maybe(**LIMIT, models=st.dictionaries(NAMES, maybe(**LIMIT), max_size=2))
TIMEOUTS = SECONDS | maybe(connect=SECONDS, first_chunk=SECONDS, idle=SECONDS, total=SECONDS)
RETRIES = maybe(attempts=st.integers(1, 20), initial=SECONDS, maximum=SECONDS, longest_hint=SECONDS)
MINE: dict[str, Any] = {
    "models": st.lists(NAMES, max_size=3, unique=True),
    "fetch_models": st.booleans(),
    "priority": st.integers(-1000, 1000),
    "weight": SHARES,
    "cost_multiplier": st.just(0) | SHARES,
    "limits": LIMITS,
    "timeout": TIMEOUTS,
    "retry": RETRIES,
    "strict": st.booleans(),
}
PROVIDERS = st.one_of(
    st.fixed_dictionaries({"provider": st.just("scripted")}, optional={**MINE, "then": st.sampled_from(["repeat", "echo"])}),
    st.fixed_dictionaries({"provider": st.sampled_from(["anthropic", "claude"]), "api_key": st.just("any-key-0123")}, optional=MINE),
    st.fixed_dictionaries({"provider": st.just("openai"), "api_keys": st.just(["one-key-0123", "two-key-0123"])}, optional=MINE),
)  # fmt: skip
BREAKERS = maybe(failures=COUNTS, rate=st.floats(0.01, 1), minimum=COUNTS, window=SECONDS)
PATTERNS = st.lists(NAMES, min_size=1, max_size=2)
GUARDS = st.one_of(
    st.fixed_dictionaries({"guard": st.just("forbid"), "patterns": PATTERNS}, optional={"longest": COUNTS, "name": NAMES}),
    st.fixed_dictionaries({"guard": st.just("redact")}, optional={"patterns": PATTERNS, "replacement": NAMES}),
    st.fixed_dictionaries({"guard": st.just("limit_length"), "most": COUNTS}),
)  # fmt: skip
REST: dict[str, Any] = {
    "limits": maybe(**LIMIT),
    "cache": maybe(ttl=SECONDS, entries=COUNTS, megabytes=COUNTS, store=st.sampled_from(["memory", "disk"])),
    "ledger": maybe(path=st.just("/nowhere/x.sqlite"), durability=st.sampled_from(["power", "process"])),
    "health": maybe(interval=st.floats(1, 86400), timeout=SECONDS, failures=COUNTS, successes=COUNTS),
    "logs": maybe(level=st.sampled_from(["DEBUG", "ERROR"]), format=st.sampled_from(["text", "json"]), prompts=st.booleans()),
    "guardrails": maybe(before=st.lists(GUARDS, max_size=2), after=st.lists(GUARDS, max_size=2)),
    "budgets": st.lists(
        st.fixed_dictionaries({"limit": SHARES}, optional={"per": st.sampled_from(["hour", "total"]), "tag": NAMES, "hard": st.booleans()}),
        max_size=2,
    ),
}  # fmt: skip


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    """Tables with which nothing is wrong."""
    made = draw(st.fixed_dictionaries({}, optional=REST))
    names = draw(st.lists(NAMES.map(lambda n: f"p{n}"), min_size=1, max_size=3, unique=True))
    made["providers"] = {name: draw(PROVIDERS) for name in names}
    targets = st.sampled_from(names) | st.sampled_from(names).map(lambda n: f"{n}/any")
    written = targets | st.fixed_dictionaries({"target": targets}, optional={"weight": SHARES})
    balance = {"kind": st.just("balance"), "strategy": st.sampled_from(["cheapest", "weighted"])}
    common = {"breaker": BREAKERS, "retry": RETRIES, "timeout": TIMEOUTS}
    route = {"targets": st.lists(written, min_size=1, max_size=3)}
    made["routes"] = draw(
        st.dictionaries(
            NAMES.map(lambda n: f"r{n}"),
            st.fixed_dictionaries(route, optional=common)
            | st.fixed_dictionaries({**route, **balance}, optional=common),
            max_size=2,
        )
    )
    made["default_model"] = draw(st.sampled_from([*made["routes"], f"{names[0]}/any"]))
    made["aliases"] = draw(st.dictionaries(NAMES.map(lambda n: f"a{n}"), targets.filter(lambda t: "/" in t), max_size=2))  # fmt: skip
    return made


@given(configurations())
def test_what_the_schema_accepts_is_read(given: dict[str, Any]) -> None:
    VALIDATOR.validate(given)
    settings = load_settings(given)
    assert list(settings.providers) == list(given["providers"])
    VALIDATOR.validate(json.loads(json.dumps(given)))


REFUSED = {
    "an unknown table": "[rutes.main]",
    "an unknown key": "[cache]\nttll = 5",
    "a deep unknown key": '[providers.scripted.limits.models."gpt-4.1"]\nrequest = "1/s"',
    "limits of a model at all providers": '[limits.models.a]\nrequests = "1/s"',
    "an unknown key of a provider": '[providers.s]\nprovider = "scripted"\nanswerz = []',
    "an unknown provider": "[providers.cluade]",
    "a kind that is a route's": '[providers.x]\nprovider = "fallback"',
    "a provider that is no table": "[providers]\nclaude = 1",
    "a name with a slash": '[providers."a/b"]\nprovider = "scripted"',
    "text for seconds": '[providers.scripted]\ntimeout = "10s"',
    "true for seconds": "[providers.scripted]\ntimeout = true",
    "zero seconds": "[providers.scripted]\ntimeout = 0",
    "a list for a number": "[cache]\nttl = [5]",
    "a fraction for a whole number": "[cache]\nentries = 1.5",
    "text for a table": 'limits = "100/minute"',
    "a word that is none of the choices": '[logs]\nlevel = "LOUD"',
    "a negative number": "[providers.scripted]\nweight = -1",
    "a huge number": "[providers.scripted]\npriority = 99999999",
    "an infinite number": "[cache]\nttl = inf",
    "attempts without end": "[providers.scripted]\nretry = {attempts = 1_000_000_000}",
    "a rate without a unit": "[limits]\nrequests = 100",
    "a rate as text without one": '[limits]\nrequests = "100"',
    "a unit of the thing": '[limits]\ntokens = "40000 tokens"',
    "a budget without a limit": '[[budgets]]\ntag = "x"',
    "a budget of nothing": "[[budgets]]\nlimit = 0",
    "a provider without its address": "[providers.openai-compatible]",
    "a target without a name": "[routes.r]\ntargets = [{weight = 1}]",
}


@pytest.mark.parametrize("case", REFUSED)
def test_both_refuse(case: str) -> None:
    bad = tomllib.loads(REFUSED[case])
    assert not VALIDATOR.is_valid(bad)
    with pytest.raises(ConfigError):
        load_settings(bad)


def test_the_schema_is_one_and_each_installed_provider_is_in_it() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    providers = {name for name in available_providers() if name not in ("balance", "fallback")}
    assert {f"provider.{name}" for name in providers} <= SCHEMA["$defs"].keys()
    assert "provider.claude" not in json_schema(["scripted"])["$defs"]


def classes() -> Iterator[type[Any]]:
    """Every class of settings that a file's tables are made of."""
    yield from (Config, HTTPConfig)
    for found in vars(tables).values():
        if isinstance(found, type) and found.__name__.endswith("Settings"):
            yield found


@pytest.mark.parametrize("cls", [*classes()], ids=lambda cls: cls.__name__)
def test_every_key_is_described(cls: type[Any]) -> None:
    names = {f.name for f in attrs.fields(cls) if "rest" not in f.metadata}
    assert names - described(cls).keys() == set()
