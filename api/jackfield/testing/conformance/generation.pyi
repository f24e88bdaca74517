"""What is public of jackfield.testing.conformance.generation; `nox -s api -- --accept` writes it."""
from jackfield.testing.conformance.base import Base
__all__ = []
class GenerationTests(Base):
    parameters: Mapping[str, Any]
