"""A provider in this process that keeps the contract; each mutant is this with one thing changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from jackfield import (
    CallWarning,
    ChatRequest,
    Finish,
    FinishReason,
    LocalProvider,
    ModelInfo,
    ModelListRequest,
    Param,
    ProviderInfo,
    StreamEvent,
    StreamStart,
    TextDelta,
    Usage,
)

COUNT = [0]


class Local(LocalProvider):
    """Counts to the limit that it is given."""

    info = ProviderInfo(name="NAME", display_name="Counter", api_key_required=False)
    params: ClassVar = {"max_tokens": Param("most", ge=1, le=100)}
    handlers: ClassVar = {ModelListRequest: "names"}

    def names(self, _request: ModelListRequest) -> list[ModelInfo]:
        """The one model."""
        return [ModelInfo(id="counter")]

    def generate(
        self, request: ChatRequest, wire: Mapping[str, Any], warnings: list[CallWarning]
    ) -> Iterator[StreamEvent]:
        """So many numbers."""
        begun = 0
        most = wire.get("most", 3)
        yield StreamStart(model=request.model)
        for number in range(begun, begun + most):
            yield TextDelta(f"{number} ")
        yield Finish(finish_reason=FinishReason.LENGTH, usage=Usage(output_tokens=most))
