"""What is public of jackfield.testing.conformance.first; `nox -s api -- --accept` writes it."""
from jackfield.testing.conformance.base import Base
__all__ = []
class FirstTests(Base):
    ...
