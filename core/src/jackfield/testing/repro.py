"""A call for a bug report: recorded as it happens, without secrets, and played again offline."""

from __future__ import annotations

import json
import os
import platform
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from attrs import asdict, define, evolve, frozen

from ..capabilities import home
from ..drivers.concurrent import AsyncDriver
from ..drivers.replay import AsyncReplayDriver, ReplayDriver, ReplayTransport, StillClock
from ..drivers.sync import SyncDriver
from ..errors import ConfigError, InvalidRequestError, LLMError, StreamInterruptedError
from ..flow import Flow
from ..http import HTTPProvider
from ..manager.encoding import encode
from ..plugins import plugin_manager
from ..provider import LLMProvider
from ..requests import ChatRequest, Request
from ..secret import Secret
from ..types import ChatResponse, TextPart
from .filler import fill_recording
from .recordings import Recording, load_recordings, parse_call, parse_recording
from .redaction import forms
from .stand_ins import settings_of, stand_in
from .tapes import Tape, Turn

IDS = ("request-id", "x-request-id", "cf-ray", "x-amzn-requestid", "apim-request-id")
"""Headers by which a provider finds a call again."""

_PAIR = re.compile(r"\[\n\s*([\d.]+),\n\s*(\d+)\n\s*\]")


@frozen(kw_only=True)
class Seen:
    """What a program saw of a call: its events if it was streamed, its result or its error."""

    events: tuple[Any, ...] = ()
    result: Any = None
    error: LLMError | None = None

    @property
    def response(self) -> ChatResponse | None:
        """The answer of a chat, or what had come of it."""
        partial = self.error.partial if isinstance(self.error, StreamInterruptedError) else None
        return self.result if isinstance(self.result, ChatResponse) else partial

    @property
    def text(self) -> str:
        """The text of the answer, or what had come of it."""
        return self.response.text if self.response else "".join(map(str, self.events))

    def shape(self) -> tuple[Any, ...]:
        """What stays when texts become filler: kinds, sizes, reasons."""
        if (response := self.response) is None:
            return (type(self.error or self.result).__name__,)
        parts = [type(part).__name__ for part in response.message.content]
        size, names = len(response.text.encode()), [c.name for c in response.tool_calls]
        error = type(self.error).__name__ if self.error else ""
        return (error, response.finish_reason, parts, size, names)


@define
class Taken:
    """One call while it is recorded: its request, its part of the tape, and what came of it."""

    request: Request[Any]
    streamed: bool
    first: int
    last: int | None = None
    seen: Seen | None = None


@frozen(kw_only=True)
class Written:
    """A recording as plain data; *notes* tell what its reader should know."""

    document: dict[str, Any]
    notes: tuple[str, ...] = ()


class Recorder:
    """Records the calls of one provider; `record` makes it."""

    def __init__(self, provider: LLMProvider, tape: Tape) -> None:
        self._provider, self._tape = provider, tape
        self.calls: list[Taken] = []

    def watched(self, attempts: Any, request: Request[Any], stream: bool, budget: Any) -> Flow[Any]:
        """A call of the provider, noted."""
        taken = Taken(request, stream, len(self._tape.turns))
        self.calls.append(taken)
        try:
            result = yield from attempts(request, stream, budget)
            taken.seen = Seen(result=result)
        except LLMError as error:
            taken.seen = Seen(error=error)
            raise
        finally:
            taken.last = len(self._tape.turns)
        return result

    @property
    def sent(self) -> bool:
        """Whether the last call sent anything."""
        return bool(self.calls) and len(self._tape.turns) > self.calls[-1].first

    def document(self, *, redact_text: bool = False, redact_ids: bool = False) -> Written:
        """The last call as a recording (see `jackfield.testing.recordings`), without a secret.

        *redact_text* replaces what people and models wrote by filler, *redact_ids* the numbers by
        which the provider finds the call again by stars.

        Raises:
            ConfigError: no call was made, it sent nothing, or a secret could not be kept out.
        """
        taken = self.calls[-1] if self.calls else None
        turns = self._tape.turns[taken.first : taken.last] if taken else []
        if taken is None or not turns:
            raise ConfigError("there is nothing to record: no request was sent")
        plain, secret, notes = self._plain(taken, turns, redact_ids), forms(self._tape.secrets), []
        document, seen = _finished(fill_recording(plain) if redact_text else plain)
        if not redact_text and any(form in seen.text for form in secret):
            notes.append("texts are replaced by filler: the answer spells a secret out in pieces")
            document, seen = _finished(fill_recording(plain))
        text = json.dumps(document, ensure_ascii=False)
        if any(form in text for form in secret):
            raise ConfigError("the recording would hold a secret: it is not written")
        if taken.seen is not None and (again := seen.shape()) != (was := taken.seen.shape()):
            notes.append(f"its replay comes to {again}, the call came to {was}")
        return Written(document=document, notes=tuple(notes))

    def save(self, path: str | Path, **options: Any) -> Written:
        """Write `document` into the file *path*, which its owner alone may read."""
        written = self.document(**options)
        text = json.dumps(written.document, ensure_ascii=False, indent=1) + "\n"
        text = _PAIR.sub(r"[\1, \2]", text)  # a line for each piece of a stream
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", encoding="utf-8", opener=partial(os.open, mode=0o600)) as file:
            file.write(text)
        return written

    def _plain(self, taken: Taken, turns: list[Turn], redact_ids: bool) -> dict[str, Any]:
        provider, told = self._provider, [t.headers.get(name, "") for t in turns for name in IDS]
        tape = self._tape.part(turns, told if redact_ids else ())
        config = settings_of(provider)
        if (timeout := taken.request.timeout) is not None:
            config["timeout"] = asdict(timeout)
        call = call_of(provider, taken.request, taken.streamed)
        facts = {"provider": provider.info.name, "config": config, "made_with": made_with(provider)}
        return tape.document(**facts, call=call)


def _finished(document: Mapping[str, Any]) -> tuple[dict[str, Any], Seen]:
    """The recording *document* with what it is to be expected to give, and that."""
    seen = play(parse_recording("recording", document))
    told = {**document, "expect": expected(seen)}
    first = ("provider", "made_with", "config", "call")
    return {name: told[name] for name in (*first, "interactions", "expect")}, seen


@contextmanager
def record(provider: LLMProvider, *, secrets: Iterable[str | Secret] = ()) -> Iterator[Recorder]:
    """Record the calls that *provider* makes inside, one after the other, in any colour.

    ::

        with record(provider) as recorder:
            try:
                provider.execute("some-model", "Hi")
            finally:
                recorder.save("repro.json", redact_text=True)

    *secrets* are texts that must not be in it, beside the provider's own.

    Raises:
        ConfigError: the provider is none that is spoken to over HTTP.
    """
    if not isinstance(provider, HTTPProvider):
        fix = "a recording is of what passes between a program and a server"
        raise ConfigError(f"{provider.name} is not spoken to over HTTP: {fix}")
    tape = Tape(secrets=secrets)
    tape.conceal(provider)
    recorder = Recorder(provider, tape)
    own = provider._driver, provider._async_driver  # noqa: SLF001  # put back below
    provider._driver = tape.driver(own[0]._transport)  # noqa: SLF001
    provider._async_driver = tape.async_driver(own[1]._transport)  # noqa: SLF001
    attempts = provider.attempts
    vars(provider)["attempts"] = partial(recorder.watched, attempts)
    try:
        yield recorder
    finally:
        provider._driver, provider._async_driver = own  # noqa: SLF001
        del vars(provider)["attempts"]


def call_of(provider: LLMProvider, request: Request[Any], streamed: bool) -> dict[str, Any]:
    """The ``call`` of a recording that asks *request*: in the words of the verbs, where they say all of it."""
    verb = "stream_execute" if streamed else "execute"
    bare = evolve(request, timeout=None, metadata={})
    if isinstance(bare, ChatRequest):
        simple = _simple(bare, verb)
        try:
            if parse_call("call", simple).request(provider) == bare:
                return simple
        except InvalidRequestError:
            pass
    verb = verb if streamed else "run"
    return {"verb": verb, "model": request.model, "options": {"request": encode(bare)}}


def _simple(request: ChatRequest, verb: str) -> dict[str, Any]:
    texts = [
        {
            "role": str(m.role),
            "content": "".join(p.text for p in m.content if isinstance(p, TextPart)),
        }
        for m in request.messages
    ]
    alone = len(texts) == 1 and texts[0]["role"] == "user"
    params = {n: v for n, v in encode(request.params).items() if n != "$"}
    options = {"provider_options": request.provider_options, "strict": request.strict}
    return {
        "verb": verb,
        "model": request.model,
        "prompt": texts[0]["content"] if alone else texts,
        "parameters": params,
        "options": {name: value for name, value in options.items() if value},
    }


def made_with(provider: LLMProvider) -> dict[str, str]:
    """The versions that made a recording."""
    names = ["jackfield", home(type(provider)).replace("_", "-")]
    found = {"python": platform.python_version(), "system": platform.system()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "unknown"
    return found


def expected(seen: Seen) -> dict[str, Any]:
    """What a recording says came of its call."""
    if (error := seen.error) is not None:
        facts = {name: getattr(error, name) for name in ("phase", "status", "code")}
        return {"error": type(error).__name__, **facts}
    if not isinstance(result := seen.result, ChatResponse):
        return {}
    calls = {f"tool_calls.{i}.name": c.name for i, c in enumerate(result.tool_calls)}
    return {"text": result.text, "finish_reason": str(result.finish_reason), **calls}


class _Pace(StillClock):
    """The clock on the wall: what was recorded comes when it came."""

    @property
    def at(self) -> float:
        """Now."""
        return time.monotonic()

    @at.setter
    def at(self, _moment: float) -> None:
        pass

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(max(0.0, seconds))

    def until(self, time: float, deadline: float, phase: str) -> None:
        """Wait for *time*, or fail at *deadline*."""
        self.sleep(min(time, deadline) - self.at)
        super().until(time, deadline, phase)


def player(recording: Recording, *, provider: str = "", timing: bool = False) -> LLMProvider:
    """A provider that *recording* answers, in both colours; with *timing*, at the pace that it had (blocking calls).

    Raises:
        ConfigError: the recording does not say of which provider it is, and *provider* does not either;
            or that provider is not installed.
    """
    name = provider or recording.provider
    if not name:
        raise ConfigError(f"{recording} does not say of which provider it is: name it")
    cls = plugin_manager().provider_class(name)
    attempts = {"retry": {"attempts": max(1, len(recording.responses))}}
    config = {**stand_in(cls, recording.config), **attempts}
    driver: SyncDriver = ReplayDriver(recording.responses)
    if timing:
        clock = _Pace()
        transport = ReplayTransport(recording.responses, clock)
        driver = SyncDriver(transport, clock=clock, sleep=clock.sleep, chance=lambda: 0.5)
    later: AsyncDriver = AsyncReplayDriver(recording.responses)
    return cls(config, driver=driver, async_driver=later)


def load_one(path: str | Path) -> Recording:
    """The recording in the file *path*.

    Raises:
        ConfigError: missing or misshapen, or a folder of several.
    """
    found = load_recordings(path)
    if len(found) != 1:
        raise ConfigError(f"{path} holds {len(found)} recordings: name one file")
    return found[0]


def play(recording: str | Path | Recording, *, provider: str = "", timing: bool = False) -> Seen:
    """What a program sees of the call in *recording*, or in the file of that name: replayed, without a network.

    Raises:
        ConfigError: the file is no recording of one call, or its provider is not known or not installed.
    """
    if not isinstance(recording, Recording):
        recording = load_one(recording)
    made = player(recording, provider=provider, timing=timing)
    events: list[Any] = []
    try:
        request = recording.request(made)
        if not recording.streamed:
            return Seen(result=made.run(request))
        with made.stream(request) as stream:
            events.extend(stream)
        return Seen(events=tuple(events), result=stream.response)
    except LLMError as error:
        return Seen(events=tuple(events), error=error)


def as_test(path: str | Path, folder: str | Path = ".") -> str:
    """The text of a pytest file for *folder*: the recording at *path* gives what it gives now.

    Raises:
        ConfigError: the file is no recording of one call.
    """
    seen, name = play(path), Path(path).name
    shown = "recording = Path(__file__).parent / " + json.dumps(
        Path(os.path.relpath(path, folder)).as_posix()
    )
    checks = [f"assert seen.text == {seen.text!r}"]
    if (error := seen.error) is not None:
        checks.insert(0, f"assert type(seen.error) is {type(error).__name__}")
    elif isinstance(result := seen.result, ChatResponse):
        checks.append(f'assert seen.result.finish_reason == "{result.finish_reason}"')
        if result.tool_calls:
            asked = [(call.name, call.arguments) for call in result.tool_calls]
            checks.append(
                "asked = [(call.name, call.arguments) for call in seen.result.tool_calls]"
            )
            checks.append(f"assert asked == {asked!r}")
    imports = ["from jackfield.testing import play"]
    if error is not None:
        imports.insert(0, f"from jackfield.errors import {type(error).__name__}")
    body = "\n    ".join([shown, "seen = play(recording)", *checks])
    head = f'"""What a program sees of the call in {name}, replayed offline."""'
    lines = [
        head,
        "",
        "from pathlib import Path",
        "",
        *imports,
        "",
        "",
        f"def test_the_recorded_call() -> None:\n    {body}",
    ]
    return "\n".join(lines) + "\n"
