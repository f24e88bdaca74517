"""What is public of jackfield_llamacpp_server.tokens; `nox -s api -- --accept` writes it."""
from jackfield.requests import Request
__all__ = []
class TemplateRequest(Request[str]):
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...]
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., messages: tuple[Message, ...], tools: tuple[Tool, ...] = ...) -> None: ...
