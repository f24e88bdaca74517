"""Images from a chat model. https://ai.google.dev/gemini-api/docs/image-generation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jackfield.exchange import Call, Exchange, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import ImageRequest, ImageResponse

from ..config import merge, path
from ..facts import PICTURES, fact
from ..media import render_media
from .made import made

UNTAKEN = ("quality", "background", "output_format", "negative_prompt", "mask")

RATIOS: Mapping[str, float] = {
    f"{w}:{h}": w / h
    for w, h in ((1, 1), (2, 3), (3, 2), (3, 4), (4, 3), (4, 5), (5, 4), (9, 16), (16, 9), (21, 9))
}
EDGES: Mapping[str, int] = {"1K": 1024, "2K": 2048, "4K": 4096}


def build(call: Call[ImageRequest]) -> HTTPRequest:
    """POST /models/NAME:generateContent that asks for images alone."""
    request = call.request
    parts: list[Any] = [{"text": request.prompt}]
    parts += [w for p in request.images if (w := render_media(call, p)) is not None]
    generation: dict[str, Any] = {"responseModalities": ["IMAGE"]}
    if request.seed is not None:
        generation["seed"] = request.seed
    if request.n != 1:
        generation["candidateCount"] = request.n
    if request.size is not None and (measures := _measures(call, request.size)):
        generation["imageConfig"] = measures
    for name in UNTAKEN:
        if getattr(request, name) is not None:
            call.warn("unsupported", name, "not sent")
    body = {"contents": [{"role": "user", "parts": parts}], "generationConfig": generation}
    return json_request(path(request.model, verb=":generateContent"), merge(body, call.options))


def _measures(call: Call[Any], size: str) -> dict[str, str]:
    """The nearest shape that the API has, and the nearest length of the longer edge."""
    width, _, height = size.partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        call.warn("unsupported", "size", "it is no WIDTHxHEIGHT: not sent")
        return {}
    wanted, longer = int(width) / int(height), max(int(width), int(height))
    near = {"aspectRatio": min(RATIOS, key=lambda r: abs(RATIOS[r] - wanted))}
    if fact(PICTURES, call.request.model) == "shape and size":
        near["imageSize"] = min(EDGES, key=lambda e: abs(EDGES[e] - longer))
    call.warn("emulated", "size", f"the nearest was sent, {' and '.join(near.values())}")
    return near


def parse(call: Call[ImageRequest], response: HTTPResponse) -> ImageResponse:
    """The images of the answer.

    Raises:
        ContentFilterError: the prompt or the images were refused.
        ResponseFormatError: there is no image.
    """
    answer, images = made(call, response, "image")
    return ImageResponse(
        id=answer.id,
        model=answer.model or call.request.model,
        images=images,
        usage=answer.usage,
        provider_metadata=answer.provider_metadata,
    )


IMAGES: Exchanges = {ImageRequest: Exchange(build=build, parse=parse)}
