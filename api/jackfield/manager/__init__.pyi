"""What is public of jackfield.manager; `nox -s api -- --accept` writes it."""
from jackfield.manager.listings import ManagerExplanation as ManagerExplanation
from jackfield.manager.listings import ModelListing as ModelListing
from jackfield.manager.listings import ProviderStatus as ProviderStatus
from jackfield.manager.manager import ProviderManager as ProviderManager
from jackfield.manager.service import ChatCompletion as ChatCompletion
from jackfield.manager.service import ChatCompletionRequest as ChatCompletionRequest
from jackfield.manager.service import ChatMessage as ChatMessage
from jackfield.manager.service import LLMManager as LLMManager
from jackfield.manager.service import ProviderConfig as ProviderConfig
from jackfield.manager.service import ProviderType as ProviderType
from jackfield.manager.settings import ManagerSettings as ManagerSettings
__all__ = ['ChatCompletion', 'ChatCompletionRequest', 'ChatMessage', 'LLMManager', 'ManagerExplanation', 'ManagerSettings', 'ModelListing', 'ProviderConfig', 'ProviderManager', 'ProviderStatus', 'ProviderType']
