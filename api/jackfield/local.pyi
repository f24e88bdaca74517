"""What is public of jackfield.local; `nox -s api -- --accept` writes it."""
from jackfield.provider import LLMProvider
__all__ = []
class LocalProvider(LLMProvider):
    def flow(self, request: Request[R], *, stream: bool, deadline: float) -> Flow[R]: ...
    def generate(self, request: ChatRequest, wire: Mapping[str, Any], warnings: list[CallWarning]) -> Iterator[StreamEvent]: ...
    handlers: Mapping[type[Request[Any]], str]
    operations: frozenset[type[Request[Any]]]
