"""What is public of jackfield.testing.conformance.capabilities; `nox -s api -- --accept` writes it."""
from jackfield.testing.conformance.base import Base
__all__ = []
class CapabilityTests(Base):
    calls: Sequence[Mapping[str, Any]]
