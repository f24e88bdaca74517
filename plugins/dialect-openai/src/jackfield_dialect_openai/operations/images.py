"""Images: generations and edits. https://platform.openai.com/docs/api-reference/images."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from jackfield import Cost, InvalidRequestError, MediaPart, ResponseFormatError
from jackfield.exchange import Call, Exchange, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import ImageRequest, ImageResponse
from jackfield.operations.forms import FilePart, form_request

from ..render import merge
from ..usage import parse_cost, parse_usage
from .reading import inline, read


class Image(Struct):
    """An image: its bytes or where it is."""

    b64_json: str | None = None
    url: str | None = None
    revised_prompt: str | None = None
    mime_type: str | None = None


class Images(Struct):
    """An answer of images."""

    data: list[Image] | None
    id: str | None = None
    model: str | None = None
    created: Any = None
    usage: dict[str, Any] | None = None
    output_format: str | None = None
    size: Any = None
    quality: Any = None
    background: Any = None


IMAGES_WIRE = msgspec.json.Decoder(Images)
_SETTINGS = ("size", "quality", "background", "output_format")


def build(call: Call[ImageRequest]) -> HTTPRequest:
    """POST /images/generations; with images of one's own, a form to /images/edits."""
    request = call.request
    fields: dict[str, Any] = {"model": request.model, "prompt": request.prompt}
    if request.n != 1:
        fields["n"] = request.n
    fields |= {name: v for name in _SETTINGS if (v := getattr(request, name)) is not None}
    for name in ("negative_prompt", "seed"):
        value = getattr(request, name)
        if value is not None and name in getattr(call.provider, "image_fields", ()):
            fields[name] = value
        elif value is not None:
            call.warn("unsupported", name, "this API has no such field")
    fields = merge(fields, call.options)
    if not request.images:
        if request.mask is not None:
            call.warn("dropped", "mask", "there is no image to edit")
        return json_request("/images/generations", fields)
    name = "image[]" if len(request.images) > 1 else "image"
    files = [(name, _file(part, at)) for at, part in enumerate(request.images)]
    if request.mask is not None:
        files.append(("mask", _file(request.mask, len(files))))
    return form_request("/images/edits", [*files, *fields.items()])


def _file(part: MediaPart, at: int) -> FilePart:
    if part.data is None:
        message = f"image {at + 1} is a URL: an edit needs its bytes"
        raise InvalidRequestError(message, param="images", phase="build")
    ending = part.media_type.rpartition("/")[2]
    return FilePart(part.name or f"image-{at}.{ending}", part.media_type, part.data)


def parse(call: Call[ImageRequest], response: HTTPResponse) -> ImageResponse:
    """The images, in their order."""
    answer = read(call, IMAGES_WIRE, response)
    if not answer.data:
        raise ResponseFormatError("the answer has no images (at $.data)")
    kind = f"image/{answer.output_format or call.request.output_format or 'png'}"
    about = {n: v for n in ("created", *_SETTINGS) if (v := getattr(answer, n)) is not None}
    return ImageResponse(
        id=answer.id or "",
        model=answer.model or "",
        images=tuple(_image(image, kind) for image in answer.data),
        revised_prompts=tuple(image.revised_prompt for image in answer.data),
        usage=parse_usage(answer.usage),
        cost=parse_cost(answer.usage) or Cost(),
        provider_metadata={call.provider.info.name: about} if about else {},
    )


def _image(image: Image, kind: str) -> MediaPart:
    if image.b64_json:
        return inline(image.b64_json, image.mime_type or kind)
    if image.url:
        return MediaPart(image.mime_type or kind, url=image.url)
    raise ResponseFormatError("an image has neither bytes nor a URL (at $.data)")


IMAGES: Exchanges = {ImageRequest: Exchange(build=build, parse=parse)}
