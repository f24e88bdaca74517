"""A provider in this process, with an operation beside chat."""

from jackfield import (
    Finish,
    FinishReason,
    LocalProvider,
    ModelInfo,
    ModelListRequest,
    Param,
    ProviderInfo,
    StreamStart,
    TextDelta,
    Usage,
)


class FirstLocal(LocalProvider):
    info = ProviderInfo(name="first-local", display_name="First, here", api_key_required=False)
    params = {"max_tokens": Param("limit", ge=1)}
    handlers = {ModelListRequest: "names"}

    def generate(self, request, wire, warnings):
        yield StreamStart(model=request.model)
        for word in request.messages[-1].text.split()[: wire.get("limit")]:
            yield TextDelta(word + " ")
        usage = Usage(input_tokens=1, output_tokens=1)
        yield Finish(finish_reason=FinishReason.STOP, raw_finish_reason="stop", usage=usage)

    def names(self, request):
        return [ModelInfo(id="echo")]
