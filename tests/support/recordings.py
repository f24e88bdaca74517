"""Recorded exchanges with the real services, as the replay drivers take them."""

from __future__ import annotations

import json
import os
from base64 import b64decode
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

from jackfield.drivers.replay import Recorded
from support.source import ROOT

SHARED = Path(os.environ.get("JACKFIELD_SHARED", ROOT.parent / "shared"))
WIRE = Path(os.environ.get("JACKFIELD_WIRE", SHARED / "wire"))


@frozen
class Turn:
    """One recorded request and its response."""

    provider: str
    case: str
    number: int
    behaviours: frozenset[str]
    request: dict[str, Any]
    response: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.provider}/{self.case}[{self.number}]"

    @property
    def path(self) -> str:
        """The request's path, without its query."""
        return str(urlsplit(self.request["url"]).path)

    @property
    def operation(self) -> str:
        """Method and path, as a table's key."""
        return f"{self.request['method']} {self.path}"

    @property
    def body(self) -> Any:
        """The request's body: parsed JSON, text, or None."""
        return self.request.get("body")

    @property
    def status(self) -> int:
        """The response's status."""
        return int(self.response["status"])

    @property
    def streamed(self) -> bool:
        """Whether the response is a stream of events or lines."""
        return "sse" in self.response or self.response.get("stream") == "ndjson"

    @property
    def payload(self) -> bytes:
        """The response's bytes, as they were sent (see the recordings' README)."""
        response = self.response
        if "sse" in response:
            return str(response["sse"]).encode()
        if "body_base64" in response:
            return b64decode(response["body_base64"])
        if "body_text" in response:
            return str(response["body_text"]).encode()
        body = response.get("body")
        if isinstance(body, str):
            return body.encode()
        return b"" if body is None else json.dumps(body, ensure_ascii=False).encode()

    def data(self) -> list[Any]:
        """The JSON documents of a stream, whatever their framing, read independently of ours."""
        text = self.payload.decode()
        if "sse" in self.response:
            lines = [x[5:].strip() for x in text.splitlines() if x.startswith("data:")]
        else:
            lines = text.splitlines()
        return [json.loads(x) for x in lines if x.strip() and x != "[DONE]"]

    def recorded(self, chunks: Sequence[bytes] | None = None) -> Recorded:
        """What a replay driver answers with; *chunks* are another way to cut the payload."""
        headers = dict(self.response.get("headers") or {})
        headers.pop("content-encoding", None)
        body = (self.payload,) if chunks is None else chunks
        return Recorded(status=self.status, headers=headers, chunks=body)


@cache
def turns(provider: str) -> tuple[Turn, ...]:
    """Every recorded turn with *provider*; none where the recordings are absent."""
    return tuple(_turns(provider))


def _turns(provider: str) -> Iterator[Turn]:
    for path in sorted((WIRE / provider).glob("*.json")):
        case = json.loads(path.read_text("utf-8"))
        for number, turn in enumerate(case["interactions"]):
            behaviours = frozenset(case["behaviours"])
            yield Turn(provider, path.stem, number, behaviours, turn["request"], turn["response"])


def pieces(payload: bytes, size: int) -> list[bytes]:
    """*payload* in pieces of *size* bytes."""
    return [payload[i : i + size] for i in range(0, len(payload), size)]
