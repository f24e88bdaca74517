"""From a response's events and output items to canonical events and values.

A whole answer is read as the events of its output items, so that plain and streamed
calls cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from attrs import define, evolve, field

from jackfield import (
    ChatResponse,
    Finish,
    FinishReason,
    LLMError,
    MediaPart,
    PartAdded,
    PartMetadata,
    ProviderPart,
    ReasoningDelta,
    RefusalDelta,
    ResponseFormatError,
    StreamStart,
    TextDelta,
    ToolCallDelta,
    Usage,
    fold,
)
from jackfield.exchange import Call
from jackfield.failures import event_error
from jackfield.flow import HTTPResponse
from jackfield.framing import Frame

from ..operations.reading import inline, read
from ..usage import parse_cost, parse_usage

Wire = Mapping[str, Any]

_EVENT: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])
_KEPT = ("status", "service_tier", "incomplete_details", "previous_response_id", "conversation")
_ENDS = ("response.completed", "response.incomplete", "response.cancelled")
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
_INCOMPLETE: Mapping[str, FinishReason] = {
    "max_output_tokens": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
}


def parse_response_usage(wire: Wire | None) -> Usage:
    """Usage in inclusive totals; this API has other names for the parts of them."""
    if not wire:
        return Usage()
    named = dict(wire)
    for ours, theirs in (("prompt", "input"), ("completion", "output")):
        if f"{theirs}_tokens_details" in wire:
            named[f"{ours}_tokens_details"] = wire[f"{theirs}_tokens_details"]
    return evolve(parse_usage(named), raw=wire)


@define
class _Item:
    """An output item on its way: where its parts go, and how much of each was handed out."""

    places: dict[Any, int] = field(factory=dict)
    sent: dict[Any, int] = field(factory=dict)
    thought: Any = None
    whole: bool = False


@define
class ResponseParser:
    """Reads the events of one stream; *name* is the provider's, for its metadata."""

    name: str
    error_codes: Mapping[str, type[LLMError]]
    finished: bool = False
    done: bool = False
    _items: dict[Any, _Item] = field(factory=dict)
    _parts: int = 0
    _called: bool = False
    _ids: set[Any] = field(factory=set)
    _last: Wire = field(factory=dict)
    _model: str = ""

    def feed(self, frames: list[Frame], out: list[Any]) -> None:
        """Append the events of *frames* to *out*."""
        for name, data in frames:
            if self.done or not data or data[:6] == b"[DONE]":
                continue
            event = _EVENT.decode(data)
            kind = event.get("type") or name.decode("utf-8", "replace")
            if kind == "response.output_text.delta":
                self._say(TextDelta, event, out)
            else:
                self._event(kind, event, out)

    def _event(self, kind: str, event: Wire, out: list[Any]) -> None:
        match kind:
            case "response.created":
                self.start(event["response"], out)
            case "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta":
                place = self._place(_at(event), "call")
                self._sent(_at(event), "call", _delta(event))
                out.append(ToolCallDelta(place, arguments=_delta(event)))
            case "response.refusal.delta":
                self._say(RefusalDelta, event, out)
            case "response.reasoning_summary_text.delta":
                self._think(event, ("summary", event.get("summary_index", 0)), out)
            case "response.reasoning_text.delta":
                self._think(event, ("content", event.get("content_index", 0)), out)
            case "response.output_item.added":
                self._added(_at(event), event["item"], out)
            case "response.output_item.done":
                self.item(_at(event), event["item"], out)
            case "error" | "response.failed" | "response.error":
                self._failed(event)
            case _ if kind in _ENDS:
                self.end(event["response"], out)
            case _ if event.get("error"):
                self._failed(event)

    def _failed(self, event: Wire) -> None:
        told = event.get("response") or event
        error = told.get("error") or {
            k: v for k, v in told.items() if k not in ("type", "sequence_number")
        }
        raise event_error({"error": error}, self.error_codes)

    def start(self, response: Wire, out: list[Any]) -> None:
        """Append the start of *response*."""
        self._model = response.get("model") or ""
        out.append(StreamStart(id=response.get("id") or "", model=self._model))

    def _place(self, at: Any, key: Any) -> int:
        """The index of part *key* of item *at*, a new one if it is new."""
        places = self._items.setdefault(at, _Item()).places
        if key not in places:
            places[key] = self._parts
            self._parts += 1
        return places[key]

    def _sent(self, at: Any, key: Any, text: str) -> None:
        sent = self._items.setdefault(at, _Item()).sent
        sent[key] = sent.get(key, 0) + len(text)

    def _say(self, kind: Any, event: Wire, out: list[Any]) -> None:
        at, key, text = _at(event), event.get("content_index", 0), _delta(event)
        if text:
            out.append(kind(text, self._place(at, key)))
            self._sent(at, key, text)

    def _think(self, event: Wire, key: tuple[str, int], out: list[Any]) -> None:
        self._thought(_at(event), key, _delta(event), out)

    def _thought(self, at: Any, key: tuple[str, int], text: str, out: list[Any]) -> None:
        """Hand out thinking; its parts stand apart by an empty line."""
        place, item = self._place(at, "reasoning"), self._items[at]
        if not text:
            return
        apart = "" if item.thought in (None, key) else "\n\n"
        item.thought = key
        self._sent(at, key, text)
        out.append(ReasoningDelta(apart + text, place))

    def _added(self, at: Any, item: Wire, out: list[Any]) -> None:
        if item.get("type") in _CALLS:
            self._called = True
            place = self._place(at, "call")
            out.append(
                ToolCallDelta(place, id=item.get("call_id") or "", name=item.get("name") or "")
            )

    def item(self, at: Any, item: Wire, out: list[Any]) -> None:
        """Append what of a whole *item* was not handed out yet, and what is known of it."""
        held = self._items.setdefault(at, _Item())
        if held.whole:
            return
        held.whole = True
        self._ids.add(item.get("id"))
        match item.get("type"):
            case "message":
                for index, piece in enumerate(item.get("content") or ()):
                    self._content(at, index, piece, item, out)
            case "reasoning":
                self._reasoned(at, item, out)
            case "function_call" | "custom_tool_call" as kind:
                self._call(at, item, _CALLS[kind], out)
            case "image_generation_call" if item.get("result"):
                about = {k: v for k, v in item.items() if k != "result"}
                kind = f"image/{item.get('output_format') or 'png'}"
                made = inline(item["result"], kind)
                noted = MediaPart(
                    made.media_type, made.data, provider_metadata={self.name: {"item": about}}
                )
                out.append(PartAdded(noted, self._place(at, "item")))
            case _:
                out.append(PartAdded(ProviderPart(self.name, item), self._place(at, "item")))

    def _rest(self, at: Any, key: Any, text: str) -> str:
        """What of *text* was not handed out yet."""
        return text[self._items[at].sent.get(key, 0) :]

    def _content(self, at: Any, index: int, piece: Wire, item: Wire, out: list[Any]) -> None:
        about = {"item": {k: item[k] for k in ("id", "status", "phase") if item.get(k) is not None}}
        if piece.get("type") == "refusal":
            if rest := self._rest(at, index, piece.get("refusal") or ""):
                out.append(RefusalDelta(rest, self._place(at, index)))
            return
        if rest := self._rest(at, index, piece.get("text") or ""):
            out.append(TextDelta(rest, self._place(at, index)))
        for name in ("annotations", "logprobs"):
            if piece.get(name):
                about[name] = piece[name]
        if not piece.get("text") and len(about) == 1:
            return
        out.append(PartMetadata({self.name: about}, self._place(at, index)))

    def _reasoned(self, at: Any, item: Wire, out: list[Any]) -> None:
        for name in ("summary", "content"):
            for index, piece in enumerate(item.get(name) or ()):
                key = (name, index)
                self._thought(at, key, self._rest(at, key, piece.get("text") or ""), out)
        noted = {self.name: {"item": dict(item)}}
        place = self._place(at, "reasoning")
        out.append(ReasoningDelta("", place, provider_metadata=noted))

    def _call(self, at: Any, item: Wire, field_name: str, out: list[Any]) -> None:
        self._called = True
        place = self._place(at, "call")
        rest = self._rest(at, "call", item.get(field_name) or "")
        kept = {k: item[k] for k in ("id", "status", "namespace") if item.get(k) is not None}
        if field_name == "input":
            kept["type"] = "custom_tool_call"
        out.append(
            ToolCallDelta(
                place,
                id=item.get("call_id") or item.get("id") or "",
                name=item.get("name") or "",
                arguments=rest,
                provider_metadata={self.name: {"item": kept}} if kept else None,
            )
        )

    def end(self, response: Wire, out: list[Any]) -> None:
        """Note how *response* ended; what its items have beyond the events is handed out."""
        if response.get("error"):
            self._failed({"response": response})
        if response.get("model") and response["model"] != self._model:
            out.append(StreamStart(model=response["model"]))
        # Not every server counts the items of its events as it lists them at the end.
        told = {name for name in self._ids if name}
        for at, item in enumerate(response.get("output") or ()):
            if item.get("id") not in told:
                self.item(at, item, out)
        self._last = response
        self.finished = self.done = True

    def close(self, out: list[Any]) -> None:
        """Append the Finish."""
        last = self._last
        status = last.get("status")
        why = (last.get("incomplete_details") or {}).get("reason")
        if status == "completed":
            reason = FinishReason.TOOL_CALLS if self._called else FinishReason.STOP
        else:
            reason = _INCOMPLETE.get(why or "", FinishReason.OTHER)
        about = {name: last[name] for name in _KEPT if last.get(name) is not None}
        usage = last.get("usage")
        out.append(
            Finish(
                finish_reason=reason,
                raw_finish_reason=why or status,
                usage=parse_response_usage(usage),
                cost=parse_cost(usage),
                provider_metadata={self.name: about} if about else {},
            )
        )


def _at(event: Wire) -> Any:
    """What tells the item of a step from the others: its place, or its id where there is no place."""
    if event.get("output_index") is not None:
        return event["output_index"]
    return event.get("item_id") or (event.get("item") or {}).get("id")


def _delta(event: Wire) -> str:
    """The text of a step."""
    text = event["delta"]
    if not isinstance(text, str):
        raise TypeError(f"a {type(text).__name__} where text belongs (at $.delta)")
    return text


def response_parser(call: Call[Any]) -> ResponseParser:
    """A parser for the answer to *call*."""
    return ResponseParser(call.provider.info.name, call.provider.error_codes)


def parse_response(call: Call[Any], response: HTTPResponse) -> ChatResponse:
    """A whole answer."""
    whole = read(call, _EVENT, response)
    if not isinstance(whole.get("output"), list):
        raise ResponseFormatError("the answer has no output (at $.output)")
    parser, out = response_parser(call), list[Any]()
    parser.start(whole, out)
    parser.end(whole, out)
    parser.close(out)
    return fold(out)
