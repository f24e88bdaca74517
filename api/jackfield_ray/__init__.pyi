"""What is public of jackfield_ray; `nox -s api -- --accept` writes it."""
from jackfield_ray.executor import RayExecutor as RayExecutor
__all__ = ['RayExecutor']
