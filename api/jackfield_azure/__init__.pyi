"""What is public of jackfield_azure; `nox -s api -- --accept` writes it."""
from jackfield_azure.config import AzureConfig as AzureConfig
from jackfield_azure.provider import AzureProvider as AzureProvider
__all__ = ['AzureConfig', 'AzureProvider']
