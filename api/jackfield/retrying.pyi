"""What is public of jackfield.retrying; `nox -s api -- --accept` writes it."""
__all__ = []
class RetryPolicy:
    attempts: int
    def delay(self, attempt: int, error: LLMError, chance: float) -> float | None: ...
    initial: float
    longest_hint: float
    maximum: float
    def __init__(self, *, attempts: int = 3, initial: float = 0.5, maximum: float = 8.0, longest_hint: float = 60.0) -> None: ...
