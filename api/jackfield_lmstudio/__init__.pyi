"""What is public of jackfield_lmstudio; `nox -s api -- --accept` writes it."""
from jackfield_lmstudio.provider import LMStudioConfig as LMStudioConfig
from jackfield_lmstudio.provider import LMStudioProvider as LMStudioProvider
__all__ = ['LMStudioConfig', 'LMStudioProvider']
