"""The quick engine: xllamacpp, llama.cpp's own server as a library in this process.

The server reads OpenAI's requests itself: chat templates, tool calls, schemas, thoughts and counts are
its own. https://github.com/xorbitsai/xllamacpp
"""

from __future__ import annotations

import http.client
import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import xllamacpp

from . import schema as schemas
from .engine import Body, Chunk, Embeddings, Limit, Scores, Sink
from .errors import EMPTY_PROMPT, EngineError, ErrorCode, context_exceeded
from .gguf import Header
from .messages import chosen_tools, prepare
from .options import KV_TYPES, WAYS, LoadOptions

log = logging.getLogger("jackfield.llamacpp")
_CODES: Mapping[str, ErrorCode] = {
    "exceed_context_size_error": "context_length_exceeded",
    "invalid_request_error": "invalid_request",
    "not_supported_error": "invalid_request",
}


def load(header: Header, options: LoadOptions) -> XllamaCppEngine:
    """Load the model of *header*; *options* have their defaults filled in.

    Raises:
        EngineError: `load_failed`.
    """
    params = xllamacpp.CommonParams()
    _place(params, header, options)
    # The library always listens on a port of 127.0.0.1; nobody else on this machine shall use it.
    key = secrets.token_urlsafe(32)
    params.api_keys = [key]
    try:
        server = xllamacpp.Server(params)
        # A server that is freed before its loop has begun waits for ever. This goes through the loop.
        server.handle_metrics()
    except (RuntimeError, ValueError, OSError, MemoryError) as error:
        raise EngineError("load_failed", _why(header, options, error)) from error
    return XllamaCppEngine(server, key, options)


def _place(params: Any, header: Header, options: LoadOptions) -> None:
    params.model.path = str(header.path)
    params.n_ctx = options.n_ctx
    params.n_batch = options.n_batch
    params.n_gpu_layers = options.n_gpu_layers
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.n_threads
    params.cache_type_k = xllamacpp.ggml_type(KV_TYPES[options.type_k])
    params.cache_type_v = xllamacpp.ggml_type(KV_TYPES[options.type_v])
    if options.flash_attn is not None:
        kinds = xllamacpp.llama_flash_attn_type
        params.flash_attn_type = (
            kinds.LLAMA_FLASH_ATTN_TYPE_ENABLED
            if options.flash_attn
            else kinds.LLAMA_FLASH_ATTN_TYPE_DISABLED
        )
    if not options.use_mmap or options.use_mlock:
        mode = ("MMAP_" if options.use_mmap else "") + "MLOCK" if options.use_mlock else "NONE"
        params.load_mode = xllamacpp.llama_load_mode[f"LLAMA_LOAD_MODE_{mode}"]
    if options.chat_template:
        params.chat_template = options.chat_template
    if options.embedding:
        params.embedding = True
        params.n_batch = params.n_ubatch = options.n_ctx  # an embedding is computed in one batch
        if options.pooling:
            params.pooling_type = xllamacpp.llama_pooling_type(WAYS[options.pooling])
    params.verbosity = 0
    params.warmup = False
    params.endpoint_metrics = True  # behind the key, like everything
    params.ui = params.endpoint_slots = False
    params.fit_params = False  # what was asked for, or a clear failure
    params.cache_ram_mib = 0  # it would keep up to 8 GiB of old conversations


def _why(header: Header, options: LoadOptions, error: Exception) -> str:
    hint = f"n_ctx={options.n_ctx}, n_gpu_layers={options.n_gpu_layers}, type_k={options.type_k}, type_v={options.type_v}"
    return (
        f"llama.cpp could not load {header.path} ({hint}): {error} "
        f"Too little memory, or an architecture ({header.architecture}) newer than this xllamacpp?"
    )


def limits(_template: str | None, body: Body) -> Sequence[Limit]:
    """What of *body* would not be honoured, whatever the model's template."""
    return schemas.limits(schemas.requested_schema(body))


def read(body: Body) -> dict[str, Any]:
    """*body* as the server understands it.

    It takes `tool_choice` only as a word: a named tool becomes the only one on offer, and with
    "none" the tools are not shown, because it would hand their calls through as text.

    Raises:
        EngineError: `invalid_request` for what is not text, or a `tool_choice` that is not on offer.
    """
    prepare(body.get("messages"))
    wire = dict(body)
    if body.get("seed") is not None:
        # What was computed in other batches differs in its last digits, and so would the answer.
        wire.setdefault("cache_prompt", False)
    choice = body.get("tool_choice")
    if choice == "none":
        wire.pop("tools", None)
        wire.pop("tool_choice", None)
    elif isinstance(choice, Mapping) and body.get("tools"):
        wire["tools"] = chosen_tools(body)
        wire["tool_choice"] = "required"
    return wire


class XllamaCppEngine:
    """A model loaded by xllamacpp."""

    def __init__(self, server: Any, key: str, options: LoadOptions) -> None:
        self._server, self._key = server, key
        self._address = urlsplit(server.listening_address)
        self.n_ctx = int(options.n_ctx or 0)
        self._asks_well = False  # whether the template was seen to make a prompt of a question

    def close(self) -> None:
        """Free the model."""
        self._server = None

    def tokenize(self, text: str) -> list[int]:
        """The tokens of *text*, special tokens read as such."""
        return [
            int(token)
            for token in self._ask("/tokenize", {"content": text, "parse_special": True})["tokens"]
        ]

    def count(self, body: Body) -> int:
        """How many tokens the prompt of *body* has."""
        return int(self._ask("/v1/chat/completions/input_tokens", read(body))["input_tokens"])

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """The pooled, normalized vectors of *texts*."""
        for at, text in enumerate(texts):
            if not text:
                raise EngineError(
                    "invalid_request", f"input {at} is empty; there is nothing to embed"
                )
        try:
            answer = self._checked(
                self._call(self._server.handle_embeddings, {"input": list(texts)})
            )
        except EngineError as error:
            raise self._too_long(texts) or error from error
        data = sorted(answer["data"], key=lambda item: item["index"])
        return Embeddings(
            vectors=[item["embedding"] for item in data], tokens=answer["usage"]["prompt_tokens"]
        )

    def rank(self, query: str, documents: Sequence[str]) -> Scores:
        """How well each of *documents* answers *query*."""
        body = {"query": query, "documents": list(documents)}
        try:
            answer = self._checked(self._call(self._server.handle_rerank, body))
        except EngineError as error:
            pairs = [f"{query}\n{document}" for document in documents]
            raise self._too_long(pairs, "the query with document") or error from error
        found = sorted(answer["results"], key=lambda item: item["index"])
        return Scores(
            scores=[item["relevance_score"] for item in found],
            tokens=answer["usage"]["prompt_tokens"],
        )

    def _too_long(self, texts: Sequence[str], what: str = "input") -> EngineError | None:
        """The server calls a text that is too long a failure of its own; find out whether that was it."""
        for at, text in enumerate(texts):
            tokens = len(self.tokenize(text))
            if tokens > self.n_ctx:
                return context_exceeded(f"{what} {at}", tokens, self.n_ctx)
        return None

    def generate(self, body: Body, sink: Sink) -> None:
        """Answer *body* into *sink*."""
        failures: list[Chunk] = []

        def receive(chunk: Chunk) -> bool:
            if "error" in chunk:
                failures.append(chunk)
            elif "prompt_progress" not in chunk:  # asked for only to be called, so that we can stop
                # The server names the file; the fingerprint is its build's, which says nothing.
                sink.put({**chunk, "model": body.get("model") or "", "system_fingerprint": None})
            return sink.cancelled()

        wire = {
            **read(body),
            "stream": True,
            "stream_options": {"include_usage": True},
            "return_progress": True,
        }
        self._see_prompt(body)
        answer = self._call(self._server.handle_chat_completions, wire, receive)
        if isinstance(answer, dict):
            failures.append(answer)
        for failure in failures:
            self._checked(failure)

    def _see_prompt(self, body: Body) -> None:
        """Refuse a conversation of which the template makes nothing: over that the server ends the process."""
        asked = any(m.get("role") == "user" and m.get("content") for m in body["messages"])
        if asked and self._asks_well:
            return
        if not self.count(body):
            raise EngineError("invalid_request", EMPTY_PROMPT)
        self._asks_well = self._asks_well or asked

    def _call(self, handler: Any, *arguments: Any) -> Any:
        try:
            return handler(*arguments)
        except (ValueError, TypeError) as error:
            raise EngineError("invalid_request", str(error)) from error
        except RuntimeError as error:
            raise EngineError("engine_failed", f"llama.cpp failed: {error}") from error

    def _ask(self, path: str, body: Body) -> Any:
        """What the server answers on its own port, for what the library has no function for."""
        connection = http.client.HTTPConnection(
            self._address.hostname or "", self._address.port, timeout=60
        )
        try:
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
            connection.request("POST", path, json.dumps(body), headers)
            return self._checked(json.loads(connection.getresponse().read()))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise EngineError(
                "engine_failed", f"llama.cpp did not answer {path}: {error}"
            ) from error
        finally:
            connection.close()

    def _checked(self, answer: Any) -> Any:
        """*answer*, unless it is an error.

        Raises:
            EngineError: with the code that fits the server's type of error.
        """
        if not isinstance(answer, Mapping) or "error" not in answer:
            return answer
        error = answer["error"]
        if not isinstance(error, Mapping):
            raise EngineError("engine_failed", f"llama.cpp failed: {error}")
        code = _CODES.get(str(error.get("type")), "engine_failed")
        raise EngineError(code, str(error.get("message", "llama.cpp gave no reason")))
