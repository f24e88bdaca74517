"""What is public of jackfield.manager.listings; `nox -s api -- --accept` writes it."""
from jackfield.provider import Explanation
__all__ = []
class ManagerExplanation(Explanation):
    how: str
    passed_over: tuple[str, ...]
    route: Explanation | None
    def __init__(self, *, provider: str, model: str, method: str = '', url: str = '', headers: Mapping[str, str] = ..., body: Any = None, warnings: tuple[CallWarning, ...] = ..., how: str = '', passed_over: tuple[str, ...] = ..., route: Explanation | None = None) -> None: ...
class ModelListing(Sequence[ModelInfo]):
    def __getitem__(self, index: int | slice) -> ModelInfo | tuple[ModelInfo, ...]: ...
    def __iter__(self) -> Iterator[ModelInfo]: ...
    def __len__(self) -> int: ...
    error: LLMError | None
    models: tuple[ModelInfo, ...]
    def __init__(self, models: tuple[ModelInfo, ...] = ..., error: LLMError | None = None) -> None: ...
class ProviderStatus:
    health: HealthStatus
    info: ProviderInfo
    issues: tuple[ConfigIssue, ...]
    models: tuple[str, ...]
    name: str
    @classmethod
    def of(cls, provider: LLMProvider, own: ProviderSettings | None, health: HealthStatus | None) -> ProviderStatus: ...
    priority: int | None
    ready: bool
    def __init__(self, *, name: str, info: ProviderInfo, issues: tuple[ConfigIssue, ...] = ..., health: HealthStatus, priority: int | None = None, models: tuple[str, ...] = ...) -> None: ...
