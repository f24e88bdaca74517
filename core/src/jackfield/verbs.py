"""The verbs beside the five: each is the request that it sends, and has a twin for event loops."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from .requests import EmbeddingRequest, Request, TokenCountRequest

if TYPE_CHECKING:
    from . import operations as op
    from .prompts import Prompt

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])
Maker = Callable[Concatenate[Any, P], Request[R]]
"""Makes a request; its first argument is the provider."""


def verb(make: Maker[P, R]) -> Callable[Concatenate[Any, P], R]:
    """The method that performs what *make* asks for."""

    @wraps(make)
    def perform(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        result: R = self.run(make(self, *args, **kwargs))
        return result

    return _shown(perform, make)


def twin(method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], Awaitable[R]]:
    """*method*, a `verb`, for the event loop."""
    make: Maker[P, R] = method.made_by  # type: ignore[attr-defined]  # `verb` put it there

    @wraps(make)
    async def perform(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        result: R = await self.arun(make(self, *args, **kwargs))
        return result

    return _shown(perform, make)


def _shown(method: F, make: Any) -> F:
    """*method* with the signature of *make*, which returns something else."""
    shown: Any = method
    del shown.__wrapped__
    shown.__signature__ = inspect.signature(make).replace(return_annotation=inspect.Signature.empty)
    shown.made_by = make
    return method


class OperationVerbs:
    """Thin words for typed requests; *fields* are further ones of the request that each names."""

    @verb
    def embed(self, /, model: str, inputs: str | Sequence[str], **fields: Any) -> EmbeddingRequest:
        """One vector for each text: an `EmbeddingRequest`."""
        return EmbeddingRequest(model=model, inputs=inputs, **fields)

    aembed = twin(embed)

    @verb
    def count_tokens(self: Any, /, model: str, prompt: Prompt, **options: Any) -> TokenCountRequest:
        """How many tokens *prompt* (with ``system``, ``tools``) holds: a `TokenCountRequest`."""
        chat = self.chat_request(model, prompt, None, **options)
        kept = ("messages", "tools", "provider_options", "timeout", "strict", "metadata")
        return TokenCountRequest(model=model, **{name: getattr(chat, name) for name in kept})

    acount_tokens = twin(count_tokens)

    @verb
    def rerank(
        self, /, model: str, query: str, documents: Sequence[str], **fields: Any
    ) -> op.RerankRequest:
        """*documents*, the best answer to *query* first: a `RerankRequest`."""
        from .operations import RerankRequest

        return RerankRequest(model=model, query=query, documents=documents, **fields)

    arerank = twin(rerank)

    @verb
    def generate_image(self, /, model: str, prompt: str, **fields: Any) -> op.ImageRequest:
        """Images of *prompt*, or edits of ``images``: an `ImageRequest`."""
        from .operations import ImageRequest

        return ImageRequest(model=model, prompt=prompt, **fields)

    agenerate_image = twin(generate_image)

    @verb
    def speak(self, /, model: str, text: str, **fields: Any) -> op.SpeechRequest:
        """*text*, spoken: a `SpeechRequest`."""
        from .operations import SpeechRequest

        return SpeechRequest(model=model, text=text, **fields)

    aspeak = twin(speak)

    @verb
    def transcribe(self, /, model: str, audio: Any, **fields: Any) -> op.TranscriptionRequest:
        """What is said in *audio* (a path, bytes, a URL, a `MediaPart`): a `TranscriptionRequest`."""
        from .attachments import attachment
        from .operations import TranscriptionRequest

        return TranscriptionRequest(model=model, audio=attachment(audio), **fields)

    atranscribe = twin(transcribe)

    @verb
    def moderate(self, /, model: str, inputs: Any, **fields: Any) -> op.ModerationRequest:
        """Whether *inputs* (a text, an image, or several) break the rules: a `ModerationRequest`."""
        from .operations import ModerationRequest

        return ModerationRequest(model=model, inputs=inputs, **fields)

    amoderate = twin(moderate)

    @verb
    def complete(
        self, /, model: str, prompt: str, parameters: Any = None, **fields: Any
    ) -> op.CompletionRequest:
        """What *model* writes on after *prompt*: a `CompletionRequest`."""
        from .operations import CompletionRequest
        from .params import parse_params

        params = parse_params(parameters)
        return CompletionRequest(model=model, prompt=prompt, params=params, **fields)

    acomplete = twin(complete)

    @verb
    def tokenize(self, /, model: str, text: str, **fields: Any) -> op.TokenizeRequest:
        """How *model* cuts *text* into tokens: a `TokenizeRequest`."""
        from .operations import TokenizeRequest

        return TokenizeRequest(model=model, text=text, **fields)

    atokenize = twin(tokenize)

    @verb
    def detokenize(self, /, model: str, ids: Iterable[int], **fields: Any) -> op.DetokenizeRequest:
        """The text that *ids* stand for: a `DetokenizeRequest`."""
        from .operations import DetokenizeRequest

        return DetokenizeRequest(model=model, ids=ids, **fields)

    adetokenize = twin(detokenize)

    @verb
    def upload_file(self, /, data: Any, name: str = "", **fields: Any) -> op.FileUploadRequest:
        """Have the provider keep *data* (a path, or bytes with a *name*): a `FileUploadRequest`."""
        from .operations import FileUploadRequest

        return FileUploadRequest.of(data, name, **fields)

    aupload_file = twin(upload_file)

    @verb
    def list_files(self, /, **fields: Any) -> op.FileListRequest:
        """The files that the provider keeps: a `FileListRequest`."""
        from .operations import FileListRequest

        return FileListRequest(**fields)

    alist_files = twin(list_files)

    @verb
    def get_file(self, /, file_id: str, **fields: Any) -> op.FileInfoRequest:
        """What the provider knows about a file: a `FileInfoRequest`."""
        from .operations import FileInfoRequest

        return FileInfoRequest(file_id=file_id, **fields)

    aget_file = twin(get_file)

    @verb
    def download_file(self, /, file_id: str, **fields: Any) -> op.FileContentRequest:
        """The bytes of a file: a `FileContentRequest`."""
        from .operations import FileContentRequest

        return FileContentRequest(file_id=file_id, **fields)

    adownload_file = twin(download_file)

    @verb
    def delete_file(self, /, file_id: str, **fields: Any) -> op.FileDeleteRequest:
        """Have a file forgotten: a `FileDeleteRequest`."""
        from .operations import FileDeleteRequest

        return FileDeleteRequest(file_id=file_id, **fields)

    adelete_file = twin(delete_file)

    @verb
    def create_batch(self, /, items: Iterable[Any], **fields: Any) -> op.BatchCreateRequest:
        """Hand in *items* (requests, or `BatchItem`s) to be worked off later: a `BatchCreateRequest`."""
        from .operations import BatchCreateRequest

        return BatchCreateRequest(items=items, **fields)

    acreate_batch = twin(create_batch)

    @verb
    def get_batch(self, /, job_id: str, **fields: Any) -> op.BatchInfoRequest:
        """Where a batch stands: a `BatchInfoRequest`."""
        from .operations import BatchInfoRequest

        return BatchInfoRequest(job_id=job_id, **fields)

    aget_batch = twin(get_batch)

    @verb
    def list_batches(self, /, **fields: Any) -> op.BatchListRequest:
        """The batches that there are: a `BatchListRequest`."""
        from .operations import BatchListRequest

        return BatchListRequest(**fields)

    alist_batches = twin(list_batches)

    @verb
    def cancel_batch(self, /, job_id: str, **fields: Any) -> op.BatchCancelRequest:
        """Stop a batch: a `BatchCancelRequest`."""
        from .operations import BatchCancelRequest

        return BatchCancelRequest(job_id=job_id, **fields)

    acancel_batch = twin(cancel_batch)

    @verb
    def delete_batch(self, /, job_id: str, **fields: Any) -> op.BatchDeleteRequest:
        """Have a batch that has ended forgotten: a `BatchDeleteRequest`."""
        from .operations import BatchDeleteRequest

        return BatchDeleteRequest(job_id=job_id, **fields)

    adelete_batch = twin(delete_batch)

    @verb
    def batch_results(self, /, job_id: str, **fields: Any) -> op.BatchResultsRequest:
        """The results of a batch that has ended: a `BatchResultsRequest`."""
        from .operations import BatchResultsRequest

        return BatchResultsRequest(job_id=job_id, **fields)

    abatch_results = twin(batch_results)

    @verb
    def create_fine_tune(
        self, /, model: str, training_file: str, **fields: Any
    ) -> op.FineTuneCreateRequest:
        """Have *model* trained on an uploaded file: a `FineTuneCreateRequest`."""
        from .operations import FineTuneCreateRequest

        return FineTuneCreateRequest(model=model, training_file=training_file, **fields)

    acreate_fine_tune = twin(create_fine_tune)

    @verb
    def get_fine_tune(self, /, job_id: str, **fields: Any) -> op.FineTuneInfoRequest:
        """Where a fine-tuning job stands: a `FineTuneInfoRequest`."""
        from .operations import FineTuneInfoRequest

        return FineTuneInfoRequest(job_id=job_id, **fields)

    aget_fine_tune = twin(get_fine_tune)

    @verb
    def list_fine_tunes(self, /, **fields: Any) -> op.FineTuneListRequest:
        """The fine-tuning jobs that there are: a `FineTuneListRequest`."""
        from .operations import FineTuneListRequest

        return FineTuneListRequest(**fields)

    alist_fine_tunes = twin(list_fine_tunes)

    @verb
    def cancel_fine_tune(self, /, job_id: str, **fields: Any) -> op.FineTuneCancelRequest:
        """Stop a fine-tuning job: a `FineTuneCancelRequest`."""
        from .operations import FineTuneCancelRequest

        return FineTuneCancelRequest(job_id=job_id, **fields)

    acancel_fine_tune = twin(cancel_fine_tune)
