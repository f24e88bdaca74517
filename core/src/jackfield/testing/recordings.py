r"""Recorded exchanges: a small JSON format and its loader; `Tape` makes such files.

A recording is one JSON file::

    {
      "call": {"verb": "stream_execute", "model": "m", "prompt": "Hi",
               "parameters": {"temperature": 0}, "options": {"system": "Be kind."}},
      "interactions": [
        {"request": {"method": "POST", "url": "https://api.example.com/v1/chat", "body": {…}},
         "response": {"status": 200, "headers": {"content-type": "text/event-stream"},
                      "timing": [[0.21, 0], [0.24, 187], [0.31, 14]],
                      "sse": "data: {…}\n\ndata: [DONE]\n\n"}}
      ],
      "expect": {"text": "Hello", "finish_reason": "stop"}
    }

``call``: *verb* is ``execute``, ``stream_execute``, ``list_models`` or one of the
operations' (``embed``, ``rerank``, ``transcribe``, …), whose arguments beside *model* are in
``options`` (``{"inputs": […]}``; media as ``{"media_type": …, "base64": …}``), or ``run``, of a
typed ``request`` that is there: ``{"$": "MODULE:CLASS", …}`` with its fields, as
`jackfield.manager.encoding` writes it; left out, a streamed or plain chat, as the response is. An
interaction's ``request`` may be left out; if it is there, what the provider sends is held against
it. The response's bytes are one of ``body`` (JSON, written compactly), ``body_text`` (as it is), ``sse`` (as it is,
a stream of events), ``body_base64``; ``"stream": "ndjson"`` marks a body of JSON lines.
``timing``, which may be left out, has the seconds since the request was sent and how many bytes
came then: the head first, without any, then each piece of the body. ``failure`` has what happened
after the last byte, or in place of an answer, whose status is 0 then: the name of the ``error``,
its ``message``, ``phase`` and ``maybe_executed``.
``provider`` and ``config``, which may be left out, are the name of the provider that was asked, and
settings, but for secrets, that its replay needs.
Several interactions are the attempts of one call. ``expect`` is optional: attributes of the
response, or ``error`` with the name of its class and attributes of the error.
"""

from __future__ import annotations

import difflib
import inspect
import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any, cast

from attrs import evolve, field, frozen

from ..drivers.replay import Failure, Recorded
from ..errors import ConfigError
from ..manager.encoding import TAG, decode
from ..provider import LLMProvider
from ..requests import ModelListRequest, Request
from ..types import ConfigIssue, MediaPart
from ..verbs import OperationVerbs

OPERATIONS = {n: f.made_by for n, f in vars(OperationVerbs).items() if hasattr(f, "made_by")}
VERBS = ("execute", "stream_execute", "list_models", "run", *(n for n in OPERATIONS if n[0] != "a"))
_BODY = ("body", "body_text", "body_base64")
FIELDS = {
    "": ("call", "interactions", "expect", "provider", "config", "made_with"),
    "call": ("verb", "model", "prompt", "parameters", "options"),
    "interactions": ("request", "response"),
    "request": ("method", "url", *_BODY),
    "response": ("status", "headers", *_BODY, "sse", "stream", "timing", "failure"),
}
"""What a recording may hold, its call, each of its interactions, and what was sent and came there."""
_ARGUMENTS = {"request", *chain(*(inspect.signature(m).parameters for m in OPERATIONS.values()))}
TYPED = 'a typed request is its class and its fields: {"$": "jackfield.requests:ModelInfoRequest", "model": …}'


@frozen(kw_only=True)
class Recording:
    """One recorded call: what was asked, what was sent, what came back."""

    name: str
    verb: str = "execute"
    model: str = "a-model"
    prompt: Any = "Hi"
    parameters: Mapping[str, Any] = field(factory=dict)
    options: Mapping[str, Any] = field(factory=dict)
    responses: tuple[Recorded, ...] = ()
    requests: tuple[Mapping[str, Any] | None, ...] = ()
    expect: Mapping[str, Any] = field(factory=dict)
    framing: str = ""
    provider: str = ""
    config: Mapping[str, Any] = field(factory=dict)

    def __str__(self) -> str:
        return self.name

    @property
    def streamed(self) -> bool:
        """Whether the call asks for a stream."""
        return self.verb == "stream_execute"

    @property
    def payload(self) -> bytes:
        """The body of the last response."""
        return b"".join(self.responses[-1].chunks)

    def request(self, provider: LLMProvider) -> Request[Any]:
        """The typed request of the call, to *provider*."""
        if (typed := self.options.get("request")) is not None:
            return _typed(typed)
        match self.verb:
            case "list_models":
                return ModelListRequest()
            case "execute" | "stream_execute":
                given = (self.model, self.prompt, self.parameters)
                return provider.chat_request(*given, **self.options)
        usual = {"model": self.model, "prompt": self.prompt, "inputs": self.prompt}
        usual |= {"text": self.prompt, "query": self.prompt, "parameters": self.parameters}
        make = OPERATIONS[self.verb]
        taken = {n: usual[n] for n in inspect.signature(make).parameters if n in usual}
        return cast("Request[Any]", make(provider, **{**taken, **_media(self.options)}))

    def cut(self, chunks: Sequence[bytes]) -> Recording:
        """The same, with the last response arriving as *chunks*."""
        last = evolve(self.responses[-1], chunks=tuple(chunks), times=())
        return evolve(self, responses=(*self.responses[:-1], last))


def _typed(given: Any) -> Request[Any]:
    """The request that ``options.request`` is, or is written as."""
    made = decode(given)
    if isinstance(made, Request):
        return made
    raise ConfigError(f"call.options.request is a {type(made).__name__}, no request: {TYPED}")


def _media(options: Mapping[str, Any]) -> dict[str, Any]:
    """*options* whose ``{"media_type": …, "base64": …}`` are media."""
    made: dict[str, Any] = {}
    for name, value in options.items():
        many = value if isinstance(value, list) else [value]
        read = [
            MediaPart(v["media_type"], b64decode(v["base64"]), name=v.get("name"))
            if isinstance(v, Mapping) and "base64" in v
            else v
            for v in many
        ]
        made[name] = read if isinstance(value, list) else read[0]
    return made


def load_recordings(path: str | Path) -> list[Recording]:
    """The recording in the file *path*, or all in the folder *path* and below.

    Raises:
        ConfigError: missing or misshapen; every problem with its file.
    """
    root = Path(path)
    files = sorted(root.rglob("*.json")) if root.is_dir() else [root]
    issues: list[ConfigIssue] = []
    found = [r for file in files if (r := _load(file, issues)) is not None]
    if not files:
        issues.append(ConfigIssue(str(root), "holds no .json file", "save a Tape there"))
    if issues:
        raise ConfigError("some recordings cannot be read:", issues)
    return found


def _load(file: Path, issues: list[ConfigIssue]) -> Recording | None:
    try:
        given = json.loads(file.read_text("utf-8"))
        return parse_recording(file.stem, given)
    except OSError as error:
        issues.append(ConfigIssue(str(file), error.strerror or "cannot be read"))
    except KeyError as error:
        fix = "see jackfield.testing.recordings for the format"
        issues.append(ConfigIssue(str(file), f"lacks {error}", fix))
    except ConfigError as error:
        issues += [evolve(issue, path=f"{file}: {issue.path}") for issue in error.issues]
    except (ValueError, TypeError, AttributeError) as error:
        fix = "see jackfield.testing.recordings for the format"
        issues.append(ConfigIssue(str(file), f"is no recording: {error}", fix))
    return None


def parse_recording(name: str, given: Mapping[str, Any]) -> Recording:
    """The recording that the JSON document *given* describes.

    Raises:
        ConfigError: it has a field that no recording has, or one in another's place.
    """
    turns = given["interactions"]
    if not turns:
        raise ValueError("interactions is empty")
    inside = ((place, turn.get(place) or {}) for turn in turns for place in ("request", "response"))
    held = [("", given), *(("interactions", turn) for turn in turns), *inside]
    if issues := [issue for place, table in held for issue in _strange(place, table)]:
        raise ConfigError(f"the recording {name!r} cannot be read:", issues)
    answers = [turn["response"] for turn in turns]
    framing = "sse" if "sse" in answers[-1] else answers[-1].get("stream", "")
    call = {"verb": "stream_execute" if framing else "execute", **(given.get("call") or {})}
    return evolve(
        parse_call(name, call),
        responses=tuple(map(_recorded, answers)),
        requests=tuple(turn.get("request") for turn in turns),
        expect=given.get("expect") or {},
        framing=framing,
        provider=given.get("provider") or "",
        config=given.get("config") or {},
    )


def parse_call(name: str, call: Mapping[str, Any]) -> Recording:
    """The call that a recording's ``call`` describes, without an answer yet.

    Raises:
        ConfigError: it has a field that no call has, or its typed request is none.
    """
    verb = call.get("verb", "execute")
    if verb not in VERBS:
        raise ValueError(f"call.verb is {verb!r}, not one of {', '.join(VERBS)}")
    given = {k: v for k, v in call.items() if k != "name"}
    if issues := [*_strange("call", given), *_untyped(verb, given.get("options") or {})]:
        raise ConfigError(f"the call of {name!r} cannot be read:", issues)
    return Recording(name=name, **given)


def _strange(place: str, given: Mapping[str, Any]) -> Iterator[ConfigIssue]:
    """What of *given* has no business in *place*, a key of `FIELDS`."""
    names = FIELDS[place]
    for key in (k for k in given if k not in names):
        near = difflib.get_close_matches(key, names, 1)
        homes = [home or "the top" for home, there in FIELDS.items() if key in there]
        if place == "call" and key in _ARGUMENTS:
            fix = f"put it into call.options: {{{key!r}: …}}".replace("'", '"')
        elif homes:
            fix = f"it belongs into {' or '.join(homes)}"
        elif near:
            fix = f"did you mean {near[0]}?"
        else:
            fix = "what a verb takes is in call.options" if place == "call" else "leave it out"
        path = f"{place}.{key}" if place else key
        yield ConfigIssue(path, "no such field", f"{fix}; there are {', '.join(names)}")


def _untyped(verb: str, options: Mapping[str, Any]) -> Iterator[ConfigIssue]:
    """A typed request that is missing, or has no class."""
    given, path = options.get("request"), "call.options.request"
    if given is None and verb == "run":
        yield ConfigIssue(path, "is missing, and run takes nothing else", TYPED)
    elif isinstance(given, Mapping) and TAG not in given:
        yield ConfigIssue(path, "does not say which request it is", TYPED)


def _recorded(answer: Mapping[str, Any]) -> Recorded:
    headers = {k.lower(): v for k, v in (answer.get("headers") or {}).items()}
    headers.pop("content-encoding", None)  # the bytes here are decoded already
    payload = _payload(answer)
    times, chunks = _timed(payload, answer.get("timing") or ())
    failure = Failure(**answer["failure"]) if "failure" in answer else None
    status = int(answer.get("status", 200))
    return Recorded(status=status, headers=headers, chunks=chunks, times=times, failure=failure)


def _timed(payload: bytes, timing: Sequence[Sequence[Any]]) -> tuple[list[float], list[bytes]]:
    """When what of *payload* came; where the sizes are another body's, all of it at the last time."""
    times, sizes = [float(at) for at, _ in timing], [int(size) for _, size in timing]
    if sum(sizes) != len(payload) or sizes[:1] != [0] or times != sorted(times):
        return times[:1] + times[1:][-1:], [payload] if payload else []
    ends = list(accumulate(sizes))
    return times, [payload[a:b] for a, b in pairwise(ends)]


def _payload(answer: Mapping[str, Any]) -> bytes:
    for name in ("sse", "body_text"):
        if name in answer:
            return str(answer[name]).encode()
    if "body_base64" in answer:
        return b64decode(answer["body_base64"], validate=True)
    body = answer.get("body")
    if body is None or isinstance(body, str):
        return (body or "").encode()
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def recordings_of(given: str | Path | Sequence[Any]) -> Iterator[Recording]:
    """The recordings that a conformance class names: a path, or paths and `Recording`s."""
    for item in [given] if isinstance(given, str | Path) else given:
        if isinstance(item, Recording):
            yield item
        else:
            yield from load_recordings(item)
