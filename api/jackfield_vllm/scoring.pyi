"""What is public of jackfield_vllm.scoring; `nox -s api -- --accept` writes it."""
from jackfield.requests import Request
__all__ = []
class ScoreRequest(Request[ScoreResponse]):
    first: tuple[str, ...]
    second: tuple[str, ...]
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., first: tuple[str, ...], second: tuple[str, ...]) -> None: ...
class ScoreResponse:
    cost: Cost
    id: str
    model: str
    scores: tuple[float, ...]
    usage: Usage
    warnings: tuple[CallWarning, ...]
    def __init__(self, *, id: str = '', model: str = '', scores: tuple[float, ...], usage: Usage = ..., cost: Cost = ..., warnings: tuple[CallWarning, ...] = ...) -> None: ...
