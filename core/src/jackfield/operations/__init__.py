"""The requests and results of every operation beside chat, embeddings and model lists.

They are data alone and apart from the core's own names, so that a program that
only chats does not pay for them at its start.
"""

from __future__ import annotations

from .audio import (
    SpeechRequest,
    SpeechResponse,
    TimedText,
    TranscriptionRequest,
    TranscriptionResponse,
)
from .files import (
    FileContentRequest,
    FileDeleteRequest,
    FileInfoRequest,
    FileListRequest,
    FileUploadRequest,
    RemoteFile,
)
from .images import ImageRequest, ImageResponse
from .jobs import (
    BatchCancelRequest,
    BatchCreateRequest,
    BatchDeleteRequest,
    BatchInfoRequest,
    BatchItem,
    BatchJob,
    BatchListRequest,
    BatchResult,
    BatchResultsRequest,
    FineTuneCancelRequest,
    FineTuneCreateRequest,
    FineTuneInfoRequest,
    FineTuneJob,
    FineTuneListRequest,
    Job,
    JobStatus,
)
from .memory import LoadRequest, UnloadRequest
from .moderation import ModerationRequest, ModerationResponse, ModerationResult
from .ranking import RankedDocument, RerankRequest, RerankResponse
from .text import CompletionRequest, DetokenizeRequest, TokenizeRequest, Tokens

__all__ = [
    "BatchCancelRequest",
    "BatchCreateRequest",
    "BatchDeleteRequest",
    "BatchInfoRequest",
    "BatchItem",
    "BatchJob",
    "BatchListRequest",
    "BatchResult",
    "BatchResultsRequest",
    "CompletionRequest",
    "DetokenizeRequest",
    "FileContentRequest",
    "FileDeleteRequest",
    "FileInfoRequest",
    "FileListRequest",
    "FileUploadRequest",
    "FineTuneCancelRequest",
    "FineTuneCreateRequest",
    "FineTuneInfoRequest",
    "FineTuneJob",
    "FineTuneListRequest",
    "ImageRequest",
    "ImageResponse",
    "Job",
    "JobStatus",
    "LoadRequest",
    "ModerationRequest",
    "ModerationResponse",
    "ModerationResult",
    "RankedDocument",
    "RemoteFile",
    "RerankRequest",
    "RerankResponse",
    "SpeechRequest",
    "SpeechResponse",
    "TimedText",
    "TokenizeRequest",
    "Tokens",
    "TranscriptionRequest",
    "TranscriptionResponse",
    "UnloadRequest",
]
