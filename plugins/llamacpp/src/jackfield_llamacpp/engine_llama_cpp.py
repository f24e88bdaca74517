"""The reference engine: llama-cpp-python, with the gaps in its chat interface filled here.

Tokens come from `Llama.generate`; the chat template, tool calls, JSON schemas, stop strings and the
counts of a stream are this package's. https://llama-cpp-python.readthedocs.io
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import random
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import llama_cpp
from llama_cpp import _internals, _logger
from llama_cpp import llama as _llama

from . import lcpp_rank, lcpp_request
from .answer import AnswerReader
from .chunks import ChunkMaker
from .engine import Body, Embeddings, Scores, Sink
from .errors import EMPTY_PROMPT, EngineError, context_exceeded
from .formats import CHATML
from .gguf import Header
from .options import KV_TYPES, WAYS, LoadOptions
from .text import TextStream

log = logging.getLogger("jackfield.llamacpp")
_loading = threading.Lock()
# Marks of tool calls and thoughts are control tokens in some vocabularies; they are text to us.
_WARNINGS_AND_ERRORS = (3, 4)  # of ggml_log_level
_MARKS = (
    b"<tool_call>",
    b"</tool_call>",
    b"[TOOL_CALLS]",
    b"<|python_tag|>",
    b"<think>",
    b"</think>",
)


limits = lcpp_request.limits


def load(header: Header, options: LoadOptions) -> LlamaCppEngine:
    """Load the model of *header*; *options* have their defaults filled in.

    Raises:
        EngineError: `load_failed` with llama.cpp's own reason.
    """
    said: list[str] = []
    try:
        with _loading, _listening(said):
            model = llama_cpp.Llama(str(header.path), verbose=False, **_arguments(options))
    except (ValueError, RuntimeError, AssertionError, OSError, MemoryError) as error:
        raise EngineError("load_failed", _why(header, options, error, said)) from error
    return LlamaCppEngine(model, header, options)


def _arguments(options: LoadOptions) -> dict[str, Any]:
    # An embedding is computed in one batch.
    batch = options.n_ctx if options.embedding else options.n_batch
    return {
        "n_ctx": options.n_ctx,
        "n_batch": batch,
        "n_ubatch": batch if options.embedding else 512,
        "n_threads": options.n_threads,
        "n_threads_batch": options.n_threads,
        "n_gpu_layers": options.n_gpu_layers,
        "flash_attn": bool(options.flash_attn),
        "type_k": KV_TYPES[options.type_k],
        "type_v": KV_TYPES[options.type_v],
        "use_mmap": options.use_mmap,
        "use_mlock": options.use_mlock,
        "embedding": options.embedding,
        "pooling_type": WAYS[options.pooling] if options.pooling else -1,
    }


def _loud(disable: bool = True) -> contextlib.AbstractContextManager[None]:  # noqa: ARG001 - its signature is the library's
    return contextlib.nullcontext()


@contextlib.contextmanager
def _listening(said: list[str]) -> Iterator[None]:
    """Collect llama.cpp's complaints; and let nobody's output be lost while a model loads.

    With verbose=False the library points the whole process's standard output and error at the null
    device for as long as a model loads, which swallows what other threads print.
    """

    @llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]  # the library has no types
    def hear(level: int, text: bytes, _data: ctypes.c_void_p) -> None:
        if level in _WARNINGS_AND_ERRORS:
            said.append(text.decode("utf-8", "replace").strip())

    original = _internals.suppress_stdout_stderr
    _internals.suppress_stdout_stderr = _llama.suppress_stdout_stderr = _loud
    llama_cpp.llama_log_set(hear, ctypes.c_void_p(0))
    try:
        yield
    finally:
        llama_cpp.llama_log_set(_logger.llama_log_callback, ctypes.c_void_p(0))
        _internals.suppress_stdout_stderr = _llama.suppress_stdout_stderr = original
        for line in said:
            log.debug("llama.cpp: %s", line)


def _why(header: Header, options: LoadOptions, error: Exception, said: Sequence[str]) -> str:
    reasons = [line for line in said if "error" in line.lower() or "failed" in line.lower()]
    reason = reasons[0] if reasons else str(error)
    hint = f"n_ctx={options.n_ctx}, n_gpu_layers={options.n_gpu_layers}, type_k={options.type_k}, type_v={options.type_v}"
    return f"llama.cpp could not load {header.path} ({hint}): {reason}"


class LlamaCppEngine:
    """A model loaded by llama-cpp-python."""

    def __init__(self, model: Any, header: Header, options: LoadOptions) -> None:
        self._model = model
        self._vocab = llama_cpp.llama_model_get_vocab(model.model)
        self._pieces: dict[int, bytes] = {}
        self._requests = lcpp_request.Reader(
            template=options.chat_template or header.chat_template or CHATML,
            bos=self._token_text(model.token_bos()),
            eos=self._token_text(model.token_eos()),
        )
        self._embedding = options.embedding
        self._adds_bos = bool(llama_cpp.llama_vocab_get_add_bos(self._vocab))
        self.n_ctx = int(model.n_ctx())

    def close(self) -> None:
        """Free the model."""
        self._model.close()

    def tokenize(self, text: str) -> list[int]:
        """The tokens of *text*, special tokens read as such."""
        return list(self._model.tokenize(text.encode(), add_bos=False, special=True))

    def count(self, body: Body) -> int:
        """How many tokens the prompt of *body* has."""
        return len(self._prompt(self._requests.read(body).prompt))

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """The pooled, normalized vectors of *texts*."""
        for at, text in enumerate(texts):
            length = len(self._model.tokenize(text.encode()))
            if not text or not length:
                raise EngineError(
                    "invalid_request", f"input {at} is empty; there is nothing to embed"
                )
            if length > self.n_ctx:
                raise context_exceeded(f"input {at}", length, self.n_ctx)
        vectors, tokens = self._model.embed(
            list(texts), normalize=True, truncate=False, return_count=True
        )
        return Embeddings(vectors=vectors, tokens=tokens)

    def rank(self, query: str, documents: Sequence[str]) -> Scores:
        """How well each of *documents* answers *query*."""
        pairs = [lcpp_rank.pair(self._model, query, document) for document in documents]
        for at, tokens in enumerate(pairs):
            if len(tokens) > self.n_ctx:
                what = f"the query with document {at}"
                raise context_exceeded(what, len(tokens), self.n_ctx)
        scores = [lcpp_rank.score(self._model, tokens) for tokens in pairs]
        return Scores(scores=scores, tokens=sum(map(len, pairs)))

    def generate(self, body: Body, sink: Sink) -> None:
        """Answer *body* into *sink*."""
        request = self._requests.read(body)
        prompt = self._prompt(request.prompt)
        self._check(request, prompt)
        most = min(request.max_tokens or self.n_ctx, self.n_ctx - len(prompt))
        chunks = ChunkMaker(str(body.get("model") or ""))
        if request.sampling.seed is not None:
            # What was computed in other batches differs in its last digits, and so would the answer.
            self._model.reset()
        cached = self._read_prompt(prompt, sink)
        if sink.cancelled():
            return
        # Not before: what goes wrong until here is an error of its own, and no broken answer.
        sink.put(chunks.delta({"role": "assistant", "content": None}))
        text = TextStream(request.stops)
        reader = AnswerReader(request.tools, thinking=request.thinking)
        finish, count = "length", 0
        for token in self._answer(prompt, request, reader):
            if sink.cancelled():
                return
            count += 1
            ended = bool(llama_cpp.llama_vocab_is_eog(self._vocab, token))
            if not ended:
                for delta in reader.feed(text.feed(self._piece(token))):
                    sink.put(chunks.delta(delta))
            if ended or text.stopped:
                finish = "stop"
                break
            if count >= most:
                break
        for delta in (*reader.feed(text.feed(b"", final=True)), *reader.close()):
            sink.put(chunks.delta(delta))
        called = finish == "stop" and reader.call_count > 0
        sink.put(chunks.delta({}, "tool_calls" if called else finish))
        sink.put(chunks.usage(len(prompt), count, cached))

    def _check(self, request: lcpp_request.ChatCall, prompt: Sequence[int]) -> None:
        """Refuse what cannot be answered, before anything of an answer is given."""
        if not prompt:
            raise EngineError("invalid_request", EMPTY_PROMPT)
        if len(prompt) >= self.n_ctx:
            raise context_exceeded("the conversation", len(prompt), self.n_ctx)
        if request.sampling.grammar:
            self._checked(request.sampling.grammar)

    def _prompt(self, text: str) -> list[int]:
        # Many templates write the first token themselves; twice would confuse the model.
        add = self._adds_bos and not (self._requests.bos and text.startswith(self._requests.bos))
        return list(self._model.tokenize(text.encode(), add_bos=add, special=True))

    def _read_prompt(self, prompt: Sequence[int], sink: Sink) -> int:
        """Compute *prompt* batch by batch, so that it can be left; how much of it was known before."""
        model = self._model
        known: int = model.longest_token_prefix(model.input_ids[: model.n_tokens].tolist(), prompt)
        step = model.n_batch
        for end in range(known - known % step + step, len(prompt), step):
            if sink.cancelled():
                break
            # It keeps what it has computed: asking for a token after a longer prompt goes on from there.
            with self._recovering():
                next(model.generate(list(prompt[:end]), temp=0.0))
        return min(known, len(prompt) - 1)

    def _answer(
        self, prompt: Sequence[int], request: lcpp_request.ChatCall, reader: AnswerReader
    ) -> Iterator[int]:
        """The tokens of the answer; once *reader* sees a tool call open, only such as fit a tool."""
        said: list[int] = []
        for token in self._tokens(prompt, request.sampling):
            said.append(token)
            yield token
            if (
                reader.at_call
                and (sampling := request.opened()) is not None
                and self._grammar(sampling.grammar or "") is not None  # else it is on its own
            ):
                yield from self._tokens([*prompt, *said], sampling)
                return

    def _tokens(self, prompt: Sequence[int], sampling: lcpp_request.Sampling) -> Iterator[int]:
        model = self._model
        model.set_seed(random.getrandbits(32) if sampling.seed is None else sampling.seed % 2**32)
        processors = [sampling.bias_processor()] if sampling.bias else None
        grammar = self._checked(sampling.grammar) if sampling.grammar else None
        with self._recovering():
            yield from model.generate(
                prompt,
                grammar=grammar,
                logits_processor=llama_cpp.LogitsProcessorList(processors) if processors else None,
                **sampling.arguments,
            )

    @contextlib.contextmanager
    def _recovering(self) -> Iterator[None]:
        """Leave the model fit for the next call when this one fails."""
        try:
            yield
        except (RuntimeError, ValueError, AssertionError, OSError, MemoryError) as error:
            self._model.reset()
            raise EngineError(
                "engine_failed", f"llama.cpp failed while it computed: {error}"
            ) from error

    def _checked(self, text: str) -> Any:
        if (grammar := self._grammar(text)) is None:
            said = "llama.cpp cannot read this grammar, given or made of a schema"
            raise EngineError("invalid_request", f"{said}: {text[:200]}")
        return grammar

    def _grammar(self, text: str) -> Any:
        """*text* as a grammar; None when it is none: the library uses it unread, and the process ends."""
        sampler = llama_cpp.llama_sampler_init_grammar(self._vocab, text.encode(), b"root")
        if not sampler:
            return None
        llama_cpp.llama_sampler_free(sampler)
        return llama_cpp.LlamaGrammar.from_string(text)

    def _piece(self, token: int) -> bytes:
        piece = self._pieces.get(token)
        if piece is None:
            piece = self._convert(token, special=True)
            if piece not in _MARKS:
                piece = self._convert(token, special=False)
            self._pieces[token] = piece
        return piece

    def _convert(self, token: int, *, special: bool) -> bytes:
        # The library's own detokenizer has room for 32 bytes; some tokens are longer.
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, size, 0, special)
            if length >= 0:
                return buffer.raw[:length]
            size = -length

    def _token_text(self, token: int) -> str:
        return self._convert(token, special=True).decode("utf-8", "replace") if token >= 0 else ""
