"""llama.cpp in this process: local GGUF models, and the tiny demo model that comes along."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, cast

from jackfield import (
    CallWarning,
    ChatRequest,
    ConfigError,
    ConfigIssue,
    EmbeddingRequest,
    EmbeddingResponse,
    Explanation,
    HTTPProvider,
    LocalProvider,
    ModelInfo,
    ModelInfoRequest,
    ModelListRequest,
    Param,
    ProviderInfo,
    Request,
    StreamEvent,
    TokenCount,
    TokenCountRequest,
    Usage,
)
from jackfield.exchange import Call
from jackfield.operations import RerankRequest, RerankResponse
from jackfield.params import ParamTable, normalize
from jackfield_dialect_openai import PARAMS, SAMPLING
from jackfield_dialect_openai.parse import ChunkParser

from . import engine, library
from .answering import Answer, translating
from .background import Stream
from .config import LlamaCppConfig, place_issues, value_issues
from .fields import check_texts
from .gguf import Header
from .options import LoadOptions
from .paths import ModelFile
from .pool import POOL, Lease, Shelf
from .preparing import Prepared, left_out, prepare, usable_seed
from .ranking import ranked, ranking_options


class LlamaCppProvider(LocalProvider):
    """Models in GGUF files, through llama-cpp-python or xllamacpp.

    A model is named by its file's name (any unambiguous part of it will do), by a path, or it is
    ``tiny-demo``, which comes with this package. https://github.com/ggml-org/llama.cpp
    """

    info = ProviderInfo(
        name="llamacpp",
        display_name="llama.cpp",
        docs_url="https://github.com/ggml-org/llama.cpp",
        api_key_required=False,
    )
    Config = LlamaCppConfig
    params: ClassVar[ParamTable] = {
        **{name: param for name, param in PARAMS.items() if name != "reasoning_effort"},
        **SAMPLING,
        "temperature": Param("temperature", ge=0),
        "seed": Param("seed", convert=usable_seed),
        "repeat_penalty": Param("repeat_penalty"),
        "context_length": Param("n_ctx", ge=1),
    }
    handlers: ClassVar[Mapping[type[Request[Any]], str]] = {
        EmbeddingRequest: "embeddings",
        ModelInfoRequest: "model_info",
        ModelListRequest: "models",
        RerankRequest: "ranking",
        TokenCountRequest: "token_count",
    }
    reasoning_history = "reasoning_content"

    def __init__(self, config: Any = None, **keywords: Any) -> None:
        super().__init__(config, **keywords)
        if issues := value_issues(self.config):
            raise ConfigError("the configuration has problems:", issues, provider=self.info.name)
        self._shelf = Shelf(POOL, self.config.max_loaded)

    def check_config(self) -> Sequence[ConfigIssue]:
        """What is wrong with the configuration, without loading a model."""
        return place_issues(self.config)

    def close(self) -> None:
        """Refuse further calls, and let go of the loaded models; calls that run finish first."""
        super().close()
        self._shelf.close()

    # Chat.

    def generate(
        self, request: ChatRequest, wire: Mapping[str, Any], warnings: list[CallWarning]
    ) -> Iterator[StreamEvent]:
        """The events of an answer."""

        def begin() -> Stream:
            ready = self._prepare(request, wire, warnings)
            self.strictly(request, warnings)  # before a model is loaded for nothing
            lease = self._lease(ready.model, ready.header, ready.options)
            return lease.generate(ready.body)

        return Answer(begin, ChunkParser(self.info.name, {}))

    def preview(self, request: Request[Any]) -> Explanation:
        """What the engine would be given, and every compromise; no model is loaded."""
        if not isinstance(request, ChatRequest):
            return super().preview(request)
        wire, warnings = normalize(self.params, request.params)
        with translating():
            ready = self._prepare(request, wire, warnings)
        return Explanation(
            provider=self.name,
            model=ready.model.id,
            method=ready.kind.name,
            url=ready.model.path.absolute().as_uri(),
            body=ready.body,
            warnings=tuple(warnings),
        )

    def _prepare(
        self, request: ChatRequest, wire: Mapping[str, Any], warnings: list[CallWarning]
    ) -> Prepared:
        own = request.provider_options.get(self.info.name, {})
        # The dialect asks its provider only for what this one has too.
        provider = cast("HTTPProvider", self)
        call = Call(
            request=request, provider=provider, wire=dict(wire), warnings=warnings, options=own
        )
        return prepare(self.config, call)

    # Everything else.

    def models(self, request: ModelListRequest) -> Sequence[ModelInfo]:
        """The demo model, and those of the configured places."""
        with translating():
            return list(library.listed(self.config))

    def model_info(self, request: ModelInfoRequest) -> ModelInfo:
        """What a model's file says about it."""
        with translating():
            return library.describe(*self._find(request.model))

    def embeddings(self, request: EmbeddingRequest) -> EmbeddingResponse:
        """Vectors of length 1, pooled as the model says, or else their tokens' mean."""
        warnings = left_out(request)
        self.strictly(cast("ChatRequest", request), warnings)  # it looks only at strictness
        with translating():
            check_texts(request.inputs)
            model, header = self._find(request.model)
            options = self.config.load_options(embedding=True)
            with self._lease(model, header, options) as lease, lease.use() as loaded:
                made = loaded.embed(request.inputs)
        return EmbeddingResponse(
            model=model.id,
            vectors=tuple(tuple(vector) for vector in made.vectors),
            usage=Usage(input_tokens=made.tokens, output_tokens=0),
            warnings=tuple(warnings),
        )

    def ranking(self, request: RerankRequest) -> RerankResponse:
        """The documents, the best first, by a model that has learned to tell."""
        with translating():
            model, header = self._find(request.model)
            options = ranking_options(request, header, self.config.load_options(embedding=True))
            with self._lease(model, header, options) as lease, lease.use() as loaded:
                return ranked(request, model.id, loaded.rank(request.query, request.documents))

    def token_count(self, request: TokenCountRequest) -> TokenCount:
        """The tokens of the prompt that the chat template makes of a conversation."""
        chat = ChatRequest(
            model=request.model,
            messages=request.messages,
            tools=request.tools,
            provider_options=request.provider_options,
            strict=request.strict,
        )
        warnings: list[CallWarning] = []
        with translating():
            ready = self._prepare(chat, {}, warnings)
            self.strictly(chat, warnings)
            with self._lease(ready.model, ready.header, ready.options) as lease:
                tokens = lease.engine.count(ready.body)
        return TokenCount(input_tokens=tokens, warnings=tuple(warnings))

    def _find(self, name: str) -> tuple[ModelFile, Header]:
        model = library.find(self.config, name)
        return model, library.read_whole(model)

    def _lease(self, model: ModelFile, header: Header, options: LoadOptions) -> Lease:
        kind = engine.choose_engine(self.config.engine)
        resolved = engine.resolved(header, model.size, options)
        changed = model.path.stat().st_mtime_ns  # a file that was replaced is another model
        key = (kind.name, model.path.resolve(), model.size, changed, resolved)
        return self._shelf.take(key, lambda: engine.load(kind, header, resolved))
