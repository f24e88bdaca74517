"""What is public of jackfield_huggingface; `nox -s api -- --accept` writes it."""
from jackfield_huggingface.config import HuggingFaceConfig as HuggingFaceConfig
from jackfield_huggingface.provider import HuggingFaceProvider as HuggingFaceProvider
from jackfield_huggingface.tasks import TaskRequest as TaskRequest
from jackfield_huggingface.tasks import TaskResponse as TaskResponse
__all__ = ['HuggingFaceConfig', 'HuggingFaceProvider', 'TaskRequest', 'TaskResponse']
