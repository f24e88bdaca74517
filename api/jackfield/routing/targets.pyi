"""What is public of jackfield.routing.targets; `nox -s api -- --accept` writes it."""
__all__ = []
class Candidate:
    cost: Decimal | None
    failures: int
    first_event: float | None
    index: int
    last_used: float | None
    occupancy: int
    per_token: float | None
    target: RouteTarget
    weight: float
    def __init__(self, *, target: RouteTarget, index: int, occupancy: int = 0, last_used: float | None = None, failures: int = 0, first_event: float | None = None, per_token: float | None = None, cost: Decimal | None = None) -> None: ...
class RouteTarget:
    cost_multiplier: Decimal
    model: str | None
    name: str
    provider: LLMProvider
    weight: float
    def __init__(self, provider: LLMProvider, model: str | None = None, weight: float = 1.0, cost_multiplier: Decimal = ...) -> None: ...
