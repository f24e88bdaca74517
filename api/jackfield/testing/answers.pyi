"""What is public of jackfield.testing.answers; `nox -s api -- --accept` writes it."""
__all__ = []
class Answer:
    breaks: bool
    cut_after: int | None
    delay: float
    error: LLMError | None
    events: tuple[StreamEvent, ...] | None
    def failure(self) -> LLMError: ...
    finish_reason: FinishReason | None
    pause: float
    reasoning: str
    refusal: str
    def stream(self, request: ChatRequest, number: int) -> list[StreamEvent]: ...
    text: str
    tool_calls: tuple[ToolCall, ...]
    usage: Usage | None
    def __init__(self, text: str = '', *, reasoning: str = '', refusal: str = '', tool_calls: tuple[ToolCall, ...] = ..., finish_reason: FinishReason | None = None, usage: Usage | None = None, events: tuple[StreamEvent, ...] | None = None, delay: float = 0.0, pause: float = 0.0, cut_after: int | None = None, error: LLMError | None = None) -> None: ...
