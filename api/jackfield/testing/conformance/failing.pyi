"""What is public of jackfield.testing.conformance.failing; `nox -s api -- --accept` writes it."""
from jackfield.testing.conformance.base import Base
__all__ = []
class FailureTests(Base):
    ...
