"""What is public of jackfield_together; `nox -s api -- --accept` writes it."""
from jackfield_together.provider import TogetherConfig as TogetherConfig
from jackfield_together.provider import TogetherProvider as TogetherProvider
__all__ = ['TogetherConfig', 'TogetherProvider']
