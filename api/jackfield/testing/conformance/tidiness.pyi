"""What is public of jackfield.testing.conformance.tidiness; `nox -s api -- --accept` writes it."""
from jackfield.testing.conformance.base import Base
__all__ = []
class TidinessTests(Base):
    ...
