"""What is public of jackfield.manager.native; `nox -s api -- --accept` writes it."""
__all__ = ['Polling']
class Polling:
    factor: float
    initial: float
    longest: float
    patience: int
    def __init__(self, *, initial: float = 5.0, factor: float = 1.5, longest: float = 300.0, patience: int = 10) -> None: ...
