"""Plugins on disk, as an installer leaves them: a package, its recordings and capabilities, an entry point."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def _call(verb: str, **more: Any) -> dict[str, Any]:
    asked = {"model": "small", "prompt": "Hi", "parameters": {"temperature": 1}}
    return {"verb": verb, **asked, **more}


def _sent(stream: bool) -> dict[str, Any]:
    body = {"model": "small", "talk": [["user", "Hi"]], "stream": stream, "heat": 1}
    return {"method": "POST", "url": "https://talk.example/v1/talk", "body": body}


ANSWER = {"id": "1", "said": "Grüße, Welt", "end": "stop", "tokens": 3}
EVENTS = [{"id": "1", "said": "Grüße"}, {"said": ", "}, {"said": "Welt"}, {"end": "stop"}]
SSE = "".join(f"data: {json.dumps(event, ensure_ascii=False)}\n\n" for event in EVENTS)

RECORDINGS: Mapping[str, Any] = {
    "plain": {
        "call": _call("execute"),
        "interactions": [{"request": _sent(stream=False), "response": {"body": ANSWER}}],
        "expect": {"text": "Grüße, Welt", "finish_reason": "stop"},
    },
    "streamed": {
        "call": _call("stream_execute"),
        "interactions": [{"request": _sent(stream=True), "response": {"sse": SSE}}],
        "expect": {"text": "Grüße, Welt"},
    },
    "again": {
        "call": _call("execute"),
        "interactions": [{"response": {"status": 503}}, {"response": {"body": ANSWER}}],
    },
    "refused": {
        "call": _call("execute"),
        "interactions": [{"response": {"status": 401, "body": {"error": {"message": "Who?"}}}}],
        "expect": {"error": "AuthenticationError", "status": 401},
    },
    "names": {
        "call": {"verb": "list_models"},
        "interactions": [{"response": {"body": {"names": ["small", "large"]}}}],
        "expect": {"1.id": "large"},
    },
}
MANIFEST = """contract = 1

[providers.NAME]
hosts = ["talk.example"]
secrets = ["TALK_API_KEY"]
"""
PROVED = {"streaming": {"result": "pass", "proof": "streamed"}}


def install(
    folder: Path,
    name: str,
    changes: Mapping[str, str],
    *,
    kind: str = "healthy",
    proved: Any = PROVED,
    manifest: Mapping[str, str] | None = None,
) -> None:
    """Put a plugin *name* into *folder*: the module *kind*, each text of *changes* replaced by another.

    So is each of *manifest* in its manifest.
    """
    package = folder / f"{name}_plugin"
    (package / "recordings").mkdir(parents=True)
    source = (HERE / f"{kind}.py").read_text("utf-8").replace('"NAME"', repr(name))
    (package / "__init__.py").write_text(_changed(source, changes), "utf-8")
    said = _changed(MANIFEST, manifest or {}).replace("NAME", name)
    (package / "jackfield.toml").write_text(said, "utf-8")
    if kind == "healthy":
        for title, recording in RECORDINGS.items():
            path = package / "recordings" / f"{title}.json"
            path.write_text(json.dumps(recording), "utf-8")
        (package / "capabilities.json").write_text(json.dumps({name: proved}), "utf-8")
    info = folder / f"{name}_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-plugin\nVersion: 1.0\n")
    points = f"[jackfield.providers]\n{name} = {name}_plugin:{kind.title()}\n"
    (info / "entry_points.txt").write_text(points)


def _changed(text: str, changes: Mapping[str, str]) -> str:
    """*text* with each of *changes* made once."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new, 1) if old else text + new
    return text
