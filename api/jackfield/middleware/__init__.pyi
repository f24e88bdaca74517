"""What is public of jackfield.middleware; `nox -s api -- --accept` writes it."""
__all__ = []
