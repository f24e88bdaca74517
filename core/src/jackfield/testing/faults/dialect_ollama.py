"""Chat, embeddings, models and pulls as Ollama's native API writes them: one JSON object a line.

https://docs.ollama.com/api
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from .answers import offered
from .dialects import EMBEDDING, MODELS, Dialect, parse
from .reply import Reply
from .values import Answer, Event, Json

DATE = "2026-01-02T03:04:05.678901Z"
DIGEST = "sha256:" + "5e1f" * 16
FINISH: Mapping[str, str] = {"stop": "stop", "length": "length"}

ERRORS: Mapping[str, str] = {
    "invalid": "invalid options: temprature",
    "auth": "unauthorized",
    "payment": "you have reached your usage limit, please upgrade to continue",
    "permission": "forbidden",
    "not_found": "model 'pelican-9' not found",
    "too_large": "request body too large",
    "context_length": "prompt too long; exceeded max context length by 4096 tokens",
    "filtered": "the response was filtered",
    "rate_limit": "too many requests",
    "quota": "you have reached your weekly usage limit",
    "conflict": "the model is being changed by another request",
    "server": "llama runner process has terminated: exit status 2",
    "loading": "llm server loading model",
    "overloaded": "server busy, please try again.  maximum pending requests exceeded",
}

DETAILS: Json = {
    "parent_model": "",
    "format": "gguf",
    "family": "llama",
    "families": ["llama"],
    "parameter_size": "1.2M",
    "quantization_level": "Q8_0",
}


class Ollama(Dialect):
    """Ollama's native protocol."""

    name: ClassVar[str] = "ollama"
    prefix: ClassVar[str] = ""
    sse: ClassVar[bool] = False
    stream_type: ClassVar[str] = "application/x-ndjson"
    streams_by_default: ClassVar[bool] = True
    terminators: ClassVar[tuple[str, ...]] = ("end",)
    routes: ClassVar[Mapping[tuple[str, str], str]] = {
        ("POST", "/api/chat"): "chat",
        ("POST", "/api/generate"): "generate",
        ("POST", "/api/embed"): "embed",
        ("POST", "/api/show"): "show",
        ("POST", "/api/pull"): "pull",
        ("DELETE", "/api/delete"): "delete",
        ("GET", "/api/tags"): "models",
        ("GET", "/api/ps"): "running",
        ("GET", "/api/version"): "version",
    }

    def reply(self, operation: str, body: bytes, answer: Answer) -> Reply:
        """The healthy reply; plain text is a chat's answer without its message."""
        if operation != "generate":
            return super().reply(operation, body, answer)
        request, bare = parse(body), offered(answer, tools=False)
        if self.wants_stream(request):
            events = self.events(bare, request)
            return self._streamed(
                operation, bare, [replace(e, payload=_plain(e.payload)) for e in events]
            )
        headers = (("content-type", "application/json"),)
        return Reply(self, bare, operation, headers=headers).with_value(_plain(self.message(bare)))

    def events(self, answer: Answer, request: Json) -> Sequence[Event]:
        """Thinking, text, whole tool calls, then the line that says done."""
        events = [
            _line(answer, "reasoning", {"content": "", "thinking": piece})
            for piece in answer.reasoning
        ]
        events += [self.delta(answer, piece) for piece in answer.pieces]
        for tool in answer.tools:
            call = {"id": tool.id, "function": {"name": tool.name, "arguments": tool.value}}
            events.append(_line(answer, "tool", {"content": "", "tool_calls": [call]}))
        end = _line(answer, "end", {"content": ""})
        return (*events, Event("end", end.payload | _done(answer)))

    def delta(self, answer: Answer, text: str) -> Event:
        """A line with ``message.content``."""
        return _line(answer, "text", {"content": text})

    def message(self, answer: Answer) -> Json:
        """One object with the whole message."""
        message: dict[str, Json] = {"role": "assistant", "content": answer.text}
        if answer.reasoning:
            message["thinking"] = answer.thinking
        if answer.tools:
            calls = [
                {"id": t.id, "function": {"name": t.name, "arguments": t.value}}
                for t in answer.tools
            ]
            message["tool_calls"] = calls
        return {"model": answer.model, "created_at": DATE, "message": message, **_done(answer)}

    def error(self, kind: str, message: str = "") -> Json:
        """``{"error": text}``."""
        return {"error": message or ERRORS[kind]}

    def operation(self, name: str, request: Json) -> Json | Sequence[Event]:
        """Everything but chat; ``pull`` streams its progress unless told not to."""
        if name == "pull":
            return _pull() if self.wants_stream(request) else {"status": "success"}
        return _OTHERS[name] if name != "embed" else _embed(request)


def _plain(line: Json) -> Json:
    """A line of a chat as one of plain text."""
    rest = {key: item for key, item in line.items() if key != "message"}
    said = {key: item for key, item in line["message"].items() if key == "thinking"}
    return {**rest, "response": line["message"]["content"], **said}


def _line(answer: Answer, kind: str, message: Json) -> Event:
    message = {"role": "assistant", **message}
    return Event(
        kind, {"model": answer.model, "created_at": DATE, "message": message, "done": False}
    )


def _done(answer: Answer) -> Json:
    reason = (
        {} if answer.finish is None else {"done_reason": FINISH.get(answer.finish, answer.finish)}
    )
    counts: Json = {}
    if answer.usage:
        counts = {"prompt_eval_count": answer.usage.input, "eval_count": answer.usage.output}
    durations = {
        "total_duration": 5_191_566_416,
        "load_duration": 2_154_458,
        "eval_duration": 4_899_246_541,
    }
    return {"done": True, **reason, **durations, **counts}


def _pull() -> Sequence[Event]:
    steps: list[Json] = [{"status": "pulling manifest"}]
    sizes = (0, 400_000, 1_000_000, 1_260_000)
    steps += [
        {"status": "pulling 5e1f", "digest": DIGEST, "total": sizes[-1], "completed": n}
        for n in sizes
    ]
    steps += [{"status": "verifying sha256 digest"}, {"status": "writing manifest"}]
    return (*(Event("text", step) for step in steps), Event("end", {"status": "success"}))


def _embed(request: Json) -> Json:
    given = request.get("input", "")
    count = 1 if isinstance(given, str) else len(given)
    vectors = [list(EMBEDDING)] * count
    return {"model": request.get("model", ""), "embeddings": vectors, "prompt_eval_count": 21}


def _model(name: str) -> Json:
    size = {"size": 1_260_000, "digest": DIGEST.removeprefix("sha256:")}
    return {"name": name, "model": name, "modified_at": DATE, **size, "details": DETAILS}


_OTHERS: Mapping[str, Json] = {
    "models": {"models": [_model(name) for name in MODELS]},
    "running": {"models": [_model(MODELS[0]) | {"expires_at": DATE, "size_vram": 0}]},
    "version": {"version": "0.30.0"},
    "delete": {},
    "show": {
        "modelfile": "FROM pelican-1",
        "parameters": "num_ctx 4096",
        "template": "{{ .Prompt }}",
        "details": DETAILS,
        "model_info": {"general.architecture": "llama", "llama.context_length": 8192},
        "capabilities": ["completion", "tools", "thinking"],
        "modified_at": DATE,
    },
}
