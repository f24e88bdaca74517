"""What is public of jackfield.routing.kinds; `nox -s api -- --accept` writes it."""
from jackfield.routing.route import Route
__all__ = []
class Balance(Route):
    Config: type[Any]
    def __init__(self, config: Any = None, **options: Any) -> None: ...
    def choose(self, free: Sequence[TargetState], request: Request[Any], now: float, chance: float) -> TargetState: ...
    info: ClassVar
    strategy: Strategy
class Fallback(Route):
    info: ClassVar
class Keys(Route):
    def __init__(self, config: Any = None, **options: Any) -> None: ...
    def choose(self, free: Sequence[TargetState], request: Request[Any], now: float, chance: float) -> TargetState: ...
    def get_info(self) -> ProviderInfo: ...
    info: ClassVar
    passes_on: ClassVar
    prefill: Mapping[str, Any] | None
