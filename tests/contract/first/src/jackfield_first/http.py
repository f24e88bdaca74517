"""A provider over HTTP: exchanges, a procedure, a stream, parameters, errors, a token that is fetched."""

import json

from attrs import evolve, frozen
from jackfield import (
    ChatRequest,
    ChatResponse,
    ConfigIssue,
    EmbeddingRequest,
    EmbeddingResponse,
    Finish,
    FinishReason,
    HTTPConfig,
    HTTPProvider,
    Message,
    ModelInfo,
    ModelListRequest,
    Param,
    ProviderInfo,
    RateLimitError,
    ReasoningDelta,
    StreamStart,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from jackfield.exchange import Exchange, Procedure, get_request, json_request, segment
from jackfield.flow import HTTPRequest


@frozen(kw_only=True)
class FirstConfig(HTTPConfig):
    """*token_url* gives the second credential."""

    base_url: str = "https://api.first.example/v1"
    token_url: str = "https://tokens.first.example/new"


def build(call):
    if call.request.tools:
        call.warn("dropped", "tools", "this model has none")
    said = [[message.role, message.text] for message in call.request.messages]
    body = {"model": call.request.model, "said": said, **call.wire, **call.options}
    return json_request(f"/chat/{segment(call.request.model)}", {**body, "stream": call.stream})


def parse(call, response):
    body = json.loads(response.body)
    return ChatResponse(
        id=body["id"],
        model=call.request.model,
        message=Message("assistant", body["text"]),
        finish_reason=FinishReason.STOP,
        raw_finish_reason="done",
        usage=Usage(input_tokens=body["in"], output_tokens=body["out"]),
    )


class Stream:
    def __init__(self, call):
        self.finished = self.done = False
        self.model = call.request.model
        self.started = False

    def feed(self, frames, out):
        for name, data in frames:
            if not self.started:
                self.started = True
                out.append(StreamStart(id="1", model=self.model))
            if data == b"END":
                self.finished = self.done = True
            elif name == b"thought":
                out.append(ReasoningDelta(data.decode()))
            elif name == b"call":
                out.append(ToolCallDelta(0, id="c1", name="look", arguments=data.decode()))
            else:
                out.append(TextDelta(data.decode()))

    def close(self, out):
        usage = Usage(input_tokens=1, output_tokens=2)
        out.append(Finish(finish_reason=FinishReason.STOP, raw_finish_reason="done", usage=usage))


def models(call):
    found, page = [], 1
    while page:
        response = yield from call.provider.fetch(call, get_request("/models", page=page))
        body = json.loads(response.body)
        found += [ModelInfo(id=name) for name in body["names"]]
        page = body["next"]
    return found


class FirstProvider(HTTPProvider):
    info = ProviderInfo(
        name="first-http",
        display_name="First",
        docs_url="https://first.example/docs",
        api_key_env="FIRST_API_KEY",
    )
    Config = FirstConfig
    params = {
        "max_tokens": Param("limit", ge=1, le=100),
        "temperature": Param("heat", ge=0, le=1),
        "stop": Param("stop", most=2, convert=list),
    }
    exchanges = {
        ChatRequest: Exchange(build=build, parse=parse, stream=Stream),
        ModelListRequest: Procedure(models),
        EmbeddingRequest: Exchange(
            build=lambda call: json_request("/embed", {"texts": list(call.request.inputs)}),
            parse=lambda _, r: EmbeddingResponse(vectors=json.loads(r.body)["vectors"]),
        ),
    }
    error_codes = {"too_fast": RateLimitError}

    def auth_headers(self, key):
        return {"x-first-key": key.reveal()} if key else {}

    def authorize(self, request):
        token = yield HTTPRequest(method="GET", url=self.config.token_url, deadline=request.deadline)
        signed = yield from super().authorize(request)
        return evolve(signed, headers={**signed.headers, "x-token": token.body.decode()})

    def check_config(self):
        wrong = self.config.token_url == "nowhere"
        more = [ConfigIssue("token_url", "is nowhere", "name a server")] if wrong else []
        return [*super().check_config(), *more]
