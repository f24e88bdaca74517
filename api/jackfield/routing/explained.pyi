"""What is public of jackfield.routing.explained; `nox -s api -- --accept` writes it."""
from jackfield.provider import Explanation
__all__ = []
class Considered:
    explanation: Explanation | None
    kept: bool
    model: str
    reason: str
    seconds: float | None
    target: str
    def __init__(self, *, target: str, model: str, kept: bool, reason: str, explanation: Explanation | None = None, seconds: float | None = None) -> None: ...
class RouteExplanation(Explanation):
    considered: tuple[Considered, ...]
    def __init__(self, *, provider: str, model: str, method: str = '', url: str = '', headers: Mapping[str, str] = ..., body: Any = None, warnings: tuple[CallWarning, ...] = ..., considered: tuple[Considered, ...] = ...) -> None: ...
