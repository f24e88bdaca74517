"""What is public of jackfield_nvidia; `nox -s api -- --accept` writes it."""
from jackfield_nvidia.config import NvidiaConfig as NvidiaConfig
from jackfield_nvidia.provider import NvidiaProvider as NvidiaProvider
__all__ = ['NvidiaConfig', 'NvidiaProvider']
