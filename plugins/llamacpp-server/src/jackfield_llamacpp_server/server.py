"""The server itself: what it was started with, and its slots.

Source: https://github.com/ggml-org/llama.cpp/tree/master/tools/server, ``/props`` and ``/slots``
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from attrs import field, frozen

from jackfield import InvalidRequestError, Request
from jackfield.exchange import Call, Exchange, decode, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.types import Json

from .config import address, ask


@frozen(kw_only=True)
class ServerProps:
    """What the server runs; *raw* is all that it told.

    *context_window* is in tokens, for each slot; *slots* is how many calls it works on at a time.
    """

    model_path: str = ""
    context_window: int | None = None
    slots: int | None = None
    chat_template: str = field(default="", repr=False)
    vision: bool | None = None
    audio_input: bool | None = None
    build: str = ""
    raw: Json = field(factory=dict, repr=False)


@frozen(kw_only=True)
class PropsRequest(Request[ServerProps]):
    """Ask what the server was started with."""


@frozen(kw_only=True)
class Slot:
    """A place in which the server works on one call; *raw* is all that it told."""

    id: int
    context_window: int | None = None
    busy: bool = False
    raw: Json = field(factory=dict, repr=False)


@frozen(kw_only=True)
class SlotsRequest(Request[Sequence[Slot]]):
    """Ask what the slots are doing."""


@frozen(kw_only=True)
class SlotRequest(Request[Json]):
    """Save a slot's prompt cache to *filename* on the server, restore it, or erase it."""

    slot: int
    action: Literal["save", "restore", "erase"]
    filename: str | None = None


_OBJECT = msgspec.json.Decoder(dict[str, Any])
_OBJECTS = msgspec.json.Decoder(list[dict[str, Any]])


def build_props(call: Call[PropsRequest]) -> HTTPRequest:
    """GET /props."""
    return ask(call, "/props")


def parse_props(_call: Call[PropsRequest], response: HTTPResponse) -> ServerProps:
    """What the server told, whatever of it this version tells."""
    told = decode(_OBJECT, response.body)
    settings, takes = (
        _mapping(told.get("default_generation_settings")),
        _mapping(told.get("modalities")),
    )
    return ServerProps(
        model_path=told.get("model_path") or "",
        context_window=settings.get("n_ctx"),
        slots=told.get("total_slots"),
        chat_template=told.get("chat_template") or "",
        vision=takes.get("vision"),
        audio_input=takes.get("audio"),
        build=told.get("build_info") or "",
        raw=told,
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def build_slots(call: Call[SlotsRequest]) -> HTTPRequest:
    """GET /slots."""
    return ask(call, "/slots")


def parse_slots(_call: Call[SlotsRequest], response: HTTPResponse) -> Sequence[Slot]:
    """The slots, in the server's order."""
    return [
        Slot(
            id=told["id"],
            context_window=told.get("n_ctx"),
            busy=bool(told.get("is_processing")),
            raw=told,
        )
        for told in decode(_OBJECTS, response.body)
    ]


def build_slot(call: Call[SlotRequest]) -> HTTPRequest:
    """POST /slots/ID?action=ACTION."""
    request = call.request
    if request.action != "erase" and not request.filename:
        message = f"to {request.action} a slot, say the name of a file on the server"
        raise InvalidRequestError(message, param="filename", phase="build")
    body = {"filename": request.filename} if request.filename else {}
    url = address(call, f"/slots/{request.slot:d}?action={request.action}")
    return json_request(url, {**body, **call.options})


def parse_slot(_call: Call[SlotRequest], response: HTTPResponse) -> Json:
    """How many tokens were saved, restored or erased, as the server told it."""
    return decode(_OBJECT, response.body)


SERVER: Exchanges = {
    PropsRequest: Exchange(build=build_props, parse=parse_props),
    SlotsRequest: Exchange(build=build_slots, parse=parse_slots),
    SlotRequest: Exchange(build=build_slot, parse=parse_slot),
}
