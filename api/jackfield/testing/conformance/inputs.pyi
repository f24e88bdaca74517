"""What is public of jackfield.testing.conformance.inputs; `nox -s api -- --accept` writes it."""
from jackfield.testing.conformance.base import Base
__all__ = []
class InputTests(Base):
    ...
