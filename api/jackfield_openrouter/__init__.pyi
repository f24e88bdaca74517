"""What is public of jackfield_openrouter; `nox -s api -- --accept` writes it."""
from jackfield_openrouter.account import Credits as Credits
from jackfield_openrouter.account import CreditsRequest as CreditsRequest
from jackfield_openrouter.account import Generation as Generation
from jackfield_openrouter.account import GenerationRequest as GenerationRequest
from jackfield_openrouter.config import OpenRouterConfig as OpenRouterConfig
from jackfield_openrouter.provider import OpenRouterProvider as OpenRouterProvider
__all__ = ['Credits', 'CreditsRequest', 'Generation', 'GenerationRequest', 'OpenRouterConfig', 'OpenRouterProvider']
