"""What is public of jackfield.operations.ranking; `nox -s api -- --accept` writes it."""
from jackfield.requests import Request
__all__ = []
class RankedDocument:
    document: str
    index: int
    score: float
    def __init__(self, *, index: int, score: float, document: str = '') -> None: ...
class RerankRequest(Request[RerankResponse]):
    documents: tuple[str, ...]
    query: str
    top_n: int | None
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., query: str, documents: tuple[str, ...], top_n: int | None = None) -> None: ...
class RerankResponse:
    cost: Cost
    id: str
    model: str
    provider_metadata: Json
    results: tuple[RankedDocument, ...]
    usage: Usage
    warnings: tuple[CallWarning, ...]
    def __init__(self, *, id: str = '', model: str = '', results: tuple[RankedDocument, ...], usage: Usage = ..., cost: Cost = ..., warnings: tuple[CallWarning, ...] = ..., provider_metadata: Json = ...) -> None: ...
