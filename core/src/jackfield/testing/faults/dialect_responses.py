"""Responses as OpenAI's API writes them: output items, and an event for each step of one.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from .dialect_openai import CREATED, OpenAI
from .dialects import Dialect
from .values import Answer, Event, Json, Tokens, ToolUse

INCOMPLETE: Mapping[str, str] = {"length": "max_output_tokens", "filter": "content_filter"}


class Responses(Dialect):
    """The second API of OpenAI; its errors are those of the first."""

    name: ClassVar[str] = "responses"
    prefix: ClassVar[str] = "/v1"
    terminators: ClassVar[tuple[str, ...]] = ("finish", "end")
    routes: ClassVar[Mapping[tuple[str, str], str]] = {("POST", "/responses"): "chat"}

    def events(self, answer: Answer, request: Json) -> Sequence[Event]:
        """response.created, the steps of each item, response.completed or response.incomplete."""
        begun = _response(answer) | {"status": "in_progress", "output": [], "usage": None}
        events = [_event("start", "response.created", response=begun)]
        for at, item in enumerate(_items(answer)):
            begun = {**item, **_EMPTY[item["type"]], "status": "in_progress"}
            events.append(_event("open", "response.output_item.added", at, item=begun))
            events += _steps(answer, at, item)
            events.append(_event("close", "response.output_item.done", at, item=item))
        whole = self.message(answer)
        name = (
            "response.incomplete" if whole.get("status") == "incomplete" else "response.completed"
        )
        return (*events, _event("finish", name, response=whole))

    def delta(self, answer: Answer, text: str) -> Event:
        """A ``response.output_text.delta`` of the item that carries the text."""
        at = 1 if answer.reasoning else 0
        return _event("text", "response.output_text.delta", at, content_index=0, delta=text)

    def message(self, answer: Answer) -> Json:
        """A whole response."""
        usage = {"usage": _usage(answer.usage)} if answer.usage else {}
        return {**_response(answer), **_status(answer), "output": list(_items(answer)), **usage}

    def error(self, kind: str, message: str = "") -> Json:
        """``{"error": {message, type, param, code}}``."""
        return OpenAI().error(kind, message)

    def error_event(self, kind: str) -> Event:
        """``response.failed`` with the error in its response."""
        error = self.error(kind)["error"]
        told = {"code": error["code"] or error["type"], "message": error["message"]}
        return _event("error", "response.failed", response={"status": "failed", "error": told})

    def operation(self, name: str, request: Json) -> Json | Sequence[Event]:
        """There is no other operation."""
        raise NotImplementedError(name)


_EMPTY: Mapping[str, Json] = {
    "reasoning": {"content": []},
    "message": {"content": []},
    "function_call": {"arguments": ""},
}


def _event(kind: str, name: str, at: int | None = None, **fields: Json) -> Event:
    place = {} if at is None else {"output_index": at}
    return Event(kind, {"type": name, **place, **fields}, name=name)


def _response(answer: Answer) -> dict[str, Json]:
    about = {"id": answer.id, "object": "response", "created_at": CREATED, "model": answer.model}
    return {**about, "error": None, "incomplete_details": None}


def _status(answer: Answer) -> dict[str, Json]:
    if answer.finish is None:
        return {"status": None}
    if answer.finish in ("stop", "tool"):
        return {"status": "completed"}
    reason = INCOMPLETE.get(answer.finish, answer.finish)
    return {"status": "incomplete", "incomplete_details": {"reason": reason}}


def _items(answer: Answer) -> Iterator[dict[str, Json]]:
    if answer.reasoning:
        thought = {"type": "reasoning_text", "text": answer.thinking}
        yield {"id": "rs_1", "type": "reasoning", "summary": [], "content": [thought]}
    if answer.pieces:
        said = {"type": "output_text", "text": answer.text, "annotations": []}
        about = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
        yield {**about, "content": [said]}
    for tool in answer.tools:
        yield _call(tool)


def _call(tool: ToolUse) -> dict[str, Json]:
    about = {"id": f"fc_{tool.id}", "type": "function_call", "status": "completed"}
    return {**about, "call_id": tool.id, "name": tool.name, "arguments": tool.arguments}


def _steps(answer: Answer, at: int, item: Mapping[str, Json]) -> Iterator[Event]:
    if item["type"] == "function_call":
        tool = next(tool for tool in answer.tools if tool.id == item["call_id"])
        for piece in tool.pieces:
            yield _event("tool", "response.function_call_arguments.delta", at, delta=piece)
        return
    thinking = item["type"] == "reasoning"
    part = {"content_index": 0, "part": item["content"][0]}
    empty = {"content_index": 0, "part": {**item["content"][0], "text": ""}}
    yield _event("open", "response.content_part.added", at, **empty)
    name = "response.reasoning_text.delta" if thinking else "response.output_text.delta"
    for piece in answer.reasoning if thinking else answer.pieces:
        kind = "reasoning" if thinking else "text"
        yield _event(kind, name, at, content_index=0, delta=piece)
    yield _event("close", "response.content_part.done", at, **part)


def _usage(tokens: Tokens) -> Json:
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": {"cached_tokens": tokens.cached},
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.input + tokens.output,
    }
