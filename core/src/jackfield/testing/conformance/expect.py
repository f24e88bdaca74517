"""Holding a replayed recording against what its file says about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from ...flow import HTTPRequest
from ..recordings import Recording
from .observe import Outcome, require


def check_expectations(recording: Recording, outcome: Outcome) -> None:
    """Compare ``expect`` of *recording* with *outcome*."""
    expected = dict(recording.expect)
    if not expected:
        return
    error = expected.pop("error", None)
    got = None if outcome.error is None else outcome.error.__name__
    todo = "correct the plugin, or the recording's `expect`"
    require(got == error, f"{recording}: the error is {got}, expected {error}: {outcome}", todo)
    facts = dict(outcome.facts)
    for path, value in expected.items():
        found = facts.get(path) if error else _reach(outcome.result, path)
        what = f"{recording}: {path} is {found!r}, expected {value!r}"
        require(found == value, what, todo)


def _reach(value: Any, path: str) -> Any:
    """The value at a dotted *path* of attributes, as plain data."""
    for name in path.split("."):
        value = value[int(name)] if name.isdecimal() else getattr(value, name)
    return value.value if isinstance(value, Enum) else value


def check_request(where: str, sent: HTTPRequest, expected: Mapping[str, Any] | None) -> None:
    """Compare a request that was *sent* with the recorded one, where there is one."""
    if expected is None:
        return
    todo = "correct build(), or record again if the new request is right"
    got = (sent.method, urlsplit(sent.url).path)
    want = (expected.get("method", sent.method), urlsplit(expected.get("url", sent.url)).path)
    require(got == want, f"{where} goes to {got}, recorded was {want}", todo)
    if "body" in expected:
        body = json.loads(sent.body) if sent.body else None
        recorded = expected["body"]
        require(body == recorded, f"{where} has the body {body}, recorded was {recorded}", todo)
