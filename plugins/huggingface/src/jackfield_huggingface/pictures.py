"""Images from texts, and from images.

Source: https://huggingface.co/docs/inference-providers/tasks/text-to-image
"""

from __future__ import annotations

from typing import Any

from jackfield import InvalidRequestError
from jackfield.exchange import Call, Exchange
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.operations import ImageRequest, ImageResponse

from .reading import media
from .tasks import task_request

_ABSENT = ("quality", "background", "output_format", "mask")


def build(call: Call[ImageRequest]) -> HTTPRequest:
    """POST the prompt; an image to edit is the input, and the prompt then a parameter."""
    request = call.request
    for name in _ABSENT:
        if getattr(request, name) is not None:
            call.warn("unsupported", name, "this task has no such parameter")
    if request.n != 1:
        call.warn("unsupported", "n", "one image comes of one request")
    parameters: dict[str, Any] = {}
    if request.negative_prompt is not None:
        parameters["negative_prompt"] = request.negative_prompt
    size = _size(call)
    if not request.images:
        seed = {} if request.seed is None else {"seed": request.seed}
        return task_request(call, request.prompt, {**parameters, **size, **seed})
    if len(request.images) > 1:
        message = "one image can be edited at a time"
        raise InvalidRequestError(message, param="images", phase="build")
    if request.seed is not None:
        call.warn("unsupported", "seed", "editing has no such parameter")
    target = {"target_size": size} if size else {}
    edit = {"prompt": request.prompt, **parameters, **target}
    return task_request(call, request.images[0], edit)


def _size(call: Call[ImageRequest]) -> dict[str, int]:
    wanted = call.request.size
    if wanted is None:
        return {}
    width, _, height = wanted.partition("x")
    if width.isdecimal() and height.isdecimal():
        return {"width": int(width), "height": int(height)}
    call.warn("unsupported", "size", f"{wanted[:40]!r} is not WIDTHxHEIGHT")
    return {}


def parse(call: Call[ImageRequest], response: HTTPResponse) -> ImageResponse:
    """The image itself."""
    return ImageResponse(model=call.request.model, images=(media(call, response, "image/"),))


IMAGES: Exchange[Any, Any] = Exchange(build=build, parse=parse)
