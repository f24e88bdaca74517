"""What is public of jackfield.events; `nox -s api -- --accept` writes it."""
__all__ = ['Finish', 'PartMetadata', 'ReasoningDelta', 'RefusalDelta', 'StreamStart']
class Finish(StreamEvent):
    choice: int
    cost: Cost | None
    finish_reason: FinishReason
    provider_metadata: Mapping[str, Any]
    raw_finish_reason: str | None
    usage: Usage | None
    warnings: tuple[CallWarning, ...]
class PartAdded(StreamEvent):
    def __str__(self) -> str: ...
    choice: int
    index: int
    part: ContentPart
class PartMetadata(StreamEvent):
    choice: int
    index: int
    provider_metadata: Mapping[str, Any]
class ReasoningDelta(StreamEvent):
    choice: int
    index: int
    provider_metadata: Mapping[str, Any] | None
    redacted: str | None
    signature: str | None
    text: str
class RefusalDelta(StreamEvent):
    choice: int
    index: int
    text: str
class ResponseBuilder:
    def __init__(self) -> None: ...
    def build(self) -> ChatResponse: ...
    def extend(self, events: Iterable[StreamEvent]) -> None: ...
    model: str
class StreamEvent(Struct):
    def __str__(self) -> str: ...
class StreamRestart(StreamEvent):
    model: str
    provider: str
    reason: str
class StreamStart(StreamEvent):
    id: str
    model: str
    usage: Usage | None
    warnings: tuple[CallWarning, ...]
class TextDelta(StreamEvent):
    def __str__(self) -> str: ...
    choice: int
    index: int
    text: str
class ToolCallDelta(StreamEvent):
    arguments: str
    choice: int
    id: str
    index: int
    name: str
    provider_metadata: Mapping[str, Any] | None
def fold(events: Iterable[StreamEvent]) -> ChatResponse: ...
def replay(response: ChatResponse) -> list[StreamEvent]: ...
