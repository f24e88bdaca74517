"""A server may repeat a secret wherever it likes: no recording holds it."""

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from attrs import define
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from jackfield import ConfigError, LLMError, create_provider
from jackfield.testing import play, record

SECRETS = st.text("abcXYZ019-_./+=\"'", min_size=6, max_size=30).map(lambda text: f"q{text}q8")
PLACES = ("content", "id", "unknown", "message", "header", "cookie", "key", "pieces", "comment")
FORMS = (
    str,
    quote,
    lambda s: json.dumps(s)[1:-1],
    lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
)


@define
class Echo:
    """What the server does next: with which status, and where it says which words."""

    status: int = 200
    stream: bool = False
    cut: bool = False
    places: frozenset[str] = frozenset()
    words: str = ""

    def at(self, place: str) -> str:
        return self.words if place in self.places else "harmless"

    def body(self) -> bytes:
        """The body of an answer, or of an error."""
        if self.status != 200:
            error = {
                "message": self.at("message"),
                "code": self.at("id"),
                "own": self.at("unknown"),
            }
            return json.dumps({"error": error, self.at("key"): 1}).encode()
        said = {"role": "assistant", "content": self.at("content")}
        facts = {"id": self.at("id"), "model": "m", "own": {self.at("key"): [self.at("unknown")]}}
        if not self.stream:
            choice = {"index": 0, "message": said, "finish_reason": "stop"}
            return json.dumps({**facts, "choices": [choice]}, ensure_ascii=False).encode()
        text = self.at("content") + " " + self.at("pieces")
        deltas = [{"content": text[i : i + 3]} for i in range(0, len(text), 3)]
        if "content" in self.places:
            deltas.append({"content": self.words})
        ends: list[tuple[dict[str, str], str | None]] = [(delta, None) for delta in deltas] + [
            ({}, "stop")
        ]
        events = [
            {**facts, "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
            for delta, end in ends
        ]
        lines = [f"data: {json.dumps(event)}\n\n" for event in events]
        return f": {self.at('comment')}\n\n{''.join(lines)}data: [DONE]\n\n".encode()


class Server(ThreadingHTTPServer):
    """Does what `echo` says."""

    echo = Echo()
    asked = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its base names it so
        """Say nothing."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.asked = self.headers.get("x-own", "")
        echo = self.server.echo
        body = echo.body()
        self.send_response(echo.status)
        self.send_header("content-type", "text/event-stream" if echo.stream else "application/json")
        self.send_header("content-length", str(len(body)))
        for name, place in (
            ("x-request-id", "header"),
            ("x-ratelimit-own", "header"),
            ("set-cookie", "cookie"),
        ):
            self.send_header(name, quote(echo.at(place)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if echo.cut else body)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield running
        running.shutdown()


ECHOES = st.builds(
    Echo,
    status=st.sampled_from([200, 200, 401, 429, 500]),
    stream=st.booleans(),
    cut=st.booleans(),
    places=st.frozensets(st.sampled_from(PLACES)),
)


def recorded(server: Server, folder: Path, secret: str, *, redact: bool) -> str:
    """What the file says of a call in which *secret* is the key, a header and part of the question."""
    config: dict[str, Any] = {
        "base_url": server.url,
        "api_key": secret,
        "headers": {"x-own": quote(secret)},
    }
    config |= {"retry": {"attempts": 1}, "timeout": 5}
    provider = create_provider("openai-compatible", config)
    path = folder / "repro.json"
    with record(provider, secrets=[quote(secret)]) as recorder:
        with suppress(LLMError):
            if server.echo.stream:
                provider.stream_execute("m", f"Is {secret} my key?", system=secret).drain()
            else:
                provider.execute("m", f"Is {secret} my key?", system=secret)
        recorder.save(path, redact_text=redact)
    return path.read_text("utf-8")


@pytest.mark.live
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(secret=SECRETS, echo=ECHOES, form=st.sampled_from(FORMS), redact=st.booleans())
@example(
    secret="made-up-words-of-a-key",
    echo=Echo(stream=True, places=frozenset({"pieces"})),
    form=str,
    redact=False,
)
def test_no_secret_is_in_a_recording_or_in_what_it_replays_to(
    server: Server, tmp_path: Path, secret: str, echo: Echo, form: Any, redact: bool
) -> None:
    echo.words = form(secret)
    server.echo = echo
    text = recorded(server, tmp_path, secret, redact=redact)
    for each in FORMS:
        assert each(secret) not in text
        assert each(secret) not in str(json.loads(text))
    seen = play(tmp_path / "repro.json")
    assert secret not in seen.text
    assert secret not in str(seen.error)


@pytest.mark.live
def test_requests_are_told_by_their_numbers_unless_that_is_unwanted(
    server: Server, tmp_path: Path
) -> None:
    server.echo = Echo(status=500, places=frozenset({"header", "message"}), words="req-4711-0815")
    provider = create_provider(
        "openai-compatible", {"base_url": server.url, "retry": {"attempts": 1}}
    )
    with record(provider) as recorder, suppress(LLMError):
        provider.execute("m", "Hi")
    told = json.dumps(recorder.document().document)
    kept = json.dumps(recorder.document(redact_ids=True).document)
    assert told.count("req-4711-0815") >= 2
    assert "req-4711-0815" not in kept


@pytest.mark.live
def test_secrets_that_can_be_read_only_once_are_looked_for_in_answers_too(
    server: Server, tmp_path: Path
) -> None:
    secret = "made-up-words-of-a-stranger"
    server.echo = Echo(stream=True, places=frozenset({"pieces"}), words=secret)
    config = {"base_url": server.url, "retry": {"attempts": 1}}
    provider = create_provider("openai-compatible", config)
    with record(provider, secrets=iter([secret])) as recorder:
        provider.stream_execute("m", "Hi").drain()
        (note,) = recorder.save(tmp_path / "repro.json").notes
    assert "spells a secret out" in note
    assert secret not in play(tmp_path / "repro.json").text


def test_a_folder_of_several_recordings_is_no_call_to_play(tmp_path: Path) -> None:
    for name in ("one", "other"):
        document = {"provider": "openai-compatible", "interactions": [{"response": {"body": {}}}]}
        (tmp_path / f"{name}.json").write_text(json.dumps(document), "utf-8")
    with pytest.raises(ConfigError, match="holds 2 recordings: name one file"):
        play(tmp_path)
