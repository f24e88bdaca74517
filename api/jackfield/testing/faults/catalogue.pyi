"""What is public of jackfield.testing.faults.catalogue; `nox -s api -- --accept` writes it."""
__all__ = []
CATALOGUE: Mapping[str, Fault]
