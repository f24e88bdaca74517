"""What is public of jackfield.operations.moderation; `nox -s api -- --accept` writes it."""
from jackfield.requests import Request
__all__ = []
class ModerationRequest(Request[ModerationResponse]):
    inputs: tuple[str | MediaPart, ...]
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., inputs: tuple[str | MediaPart, ...]) -> None: ...
class ModerationResponse:
    cost: Cost
    flagged: bool
    id: str
    model: str
    provider_metadata: Json
    results: tuple[ModerationResult, ...]
    usage: Usage
    warnings: tuple[CallWarning, ...]
    def __init__(self, *, id: str = '', model: str = '', results: tuple[ModerationResult, ...], usage: Usage = ..., cost: Cost = ..., warnings: tuple[CallWarning, ...] = ..., provider_metadata: Json = ...) -> None: ...
class ModerationResult:
    categories: Mapping[str, bool]
    flagged: bool
    scores: Mapping[str, float]
    def __init__(self, *, flagged: bool, categories: Mapping[str, bool] = ..., scores: Mapping[str, float] = ...) -> None: ...
