"""What is public of jackfield_cohere; `nox -s api -- --accept` writes it."""
from jackfield_cohere.config import CohereConfig as CohereConfig
from jackfield_cohere.provider import CohereProvider as CohereProvider
__all__ = ['CohereConfig', 'CohereProvider']
