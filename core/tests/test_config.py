"""Configuration: typed, interpolated once, and every problem told at once with its place and fix."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from attrs import field, frozen
from core_toy import KEY, Toy
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    Config,
    ConfigError,
    ConfigIssue,
    HTTPConfig,
    RetryPolicy,
    Secret,
    Timeout,
    create_provider,
)
from jackfield.config import is_loopback, load_config
from jackfield.testing import strategies as jf

URL = {"base_url": "https://api.example.com/v1"}


def issues(cls: type[Any], given: Any, env: Mapping[str, str] | None = None) -> list[ConfigIssue]:
    with pytest.raises(ConfigError) as caught:
        load_config(cls, given, env or {})
    return list(caught.value.issues)


def only_issue(given: Any, env: Mapping[str, str] | None = None) -> ConfigIssue:
    (issue,) = issues(HTTPConfig, {**URL, **given}, env)
    return issue


@frozen(kw_only=True)
class Deep(Config):
    """A configuration with everything that a plugin may declare."""

    level: Literal["low", "high"] = "low"
    folder: Path | None = None
    count: int = field(default=1, metadata={"aliases": ("n", "number")})
    ratio: float = 0.5
    names: tuple[str, ...] = ()
    table: Mapping[str, int] = field(factory=dict)
    script: Any = field(default=None, metadata={"literal": True})
    required: str


def test_plain_data_becomes_typed_values() -> None:
    given = {
        "level": "high",
        "folder": "~/models",
        "n": 3,
        "ratio": 1,
        "names": ["a", "b"],
        "table": {"a": 1},
        "required": "x",
        "timeout": {"connect": 2.5},
        "retry": {"attempts": 5},
    }
    config = load_config(Deep, given, {})
    assert config.level == "high"
    assert config.folder == Path("~/models").expanduser()
    assert (config.count, config.ratio, config.names, config.table) == (3, 1, ("a", "b"), {"a": 1})
    assert config.timeout == Timeout(connect=2.5)
    assert config.retry == RetryPolicy(attempts=5)


def test_every_problem_is_told_at_once() -> None:
    given = {
        "level": "medium",
        "count": "many",
        "ratio": "half",
        "names": [1, 2],
        "table": {"a": "b"},
        "tmeout": 5,
        "timeout": {"connect": -1, "idel": 3},
        "retry": {"attempts": 10**9},
        "strict": "yes",
        "folder": "${NOWHERE}",
    }
    found = issues(Deep, given)
    paths = [i.path for i in found]
    for (
        wanted
    ) in "level count ratio names[0] names[1] tmeout timeout strict folder required".split():
        assert any(p.startswith(wanted) for p in paths), (wanted, paths)
    assert any("table" in p for p in paths)
    assert any("retry" in p for p in paths)
    assert all(i.problem for i in found)


def test_rules_beyond_types_are_checked_even_where_types_are_wrong() -> None:
    given = {"base_url": "ftp://x", "api_key": " ", "timeout": {"total": 0}, "strict": "yes"}
    assert {i.path for i in issues(HTTPConfig, given)} == {
        "base_url",
        "api_key",
        "timeout.total",
        "strict",
    }


def test_an_unknown_setting_comes_with_the_nearest_name() -> None:
    assert "did you mean base_url?" in str(only_issue({"base_uri": "x"}))
    assert "there are" in str(only_issue({"zzz": 1}))


def test_a_setting_under_two_names_is_refused() -> None:
    (issue,) = issues(Deep, {"required": "x", "count": 1, "n": 2})
    assert (issue.path, issue.fix) == ("n", "keep one")


@pytest.mark.parametrize("given", ["text", ["list"], 5, {1: "number for a name"}])
def test_a_configuration_that_is_no_table_is_refused(given: Any) -> None:
    with pytest.raises(ConfigError, match=r"configuration|no such setting"):
        create_provider("scripted", given)
    with pytest.raises(ConfigError, match=r"configuration|no such setting"):
        Toy(given)


TYPES: list[tuple[str, Any]] = [
    ("timeout", "10s"),
    ("timeout", True),
    ("timeout", [10]),
    ("timeout", None),
    ("retry", 3),
    ("retry", {"attempts": 2.5}),
    ("retry", {"attempts": True}),
    ("strict", 1),
    ("strict", "true"),
    ("base_url", 5),
    ("api_key", 5),
    ("headers", "x: y"),
    ("headers", {"x": 1}),
    ("allow_insecure_http", "no"),
]


@pytest.mark.parametrize(("name", "value"), TYPES)
def test_a_wrong_type_is_told_with_its_place(name: str, value: Any) -> None:
    issue = only_issue({name: value})
    assert issue.path.startswith(name)
    assert "Error" not in issue.problem, "the problem is in words, not an exception's name"


NUMBERS = [0, -1, math.nan, math.inf, -math.inf, 1e12]


@pytest.mark.parametrize("value", NUMBERS)
@pytest.mark.parametrize("name", ["connect", "first_chunk", "idle", "total"])
def test_a_timeout_is_above_zero_and_at_most_a_week(name: str, value: float) -> None:
    assert only_issue({"timeout": {name: value}}).path.startswith("timeout")


@pytest.mark.parametrize("value", NUMBERS)
def test_seconds_for_all_timeouts_have_the_same_limits(value: float) -> None:
    found = issues(HTTPConfig, {**URL, "timeout": value})
    assert {i.path.split(".")[0] for i in found} == {"timeout"}


@pytest.mark.parametrize("attempts", [0, -1, 21, 10**9])
def test_attempts_are_one_to_twenty(attempts: int) -> None:
    assert only_issue({"retry": {"attempts": attempts}}).path == "retry.attempts"


@pytest.mark.parametrize("name", ["initial", "maximum", "longest_hint"])
@pytest.mark.parametrize("value", [-1, math.nan, math.inf])
def test_pauses_are_finite_and_not_negative(name: str, value: float) -> None:
    assert only_issue({"retry": {name: value}}).path.startswith("retry")


@given(st.floats(0.001, 7 * 86400))
def test_seconds_bound_every_timeout(seconds: float) -> None:
    timeout = load_config(Config, {"timeout": seconds}, {}).timeout
    assert timeout.total == seconds
    assert timeout.connect <= seconds
    assert timeout.idle <= seconds


# Interpolation


def test_names_come_from_the_environment_anywhere_in_a_text() -> None:
    env = {"HOST": "api.example.com", "KEY": KEY}
    given = {"base_url": "https://${HOST}/v1", "api_key": "${KEY}", "headers": {"x-h": "a ${HOST}"}}
    config = load_config(HTTPConfig, given, env)
    assert config.base_url == "https://api.example.com/v1"
    assert config.api_key == Secret(KEY)
    assert config.headers["x-h"].reveal() == "a api.example.com"


def test_what_comes_in_is_not_looked_at_again() -> None:
    env = {"A": "${B}", "B": "never"}
    assert load_config(Deep, {"required": "${A}"}, env).required == "${B}"


@pytest.mark.parametrize(
    "text", ["${", "${A", "${}", "${A B}", "${A:-x}", "${A-}}", "${${A}}", "${1A}"]
)
def test_a_broken_reference_is_told(text: str) -> None:
    (issue,) = issues(Deep, {"required": text}, {"A": "x"})
    assert issue.path == "required"
    assert "${NAME}" in issue.fix


def test_a_missing_variable_is_told_by_its_name() -> None:
    found = issues(HTTPConfig, {"base_url": "${HOST}", "api_key": "${KEY}"})
    told = {(i.path, i.problem, i.fix) for i in found}
    assert ("base_url", "the environment has no HOST", "set HOST") in told
    assert ("api_key", "the environment has no KEY", "set KEY") in told


@given(jf.json_values())
def test_literal_settings_and_dollar_signs_stay_as_they_are(value: Any) -> None:
    assert load_config(Deep, {"required": "$A {B} $$", "script": value}, {}).script == value
    assert load_config(Deep, {"required": "$A {B} $$"}, {}).required == "$A {B} $$"


@pytest.mark.parametrize(
    "odd",
    [
        {"__class__": "os.system"},
        {"lc": 1, "type": "constructor", "id": ["os", "system"]},
        {"$ref": "#/definitions/x"},
        {"text": "{{ 7 * 7 }} ${HOME}"},
        {"!!python/object": "x"},
    ],
)
def test_data_is_never_code_type_or_template(odd: dict[str, Any]) -> None:
    assert load_config(Deep, {"required": "x", "script": odd}, {"HOME": "h"}).script == odd


# Addresses and keys


BAD_URLS = [
    "",
    "api.example.com",
    "//api.example.com",
    "https://",
    "file:///etc/passwd",
    "ftp://example.com",
    "unix:/tmp/socket",
    "javascript:alert(1)",
    "https://user:pass@example.com",
    "https://example.com/v1?key=x",
    "https://example.com/v1#top",
    "https://example.com/v1?",
    "https://exa mple.com",
    " https://example.com",
    "https://example.com/\r\nx: y",
    "https://example.com/\0",
    "https://еxample.com",
    "https://example.com:0",
    "https://example.com:99999",
    "https://example.com:port",
    "https://[::1",
    "https:\\\\example.com",
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_an_address_that_is_none_is_refused_with_the_form_that_is_wanted(url: str) -> None:
    (issue,) = issues(HTTPConfig, {"base_url": url})
    assert issue.path == "base_url"
    assert issue.fix
    assert "user:pass" not in issue.problem


@given(st.text(max_size=40))
def test_any_text_as_an_address_is_accepted_or_an_issue(url: str) -> None:
    try:
        load_config(HTTPConfig, {"base_url": url}, {})
    except ConfigError as error:
        assert {i.path for i in error.issues} == {"base_url"}  # noqa: PT017  # either is good


GOOD_URLS = [
    "https://a.example",
    "http://127.0.0.1:8000/v1/",
    "https://[::1]:8443/x",
    "HTTPS://A.example",
]


@pytest.mark.parametrize("url", GOOD_URLS)
def test_addresses_of_http_servers_are_accepted(url: str) -> None:
    assert load_config(HTTPConfig, {"base_url": url}, {}).base_url == url


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "empty"),
        ("   ", "empty"),
        (f"{KEY}\n", "line breaks"),
        (f"{KEY}\r\nx-admin: 1", "line breaks"),
        (f"{KEY}\0", "odd characters"),
        (f" {KEY}", "blanks"),
        ("schlüssel-0123456789", "odd characters"),
        ("sk-...", "placeholder"),
        ("your-key", "placeholder"),
        ("YOUR_API_KEY", "placeholder"),
    ],
)
def test_a_key_that_cannot_be_one_is_refused_unseen(key: str, said: str) -> None:
    issue = only_issue({"api_key": key})
    assert issue.path == "api_key"
    assert said in issue.problem
    assert issue.fix
    assert not key.strip() or key.strip() not in str(issue)


@pytest.mark.parametrize(
    "name", ["", "a b", "a:b", "x\r\ny", "ä", "host", "Content-Length", "transfer-encoding"]
)
def test_a_header_that_cannot_be_sent_is_refused(name: str) -> None:
    assert only_issue({"headers": {name: "x"}}).path.startswith("headers")


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\0", "ä"])
def test_a_headers_value_cannot_break_out(value: str) -> None:
    assert only_issue({"headers": {"x-a": value}}).path.startswith("headers")


def test_a_certificate_that_is_not_there_is_told() -> None:
    assert "there is no such file" in str(only_issue({"ca_file": "/no/such.pem"}))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "my.localhost"])
def test_a_key_may_go_unencrypted_to_this_machine(host: str) -> None:
    assert Toy({"base_url": f"http://{host}:8000", "api_key": KEY}).validate_config() == []


@pytest.mark.parametrize(
    "host", ["example.com", "10.0.0.5", "127.0.0.1.example.com", "2130706433", "localhost.evil.com"]
)
def test_a_key_does_not_go_unencrypted_to_another(host: str) -> None:
    provider = Toy({"base_url": f"http://{host}", "api_key": KEY})
    (issue,) = provider.validate_config()
    assert (issue.path, "https" in issue.fix) == ("base_url", True)
    with pytest.raises(ConfigError, match="would be sent unencrypted"):
        provider.execute("m", "Hi")
    allowed = {"base_url": f"http://{host}", "api_key": KEY, "allow_insecure_http": True}
    assert Toy(allowed).validate_config() == []


def test_no_other_spelling_of_an_address_counts_as_this_machine() -> None:
    assert not any(map(is_loopback, ["http://128.0.0.1", "http://[::2]", "http://1.localhost.de"]))


def test_a_missing_key_is_told_with_both_places_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOY_API_KEY", raising=False)
    (issue,) = Toy(URL).validate_config()
    assert issue.path == "api_key"
    assert "TOY_API_KEY" in issue.fix
    with pytest.raises(ConfigError, match="TOY_API_KEY"):
        Toy(URL).execute("m", "Hi")


def test_the_environments_key_is_used_where_none_is_configured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOY_API_KEY", f"  {KEY} ")
    assert Toy(URL).validate_config() == []
    monkeypatch.setenv("TOY_API_KEY", "   ")
    assert [i.path for i in Toy(URL).validate_config()] == ["api_key"]


def test_a_key_in_the_environment_is_checked_like_a_configured_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOY_API_KEY", f"{KEY}\nx")
    with pytest.raises(ConfigError) as caught:
        Toy(URL).execute("m", "Hi")
    assert KEY not in str(caught.value)
    assert "TOY_API_KEY" in str(caught.value)


@given(jf.json_objects())
def test_any_table_is_a_configuration_or_a_configuration_error(given: dict[str, Any]) -> None:
    try:
        load_config(HTTPConfig, {**URL, **given}, {})
    except ConfigError as error:
        assert error.issues  # noqa: PT017  # either is good


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: jf.json_values()
            for name in "timeout retry strict base_url api_key headers ca_file allow_insecure_http".split()
        },
    )
)
def test_any_value_of_a_setting_is_taken_or_told(given: dict[str, Any]) -> None:
    try:
        load_config(HTTPConfig, {**URL, **given}, {})
    except ConfigError as error:
        assert {i.path.split(".")[0].split("[")[0] for i in error.issues} <= {*given, *URL}  # noqa: PT017  # either is good
