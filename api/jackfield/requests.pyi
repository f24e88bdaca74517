"""What is public of jackfield.requests; `nox -s api -- --accept` writes it."""
__all__ = ['ChatRequest', 'EmbeddingRequest', 'ModelInfoRequest', 'ModelListRequest']
class AnswerRequest(Request[ChatResponse]):
    params: GenerationParams
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., params: GenerationParams = ...) -> None: ...
class ChatRequest(AnswerRequest):
    messages: tuple[Message, ...]
    response_format: ResponseFormat | None
    tool_choice: ToolChoice
    tools: tuple[Tool, ...]
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., params: GenerationParams = ..., messages: tuple[Message, ...], tools: tuple[Tool, ...] = ..., tool_choice: ToolChoice = 'auto', response_format: ResponseFormat | None = None) -> None: ...
class DeleteRequest(Request[None]):
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ...) -> None: ...
class EmbeddingRequest(Request[EmbeddingResponse]):
    dimensions: int | None
    input_type: str | None
    inputs: tuple[str, ...]
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., inputs: tuple[str, ...], dimensions: int | None = None, input_type: str | None = None) -> None: ...
class ModelInfoRequest(Request[ModelInfo]):
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ...) -> None: ...
class ModelListRequest(Request[Sequence[ModelInfo]]):
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ...) -> None: ...
class Progress:
    completed: int | None
    status: str
    total: int | None
    def __init__(self, *, status: str, completed: int | None = None, total: int | None = None) -> None: ...
class PullRequest(Request[None]):
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ...) -> None: ...
class Request(Generic[R]):
    metadata: Mapping[str, Any]
    model: str
    provider_options: Mapping[str, Json]
    strict: bool | None
    timeout: Timeout | None
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ...) -> None: ...
class Timeout:
    connect: float
    first_chunk: float
    idle: float
    total: float
    def __init__(self, *, connect: float = 5.0, first_chunk: float = 60.0, idle: float = 60.0, total: float = 600.0) -> None: ...
class TokenCountRequest(Request[TokenCount]):
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...]
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., messages: tuple[Message, ...], tools: tuple[Tool, ...] = ...) -> None: ...
