"""What is public of jackfield.routing.endings; `nox -s api -- --accept` writes it."""
from jackfield.events import StreamEvent
__all__ = []
class StreamFailed(StreamEvent):
    error: LLMError
    partial: ChatResponse | None
def with_errors(stream: EventStream[Any, Any] | AsyncEventStream[Any, Any]) -> Any: ...
