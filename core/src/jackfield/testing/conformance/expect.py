"""Holding a replayed recording against what its file says about it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin
from urllib.parse import urlsplit

from ...flow import HTTPRequest
from ...requests import Request
from ...types import WarningKind
from ..recordings import Recording
from .observe import Outcome, require


def check_result(where: str, request: Request[Any], result: Any) -> None:
    """See that *result* is what the class of *request* promises, and its warnings are of known kinds."""
    promised = _promised(type(request))
    of = get_origin(promised) or promised
    what, todo = f"{where}: parse gives {_named(result)}", f"return {_told(promised)}"
    require(isinstance(result, of), what, todo)
    for item in result if of is Sequence else ():
        require(isinstance(item, get_args(promised)), f"{what} with {_named(item)} in it", todo)
    for warning in getattr(result, "warnings", ()):
        kinds = get_args(WarningKind)
        what = f"{where}: there is a warning of the kind {warning.kind!r}"
        require(warning.kind in kinds, what, f"take one of {', '.join(kinds)}")


def _promised(request: type[Request[Any]]) -> Any:
    """What a request of that class gives: the argument of the `Request` that it is made of."""
    for cls in request.__mro__:
        for base in getattr(cls, "__orig_bases__", ()):
            given = get_args(base)
            if issubclass(get_origin(base) or object, Request) and given:
                return object if isinstance(given[0], TypeVar) else given[0]
    return object


def _named(value: Any) -> str:
    return f"a {type(value).__name__}"


def _told(promised: Any) -> str:
    inner = [_told(one) for one in get_args(promised)]
    name = getattr(promised, "__name__", str(promised))
    return (
        f"{name} of {', '.join(inner)}"
        if inner
        else "None"
        if promised is NoneType
        else f"a {name}"
    )


def check_expectations(recording: Recording, outcome: Outcome) -> None:
    """Compare ``expect`` of *recording* with *outcome*."""
    expected = dict(recording.expect)
    if not expected:
        meant = any(r.status >= 300 or r.failure for r in recording.responses[-1:])
        todo = "correct the plugin, or say in the recording's `expect` which error is meant"
        require(meant or outcome.error is None, f"{recording}: {outcome}", todo)
        return
    error = expected.pop("error", None)
    got = None if outcome.error is None else outcome.error.__name__
    todo = "correct the plugin, or the recording's `expect`"
    require(got == error, f"{recording}: the error is {got}, expected {error}: {outcome}", todo)
    facts = dict(outcome.facts)
    if outcome.partial is not None:
        facts["partial_text"] = outcome.partial.text
    for path, value in expected.items():
        found = facts.get(path) if error else _reach(outcome.result, path)
        what = f"{recording}: {path} is {found!r}, expected {value!r}"
        require(found == value, what, todo)


def _reach(value: Any, path: str) -> Any:
    """The value at a dotted *path* of attributes, as plain data."""
    for name in path.split("."):
        value = value[int(name)] if name.isdecimal() else getattr(value, name)
    return value.value if isinstance(value, Enum) else value


def check_request(
    where: str, sent: HTTPRequest, expected: Mapping[str, Any] | None, base: str = ""
) -> None:
    """Compare a request that was *sent* with the recorded one, where there is one; the URL below *base*."""
    if expected is None:
        return
    todo = "correct build(), or record again if the new request is right"
    method, url = expected.get("method", sent.method), expected.get("url", sent.url)
    path = urlsplit(sent.url).path.removeprefix(urlsplit(base).path.rstrip("/"))
    same = sent.method == method and urlsplit(url).path.endswith(path)
    require(same, f"{where} is {sent.method} {sent.url}, recorded was {method} {url}", todo)
    if "body" in expected:
        body = json.loads(sent.body) if sent.body else None
        recorded = expected["body"]
        require(body == recorded, f"{where} has the body {body}, recorded was {recorded}", todo)
