"""What is public of jackfield.types; `nox -s api -- --accept` writes it."""
__all__ = ['CallWarning', 'Json', 'MediaPart', 'ProviderPart', 'ReasoningPart', 'RefusalPart', 'TextPart', 'ToolCall', 'ToolResult']
class Alternative:
    finish_reason: FinishReason
    message: Message
    raw_finish_reason: str | None
    def __init__(self, *, message: Message, finish_reason: FinishReason = ..., raw_finish_reason: str | None = None) -> None: ...
class CallWarning:
    def __str__(self) -> str: ...
    detail: str
    kind: WarningKind
    subject: str
    def __init__(self, kind: WarningKind, subject: str, detail: str = '') -> None: ...
class Capabilities:
    audio_input: bool | None
    audio_output: bool | None
    batches: bool | None
    documents: bool | None
    embeddings: bool | None
    files: bool | None
    fine_tuning: bool | None
    image_generation: bool | None
    image_output: bool | None
    moderation: bool | None
    parallel_tools: bool | None
    prompt_caching: bool | None
    reasoning: bool | None
    rerank: bool | None
    speech: bool | None
    streaming: bool | None
    structured_output: bool | None
    token_counting: bool | None
    tools: bool | None
    transcription: bool | None
    video_input: bool | None
    vision: bool | None
    def __init__(self, *, streaming: bool | None = None, tools: bool | None = None, parallel_tools: bool | None = None, structured_output: bool | None = None, reasoning: bool | None = None, prompt_caching: bool | None = None, vision: bool | None = None, documents: bool | None = None, audio_input: bool | None = None, video_input: bool | None = None, audio_output: bool | None = None, image_output: bool | None = None, embeddings: bool | None = None, rerank: bool | None = None, image_generation: bool | None = None, speech: bool | None = None, transcription: bool | None = None, moderation: bool | None = None, token_counting: bool | None = None, files: bool | None = None, batches: bool | None = None, fine_tuning: bool | None = None) -> None: ...
class ChatResponse:
    def __str__(self) -> str: ...
    alternatives: tuple[Alternative, ...]
    cost: Cost
    finish_reason: FinishReason
    id: str
    message: Message
    model: str
    provider_metadata: Json
    raw_finish_reason: str | None
    reasoning: str
    refusal: str | None
    text: str
    tool_calls: tuple[ToolCall, ...]
    usage: Usage
    warnings: tuple[CallWarning, ...]
    def __init__(self, *, id: str = '', model: str = '', message: Message, finish_reason: FinishReason = ..., raw_finish_reason: str | None = None, usage: Usage = ..., cost: Cost = ..., warnings: tuple[CallWarning, ...] = ..., alternatives: tuple[Alternative, ...] = ..., provider_metadata: Json = ...) -> None: ...
class ConfigIssue:
    def __str__(self) -> str: ...
    fix: str
    path: str
    problem: str
    def __init__(self, path: str, problem: str, fix: str = '') -> None: ...
ContentPart = TextPart | MediaPart | ReasoningPart | RefusalPart | ToolCall | ToolResult | ProviderPart
class Cost:
    def __str__(self) -> str: ...
    amount: Decimal | None
    currency: str
    source: Literal['provider', 'computed', 'unknown']
    def __init__(self, *, amount: Decimal | None = None, currency: str = 'USD', source: Literal['provider', 'computed', 'unknown'] = 'unknown') -> None: ...
class EmbeddingResponse:
    cost: Cost
    model: str
    provider_metadata: Json
    usage: Usage
    vectors: tuple[tuple[float, ...], ...]
    warnings: tuple[CallWarning, ...]
    def __init__(self, *, model: str = '', vectors: tuple[tuple[float, ...], ...], usage: Usage = ..., cost: Cost = ..., warnings: tuple[CallWarning, ...] = ..., provider_metadata: Json = ...) -> None: ...
class FinishReason(StrEnum):
    CONTENT_FILTER = ...
    ERROR = ...
    LENGTH = ...
    OTHER = ...
    STOP = ...
    TOOL_CALLS = ...
Json = Mapping[str, Any]
class MediaPart:
    def __attrs_post_init__(self) -> None: ...
    data: bytes | None
    media_type: str
    name: str | None
    provider_metadata: Json
    url: str | None
    def __init__(self, media_type: str, data: bytes | None = None, url: str | None = None, *, name: str | None = None, provider_metadata: Json = ...) -> None: ...
class Message:
    content: tuple[ContentPart, ...]
    provider_metadata: Json
    reasoning: str
    role: Role
    text: str
    tool_calls: tuple[ToolCall, ...]
    def __init__(self, role: Role, content: tuple[ContentPart, ...], *, provider_metadata: Json = ...) -> None: ...
class ModelInfo:
    capabilities: Capabilities
    context_window: int | None
    display_name: str
    id: str
    max_output_tokens: int | None
    pricing: Pricing | None
    provider_metadata: Json
    size_bytes: int | None
    def __init__(self, *, id: str, display_name: str = '', context_window: int | None = None, max_output_tokens: int | None = None, capabilities: Capabilities = ..., pricing: Pricing | None = None, size_bytes: int | None = None, provider_metadata: Json = ...) -> None: ...
class Pricing:
    as_of: date | None
    cache_read: Decimal | None
    cache_write: Decimal | None
    def cost(self, usage: Usage) -> Cost: ...
    input: Decimal
    output: Decimal
    source: str
    def __init__(self, *, input: Decimal, output: Decimal, cache_read: Decimal | None = None, cache_write: Decimal | None = None, source: str = '', as_of: date | None = None) -> None: ...
class ProviderInfo:
    api_key_env: str | None
    api_key_required: bool
    capabilities: Capabilities
    contract: int
    display_name: str
    docs_url: str
    key_variable: str | None
    models: tuple[str, ...]
    name: str
    operations: tuple[str, ...]
    other_key_envs: tuple[str, ...]
    def __init__(self, *, name: str, display_name: str, docs_url: str = '', api_key_env: str | None = None, other_key_envs: tuple[str, ...] = ..., api_key_required: bool = True, capabilities: Capabilities = ..., operations: tuple[str, ...] = ..., models: tuple[str, ...] = ..., contract: int = 1) -> None: ...
class ProviderPart:
    data: Json
    provider: str
    def __init__(self, provider: str, data: Json) -> None: ...
class ReasoningPart:
    provider_metadata: Json
    redacted: str | None
    signature: str | None
    text: str
    def __init__(self, text: str, signature: str | None = None, redacted: str | None = None, *, provider_metadata: Json = ...) -> None: ...
class RefusalPart:
    text: str
    def __init__(self, text: str) -> None: ...
class ResponseFormat:
    description: str
    name: str
    schema: Json | None
    strict: bool | None
    type: Literal['text', 'json', 'json_schema']
    def __init__(self, *, schema: Json | None = None, type: Literal['text', 'json', 'json_schema'] = ..., name: str = 'answer', strict: bool | None = None, description: str = '') -> None: ...
class Role(StrEnum):
    ASSISTANT = ...
    SYSTEM = ...
    TOOL = ...
    USER = ...
class TextPart:
    provider_metadata: Json
    text: str
    def __init__(self, text: str, *, provider_metadata: Json = ...) -> None: ...
class TokenCount:
    estimated: bool
    input_tokens: int
    warnings: tuple[CallWarning, ...]
    def __init__(self, *, input_tokens: int, estimated: bool = False, warnings: tuple[CallWarning, ...] = ...) -> None: ...
class Tool:
    description: str
    name: str
    parameters: Json
    provider_metadata: Json
    strict: bool | None
    def __init__(self, name: str, description: str = '', parameters: Json = ..., *, strict: bool | None = None, provider_metadata: Json = ...) -> None: ...
class ToolCall:
    arguments: str
    id: str
    name: str
    provider_metadata: Json
    def __init__(self, id: str, name: str, arguments: str = '{}', *, provider_metadata: Json = ...) -> None: ...
ToolChoice = Literal['auto', 'none', 'required'] | str
class ToolResult:
    content: tuple[TextPart | MediaPart, ...]
    is_error: bool
    name: str | None
    provider_metadata: Json
    text: str
    tool_call_id: str
    def __init__(self, tool_call_id: str, content: tuple[TextPart | MediaPart, ...], is_error: bool = False, *, name: str | None = None, provider_metadata: Json = ...) -> None: ...
class Usage:
    audio_input_tokens: int | None
    audio_output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    input_tokens: int | None
    output_tokens: int | None
    raw: Json
    reasoning_tokens: int | None
    total_tokens: int | None
    def __init__(self, *, input_tokens: int | None = None, output_tokens: int | None = None, cache_read_tokens: int | None = None, cache_write_tokens: int | None = None, reasoning_tokens: int | None = None, audio_input_tokens: int | None = None, audio_output_tokens: int | None = None, raw: Json = ...) -> None: ...
