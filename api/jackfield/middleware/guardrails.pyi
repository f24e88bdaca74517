"""What is public of jackfield.middleware.guardrails; `nox -s api -- --accept` writes it."""
from jackfield.middleware.guards import EMAIL as EMAIL
from jackfield.middleware.guards import Feeder as Feeder
from jackfield.middleware.guards import KEYS as KEYS
from jackfield.middleware.guards import LengthGuard as LengthGuard
from jackfield.middleware.guards import PatternGuard as PatternGuard
from jackfield.middleware.guards import forbid as forbid
from jackfield.middleware.guards import limit_length as limit_length
from jackfield.middleware.guards import map_texts as map_texts
from jackfield.middleware.guards import redact as redact
from jackfield.middleware.guards import refusal as refusal
__all__ = ['After', 'Before', 'EMAIL', 'Feeder', 'Guardrails', 'KEYS', 'LengthGuard', 'PatternGuard', 'forbid', 'limit_length', 'map_texts', 'redact', 'refusal']
After = Callable[[Any, ChatResponse], ChatResponse | None]
Before = Callable[[Any], Any]
class Guardrails:
    def __init__(self, before: Iterable[Before] = (), after: Iterable[After] = ()) -> None: ...
    def prepare_call(self, provider: LLMProvider, nested: bool) -> Callable[[Request[Any]], Request[Any]] | None: ...
    def wrap_call(self, provider: LLMProvider, request: Request[Any], nested: bool) -> Wrapper | None: ...
