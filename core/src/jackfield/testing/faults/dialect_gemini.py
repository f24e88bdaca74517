"""Chat, embeddings, token counts and models as Google's Generative Language API writes them.

https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from .answers import offered
from .dialects import EMBEDDING, MODELS, Dialect, parse
from .reply import Reply
from .values import Answer, Event, Json, ToolUse

FINISH: Mapping[str, str] = {
    "stop": "STOP",
    "tool": "STOP",
    "length": "MAX_TOKENS",
    "filter": "SAFETY",
}

# The status, its number, and the message of each kind of error.
ERRORS: Mapping[str, tuple[int, str, str]] = {
    "invalid": (400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    "auth": (401, "UNAUTHENTICATED", "The request has no valid credentials."),
    "payment": (402, "FAILED_PRECONDITION", "Please enable billing on your project."),
    "permission": (403, "PERMISSION_DENIED", "The caller does not have permission."),
    "not_found": (404, "NOT_FOUND", "models/pelican-9 is not found for API version v1beta."),
    "too_large": (413, "INVALID_ARGUMENT", "Request payload size exceeds the limit."),
    "context_length": (
        400,
        "INVALID_ARGUMENT",
        "The input token count (8192) exceeds the maximum number of tokens allowed (4096).",
    ),
    "filtered": (400, "INVALID_ARGUMENT", "The prompt was blocked."),
    "rate_limit": (429, "RESOURCE_EXHAUSTED", "Resource has been exhausted."),
    "quota": (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota."),
    "conflict": (409, "ABORTED", "The resource is being changed by another request."),
    "server": (500, "INTERNAL", "An internal error has occurred."),
    "loading": (503, "UNAVAILABLE", "The model is being loaded."),
    "overloaded": (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
}

DAILY = {
    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
    "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel", "quotaValue": "20"}],
}


class Gemini(Dialect):
    """The Generative Language API, version v1beta."""

    name: ClassVar[str] = "gemini"
    prefix: ClassVar[str] = ""
    terminators: ClassVar[tuple[str, ...]] = ("finish",)
    routes: ClassVar[Mapping[tuple[str, str], str]] = {
        ("POST", ":generateContent"): "chat",
        ("POST", ":streamGenerateContent"): "stream",
        ("POST", ":embedContent"): "embed",
        ("POST", ":batchEmbedContents"): "embed",
        ("POST", ":countTokens"): "count",
        ("GET", "/v1beta/models"): "models",
    }

    def reply(self, operation: str, body: bytes, answer: Answer) -> Reply:
        """The healthy reply; what is streamed has a path of its own."""
        if operation != "stream":
            return super().reply(operation, body, answer)
        request = parse(body)
        tools = bool(isinstance(request, dict) and request.get("tools"))
        answer = offered(answer, tools=tools)
        return self._streamed(operation, answer, self.events(answer, request))

    def events(self, answer: Answer, request: Json) -> Sequence[Event]:
        """Pieces of a candidate; the last of them says how it ended, and nothing comes after."""
        events = [self._piece("reasoning", answer, _thought(t)) for t in answer.reasoning]
        events += [self.delta(answer, text) for text in answer.pieces]
        events += [self._piece("tool", answer, _call(tool)) for tool in answer.tools]
        if answer.finish is not None:
            events.append(Event("finish", self._whole(answer, [{"text": ""}], end=True)))
        return tuple(events)

    def delta(self, answer: Answer, text: str) -> Event:
        """One more piece of text."""
        return self._piece("text", answer, {"text": text})

    def message(self, answer: Answer) -> Json:
        """A whole answer."""
        parts = [_thought(answer.thinking)] if answer.reasoning else []
        parts += [{"text": answer.text}] if answer.pieces else []
        return self._whole(answer, [*parts, *map(_call, answer.tools)], end=True)

    def _piece(self, kind: str, answer: Answer, part: Json) -> Event:
        return Event(kind, self._whole(answer, [part], end=False))

    @staticmethod
    def _whole(answer: Answer, parts: Sequence[Json], *, end: bool) -> dict[str, Json]:
        candidate: dict[str, Json] = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if end and answer.finish is not None:
            candidate["finishReason"] = FINISH.get(answer.finish, answer.finish)
        body: dict[str, Json] = {"candidates": [candidate]}
        if answer.usage and end:
            used = answer.usage
            body["usageMetadata"] = {
                "promptTokenCount": used.input,
                "candidatesTokenCount": used.output - used.reasoning,
                "thoughtsTokenCount": used.reasoning,
                "cachedContentTokenCount": used.cached,
                "totalTokenCount": used.input + used.output,
            }
        return {**body, "modelVersion": answer.model, "responseId": answer.id}

    def error(self, kind: str, message: str = "") -> Json:
        """``{"error": {"code", "message", "status"}}``, with details where they say more."""
        number, status, usual = ERRORS[kind]
        details = {"details": [DAILY]} if kind == "quota" else {}
        return {"error": {"code": number, "message": message or usual, "status": status, **details}}

    def error_event(self, kind: str) -> Event:
        """The same body, as an event without a name."""
        return Event("error", self.error(kind))

    def operation(self, name: str, request: Json) -> Json | Sequence[Event]:
        """Embeddings, token counts and the list of models."""
        if name == "count":
            return {"totalTokens": 21}
        if name == "models":
            return {"models": [{"name": f"models/{m}", "version": "1"} for m in MODELS]}
        vector = {"values": list(EMBEDDING)}
        if "requests" in request:
            return {"embeddings": [vector for _ in request["requests"]]}
        return {"embedding": vector}


def _thought(text: str) -> Json:
    return {"text": text, "thought": True}


def _call(tool: ToolUse) -> Json:
    return {"functionCall": {"id": tool.id, "name": tool.name, "args": tool.value}}
