"""A key that somebody put into the wrong place of a configuration is refused unseen, by every provider."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import fields

from jackfield import LLMError, available_providers, create_provider
from jackfield.plugins import plugin_manager

# Of no shape that is known for a key's, so that nothing strikes it out later.
KEY = "plover7q2w9e4r"

FORMS: dict[str, Any] = {
    "alone": KEY,
    "with-a-line-break": f"{KEY}\n",
    "as-password": f"https://me:{KEY}@host.example/v1",
    "as-user": f"https://{KEY}@host.example/v1",
    "as-port": f"https://me:{KEY}",
    "in-a-query": f"https://host.example/v1?key={KEY}",
    "in-brackets": f"https://[{KEY}]/v1",
    "as-password-of-another-protocol": f"ftp://me:{KEY}@host.example",
    "in-a-list": [KEY],
    "in-a-table": {"x-token": KEY},
    "deep": {"a": [{"b": KEY}]},
    "from-the-environment": "${MISPLACED}",
    "in-a-broken-reference": f"${{{KEY}",
}
TYPOS = ("apikey", "key", "token", "url")


def shown(error: BaseException) -> Iterator[str]:
    """What can be seen of *error*: its texts, its facts, and the variables of our frames."""
    yield f"{error} {error!r} {vars(error)}"
    yield pickle.dumps(error).decode("latin-1")
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename != __file__:
            yield f"{frame.f_code.co_name}: {frame.f_locals!r}"
    for cause in (error.__cause__, error.__context__):
        if cause is not None:
            yield from shown(cause)


def settings(name: str) -> list[str]:
    return [f.name for f in fields(plugin_manager().provider_class(name).Config)]


KEYED = [name for name in available_providers() if "api_key" in settings(name)]


def refusal(name: str, config: dict[str, Any]) -> LLMError | None:
    try:
        create_provider(name, config)
    except LLMError as error:
        return error
    return None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", KEYED)
def test_no_error_shows_a_part_of_what_was_configured(
    name: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISPLACED", KEY)
    tried = {s: refusal(name, {s: FORMS[form]}) for s in [*settings(name), *TYPOS]}
    refused = {setting: error for setting, error in tried.items() if error is not None}
    assert refused.keys() >= set(TYPOS)
    telling = {s: [t for t in shown(e) if KEY in t] for s, e in refused.items()}
    assert {s: texts for s, texts in telling.items() if texts} == {}
