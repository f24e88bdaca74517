"""A secret appears in no text that Python can make of it or of what holds it."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable
from typing import Any

import attrs
import cattrs
import msgspec
import pytest
from core_toy import KEY, Toy, make, sent, whole
from hypothesis import given
from hypothesis import strategies as st

from jackfield import AuthenticationError, ConfigError, LLMError, Secret, create_provider
from jackfield.config import HTTPConfig, conceal, load_config
from jackfield.drivers.replay import Recorded
from jackfield.flow import HTTPRequest
from jackfield.secret import Headers, mask, masked_headers

# Long enough not to be part of any repr by chance.
VALUES = st.text(st.characters(codec="utf-8"), min_size=12, max_size=40).map(lambda t: f"\u2603{t}")


@attrs.frozen
class Held:
    key: Secret


@dataclasses.dataclass
class Boxed:
    key: Secret


DUMPS: list[Callable[[Secret], Any]] = [
    repr,
    str,
    ascii,
    "{}".format,
    "{!r:>60}".format,
    lambda s: "%s %r" % (s, s),  # noqa: UP031  # one of the ways
    lambda s: f"{s:>50}",
    pprint.pformat,
    lambda s: repr([s, {"k": s}, (s,), {s}]),
    lambda s: repr(Held(s)),
    lambda s: repr(attrs.asdict(Held(s))),
    lambda s: repr(attrs.astuple(Held(s))),
    lambda s: repr(Boxed(s)),
    lambda s: repr(dataclasses.asdict(Boxed(s))),
    lambda s: repr(HTTPConfig(base_url="https://x", api_key=s, headers={"x-key": s})),
    lambda s: repr(dir(s)),
    lambda s: repr(copy.deepcopy(Held(s))),
    lambda s: repr(ValueError(s)),
    lambda s: str(KeyError(s)),
    lambda s: json.dumps({"key": s}, default=str),
    lambda s: json.dumps({"key": s}, default=repr),
]


@given(VALUES, st.sampled_from(DUMPS))
def test_no_dump_shows_a_secret(value: str, dump: Callable[[Secret], Any]) -> None:
    assert value not in str(dump(Secret(value)))


REFUSING: list[Callable[[Secret], Any]] = [
    pickle.dumps,
    lambda s: pickle.dumps(Held(s)),
    copy.copy,
    json.dumps,
    msgspec.json.encode,
    msgspec.to_builtins,
    vars,
    lambda s: cattrs.Converter().unstructure(s).upper(),
]


@pytest.mark.parametrize("dump", REFUSING)
def test_a_dump_that_would_need_the_value_is_refused_without_telling_it(dump: Any) -> None:
    with pytest.raises((TypeError, AttributeError)) as caught:
        dump(Secret(KEY))
    assert KEY not in str(caught.value)


def test_only_reveal_gives_it_away() -> None:
    assert Secret(KEY).reveal() == KEY
    assert Secret(Secret(KEY)).reveal() == KEY


def test_secrets_compare_by_value_and_are_hashable() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert Secret("ä") == Secret("ä")
    assert not Secret("")
    assert Secret("a")


def test_any_text_can_be_a_secret_that_is_compared() -> None:
    assert Secret("\ud800") == Secret("\ud800") != Secret("\ud801")


def test_an_attribute_cannot_be_added_to_a_secret() -> None:
    with pytest.raises(AttributeError):
        Secret("a").note = "b"  # type: ignore[attr-defined]  # that is the claim


@pytest.mark.parametrize(
    "name", ["Authorization", "authorization", "X-API-Key", "api-key", "x-goog-api-key", "Cookie"]
)
def test_headers_that_carry_keys_are_hidden(name: str) -> None:
    for shown in (
        f"{Headers({name: KEY})}",
        repr(Headers({name: KEY})),
        f"{masked_headers({name: KEY})}",
    ):
        assert KEY not in shown
        assert name in shown


def test_a_request_does_not_show_its_headers_keys_or_its_body() -> None:
    request = HTTPRequest(
        url="https://x", headers={"authorization": f"Bearer {KEY}"}, body=b"prompt"
    )
    assert KEY not in repr(request)
    assert "prompt" not in repr(request)


@given(st.text(max_size=60))
def test_masking_leaves_no_key_and_is_done_once(text: str) -> None:
    masked = mask(f"{text} {KEY} {text}")
    assert KEY not in masked
    assert mask(masked) == masked


def told(error: BaseException) -> str:
    """Everything that a crash reporter could show of *error*."""
    lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()
    return "".join(lines) + repr(vars(error)) + repr(error) + str(error)


def keyed(*answers: Any, **config: Any) -> Toy:
    """A toy whose key no frame of a test holds as plain text."""
    return make(*answers, **config)


ECHO = Recorded(
    status=401,
    chunks=[json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}}).encode()],
)


def test_a_server_that_repeats_the_key_does_not_make_us_show_it() -> None:
    with pytest.raises(AuthenticationError) as caught:
        keyed(ECHO).execute("m", "Hi")
    assert KEY not in told(caught.value)
    assert "Incorrect API key provided" in str(caught.value)


def test_a_key_of_no_known_shape_is_struck_as_well() -> None:
    key = "0123456789abcdef" * 2
    body = json.dumps({"error": {"message": f"bad key {key}", "code": key}}).encode()
    provider = make(Recorded(status=403, chunks=[body]), api_key=key)
    with pytest.raises(LLMError) as caught:
        provider.execute("m", "Hi")
    assert key not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


def test_a_refused_configuration_does_not_show_the_key() -> None:
    with pytest.raises(ConfigError) as caught:
        create_provider("scripted", {"api_key": "canary\n", "no_such": 1})
    assert "canary" not in str(caught.value)
    hidden = conceal({"api_key": f"{KEY}\n", "base_url": "https://x", "tmeout": 3})
    with pytest.raises(ConfigError) as caught:
        load_config(HTTPConfig, hidden)
    assert "odd characters" in str(caught.value)
    assert KEY not in told(caught.value)


def test_a_header_in_the_configuration_is_as_secret_as_the_key() -> None:
    provider = keyed(whole("Hi"), headers={"x-tenant-token": KEY[::-1]})
    provider.execute("m", "Hi")
    assert sent(provider)[0].headers["x-tenant-token"] == KEY[::-1]
    assert KEY[::-1] not in repr(provider.config)
    assert KEY[::-1] not in repr(vars(provider))
    assert KEY[::-1] not in repr(sent(provider))
    assert KEY[::-1] not in repr(provider.explain("m", "Hi"))


def test_no_logger_of_any_library_gets_the_key(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        provider = keyed(whole("Hello"), ECHO)
        provider.execute("m", "Hi")
        with pytest.raises(AuthenticationError):
            provider.execute("m", "Hi")
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    printed = capsys.readouterr()
    assert KEY not in stream.getvalue() + printed.out + printed.err


def test_the_key_goes_into_one_header_and_nowhere_else() -> None:
    provider = keyed(whole("Hello"))
    provider.execute("m", "Hi")
    (request,) = sent(provider)
    assert [n for n, v in request.headers.items() if KEY in v] == ["authorization"]
    assert KEY.encode() not in (request.body or b"")
    assert KEY not in request.url


def test_explain_shows_stars_for_the_key() -> None:
    plan = keyed().explain("m", "Hi")
    assert plan.headers["authorization"] == "**********"
    assert KEY not in repr(plan)
