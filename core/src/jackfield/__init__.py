"""One interface to language models, one plugin for each backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .config import Config, HTTPConfig
from .errors import (
    AuthenticationError,
    ConfigError,
    ContentFilterError,
    ContextLengthExceededError,
    HostRefusedError,
    InvalidRequestError,
    LLMError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    PluginError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    RequestTimeoutError,
    ResponseFormatError,
    ResponseTooLargeError,
    ServerError,
    StreamInterruptedError,
    TransportError,
    UnknownProviderError,
    UnsupportedOperationError,
)
from .events import (
    Finish,
    PartAdded,
    PartMetadata,
    ReasoningDelta,
    RefusalDelta,
    ResponseBuilder,
    StreamEvent,
    StreamRestart,
    StreamStart,
    TextDelta,
    ToolCallDelta,
    fold,
    replay,
)
from .hookspecs import hookimpl, hookspec
from .http import HTTPProvider
from .local import LocalProvider
from .params import GenerationParams, Param
from .plugins import available_providers, create_provider, plugin_manager
from .provider import Explanation, LLMProvider
from .requests import (
    AnswerRequest,
    ChatRequest,
    DeleteRequest,
    EmbeddingRequest,
    ModelInfoRequest,
    ModelListRequest,
    Progress,
    PullRequest,
    Request,
    Timeout,
    TokenCountRequest,
)
from .retrying import RetryPolicy
from .secret import Secret
from .streams import AsyncEventStream, EventStream
from .types import (
    Alternative,
    CallWarning,
    Capabilities,
    ChatResponse,
    ConfigIssue,
    ContentPart,
    Cost,
    EmbeddingResponse,
    FinishReason,
    MediaPart,
    Message,
    ModelInfo,
    Pricing,
    ProviderInfo,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    ResponseFormat,
    Role,
    TextPart,
    TokenCount,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Usage,
)

if TYPE_CHECKING:
    from .manager import ProviderManager

__version__ = "0.1.0"

__all__ = [
    "Alternative",
    "AnswerRequest",
    "AsyncEventStream",
    "AuthenticationError",
    "CallWarning",
    "Capabilities",
    "ChatRequest",
    "ChatResponse",
    "Config",
    "ConfigError",
    "ConfigIssue",
    "ContentFilterError",
    "ContentPart",
    "ContextLengthExceededError",
    "Cost",
    "DeleteRequest",
    "EmbeddingRequest",
    "EmbeddingResponse",
    "EventStream",
    "Explanation",
    "Finish",
    "FinishReason",
    "GenerationParams",
    "HTTPConfig",
    "HTTPProvider",
    "HostRefusedError",
    "InvalidRequestError",
    "LLMError",
    "LLMProvider",
    "LocalProvider",
    "MediaPart",
    "Message",
    "ModelInfo",
    "ModelInfoRequest",
    "ModelListRequest",
    "NotFoundError",
    "OverloadedError",
    "Param",
    "PartAdded",
    "PartMetadata",
    "PermissionDeniedError",
    "PluginError",
    "Pricing",
    "Progress",
    "ProviderError",
    "ProviderInfo",
    "ProviderManager",
    "ProviderPart",
    "PullRequest",
    "QuotaExceededError",
    "RateLimitError",
    "ReasoningDelta",
    "ReasoningPart",
    "RefusalDelta",
    "RefusalPart",
    "Request",
    "RequestTimeoutError",
    "ResponseBuilder",
    "ResponseFormat",
    "ResponseFormatError",
    "ResponseTooLargeError",
    "RetryPolicy",
    "Role",
    "Secret",
    "ServerError",
    "StreamEvent",
    "StreamInterruptedError",
    "StreamRestart",
    "StreamStart",
    "TextDelta",
    "TextPart",
    "Timeout",
    "TokenCount",
    "TokenCountRequest",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "ToolChoice",
    "ToolResult",
    "TransportError",
    "UnknownProviderError",
    "UnsupportedOperationError",
    "Usage",
    "available_providers",
    "create_provider",
    "fold",
    "hookimpl",
    "hookspec",
    "plugin_manager",
    "replay",
]


def __getattr__(name: str) -> Any:
    if name == "ProviderManager":  # imported when it is asked for
        from .manager import ProviderManager

        return ProviderManager
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
