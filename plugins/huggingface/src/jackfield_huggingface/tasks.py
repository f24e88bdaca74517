"""Any other task: inputs and parameters as the task has them, JSON or bytes back.

Source: https://huggingface.co/docs/inference-providers/tasks/index
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from attrs import evolve, field, frozen

from jackfield import CallWarning, InvalidRequestError, MediaPart, Request
from jackfield.exchange import Call, Exchange, decode, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.types import Json
from jackfield_dialect_openai.render import merge

from .reading import ANY, media, refuse


@frozen(kw_only=True)
class TaskResponse:
    """What came of a task: its JSON in *data*, or bytes in *media*."""

    model: str = ""
    data: Any = None
    media: MediaPart | None = None
    warnings: tuple[CallWarning, ...] = ()
    provider_metadata: Json = field(factory=dict, repr=False)


@frozen(kw_only=True)
class TaskRequest(Request[TaskResponse]):
    """Ask a model for its task: classification, translation, answers from a table, and so on.

    *inputs* are a text, a `MediaPart`, or JSON that may hold some; *task* names one,
    as in ``"feature-extraction"``, where the model has several.
    """

    inputs: Any
    parameters: Json = field(factory=dict)
    task: str = ""


def payload(part: MediaPart, subject: str = "inputs") -> bytes:
    """The bytes of *part*.

    Raises:
        InvalidRequestError: it is a URL: these servers fetch nothing; or its type is none.
    """
    if part.data is None:
        message = "tasks take no URL: pass the bytes"
        raise InvalidRequestError(message, param=subject, phase="build")
    if not (part.media_type.isascii() and part.media_type.isprintable()):
        message = f"{part.media_type[:60]!r} is not a media type, as in image/png"
        raise InvalidRequestError(message, param=subject, phase="build")
    return part.data


def written(inputs: Any) -> Any:
    """*inputs* as JSON: media become base64."""
    if isinstance(inputs, MediaPart):
        return b64encode(payload(inputs)).decode()
    if isinstance(inputs, Mapping):
        return {name: written(value) for name, value in inputs.items()}
    return [written(value) for value in inputs] if isinstance(inputs, list | tuple) else inputs


def task_request(
    call: Call[Any], inputs: Any, parameters: Mapping[str, Any], pipeline: str = ""
) -> HTTPRequest:
    """POST *inputs* to the model: media alone as they are, anything else as JSON."""
    provider: Any = call.provider
    url = provider.task_url(call.request.model, pipeline)
    if isinstance(inputs, MediaPart) and not parameters and not call.options:
        kind = {"content-type": inputs.media_type}
        return HTTPRequest(url=url, body=payload(inputs), headers=kind)
    body: dict[str, Any] = {"inputs": written(inputs)}
    if parameters:
        body["parameters"] = dict(parameters)
    return json_request(url, merge(body, call.options))


def build(call: Call[TaskRequest]) -> HTTPRequest:
    """POST the inputs to the model, or to the named one of its tasks."""
    request = call.request
    return task_request(call, request.inputs, request.parameters, request.task)


def parse(call: Call[TaskRequest], response: HTTPResponse) -> TaskResponse:
    """The answer as its media type says."""
    found = TaskResponse(model=call.request.model)
    kind = response.headers.get("content-type", "application/json")
    if "json" not in kind and not kind.startswith("text/"):
        return evolve(found, media=media(call, response))
    plain = decode(ANY, response.body)
    refuse(call, plain)
    return evolve(found, data=plain)


TASK: Exchange[Any, Any] = Exchange(build=build, parse=parse)
