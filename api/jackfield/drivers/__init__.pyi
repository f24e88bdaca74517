"""What is public of jackfield.drivers; `nox -s api -- --accept` writes it."""
__all__ = []
