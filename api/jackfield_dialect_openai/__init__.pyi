"""What is public of jackfield_dialect_openai; `nox -s api -- --accept` writes it."""
from jackfield_dialect_openai.provider import ERROR_CODES as ERROR_CODES
from jackfield_dialect_openai.provider import EXCHANGES as EXCHANGES
from jackfield_dialect_openai.provider import GenericConfig as GenericConfig
from jackfield_dialect_openai.provider import GenericProvider as GenericProvider
from jackfield_dialect_openai.provider import OpenAICompatibleProvider as OpenAICompatibleProvider
from jackfield_dialect_openai.provider import PARAMS as PARAMS
from jackfield_dialect_openai.provider import SAMPLING as SAMPLING
__all__ = ['ERROR_CODES', 'EXCHANGES', 'GenericConfig', 'GenericProvider', 'OpenAICompatibleProvider', 'PARAMS', 'SAMPLING']
