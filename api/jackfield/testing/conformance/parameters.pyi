"""What is public of jackfield.testing.conformance.parameters; `nox -s api -- --accept` writes it."""
from jackfield.testing.conformance.base import Base
__all__ = []
class ParameterTests(Base):
    ...
