"""What is public of jackfield_llamacpp; `nox -s api -- --accept` writes it."""
from jackfield_llamacpp.config import LlamaCppConfig as LlamaCppConfig
from jackfield_llamacpp.provider import LlamaCppProvider as LlamaCppProvider
__all__ = ['LlamaCppConfig', 'LlamaCppProvider']
