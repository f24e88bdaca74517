"""{{ cookiecutter.display_name }} for Jackfield: a model in this process."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from attrs import frozen
from jackfield import (
    CallWarning,
    ChatRequest,
    Config,
    Finish,
    FinishReason,
    LocalProvider,
    ModelInfo,
    ModelListRequest,
    NotFoundError,
    Param,
    ProviderInfo,
    StreamEvent,
    StreamStart,
    TextDelta,
    TextPart,
    Usage,
)
from jackfield.params import ParamTable


class Engine:
    """A toy in your engine's place: it says words of what it was told, for ever."""

    def count(self, text: str) -> int:
        """How many tokens *text* has."""
        return len(text.split())

    def tokens(self, text: str, temperature: float, seed: int | None) -> Iterator[str]:
        """Tokens that go on with *text*. It may block as long as it likes: it is run in a thread."""
        words = text.split() or ["…"]
        chance = random.Random(seed)  # noqa: S311  # a toy, not a secret
        at = 0
        while True:
            yield words[at % len(words)] + " "
            at = chance.randrange(len(words)) if temperature else at + 1


@frozen(kw_only=True)
class {{ cookiecutter.__stem }}Config(Config):
    """*max_tokens* ends an answer that nothing else ends. A setting of your own is one more field."""

    max_tokens: int = 24


class {{ cookiecutter.__stem }}Provider(LocalProvider):
    """{{ cookiecutter.display_name }}. {{ cookiecutter.docs_url }}."""

    info = ProviderInfo(
        name="{{ cookiecutter.name }}",
        display_name="{{ cookiecutter.display_name }}",
        docs_url="{{ cookiecutter.docs_url }}",
        api_key_required=False,
    )
    Config = {{ cookiecutter.__stem }}Config
    # The common parameters that your engine takes; generate() finds them in *wire* under the names here. Beyond a limit a
    # value is clamped, and a parameter without a row is left out; the caller is told of both.
    params: ClassVar[ParamTable] = {
        "max_tokens": Param("max_tokens", ge=1),
        "temperature": Param("temperature", ge=0, le=2, default=0.0),
        "seed": Param("seed"),
    }
    # Operations beside chat: the request's type, and the method that answers it.
    handlers: ClassVar[Mapping[type[Any], str]] = {ModelListRequest: "models"}

    def __init__(self, config: Any = None, **options: Any) -> None:
        super().__init__(config, **options)
        # Load weights when the first call needs them, not here, and keep what belongs to a call out of self.
        self.engine = Engine()

    def models(self, request: ModelListRequest) -> Sequence[ModelInfo]:
        """The models that there are."""
        return [ModelInfo(id="toy", display_name="A toy")]

    def generate(
        self, request: ChatRequest, wire: Mapping[str, Any], warnings: list[CallWarning]
    ) -> Iterator[StreamEvent]:
        """The events of an answer. When the caller leaves early, the generator is closed where it yields."""
        if request.model != "toy":
            raise NotFoundError(f"there is no model {request.model!r}: ask for 'toy'")
        warnings += self.compromises(request)
        text = request.messages[-1].text
        limit = wire.get("max_tokens", self.config.max_tokens)
        yield StreamStart(model=request.model)
        written, reason = 0, FinishReason.STOP
        for token in self.engine.tokens(text, wire["temperature"], wire.get("seed")):
            if written == limit:
                reason = FinishReason.LENGTH
                break
            written += 1
            yield TextDelta(token)
        usage = Usage(input_tokens=self.engine.count(text), output_tokens=written)
        yield Finish(finish_reason=reason, usage=usage)

    def compromises(self, request: ChatRequest) -> Iterator[CallWarning]:
        """What the engine cannot take: said, and not lost in silence."""
        if request.tools:
            yield CallWarning("unsupported", "tools", "the engine has none")
        if request.response_format is not None and request.response_format.type != "text":
            yield CallWarning("unsupported", "response_format", "the engine has none")
        if len(request.messages) > 1:
            yield CallWarning("dropped", "messages", "the toy hears the last one alone")
        if not all(isinstance(part, TextPart) for part in request.messages[-1].content):
            yield CallWarning("dropped", "parts of the message", "the engine takes text alone")
