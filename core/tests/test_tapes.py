"""What a tape writes has no key, no account and no own host in it, and comes again as it came, with its times."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from core_toy import BACKENDS, KEY, Toy, aio, streamed, whole
from hypothesis import given
from hypothesis import strategies as st

from jackfield import LLMError, RequestTimeoutError, StreamInterruptedError
from jackfield.drivers.replay import AsyncReplayTransport, Failure, Recorded, ReplayTransport
from jackfield.testing import Tape, load_recordings
from jackfield.testing import strategies as jf
from jackfield.testing.conformance.observe import observe, replaying
from jackfield.testing.redaction import redact, redacted, redacted_url, secrets_of

CONFIG = {"base_url": "https://toy.example/v1", "api_key": KEY}
SSE = {"content-type": "text/event-stream"}
SECRET = 'pa"ss wörd/1234'


@given(st.text(), jf.json_values())
def test_redacting_keeps_the_length_and_json_stays_json(text: str, value: Any) -> None:
    mixed = f"{text} {KEY} me@example.com"
    assert len(redact(mixed, [SECRET]).encode()) == len(mixed.encode())
    document = json.dumps({"a": value, "user_id": text, "account_id": 1234})
    again = json.loads(redact(document))
    assert set(again["user_id"]) <= {"*"}
    assert again["account_id"] == 1000


@given(st.text(), st.text())
def test_a_secret_is_found_however_it_is_written(before: str, after: str) -> None:
    from urllib.parse import quote

    for form in (SECRET, json.dumps(SECRET)[1:-1], quote(SECRET, safe="")):
        assert form not in redact(before + form + after, [SECRET])


TELLTALE = [
    f"Incorrect API key provided: {KEY}.",
    "Rate limit reached in organization org-AbCdEfGh12345678 on requests",
    "authorization: Bearer abcdefgh",
    "Write to somebody.else@example.org",
    '{"user_id": "user_2xYzAbCdEfGh", "error": {"metadata": {"email": "x@y.example"}}}',
    '{"organization_id":"8c9e6a2e-0000-4000-8000-1234567890ab"}',
]


@pytest.mark.parametrize("text", TELLTALE)
def test_accounts_keys_and_people_become_stars(text: str) -> None:
    assert "****" in redact(text)
    for told in ("AbCdEfGh", "abcdefgh", "somebody", "8c9e6a2e", "x@y", KEY[5:]):
        assert told not in redact(text)


HARMLESS = [
    '{"role": "user", "content": "Who is the user?"}',
    '{"object": "chat.completion", "id": "chatcmpl-123", "usage": {"prompt_tokens": 12}}',
    'data: {"delta": {"content": "team-building and user-friendly"}}\n\ndata: [DONE]\n\n',
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_names_nobody_stays(text: str) -> None:
    assert redact(text) == text


def test_only_known_hosts_are_told() -> None:
    url = "https://me:pw@secret-project.example:8443/v1/chat?key=1#x"
    assert redacted_url(url) == "https://secret-project.example:8443/v1/chat"
    assert redacted_url(url, hosts=["api.example.com"]) == "https://host.invalid/v1/chat"
    assert redacted_url("http://127.0.0.1:1/v1", hosts=[]) == "http://127.0.0.1:1/v1"


def test_a_providers_secrets_are_its_key_and_its_headers() -> None:
    found = secrets_of(Toy({**CONFIG, "headers": {"x-team": "made-up-team"}}))
    assert {s.reveal() for s in found} == {KEY, "made-up-team"}


def test_values_are_redacted_as_texts_are() -> None:
    assert redacted({"options": {"user": "anna", "n": [1, None]}}) == {
        "options": {"user": "****", "n": [1, None]}
    }
    with pytest.raises(TypeError):
        redacted({"file": b"bytes"})


def test_a_concealed_provider_leaves_no_trace(tmp_path: Path) -> None:
    tape = Tape()
    own = {**CONFIG, "api_key": "own-words-as-key", "headers": {"x-tenant": "pelican-and-sons"}}
    echo = [whole("own-words-as-key of pelican-and-sons at toy.example")]
    provider = Toy(own, driver=tape.driver(ReplayTransport([Recorded(chunks=echo)])))
    tape.conceal(provider)
    provider.execute("m", "own-words-as-key")
    tape.save(tmp_path / "x.json", call={"model": "m", "prompt": "own-words-as-key"})
    text = (tmp_path / "x.json").read_text("utf-8")
    assert "own-words" not in text
    assert "pelican" not in text
    assert json.loads(text)["interactions"][0]["request"]["url"].startswith("https://host.invalid")


class Ticking:
    """A clock that goes on by a second whenever it is looked at."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        self.at += 1
        return self.at


def taped(path: Path, *answers: Recorded) -> LLMError | None:
    tape = Tape(clock=Ticking())
    config = {**CONFIG, "retry": {"attempts": 1}}
    provider = Toy(config, driver=tape.driver(ReplayTransport(answers)))
    error = None
    try:
        provider.stream_execute("m", "Hi").drain()
    except LLMError as raised:
        error = raised
    tape.save(path, call={"verb": "stream_execute", "model": "m", "prompt": "Hi"})
    return error


def test_a_stream_comes_again_in_its_pieces_at_its_times(tmp_path: Path) -> None:
    chunks = streamed("Hel", "lo")
    taped(tmp_path / "x.json", Recorded(headers=SSE, chunks=chunks))
    (recording,) = load_recordings(tmp_path)
    (answer,) = recording.responses
    assert list(answer.chunks) == chunks
    assert list(answer.times) == [1.0, 2.0, 3.0, 4.0, 5.0]
    provider = replaying(Toy, CONFIG, recording.responses)
    observe(provider, recording.request(provider), stream=True)
    driver: Any = provider._driver
    assert driver._clock() == 5.0


def test_a_recorded_pause_meets_the_calls_timeouts(tmp_path: Path) -> None:
    taped(tmp_path / "x.json", Recorded(headers=SSE, chunks=streamed("Hel", "lo")))
    (recording,) = load_recordings(tmp_path)
    provider = replaying(Toy, {**CONFIG, "timeout": 2.5}, recording.responses)
    outcome = observe(provider, recording.request(provider), stream=True)
    assert outcome.error is not None
    assert issubclass(outcome.error, RequestTimeoutError | StreamInterruptedError)


BROKEN = [
    Recorded(status=0, failure=Failure(phase="connect", maybe_executed=False)),
    Recorded(headers=SSE, chunks=streamed("Hel")[:1], failure=Failure()),
    Recorded(status=0, failure=Failure(error="RequestTimeoutError", phase="head")),
]


@pytest.mark.parametrize("answer", BROKEN)
def test_a_connection_that_failed_fails_again_in_the_same_way(
    tmp_path: Path, answer: Recorded
) -> None:
    error = taped(tmp_path / "x.json", answer)
    assert error is not None
    (recording,) = load_recordings(tmp_path)
    config = {**CONFIG, "retry": {"attempts": 1}}
    provider = replaying(Toy, config, recording.responses)
    outcome = observe(provider, recording.request(provider), stream=True)
    assert outcome.error is type(error)
    assert dict(outcome.facts)["phase"] == error.phase
    assert dict(outcome.facts)["message"] == error.message


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_event_loops_tape_keeps_times_and_failures_too(tmp_path: Path, backend: str) -> None:
    tape = Tape(clock=Ticking())
    transport: Any = AsyncReplayTransport([BROKEN[1]])
    config = {**CONFIG, "retry": {"attempts": 1}}
    provider = Toy(config, async_driver=tape.async_driver(transport))

    async def main() -> None:
        with pytest.raises(LLMError):
            await provider.astream_execute("m", "Hi").drain()

    aio(main, backend)
    tape.save(tmp_path / "x.json")
    (recording,) = load_recordings(tmp_path)
    assert list(recording.responses[0].times) == [1.0, 2.0]
    assert recording.responses[0].failure == Failure()


@pytest.mark.parametrize("timing", [[[0.1, 0], [0.2, 1]], [[0.3, 0], [0.1, 2]], [], [[1, 2]]])
def test_times_of_another_body_do_not_cut_this_one(tmp_path: Path, timing: list[Any]) -> None:
    document = {"interactions": [{"response": {"body_text": "{}", "timing": timing}}]}
    (tmp_path / "x.json").write_text(json.dumps(document), "utf-8")
    (recording,) = load_recordings(tmp_path)
    assert recording.responses[0].chunks == [b"{}"]
